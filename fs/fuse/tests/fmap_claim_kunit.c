// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_claim.c, which includes this file
 *
 * Claims are built from extents made by hand.  Whether two of them meet is
 * written down for the edges, and compared with a table that has the owner of
 * every page for many at random.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define P	PAGE_SIZE

#define CLAIM_MOST_RANGES	6

/* Pages of a device: first and number; the number is 0 behind the last */
struct claim_pages {
	u32 page;
	u32 nr;
};

/* A map of simple extents on device @dev */
static struct fmap *claim_map(struct kunit *test, u32 dev,
			      const struct claim_pages *pages)
{
	struct fmap *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	map->extents = kunit_kcalloc(test, CLAIM_MOST_RANGES,
				     sizeof(*map->extents), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, map->extents);
	for (; map->nr_extents < CLAIM_MOST_RANGES && pages->nr; pages++) {
		map->extents[map->nr_extents++] = (struct fmap_extent) {
			.start = map->end,
			.dev_off = pages->page * P,
			.dev_len = pages->nr * P,
			.dev = dev,
		};
		map->end += pages->nr * P;
	}
	map->devs = BIT_ULL(dev);
	return map;
}

static const struct claim_pair {
	const char *name;
	struct claim_pages a[CLAIM_MOST_RANGES];
	struct claim_pages b[CLAIM_MOST_RANGES];
	bool meet;
} claim_pairs[] = {
	{ "apart", {{ 0, 4 }}, {{ 9, 4 }} },
	{ "side by side", {{ 0, 4 }}, {{ 4, 4 }} },
	{ "the same", {{ 3, 4 }}, {{ 3, 4 }}, true },
	{ "one page", {{ 0, 5 }}, {{ 4, 4 }}, true },
	{ "inside", {{ 0, 9 }}, {{ 4, 1 }}, true },
	{ "in a hole", {{ 0, 2 }, { 5, 2 }}, {{ 2, 3 }} },
	{ "in a hole, a page too long", {{ 0, 2 }, { 5, 2 }}, {{ 2, 4 }}, true },
	{ "in a hole, a page too early", {{ 0, 2 }, { 5, 2 }}, {{ 1, 4 }}, true },
	{ "like teeth", {{ 0, 1 }, { 2, 1 }, { 4, 1 }},
	  {{ 1, 1 }, { 3, 1 }, { 5, 1 }} },
	{ "like teeth but the last", {{ 0, 1 }, { 2, 1 }, { 4, 1 }},
	  {{ 1, 1 }, { 3, 1 }, { 4, 1 }}, true },
	{ "not in order", {{ 8, 1 }, { 0, 1 }, { 4, 1 }},
	  {{ 9, 1 }, { 3, 1 }, { 1, 1 }} },
	{ "not in order, one page", {{ 8, 1 }, { 0, 1 }, { 4, 1 }},
	  {{ 9, 1 }, { 4, 1 }, { 1, 1 }}, true },
	{ "all behind", {{ 0, 1 }, { 2, 1 }, { 4, 1 }, { 6, 1 }, { 8, 1 }},
	  {{ 9, 1 }} },
	{ "the last of many", {{ 0, 1 }, { 2, 1 }, { 4, 1 }, { 6, 1 }, { 8, 1 }},
	  {{ 8, 1 }}, true },
};

KUNIT_ARRAY_PARAM_DESC(claim_pair, claim_pairs, name);

static void claim_expect_pair(struct kunit *test, const struct claim_pages *a,
			      const struct claim_pages *b, bool meet)
{
	struct fmap *first = claim_map(test, 2, a);
	struct fmap *second = claim_map(test, 2, b);
	struct fmap_claim_index index = {};

	KUNIT_EXPECT_EQ(test, fmap_claims_build(first), 0);
	KUNIT_EXPECT_EQ(test, fmap_claims_build(second), 0);
	if (first->nr_claims == 1 && second->nr_claims == 1) {
		KUNIT_EXPECT_EQ(test, 0, fmap_claim_insert(&index,
							   first->claims[0]));
		KUNIT_EXPECT_EQ(test, meet ? -EBUSY : 0,
				fmap_claim_insert(&index, second->claims[0]));
		fmap_claim_remove(&index, first->claims[0]);
		/* What was refused is not there, and may come now */
		KUNIT_EXPECT_EQ(test, meet,
				RB_EMPTY_NODE(&second->claims[0]->node.rb));
		KUNIT_EXPECT_EQ(test, meet, RB_EMPTY_ROOT(&index.root.rb_root));
		fmap_claim_remove(&index, second->claims[0]);
		KUNIT_EXPECT_EQ(test, 0, fmap_claim_insert(&index,
							   second->claims[0]));
		fmap_claim_remove(&index, second->claims[0]);
	} else {
		KUNIT_FAIL(test, "%u and %u claims", first->nr_claims,
			   second->nr_claims);
	}
	fmap_claims_free(first);
	fmap_claims_free(second);
}

