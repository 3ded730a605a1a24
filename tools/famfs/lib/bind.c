// SPDX-License-Identifier: Apache-2.0
#include "bind.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev.h"
#include "sysfs.h"

#define DRIVERS		"/sys/bus/dax/drivers"
#define FSDAX		DRIVERS "/fsdev_dax"
#define DEVDAX		DRIVERS "/device_dax"
#define NODE_TRIES	200		/* of 10 ms, for udev to make the node */

static void load_driver(void)
{
	char *argv[] = { "modprobe", "-q", "fsdev_dax", NULL };
	char *envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	pid_t pid;

	if (!access(FSDAX, F_OK))
		return;
	if (!posix_spawnp(&pid, argv[0], NULL, NULL, argv, envp))
		waitpid(pid, NULL, 0);
}

static int wait_for_node(const char *name, struct famfs_error *e)
{
	char path[FAMFS_DEVPATH_MAX];
	int tries;

	snprintf(path, sizeof(path), "/dev/%s", name);
	for (tries = 0; tries < NODE_TRIES; tries++) {
		if (famfs_sysfs_mode(name) == FAMFS_MODE_FSDAX &&
		    !access(path, F_OK))
			return 0;
		usleep(10000);
	}
	return famfs_fail(e, -ENODEV,
			  "%s was bound to fsdev_dax, but %s did not appear",
			  name, path);
}

static int say_how(const char *name, struct famfs_error *e)
{
	return famfs_fail(e, -ENXIO,
			  "%s is not in fs-dax mode; type: daxctl reconfigure-device -m famfs %s",
			  name, name);
}

static int bind_fsdax(const char *name, enum famfs_mode mode,
		      struct famfs_error *e)
{
	int err;

	load_driver();
	if (access(FSDAX, F_OK))
		return famfs_fail(e, -ENODEV,
				  "this kernel has no driver fsdev_dax (CONFIG_DEV_DAX_FSDEV, linux 7.1 or newer)");
	if (mode == FAMFS_MODE_DEVDAX) {
		/* It fails if the device was not bound by its name; fine. */
		famfs_sysfs_write(DEVDAX "/remove_id", name);
		err = famfs_sysfs_write(DEVDAX "/unbind", name);
		if (err)
			return famfs_fail(e, err,
					  "cannot take %s from device_dax: %s",
					  name, strerror(-err));
	}
	err = famfs_sysfs_write(FSDAX "/new_id", name);
	if (err && famfs_sysfs_mode(name) != FAMFS_MODE_FSDAX)
		return famfs_fail(e, err, "cannot bind %s to fsdev_dax: %s",
				  name, strerror(-err));
	return wait_for_node(name, e);
}

int famfs_bind(const char *path, bool allowed, struct famfs_error *e)
{
	const char *base = strrchr(path, '/');
	char name[FAMFS_DEVNAME_MAX];
	enum famfs_mode mode;
	struct stat st;
	int err;

	base = base ? base + 1 : path;
	if (stat(path, &st)) {
		/* A device without a driver has no node. */
		if (strncmp(path, "/dev/", 5) || !famfs_is_dax_name(base) ||
		    famfs_sysfs_mode(base) != FAMFS_MODE_NONE)
			return 0;
		strcpy(name, base);
	} else {
		if (!S_ISCHR(st.st_mode))
			return 0;
		err = famfs_sysfs_name(st.st_rdev, name, e);
		if (err)
			return err;
	}

	mode = famfs_sysfs_mode(name);
	switch (mode) {
	case FAMFS_MODE_FSDAX:
		return 0;
	case FAMFS_MODE_RAM:
		return famfs_fail(e, -EBUSY,
				  "%s is in use as system memory; type: daxctl reconfigure-device -f -m devdax %s",
				  name, name);
	case FAMFS_MODE_OTHER:
		return say_how(name, e);
	default:
		break;
	}
	if (!allowed)
		return say_how(name, e);
	err = bind_fsdax(name, mode, e);
	return err ? err : 1;
}

static int peek_mapped(const char *name, int fd, void *buf, size_t len)
{
	uint64_t align = FAMFS_SUPER_REGION;
	void *p;

	famfs_sysfs_align(name, &align);
	if (align < len)
		return -EINVAL;
	p = mmap(NULL, align, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	memcpy(buf, p, len);
	munmap(p, align);
	return 0;
}

int famfs_peek(const char *name, void *buf, size_t len)
{
	enum famfs_mode mode = famfs_sysfs_mode(name);
	char path[FAMFS_DEVPATH_MAX];
	int fd, err;

	if (mode != FAMFS_MODE_FSDAX && mode != FAMFS_MODE_DEVDAX)
		return -ENXIO;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (mode == FAMFS_MODE_DEVDAX)
		err = peek_mapped(name, fd, buf, len);
	else
		err = pread(fd, buf, len, 0) == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return err;
}
