// SPDX-License-Identifier: Apache-2.0
/*
 * From a path to a directory of a mounted famfs.
 */
#include "cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int mount_open(const char *path, struct famfs_ioc_info *info,
	       struct famfs_error *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return famfs_fail(e, -errno, "%s: %s", path, strerror(errno));
	if (!ioctl(fd, FAMFS_IOC_INFO, info) &&
	    info->ndevs && info->ndevs <= FAMFS_MAX_DEVICES)
		return fd;
	close(fd);
	return famfs_fail(e, -ENOTTY, "%s is not on a mounted famfs", path);
}

/* The path without slashes at its end; NULL if there is nothing else. */
static char *trimmed(const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	return len ? strndup(path, len) : NULL;
}

int place_open(struct place *p, const char *path, struct famfs_error *e)
{
	char *copy = trimmed(path), *slash, *name;
	const char *dir = ".";
	int err = 0;

	if (!copy)
		return famfs_fail(e, -EINVAL, "'%s' is not a file name", path);
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (slash) {
		*slash = '\0';
		dir = slash == copy ? "/" : copy;
	}
	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (strlen(name) >= sizeof(p->name))
		err = famfs_fail(e, -ENAMETOOLONG, "%s: a path on a famfs has at most %d bytes",
				 path, FAMFS_PATH_MAX - 1);
	else
		strcpy(p->name, name);
	if (!err)
		p->dir = mount_open(dir, &p->info, e);
	free(copy);
	return p->dir < 0 && !err ? p->dir : err;
}

void place_close(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

int say_read_only(const char *path, const struct famfs_ioc_info *info,
		  struct famfs_error *e)
{
	if (info->master)
		return famfs_fail(e, -EROFS, "%s: mounted read-only", path);
	return famfs_fail(e, -EROFS, "%s: this mount cannot make files: only the host that ran mkfs.famfs can, mounted without -o ro or -o client",
			  path);
}
