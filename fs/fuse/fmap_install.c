// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: to put what a message says into a map
 *
 * What is there already stays: a message fills the holes of the part that it
 * tells about.  Everything that can fail comes first, and is undone if it does:
 * devices, claims, and places in the tree.  Then the pieces are published, which
 * cannot fail; and nobody has seen any of them before.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/fs.h>
#include <linux/pagemap.h>

#include "fmap_trace.h"

static void fmap_unclaim(struct inode *inode, struct fmap_piece *piece, u32 nr)
{
	while (nr--)
		fmap_dev_unclaim(fmap_claim_dev(inode, piece->claims[nr]),
				 piece->claims[nr]);
}

/* Claim the bytes of @piece on all its devices, or on none */
static int fmap_claim(struct inode *inode, struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		struct fmap_claim *claim = piece->claims[i];
		int err;

		claim->inode = inode;
		err = fmap_dev_claim(fmap_claim_dev(inode, claim), claim);
		if (err) {
			fmap_unclaim(inode, piece, i);
			return err;
		}
	}
	return 0;
}

static int fmap_put_entry(struct fmap *map, const struct fmap_piece *piece,
			  void *entry)
{
	return mtree_store_range(&map->pieces, piece->start >> PAGE_SHIFT,
				 (piece->end - 1) >> PAGE_SHIFT, entry,
				 GFP_KERNEL_ACCOUNT);
}

/* Get all that @piece needs to be published */
static int fmap_reserve(struct inode *inode, struct fmap_piece *piece)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	int err;

	err = fmap_conn_get(fc, piece->devs);
	if (err)
		return err;
	err = fmap_claim(inode, piece);
	if (err)
		goto put;
	err = fmap_put_entry(get_fuse_inode(inode)->fmap, piece, FMAP_NO_PIECE);
	if (err)
		goto unclaim;
	return 0;

unclaim:
	fmap_unclaim(inode, piece, piece->nr_claims);
put:
	fmap_conn_put(fc, piece->devs);
	return err;
}

/* If there is no memory to make a hole again, fmap_settle() will */
static void fmap_unreserve(struct inode *inode, struct fmap_piece *piece)
{
	fmap_put_entry(get_fuse_inode(inode)->fmap, piece, NULL);
	fmap_unclaim(inode, piece, piece->nr_claims);
	fmap_conn_put(get_fuse_conn(inode), piece->devs);
}

