// SPDX-License-Identifier: Apache-2.0
#include "sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEVICES	"/sys/bus/dax/devices"

static const char *skip_digits(const char *s)
{
	if (!isdigit((unsigned char)*s))
		return NULL;
	while (isdigit((unsigned char)*s))
		s++;
	return s;
}

bool famfs_is_dax_name(const char *name)
{
	if (strnlen(name, FAMFS_DEVNAME_MAX) == FAMFS_DEVNAME_MAX)
		return false;
	if (strncmp(name, "dax", 3))
		return false;
	name = skip_digits(name + 3);
	if (!name || *name != '.')
		return false;
	name = skip_digits(name + 1);
	return name && !*name;
}

/* The last part of what a symbolic link points to. */
static int link_base(const char *path, char *base, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	slash = strrchr(target, '/');
	n = snprintf(base, size, "%s", slash ? slash + 1 : target);
	return (size_t)n < size ? 0 : -ENAMETOOLONG;
}

int famfs_sysfs_name(dev_t rdev, char name[FAMFS_DEVNAME_MAX],
		     struct famfs_error *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(rdev),
		 minor(rdev));
	if (!link_base(path, name, FAMFS_DEVNAME_MAX) &&
	    famfs_is_dax_name(name))
		return 0;
	return famfs_fail(e, -ENODEV, "character device %u:%u is not a DAX device",
			  major(rdev), minor(rdev));
}

static int read_number(const char *name, const char *file, uint64_t *value)
{
	char path[128], text[32], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	*value = strtoull(text, &end, 0);
	return end == text ? -EIO : 0;
}

int famfs_sysfs_size(const char *name, uint64_t *size)
{
	return read_number(name, "size", size);
}

int famfs_sysfs_align(const char *name, uint64_t *align)
{
	return read_number(name, "align", align);
}

enum famfs_mode famfs_sysfs_mode(const char *name)
{
	char path[128], driver[64];

	snprintf(path, sizeof(path), DEVICES "/%s/driver", name);
	if (link_base(path, driver, sizeof(driver)))
		return FAMFS_MODE_NONE;
	if (!strcmp(driver, "fsdev_dax"))
		return FAMFS_MODE_FSDAX;
	if (!strcmp(driver, "device_dax"))
		return FAMFS_MODE_DEVDAX;
	if (!strcmp(driver, "kmem"))
		return FAMFS_MODE_RAM;
	return FAMFS_MODE_OTHER;
}

int famfs_sysfs_each(int (*fn)(const char *name, void *arg), void *arg)
{
	struct dirent **list;
	int i, n, ret = 0;

	n = scandir(DEVICES, &list, NULL, versionsort);
	if (n < 0)
		return 0;
	for (i = 0; i < n; i++) {
		if (!ret && famfs_is_dax_name(list[i]->d_name))
			ret = fn(list[i]->d_name, arg);
		free(list[i]);
	}
	free(list);
	return ret;
}

int famfs_sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}
