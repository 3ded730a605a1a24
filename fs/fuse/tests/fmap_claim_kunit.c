// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_claim.c, which includes this file
 *
 * Claims are built from ranges made by hand.
 */
#include <kunit/test.h>

#define P	PAGE_SIZE

#define CLAIM_MOST_RANGES	6

/* Pages of a device: first and number; the number is 0 behind the last */
struct claim_pages {
	u32 page;
	u32 nr;
};

/* Device, and some of its pages */
struct claim_range {
	u32 dev;
	u32 page;
	u32 nr;
};

/* Passes @nr ranges twice, as a decoder does; false if there is no memory */
static bool claim_build(struct fmap_piece *piece,
			struct fmap_claims_build *build,
			const struct claim_range *ranges, u32 nr)
{
	memset(build, 0, sizeof(*build));
	for (u32 pass = 0; pass < 2; pass++) {
		for (u32 i = 0; i < nr; i++) {
			fmap_claims_add(build, ranges[i].dev,
					ranges[i].page * P, ranges[i].nr * P);
			piece->devs |= BIT_ULL(ranges[i].dev);
		}
		if (!pass && fmap_claims_alloc(build, piece))
			return false;
	}
	return true;
}

/* A piece with claims and nothing else, to be freed by fmap_claims_free() */
static struct fmap_piece *claim_piece(struct kunit *test,
				      const struct claim_range *ranges, u32 nr)
{
	struct fmap_claims_build *build;
	struct fmap_piece *piece;

	piece = kunit_kzalloc(test, sizeof(*piece), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	build = kunit_kzalloc(test, sizeof(*build), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, build);
	if (!claim_build(piece, build, ranges, nr)) {
		fmap_claims_free(piece);
		KUNIT_FAIL_AND_ABORT(test, "no memory");
	}
	return piece;
}

/* All on device @dev */
static struct fmap_piece *claim_pages(struct kunit *test, u32 dev,
				      const struct claim_pages *pages)
{
	struct claim_range ranges[CLAIM_MOST_RANGES];
	u32 nr = 0;

	for (; nr < CLAIM_MOST_RANGES && pages[nr].nr; nr++)
		ranges[nr] = (struct claim_range) { dev, pages[nr].page,
						    pages[nr].nr };
	return claim_piece(test, ranges, nr);
}

static const struct claim_self {
	const char *name;
	struct claim_pages pages[CLAIM_MOST_RANGES];
	u32 nr_ranges;	/* 0: a page is there twice */
} claim_selves[] = {
	{ "one range", {{ 5, 3 }}, 1 },
	{ "goes on", {{ 5, 3 }, { 8, 1 }, { 9, 2 }}, 1 },
	{ "goes on, then in front", {{ 5, 3 }, { 8, 1 }, { 4, 1 }}, 2 },
	{ "goes on at last", {{ 5, 3 }, { 20, 1 }, { 21, 1 }}, 2 },
	{ "falling", {{ 8, 1 }, { 6, 1 }, { 4, 2 }, { 0, 4 }}, 4 },
	{ "filled", {{ 0, 2 }, { 4, 2 }, { 2, 2 }}, 3 },
	{ "twice the same", {{ 5, 3 }, { 5, 3 }} },
	{ "one page twice", {{ 5, 3 }, { 0, 1 }, { 7, 2 }} },
	{ "one page twice, later", {{ 5, 3 }, { 8, 2 }, { 7, 1 }} },
	{ "inside another", {{ 0, 9 }, { 20, 1 }, { 3, 1 }} },
	{ "around another", {{ 3, 1 }, { 0, 9 }} },
};

KUNIT_ARRAY_PARAM_DESC(claim_self, claim_selves, name);

static u32 claim_nr_pages(const struct claim_pages *pages)
{
	u32 nr = 0;

	for (u32 i = 0; i < CLAIM_MOST_RANGES; i++)
		nr += pages[i].nr;
	return nr;
}

static void claim_test_build(struct kunit *test)
{
	const struct claim_self *c = test->param_value;
	struct fmap_piece *piece = claim_pages(test, 63, c->pages);
	int err = fmap_claims_finish(piece);

	KUNIT_EXPECT_EQ(test, err, c->nr_ranges ? 0 : -EINVAL);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 1);
	if (!err) {
		struct fmap_claim *claim = piece->claims[0];
		u64 end = 0, bytes = 0;

		KUNIT_EXPECT_EQ(test, claim->dev, 63);
		KUNIT_EXPECT_EQ(test, claim->nr_ranges, c->nr_ranges);
		KUNIT_EXPECT_EQ(test, claim->node.start,
				claim->ranges[0].start / P);
		for (u32 i = 0; i < claim->nr_ranges; i++) {
			struct fmap_range *range = &claim->ranges[i];

			KUNIT_EXPECT_GE(test, range->start, end);
			end = range->end;
			bytes += end - range->start;
		}
		KUNIT_EXPECT_EQ(test, bytes, claim_nr_pages(c->pages) * P);
		KUNIT_EXPECT_EQ(test, end, fmap_claim_end(claim));
		KUNIT_EXPECT_EQ(test, claim->node.last, end / P - 1);
	}
	fmap_claims_free(piece);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 0);
}

