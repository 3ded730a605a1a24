// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: which map owns which bytes of a device
 *
 * fs/dax keeps the file and the index in struct page, so a page of a device
 * may be reachable through one inode only; it warns when it is not.  A server
 * must not be able to bring that about.  Hence every piece of a map claims all
 * ranges that it names, and one whose claims meet another's is not taken.
 *
 * A claim is everything that one piece names on one device, in one node of the
 * device's index: a piece of 40,000 extents costs one node and a sorted array.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/fuse_fmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "fmap_map.h"

/**
 * fmap_claims_add - count a range of a device, or note it down
 * @build: claims in the making
 * @dev: device index
 * @start: first byte on the device
 * @len: length in bytes; nothing happens if it is 0
 *
 * The same calls in the same order first count (fmap_claims_build zeroed), then,
 * after fmap_claims_alloc(), note down.
 */
void fmap_claims_add(struct fmap_claims_build *build, u32 dev, u64 start,
		     u64 len)
{
	struct fmap_claim *claim = build->claims[dev];
	bool more = build->nr[dev] && build->end[dev] == start;
	struct fmap_range *range;

	if (!len)
		return;
	if (!more)
		build->nr[dev]++;
	build->end[dev] = start + len;
	if (!claim)
		return;

	range = &claim->ranges[build->nr[dev] - 1];
	if (!more)
		range->start = start;
	range->end = start + len;
}

/**
 * fmap_claims_alloc - make the claims that have been counted
 * @build: what was counted; ready to note down on success
 * @piece: gets the claims; fmap_claims_free() frees them, after failure too
 *
 * Return: 0 or -ENOMEM.
 */
int fmap_claims_alloc(struct fmap_claims_build *build, struct fmap_piece *piece)
{
	piece->claims = kzalloc_objs(*piece->claims, hweight64(piece->devs),
				     GFP_KERNEL_ACCOUNT);
	if (!piece->claims)
		return -ENOMEM;

	for (u32 dev = 0; dev < FUSE_FMAP_MAX_DEVS; dev++) {
		u32 nr = build->nr[dev];
		struct fmap_claim *claim;

		if (!nr)
			continue;
		claim = fmap_alloc(struct_size(claim, ranges, nr));
		if (!claim)
			return -ENOMEM;
		RB_CLEAR_NODE(&claim->node.rb);
		claim->inode = NULL;
		claim->dev = dev;
		claim->nr_ranges = nr;
		build->claims[dev] = claim;
		piece->claims[piece->nr_claims++] = claim;
	}
	memset(build->nr, 0, sizeof(build->nr));
	return 0;
}

static int fmap_range_cmp(const void *a, const void *b)
{
	const struct fmap_range *left = a, *right = b;

	return cmp_int(left->start, right->start);
}

/* Servers allocate in rising order more often than not: look before sorting */
static bool fmap_claim_sorted(const struct fmap_claim *claim)
{
	for (u32 i = 1; i < claim->nr_ranges; i++) {
		if (claim->ranges[i].start < claim->ranges[i - 1].end)
			return false;
	}
	return true;
}

static int fmap_claim_finish(struct fmap_claim *claim)
{
	if (!fmap_claim_sorted(claim)) {
		sort_nonatomic(claim->ranges, claim->nr_ranges,
			       sizeof(*claim->ranges), fmap_range_cmp, NULL);
		if (!fmap_claim_sorted(claim))
			return -EINVAL;
	}
	claim->node.start = claim->ranges[0].start >> PAGE_SHIFT;
	claim->node.last = (fmap_claim_end(claim) - 1) >> PAGE_SHIFT;
	return 0;
}

/**
 * fmap_claims_finish - sort what was noted down
 * @piece: the piece with the claims
 *
 * Return: 0, or -EINVAL if the piece names a byte twice.
 */
int fmap_claims_finish(struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		int err = fmap_claim_finish(piece->claims[i]);

		if (err)
			return err;
	}
	return 0;
}

/**
 * fmap_claims_free - free the claims of a piece
 * @piece: the piece; none of its claims is in an index
 */
void fmap_claims_free(struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_claims; i++)
		kvfree(piece->claims[i]);
	kfree(piece->claims);
	piece->claims = NULL;
	piece->nr_claims = 0;
}

