/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of a famfs: a DAX device's node in fs-dax mode, or a regular file
 * (an image), which lets media be made and checked on any machine.
 */
#ifndef FAMFS_DEV_H
#define FAMFS_DEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "famfs_media.h"

#define FAMFS_DEVPATH_MAX	(FAMFS_DEVNAME_MAX + 8)

struct famfs_dev {
	int fd;				/* -1 while it rests */
	int flags;			/* to open it with again */
	int lock;			/* a DAX device's locks, -1 if none */
	bool is_dax;
	uint64_t size;
	char *path;			/* as the user gave it */
	char name[FAMFS_DEVNAME_MAX];	/* "dax0.0"; an image's file name */
};

/*
 * Who uses a file system on this host, kept as locks: of an image on the file
 * itself, of a DAX device on one in FAMFS_LOCK_DIR.
 */
#define FAMFS_LOCK_DIR		"/run/famfs"

enum famfs_dev_use {
	FAMFS_USE_MOUNT,		/* shared with other mounts */
	FAMFS_USE_WRITE_LOG,		/* one mount of all */
	FAMFS_USE_FORMAT,		/* nobody else */
};

/**
 * famfs_dev_open - open a device node or an image
 * @dev: filled in
 * @path: its path
 * @flags: O_RDONLY or O_RDWR
 * @e: the reason of a failure
 *
 * A DAX device must be bound to the fs-dax driver, see famfs_bind().
 *
 * Return: 0 or a negative errno.
 */
int famfs_dev_open(struct famfs_dev *dev, const char *path, int flags,
		   struct famfs_error *e);
void famfs_dev_close(struct famfs_dev *dev);

/**
 * famfs_dev_rest - let go of the node until it is used again
 * @dev: the device; an image stays open
 *
 * A driver that was taken from a device cannot be bound again as long as the
 * node is open from before. The locks of famfs_dev_use() stay.
 */
void famfs_dev_rest(struct famfs_dev *dev);

/**
 * famfs_dev_read - read all of a range
 * @dev: the device
 * @buf: where to
 * @len: bytes; less than that is an error
 * @off: where from
 * @e: the reason of a failure
 *
 * Return: 0 or a negative errno.
 */
int famfs_dev_read(struct famfs_dev *dev, void *buf, size_t len, uint64_t off,
		   struct famfs_error *e);
int famfs_dev_write(struct famfs_dev *dev, const void *buf, size_t len,
		    uint64_t off, struct famfs_error *e);

/**
 * famfs_dev_sync - order what was written before what is written next
 * @dev: the device
 * @e: the reason of a failure
 *
 * A DAX node writes past the caches or is coherent, and may have no fsync.
 *
 * Return: 0 or a negative errno.
 */
int famfs_dev_sync(struct famfs_dev *dev, struct famfs_error *e);

/**
 * famfs_dev_use - claim a use of the primary device until it is closed
 * @dev: the primary; open for writing unless @use is FAMFS_USE_MOUNT
 * @use: what it is needed for
 *
 * Return: 0; -EBUSY when another process on this host is in the way; or another
 * negative errno if there can be no lock.
 */
int famfs_dev_use(struct famfs_dev *dev, enum famfs_dev_use use);

#endif /* FAMFS_DEV_H */
