// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's form of a map, byte for byte.
 */
#include "fmap.h"
#include "tap.h"

static void put32(uint8_t *b, size_t at, uint32_t v)
{
	memcpy(b + at, &v, 4);
}

static void put64(uint8_t *b, size_t at, uint64_t v)
{
	memcpy(b + at, &v, 8);
}

static void test_simple(void)
{
	struct famfs_map map = {
		.count = 2,
		.se = { { 1, 4 * UNIT, UNIT }, { 0, 9 * UNIT, 2 * UNIT } },
	};
	uint8_t want[32 + 48] = { 0 }, got[FAMFS_FMAP_MAX];
	size_t len;

	want[2] = 1;				/* version */
	put32(want, 8, 2);			/* extents */
	put32(want, 12, sizeof(want));
	put64(want, 16, 2 * UNIT + 5);		/* size of the file */
	put32(want, 32, 1);
	put64(want, 40, 4 * UNIT);
	put64(want, 48, UNIT);
	put64(want, 64, 9 * UNIT);
	put64(want, 72, 2 * UNIT);
	len = famfs_fmap_encode(&map, 2 * UNIT + 5, FUSE_FAMFS_FILE_REG, 4096,
				got);
	ok(len == sizeof(want) && !memcmp(got, want, len), "two simple extents");
	len = famfs_fmap_encode(&map, 2 * UNIT + 5, FUSE_FAMFS_FILE_REG,
				sizeof(want), got);
	ok(len == sizeof(want), "into exactly the room for it");
	len = famfs_fmap_encode(&map, 2 * UNIT + 5, FUSE_FAMFS_FILE_REG,
				sizeof(want) - 1, got);
	ok(len == 32 && !memcmp(got, want, 32),
	   "with less room: the header, which tells the size");
}

static void test_interleave(void)
{
	struct famfs_map map = {
		.ext_type = FAMFS_MAP_INTERLEAVE,
		.count = 1,
		.ie = {
			.nstrips = 2,
			.chunk_size = 8192,
			.strips = { { 0, UNIT, UNIT }, { 3, 5 * UNIT, UNIT } },
		},
	};
	uint8_t want[32 + 24 + 48] = { 0 }, got[FAMFS_FMAP_MAX];
	size_t len;

	want[0] = 2;				/* a log */
	want[2] = 1;
	put32(want, 4, 1);			/* interleaved */
	put32(want, 8, 1);
	put32(want, 12, sizeof(want));
	put64(want, 16, 10001);
	put32(want, 32, 2);
	put32(want, 36, 8192);
	put64(want, 40, 10001);			/* ends anywhere */
	put64(want, 64, UNIT);
	put64(want, 72, UNIT);
	put32(want, 80, 3);
	put64(want, 88, 5 * UNIT);
	put64(want, 96, UNIT);
	len = famfs_fmap_encode(&map, 10001, FUSE_FAMFS_FILE_LOG, 4096, got);
	ok(len == sizeof(want) && !memcmp(got, want, len),
	   "two strips on two devices");
}

static void test_edges(void)
{
	struct famfs_map map = { .count = 1, .se = { { 0, UNIT, UNIT } } };
	uint8_t got[FAMFS_FMAP_MAX];
	struct fuse_famfs_fmap_header h;
	size_t len;

	len = famfs_fmap_encode(&map, 0, FUSE_FAMFS_FILE_REG, 4096, got);
	memcpy(&h, got, sizeof(h));
	ok(len == 32 && h.nextents == 0 && h.fmap_size == 32,
	   "an empty file has no extents");
	map.ext_type = FAMFS_MAP_INTERLEAVE;
	map.ie.nstrips = FAMFS_MAX_STRIPS;
	len = famfs_fmap_encode(&map, 1, FUSE_FAMFS_FILE_REG, 4096, got);
	ok(len == FAMFS_FMAP_MAX, "the longest map fills the buffer exactly");
}

static void test_store(void)
{
	struct famfs_map map = { .count = 1, .se = { { 2, UNIT, UNIT } } };
	uint8_t want[16 + 32 + 32 + 24] = { 0 }, got[FAMFS_STORE_MAX];
	size_t len;

	put32(want, 0, sizeof(want));
	put32(want, 4, 11);			/* the code; no unique */
	put64(want, 16, 77);			/* all of file 77 */
	want[48 + 2] = 1;
	put32(want, 56, 1);
	put32(want, 60, 32 + 24);
	put64(want, 64, 4097);
	put32(want, 80, 2);
	put64(want, 88, UNIT);
	put64(want, 96, UNIT);
	len = famfs_fmap_store(77, &map, 4097, FUSE_FAMFS_FILE_REG, got);
	ok(len == sizeof(want) && !memcmp(got, want, len),
	   "a notification: header, part, reply");
	map.ext_type = FAMFS_MAP_INTERLEAVE;
	map.ie.nstrips = FAMFS_MAX_STRIPS;
	len = famfs_fmap_store(77, &map, 1, FUSE_FAMFS_FILE_REG, got);
	ok(len == FAMFS_STORE_MAX, "the longest fills the buffer exactly");
	len = famfs_fmap_store(77, &map, 0, FUSE_FAMFS_FILE_REG, got);
	ok(len == 80, "that of an empty file is headers alone");
}

int main(void)
{
	test_simple();
	test_interleave();
	test_edges();
	test_store();
	return done();
}
