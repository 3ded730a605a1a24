// SPDX-License-Identifier: GPL-2.0
/*
 * More tests of fmap_famfs.c, which includes this file behind
 * fmap_famfs_kunit.c, whose helpers it uses
 *
 * Extents become one where they continue each other and only there; and maps
 * that are large, wide or made at random say the same as the message.
 */
#include <linux/prandom.h>

#define FAMFS_MOST_RUNS	4

static const struct famfs_merge {
	const char *name;
	struct {
		u32 dev;
		u32 page;
		u32 nr;
	} run[FAMFS_MOST_RUNS];
	u32 nr_extents;
} famfs_merges[] = {
	{ "goes on", {{ 0, 1, 2 }, { 0, 3, 1 }}, 1 },
	{ "all go on", {{ 9, 1, 2 }, { 9, 3, 1 }, { 9, 4, 9 }, { 9, 13, 1 }},
	  1 },
	{ "with a hole", {{ 0, 1, 2 }, { 0, 4, 1 }}, 2 },
	{ "the other way round", {{ 0, 3, 1 }, { 0, 1, 2 }}, 2 },
	{ "another device", {{ 0, 1, 2 }, { 1, 3, 1 }}, 2 },
	{ "two pieces", {{ 0, 1, 2 }, { 0, 3, 1 }, { 0, 0, 1 }, { 1, 1, 1 }},
	  3 },
	{ "two and two", {{ 0, 1, 2 }, { 0, 3, 1 }, { 1, 4, 1 }, { 1, 5, 1 }},
	  2 },
};

KUNIT_ARRAY_PARAM_DESC(famfs_merge, famfs_merges, name);

/* As simple extents, and as interleaved ones that have a single strip */
static void famfs_test_merge(struct kunit *test)
{
	const struct famfs_merge *c = test->param_value;
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *simple, *single;
	u32 nr = 0;
	u64 pos = 0;

	while (nr < FAMFS_MOST_RUNS && c->run[nr].nr)
		nr++;
	simple = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, nr, nr, 0);
	for (u32 i = 0; i < nr; i++)
		simple[i] = famfs_test_run(c->run[i].dev, c->run[i].page,
					   c->run[i].nr);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, c->nr_extents);

	single = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, nr, 2 * nr,
				  0);
	for (u32 i = 0; i < nr; i++) {
		*(struct fuse_famfs_iext *)&single[2 * i] =
			(struct fuse_famfs_iext) {
				.ie_nstrips = 1, .ie_chunk_size = (i + 1) * P,
				.ie_nbytes = c->run[i].nr * P,
			};
		single[2 * i + 1] = famfs_test_run(c->run[i].dev,
						   c->run[i].page,
						   c->run[i].nr);
	}
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, c->nr_extents);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_stripes, 0);
	for (u32 i = 0; i < nr; i++) {
		struct fmap_loc loc;

		KUNIT_EXPECT_TRUE(test, fmap_resolve(t->got.piece, pos, 1,
						     &loc));
		KUNIT_EXPECT_EQ(test, loc.dev, c->run[i].dev);
		KUNIT_EXPECT_EQ(test, loc.off, c->run[i].page * P);
		pos += c->run[i].nr * P;
	}
}

/* Record @ext becomes an extent of chunks of a page */
static void famfs_test_iext(struct fuse_famfs_simple_ext *ext, u32 nr,
			    u64 pages)
{
	*(struct fuse_famfs_iext *)ext = (struct fuse_famfs_iext) {
		.ie_nstrips = nr, .ie_chunk_size = P, .ie_nbytes = pages * P,
	};
}

static const struct famfs_stripes {
	const char *name;
	/* The first extent has two strips at page 0, by the page */
	u32 pages;		/* that it holds */
	u32 strip;		/* pages of each of its strips */
	/* The second one: four pages */
	u32 nr;
	u32 chunk;
	u32 page[2];
	u32 dev[2];
	u32 nr_extents;		/* 0: not valid */
} famfs_stripes[] = {
	{ "goes on", 4, 2, 2, 1, { 2, 2 }, { 0, 1 }, 1 },
	{ "another chunk", 4, 2, 2, 2, { 2, 2 }, { 0, 1 }, 2 },
	{ "another number of strips", 4, 2, 1, 1, { 2 }, { 0 }, 2 },
	{ "another order", 4, 2, 2, 1, { 2, 2 }, { 1, 0 }, 2 },
	{ "first with a hole", 4, 2, 2, 1, { 3, 2 }, { 0, 1 }, 2 },
	{ "second with a hole", 4, 2, 2, 1, { 2, 3 }, { 0, 1 }, 2 },
	{ "room left", 4, 3, 2, 1, { 3, 3 }, { 0, 1 }, 2 },
	{ "in the room left", 4, 3, 2, 1, { 2, 2 }, { 0, 1 }, 0 },
	{ "no whole stripe", 3, 2, 2, 1, { 2, 2 }, { 0, 1 }, 2 },
};

