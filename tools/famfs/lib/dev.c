// SPDX-License-Identifier: Apache-2.0
#include "dev.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

/* The bytes whose locks tell who uses the file system. */
enum { LOCK_MOUNT, LOCK_LOG };

static int dev_size(struct famfs_dev *dev, struct famfs_error *e)
{
	off_t end = lseek(dev->fd, 0, SEEK_END);

	if (end > 0) {
		dev->size = end;
		return 0;
	}
	if (dev->is_dax && !famfs_sysfs_size(dev->name, &dev->size))
		return 0;
	return famfs_fail(e, -EINVAL, "%s: cannot tell its size", dev->path);
}

static int dev_identify(struct famfs_dev *dev, struct famfs_error *e)
{
	const char *base = strrchr(dev->path, '/');
	struct stat st;

	if (fstat(dev->fd, &st))
		return famfs_fail(e, -errno, "%s: %s", dev->path,
				  strerror(errno));
	if (S_ISCHR(st.st_mode)) {
		dev->is_dax = true;
		return famfs_sysfs_name(st.st_rdev, dev->name, e);
	}
	if (!S_ISREG(st.st_mode))
		return famfs_fail(e, -EINVAL,
				  "%s: neither a DAX device nor an image file",
				  dev->path);
	base = base ? base + 1 : dev->path;
	strncpy(dev->name, base, sizeof(dev->name) - 1);
	return 0;
}

int famfs_dev_open(struct famfs_dev *dev, const char *path, int flags,
		   struct famfs_error *e)
{
	int err;

	memset(dev, 0, sizeof(*dev));
	dev->flags = flags | O_CLOEXEC;
	dev->lock = -1;
	dev->fd = open(path, dev->flags);
	if (dev->fd < 0)
		return famfs_fail(e, -errno, "cannot open %s: %s", path,
				  strerror(errno));
	dev->path = strdup(path);
	if (!dev->path)
		err = famfs_fail(e, -ENOMEM, "out of memory");
	else
		err = dev_identify(dev, e);
	if (!err)
		err = dev_size(dev, e);
	if (err)
		famfs_dev_close(dev);
	return err;
}

void famfs_dev_close(struct famfs_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->lock >= 0)
		close(dev->lock);
	free(dev->path);
	dev->path = NULL;
	dev->fd = -1;
	dev->lock = -1;
}

void famfs_dev_rest(struct famfs_dev *dev)
{
	if (!dev->is_dax || dev->fd < 0)
		return;
	close(dev->fd);
	dev->fd = -1;
}

static int wake(struct famfs_dev *dev, struct famfs_error *e)
{
	if (dev->fd >= 0)
		return 0;
	dev->fd = open(dev->path, dev->flags);
	if (dev->fd >= 0)
		return 0;
	return famfs_fail(e, -errno, "cannot open %s again: %s", dev->path,
			  strerror(errno));
}

static int io_failed(struct famfs_dev *dev, const char *what, ssize_t n,
		     uint64_t off, struct famfs_error *e)
{
	if (n == 0)
		return famfs_fail(e, -EIO, "%s: cannot %s at %#" PRIx64
				  ": the device ends there", dev->path, what,
				  off);
	if (errno == EINVAL && dev->is_dax)
		return famfs_fail(e, -EINVAL, "%s: this kernel has no %s on a DAX device's node; boot one with the famfs series",
				  dev->path, what);
	return famfs_fail(e, -errno, "%s: cannot %s at %#" PRIx64 ": %s",
			  dev->path, what, off, strerror(errno));
}

int famfs_dev_read(struct famfs_dev *dev, void *buf, size_t len, uint64_t off,
		   struct famfs_error *e)
{
	int err = wake(dev, e);

	if (err)
		return err;
	while (len) {
		ssize_t n = pread(dev->fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_failed(dev, "read", n, off, e);
		buf = (char *)buf + n;
		off += n;
		len -= n;
	}
	return 0;
}

int famfs_dev_write(struct famfs_dev *dev, const void *buf, size_t len,
		    uint64_t off, struct famfs_error *e)
{
	int err = wake(dev, e);

	if (err)
		return err;
	/* An image would grow instead of refusing. */
	if (off > dev->size || len > dev->size - off)
		return io_failed(dev, "write", 0, dev->size, e);
	while (len) {
		ssize_t n = pwrite(dev->fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_failed(dev, "write", n, off, e);
		buf = (const char *)buf + n;
		off += n;
		len -= n;
	}
	return 0;
}

int famfs_dev_sync(struct famfs_dev *dev, struct famfs_error *e)
{
	int err = wake(dev, e);

	if (err)
		return err;
	/* EINVAL: the node has no fsync, since nothing is cached behind it. */
	if (!fsync(dev->fd) || (dev->is_dax && errno == EINVAL))
		return 0;
	return famfs_fail(e, -errno, "%s: cannot sync: %s", dev->path,
			  strerror(errno));
}

static int lock_open(struct famfs_dev *dev)
{
	char path[sizeof(FAMFS_LOCK_DIR) + sizeof(dev->name) + 8];

	if (!dev->is_dax)
		return dev->fd;
	if (dev->lock >= 0)
		return dev->lock;
	if (mkdir(FAMFS_LOCK_DIR, 0755) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s.lock", FAMFS_LOCK_DIR, dev->name);
	dev->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return dev->lock < 0 ? -errno : dev->lock;
}

static int lock_byte(struct famfs_dev *dev, int byte, short type)
{
	struct flock fl = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};
	int fd = lock_open(dev);

	if (fd < 0)
		return fd;
	if (!fcntl(fd, F_OFD_SETLK, &fl))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

int famfs_dev_use(struct famfs_dev *dev, enum famfs_dev_use use)
{
	switch (use) {
	case FAMFS_USE_MOUNT:
		return lock_byte(dev, LOCK_MOUNT, F_RDLCK);
	case FAMFS_USE_WRITE_LOG:
		return lock_byte(dev, LOCK_LOG, F_WRLCK);
	case FAMFS_USE_FORMAT:
		return lock_byte(dev, LOCK_MOUNT, F_WRLCK);
	}
	return -EINVAL;
}
