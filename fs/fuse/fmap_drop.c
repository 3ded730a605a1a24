// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: to take a part of a map away
 *
 * First the part is made unreachable: its place in the tree says FMAP_NO_PIECE,
 * and what it held is put aside as doomed.  Then it is unmapped, and its DAX
 * entries go.  Only when nobody has a page of it pinned any more are its bytes
 * given back: until then nothing may lie in that place of the file, since the
 * entry of a pinned page stays there, nor may another file get the bytes.
 *
 * Nothing here waits for a page to be unpinned.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "fmap_trace.h"

static unsigned long fmap_first(const struct fmap_piece *piece)
{
	return piece->start >> PAGE_SHIFT;
}

static unsigned long fmap_last(const struct fmap_piece *piece)
{
	return (piece->end - 1) >> PAGE_SHIFT;
}

/* Free a piece whose claims are in no index any more */
static void fmap_discard(struct inode *inode, struct fmap_piece *piece)
{
	fmap_conn_put(get_fuse_conn(inode), piece->devs);
	fmap_count_piece(inode, piece, -1);
	fmap_claims_free(piece);
	kvfree_rcu(piece, rcu);
}

/**
 * fmap_release - give back what a piece has, and free it
 * @inode: the file
 * @piece: the piece; nobody can reach its bytes or get to do so
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 */
void fmap_release(struct inode *inode, struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_claims; i++)
		fmap_dev_unclaim(fmap_claim_dev(inode, piece->claims[i]),
				 piece->claims[i]);
	fmap_discard(inode, piece);
}

/**
 * struct fmap_cut - a piece that is being cut in up to three
 * @part: what is left in front of the dropped pages, the dropped part, what is
 *	  left behind; NULL if there is none
 */
struct fmap_cut {
	struct fmap_piece *part[3];
};

#define FMAP_CUT_DOOMED	1

static void fmap_cut_free(struct fmap_cut *cut)
{
	for (int i = 0; i < ARRAY_SIZE(cut->part); i++)
		fmap_piece_free(cut->part[i]);
}

static int fmap_cut_make(struct fmap_cut *cut, const struct fmap_piece *piece,
			 unsigned long first, unsigned long last)
{
	u64 from = max(piece->start, (u64)first << PAGE_SHIFT);
	u64 to = fmap_last(piece) > last ? (u64)(last + 1) << PAGE_SHIFT :
					   piece->end;
	int err = 0;

	if (piece->start < from)
		err = fmap_piece_slice(piece, piece->start, from,
				       &cut->part[0]);
	if (!err)
		err = fmap_piece_slice(piece, from, to,
				       &cut->part[FMAP_CUT_DOOMED]);
	if (!err && to < piece->end)
		err = fmap_piece_slice(piece, to, piece->end, &cut->part[2]);
	return err;
}

/* Claim for the parts what was claimed for the whole, device by device */
static void fmap_cut_claim(struct inode *inode, struct fmap_cut *cut,
			   struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		struct fmap_claim *claim = piece->claims[i];
		struct fmap_claim *parts[ARRAY_SIZE(cut->part)];
		unsigned int nr = 0;

		for (int k = 0; k < ARRAY_SIZE(cut->part); k++) {
			const struct fmap_piece *part = cut->part[k];

			for (u32 j = 0; part && j < part->nr_claims; j++)
				if (part->claims[j]->dev == claim->dev)
					parts[nr++] = part->claims[j];
		}
		for (unsigned int j = 0; j < nr; j++)
			parts[j]->inode = inode;
		fmap_dev_reclaim(fmap_claim_dev(inode, claim), claim, parts,
				 nr);
	}
}

/* No look-up finds @piece any more */
static void fmap_unhint(struct fmap *map, const struct fmap_piece *piece)
{
	if (rcu_access_pointer(map->hint) == piece)
		RCU_INIT_POINTER(map->hint, NULL);
}

/*
 * Let what is left of a piece take its place.  The place is just as large as
 * that, which a maple tree does without memory: this cannot fail.
 */
static void fmap_cut_replace(struct fmap *map, struct fmap_piece *part)
{
	if (part)
		WARN_ON_ONCE(mtree_store_range(&map->pieces, fmap_first(part),
					       fmap_last(part), part,
					       GFP_KERNEL_ACCOUNT));
}