KUNIT_ARRAY_PARAM_DESC(famfs_stripes, famfs_stripes, name);

static void famfs_test_merge_stripes(struct kunit *test)
{
	const struct famfs_stripes *c = test->param_value;
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, 2, 4 + c->nr,
			       0);
	famfs_test_iext(&ext[0], 2, c->pages);
	ext[1] = famfs_test_run(0, 0, c->strip);
	ext[2] = famfs_test_run(1, 0, c->strip);
	*(struct fuse_famfs_iext *)&ext[3] = (struct fuse_famfs_iext) {
		.ie_nstrips = c->nr, .ie_chunk_size = c->chunk * P,
		.ie_nbytes = 4 * P,
	};
	for (u32 i = 0; i < c->nr; i++)
		ext[4 + i] = famfs_test_run(c->dev[i], c->page[i], 4 / c->nr);

	KUNIT_ASSERT_EQ(test, famfs_test_decode(test),
			c->nr_extents ? 0 : -EINVAL);
	if (!c->nr_extents)
		return;
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, c->nr_extents);
	famfs_expect_at(test, P, 1, 0, P);
	famfs_expect_at(test, c->pages * P, c->dev[0], c->page[0] * P,
			c->nr == 1 ? 4 * P : c->chunk * P);
}

/* A single strip is used up to its share; the room behind it is not the file's */
static void famfs_test_single_room(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, 2, 4, 0);
	famfs_test_iext(&ext[0], 1, 1);
	ext[1] = famfs_test_run(0, 0, 2);
	famfs_test_iext(&ext[2], 1, 1);
	ext[3] = famfs_test_run(0, 2, 1);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, 2);
	famfs_expect_at(test, 0, 0, 0, P);
	famfs_expect_at(test, P, 0, 2 * P, P);

	ext[3] = famfs_test_run(0, 1, 1);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
}

/* What goes on where an extent before the last one ended stays apart */
static void famfs_test_between(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, 3, 8, 0);
	famfs_test_iext(&ext[0], 2, 4);
	ext[1] = famfs_test_run(0, 0, 2);
	ext[2] = famfs_test_run(1, 0, 2);
	famfs_test_iext(&ext[3], 1, 3);
	ext[4] = famfs_test_run(2, 0, 3);
	famfs_test_iext(&ext[5], 2, 4);
	ext[6] = famfs_test_run(0, 2, 2);
	ext[7] = famfs_test_run(1, 2, 2);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, 3);
	famfs_expect_at(test, 3 * P, 1, P, P);
	famfs_expect_at(test, 4 * P, 2, 0, 3 * P);
	famfs_expect_at(test, 7 * P, 0, 2 * P, P);
	famfs_expect_at(test, 10 * P, 1, 3 * P, P);
}

static void famfs_test_all_devices(struct kunit *test)
{
	const u32 nr = FUSE_FMAP_MAX_DEVS;
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, 1, 1 + nr, 0);
	*(struct fuse_famfs_iext *)ext++ = (struct fuse_famfs_iext) {
		.ie_nstrips = nr, .ie_chunk_size = 3 * P,
		.ie_nbytes = 3 * nr * P,
	};
	for (u32 i = 0; i < nr; i++)
		ext[i] = famfs_test_run(nr - 1 - i, 7, 3);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->devs, U64_MAX);
	KUNIT_ASSERT_EQ(test, t->got.piece->nr_claims, nr);
	for (u32 i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, t->got.piece->claims[i]->dev, i);
		famfs_expect_at(test, 3 * i * P, nr - 1 - i, 7 * P, 3 * P);
	}
}

/* As many extents as a message can hold, from the end of a device backwards */
static void famfs_test_largest(struct kunit *test)
{
	const u32 nr = (FUSE_FMAP_MAX_MSG -
			sizeof(struct fuse_famfs_fmap_header)) / RECORD;
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, nr, nr, nr * P);
	for (u32 i = 0; i < nr; i++)
		ext[i] = famfs_test_run(5, nr - i, 1);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, nr);
	famfs_expect_at(test, 0, 5, nr * P, P);
	famfs_expect_at(test, nr / 3 * P, 5, (nr - nr / 3) * P, P);
	famfs_expect_at(test, (nr - 1) * P, 5, P, P);

	for (u32 i = 0; i < nr; i++)
		ext[i] = famfs_test_run(5, i, 1);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->nr_extents, 1);
	famfs_expect_at(test, 0, 5, 0, nr * P);

	famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, nr, nr + 1, nr * P);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EFBIG);
}

