// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: inodes that nobody uses but for their pages
 *
 * An inode with DAX entries cannot be evicted as long as a page of it is pinned,
 * for direct I/O, say: fs/dax keeps the inode in the page.  Nor can its last user
 * wait for that.  It may be the server, which puts an inode when it answers
 * RELEASE or sends a notification; and the I/O may be for the same server, which
 * is to answer it next.  So an inode that had been mapped is put by a worker, when
 * its pages are free.
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/pagemap.h>
#include <linux/workqueue.h>

/* How long to wait before pinned pages are looked at again */
#define FMAP_LINGER_DELAY	(HZ / 50 ?: 1)

static bool fmap_may_linger(struct inode *inode)
{
	return fuse_fmap_mapped(inode) && !mapping_empty(inode->i_mapping) &&
	       !(inode_state_read(inode) & I_DONTCACHE) &&
	       (inode->i_sb->s_flags & SB_ACTIVE);
}

/**
 * fuse_fmap_drop_inode - the last reference to an inode is gone
 * @inode: any inode, any connection
 *
 * Context: From ->drop_inode(), under i_lock.  Takes fuse_fmap_conn.linger_lock.
 * Return: 1: evict it; 0: the worker has taken a reference.
 */
int fuse_fmap_drop_inode(struct inode *inode)
{
	struct fuse_fmap_conn *fmc = get_fuse_conn(inode)->fmap;
	struct fmap *map = get_fuse_inode(inode)->fmap;

	if (!fmap_may_linger(inode))
		return inode_just_drop(inode);

	guard(spinlock)(&fmc->linger_lock);
	if (!fmc->linger)
		return inode_just_drop(inode);
	__iget(inode);
	map->inode = inode;
	list_add_tail(&map->lingering, &fmc->lingering);
	mod_delayed_work(system_dfl_wq, &fmc->linger_work, 0);
	return 0;
}

static bool fmap_linger_done(struct inode *inode)
{
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	err = dax_break_layout(inode, 0, LLONG_MAX, NULL);
	filemap_invalidate_unlock(inode->i_mapping);
	return !err;
}

static struct fmap *fmap_linger_next(struct fuse_fmap_conn *fmc,
				     struct list_head *list)
{
	struct fmap *map;

	guard(spinlock)(&fmc->linger_lock);
	map = list_first_entry_or_null(list, struct fmap, lingering);
	if (map)
		list_del(&map->lingering);
	return map;
}

static void fmap_linger_on(struct fuse_fmap_conn *fmc, struct fmap *map)
{
	guard(spinlock)(&fmc->linger_lock);
	list_add_tail(&map->lingering, &fmc->lingering);
	queue_delayed_work(system_dfl_wq, &fmc->linger_work,
			   FMAP_LINGER_DELAY);
}

/* If somebody has come to use an inode again, he only has to fault again */
static void fmap_linger_work(struct work_struct *work)
{
	struct fuse_fmap_conn *fmc = container_of(work, struct fuse_fmap_conn,
						  linger_work.work);
	LIST_HEAD(list);
	struct fmap *map;

	spin_lock(&fmc->linger_lock);
	list_splice_init(&fmc->lingering, &list);
	spin_unlock(&fmc->linger_lock);

	while ((map = fmap_linger_next(fmc, &list))) {
		if (fmap_linger_done(map->inode))
			iput(map->inode);
		else
			fmap_linger_on(fmc, map);
		cond_resched();
	}
}

/**
 * fmap_linger_start - let inodes linger
 * @fmc: a connection's part, new
 */
void fmap_linger_start(struct fuse_fmap_conn *fmc)
{
	spin_lock_init(&fmc->linger_lock);
	INIT_LIST_HEAD(&fmc->lingering);
	INIT_DELAYED_WORK(&fmc->linger_work, fmap_linger_work);
	fmc->linger = true;
}

static bool fmap_lingers(struct fuse_fmap_conn *fmc)
{
	guard(spinlock)(&fmc->linger_lock);
	return !list_empty(&fmc->lingering);
}

/**
 * fmap_linger_stop - let no inode linger any more
 * @fmc: a connection's part; the connection has been aborted
 *
 * Context: May sleep until no page of those that do is pinned.
 */
void fmap_linger_stop(struct fuse_fmap_conn *fmc)
{
	spin_lock(&fmc->linger_lock);
	fmc->linger = false;
	spin_unlock(&fmc->linger_lock);

	/* Only the worker adds to the list now, and does so before it ends */
	flush_delayed_work(&fmc->linger_work);
	while (fmap_lingers(fmc)) {
		schedule_timeout_uninterruptible(FMAP_LINGER_DELAY);
		flush_delayed_work(&fmc->linger_work);
	}
}
