// SPDX-License-Identifier: GPL-2.0
/*
 * More tests of fmap_famfs.c, which includes this file behind
 * fmap_famfs_kunit.c, whose helpers it uses
 *
 * Pages of a map: messages that begin inside the file, that another one
 * follows, or that hold no extents but say something all the same.
 */

static const struct famfs_page {
	const char *name;
	u32 pages;	/* pages of the file in the message; 0: no extents */
	u64 start;
	u64 next;
	u64 size;
	int err;
} famfs_pages[] = {
	{ "whole map", 5, 0, 0, 5 * P, 0 },
	{ "first page", 5, 0, 5 * P, 9 * P, 0 },
	{ "page in the middle", 5, 7 * P, 12 * P, 90 * P + 1, 0 },
	{ "last page", 5, 7 * P, 0, 12 * P, 0 },
	{ "last page, file ends in it", 5, 7 * P, 0, 8 * P + 1, 0 },
	{ "last page, file ends before it", 5, 7 * P, 0, 1, 0 },
	{ "last page too short", 5, 7 * P, 0, 12 * P + 1, -EINVAL },
	{ "page behind the file", 5, 7 * P, 12 * P, 0, 0 },

	{ "next too early", 5, 7 * P, 11 * P, 90 * P, -EIO },
	{ "next too late", 5, 7 * P, 13 * P, 90 * P, -EIO },
	{ "next counts from the page", 5, 7 * P, 5 * P, 90 * P, -EIO },
	{ "next is the page itself", 5, 7 * P, 7 * P, 90 * P, -EIO },
	{ "next in a page", 5, 7 * P, 12 * P + 8, 90 * P, -EINVAL },
	{ "next out of range", 5, 7 * P, U64_MAX - P + 1, 90 * P, -EIO },

	{ "points back", 0, 7 * P, 3 * P, 90 * P, 0 },
	{ "points back by a page", 0, 7 * P, 6 * P, 0, 0 },
	{ "points back to the first page", 0, 7 * P, P, 90 * P, 0 },
	{ "points back into a page", 0, 7 * P, 3 * P - 1, 90 * P, -EINVAL },
	{ "points to itself", 0, 7 * P, 7 * P, 90 * P, -EIO },
	{ "points to itself at the start", 0, 0, P, 90 * P, -EIO },
	{ "points forth", 0, 7 * P, 8 * P, 90 * P, -EIO },
	{ "nothing behind the file", 0, 7 * P, 0, 7 * P, 0 },
	{ "points back to the beginning", 0, 7 * P, 0, 7 * P + 1, 0 },
	{ "nothing at the beginning", 0, 0, 0, 1, -EINVAL },

	{ "largest file", 5, 0, 5 * P, FAMFS_MAX_BYTES, 0 },
	{ "file too large", 5, 0, 5 * P, FAMFS_MAX_BYTES + 1, -EINVAL },
	{ "largest number", 5, 0, 5 * P, U64_MAX, -EINVAL },
	{ "points back in a file too large", 0, 7 * P, P, U64_MAX, -EINVAL },
	{ "up to the limit", 5, FAMFS_MAX_BYTES - 5 * P, 0, FAMFS_MAX_BYTES,
	  0 },
	{ "up to the limit, and on", 5, FAMFS_MAX_BYTES - 5 * P,
	  FAMFS_MAX_BYTES, FAMFS_MAX_BYTES, 0 },
	{ "over the limit", 5, FAMFS_MAX_BYTES - 4 * P, 0, 0, -EINVAL },
	{ "at the limit", 5, FAMFS_MAX_BYTES, 0, 0, -EINVAL },
	{ "nothing at the limit", 0, FAMFS_MAX_BYTES, 0, FAMFS_MAX_BYTES, 0 },
	{ "nothing behind the limit", 0, FAMFS_MAX_BYTES + P, 0, 0, -EINVAL },
	{ "wraps", 5, U64_MAX - 4 * P + 1, 0, 0, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(famfs_page, famfs_pages, name);

/* As a simple extent, or on two strips */
static void famfs_test_start_page(struct kunit *test,
				  const struct famfs_page *c, bool striped)
{
	struct fuse_famfs_simple_ext *ext;
	struct famfs_test *t = test->priv;

	ext = famfs_test_start(test, striped, !!c->pages,
			       c->pages ? 1 + 2 * striped : 0, c->size);
	famfs_test_set(test, HEAD(next_offset), c->next);
	t->start = c->start;
	if (!c->pages)
		return;
	if (!striped) {
		ext[0] = famfs_test_run(3, 20, c->pages);
		return;
	}
	*(struct fuse_famfs_iext *)&ext[0] = (struct fuse_famfs_iext) {
		.ie_nstrips = 2, .ie_chunk_size = 4 * P,
		.ie_nbytes = c->pages * P,
	};
	ext[1] = famfs_test_run(3, 20, c->pages);
	ext[2] = famfs_test_run(4, 50, c->pages);
}

/* Both kinds have five pages; the fifth is on the second strip */
static void famfs_test_pages(struct kunit *test)
{
	const struct famfs_page *c = test->param_value;
	struct famfs_test *t = test->priv;
	struct fmap_loc loc;

	for (u32 striped = 0; striped < 2; striped++) {
		famfs_test_start_page(test, c, striped);
		KUNIT_ASSERT_EQ(test, famfs_test_decode(test), c->err);
		KUNIT_ASSERT_EQ(test, !t->got.piece, c->err || !c->pages);
		KUNIT_EXPECT_EQ(test, t->got.file_size, c->err ? 0 : c->size);
		KUNIT_EXPECT_EQ(test, t->got.next, c->err ? 0 : c->next);
		KUNIT_EXPECT_EQ(test, t->got.back, !c->err && !c->pages &&
				(c->next || c->start < c->size));
		if (!t->got.piece)
			continue;
		KUNIT_EXPECT_EQ(test, t->got.piece->start, c->start);
		KUNIT_EXPECT_EQ(test, t->got.piece->end, c->start + 5 * P);
		famfs_expect_at(test, c->start, 3, 20 * P,
				striped ? 4 * P : 5 * P);
		famfs_expect_at(test, c->start + 4 * P, striped ? 4 : 3,
				striped ? 50 * P : 24 * P, P);
		KUNIT_EXPECT_FALSE(test, fmap_resolve(t->got.piece,
						      c->start - 1, 1, &loc));
		KUNIT_EXPECT_FALSE(test, fmap_resolve(t->got.piece,
						      c->start + 5 * P, 1,
						      &loc));
	}
}

/* The last extent may end inside a page, wherever the message begins */
static void famfs_test_page_tail(struct kunit *test)
{
	struct famfs_test *t = test->priv;

	famfs_test_start_striped(test);
	famfs_test_set(test, HEAD(file_size), 111 * P - 10);
	t->start = 100 * P;
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.piece->end, 111 * P);
	famfs_expect_at(test, 110 * P, 2, 19 * P, P);
	famfs_test_set(test, HEAD(file_size), 111 * P - 9);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
	famfs_test_set(test, HEAD(next_offset), 111 * P);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EIO);
}