static void claim_test_pairs(struct kunit *test)
{
	const struct claim_pair *pair = test->param_value;

	claim_expect_pair(test, pair->a, pair->b, pair->meet);
	claim_expect_pair(test, pair->b, pair->a, pair->meet);
}

static const struct claim_self {
	const char *name;
	struct claim_pages pages[CLAIM_MOST_RANGES];
	int err;
} claim_selves[] = {
	{ "one range", {{ 5, 3 }} },
	{ "side by side", {{ 5, 3 }, { 8, 1 }, { 4, 1 }} },
	{ "falling", {{ 8, 1 }, { 6, 1 }, { 4, 2 }, { 0, 4 }} },
	{ "twice the same", {{ 5, 3 }, { 5, 3 }}, -EINVAL },
	{ "one page twice", {{ 5, 3 }, { 0, 1 }, { 7, 2 }}, -EINVAL },
	{ "inside another", {{ 0, 9 }, { 20, 1 }, { 3, 1 }}, -EINVAL },
	{ "around another", {{ 3, 1 }, { 0, 9 }}, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(claim_self, claim_selves, name);

static void claim_test_build(struct kunit *test)
{
	const struct claim_self *c = test->param_value;
	struct fmap *map = claim_map(test, 63, c->pages);
	int err = fmap_claims_build(map);

	KUNIT_EXPECT_EQ(test, err, c->err);
	if (!err && map->nr_claims == 1) {
		struct fmap_claim *claim = map->claims[0];
		u64 end = 0;

		KUNIT_EXPECT_EQ(test, claim->dev, 63);
		KUNIT_EXPECT_EQ(test, claim->nr_ranges, map->nr_extents);
		for (u32 i = 0; i < claim->nr_ranges; i++) {
			struct fmap_range *range = &claim->ranges[i];

			KUNIT_EXPECT_GE(test, range->start, end);
			KUNIT_EXPECT_EQ(test, range->start,
					map->extents[range->extent].dev_off);
			end = range->end;
		}
		KUNIT_EXPECT_EQ(test, end, fmap_claim_end(claim));
	}
	fmap_claims_free(map);
	KUNIT_EXPECT_EQ(test, map->nr_claims, 0);
}

/* Strips and a simple extent, on three devices; one strip holds nothing */
static void claim_test_strips(struct kunit *test)
{
	struct fmap_extent extents[] = {
		{ .start = 0, .dev = FMAP_STRIPED, .stripe = 0 },
		{ .start = 5 * P, .dev_off = 9 * P, .dev_len = 4 * P, .dev = 1 },
	};
	struct fmap_stripe stripe = { .first = 0, .nr_strips = 4 };
	struct fmap_strip strips[] = {
		{ .dev_off = 20 * P, .len = 3 * P, .dev = 1 },
		{ .dev_off = 30 * P, .len = 2 * P, .dev = 0 },
		{ .dev_off = 30 * P, .len = 2 * P, .dev = 7 },
		{ .dev_off = 31 * P, .len = 0, .dev = 7 },
	};
	struct fmap map = {
		.end = 8 * P, .devs = BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(7),
		.nr_extents = 2, .nr_stripes = 1, .nr_strips = 4,
		.extents = extents, .stripes = &stripe, .strips = strips,
	};

	KUNIT_EXPECT_EQ(test, fmap_claims_build(&map), 0);
	KUNIT_EXPECT_EQ(test, map.nr_claims, 3);
	if (map.nr_claims == 3) {
		struct fmap_claim *claim = map.claims[1];

		KUNIT_EXPECT_EQ(test, map.claims[0]->dev, 0);
		KUNIT_EXPECT_EQ(test, map.claims[2]->dev, 7);
		KUNIT_EXPECT_EQ(test, map.claims[2]->nr_ranges, 1);
		KUNIT_EXPECT_EQ(test, claim->dev, 1);
		KUNIT_EXPECT_EQ(test, claim->nr_ranges, 2);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].start, 9 * P);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].extent, 1);
		KUNIT_EXPECT_EQ(test, claim->ranges[1].end, 23 * P);
		KUNIT_EXPECT_EQ(test, claim->ranges[1].extent, 0);
		KUNIT_EXPECT_EQ(test, claim->ranges[1].strip, 0);
		KUNIT_EXPECT_EQ(test, claim->node.start, 9);
		KUNIT_EXPECT_EQ(test, claim->node.last, 22);
	}
	fmap_claims_free(&map);
}

