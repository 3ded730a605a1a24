/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a DAX device to the driver that file systems can use, and looking
 * into a device that is not there yet.
 */
#ifndef FAMFS_BIND_H
#define FAMFS_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/**
 * famfs_bind - bind a DAX device to the fs-dax driver
 * @path: a path; anything but a DAX device's node is left alone
 * @allowed: false: do not bind, fail with the command to type
 * @e: the reason of a failure, with what to do
 *
 * Return: 1 if it was bound now, 0 if there was nothing to do, or a
 * negative errno.
 */
int famfs_bind(const char *path, bool allowed, struct famfs_error *e);

/**
 * famfs_peek - read the start of a DAX device whichever driver it has
 * @name: the device, as "dax0.0"
 * @buf: filled in
 * @len: bytes
 *
 * Device DAX has no read but a mapping, fs-dax no mapping but a read. A
 * device is only looked at here, so it is not moved to another driver.
 *
 * Return: 0 or a negative errno.
 */
int famfs_peek(const char *name, void *buf, size_t len);

#endif /* FAMFS_BIND_H */
