/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The superblock: made by mkfs, believed by nobody until it is checked.
 */
#ifndef FAMFS_SUPER_H
#define FAMFS_SUPER_H

#include <stdbool.h>

#include "dev.h"
#include "error.h"
#include "famfs_media.h"

/* crc32 as the media has it: zlib's, zero-extended to 64 bits. */
uint64_t famfs_crc(const void *data, size_t len);

/**
 * famfs_super_make - a new primary superblock
 * @sb: filled in
 * @dev: the device that it will lie on
 * @log_len: bytes of the log; checked
 * @system_uuid: the host that becomes master
 * @e: the reason of a failure
 *
 * Return: 0 or a negative errno.
 */
int famfs_super_make(struct famfs_super *sb, const struct famfs_dev *dev,
		     uint64_t log_len, const uint8_t system_uuid[16],
		     struct famfs_error *e);

/**
 * famfs_super_make_secondary - the superblock of a further device
 * @sb: filled in, with a device uuid of its own
 * @primary: the primary's
 * @dev: the device that it will lie on
 */
void famfs_super_make_secondary(struct famfs_super *sb,
				const struct famfs_super *primary,
				const struct famfs_dev *dev);

/**
 * famfs_super_present - is there a famfs superblock, good or broken
 * @sb: what was read from the start of a device
 */
bool famfs_super_present(const struct famfs_super *sb);

/**
 * famfs_super_check - is every field of a superblock right
 * @sb: what was read
 * @dev_size: bytes of the device it was read from
 * @e: the reason of a failure
 *
 * Return: 0, -ENODATA if there is no famfs, -EINVAL if it is broken,
 * -EPROTONOSUPPORT if it has another version.
 */
int famfs_super_check(const struct famfs_super *sb, uint64_t dev_size,
		      struct famfs_error *e);

/* Read and check. Return: 0 or a negative errno. */
int famfs_super_read(struct famfs_dev *dev, struct famfs_super *sb,
		     struct famfs_error *e);
int famfs_super_write(struct famfs_dev *dev, const struct famfs_super *sb,
		      struct famfs_error *e);

#endif /* FAMFS_SUPER_H */
