/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uuid of this host. The host whose uuid is in the superblock is the
 * master of the file system.
 */
#ifndef FAMFS_HOSTID_H
#define FAMFS_HOSTID_H

#include <stdint.h>
#include "error.h"

#define FAMFS_HOSTID_PATH	"/opt/famfs/system_uuid"

/**
 * famfs_hostid - read this host's uuid, and make one if there is none
 * @path: FAMFS_HOSTID_PATH
 * @uuid: filled in
 * @e: the reason of a failure
 *
 * Return: 0 or a negative errno.
 */
int famfs_hostid(const char *path, uint8_t uuid[16], struct famfs_error *e);

#endif /* FAMFS_HOSTID_H */
