// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fmap_famfs.c, which includes this file
 *
 * Two messages are valid, one of each kind.  A table changes one field of one
 * of them at a time, and says what the server must be told; so each rule of
 * include/uapi/linux/fuse_fmap.h is broken on its own.
 */
#include <kunit/test.h>

#define P	PAGE_SIZE
#define RECORD	sizeof(struct fuse_famfs_simple_ext)

/**
 * struct famfs_test - what a test works with; freed behind each
 * @msg: the message
 * @len: its length
 * @start: byte of the file that was asked for
 * @got: the result; without a piece if there is none
 */
struct famfs_test {
	u8 *msg;
	size_t len;
	u64 start;
	struct fmap_message got;
};

static int famfs_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct famfs_test), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void famfs_test_exit(struct kunit *test)
{
	struct famfs_test *t = test->priv;

	if (!t)
		return;
	fmap_piece_free(t->got.piece);
	kvfree(t->msg);
}

/* A message of zeroes but for the header, with room for @nr records */
static void *famfs_test_start(struct kunit *test, u32 ext_type, u32 nextents,
			      size_t nr, u64 file_size)
{
	struct fuse_famfs_fmap_header head = {
		.fmap_version = FUSE_FAMFS_FMAP_VERSION,
		.ext_type = ext_type,
		.nextents = nextents,
		.fmap_size = sizeof(head) + nr * RECORD,
		.file_size = file_size,
	};
	struct famfs_test *t = test->priv;

	kvfree(t->msg);
	t->len = head.fmap_size;
	t->msg = kvzalloc(t->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->msg);
	memcpy(t->msg, &head, sizeof(head));
	return t->msg + sizeof(head);
}

static struct fuse_famfs_simple_ext famfs_test_run(u32 dev, u64 page, u64 nr)
{
	return (struct fuse_famfs_simple_ext) {
		.se_devindex = dev, .se_offset = page * P, .se_len = nr * P,
	};
}

static int famfs_test_decode(struct kunit *test)
{
	struct famfs_test *t = test->priv;

	fmap_piece_free(t->got.piece);
	t->got = (struct fmap_message) {};
	return fmap_famfs_decode(t->msg, t->len, t->start, &t->got);
}

static void famfs_expect_at(struct kunit *test, u64 pos, u32 dev, u64 off,
			    u64 run)
{
	struct famfs_test *t = test->priv;
	struct fmap_loc loc = {};

	KUNIT_EXPECT_TRUE(test, fmap_resolve(t->got.piece, pos, U64_MAX, &loc));
	KUNIT_EXPECT_EQ(test, loc.dev, dev);
	KUNIT_EXPECT_EQ(test, loc.off, off);
	KUNIT_EXPECT_EQ(test, loc.len, run);
}

/*
 * Two extents of two and three pages; the file is smaller, so that no other rule
 * hangs on its size
 */
static void famfs_test_start_simple(struct kunit *test)
{
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, 2, 2, P - 100);
	ext[0] = famfs_test_run(0, 16, 2);
	ext[1] = famfs_test_run(1, 17, 3);
}

/*
 * Records 0 to 2: four pages, on two strips, by the page.  Records 3 to 6: seven
 * pages less ten bytes, on three strips, by two pages: these hold three, two
 * and two.
 */
static void famfs_test_start_striped(struct kunit *test)
{
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_INTERLEAVE, 2, 7, P - 100);
	*(struct fuse_famfs_iext *)&ext[0] = (struct fuse_famfs_iext) {
		.ie_nstrips = 2, .ie_chunk_size = P, .ie_nbytes = 4 * P,
	};
	ext[1] = famfs_test_run(0, 16, 2);
	ext[2] = famfs_test_run(1, 32, 2);
	*(struct fuse_famfs_iext *)&ext[3] = (struct fuse_famfs_iext) {
		.ie_nstrips = 3, .ie_chunk_size = 2 * P,
		.ie_nbytes = 7 * P - 10,
	};
	ext[4] = famfs_test_run(2, 17, 3);
	ext[5] = famfs_test_run(3, 64, 2);
	ext[6] = famfs_test_run(3, 80, 2);
}

static void famfs_test_simple(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	const struct fmap_piece *piece;

	famfs_test_start_simple(test);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.file_size, P - 100);
	KUNIT_EXPECT_EQ(test, t->got.next, 0);
	piece = t->got.piece;
	KUNIT_ASSERT_NOT_NULL(test, piece);
	KUNIT_EXPECT_EQ(test, piece->start, 0);
	KUNIT_EXPECT_EQ(test, piece->end, 5 * P);
	KUNIT_EXPECT_EQ(test, piece->devs, 0x3);
	KUNIT_EXPECT_EQ(test, piece->nr_extents, 2);
	KUNIT_EXPECT_EQ(test, piece->nr_stripes, 0);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 2);
	famfs_expect_at(test, 0, 0, 16 * P, 2 * P);
	famfs_expect_at(test, 2 * P + 5, 1, 17 * P + 5, 3 * P - 5);
}

