// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_resolve.c, which includes this file
 *
 * The pieces are made by hand and the answers written down; where there are too
 * many of them, they are compared with a walk from chunk to chunk.
 */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/prandom.h>

#define P	PAGE_SIZE

#define RESOLVE_STRIPED(i) \
	(FMAP_STRIPED | (u64)(i) << PAGE_SHIFT)

/* Chunks of two pages; strip 1 is on the device of strip 0 */
static u64 resolve_strips[] = { 100 * P | 5, 50 * P | 5, 200 * P | 6 };

static struct fmap_stripe resolve_stripes[] = {
	{ .first = 0, .nr_strips = 3 },
};

/*
 * [0, 3) and [3, 4) simple, [4, 14) striped, [14, 15) simple; in pages.  It is a
 * slice: the first page is not there.
 */
static struct fmap_piece resolve_piece = {
	.start = P,
	.end = 15 * P,
	.nr_extents = 4,
	.nr_stripes = ARRAY_SIZE(resolve_stripes),
	.nr_strips = ARRAY_SIZE(resolve_strips),
	.stripes = resolve_stripes,
	.strips = resolve_strips,
	.extents = {
		{ .start = 0, .at = 6 * P | 0 },
		{ .start = 3 * P, .at = 0 | 63 },
		{ .start = 4 * P, .at = RESOLVE_STRIPED(0) },
		{ .start = 14 * P, .at = 40 * P | 1 },
	},
};

static const struct resolve_case {
	const char *name;
	u64 pos;
	u64 len;
	u32 dev;
	u64 off;
	u64 run;	/* 0: no answer is expected */
} resolve_cases[] = {
	{ "in front of the slice", 0, U64_MAX, },
	{ "last byte in front of it", P - 1, U64_MAX, },
	{ "first byte", P, 1, 0, 7 * P, 1 },
	{ "first extent whole", P, 2 * P, 0, 7 * P, 2 * P },
	{ "run ends with the extent", P, U64_MAX, 0, 7 * P, 2 * P },
	{ "inside an extent", 2 * P + 3, 10, 0, 8 * P + 3, 10 },
	{ "last byte of an extent", 3 * P - 1, P, 0, 9 * P - 1, 1 },
	{ "first byte of the next", 3 * P, 5 * P, 63, 0, P },
	{ "first chunk", 4 * P, U64_MAX, 5, 100 * P, 2 * P },
	{ "inside a chunk", 5 * P + 1, U64_MAX, 5, 101 * P + 1, P - 1 },
	{ "last byte of a chunk", 6 * P - 1, U64_MAX, 5, 102 * P - 1, 1 },
	{ "second strip", 6 * P, U64_MAX, 5, 50 * P, 2 * P },
	{ "third strip", 8 * P, 2 * P, 6, 200 * P, 2 * P },
	{ "second round", 10 * P, U64_MAX, 5, 102 * P, 2 * P },
	{ "last chunk", 12 * P, U64_MAX, 5, 52 * P, 2 * P },
	{ "last byte of the stripes", 14 * P - 1, 2, 5, 54 * P - 1, 1 },
	{ "behind the stripes", 14 * P, U64_MAX, 1, 40 * P, P },
	{ "last byte", 15 * P - 1, U64_MAX, 1, 41 * P - 1, 1 },
	{ "behind the end", 15 * P, 1, },
	{ "far behind the end", U64_MAX, U64_MAX, },
	{ "nothing wanted", 4 * P, 0, },
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
	bool found = fmap_resolve(&resolve_piece, c->pos, c->len, &loc);

	KUNIT_EXPECT_EQ(test, found, !!c->run);
	KUNIT_EXPECT_EQ(test, loc.dev, c->dev);
	KUNIT_EXPECT_EQ(test, loc.off, c->off);
	KUNIT_EXPECT_EQ(test, loc.len, c->run);
}

/* A piece of @nr extents, all to be filled in */
static struct fmap_piece *resolve_alloc(struct kunit *test, u32 nr)
{
	struct fmap_piece *piece;

