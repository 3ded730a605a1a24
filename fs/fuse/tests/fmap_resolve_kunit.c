// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_resolve.c, which includes this file
 *
 * The maps are made by hand and the answers written down; where there are too
 * many of them, they are compared with a walk from chunk to chunk.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define P	PAGE_SIZE

/* [0, 2) and [2, 3) simple, [3, 13) striped, [13, 14) simple; in pages */
static struct fmap_extent resolve_extents[] = {
	{ .start = 0, .dev_off = 7 * P, .dev_len = 2 * P, .dev = 0 },
	{ .start = 2 * P, .dev_off = 0, .dev_len = P, .dev = 63 },
	{ .start = 3 * P, .dev = FMAP_STRIPED, .stripe = 0 },
	{ .start = 13 * P, .dev_off = 40 * P, .dev_len = P, .dev = 1 },
};

/* Chunks of two pages; strip 1 is on the device of strip 0 */
static struct fmap_strip resolve_strips[] = {
	{ .dev_off = 100 * P, .len = 4 * P, .dev = 5 },
	{ .dev_off = 50 * P, .len = 4 * P, .dev = 5 },
	{ .dev_off = 200 * P, .len = 2 * P, .dev = 6 },
};

static struct fmap_stripe resolve_stripes[] = {
	{ .first = 0, .nr_strips = 3 },
};

static struct fmap resolve_map = {
	.end = 14 * P,
	.nr_extents = ARRAY_SIZE(resolve_extents),
	.nr_stripes = ARRAY_SIZE(resolve_stripes),
	.nr_strips = ARRAY_SIZE(resolve_strips),
	.extents = resolve_extents,
	.stripes = resolve_stripes,
	.strips = resolve_strips,
};

static const struct resolve_case {
	const char *name;
	u64 pos;
	u64 len;
	u32 dev;
	u64 off;
	u64 run;	/* 0: no answer is expected */
} resolve_cases[] = {
	{ "first byte", 0, 1, 0, 7 * P, 1 },
	{ "first extent whole", 0, 2 * P, 0, 7 * P, 2 * P },
	{ "run ends with the extent", 0, U64_MAX, 0, 7 * P, 2 * P },
	{ "inside an extent", P + 3, 10, 0, 8 * P + 3, 10 },
	{ "last byte of an extent", 2 * P - 1, P, 0, 9 * P - 1, 1 },
	{ "first byte of the next", 2 * P, 5 * P, 63, 0, P },
	{ "first chunk", 3 * P, U64_MAX, 5, 100 * P, 2 * P },
	{ "inside a chunk", 4 * P + 1, U64_MAX, 5, 101 * P + 1, P - 1 },
	{ "last byte of a chunk", 5 * P - 1, U64_MAX, 5, 102 * P - 1, 1 },
	{ "second strip", 5 * P, U64_MAX, 5, 50 * P, 2 * P },
	{ "third strip", 7 * P, 2 * P, 6, 200 * P, 2 * P },
	{ "second round", 9 * P, U64_MAX, 5, 102 * P, 2 * P },
	{ "last chunk", 11 * P, U64_MAX, 5, 52 * P, 2 * P },
	{ "last byte of the stripes", 13 * P - 1, 2, 5, 54 * P - 1, 1 },
	{ "behind the stripes", 13 * P, U64_MAX, 1, 40 * P, P },
	{ "last byte", 14 * P - 1, U64_MAX, 1, 41 * P - 1, 1 },
	{ "behind the end", 14 * P, 1, },
	{ "far behind the end", U64_MAX, U64_MAX, },
	{ "nothing wanted", 3 * P, 0, },
};

KUNIT_ARRAY_PARAM_DESC(resolve, resolve_cases, name);

static int resolve_suite_init(struct kunit_suite *suite)
{
	fmap_div_init(&resolve_stripes[0].chunk, 2);
	fmap_div_init(&resolve_stripes[0].width, 6);
	return 0;
}

static void resolve_test_positions(struct kunit *test)
{
	const struct resolve_case *c = test->param_value;
	struct fmap_loc loc = {};
	bool found = fmap_resolve(&resolve_map, c->pos, c->len, &loc);

	KUNIT_EXPECT_EQ(test, found, !!c->run);
	KUNIT_EXPECT_EQ(test, loc.dev, c->dev);
	KUNIT_EXPECT_EQ(test, loc.off, c->off);
	KUNIT_EXPECT_EQ(test, loc.len, c->run);
}

static void resolve_test_empty(struct kunit *test)
{
	const struct fmap map = {};
	struct fmap_loc loc;

	KUNIT_EXPECT_FALSE(test, fmap_resolve(&map, 0, 1, &loc));
	KUNIT_EXPECT_FALSE(test, fmap_resolve(&map, U64_MAX, 1, &loc));
}

/* The map ends inside a chunk, as it does when the file does */
static void resolve_test_cut_chunk(struct kunit *test)
{
	struct fmap map = resolve_map;
	struct fmap_loc loc;

	map.nr_extents = 3;
	map.end = 10 * P;
	KUNIT_ASSERT_TRUE(test, fmap_resolve(&map, 9 * P, U64_MAX, &loc));
	KUNIT_EXPECT_EQ(test, loc.off, 102 * P);
	KUNIT_EXPECT_EQ(test, loc.len, P);
	KUNIT_EXPECT_FALSE(test, fmap_resolve(&map, 10 * P, 1, &loc));
}

static void resolve_expect_div(struct kunit *test, u64 n, u64 d)
{
	struct fmap_div div;
	u64 quot, rem, want;

	fmap_div_init(&div, d);
	quot = fmap_div_rem(&div, n, &rem);
	KUNIT_EXPECT_EQ_MSG(test, quot, div64_u64_rem(n, d, &want),
			    "%llu / %llu", n, d);
	KUNIT_EXPECT_EQ_MSG(test, rem, want, "%llu %% %llu", n, d);
}

