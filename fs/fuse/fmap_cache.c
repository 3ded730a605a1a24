// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the map of an inode, from open to evict
 *
 * On a connection with maps a regular inode is, at any time, one of
 *
 *  undecided	no map, nothing in the page cache, and nobody may put anything
 *		there
 *  mapped	FUSE_I_FMAPPED is set: the map gives the size, i_mapping has DAX
 *		entries only; pieces of the map come and go
 *  ordinary	FUSE_I_NO_FMAP is set: as if there were no maps
 *
 * An open decides, as does a server that stores a map or puts data into the page
 * cache.  Mapped is for as long as the inode is in core, and so is ordinary if the server has
 * filled the page cache.  Else an ordinary inode becomes undecided again when an
 * open finds that nobody uses its page cache (fuse_inode.fmap_users) and
 * nothing is in it: the server may have given the file a map since.  A file that
 * is mapped for one process and ordinary for another would have two truths.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/pagemap.h>
#include <linux/wait_bit.h>

#include "fmap_trace.h"

/* A directory has a page cache, too: of what readdir has told */
static bool fmap_possible(struct inode *inode)
{
	return fuse_fmap_enabled(get_fuse_conn(inode)) &&
	       S_ISREG(inode->i_mode);
}

/* Ordinary it may become at any time; not so the other way round */
static bool fmap_undecided(struct inode *inode)
{
	return !fuse_fmap_mapped(inode) &&
	       !test_bit(FUSE_I_NO_FMAP, &get_fuse_inode(inode)->state);
}

/* Make @inode ordinary unless it is mapped */
static int fmap_set_ordinary(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	guard(spinlock)(&fi->lock);
	if (fuse_fmap_mapped(inode))
		return -EBUSY;
	set_bit(FUSE_I_NO_FMAP, &fi->state);
	return 0;
}

/**
 * fuse_fmap_get_page_cache - start to use the page cache of an inode
 * @inode: any inode, any connection
 *
 * Without this, an attribute change could truncate DAX entries that an open
 * which races with it makes possible.
 *
 * Context: Does not sleep.  Takes fuse_inode.lock.
 * Return: true if the inode may have pages in the page cache; it then stays
 * ordinary until fuse_fmap_put_page_cache().  False if it has none for sure.
 */
bool fuse_fmap_get_page_cache(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	if (!fmap_possible(inode))
		return true;
	guard(spinlock)(&fi->lock);
	if (!test_bit(FUSE_I_NO_FMAP, &fi->state))
		return false;
	fi->fmap_users++;
	return true;
}

/**
 * fuse_fmap_put_page_cache - end what fuse_fmap_get_page_cache() has begun
 * @inode: the inode for which it has returned true
 */
void fuse_fmap_put_page_cache(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	if (!fmap_possible(inode))
		return;
	guard(spinlock)(&fi->lock);
	fi->fmap_users--;
}

/**
 * fuse_fmap_store - the server is about to fill the page cache of an inode
 * @inode: a regular file that need not be open
 *
 * The inode is ordinary from then on, until it is evicted.
 *
 * Return: 0, or -EBUSY if the inode is mapped, so that it has no page cache.
 */
int fuse_fmap_store(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	if (!fuse_fmap_enabled(get_fuse_conn(inode)))
		return 0;
	guard(spinlock)(&fi->lock);
	if (fuse_fmap_mapped(inode))
		return fmap_refuse(inode, "store", -EBUSY);
	set_bit(FUSE_I_NO_FMAP, &fi->state);
	set_bit(FUSE_I_FMAP_STORED, &fi->state);
	return 0;
}

/* Ask the server and decide.  Called by one task at a time for an inode */
static int fmap_load(struct inode *inode)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	int err;

	if (!fmap_get(inode))
		return -ENOMEM;
	err = fmap_need(inode, 0, 0, false);
	if (err == -ENOSYS)
		WRITE_ONCE(fc->fmap->no_get_fmap, true);
	if (err == -ENOSYS || err == -ENODATA)
		err = fmap_set_ordinary(inode);
	else if (err)
		fmap_count(inode, FMAP_FETCH_ERRORS);
	if (err == -ERESTARTSYS)
		err = -EINTR;
	/* The server stored a map meanwhile, or filled the page cache: so be it */
	return fmap_undecided(inode) ? err : 0;
}

/*
 * Does this open want a map to be asked for?  A server that passes the file
 * through has said already where its bytes are.
 */
static bool fmap_wanted(struct inode *inode, struct fuse_file *ff)
{
	return !READ_ONCE(get_fuse_conn(inode)->fmap->no_get_fmap) &&
	       !(ff->open_flags & FOPEN_PASSTHROUGH);
}

/*
 * Make an ordinary inode undecided again if nobody uses its page cache and
 * nothing is there.  Pages that this open would drop anyway go first; a page
 * that is dirty or being written stays, and with it the decision.  What reclaim
 * has left in the tree to remember pages by would look like DAX entries.
 */
