/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The on-media format of famfs: version 48, OMF 2.2.
 *
 * A device begins with a 2 MiB region for the superblock; on the primary
 * device the log follows. All else is data, given out in allocation units.
 * There is no free-space map: what the superblock, the log and the log's
 * entries do not name is free.
 *
 * All integers are little endian, in the layout an x86-64 compiler gives
 * these structs. The asserts below hold that layout in place.
 */
#ifndef FAMFS_MEDIA_H
#define FAMFS_MEDIA_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "famfs media is little endian; this code reads it without swapping"
#endif

#define FAMFS_SUPER_MAGIC	0x87b282ffUL
#define FAMFS_SUPER_VERSION	48
#define FAMFS_OMF_MAJOR		2
#define FAMFS_OMF_MINOR		2
#define FAMFS_SUPER_REGION	0x200000UL	/* superblock's share of a device */
#define FAMFS_LOG_OFFSET	FAMFS_SUPER_REGION
#define FAMFS_LOG_MAGIC		0xbadcafef00dUL
#define FAMFS_LOG_LEN_MIN	0x800000UL
#define FAMFS_LOG_LEN_MAX	0x40000000UL	/* ours: two million entries */
#define FAMFS_ALLOC_UNIT	0x200000UL
#define FAMFS_ALLOC_UNIT_SMALL	4096UL
#define FAMFS_MEDIA_PAGE	4096UL

#define FAMFS_PATH_MAX		80		/* with the NUL */
#define FAMFS_DEVNAME_MAX	64
#define FAMFS_MAX_EXTENTS	16
#define FAMFS_MAX_STRIPS	16
#define FAMFS_MAX_DEVICES	64		/* ours: as many as the kernel takes */

enum famfs_super_flags {
	FAMFS_SB_PRIMARY	= 1,
	FAMFS_SB_SECONDARY	= 2,
};

enum famfs_entry_type {
	FAMFS_ENTRY_FILE	= 0,
	FAMFS_ENTRY_MKDIR	= 1,
	FAMFS_ENTRY_DELETE	= 2,		/* reserved, never written */
	FAMFS_ENTRY_DEVICE	= 3,
};

enum famfs_file_flags {
	FAMFS_FILE_HOSTS_RO	= 1,		/* no host may write */
	FAMFS_FILE_HOSTS_RW	= 2,		/* every host may write */
};

enum famfs_media_ext_type {
	FAMFS_MAP_SIMPLE	= 0,
	FAMFS_MAP_INTERLEAVE	= 1,
};

struct famfs_media_daxdev {
	uint64_t size;
	uint8_t uuid[16];
	char name[FAMFS_DEVNAME_MAX];
};

struct famfs_super {
	uint64_t magic;
	uint64_t version;
	uint64_t log_offset;
	uint64_t log_len;
	uint64_t alloc_unit;
	uint32_t omf_major;
	uint32_t omf_minor;
	uint8_t fs_uuid[16];
	uint8_t dev_uuid[16];
	uint8_t system_uuid[16];		/* the host that may write the log */
	uint64_t crc;				/* of all bytes before it */
	uint32_t flags;
	uint32_t pad;
	struct famfs_media_daxdev daxdev;
};

struct famfs_log_header {
	uint64_t magic;
	uint64_t len;
	uint64_t last_index;			/* the last that fits */
	uint64_t crc;				/* of all bytes before it */
	uint64_t next_seqnum;
	uint64_t next_index;
};

struct famfs_extent {
	uint64_t devindex;
	uint64_t offset;
	uint64_t len;
};

struct famfs_interleave {
	uint64_t nstrips;
	uint64_t chunk_size;
	struct famfs_extent strips[FAMFS_MAX_STRIPS];
};

struct famfs_map {
	uint32_t ext_type;
	uint32_t pad;
	uint32_t count;				/* an interleaved map holds one */
	uint32_t pad2;
	union {
		struct famfs_extent se[FAMFS_MAX_EXTENTS];
		struct famfs_interleave ie;
	};
};

struct famfs_entry_file {
	uint64_t size;
	uint32_t flags;
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	char path[FAMFS_PATH_MAX];
	struct famfs_map map;
};

struct famfs_entry_mkdir {
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	char path[FAMFS_PATH_MAX];
};

struct famfs_entry_device {
	uint64_t size;
	uint8_t uuid[16];
	uint32_t index;
	uint32_t pad;
};

struct famfs_entry {
	uint64_t seqnum;
	uint32_t type;
	uint32_t pad;
	union {
		struct famfs_entry_file file;
		struct famfs_entry_mkdir mkdir;
		struct famfs_entry_device device;
		uint8_t payload[520];
	};
	uint64_t crc;				/* of all bytes before it */
};

#define FAMFS_AT(type, member, off) \
	static_assert(offsetof(struct type, member) == (off), #type "." #member)
#define FAMFS_SIZE(type, size) \
	static_assert(sizeof(struct type) == (size), "size of " #type)

FAMFS_SIZE(famfs_media_daxdev, 88);
FAMFS_SIZE(famfs_super, 200);
FAMFS_AT(famfs_super, alloc_unit, 32);
FAMFS_AT(famfs_super, omf_major, 40);
FAMFS_AT(famfs_super, fs_uuid, 48);
FAMFS_AT(famfs_super, dev_uuid, 64);
FAMFS_AT(famfs_super, system_uuid, 80);
FAMFS_AT(famfs_super, crc, 96);
FAMFS_AT(famfs_super, flags, 104);
FAMFS_AT(famfs_super, daxdev, 112);
FAMFS_SIZE(famfs_log_header, 48);
FAMFS_AT(famfs_log_header, crc, 24);
FAMFS_AT(famfs_log_header, next_index, 40);
FAMFS_SIZE(famfs_extent, 24);
FAMFS_SIZE(famfs_map, 416);
FAMFS_AT(famfs_map, count, 8);
FAMFS_AT(famfs_map, se, 16);
FAMFS_AT(famfs_map, ie.strips, 32);
FAMFS_SIZE(famfs_entry_file, 520);
FAMFS_AT(famfs_entry_file, flags, 8);
FAMFS_AT(famfs_entry_file, mode, 20);
FAMFS_AT(famfs_entry_file, path, 24);
FAMFS_AT(famfs_entry_file, map, 104);
FAMFS_AT(famfs_entry_mkdir, mode, 8);
FAMFS_AT(famfs_entry_mkdir, path, 12);
FAMFS_AT(famfs_entry_device, uuid, 8);
FAMFS_AT(famfs_entry_device, index, 24);
FAMFS_SIZE(famfs_entry, 544);
FAMFS_AT(famfs_entry, type, 8);
FAMFS_AT(famfs_entry, payload, 16);
FAMFS_AT(famfs_entry, crc, 536);

#endif /* FAMFS_MEDIA_H */
