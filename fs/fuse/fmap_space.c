// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: fallocate and FIEMAP
 *
 * All of a file has its memory, and no more than its map says.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

/* How much to zero in one go: a device that is to be removed waits for it */
#define FMAP_ZERO_STEP	SZ_2M

/* How often the server may take a part of the map back while FIEMAP reads it */
#define FMAP_FIEMAP_TRIES	16

static int fmap_zero_step(struct inode *inode, loff_t pos, loff_t len)
{
	int err;

	filemap_invalidate_lock_shared(inode->i_mapping);
	err = pos + len > i_size_read(inode) ? -ENOSPC :
	      dax_zero_range(inode, pos, len, NULL, &fmap_iomap_ops);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err;
}

/* As in a write(2), what was done before an error stays done */
static int fmap_zero(struct inode *inode, loff_t pos, loff_t end)
{
	int err = 0;

	while (pos < end && !err) {
		loff_t len = min_t(loff_t, end - pos, FMAP_ZERO_STEP);

		if (fatal_signal_pending(current))
			return -EINTR;
		err = fmap_zero_step(inode, pos, len);
		if (err == -ENODATA) {
			err = fmap_need_io(inode, pos, pos + len);
			continue;
		}
		pos += len;
		cond_resched();
	}
	return err;
}

static long fmap_fallocate_locked(struct file *file, bool zero, loff_t offset,
				  loff_t len)
{
	struct inode *inode = file_inode(file);
	int err = 0;

	if (READ_ONCE(get_fuse_inode(inode)->fmap->resize))
		err = fmap_need_io(inode, 0, 0);
	if (err)
		return err;
	if (offset + len > i_size_read(inode))
		return fmap_refuse(inode, "fallocate", -ENOSPC);
	if (!zero)
		return 0;
	err = file_modified(file);
	if (err)
		return err;
	fmap_touch(inode);
	return fmap_zero(inode, offset, offset + len);
}

/**
 * fmap_fallocate - fallocate(2) of a mapped file
 * @file: the file
 * @mode: FALLOC_FL_*; what keeps size and space as they are is done
 * @offset: first byte
 * @len: number of bytes, not 0; the VFS has checked that the sum is in range
 *
 * Context: May sleep; may wait for the server as fmap_write_iter().  Takes
 * i_rwsem, and invalidate_lock shared.
 * Return: 0; -ENOSPC behind the end of the file; -EOPNOTSUPP for what would give
 * space back or move it; or another negative errno.
 */
long fmap_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	bool zero;
	long ret;

	if (fuse_is_bad(inode))
		return -EIO;

	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case FALLOC_FL_ALLOCATE_RANGE:
	case FALLOC_FL_UNSHARE_RANGE:
		zero = false;
		break;
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_WRITE_ZEROES:
		zero = true;
		break;
	default:
		return fmap_refuse(inode, "fallocate", -EOPNOTSUPP);
	}

	ret = inode_lock_killable(inode);
	if (ret)
		return ret;
	ret = fmap_fallocate_locked(file, zero, offset, len);
	inode_unlock(inode);
	return ret;
}

/* A FIEMAP extent has no room for a device */
static bool fmap_on_one_device(struct inode *inode)
{
	const struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fuse_conn *fc = get_fuse_conn(inode);
	struct fmap_dev *dev = NULL;
	bool one = true;

	filemap_invalidate_lock_shared(inode->i_mapping);
	for (u64 devs = READ_ONCE(map->devs); devs; devs &= devs - 1) {
		struct fmap_dev *next = fmap_conn_dev(fc, __ffs64(devs));

		if (dev && dev != next)
			one = false;
		dev = next;
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return one;
}

/* All of the map that is asked for; the server may take parts back meanwhile */
static int fmap_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
		       u64 start, u64 len)
{
	u64 end = size_add(start, len);
	int tries = FMAP_FIEMAP_TRIES;
	int err;

	do {
		fi->fi_extents_mapped = 0;
		err = fmap_need_io(inode, start, end);
		if (err)
			return err;
		if (!fmap_on_one_device(inode))
			return fmap_refuse(inode, "FIEMAP", -EOPNOTSUPP);
		err = iomap_fiemap(inode, fi, start, len, &fmap_report_ops);
	} while (err == -ENODATA && --tries);
	return err == -ENODATA ? -EIO : err;
}

/**
 * fuse_fmap_fiemap - the FIEMAP ioctl
 * @inode: any regular file or directory
 * @fi: where to put the extents; the physical address is a byte of the device
 * @start: first byte
 * @len: number of bytes
 *
 * Return: 0, or -EOPNOTSUPP if the file has no map, as any FUSE file, or bytes on
 * several devices; or another negative errno.
 */
int fuse_fmap_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
		     u64 start, u64 len)
{
	if (fuse_is_bad(inode))
		return -EIO;
	if (!fuse_fmap_mapped(inode))
		return -EOPNOTSUPP;
	return fmap_fiemap(inode, fi, start, len);
}
