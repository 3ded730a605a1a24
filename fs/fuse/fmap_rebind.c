// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: a device that comes back
 *
 * A device that is gone stays what its index means, so that accesses to what lay
 * there fail at once, and nobody waits for the server.  Until the server says
 * that the index means a device again: unasked, or when somebody opens a file and
 * it is asked.  It need not be the same device.  So what is known of places there
 * is forgotten first, and each access asks for the map again, which is checked
 * like any other.
 */
#include "fmap_i.h"

#include <linux/fs.h>
#include <linux/pagemap.h>

/* Forget the pieces that name @index.  Return: as fmap_drop() */
static int fmap_forget_pieces(struct inode *inode, u32 index)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	unsigned long page = 0, first, last;
	int err = 0;

	for (;;) {
		struct fmap_piece *piece = fmap_walk(map, page, &first, &last);

		if (piece && !xa_is_value(piece) &&
		    (piece->devs & BIT_ULL(index)))
			err = fmap_drop(inode, first, last);
		if (err == -ENOMEM || last == ULONG_MAX)
			return err;
		page = last + 1;
		cond_resched();
	}
}

static int fmap_forget_inode(struct inode *inode, u32 index)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	mutex_lock(&map->lock);
	map->generation++;
	err = fmap_forget_pieces(inode, index);
	/* What could not be, the last time */
	if (!list_empty(&map->doomed))
		err = fmap_settle(inode, 0, ULONG_MAX) ?: err;
	mutex_unlock(&map->lock);
	filemap_invalidate_unlock(inode->i_mapping);
	return err == -EBUSY ? 0 : err;
}

/**
 * fmap_forget_index - forget all pieces of maps that name an index
 * @sb: the superblock of the connection, which the caller keeps mounted
 * @index: device index, below FUSE_FMAP_MAX_DEVS; its device is gone
 *
 * What cannot be forgotten yet keeps the index in use: of a file that lies on
 * other devices as well somebody may have pages pinned there, and an inode may
 * be about to go.
 *
 * Context: May sleep, but waits neither for the server nor until a page is
 * unpinned.  Takes invalidate_lock exclusively and fmap.lock, of one inode at a
 * time.
 * Return: 0, or -ENOMEM.
 */
int fmap_forget_index(struct super_block *sb, u32 index)
{
	struct inode *inode, *prev = NULL;
	int err = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* Also one that is about to be mapped: see fmap.generation */
		if (!READ_ONCE(get_fuse_inode(inode)->fmap) || !igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);

		/* @inode keeps its place in the list, so @prev may go now */
		iput(prev);
		prev = inode;
		err = fmap_forget_inode(inode, index);
		cond_resched();

		spin_lock(&sb->s_inode_list_lock);
		if (err)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(prev);
	return err;
}

/* The devices with bytes of a file that are gone */
static u64 fmap_dead_devs(struct inode *inode)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	u64 devs, dead = 0;

	filemap_invalidate_lock_shared(inode->i_mapping);
	devs = READ_ONCE(get_fuse_inode(inode)->fmap->devs);
	for (; devs; devs &= devs - 1)
		if (READ_ONCE(fmap_conn_dev(fc, __ffs64(devs))->dead))
			dead |= devs & -devs;
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return dead;
}

/* That it is not back yet is no news, nor an error */
static int fmap_rebind_dev(struct inode *inode, u32 index)
{
	struct fmap_request *req = fmap_request_dev(inode, index);
	const void *reply;
	int err;

	if (IS_ERR(req))
		return PTR_ERR(req);
	err = fmap_request_wait(req, false);
	if (!err && fmap_request_result(req, &reply) >= 0)
		fmap_attach_named(inode, index, reply);
	fmap_request_put(req);
	return err;
}

/**
 * fmap_rebind - have the devices again that a file has lost, if they are back
 * @inode: a mapped file that is being opened
 *
 * The server is asked what the indices mean.  Without a dead device anywhere
 * this costs nothing.
 *
 * Context: May sleep and wait for the server: none of the locks may be held that
 * a notification takes (see fmap_i.h).
 * Return: 0, whatever came of it; -EINTR if the task is killed.
 */
int fmap_rebind(struct inode *inode)
{
	u64 devs;

	if (!fmap_dev_any_dead())
		return 0;
	for (devs = fmap_dead_devs(inode); devs; devs &= devs - 1)
		if (fmap_rebind_dev(inode, __ffs64(devs)) == -ERESTARTSYS)
			return -EINTR;
	return 0;
}
