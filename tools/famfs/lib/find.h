/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The further devices of a file system: the log knows their uuids, not their
 * names, since names change from boot to boot.
 */
#ifndef FAMFS_FIND_H
#define FAMFS_FIND_H

#include "volume.h"

/**
 * famfs_find_devices - give each device of the volume its name
 * @v: the file system
 * @given: paths to look at, NULL at the end; NULL: all DAX devices
 * @bind: bind what is found to the fs-dax driver if it is not
 * @e: the reason of a failure, with the uuid that is missing
 *
 * A device counts as found when its secondary superblock has the file
 * system's uuid and the uuid that the log says, and it is large enough.
 *
 * Return: 0 or a negative errno; -ENODEV if one is missing.
 */
int famfs_find_devices(struct famfs_volume *v, char *const *given, bool bind,
		       struct famfs_error *e);

#endif /* FAMFS_FIND_H */