#define FAMFS_MOST_PAGES	1000
#define FAMFS_MOST_STRIPS	7

/**
 * struct famfs_model - where each page of a file lies, page by page
 * @rnd: source of all choices
 * @pages: pages of the file so far
 * @dev: device of each
 * @page: page of that device
 * @next: next free page of each device
 */
struct famfs_model {
	struct rnd_state rnd;
	u32 pages;
	u8 dev[FAMFS_MOST_PAGES];
	u32 page[FAMFS_MOST_PAGES];
	u32 next[FUSE_FMAP_MAX_DEVS];
};

static u32 famfs_random(struct famfs_model *model, u32 below)
{
	return prandom_u32_state(&model->rnd) % below;
}

/* Adds an interleaved extent to the model and to the message */
static u32 famfs_model_add(struct famfs_model *model,
			   struct fuse_famfs_simple_ext *ext)
{
	u32 nr = 1 + famfs_random(model, FAMFS_MOST_STRIPS);
	u32 chunk = 1 + famfs_random(model, 5);
	u32 pages = 1 + famfs_random(model, 60);
	u32 used[FAMFS_MOST_STRIPS] = {};
	u32 first[FAMFS_MOST_STRIPS];
	u32 dev[FAMFS_MOST_STRIPS];

	*(struct fuse_famfs_iext *)ext++ = (struct fuse_famfs_iext) {
		.ie_nstrips = nr, .ie_chunk_size = chunk * P,
		.ie_nbytes = pages * P,
	};
	for (u32 i = 0; i < nr; i++) {
		dev[i] = famfs_random(model, 9);
		first[i] = model->next[dev[i]] + !famfs_random(model, 4);
		model->next[dev[i]] = first[i] + pages;
	}
	for (u32 i = 0; i < pages; i++) {
		u32 strip = i / chunk % nr;

		model->dev[model->pages] = dev[strip];
		model->page[model->pages++] = first[strip] + used[strip]++;
	}
	for (u32 i = 0; i < nr; i++)
		ext[i] = famfs_test_run(dev[i], first[i], used[i]);
	return 1 + nr;
}

static void famfs_test_random(struct kunit *test)
{
	struct famfs_model *model;
	struct famfs_test *t = test->priv;

	model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, 5);
	for (u32 i = 0; i < 200; i++) {
		u32 nextents = 1 + famfs_random(model, 16);
		struct fuse_famfs_simple_ext *ext;
		struct fmap_loc loc;

		model->pages = 0;
		memset(model->next, 0, sizeof(model->next));
		ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE,
				       nextents,
				       nextents * (1 + FAMFS_MOST_STRIPS), 0);
		famfs_test_set(test, HEAD(fmap_size), 0);
		for (u32 k = 0; k < nextents; k++)
			ext += famfs_model_add(model, ext);

		KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
		KUNIT_EXPECT_EQ(test, t->got.piece->end, model->pages * P);
		for (u32 page = 0; page < model->pages; page++) {
			KUNIT_ASSERT_TRUE(test, fmap_resolve(t->got.piece,
							     page * P, 1,
							     &loc));
			KUNIT_EXPECT_EQ(test, loc.dev, model->dev[page]);
			KUNIT_EXPECT_EQ(test, loc.off, model->page[page] * P);
		}
	}
}

static struct kunit_case famfs_merge_test_cases[] = {
	KUNIT_CASE_PARAM(famfs_test_merge, famfs_merge_gen_params),
	KUNIT_CASE_PARAM(famfs_test_merge_stripes, famfs_stripes_gen_params),
	KUNIT_CASE(famfs_test_single_room),
	KUNIT_CASE(famfs_test_between),
	KUNIT_CASE(famfs_test_all_devices),
	KUNIT_CASE_SLOW(famfs_test_largest),
	KUNIT_CASE(famfs_test_random),
	{},
};

static struct kunit_suite famfs_merge_test_suite = {
	.name = "fmap_famfs_merge",
	.init = famfs_test_init,
	.exit = famfs_test_exit,
	.test_cases = famfs_merge_test_cases,
};

kunit_test_suite(famfs_merge_test_suite);