/* Around multiples of the divisor, where the reciprocal may fall short */
static void resolve_expect_divs(struct kunit *test, u64 n, u64 d)
{
	u64 multiple = n - n % d;

	resolve_expect_div(test, n, d);
	resolve_expect_div(test, multiple, d);
	resolve_expect_div(test, multiple - 1, d);
	resolve_expect_div(test, multiple + d - 1, d);
	resolve_expect_div(test, U64_MAX, d);
	resolve_expect_div(test, 0, d);
}

static u64 resolve_random(struct rnd_state *rnd)
{
	u64 n = (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);

	return n >> (prandom_u32_state(rnd) % 64);
}

static void resolve_test_division(struct kunit *test)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 1);
	for (u64 d = 1; d < 300; d++)
		resolve_expect_divs(test, resolve_random(&rnd), d);
	for (u32 shift = 0; shift < 64; shift++) {
		u64 d = 1ULL << shift;

		resolve_expect_divs(test, resolve_random(&rnd), d);
		resolve_expect_divs(test, resolve_random(&rnd), d + 1);
		resolve_expect_divs(test, resolve_random(&rnd), d - !!shift);
	}
	for (u32 i = 0; i < 10000; i++)
		resolve_expect_divs(test, resolve_random(&rnd),
				    resolve_random(&rnd) | 1);
}

/* One extent that goes round @nr strips, compared page by page with a walk */
static void resolve_expect_stripes(struct kunit *test, u64 chunk, u32 nr,
				   u64 pages)
{
	struct fmap_extent ext = { .dev = FMAP_STRIPED };
	struct fmap_stripe stripe = { .nr_strips = nr };
	struct fmap_strip strips[19] = {};
	struct fmap map = {
		.end = pages * P, .nr_extents = 1, .extents = &ext,
		.stripes = &stripe, .strips = strips,
	};
	u64 next[19] = {};
	struct fmap_loc loc;

	fmap_div_init(&stripe.chunk, chunk);
	fmap_div_init(&stripe.width, chunk * nr);
	for (u32 i = 0; i < nr; i++) {
		strips[i].dev = i;
		strips[i].dev_off = i * 1000 * P;
	}

	for (u64 page = 0; page < pages; page++) {
		u32 strip = page / chunk % nr;
		u64 left = min(chunk - page % chunk, pages - page);

		KUNIT_ASSERT_TRUE(test, fmap_resolve(&map, page * P + 9,
						     U64_MAX, &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, strip);
		KUNIT_EXPECT_EQ(test, loc.off,
				strips[strip].dev_off + next[strip] * P + 9);
		KUNIT_EXPECT_EQ(test, loc.len, left * P - 9);
		next[strip]++;
	}
}

static void resolve_test_stripes(struct kunit *test)
{
	struct rnd_state rnd;

	resolve_expect_stripes(test, 1, 2, 9);
	resolve_expect_stripes(test, 512, 2, 2000);
	resolve_expect_stripes(test, 3, 19, 400);
	resolve_expect_stripes(test, 7, 1, 50);

	prandom_seed_state(&rnd, 2);
	for (u32 i = 0; i < 50; i++)
		resolve_expect_stripes(test, 1 + prandom_u32_state(&rnd) % 50,
				       1 + prandom_u32_state(&rnd) % 19,
				       1 + prandom_u32_state(&rnd) % 900);
}

/* Any number of extents of any length: the search finds each of them */
static void resolve_expect_search(struct kunit *test, u32 nr,
				  struct fmap_extent *ext, struct rnd_state *rnd)
{
	struct fmap map = { .nr_extents = nr, .extents = ext };
	struct fmap_loc loc;
	u64 pos = 0;

	for (u32 i = 0; i < nr; i++) {
		ext[i].start = pos;
		ext[i].dev = i;
		ext[i].dev_len = P * (1 + prandom_u32_state(rnd) % 5);
		pos += ext[i].dev_len;
	}
	map.end = pos;
	for (u32 i = 0; i < nr; i++) {
		KUNIT_EXPECT_TRUE(test, fmap_resolve(&map, ext[i].start,
						     U64_MAX, &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, i);
		KUNIT_EXPECT_EQ(test, loc.len, ext[i].dev_len);
		KUNIT_EXPECT_TRUE(test, fmap_resolve(&map, ext[i].start +
						     ext[i].dev_len - 1,
						     U64_MAX, &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, i);
		KUNIT_EXPECT_EQ(test, loc.len, 1);
	}
}

static void resolve_test_search(struct kunit *test)
{
	const u32 most = 140;
	struct fmap_extent *ext;
	struct rnd_state rnd;

	ext = kunit_kzalloc(test, most * sizeof(*ext), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ext);
	prandom_seed_state(&rnd, 3);
	for (u32 nr = 1; nr <= most; nr++)
		resolve_expect_search(test, nr, ext, &rnd);
}

static struct kunit_case resolve_test_cases[] = {
	KUNIT_CASE_PARAM(resolve_test_positions, resolve_gen_params),
	KUNIT_CASE(resolve_test_empty),
	KUNIT_CASE(resolve_test_cut_chunk),
	KUNIT_CASE(resolve_test_division),
	KUNIT_CASE(resolve_test_stripes),
	KUNIT_CASE(resolve_test_search),
	{},
};

static struct kunit_suite resolve_test_suite = {
	.name = "fmap_resolve",
	.suite_init = resolve_suite_init,
	.test_cases = resolve_test_cases,
};

kunit_test_suite(resolve_test_suite);