static void fmap_reconsider(struct inode *inode, struct fuse_file *ff)
{
	struct address_space *mapping = inode->i_mapping;
	struct fuse_inode *fi = get_fuse_inode(inode);

	if (!test_bit(FUSE_I_NO_FMAP, &fi->state) ||
	    test_bit(FUSE_I_FMAP_STORED, &fi->state) ||
	    READ_ONCE(fi->fmap_users) ||
	    mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) ||
	    mapping_tagged(mapping, PAGECACHE_TAG_WRITEBACK))
		return;
	if (!(ff->open_flags & FOPEN_KEEP_CACHE))
		invalidate_inode_pages2(mapping);
	if (!mapping->nrpages)
		truncate_inode_pages(mapping, 0);

	guard(spinlock)(&fi->lock);
	if (!fi->fmap_users && mapping_empty(mapping) &&
	    !test_bit(FUSE_I_FMAP_STORED, &fi->state))
		clear_bit(FUSE_I_NO_FMAP, &fi->state);
}

/* Count an open file of an ordinary inode until fuse_fmap_release() */
static bool fmap_open_ordinary(struct inode *inode, struct fuse_file *ff)
{
	ff->fmap_user = fuse_fmap_get_page_cache(inode);
	return ff->fmap_user;
}

/*
 * Decide what @inode is, and count the open file if it is ordinary.  The wait
 * for another's decision can be ended by a signal that kills.
 */
static int fmap_decide(struct inode *inode, struct fuse_file *ff)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	int err;

	err = wait_on_bit_lock(&fi->state, FUSE_I_FMAP_FETCH, TASK_KILLABLE);
	if (err)
		return -EINTR;
	if (fmap_wanted(inode, ff)) {
		fmap_reconsider(inode, ff);
		if (fmap_undecided(inode))
			err = fmap_load(inode);
	} else {
		fmap_set_ordinary(inode);
	}
	if (!err && !fuse_fmap_mapped(inode))
		fmap_open_ordinary(inode, ff);
	clear_and_wake_up_bit(FUSE_I_FMAP_FETCH, &fi->state);
	return err;
}

/* Do others have the page cache of an ordinary inode in use?  Join them */
static bool fmap_join_ordinary(struct inode *inode, struct fuse_file *ff)
{
	return READ_ONCE(get_fuse_inode(inode)->fmap_users) &&
	       fmap_open_ordinary(inode, ff);
}

/* There is no cache to keep, and none may be invalidated: see there */
static void fmap_open_mapped(struct file *file, struct fuse_file *ff)
{
	ff->open_flags |= FOPEN_KEEP_CACHE;
	file->f_mode |= FMODE_CAN_ODIRECT | FMODE_NOWAIT;
	replace_fops(file, fops_get(&fmap_file_operations));
}

/* Find out what the inode is, and of a mapped one, how long, and on what */
static int fmap_open_decide(struct inode *inode, struct fuse_file *ff)
{
	int err = 0;

	if (!fuse_fmap_mapped(inode) && !fmap_join_ordinary(inode, ff))
		err = fmap_decide(inode, ff);
	if (!err && fuse_fmap_mapped(inode) &&
	    READ_ONCE(get_fuse_inode(inode)->fmap->resize))
		err = fmap_need_io(inode, 0, 0);
	if (!err && fuse_fmap_mapped(inode))
		err = fmap_rebind(inode);
	return err;
}

static int fmap_open(struct inode *inode, struct file *file)
{
	struct fuse_file *ff = file->private_data;
	int err;

	err = fmap_open_decide(inode, ff);
	if (err)
		return err;
	if (!fuse_fmap_mapped(inode))
		return 0;
	if (ff->open_flags & FOPEN_PASSTHROUGH)
		return fmap_refuse(inode, "passthrough", -EIO);
	fmap_open_mapped(file, ff);
	return 1;
}

/**
 * fuse_fmap_open - give an open file its map
 * @inode: the inode; any type
 * @file: the file, opened at the server
 *
 * Context: From ->open().  May sleep and wait for the server.
 * Return: 1 if the file is mapped and its open is complete; 0 if it is an
 * ordinary one; or a negative errno, with which the open fails and nothing has
 * changed: see include/uapi/linux/fuse_fmap.h.
 */
int fuse_fmap_open(struct inode *inode, struct file *file)
{
	int ret;

	if (!fmap_possible(inode))
		return 0;

	ret = fmap_open(inode, file);
	fmap_count(inode, ret > 0 ? FMAP_OPENS_MAPPED :
		   ret ? FMAP_OPENS_REFUSED : FMAP_OPENS_ORDINARY);
	trace_fmap_open(inode, ret);
	return ret;
}

/**
 * fuse_fmap_evict - take the map off an inode that goes away
 * @inode: the inode; any type, any connection
 *
 * Context: From ->evict_inode(), before the page cache is truncated.  May sleep
 * until nobody has a page of the file pinned.
 */
void fuse_fmap_evict(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	struct fmap *map = fi->fmap;

	if (!map)
		return;
	if (fuse_fmap_mapped(inode)) {
		/* Before the bytes are given back: they may be another's then */
		dax_break_layout_final(inode);
		fmap_count(inode, FMAP_EVICTIONS);
	}
	fmap_free(inode, map);
	fi->fmap = NULL;
}