static int fmap_reserve_all(struct inode *inode, struct list_head *parts)
{
	struct fmap_piece *part;
	int err;

	list_for_each_entry(part, parts, list) {
		err = fmap_reserve(inode, part);
		if (err)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(part, parts, list)
		fmap_unreserve(inode, part);
	return err;
}

/* Add the part of @piece that is in a hole, be it all of it, to @parts */
static int fmap_carve_hole(struct fmap_piece *piece, u64 start, u64 end,
			   struct list_head *parts)
{
	struct fmap_piece *part = piece;
	int err = 0;

	start = max(start, piece->start);
	end = min(end, piece->end);
	if (start > piece->start || end < piece->end)
		err = fmap_piece_slice(piece, start, end, &part);
	if (!err)
		list_add_tail(&part->list, parts);
	return err;
}

/* Find the parts of @piece for which there is nothing in @map */
static int fmap_carve(struct fmap *map, struct fmap_piece *piece,
		      struct list_head *parts)
{
	unsigned long page = piece->start >> PAGE_SHIFT;
	unsigned long stop = (piece->end - 1) >> PAGE_SHIFT;

	for (;;) {
		unsigned long first, last;
		void *entry = fmap_walk(map, page, &first, &last);
		int err = 0;

		last = min(last, stop);
		if (!entry)
			err = fmap_carve_hole(piece, (u64)first << PAGE_SHIFT,
					      (u64)(last + 1) << PAGE_SHIFT,
					      parts);
		if (err)
			return err;
		if (last == stop)
			return 0;
		page = last + 1;
	}
}

/* The whole piece is the message's until it is published */
static void fmap_uncarve(struct list_head *parts,
			 const struct fmap_message *msg)
{
	struct fmap_piece *part, *next;

	list_for_each_entry_safe(part, next, parts, list)
		if (part != msg->piece)
			fmap_piece_free(part);
}

/*
 * The first part of the map makes the inode a mapped one, which others see
 * without a lock: after all that goes with it.
 */
static int fmap_become_mapped(struct inode *inode, u64 size)
{
	struct fuse_inode *fi = get_fuse_inode(inode);

	if (fuse_fmap_mapped(inode))
		return 0;
	guard(spinlock)(&fi->lock);
	if (test_bit(FUSE_I_NO_FMAP, &fi->state))
		return -EBUSY;
	i_size_write(inode, size);
	inode->i_flags |= S_DAX;
	inode->i_mapping->a_ops = &fmap_aops;
	/* Pairs with the acquire in fuse_fmap_mapped() */
	smp_mb__before_atomic();
	set_bit(FUSE_I_FMAPPED, &fi->state);
	return 0;
}

/* Cannot fail: each part takes a place of just its size, see fmap_drop.c */
static void fmap_publish(struct inode *inode, struct list_head *parts,
			 struct fmap_message *msg)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_piece *part, *next;
	bool whole = false;

	list_for_each_entry_safe(part, next, parts, list) {
		if (part == msg->piece)
			whole = true;
		WRITE_ONCE(map->devs, map->devs | fmap_piece_holders(part));
		fmap_count_piece(inode, part, 1);
		WARN_ON_ONCE(fmap_put_entry(map, part, part));
		if (!rcu_access_pointer(map->hint))
			rcu_assign_pointer(map->hint, part);
	}
	if (!whole)
		fmap_piece_free(msg->piece);
	msg->piece = NULL;
}

/* What is known of the whole map from now on */
static void fmap_note(struct inode *inode, const struct fmap_message *msg,
		      u64 end)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	struct fmap *map = fi->fmap;

	map->ahead = msg->next;
	if (msg->next)
		map->paged = true;
	guard(spinlock)(&fi->lock);
	/* The end of a file that has shrunk can be before what was asked for */
	if (!msg->next)
		map->end = msg->piece ? end :
			   min(end, PAGE_ALIGN(msg->file_size));
	else if (!map->end || i_size_read(inode) != msg->file_size)
		map->end = PAGE_ALIGN(msg->file_size);
	inode->i_blocks = map->end >> SECTOR_SHIFT;
}

static int fmap_install_locked(struct inode *inode, struct fmap_message *msg,
			       u64 start)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	u64 end = msg->piece ? msg->piece->end : start;
	struct fmap_piece *part;
	LIST_HEAD(parts);
	int err = 0;

	lockdep_assert_held(&map->lock);
	if (msg->piece)
		err = fmap_carve(map, msg->piece, &parts);
	if (!err)
		err = fmap_reserve_all(inode, &parts);
	if (err)
		goto uncarve;
	err = fmap_become_mapped(inode, msg->file_size);
	if (err)
		goto unreserve;

	fmap_note(inode, msg, end);
	fmap_publish(inode, &parts, msg);
	fmap_count(inode, FMAP_INSTALLS);
	return 0;

unreserve:
	list_for_each_entry_reverse(part, &parts, list)
		fmap_unreserve(inode, part);
uncarve:
	fmap_uncarve(&parts, msg);
	return err;
}

static int fmap_install_reply(struct inode *inode, struct fmap_message *msg,
			      u64 start, u64 generation)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	bool resize;
	int err;

	guard(mutex)(&map->lock);
	if (map->generation != generation)
		return -EBADCOOKIE;
	resize = map->resize;
	if (!resize && fuse_fmap_mapped(inode) &&
	    i_size_read(inode) != msg->file_size)
		return -EIO;
	err = fmap_install_locked(inode, msg, start);
	if (!err && resize)
		fmap_resize(inode, msg->file_size);
	return err;
}