/**
 * fmap_claim_end - tell how far a claim reaches
 * @claim: the claim
 *
 * Return: the byte of the device behind the last one that is claimed.
 */
u64 fmap_claim_end(const struct fmap_claim *claim)
{
	return claim->ranges[claim->nr_ranges - 1].end;
}

/*
 * The first range that ends behind @pos, given that range @i does not.
 * Gallops: a near one is found at once, a far one in O(log n), so comparing
 * two claims costs no more than reading both and mostly much less.
 */
static u32 fmap_claim_skip(const struct fmap_claim *claim, u32 i, u64 pos)
{
	u32 nr = claim->nr_ranges;
	u32 step = 1;
	u32 hi;

	while (step < nr - i && claim->ranges[i + step].end <= pos) {
		i += step;
		step *= 2;
	}

	hi = i + min(step, nr - i);
	i++;
	while (i < hi) {
		u32 mid = i + (hi - i) / 2;

		if (claim->ranges[mid].end <= pos)
			i = mid + 1;
		else
			hi = mid;
	}
	return i;
}

static bool fmap_claims_meet(const struct fmap_claim *a,
			     const struct fmap_claim *b)
{
	u32 i = 0, j = 0;

	while (i < a->nr_ranges && j < b->nr_ranges) {
		if (a->ranges[i].end <= b->ranges[j].start)
			i = fmap_claim_skip(a, i, b->ranges[j].start);
		else if (b->ranges[j].end <= a->ranges[i].start)
			j = fmap_claim_skip(b, j, a->ranges[i].start);
		else
			return true;
	}
	return false;
}

/**
 * fmap_claim_conflict - find out whether a claim can be had
 * @index: the index of the device
 * @claim: the claim, in no index
 * @except: claims of this inode do not count; or NULL
 *
 * Return: a claim in the index to one of the bytes, or NULL.
 */
struct fmap_claim *fmap_claim_conflict(const struct fmap_claim_index *index,
				       const struct fmap_claim *claim,
				       const struct inode *except)
{
	unsigned long start = claim->node.start, last = claim->node.last;
	struct interval_tree_node *node;

	/* The tree is only read, but its functions take no pointer to const */
	node = interval_tree_iter_first((struct rb_root_cached *)&index->root,
					start, last);
	for (; node; node = interval_tree_iter_next(node, start, last)) {
		struct fmap_claim *other = container_of(node, struct fmap_claim,
							node);

		if (except && other->inode == except)
			continue;
		if (fmap_claims_meet(claim, other))
			return other;
	}
	return NULL;
}

/**
 * fmap_claim_insert - take possession of what a claim says
 * @index: the index of the device
 * @claim: the claim, in no index yet; it has no conflict with another
 */
void fmap_claim_insert(struct fmap_claim_index *index, struct fmap_claim *claim)
{
	interval_tree_insert(&claim->node, &index->root);
}

/**
 * fmap_claim_remove - give up what a claim says
 * @index: the index of the device
 * @claim: the claim; nothing happens if it is not in the index
 */
void fmap_claim_remove(struct fmap_claim_index *index, struct fmap_claim *claim)
{
	if (RB_EMPTY_NODE(&claim->node.rb))
		return;
	interval_tree_remove(&claim->node, &index->root);
	RB_CLEAR_NODE(&claim->node.rb);
}

/**
 * fmap_claim_next - walk the claims of a device
 * @index: the index of the device
 * @pos: byte of the device
 *
 * No two claims begin at the same byte, so a walk may drop the lock of the
 * index and go on from the byte behind the beginning of the last claim seen.
 *
 * Return: the first claim that begins at @pos or behind it, or NULL.
 */
struct fmap_claim *fmap_claim_next(struct fmap_claim_index *index, u64 pos)
{
	struct rb_node *rb = index->root.rb_root.rb_node;
	struct fmap_claim *found = NULL;

	while (rb) {
		struct fmap_claim *claim = rb_entry(rb, struct fmap_claim,
						    node.rb);

		if (claim->ranges[0].start >= pos) {
			found = claim;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_claim_kunit.c"
#include "tests/fmap_claim_index_kunit.c"
#endif