/* By turns on some devices, in no order; one of them has no bytes */
static void claim_test_devices(struct kunit *test)
{
	const struct claim_range ranges[] = {
		{ 7, 30, 2 }, { 1, 20, 3 }, { 5, 0, 0 }, { 7, 32, 1 },
		{ 0, 30, 2 }, { 1, 9, 4 }, { 1, 13, 0 }, { 1, 13, 1 },
	};
	struct fmap_piece *piece;

	piece = claim_piece(test, ranges, ARRAY_SIZE(ranges));
	KUNIT_EXPECT_EQ(test, fmap_claims_finish(piece), 0);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 3);
	if (piece->nr_claims == 3) {
		struct fmap_claim *claim = piece->claims[1];

		KUNIT_EXPECT_EQ(test, piece->claims[0]->dev, 0);
		KUNIT_EXPECT_EQ(test, piece->claims[2]->dev, 7);
		KUNIT_EXPECT_EQ(test, piece->claims[2]->nr_ranges, 1);
		KUNIT_EXPECT_EQ(test, fmap_claim_end(piece->claims[2]), 33 * P);
		KUNIT_EXPECT_EQ(test, claim->dev, 1);
		KUNIT_EXPECT_EQ(test, claim->nr_ranges, 2);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].start, 9 * P);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].end, 14 * P);
		KUNIT_EXPECT_EQ(test, claim->ranges[1].start, 20 * P);
		KUNIT_EXPECT_EQ(test, claim->ranges[1].end, 23 * P);
		KUNIT_EXPECT_EQ(test, claim->node.start, 9);
		KUNIT_EXPECT_EQ(test, claim->node.last, 22);
	}
	fmap_claims_free(piece);
}

/* Devices that are named and hold nothing: no claims, and nothing to free */
static void claim_test_none(struct kunit *test)
{
	const struct claim_range range = { 9, 4, 0 };
	struct fmap_piece *piece = claim_piece(test, &range, 1);
	struct fmap_claim_index index = {};

	KUNIT_EXPECT_EQ(test, fmap_claims_finish(piece), 0);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 0);
	KUNIT_EXPECT_EQ(test, fmap_claim_bytes(piece), 0);
	KUNIT_EXPECT_NULL(test, fmap_claim_next(&index, 0));
	fmap_claims_free(piece);
}

static struct kunit_case claim_test_cases[] = {
	KUNIT_CASE_PARAM(claim_test_build, claim_self_gen_params),
	KUNIT_CASE(claim_test_devices),
	KUNIT_CASE(claim_test_none),
	{},
};

static struct kunit_suite claim_test_suite = {
	.name = "fmap_claim",
	.test_cases = claim_test_cases,
};

kunit_test_suite(claim_test_suite);