/**
 * fmap_install - put the reply to a request into a map
 * @inode: a regular file with a struct fmap
 * @msg: the reply; its piece is taken on success
 * @start: byte of the file at which it begins
 * @generation: of the map, when the request was sent
 *
 * Context: May sleep, but does not wait for the server.  Takes fmap.lock, and
 * invalidate_lock if the reply may tell another size.
 * Return: 0; or with nothing changed: -EBADCOOKIE if the server has stored or
 * invalidated something meanwhile; -EIO if the size is another without that;
 * -EAGAIN if a device is not attached; -EBUSY if the inode has become an ordinary
 * one, or bytes are another's; or an error of fmap_dev_claim(); -ENOMEM.
 */
int fmap_install(struct inode *inode, struct fmap_message *msg, u64 start,
		 u64 generation)
{
	/* It was set before the request was sent, or the reply is stale */
	bool resize = READ_ONCE(get_fuse_inode(inode)->fmap->resize);
	u32 extents = msg->piece ? msg->piece->nr_extents : 0;
	int err;

	if (resize)
		filemap_invalidate_lock(inode->i_mapping);
	err = fmap_install_reply(inode, msg, start, generation);
	if (resize)
		filemap_invalidate_unlock(inode->i_mapping);
	trace_fmap_install(inode, start, extents, msg, err);
	return err;
}

/* Can the bytes be had?  Those of this inode may be what is to be replaced */
static int fmap_check_claims(struct inode *inode,
			     const struct fmap_piece *piece)
{
	for (u32 i = 0; piece && i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];
		int err = fmap_dev_check(fmap_claim_dev(inode, claim), claim,
					 inode);

		if (err)
			return err;
	}
	return 0;
}

static int fmap_store_locked(struct inode *inode, struct fmap_message *msg,
			     u64 start)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	unsigned long last = ULONG_MAX;
	int err;

	guard(mutex)(&map->lock);
	if (test_bit(FUSE_I_NO_FMAP, &get_fuse_inode(inode)->state))
		return -EBUSY;
	err = fmap_check_claims(inode, msg->piece);
	if (err)
		return err;

	map->generation++;
	if (msg->next)
		last = (msg->piece->end - 1) >> PAGE_SHIFT;
	if (fuse_fmap_mapped(inode))
		err = fmap_drop(inode, start >> PAGE_SHIFT, last);
	if (!err)
		err = fmap_install_locked(inode, msg, start);
	if (!err)
		fmap_resize(inode, msg->file_size);
	return err;
}

/**
 * fmap_store - put what the server tells unasked into a map
 * @inode: a regular file with a struct fmap
 * @msg: the message; its piece is taken on success
 * @start: byte of the file at which it begins
 *
 * What is known of the part that the message tells about is dropped.
 *
 * Context: as fmap_invalidate().
 * Return: 0; -ENODEV if a device is not attached, -EBUSY if the inode is an
 * ordinary one or bytes are another's, or another error of fmap_dev_check(), with
 * nothing changed; or an error of fmap_drop() or, with the part dropped, of
 * fmap_install().
 */
int fmap_store(struct inode *inode, struct fmap_message *msg, u64 start)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	u32 extents = msg->piece ? msg->piece->nr_extents : 0;
	u64 devs = msg->piece ? msg->piece->devs : 0;
	int err;

	if (fmap_conn_get(fc, devs))
		return -ENODEV;
	filemap_invalidate_lock(inode->i_mapping);
	err = fmap_store_locked(inode, msg, start);
	filemap_invalidate_unlock(inode->i_mapping);
	fmap_conn_put(fc, devs);
	fmap_count(inode, FMAP_STORES);
	trace_fmap_install(inode, start, extents, msg, err);
	return err;
}
