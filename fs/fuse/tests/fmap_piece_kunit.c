// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_piece.c, which includes this file
 *
 * A table of slices has the claims that each must have; and all slices of
 * pieces made at random are compared with a model that knows each page.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define P	PAGE_SIZE

#define PIECE_MOST_STRIPS	5

/* What a piece is made of; an extent of one strip is a simple one */
struct piece_extent {
	u32 pages;
	u32 chunk;
	u32 nr_strips;
	struct {
		u32 dev;
		u32 page;
	} strip[PIECE_MOST_STRIPS];
};

static void piece_add_stripe(struct fmap_piece *piece,
			     const struct piece_extent *ext)
{
	struct fmap_stripe *stripe = &piece->stripes[piece->nr_stripes++];

	fmap_div_init(&stripe->chunk, ext->chunk);
	fmap_div_init(&stripe->width, ext->chunk * ext->nr_strips);
	stripe->first = piece->nr_strips;
	stripe->nr_strips = ext->nr_strips;
	for (u32 i = 0; i < ext->nr_strips; i++)
		piece->strips[piece->nr_strips++] =
			fmap_at(ext->strip[i].dev, ext->strip[i].page * P);
}

/* A piece without claims, which a slice of all of it has */
static struct fmap_piece *piece_make(struct kunit *test, u64 start,
				     const struct piece_extent *ext, u32 nr)
{
	u32 nr_stripes = 0, nr_strips = 0;
	struct fmap_piece *piece;

	for (u32 i = 0; i < nr; i++) {
		nr_stripes += ext[i].nr_strips > 1;
		nr_strips += ext[i].nr_strips > 1 ? ext[i].nr_strips : 0;
	}
	piece = fmap_piece_alloc(nr, nr_stripes, nr_strips);
	KUNIT_ASSERT_NOT_NULL(test, piece);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 0);
	KUNIT_EXPECT_EQ(test, fmap_piece_bytes(piece),
			sizeof(*piece) + 16 * nr + 40 * nr_stripes +
			8 * nr_strips);

	piece->start = start;
	piece->end = start;
	piece->nr_stripes = 0;
	piece->nr_strips = 0;
	for (u32 i = 0; i < nr; i++) {
		u64 at = fmap_at(FMAP_STRIPED,
				 (u64)piece->nr_stripes << PAGE_SHIFT);

		if (ext[i].nr_strips > 1)
			piece_add_stripe(piece, &ext[i]);
		else
			at = fmap_at(ext[i].strip[0].dev,
				     ext[i].strip[0].page * P);
		piece->extents[i].start = piece->end;
		piece->extents[i].at = at;
		piece->end += ext[i].pages * P;
	}
	return piece;
}

/*
 * From page 10 on: [10, 14) simple; [14, 25) on strips by two pages, so a whole
 * stripe of six, and five more; [25, 27) simple, on a device of the strips
 */
static const struct piece_extent piece_extents[] = {
	{ 4, 0, 1, {{ 1, 100 }} },
	{ 11, 2, 3, {{ 2, 200 }, { 3, 300 }, { 2, 400 }} },
	{ 2, 0, 1, {{ 3, 50 }} },
};

#define PIECE_MOST_RANGES	5

static const struct piece_slice {
	const char *name;
	u32 first;
	u32 end;
	u32 nr_extents;
	u32 nr_stripes;
	u32 nr_claims;
	/* All of them, in any order; there are none behind an empty one */
	struct {
		u32 dev;
		u32 page;
		u32 nr;
	} range[PIECE_MOST_RANGES];
} piece_slices[] = {
	{ "all", 10, 27, 3, 1, 3,
	  {{ 1, 100, 4 }, { 2, 200, 4 }, { 2, 400, 3 }, { 3, 50, 2 },
	   { 3, 300, 4 }} },
	{ "first page", 10, 11, 1, 0, 1, {{ 1, 100, 1 }} },
	{ "last page", 26, 27, 1, 0, 1, {{ 3, 51, 1 }} },
	{ "inside the first extent", 11, 13, 1, 0, 1, {{ 1, 101, 2 }} },
	{ "first extent", 10, 14, 1, 0, 1, {{ 1, 100, 4 }} },
	{ "last page and first of the next", 13, 15, 2, 1, 2,
	  {{ 1, 103, 1 }, { 2, 200, 1 }} },
	{ "first chunk", 14, 16, 1, 1, 1, {{ 2, 200, 2 }} },
	{ "part of a chunk", 17, 18, 1, 1, 1, {{ 3, 301, 1 }} },
	{ "ends of two chunks", 15, 17, 1, 1, 2, {{ 2, 201, 1 }, { 3, 300, 1 }} },
	{ "whole stripe", 14, 20, 1, 1, 2,
	  {{ 2, 200, 2 }, { 2, 400, 2 }, { 3, 300, 2 }} },
	{ "from stripe to stripe", 19, 21, 1, 1, 1,
	  {{ 2, 202, 1 }, { 2, 401, 1 }} },
	{ "second stripe", 20, 25, 1, 1, 2,
	  {{ 2, 202, 2 }, { 2, 402, 1 }, { 3, 302, 2 }} },
	{ "as wide as a stripe, between two", 17, 23, 1, 1, 2,
	  {{ 2, 202, 2 }, { 2, 400, 2 }, { 3, 301, 2 }} },
	{ "last chunk, not full", 24, 25, 1, 1, 1, {{ 2, 402, 1 }} },
	{ "last chunk, and behind", 24, 26, 2, 1, 2,
	  {{ 2, 402, 1 }, { 3, 50, 1 }} },
	{ "a page on each side", 13, 26, 3, 1, 3,
	  {{ 1, 103, 1 }, { 2, 200, 4 }, { 2, 400, 3 }, { 3, 50, 1 },
	   { 3, 300, 4 }} },
};