static void famfs_test_striped(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	const struct fmap_piece *piece;

	famfs_test_start_striped(test);
	KUNIT_ASSERT_EQ(test, famfs_test_decode(test), 0);
	KUNIT_EXPECT_EQ(test, t->got.file_size, P - 100);
	KUNIT_EXPECT_EQ(test, t->got.next, 0);
	piece = t->got.piece;
	KUNIT_ASSERT_NOT_NULL(test, piece);
	KUNIT_EXPECT_EQ(test, piece->start, 0);
	KUNIT_EXPECT_EQ(test, piece->end, 11 * P);
	KUNIT_EXPECT_EQ(test, piece->devs, 0xf);
	KUNIT_EXPECT_EQ(test, piece->nr_extents, 2);
	KUNIT_EXPECT_EQ(test, piece->nr_stripes, 2);
	KUNIT_EXPECT_EQ(test, piece->nr_strips, 5);
	KUNIT_EXPECT_EQ(test, piece->nr_claims, 4);
	famfs_expect_at(test, 0, 0, 16 * P, P);
	famfs_expect_at(test, P, 1, 32 * P, P);
	famfs_expect_at(test, 2 * P, 0, 17 * P, P);
	famfs_expect_at(test, 4 * P, 2, 17 * P, 2 * P);
	famfs_expect_at(test, 6 * P, 3, 64 * P, 2 * P);
	famfs_expect_at(test, 8 * P + 1, 3, 80 * P + 1, 2 * P - 1);
	famfs_expect_at(test, 10 * P, 2, 19 * P, P);
}

/* Where a field is in the message */
#define HEAD(field)	offsetof(struct fuse_famfs_fmap_header, field)
#define RECORD_AT(i)	(sizeof(struct fuse_famfs_fmap_header) + (i) * RECORD)
#define RUN(i, field) \
	(RECORD_AT(i) + offsetof(struct fuse_famfs_simple_ext, field))
#define IEXT(i, field) \
	(RECORD_AT(i) + offsetof(struct fuse_famfs_iext, field))

