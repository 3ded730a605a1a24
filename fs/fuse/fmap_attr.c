// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: attributes of a mapped file
 *
 * Size and blocks are those of the map.  Times of modification are the later
 * ones of those that the server tells and those of what was done here, of which
 * the server knows nothing.  All else is the server's.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/time64.h>

/**
 * fmap_touch - note that a file's data is being modified
 * @inode: a mapped file
 *
 * With writeback_cache this is done, and told to the server, as for any FUSE
 * file (file_update_time()).  Without, the times are kept until the inode is
 * evicted, and nobody is told.
 *
 * Context: Does not sleep.  Takes fuse_inode.lock.
 */
void fmap_touch(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	struct timespec64 mtime, now;

	if (!IS_NOCMTIME(inode))
		return;
	mtime = inode_get_mtime(inode);
	now = current_time(inode);
	if (timespec64_equal(&mtime, &now) &&
	    test_bit(FUSE_I_FMAP_TIMES, &fi->state))
		return;

	guard(spinlock)(&fi->lock);
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
	set_bit(FUSE_I_FMAP_TIMES, &fi->state);
}

static bool fmap_later(struct timespec64 ours, u64 sec, u32 nsec)
{
	struct timespec64 theirs = { .tv_sec = sec, .tv_nsec = nsec };

	return timespec64_compare(&ours, &theirs) > 0;
}

static void fmap_pin_times(struct inode *inode, struct fuse_attr *attr,
			   bool mtime_set)
{
	struct timespec64 mtime = inode_get_mtime(inode);
	struct timespec64 ctime = inode_get_ctime(inode);

	if (!mtime_set && fmap_later(mtime, attr->mtime, attr->mtimensec)) {
		attr->mtime = mtime.tv_sec;
		attr->mtimensec = mtime.tv_nsec;
	}
	if (fmap_later(ctime, attr->ctime, attr->ctimensec)) {
		attr->ctime = ctime.tv_sec;
		attr->ctimensec = ctime.tv_nsec;
	}
}

/**
 * fuse_fmap_pin_attr - put what the kernel knows better into attributes
 * @inode: any inode
 * @attr: attributes from the server
 * @set: the change that they are the answer to, or NULL.  An mtime that
 *	 somebody has set is the file's, whatever was before.
 *
 * Context: Under fuse_inode.lock, so that the answer is still right when the
 * caller has written it to the inode.
 */
void fuse_fmap_pin_attr(struct inode *inode, struct fuse_attr *attr,
			const struct iattr *set)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	lockdep_assert_held(&fi->lock);
	if (!fuse_fmap_mapped(inode))
		return;
	attr->size = i_size_read(inode);
	attr->blocks = fi->fmap->end >> SECTOR_SHIFT;
	if (test_bit(FUSE_I_FMAP_TIMES, &fi->state))
		fmap_pin_times(inode, attr, set && (set->ia_valid & ATTR_MTIME));
}

/**
 * fuse_fmap_setattr - look at an attribute change before it is sent
 * @inode: any inode
 * @attr: the change
 *
 * The size of a mapped file is in its map.  To set the size that it has already
 * is no change and is left out.
 *
 * Return: 0, or -EPERM.
 */
int fuse_fmap_setattr(struct inode *inode, struct iattr *attr)
{
	if (!fuse_fmap_mapped(inode) || !(attr->ia_valid & ATTR_SIZE))
		return 0;
	if (attr->ia_size != i_size_read(inode))
		return fmap_refuse(inode, "truncation", -EPERM);
	attr->ia_valid &= ~(ATTR_SIZE | ATTR_OPEN);
	return 0;
}