/* Doom the pages of @piece from @first to @last, and keep the others */
static int fmap_cut(struct inode *inode, struct fmap_piece *piece,
		    unsigned long first, unsigned long last)
{
	struct fuse_conn *fc = get_fuse_conn(inode);
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_cut cut = {};
	int err;

	err = fmap_cut_make(&cut, piece, first, last);
	if (!err)
		err = mtree_store_range(&map->pieces,
					fmap_first(cut.part[FMAP_CUT_DOOMED]),
					fmap_last(cut.part[FMAP_CUT_DOOMED]),
					FMAP_NO_PIECE, GFP_KERNEL_ACCOUNT);
	if (err) {
		fmap_cut_free(&cut);
		return err;
	}

	fmap_unhint(map, piece);
	fmap_cut_claim(inode, &cut, piece);
	for (int i = 0; i < ARRAY_SIZE(cut.part); i++) {
		if (!cut.part[i])
			continue;
		/* @piece has the devices: they are there */
		WARN_ON_ONCE(fmap_conn_get(fc, cut.part[i]->devs));
		fmap_count_piece(inode, cut.part[i], 1);
	}
	fmap_cut_replace(map, cut.part[0]);
	fmap_cut_replace(map, cut.part[2]);
	list_add_tail(&cut.part[FMAP_CUT_DOOMED]->list, &map->doomed);
	fmap_discard(inode, piece);
	return 0;
}

/* The same for a piece of which nothing is left */
static int fmap_doom(struct fmap *map, struct fmap_piece *piece)
{
	int err = mtree_store_range(&map->pieces, fmap_first(piece),
				    fmap_last(piece), FMAP_NO_PIECE,
				    GFP_KERNEL_ACCOUNT);

	if (err)
		return err;
	fmap_unhint(map, piece);
	list_add_tail(&piece->list, &map->doomed);
	return 0;
}

static void fmap_update_devs(struct fmap *map)
{
	struct fmap_piece *piece;
	unsigned long page = 0;
	u64 devs = 0;

	mt_for_each(&map->pieces, piece, page, ULONG_MAX)
		if (!xa_is_value(piece))
			devs |= fmap_piece_holders(piece);
	list_for_each_entry(piece, &map->doomed, list)
		devs |= fmap_piece_holders(piece);
	WRITE_ONCE(map->devs, devs);
}

/* A DAX entry that reaches over the edge of a range has to go as a whole */
static void fmap_round_to_entries(struct address_space *mapping,
				  unsigned long *first, unsigned long *last)
{
	unsigned int order = xa_get_order(&mapping->i_pages, *first);

	*first = round_down(*first, 1UL << order);
	order = xa_get_order(&mapping->i_pages, *last);
	*last |= (1UL << order) - 1;
}

/*
 * Unmap a range of the file and delete its DAX entries.  What was stored by
 * mappings leaves the CPU's caches before, where the device wants that: the
 * server may move the bytes, or let another host have them.
 * Return: 0, or -EBUSY if a page is pinned; then the range is unmapped.
 */
static int fmap_break(struct inode *inode, unsigned long first,
		      unsigned long last)
{
	loff_t start, end;

	fmap_round_to_entries(inode->i_mapping, &first, &last);
	start = (loff_t)first << PAGE_SHIFT;
	end = ((loff_t)last << PAGE_SHIFT) + PAGE_SIZE - 1;
	fmap_write_back(inode, start, end);
	return dax_break_layout(inode, start, end, NULL) ? -EBUSY : 0;
}

/* Finish what fmap_cut() has begun, if nobody has a page pinned */
static int fmap_settle_piece(struct inode *inode, struct fmap_piece *piece)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	int err;

	err = fmap_break(inode, fmap_first(piece), fmap_last(piece));
	if (!err)
		err = mtree_store_range(&map->pieces, fmap_first(piece),
					fmap_last(piece), NULL,
					GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	list_del(&piece->list);
	fmap_release(inode, piece);
	return 0;
}

static bool fmap_is_doomed(const struct fmap *map, unsigned long first,
			   unsigned long last)
{
	const struct fmap_piece *piece;

	list_for_each_entry(piece, &map->doomed, list)
		if (fmap_first(piece) <= last && fmap_last(piece) >= first)
			return true;
	return false;
}

/* Holes that could not be made for want of memory, when a fetch was undone */
static int fmap_settle_holes(struct fmap *map, unsigned long first,
			     unsigned long last)
{
	unsigned long page = first, begin, end;

	for (;;) {
		void *entry = fmap_walk(map, page, &begin, &end);

		if (xa_is_value(entry) && !fmap_is_doomed(map, begin, end)) {
			int err = mtree_store_range(&map->pieces, begin, end,
						    NULL, GFP_KERNEL_ACCOUNT);

			if (err)
				return err;
		}
		if (end >= last)
			return 0;
		page = end + 1;
	}
}