/* Memory is in proportion to the message */
static void famfs_test_bytes(struct kunit *test)
{
	const u32 nr = 1000;
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;
	const struct fmap_piece *piece;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, nr, nr, 0);
	for (u32 i = 0; i < nr; i++)
		ext[i] = famfs_test_run(i % 2, 2 * i, 1);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	piece = t->got.piece;
	KUNIT_EXPECT_EQ(test, fmap_piece_bytes(piece),
			sizeof(*piece) + 16 * nr);
	KUNIT_EXPECT_EQ(test, fmap_claim_bytes(piece),
			2 * sizeof(struct fmap_claim) + 16 * nr);

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, nr, 3 * nr, 0);
	for (u32 i = 0; i < nr; i++, ext += 3) {
		*(struct fuse_famfs_iext *)&ext[0] = (struct fuse_famfs_iext) {
			.ie_nstrips = 2, .ie_chunk_size = P,
			.ie_nbytes = 2 * P,
		};
		ext[1] = famfs_test_run(0, 2 * i, 1);
		ext[2] = famfs_test_run(1, 2 * i, 1);
	}
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	piece = t->got.piece;
	KUNIT_EXPECT_EQ(test, fmap_piece_bytes(piece),
			sizeof(*piece) + 24 * 3 * nr);
	KUNIT_EXPECT_EQ(test, fmap_claim_bytes(piece),
			2 * sizeof(struct fmap_claim) + 16 * 2 * nr);
}

static void famfs_test_empty(struct kunit *test)
{
	struct famfs_test *t = test->priv;

	for (u32 type = 0; type <= FUSE_FAMFS_EXT_INTERLEAVE; type++) {
		famfs_test_start(test, type, 0, 0, 0);
		KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
		KUNIT_EXPECT_NULL(test, t->got.piece);
		KUNIT_EXPECT_EQ(test, t->got.next, 0);
		famfs_test_start(test, type, 0, 0, 1);
		KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
	}
}

/* Only a header that stands alone and needs more asks for room */
static void famfs_test_room(struct kunit *test)
{
	struct famfs_test *t = test->priv;

	famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, 7, 0, 7 * P);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len), 0);
	famfs_test_set(test, HEAD(fmap_size), t->len + 7 * RECORD);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len),
			t->len + 7 * RECORD);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
	famfs_test_set(test, HEAD(fmap_size), U32_MAX);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len), U32_MAX);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len - 1), 0);
	famfs_test_set(test, HEAD(fmap_version), 2);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len), 0);
	famfs_test_start_simple(test);
	KUNIT_EXPECT_EQ(test, fmap_famfs_room(t->msg, t->len), 0);
}

static struct kunit_case famfs_page_test_cases[] = {
	KUNIT_CASE_PARAM(famfs_test_pages, famfs_page_gen_params),
	KUNIT_CASE(famfs_test_page_tail),
	KUNIT_CASE(famfs_test_bytes),
	KUNIT_CASE(famfs_test_empty),
	KUNIT_CASE(famfs_test_room),
	{},
};

static struct kunit_suite famfs_page_test_suite = {
	.name = "fmap_famfs_page",
	.init = famfs_test_init,
	.exit = famfs_test_exit,
	.test_cases = famfs_page_test_cases,
};

kunit_test_suite(famfs_page_test_suite);