static void claim_test_none(struct kunit *test)
{
	struct fmap map = {};
	struct fmap_claim_index index = {};

	KUNIT_EXPECT_EQ(test, fmap_claims_build(&map), 0);
	KUNIT_EXPECT_EQ(test, map.nr_claims, 0);
	KUNIT_EXPECT_NULL(test, fmap_claim_next(&index, 0));
	fmap_claims_free(&map);
}

#define CLAIM_DEVICE_PAGES	120
#define CLAIM_MAPS		20

/* Walks the index; it must have just who owns a page, by their first pages */
static void claim_expect_owners(struct kunit *test,
				struct fmap_claim_index *index,
				struct fmap **owners)
{
	struct fmap_claim *claim = fmap_claim_next(index, 0);
	struct fmap *seen[CLAIM_MAPS];
	u32 nr = 0;

	for (u32 page = 0; page < CLAIM_DEVICE_PAGES; page++) {
		u32 i = 0;

		while (i < nr && seen[i] != owners[page])
			i++;
		if (!owners[page] || i < nr)
			continue;
		seen[nr++] = owners[page];
		KUNIT_ASSERT_PTR_EQ(test, claim, owners[page]->claims[0]);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].start, page * P);
		claim = fmap_claim_next(index, page * P + 1);
	}
	KUNIT_EXPECT_NULL(test, claim);
}

static void claim_set_owner(struct fmap **owners, const struct fmap *map,
			    struct fmap *owner)
{
	for (u32 i = 0; i < map->nr_extents; i++) {
		const struct fmap_extent *ext = &map->extents[i];
		u32 page = ext->dev_off / P;

		for (u32 k = 0; k < ext->dev_len / P; k++)
			owners[page + k] = owner;
	}
}

/* Ranges anywhere; tells whether one is there twice, or taken already */
static struct fmap *claim_random(struct kunit *test, struct rnd_state *rnd,
				 struct fmap **owners, bool *twice, bool *taken)
{
	struct claim_pages pages[CLAIM_MOST_RANGES] = {};
	bool used[CLAIM_DEVICE_PAGES] = {};
	u32 nr = 1 + prandom_u32_state(rnd) % (CLAIM_MOST_RANGES - 1);

	*twice = false;
	*taken = false;
	for (u32 i = 0; i < nr; i++) {
		pages[i].nr = 1 + prandom_u32_state(rnd) % 3;
		pages[i].page = prandom_u32_state(rnd) %
				(CLAIM_DEVICE_PAGES - pages[i].nr);
		for (u32 k = 0; k < pages[i].nr; k++) {
			*twice |= used[pages[i].page + k];
			*taken |= !!owners[pages[i].page + k];
			used[pages[i].page + k] = true;
		}
	}
	return claim_map(test, 0, pages);
}

static void claim_test_random(struct kunit *test)
{
	struct fmap_claim_index index = {};
	struct fmap *maps[CLAIM_MAPS] = {};
	struct fmap **owners;
	struct rnd_state rnd;

	owners = kunit_kcalloc(test, CLAIM_DEVICE_PAGES, sizeof(*owners),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, owners);
	prandom_seed_state(&rnd, 4);
	for (u32 i = 0; i < 3000; i++) {
		struct fmap **slot = &maps[prandom_u32_state(&rnd) % CLAIM_MAPS];
		struct fmap *map = *slot;
		bool twice, taken;
		int err;

		if (map) {
			fmap_claim_remove(&index, map->claims[0]);
			claim_set_owner(owners, map, NULL);
			fmap_claims_free(map);
			*slot = NULL;
			claim_expect_owners(test, &index, owners);
			continue;
		}

		map = claim_random(test, &rnd, owners, &twice, &taken);
		err = fmap_claims_build(map);
		KUNIT_EXPECT_EQ(test, err, twice ? -EINVAL : 0);
		if (!err) {
			err = fmap_claim_insert(&index, map->claims[0]);
			KUNIT_EXPECT_EQ(test, err, taken ? -EBUSY : 0);
		}
		if (err) {
			fmap_claims_free(map);
		} else {
			claim_set_owner(owners, map, map);
			*slot = map;
		}
		claim_expect_owners(test, &index, owners);
	}
	for (u32 i = 0; i < CLAIM_MAPS; i++) {
		if (maps[i])
			fmap_claims_free(maps[i]);
	}
}

static struct kunit_case claim_test_cases[] = {
	KUNIT_CASE_PARAM(claim_test_build, claim_self_gen_params),
	KUNIT_CASE_PARAM(claim_test_pairs, claim_pair_gen_params),
	KUNIT_CASE(claim_test_strips),
	KUNIT_CASE(claim_test_none),
	KUNIT_CASE(claim_test_random),
	{},
};

static struct kunit_suite claim_test_suite = {
	.name = "fmap_claim",
	.test_cases = claim_test_cases,
};

kunit_test_suite(claim_test_suite);
