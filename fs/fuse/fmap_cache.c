// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the map of an inode, from open to evict
 *
 * On a connection with maps a regular inode is, at any time, one of
 *
 *  undecided	nobody has opened it yet: no map, and nothing in the page cache
 *  mapped	fuse_inode.fmap is set: the map gives the size, i_mapping has DAX
 *		entries only
 *  ordinary	FUSE_I_NO_FMAP is set: as if there were no maps
 *
 * The first open decides, as does a server that puts data into the page cache.
 * A decision holds until the inode is evicted: a file that is mapped for one
 * process and ordinary for another would have two truths.
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/pagemap.h>
#include <linux/wait_bit.h>

static bool fmap_undecided(struct inode *inode)
{
	return !fuse_fmap_mapped(inode) && !fuse_fmap_page_cache(inode);
}

/* Make @inode ordinary unless it is mapped */
static int fmap_set_ordinary(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	guard(spinlock)(&fi->lock);
	if (fi->fmap)
		return -EBUSY;
	set_bit(FUSE_I_NO_FMAP, &fi->state);
	return 0;
}

/**
 * fuse_fmap_use_page_cache - the page cache of an inode is about to be filled
 * @inode: a regular file that need not be open
 *
 * Return: 0, or -EBUSY if the inode is mapped, so that it has no page cache.
 */
int fuse_fmap_use_page_cache(struct inode *inode)
{
	if (fuse_fmap_page_cache(inode))
		return 0;
	return fmap_set_ordinary(inode);
}

static void fmap_unclaim(struct inode *inode, struct fmap *map, u32 nr)
{
	struct fuse_conn *fc = get_fuse_conn(inode);

	while (nr--)
		fmap_dev_unclaim(fmap_conn_dev(fc, map->claims[nr]->dev),
				 map->claims[nr]);
}

/* Claim the bytes of @map on all its devices, or on none */
static int fmap_claim(struct inode *inode, struct fmap *map)
{
	struct fuse_conn *fc = get_fuse_conn(inode);

	for (u32 i = 0; i < map->nr_claims; i++) {
		struct fmap_claim *claim = map->claims[i];
		int err;

		claim->inode = inode;
		err = fmap_dev_claim(fmap_conn_dev(fc, claim->dev), claim);
		if (err) {
			fmap_unclaim(inode, map, i);
			return err;
		}
	}
	return 0;
}

/*
 * Last step of a first open.  The map comes after all that goes with it, since
 * others look at it without a lock.
 */
static int fmap_publish(struct inode *inode, struct fmap *map)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	guard(spinlock)(&fi->lock);
	if (test_bit(FUSE_I_NO_FMAP, &fi->state))
		return -EBUSY;
	i_size_write(inode, map->file_size);
	inode->i_flags |= S_DAX;
	inode->i_mapping->a_ops = &fmap_aops;
	/* Pairs with the acquire in fuse_fmap_mapped() */
	smp_store_release(&fi->fmap, map);
	return 0;
}

/* Check @map against the devices, claim its bytes and publish it */
static int fmap_install(struct inode *inode, struct fmap *map)
{
	int err;

	err = fmap_fetch_devs(inode, map);
	if (err)
		return err;
	err = fmap_claim(inode, map);
	if (err)
		return err;
	err = fmap_publish(inode, map);
	if (err)
		fmap_unclaim(inode, map, map->nr_claims);
	return err;
}

/* Ask the server and decide.  Called by one task at a time for an inode */
static int fmap_load(struct inode *inode)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	struct fmap *map;
	int err;

	err = fmap_fetch(inode, &map);
	if (err == -ENOSYS)
		WRITE_ONCE(fc->fmap->no_get_fmap, true);
	if (err == -ENOSYS || err == -ENODATA)
		return fmap_set_ordinary(inode);
	if (err)
		return err;

	err = fmap_install(inode, map);
	if (err) {
		fmap_free(map);
		/* The server filled the page cache meanwhile: that decides */
		if (!fmap_undecided(inode))
			err = 0;
	}
	return err;
}

/* The wait for another's fetch can be ended by a signal that kills */
static int fmap_decide(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	int err;

	err = wait_on_bit_lock(&fi->state, FUSE_I_FMAP_FETCH, TASK_KILLABLE);
	if (err)
		return -EINTR;
	if (fmap_undecided(inode))
		err = fmap_load(inode);
	clear_and_wake_up_bit(FUSE_I_FMAP_FETCH, &fi->state);
	return err;
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
	struct fuse_file *ff = file->private_data;
	int err = 0;

	if (!fuse_fmap_enabled(get_fuse_conn(inode)) ||
	    !S_ISREG(inode->i_mode))
		return 0;

	if (fmap_undecided(inode)) {
		if (fmap_wanted(inode, ff))
			err = fmap_decide(inode);
		else
			fmap_set_ordinary(inode);
	}
	if (err) {
		pr_debug("no map for node %llu: %d\n", get_node_id(inode), err);
		return err;
	}
	if (!fuse_fmap_mapped(inode))
		return 0;
	if (ff->open_flags & FOPEN_PASSTHROUGH)
		return -EIO;

	/* There is no cache to keep, and none may be invalidated: see there */
	ff->open_flags |= FOPEN_KEEP_CACHE;
	file->f_mode |= FMODE_CAN_ODIRECT;
	replace_fops(file, fops_get(&fmap_file_operations));
	return 1;
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
	/* Before the claims are given back: then the pages may be another's */
	dax_break_layout_final(inode);
	fmap_unclaim(inode, map, map->nr_claims);
	fi->fmap = NULL;
	fmap_free(map);
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
		return -EPERM;
	attr->ia_valid &= ~(ATTR_SIZE | ATTR_OPEN);
	return 0;
}

/**
 * fuse_fmap_pin_size - replace the size in a server's attributes by the map's
 * @inode: any inode
 * @attr: attributes from the server
 *
 * Context: Under fuse_inode.lock, so that the answer is still right when the
 * caller has written i_size.
 */
void fuse_fmap_pin_size(struct inode *inode, struct fuse_attr *attr)
{
	lockdep_assert_held(&get_fuse_inode(inode)->lock);
	if (fuse_fmap_mapped(inode))
		attr->size = i_size_read(inode);
}