KUNIT_ARRAY_PARAM_DESC(piece_slice, piece_slices, name);

static bool piece_has_range(const struct fmap_piece *piece, u32 dev, u64 start,
			    u64 end)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		for (u32 k = 0; claim->dev == dev && k < claim->nr_ranges; k++)
			if (claim->ranges[k].start == start &&
			    claim->ranges[k].end == end)
				return true;
	}
	return false;
}

static u64 piece_claimed(const struct fmap_piece *piece)
{
	u64 bytes = 0;

	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		for (u32 k = 0; k < claim->nr_ranges; k++)
			bytes += claim->ranges[k].end - claim->ranges[k].start;
	}
	return bytes;
}

static void piece_test_slice(struct kunit *test)
{
	const struct piece_slice *c = test->param_value;
	struct fmap_piece *slice, *piece;
	u64 devs = 0, pages = 0;

	piece = piece_make(test, 10 * P, piece_extents,
			   ARRAY_SIZE(piece_extents));
	KUNIT_ASSERT_EQ(test, 0, fmap_piece_slice(piece, c->first * P,
						  c->end * P, &slice));
	KUNIT_EXPECT_EQ(test, slice->start, c->first * P);
	KUNIT_EXPECT_EQ(test, slice->end, c->end * P);
	KUNIT_EXPECT_EQ(test, slice->nr_extents, c->nr_extents);
	KUNIT_EXPECT_EQ(test, slice->nr_stripes, c->nr_stripes);
	KUNIT_EXPECT_EQ(test, slice->nr_strips, 3 * c->nr_stripes);
	KUNIT_EXPECT_EQ(test, slice->nr_claims, c->nr_claims);
	for (u32 i = 0; i < PIECE_MOST_RANGES && c->range[i].nr; i++) {
		u64 start = c->range[i].page * P;

		KUNIT_EXPECT_TRUE(test,
				  piece_has_range(slice, c->range[i].dev, start,
						  start + c->range[i].nr * P));
		devs |= BIT_ULL(c->range[i].dev);
		pages += c->range[i].nr;
	}
	KUNIT_EXPECT_EQ(test, slice->devs, devs);
	KUNIT_EXPECT_EQ(test, piece_claimed(slice), pages * P);
	KUNIT_EXPECT_EQ(test, pages, c->end - c->first);
	fmap_piece_free(slice);
	fmap_piece_free(piece);
}

static void piece_test_free(struct kunit *test)
{
	fmap_piece_free(NULL);
	/* As it is when there was no memory for claims */
	fmap_piece_free(fmap_piece_alloc(1, 0, 0));
}

#define PIECE_MOST_EXTENTS	4
#define PIECE_MOST_PAGES	40
#define PIECE_DEVS		3
#define PIECE_DEV_PAGES		300

/**
 * struct piece_model - where each page of a piece lies
 * @rnd: source of all choices
 * @ext: what the piece is made of
 * @nr: number of these
 * @pages: pages of the piece
 * @dev: device of each
 * @page: page of that device
 * @next: next free page of each device
 * @open: pages of the devices that no claim was found for yet
 */
struct piece_model {
	struct rnd_state rnd;
	struct piece_extent ext[PIECE_MOST_EXTENTS];
	u32 nr;
	u32 pages;
	u32 dev[PIECE_MOST_PAGES];
	u32 page[PIECE_MOST_PAGES];
	u32 next[PIECE_DEVS];
	u8 open[PIECE_DEVS][PIECE_DEV_PAGES];
};

