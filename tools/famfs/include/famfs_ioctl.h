/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the famfs command asks of the daemon: ioctls on a directory of the
 * mount. The daemon is the one writer of the log on its host, so that two
 * commands can never race for the same memory or the same log entry.
 */
#ifndef FAMFS_IOCTL_H
#define FAMFS_IOCTL_H

#include <linux/ioctl.h>
#include "famfs_media.h"

#define FAMFS_IOC_MAGIC		0xfa
#define FAMFS_IOC_NAME_MAX	FAMFS_PATH_MAX
#define FAMFS_IOC_OPCODES	64
#define FAMFS_IOC_WHY_MAX	256

/**
 * struct famfs_ioc_create - make a file whose memory is allocated at once
 * @name:	name in the directory that the ioctl is called on
 * @size:	bytes
 * @chunk:	bytes on a strip before the next strip's turn; with @nstrips
 * @nstrips:	0 for a plain file
 * @mode:	permission bits
 * @flags:	enum famfs_file_flags
 * @ndevs:	how many of @dev are filled in; 0: all devices may be used
 * @dev:	device indices, in the order in which strips go round
 * @why:	set on failure: a sentence, or empty
 */
struct famfs_ioc_create {
	char name[FAMFS_IOC_NAME_MAX];
	uint64_t size;
	uint64_t chunk;
	uint32_t nstrips;
	uint32_t mode;
	uint32_t flags;
	uint32_t ndevs;
	uint32_t dev[FAMFS_MAX_DEVICES];
	char why[FAMFS_IOC_WHY_MAX];
};

/**
 * struct famfs_ioc_map - where a file lies
 * @name:	name in the directory that the ioctl is called on
 * @size:	set: bytes of the file
 * @map:	set: as on the media
 */
struct famfs_ioc_map {
	char name[FAMFS_IOC_NAME_MAX];
	uint64_t size;
	struct famfs_map map;
};

struct famfs_ioc_dev {
	char name[FAMFS_DEVNAME_MAX];
	uint8_t uuid[16];
	uint64_t size;
	uint64_t free;
	uint64_t largest;			/* contiguous */
};

/**
 * struct famfs_ioc_info - the file system as a whole
 */
struct famfs_ioc_info {
	uint8_t fs_uuid[16];
	uint8_t system_uuid[16];
	uint64_t alloc_unit;
	uint64_t log_offset;
	uint64_t log_len;
	uint64_t log_used;			/* entries */
	uint64_t log_slots;
	uint64_t nfiles;
	uint64_t ndirs;
	uint32_t master;			/* this host may write the log */
	uint32_t ndevs;
	struct famfs_ioc_dev dev[FAMFS_MAX_DEVICES];
};

/**
 * struct famfs_ioc_stats - requests that reached the daemon, by FUSE opcode
 * @count:	element 0 holds those beyond the table; the ioctl itself is
 *		not counted, so that asking does not change the answer
 */
struct famfs_ioc_stats {
	uint64_t count[FAMFS_IOC_OPCODES];
};

#define FAMFS_IOC_CREATE _IOWR(FAMFS_IOC_MAGIC, 1, struct famfs_ioc_create)
#define FAMFS_IOC_MAP	_IOWR(FAMFS_IOC_MAGIC, 2, struct famfs_ioc_map)
#define FAMFS_IOC_INFO	_IOR(FAMFS_IOC_MAGIC, 3, struct famfs_ioc_info)
#define FAMFS_IOC_STATS	_IOR(FAMFS_IOC_MAGIC, 4, struct famfs_ioc_stats)

#endif /* FAMFS_IOCTL_H */