	piece = kunit_kzalloc(test, struct_size(piece, extents, nr),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	piece->nr_extents = nr;
	return piece;
}

/* The piece begins and ends inside a chunk, as a slice may */
static void resolve_test_cut_chunk(struct kunit *test)
{
	struct fmap_piece *piece = resolve_alloc(test, 1);
	struct fmap_loc loc;

	piece->start = 7 * P;
	piece->end = 11 * P;
	piece->stripes = resolve_stripes;
	piece->strips = resolve_strips;
	piece->extents[0] = resolve_piece.extents[2];
	KUNIT_EXPECT_FALSE(test, fmap_resolve(piece, 7 * P - 1, 1, &loc));
	KUNIT_ASSERT_TRUE(test, fmap_resolve(piece, 7 * P, U64_MAX, &loc));
	KUNIT_EXPECT_EQ(test, loc.dev, 5);
	KUNIT_EXPECT_EQ(test, loc.off, 51 * P);
	KUNIT_EXPECT_EQ(test, loc.len, P);
	KUNIT_ASSERT_TRUE(test, fmap_resolve(piece, 10 * P, U64_MAX, &loc));
	KUNIT_EXPECT_EQ(test, loc.off, 102 * P);
	KUNIT_EXPECT_EQ(test, loc.len, P);
	KUNIT_EXPECT_FALSE(test, fmap_resolve(piece, 11 * P, 1, &loc));
}

/* What fits a word comes out of it again, at the ends of both */
static void resolve_test_at(struct kunit *test)
{
	const u64 off = (u64)MAX_LFS_FILESIZE & PAGE_MASK;
	const struct fmap_extent striped = {
		.at = fmap_at(FMAP_STRIPED, off),
	};
	const struct fmap_extent simple = {
		.at = fmap_at(FUSE_FMAP_MAX_DEVS - 1, off),
	};

	KUNIT_EXPECT_TRUE(test, fmap_extent_striped(&striped));
	KUNIT_EXPECT_EQ(test, fmap_at_off(striped.at), off);
	KUNIT_EXPECT_FALSE(test, fmap_extent_striped(&simple));
	KUNIT_EXPECT_EQ(test, fmap_at_dev(simple.at), FUSE_FMAP_MAX_DEVS - 1);
	KUNIT_EXPECT_EQ(test, fmap_at_off(simple.at), off);
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
	struct fmap_piece *piece = resolve_alloc(test, 1);
	struct fmap_stripe stripe = { .nr_strips = nr };
	u64 strips[19] = {}, next[19] = {};
	struct fmap_loc loc;

	piece->end = pages * P;
	piece->stripes = &stripe;
	piece->strips = strips;
	piece->extents[0].at = RESOLVE_STRIPED(0);
	fmap_div_init(&stripe.chunk, chunk);
	fmap_div_init(&stripe.width, chunk * nr);
	for (u32 i = 0; i < nr; i++)
		strips[i] = fmap_at(i, i * 1000 * P);

	for (u64 page = 0; page < pages; page++) {
		u32 strip = page / chunk % nr;
		u64 left = min(chunk - page % chunk, pages - page);

		KUNIT_ASSERT_TRUE(test, fmap_resolve(piece, page * P + 9,
						     U64_MAX, &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, strip);
		KUNIT_EXPECT_EQ(test, loc.off,
				strip * 1000 * P + next[strip] * P + 9);
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
				  struct rnd_state *rnd)
{
	struct fmap_piece *piece = resolve_alloc(test, nr);
	struct fmap_extent *ext = piece->extents;
	struct fmap_loc loc;

	for (u32 i = 0; i < nr; i++) {
		ext[i].start = piece->end;
		ext[i].at = fmap_at(i % FUSE_FMAP_MAX_DEVS, i * 100 * P);
		piece->end += P * (1 + prandom_u32_state(rnd) % 5);
	}
	for (u32 i = 0; i < nr; i++) {
		u64 end = i + 1 < nr ? ext[i + 1].start : piece->end;
		u64 len = end - ext[i].start;

		KUNIT_EXPECT_PTR_EQ(test, &ext[i],
				    fmap_find(piece, ext[i].start));
		KUNIT_EXPECT_PTR_EQ(test, &ext[i], fmap_find(piece, end - 1));
		KUNIT_EXPECT_TRUE(test, fmap_resolve(piece, ext[i].start,
						     U64_MAX, &loc));
		KUNIT_EXPECT_EQ(test, loc.off, i * 100 * P);
		KUNIT_EXPECT_EQ(test, loc.len, len);
		KUNIT_EXPECT_TRUE(test, fmap_resolve(piece, end - 1, U64_MAX,
						     &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, i % FUSE_FMAP_MAX_DEVS);
		KUNIT_EXPECT_EQ(test, loc.off, i * 100 * P + len - 1);
		KUNIT_EXPECT_EQ(test, loc.len, 1);
	}
}

static void resolve_test_search(struct kunit *test)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 3);
	for (u32 nr = 1; nr <= 140; nr++)
		resolve_expect_search(test, nr, &rnd);
}

static struct kunit_case resolve_test_cases[] = {
	KUNIT_CASE_PARAM(resolve_test_positions, resolve_gen_params),
	KUNIT_CASE(resolve_test_cut_chunk),
	KUNIT_CASE(resolve_test_at),
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
