// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the pieces of a map, and how to find one
 *
 * The pieces stand in a tree by the pages of the file that they hold.  Each
 * holds a sorted array, so that a map of a million extents is a few dozen nodes,
 * and a further piece costs nothing to those that are there.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/slab.h>

/*
 * The piece that holds @pos, or NULL.  Under RCU, and no lock: a piece that is
 * taken out of the tree is freed a grace period later.
 */
static const struct fmap_piece *fmap_piece_at(struct fmap *map, u64 pos)
{
	const struct fmap_piece *piece = rcu_dereference(map->hint);
	void *entry;

	if (likely(piece && pos >= piece->start && pos < piece->end))
		return piece;
	entry = mtree_load(&map->pieces, pos >> PAGE_SHIFT);
	return xa_is_value(entry) ? NULL : entry;
}

/**
 * fmap_lookup - tell where a position of a file lies
 * @inode: a mapped file
 * @pos: position in bytes
 * @len: bytes wanted from there on
 * @loc: filled in with @len of them or fewer
 *
 * Context: Does not sleep, takes no lock.  The answer holds as long as the
 * caller has invalidate_lock.
 * Return: false if the piece with @pos is not there.
 */
bool fmap_lookup(struct inode *inode, u64 pos, u64 len,
		 struct fmap_loc *loc)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	const struct fmap_piece *piece;

	guard(rcu)();
	piece = fmap_piece_at(map, pos);
	return piece && fmap_resolve(piece, pos, len, loc);
}

/**
 * fmap_present - is all there that an access needs?
 * @inode: a mapped file
 * @pos: first byte
 * @end: byte behind the last
 *
 * Context: as fmap_lookup().
 * Return: whether it is.
 */
bool fmap_present(struct inode *inode, u64 pos, u64 end)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;

	guard(rcu)();
	while (pos < end) {
		const struct fmap_piece *piece = fmap_piece_at(map, pos);

		if (!piece)
			return false;
		pos = piece->end;
	}
	return true;
}

/**
 * fmap_walk - look at what a map holds, and at what it does not hold
 * @map: the map; its fmap.lock is held
 * @page: page of the file
 * @first: set to the first page for which the answer is the same
 * @last: set to the last such page
 *
 * Return: a piece, FMAP_NO_PIECE, or NULL where there is a hole.
 */
void *fmap_walk(struct fmap *map, unsigned long page, unsigned long *first,
		unsigned long *last)
{
	MA_STATE(mas, &map->pieces, page, page);
	void *entry;

	lockdep_assert_held(&map->lock);
	rcu_read_lock();
	entry = mas_walk(&mas);
	rcu_read_unlock();
	*first = mas.index;
	*last = mas.last;
	return entry;
}

static struct fmap *fmap_new(void)
{
	struct fmap *map = kzalloc_obj(*map, GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	mutex_init(&map->lock);
	mt_init_flags(&map->pieces, MT_FLAGS_USE_RCU);
	INIT_LIST_HEAD(&map->doomed);
	INIT_LIST_HEAD(&map->fetches);
	return map;
}

static void fmap_delete(struct fmap *map)
{
	mtree_destroy(&map->pieces);
	mutex_destroy(&map->lock);
	kfree(map);
}

/**
 * fmap_get - get the map of an inode, which stays until the inode is evicted
 * @inode: a regular file; mapped, ordinary, or undecided
 *
 * Context: May sleep.  Takes fuse_inode.lock.
 * Return: the map, or NULL if there was none and no memory for one.
 */
struct fmap *fmap_get(struct inode *inode)
{
	struct fuse_inode *fi = get_fuse_inode(inode);
	struct fmap *map = READ_ONCE(fi->fmap);

	if (map)
		return map;
	map = fmap_new();
	if (!map)
		return NULL;

	spin_lock(&fi->lock);
	if (!fi->fmap) {
		/* Whoever sees the pointer has to see what it points to */
		smp_store_release(&fi->fmap, map);
		map = NULL;
	}
	spin_unlock(&fi->lock);
	if (map)
		fmap_delete(map);
	return fi->fmap;
}

/**
 * fmap_free - free the map of an inode that is evicted
 * @inode: the inode; nobody else has it, none of its pages is mapped or pinned
 * @map: its map
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 */
void fmap_free(struct inode *inode, struct fmap *map)
{
	struct fmap_piece *piece, *next;
	unsigned long page = 0;

	/* Nobody looks up any more: no lock, and no grace period */
	mt_for_each(&map->pieces, piece, page, ULONG_MAX)
		if (!xa_is_value(piece))
			fmap_release(inode, piece);
	list_for_each_entry_safe(piece, next, &map->doomed, list)
		fmap_release(inode, piece);
	fmap_fetches_free(map);
	fmap_delete(map);
}
