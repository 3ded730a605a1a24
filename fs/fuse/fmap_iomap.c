// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: what fs/dax asks for
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/iomap.h>

#include "fmap_trace.h"

/* FIEMAP goes on until it is told that nothing follows */
static int fmap_miss(struct inode *inode, loff_t pos, loff_t length,
		     unsigned int flags)
{
	int err = flags & IOMAP_REPORT ? -ENOENT : -EIO;

	if (err == -EIO)
		fmap_count(inode, FMAP_LOOKUP_MISSES);
	trace_fmap_miss(inode, pos, length, err);
	return err;
}

/*
 * Called with invalidate_lock held, and from a fault with a DAX entry locked:
 * it must not wait for the server.  It has no need to, since a file gets its
 * fops after its map.
 *
 * @flags says what is wanted, iomap->flags what was found; the latter is 0: no
 * block is ever new, so that no write takes a mapping away from anyone.
 */
static int fmap_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
			    unsigned int flags, struct iomap *iomap,
			    struct iomap *srcmap)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_dev *dev;
	struct fmap_loc loc;

	if (!fmap_resolve(map, pos, length, &loc))
		return fmap_miss(inode, pos, length, flags);
	dev = fmap_conn_dev(get_fuse_conn(inode), loc.dev);
	if (READ_ONCE(dev->dead))
		return fmap_miss(inode, pos, length, 0);

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