static const struct famfs_rule {
	const char *name;
	bool striped;
	size_t at;
	u64 value;
	int err;
} famfs_rules[] = {
	{ "version 0", 0, HEAD(fmap_version), 0, -EINVAL },
	{ "version 2", 0, HEAD(fmap_version), 2, -EINVAL },
	{ "type superblock", 0, HEAD(file_type), 1, 0 },
	{ "type log", 0, HEAD(file_type), 2, 0 },
	{ "type not known", 0, HEAD(file_type), 3, -EINVAL },
	{ "extent type not known", 0, HEAD(ext_type), 2, -EINVAL },
	{ "simple taken as interleaved", 0, HEAD(ext_type), 1, -EINVAL },
	{ "interleaved taken as simple", 1, HEAD(ext_type), 0, -EINVAL },
	{ "reserved", 0, HEAD(reserved), 1, -EINVAL },
	{ "next page where this one ends", 0, HEAD(next_offset), 5 * P, 0 },
	{ "next page too early", 0, HEAD(next_offset), 4 * P, -EIO },
	{ "next page too late", 0, HEAD(next_offset), 6 * P, -EIO },
	{ "next page much too late", 0, HEAD(next_offset), FAMFS_MAX_BYTES,
	  -EIO },
	{ "next page begins in a page", 0, HEAD(next_offset), 5 * P + 1,
	  -EINVAL },
	{ "next page behind a tail", 1, HEAD(next_offset), 11 * P, -EIO },
	{ "next page at a tail", 1, HEAD(next_offset), 11 * P - 10, -EINVAL },
	{ "an extent too few", 0, HEAD(nextents), 1, -EINVAL },
	{ "an extent too many", 0, HEAD(nextents), 3, -EINVAL },
	{ "no extent", 0, HEAD(nextents), 0, -EINVAL },
	{ "most extents", 0, HEAD(nextents), U32_MAX, -EINVAL },
	{ "an interleaved extent too few", 1, HEAD(nextents), 1, -EINVAL },
	{ "an interleaved extent too many", 1, HEAD(nextents), 3, -EINVAL },
	{ "most interleaved extents", 1, HEAD(nextents), U32_MAX, -EINVAL },
	{ "message size not told", 0, HEAD(fmap_size), 0, 0 },
	{ "message size too small", 0, HEAD(fmap_size), 79, -EINVAL },
	{ "message size too large", 0, HEAD(fmap_size), 81, -EINVAL },
	{ "file of no bytes", 0, HEAD(file_size), 0, 0 },
	{ "file fills the extents", 0, HEAD(file_size), 5 * P, 0 },
	{ "file too long", 0, HEAD(file_size), 5 * P + 1, -EINVAL },
	{ "file as long as can be", 0, HEAD(file_size), FAMFS_MAX_BYTES,
	  -EINVAL },
	{ "file much too long", 0, HEAD(file_size), U64_MAX, -EINVAL },
	{ "file fills the bytes", 1, HEAD(file_size), 11 * P - 10, 0 },
	{ "file longer than the bytes", 1, HEAD(file_size), 11 * P - 9,
	  -EINVAL },

	{ "last device", 0, RUN(0, se_devindex), 63, 0 },
	{ "device 64", 0, RUN(0, se_devindex), 64, -ENODEV },
	{ "device out of range", 0, RUN(1, se_devindex), U32_MAX, -ENODEV },
	{ "run reserved", 0, RUN(1, reserved), 1, -EINVAL },
	{ "offset in a page", 0, RUN(0, se_offset), 16 * P + 1, -EINVAL },
	{ "offset of half a page", 0, RUN(0, se_offset), P / 2, -EINVAL },
	{ "length in a page", 0, RUN(0, se_len), 2 * P + 512, -EINVAL },
	{ "last length in a page", 0, RUN(1, se_len), 3 * P - 100, -EINVAL },
	{ "no length", 0, RUN(0, se_len), 0, -EINVAL },
	{ "no last length", 0, RUN(1, se_len), 0, -EINVAL },
	{ "end at the largest offset", 0, RUN(1, se_offset),
	  FAMFS_MAX_BYTES - 3 * P, 0 },
	{ "end behind the largest offset", 0, RUN(1, se_offset),
	  FAMFS_MAX_BYTES - 2 * P, -EINVAL },
	{ "end wraps", 0, RUN(1, se_offset), U64_MAX - 3 * P + 1, -EINVAL },
	{ "length wraps", 0, RUN(1, se_len), U64_MAX - P + 1, -EINVAL },
	{ "largest length", 0, RUN(1, se_len), FAMFS_MAX_BYTES - 17 * P, 0 },

	{ "one strip, not two", 1, IEXT(0, ie_nstrips), 1, -EINVAL },
	{ "no strip", 1, IEXT(3, ie_nstrips), 0, -EINVAL },
	{ "a strip too many", 1, IEXT(3, ie_nstrips), 4, -EINVAL },
	{ "most strips", 1, IEXT(3, ie_nstrips), U32_MAX, -EINVAL },
	{ "no chunk", 1, IEXT(0, ie_chunk_size), 0, -EINVAL },
	{ "chunk of half a page", 1, IEXT(0, ie_chunk_size), P / 2, -EINVAL },
	{ "chunk of a page and a half", 1, IEXT(3, ie_chunk_size), P * 3 / 2,
	  -EINVAL },
	{ "chunk as large as a strip", 1, IEXT(0, ie_chunk_size), 2 * P, 0 },
	{ "largest chunk", 1, IEXT(0, ie_chunk_size), U32_MAX & PAGE_MASK,
	  -EINVAL },
	{ "chunk changes the shares", 1, IEXT(3, ie_chunk_size), P, 0 },
	{ "no bytes", 1, IEXT(0, ie_nbytes), 0, -EINVAL },
	{ "no last bytes", 1, IEXT(3, ie_nbytes), 0, -EINVAL },
	{ "bytes end in a page", 1, IEXT(0, ie_nbytes), 4 * P - 1, -EINVAL },
	{ "last bytes end with a page", 1, IEXT(3, ie_nbytes), 7 * P, 0 },
	{ "last bytes end anywhere", 1, IEXT(3, ie_nbytes), 6 * P + 1, 0 },
	{ "bytes for a page more", 1, IEXT(3, ie_nbytes), 7 * P + 1, -EINVAL },
	{ "most bytes", 1, IEXT(3, ie_nbytes), U64_MAX, -EINVAL },
	{ "bytes wrap", 1, IEXT(3, ie_nbytes), U64_MAX - 4 * P + 1, -EINVAL },
	{ "extent reserved", 1, IEXT(3, reserved), 1, -EINVAL },
	{ "strip on device 64", 1, RUN(2, se_devindex), 64, -ENODEV },
	{ "strip reserved", 1, RUN(6, reserved), 1, -EINVAL },
	{ "strip offset in a page", 1, RUN(4, se_offset), P + 8, -EINVAL },
	{ "strip length in a page", 1, RUN(4, se_len), 3 * P - 10, -EINVAL },
	{ "strip too short", 1, RUN(4, se_len), 2 * P, -EINVAL },
	{ "last strip too short", 1, RUN(6, se_len), P, -EINVAL },
	{ "strip of no length", 1, RUN(5, se_len), 0, -EINVAL },
	{ "strip with room left", 1, RUN(4, se_len), 9 * P, 0 },
	{ "strip wraps", 1, RUN(4, se_offset), U64_MAX - P + 1, -EINVAL },

	{ "extents overlap", 0, RUN(1, se_devindex), 0, -EINVAL },
	{ "strips overlap", 1, RUN(6, se_offset), 65 * P, -EINVAL },
	{ "strips are the same", 1, RUN(6, se_offset), 64 * P, -EINVAL },
	{ "strips side by side", 1, RUN(6, se_offset), 66 * P, 0 },
	{ "strips overlap in room left", 1, RUN(5, se_len), 17 * P, -EINVAL },
	{ "strips of two extents overlap", 1, RUN(4, se_devindex), 0,
	  -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(famfs_rule, famfs_rules, name);

/* Sets the field at @at; where it is tells its size, in all of the structs */
static void famfs_test_set(struct kunit *test, size_t at, u64 value)
{
	struct famfs_test *t = test->priv;
	size_t in_record = at < RECORD_AT(0) ? 0 : (at - RECORD_AT(0)) % RECORD;

	KUNIT_ASSERT_LE(test, at + sizeof(u32), t->len);
	if (at < HEAD(fmap_version))
		t->msg[at] = value;
	else if (at < HEAD(ext_type))
		*(u16 *)(t->msg + at) = value;
	else if (at < HEAD(file_size) ||
		 (at >= RECORD_AT(0) && in_record < RUN(0, se_offset) - RECORD_AT(0)))
		*(u32 *)(t->msg + at) = value;
	else
		*(u64 *)(t->msg + at) = value;
}

static void famfs_test_rules(struct kunit *test)
{
	const struct famfs_rule *rule = test->param_value;
	struct famfs_test *t = test->priv;

	if (rule->striped)
		famfs_test_start_striped(test);
	else
		famfs_test_start_simple(test);
	famfs_test_set(test, rule->at, rule->value);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), rule->err);
	KUNIT_EXPECT_EQ(test, !t->got.piece, !!rule->err);
}

