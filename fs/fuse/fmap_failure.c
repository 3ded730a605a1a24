// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: what a device tells its holder
 *
 * Removal of the device (its driver is unbound) takes the memory away from
 * every file that has bytes on it, before the driver goes on.  Bad memory is
 * left to the generic code of memory failure for now.
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

/* How long to wait before a busy superblock, or a pinned page, is tried again */
#define FMAP_REMOVE_RETRY	(HZ / 20 ?: 1)

/*
 * Pin the inode of a claim.  The claim keeps the inode, and so its superblock,
 * from being freed as long as fmap_dev.lock is held.  An inode may only be
 * pinned while s_umount keeps its file system from being unmounted; s_umount
 * and the inode may both be busy being torn down, which ends with the claim
 * given back and needs fmap_dev.lock: so only try.
 */
static struct inode *fmap_claim_pin(struct fmap_claim *claim)
{
	struct super_block *sb = claim->inode->i_sb;
	struct inode *inode;

	if (!down_read_trylock(&sb->s_umount))
		return NULL;
	inode = igrab(claim->inode);
	if (!inode)
		up_read(&sb->s_umount);
	return inode;
}

static void fmap_claim_unpin(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	iput(inode);
	up_read(&sb->s_umount);
}

static bool fmap_unmap_all(struct inode *inode)
{
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	err = dax_break_layout(inode, 0, LLONG_MAX, NULL);
	filemap_invalidate_unlock(inode->i_mapping);
	return !err;
}

/*
 * Unmap the file and wait until nobody has a page of it pinned.  Whoever comes
 * after this sees fmap_dev.dead under invalidate_lock.  The lock is not held
 * while we wait: a notification takes it, and the page may be pinned for a write
 * that this very server has to answer.
 */
static void fmap_drain_inode(struct inode *inode)
{
	while (!fmap_unmap_all(inode))
		schedule_timeout_uninterruptible(FMAP_REMOVE_RETRY);
}

/*
 * Drain the owner of the first claim at or behind @pos.
 * Return: where to go on, or U64_MAX when all are done.
 */
static u64 fmap_drain_next(struct fmap_dev *dev, u64 pos)
{
	struct inode *inode = NULL;
	struct fmap_claim *claim;
	u64 start = U64_MAX;

	mutex_lock(&dev->lock);
	claim = fmap_claim_next(&dev->claims, pos);
	if (claim) {
		start = claim->ranges[0].start;
		inode = fmap_claim_pin(claim);
	}
	mutex_unlock(&dev->lock);

	if (!claim)
		return U64_MAX;
	if (!inode) {
		schedule_timeout_uninterruptible(FMAP_REMOVE_RETRY);
		return start;
	}
	fmap_drain_inode(inode);
	fmap_claim_unpin(inode);
	return start + 1;
}

static void fmap_remove(struct dax_device *dax_dev)
{
	struct fmap_dev *dev = fmap_dev_notify_begin(dax_dev);
	u64 pos = 0;

	if (!dev)
		return;
	while (pos != U64_MAX)
		pos = fmap_drain_next(dev, pos);
	fmap_dev_notify_end(dev);
}

/*
 * -EOPNOTSUPP makes memory_failure() kill the processes that have the page
 * mapped; its way by the page's mapping and index is right for our files,
 * whose pages are never shared.
 */
static int fmap_notify_failure(struct dax_device *dax_dev, u64 offset, u64 len,
			       int mf_flags)
{
	if (!(mf_flags & MF_MEM_PRE_REMOVE))
		return -EOPNOTSUPP;
	fmap_remove(dax_dev);
	return 0;
}

const struct dax_holder_operations fmap_holder_ops = {
	.notify_failure	= fmap_notify_failure,
};
