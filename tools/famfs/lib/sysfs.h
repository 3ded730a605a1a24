/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DAX devices as sysfs shows them: names, sizes and drivers.
 */
#ifndef FAMFS_SYSFS_H
#define FAMFS_SYSFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "famfs_media.h"

/* How a DAX device is used at the moment. */
enum famfs_mode {
	FAMFS_MODE_NONE,		/* no driver */
	FAMFS_MODE_FSDAX,		/* what famfs needs */
	FAMFS_MODE_DEVDAX,
	FAMFS_MODE_RAM,			/* system memory */
	FAMFS_MODE_OTHER,
};

/**
 * famfs_sysfs_name - the DAX device behind a character device's number
 * @rdev: the number
 * @name: filled in, as "dax0.0"
 * @e: the reason of a failure
 *
 * Return: 0, or -ENODEV if it is no DAX device.
 */
int famfs_sysfs_name(dev_t rdev, char name[FAMFS_DEVNAME_MAX],
		     struct famfs_error *e);

/* True for what the kernel may call a DAX device: "daxX.Y". */
bool famfs_is_dax_name(const char *name);

int famfs_sysfs_size(const char *name, uint64_t *size);
int famfs_sysfs_align(const char *name, uint64_t *align);
enum famfs_mode famfs_sysfs_mode(const char *name);

/**
 * famfs_sysfs_each - call a function for each DAX device of this host
 * @fn: called with the device's name; what it returns ends the walk unless 0
 * @arg: handed to @fn
 *
 * Return: what @fn returned last, 0 if there was no device.
 */
int famfs_sysfs_each(int (*fn)(const char *name, void *arg), void *arg);

/* Write a line to a file in sysfs. Return: 0 or a negative errno. */
int famfs_sysfs_write(const char *path, const char *text);

#endif /* FAMFS_SYSFS_H */