/* The sum of the lengths is bounded, not only each of them */
static void famfs_test_sum(struct kunit *test)
{
	u64 half = FAMFS_MAX_BYTES / P / 2 + 1;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, 2, 2, 0);
	ext[0] = famfs_test_run(0, 0, half);
	ext[1] = famfs_test_run(1, 0, half - 2);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), 0);
	ext[1] = famfs_test_run(1, 0, half);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, 3, 3, 0);
	for (u32 i = 0; i < 3; i++)
		ext[i] = famfs_test_run(i, 0, 2 * half - 3);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
}

/* A message that is cut short is refused, whether it tells its size or not */
static void famfs_test_cut(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	size_t len;

	for (u32 i = 0; i < 4; i++) {
		if (i & 1)
			famfs_test_start_striped(test);
		else
			famfs_test_start_simple(test);
		if (i & 2)
			famfs_test_set(test, HEAD(fmap_size), 0);
		len = t->len;
		for (t->len = 0; t->len < len; t->len++)
			KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
		KUNIT_EXPECT_EQ(test, famfs_test_decode(test), 0);
	}
}

/* What may stand behind the last extent: zeroes, if the size is not told */
static void famfs_test_tail(struct kunit *test)
{
	struct famfs_test *t = test->priv;
	struct fuse_famfs_simple_ext *ext;

	ext = famfs_test_start(test, FUSE_FAMFS_EXT_SIMPLE, 1, 100, P);
	ext[0] = famfs_test_run(4, 4, 1);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
	famfs_test_set(test, HEAD(fmap_size), 0);
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), 0);
	t->msg[t->len - 1] = 1;
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
	t->len--;
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), 0);
	t->msg[sizeof(struct fuse_famfs_fmap_header) + RECORD] = 1;
	KUNIT_EXPECT_EQ(test, famfs_test_decode(test), -EINVAL);
}

static struct kunit_case famfs_test_cases[] = {
	KUNIT_CASE(famfs_test_simple),
	KUNIT_CASE(famfs_test_striped),
	KUNIT_CASE_PARAM(famfs_test_rules, famfs_rule_gen_params),
	KUNIT_CASE(famfs_test_sum),
	KUNIT_CASE(famfs_test_cut),
	KUNIT_CASE(famfs_test_tail),
	{},
};

static struct kunit_suite famfs_test_suite = {
	.name = "fmap_famfs",
	.init = famfs_test_init,
	.exit = famfs_test_exit,
	.test_cases = famfs_test_cases,
};

kunit_test_suite(famfs_test_suite);
