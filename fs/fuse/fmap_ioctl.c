// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: devices that the server hands over, and takes back
 *
 * The ioctls of /dev/fuse, which come without a request, and maybe before a map
 * names the device.
 */
#include "dev.h"
#include "fmap_i.h"
#include "fuse_dev_i.h"

#include <linux/dax.h>
#include <linux/file.h>

/* The superblock of a connection; fc->killsb is held.  NULL after the unmount */
static struct super_block *fmap_conn_sb(struct fuse_conn *fc)
{
	struct fuse_mount *fm;

	fm = list_first_entry_or_null(&fc->mounts, struct fuse_mount, fc_entry);
	return fm ? fm->sb : NULL;
}

/*
 * The descriptor is what gives the right to the memory: it must have been
 * opened for all that a map allows.
 */
static int fmap_attach_fd(struct fuse_conn *fc, u32 index, int fd)
{
	const fmode_t mode = FMODE_READ | FMODE_WRITE;
	struct dax_device *dax_dev;
	struct super_block *sb;
	int err;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return -EBADF;
	dax_dev = fs_dax_find_by_file(fd_file(f));
	if (!dax_dev)
		return -EINVAL;

	err = -EACCES;
	if ((fd_file(f)->f_mode & mode) == mode) {
		guard(rwsem_read)(&fc->killsb);
		sb = fmap_conn_sb(fc);
		err = sb ? fmap_conn_attach(sb, index, dax_dev) : -ENODEV;
	}
	put_dax(dax_dev);
	return err;
}

/* Servers take 0 for a failure: return 1 */
static long fmap_ioctl_daxdev_open(struct fuse_conn *fc,
				   struct fuse_backing_map __user *argp)
{
	struct fuse_backing_map map;
	int err;

	if (!fuse_fmap_enabled(fc))
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (copy_from_user(&map, argp, sizeof(map)))
		return -EFAULT;
	/* Servers put the index into what is padding for a backing file */
	if (map.flags || map.padding >= FUSE_FMAP_MAX_DEVS)
		return -EINVAL;

	err = fmap_attach_fd(fc, map.padding, map.fd);
	if (err)
		pr_debug("daxdev_open: index %llu: %d\n", map.padding, err);
	return err ?: 1;
}

static long fmap_ioctl_daxdev_close(struct fuse_conn *fc, u32 __user *argp)
{
	struct fmap_dev *dev;
	u32 index;

	if (!fuse_fmap_enabled(fc))
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (get_user(index, argp))
		return -EFAULT;
	if (index >= FUSE_FMAP_MAX_DEVS)
		return -EINVAL;

	dev = fmap_conn_detach(fc, index);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	/* May wait for a removal: others are not to wait for the table */
	fmap_dev_put(dev);
	return 0;
}

/**
 * fuse_fmap_dev_ioctl - ioctls on /dev/fuse that concern maps
 * @file: the server's open /dev/fuse
 * @cmd: the ioctl
 * @argp: its argument
 *
 * Context: May sleep.
 * Return: as the ioctl says, or -ENOTTY if @cmd is none of ours.
 */
long fuse_fmap_dev_ioctl(struct file *file, unsigned int cmd,
			 void __user *argp)
{
	struct fuse_dev *fud;

	if (cmd != FUSE_DEV_IOC_DAXDEV_OPEN && cmd != FUSE_DEV_IOC_DAXDEV_CLOSE)
		return -ENOTTY;
	fud = fuse_get_dev(file);
	if (IS_ERR(fud))
		return PTR_ERR(fud);
	if (cmd == FUSE_DEV_IOC_DAXDEV_CLOSE)
		return fmap_ioctl_daxdev_close(fud->chan->conn, argp);
	return fmap_ioctl_daxdev_open(fud->chan->conn, argp);
}
