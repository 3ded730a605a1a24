// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: which map owns which bytes of a device
 *
 * fs/dax keeps the file and the index in struct page, so a page of a device
 * may be reachable through one inode only; it warns when it is not.  A server
 * must not be able to bring that about.  Hence every map claims all ranges
 * that it names, and a map whose claims meet another's is not taken.
 *
 * A claim is everything that one map names on one device, in one node of the
 * device's index: a map of 100,000 extents costs one node and a sorted array.
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
 * struct fmap_claims_build - claims in the making, by device index
 * @nr: ranges seen so far
 * @claims: where to put them; NULL while they are only counted
 */
struct fmap_claims_build {
	u32 nr[FUSE_FMAP_MAX_DEVS];
	struct fmap_claim *claims[FUSE_FMAP_MAX_DEVS];
};

static void fmap_claims_add(struct fmap_claims_build *build, u32 dev,
			    struct fmap_range range)
{
	u32 i = build->nr[dev];

	if (range.start == range.end)
		return;
	if (build->claims[dev])
		build->claims[dev]->ranges[i] = range;
	build->nr[dev] = i + 1;
}

static void fmap_claims_add_stripe(struct fmap_claims_build *build,
				   const struct fmap *map, u32 extent)
{
	const struct fmap_stripe *stripe =
		&map->stripes[map->extents[extent].stripe];

	for (u32 i = stripe->first; i < stripe->first + stripe->nr_strips; i++) {
		const struct fmap_strip *strip = &map->strips[i];

		fmap_claims_add(build, strip->dev, (struct fmap_range) {
			.start = strip->dev_off,
			.end = strip->dev_off + strip->len,
			.extent = extent,
			.strip = i,
		});
	}
}

static void fmap_claims_walk(struct fmap_claims_build *build,
			     const struct fmap *map)
{
	memset(build->nr, 0, sizeof(build->nr));
	for (u32 i = 0; i < map->nr_extents; i++) {
		const struct fmap_extent *ext = &map->extents[i];

		if (ext->dev == FMAP_STRIPED) {
			fmap_claims_add_stripe(build, map, i);
			continue;
		}
		fmap_claims_add(build, ext->dev, (struct fmap_range) {
			.start = ext->dev_off,
			.end = ext->dev_off + ext->dev_len,
			.extent = i,
		});
	}
}

static int fmap_claims_alloc(struct fmap_claims_build *build, struct fmap *map)
{
	map->claims = kzalloc_objs(*map->claims, hweight64(map->devs),
				   GFP_KERNEL_ACCOUNT);
	if (!map->claims)
		return -ENOMEM;

	for (u32 dev = 0; dev < FUSE_FMAP_MAX_DEVS; dev++) {
		struct fmap_claim *claim;

		if (!build->nr[dev])
			continue;
		claim = kvmalloc_flex(*claim, ranges, build->nr[dev],
				      GFP_KERNEL_ACCOUNT);
		if (!claim)
			return -ENOMEM;
		RB_CLEAR_NODE(&claim->node.rb);
		claim->inode = NULL;
		claim->dev = dev;
		claim->nr_ranges = build->nr[dev];
		build->claims[dev] = claim;
		map->claims[map->nr_claims++] = claim;
	}
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
 * fmap_claims_build - collect what a map names, device by device
 * @map: the map, complete but for its claims
 *
 * On failure fmap_claims_free() cleans up, as it does after success.
 *
 * Return: 0, -ENOMEM, or -EINVAL if the map names a byte twice.
 */
int fmap_claims_build(struct fmap *map)
{
	struct fmap_claims_build build = {};
	int err;

	fmap_claims_walk(&build, map);
	err = fmap_claims_alloc(&build, map);
	if (err)
		return err;

	fmap_claims_walk(&build, map);
	for (u32 i = 0; i < map->nr_claims; i++) {
		err = fmap_claim_finish(map->claims[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * fmap_claims_free - free the claims of a map
 * @map: the map; none of its claims is in an index
 */
void fmap_claims_free(struct fmap *map)
{
	for (u32 i = 0; i < map->nr_claims; i++)
		kvfree(map->claims[i]);
	kfree(map->claims);
	map->claims = NULL;
	map->nr_claims = 0;
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
 * fmap_claim_insert - take possession of what a claim says
 * @index: the index of the device
 * @claim: the claim, in no index yet
 *
 * Return: 0, or -EBUSY if the index has a claim to one of the bytes; then
 * nothing has changed.
 */
int fmap_claim_insert(struct fmap_claim_index *index, struct fmap_claim *claim)
{
	unsigned long start = claim->node.start, last = claim->node.last;
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&index->root, start, last); node;
	     node = interval_tree_iter_next(node, start, last)) {
		if (fmap_claims_meet(claim, container_of(node,
							 struct fmap_claim,
							 node)))
			return -EBUSY;
	}
	interval_tree_insert(&claim->node, &index->root);
	return 0;
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
#endif
