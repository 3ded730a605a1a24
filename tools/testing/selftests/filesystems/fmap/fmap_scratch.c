// SPDX-License-Identifier: GPL-2.0
/* A small file system of another kind: ext2 on a loop device, in memory */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fmap_scratch.h"

#define IMAGE_BYTES	(24 << 20)

/* The image lies in a tmpfs of its own, under the later mount point */
static int make_image(struct fmap_scratch *s)
{
	char command[160];
	int fd, ret;

	snprintf(s->image, sizeof(s->image), "%s/image", s->dir);
	fd = open(s->image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = ftruncate(fd, IMAGE_BYTES) ? -errno : 0;
	snprintf(command, sizeof(command),
		 "PATH=$PATH:/sbin:/usr/sbin mkfs.ext2 -q -b 4096 -F %s",
		 s->image);
	if (!ret && system(command))
		ret = -ENOPKG;
	if (ret) {
		close(fd);
		return ret;
	}

	return fd;
}

static int free_loop(char *node, size_t len)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int nr;

	if (control < 0)
		return -errno;
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(node, len, "/dev/loop%d", nr);
	close(control);

	return nr < 0 ? -ENODEV : 0;
}

/*
 * Attach the image to a loop device, which is detached when the last one
 * closes it. What is open for writing cannot be mounted on every kernel: so
 * that it stays attached, it is open for reading.
 */
static int attach(struct fmap_scratch *s, int image, const char *node)
{
	struct loop_config config = {
		.fd = image,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int fd = open(node, O_RDWR | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, LOOP_CONFIGURE, &config) ? -errno : 0;
	s->loop = open(node, O_RDONLY | O_CLOEXEC);
	close(fd);

	return ret;
}

int fmap_scratch_mount(struct fmap_scratch *s)
{
	char node[32];
	int image, ret;

	s->loop = -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/fmap-other.XXXXXX");
	if (!mkdtemp(s->dir))
		return -errno;
	if (mount("image", s->dir, "tmpfs", 0, NULL))
		return -errno;
	image = make_image(s);
	if (image < 0)
		return image;

	ret = free_loop(node, sizeof(node));
	if (!ret)
		ret = attach(s, image, node);
	if (!ret && mount(node, s->dir, "ext2", 0, NULL))
		ret = -errno;
	close(image);

	return ret;
}

/* Both mounts go with their folder */
void fmap_scratch_umount(struct fmap_scratch *s)
{
	if (!s->dir[0])
		return;
	while (!umount2(s->dir, MNT_DETACH))
		;
	if (s->loop >= 0)
		close(s->loop);
	rmdir(s->dir);
	s->dir[0] = '\0';
}

int fmap_scratch_open(const struct fmap_scratch *s, const char *name,
		      int flags)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	fd = open(path, flags | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}