/**
 * fmap_settle - give back the memory of what was dropped
 * @inode: the file
 * @first: first page of the file
 * @last: last page
 *
 * Context: May sleep, but not until a page is unpinned.  invalidate_lock is held
 * exclusively, and fmap.lock.
 * Return: 0 if no dropped part in the range is left; -EBUSY if somebody has a
 * page of one pinned; -ENOMEM.
 */
int fmap_settle(struct inode *inode, unsigned long first, unsigned long last)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_piece *piece, *next;
	int ret = 0;

	lockdep_assert_held(&map->lock);
	list_for_each_entry_safe(piece, next, &map->doomed, list) {
		int err;

		if (fmap_first(piece) > last || fmap_last(piece) < first)
			continue;
		err = fmap_settle_piece(inode, piece);
		if (err)
			ret = err;
		cond_resched();
	}
	fmap_update_devs(map);
	return ret ?: fmap_settle_holes(map, first, last);
}

/**
 * fmap_drop - take a part of a map away
 * @inode: a mapped file
 * @first: first page of the file
 * @last: last page
 *
 * Context: as fmap_settle().
 * Return: as fmap_settle().  With -EBUSY no access reaches the old memory any
 * more, unless memory was short as well; with -ENOMEM that holds for a part only.
 */
int fmap_drop(struct inode *inode, unsigned long first, unsigned long last)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	unsigned long page = first, begin, end;
	int err = 0;

	for (;;) {
		void *entry = fmap_walk(map, page, &begin, &end);

		if (entry && !xa_is_value(entry)) {
			if (begin >= first && end <= last)
				err = fmap_doom(map, entry);
			else
				err = fmap_cut(inode, entry, first, last);
		}
		if (err || end >= last)
			break;
		page = end + 1;
		cond_resched();
	}
	return fmap_settle(inode, first, last) ?: err;
}

/**
 * fmap_resize - give a file the size that its map now has
 * @inode: a mapped file
 * @size: bytes
 *
 * Context: May sleep.  invalidate_lock is held exclusively, and fmap.lock.
 * Takes fuse_inode.lock.
 */
void fmap_resize(struct inode *inode, u64 size)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	loff_t old = i_size_read(inode);

	spin_lock(&fi->lock);
	i_size_write(inode, size);
	inode->i_blocks = fi->fmap->end >> SECTOR_SHIFT;
	spin_unlock(&fi->lock);
	WRITE_ONCE(fi->fmap->resize, false);
	/* As for a truncation, private copies behind the end go as well */
	if (size < old)
		unmap_mapping_range(inode->i_mapping,
				    round_up(size, PAGE_SIZE), 0, 1);
}

static int fmap_invalidate_locked(struct inode *inode, unsigned long first,
				  unsigned long last)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	u64 size = i_size_read(inode);

	guard(mutex)(&map->lock);
	map->generation++;
	if (!fuse_fmap_mapped(inode))
		return 0;
	if (last >= (size ? (size - 1) >> PAGE_SHIFT : 0))
		WRITE_ONCE(map->resize, true);
	return fmap_drop(inode, first, last);
}

/**
 * fmap_invalidate - the server takes a part of a map back
 * @inode: a regular file
 * @start: first byte of the file
 * @len: bytes; 0 is to the end
 *
 * Context: May sleep, but waits neither for the server nor until a page is
 * unpinned.  Takes invalidate_lock exclusively, and fmap.lock.
 * Return: 0: nobody reaches the old memory by this file any more; or an error of
 * fmap_drop().
 */
int fmap_invalidate(struct inode *inode, u64 start, u64 len)
{
	unsigned long last = ULONG_MAX;
	int err;

	/* Without a map, and nobody who is getting one: nothing to forget */
	if (!READ_ONCE(get_fuse_inode(inode)->fmap))
		return 0;
	if (len && start + len - 1 >= start)
		last = (start + len - 1) >> PAGE_SHIFT;

	filemap_invalidate_lock(inode->i_mapping);
	err = fmap_invalidate_locked(inode, start >> PAGE_SHIFT, last);
	filemap_invalidate_unlock(inode->i_mapping);
	fmap_count(inode, FMAP_INVALIDATIONS);
	trace_fmap_invalidate(inode, start, len, err);
	return err;
}
