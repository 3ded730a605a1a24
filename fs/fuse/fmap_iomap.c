// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: what fs/dax asks for
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/iomap.h>
#include <linux/pagemap.h>

#include "fmap_trace.h"

/*
 * What is inside the file can be fetched: -ENODATA makes the caller do so.
 * FIEMAP goes on until it is told that nothing follows.
 */
static int fmap_miss(struct inode *inode, loff_t pos, loff_t length,
		     unsigned int flags)
{
	if (pos < i_size_read(inode))
		return -ENODATA;
	trace_fmap_miss(inode, pos, length, -ENOENT);
	return flags & IOMAP_REPORT ? -ENOENT : -EIO;
}

static int fmap_dead(struct inode *inode, loff_t pos, loff_t length)
{
	fmap_count(inode, FMAP_LOOKUP_MISSES);
	trace_fmap_miss(inode, pos, length, -EIO);
	return -EIO;
}

/**
 * fmap_iomap_begin - tell fs/dax where bytes of a file lie
 * @inode: a mapped file
 * @pos: position in bytes
 * @length: bytes wanted from there on
 * @flags: IOMAP_*, what it is for
 * @iomap: filled in, with @length bytes or fewer.  Its flags are 0: no block is
 *	   ever new, so that no write takes a mapping away from anyone
 * @srcmap: not used
 *
 * Context: Does not sleep.  The caller has invalidate_lock.
 * Return: 0; -ENODATA: the map is not there, but can be fetched; -EIO: there is
 * no such byte, or its device is gone; -ENOENT: the file ends (IOMAP_REPORT).
 */
int fmap_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
		     unsigned int flags, struct iomap *iomap,
		     struct iomap *srcmap)
{
	struct fmap_dev *dev;
	struct fmap_loc loc;

	if (!fmap_lookup(inode, pos, length, &loc))
		return fmap_miss(inode, pos, length, flags);
	dev = fmap_conn_dev(get_fuse_conn(inode), loc.dev);
	if (READ_ONCE(dev->dead))
		return fmap_dead(inode, pos, length);

	iomap->type = IOMAP_MAPPED;
	iomap->flags = 0;
	iomap->offset = pos;
	iomap->length = loc.len;
	iomap->addr = loc.off;
	iomap->bdev = NULL;
	iomap->dax_dev = dev->dax_dev;
	return 0;
}

const struct iomap_ops fmap_iomap_ops = {
	.iomap_begin	= fmap_iomap_begin,
};

/*
 * FIEMAP copies to the user between two extents, which may need a page fault: it
 * has the lock while it looks one up, and does not use the device.
 */
static int fmap_report_begin(struct inode *inode, loff_t pos, loff_t length,
			     unsigned int flags, struct iomap *iomap,
			     struct iomap *srcmap)
{
	int err;

	filemap_invalidate_lock_shared(inode->i_mapping);
	err = fmap_iomap_begin(inode, pos, length, flags, iomap, srcmap);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err;
}

const struct iomap_ops fmap_report_ops = {
	.iomap_begin	= fmap_report_begin,
};