static u32 piece_random(struct piece_model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

static void piece_model_add(struct piece_model *model)
{
	struct piece_extent *ext = &model->ext[model->nr++];
	u32 used[PIECE_MOST_STRIPS] = {};

	ext->nr_strips = 1 + piece_random(model, PIECE_MOST_STRIPS);
	ext->chunk = 1 + piece_random(model, 4);
	ext->pages = 1 + piece_random(model, PIECE_MOST_PAGES /
					     PIECE_MOST_EXTENTS);
	for (u32 i = 0; i < ext->nr_strips; i++) {
		u32 dev = piece_random(model, PIECE_DEVS);

		ext->strip[i].dev = dev;
		ext->strip[i].page = model->next[dev] + piece_random(model, 2);
		model->next[dev] = ext->strip[i].page + ext->pages;
	}
	for (u32 i = 0; i < ext->pages; i++) {
		u32 strip = i / ext->chunk % ext->nr_strips;

		model->dev[model->pages] = ext->strip[strip].dev;
		model->page[model->pages++] = ext->strip[strip].page +
					      used[strip]++;
	}
}

/* Each claimed page is there once, and no other */
static void piece_expect_claims(struct kunit *test, struct piece_model *model,
				const struct fmap_piece *slice, u32 first,
				u32 end)
{
	u64 devs = 0;

	memset(model->open, 0, sizeof(model->open));
	for (u32 i = first; i < end; i++)
		model->open[model->dev[i]][model->page[i]]++;
	for (u32 i = 0; i < slice->nr_claims; i++) {
		const struct fmap_claim *claim = slice->claims[i];

		KUNIT_ASSERT_TRUE(test, claim->dev < PIECE_DEVS);
		devs |= BIT_ULL(claim->dev);
		for (u32 k = 0; k < claim->nr_ranges; k++)
			for (u64 at = claim->ranges[k].start;
			     at < claim->ranges[k].end; at += P)
				model->open[claim->dev][at / P]--;
	}
	KUNIT_EXPECT_NULL(test, memchr_inv(model->open, 0,
					   sizeof(model->open)));
	KUNIT_EXPECT_EQ(test, slice->devs, devs);
}

/* A slice from page @first to page @end of the model, whose page 0 is @start */
static void piece_expect_slice(struct kunit *test, struct piece_model *model,
			       const struct fmap_piece *slice, u64 start,
			       u32 first, u32 end)
{
	struct fmap_loc loc;

	KUNIT_EXPECT_EQ(test, slice->start, start + first * P);
	KUNIT_EXPECT_EQ(test, slice->end, start + end * P);
	for (u32 i = 0; i < model->pages; i++) {
		bool inside = i >= first && i < end;

		KUNIT_ASSERT_EQ(test, inside,
				fmap_resolve(slice, start + i * P, P, &loc));
		if (!inside)
			continue;
		KUNIT_EXPECT_EQ(test, loc.dev, model->dev[i]);
		KUNIT_EXPECT_EQ(test, loc.off, model->page[i] * P);
		KUNIT_EXPECT_EQ(test, loc.len, P);
	}
	piece_expect_claims(test, model, slice, first, end);
}

/* All slices of @piece, which begins at page @first of the model */
static void piece_expect_slices(struct kunit *test, struct piece_model *model,
				const struct fmap_piece *piece, u64 start,
				u32 step)
{
	u32 first = (piece->start - start) / P;
	u32 last = (piece->end - start) / P;

	for (u32 a = first; a < last; a += step) {
		for (u32 b = a + 1; b <= last; b += step) {
			struct fmap_piece *slice;

			KUNIT_ASSERT_EQ(test, 0,
					fmap_piece_slice(piece, start + a * P,
							 start + b * P,
							 &slice));
			piece_expect_slice(test, model, slice, start, a, b);
			if (step == 1)
				piece_expect_slices(test, model, slice, start,
						    7);
			fmap_piece_free(slice);
		}
	}
}

static void piece_test_random(struct kunit *test)
{
	struct piece_model *model;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, 6);
	for (u32 i = 0; i < 10; i++) {
		u64 start = piece_random(model, 100) * P;
		u32 nr = 1 + piece_random(model, PIECE_MOST_EXTENTS);
		struct fmap_piece *piece;

		model->nr = 0;
		model->pages = 0;
		memset(model->next, 0, sizeof(model->next));
		while (model->nr < nr)
			piece_model_add(model);
		piece = piece_make(test, start, model->ext, nr);
		piece_expect_slices(test, model, piece, start, 1);
		fmap_piece_free(piece);
	}
}

static struct kunit_case piece_test_cases[] = {
	KUNIT_CASE_PARAM(piece_test_slice, piece_slice_gen_params),
	KUNIT_CASE(piece_test_free),
	KUNIT_CASE_SLOW(piece_test_random),
	{},
};

static struct kunit_suite piece_test_suite = {
	.name = "fmap_piece",
	.test_cases = piece_test_cases,
};

kunit_test_suite(piece_test_suite);
