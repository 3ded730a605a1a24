// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: what makes data safe
 *
 * There is no page cache, and the server has seen none of the data.  What may
 * be left is in the caches of the CPUs: stores through mappings.  Whether it is
 * worth writing those back is an attribute of each device (DAXDEV_WRITE_CACHE).
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

/*
 * A device of @inode for fs/dax, which needs it to tell whether to flush: one
 * that wants to be, if there is one.  NULL if no byte of the map is anywhere.
 */
static struct dax_device *fmap_flush_dev(struct inode *inode)
{
	const struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fuse_conn *fc = get_fuse_conn(inode);
	struct dax_device *dax_dev = NULL;

	for (u64 devs = READ_ONCE(map->devs); devs; devs &= devs - 1) {
		dax_dev = fmap_conn_dev(fc, __ffs64(devs))->dax_dev;
		if (dax_write_cache_enabled(dax_dev))
			break;
	}
	return dax_dev;
}

static int fmap_write_range(struct address_space *mapping,
			    struct dax_device *dax_dev, loff_t start,
			    loff_t end)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_ALL,
		.range_start = start,
		.range_end = end,
	};

	return dax_writeback_mapping_range(mapping, dax_dev, &wbc);
}

/**
 * fmap_write_back - write back what the CPUs' caches hold of a range
 * @inode: a mapped file
 * @start: first byte
 * @end: last byte
 *
 * Nothing happens if no device of the file wants that.
 *
 * Context: May sleep.  invalidate_lock is held, so that the devices stay.
 * Return: 0 or a negative errno.
 */
int fmap_write_back(struct inode *inode, loff_t start, loff_t end)
{
	struct dax_device *dax_dev = fmap_flush_dev(inode);

	if (!dax_dev || !dax_write_cache_enabled(dax_dev))
		return 0;
	return fmap_write_range(inode->i_mapping, dax_dev, start, end);
}

static int fmap_flush(struct inode *inode, loff_t start, loff_t end)
{
	int err;

	filemap_invalidate_lock_shared(inode->i_mapping);
	err = fmap_write_back(inode, start, end);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err;
}

/**
 * fmap_persistent - does a file's memory keep what is stored in it?
 * @inode: a mapped file
 *
 * Context: May sleep.  invalidate_lock is held, be it shared.
 * Return: whether all devices are persistent memory that are known to have bytes
 * of the file.
 */
bool fmap_persistent(struct inode *inode)
{
	const struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fuse_conn *fc = get_fuse_conn(inode);

	for (u64 devs = READ_ONCE(map->devs); devs; devs &= devs - 1)
		if (!fmap_conn_dev(fc, __ffs64(devs))->persistent)
			return false;
	return true;
}

/**
 * fmap_fsync - fsync(2), msync(2) and the like
 * @file: the file
 * @start: first byte
 * @end: last byte
 * @datasync: no difference: there is no metadata to write
 *
 * Context: May sleep; does not wait for the server.
 * Return: 0, or -EIO if the inode is bad.
 */
int fmap_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	int err;

	if (fuse_is_bad(inode))
		return -EIO;
	err = fmap_flush(inode, start, end);
	/* write(2) goes round the caches, but not in order: wait for it */
	pmem_wmb();
	return err;
}

/**
 * fuse_fmap_sync_fs - sync(2) and syncfs(2)
 * @sb: superblock of any connection
 *
 * The VFS waits for no data of FUSE, since a server may never write it
 * (SB_I_NO_DATA_INTEGRITY).  Data of mapped files does not depend on the server.
 *
 * Context: May sleep; does not wait for the server.
 */
void fuse_fmap_sync_fs(struct super_block *sb)
{
	struct inode *inode, *prev = NULL;

	if (!fuse_fmap_enabled(get_fuse_conn_super(sb)))
		return;
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (!fuse_fmap_mapped(inode) || mapping_empty(inode->i_mapping))
			continue;
		if (!igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);

		/* @inode keeps its place in the list, so @prev may go now */
		iput(prev);
		prev = inode;
		fmap_flush(inode, 0, LLONG_MAX);
		cond_resched();

		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(prev);
	pmem_wmb();
}

/*
 * Nothing waits to be written.  But fs/dax tags what was mapped for writing,
 * and an inode with tagged entries counts as dirty and would never be forgotten,
 * nor its bytes be free for another.  To take the tags away write-protects the
 * file in all mappings, for another fault at the next store: so only if there
 * are none.
 */
static int fmap_writepages(struct address_space *mapping,
			   struct writeback_control *wbc)
{
	struct dax_device *dax_dev;
	int err = 0;

	if (mapping_mapped(mapping) || mapping_empty(mapping))
		return 0;
	filemap_invalidate_lock_shared(mapping);
	/* What has entries lies on some device, unless it has just been dropped */
	dax_dev = fmap_flush_dev(mapping->host);
	if (dax_dev)
		err = fmap_write_range(mapping, dax_dev, 0, LLONG_MAX);
	filemap_invalidate_unlock_shared(mapping);
	return err;
}

const struct address_space_operations fmap_aops = {
	.writepages	= fmap_writepages,
	.dirty_folio	= noop_dirty_folio,
};
