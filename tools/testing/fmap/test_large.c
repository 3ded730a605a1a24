// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the largest size: right, and neither slow nor greedy
 */
#include <errno.h>
#include <time.h>

#include <linux/slab.h>

#include "check.h"
#include "test.h"

#define HEAD	sizeof(struct fuse_famfs_fmap_header)
#define RECORD	sizeof(struct fuse_famfs_simple_ext)
#define MOST	((FUSE_FMAP_MAX_MSG - HEAD) / RECORD)

/* Seconds, sanitizers included; what is quadratic takes hours */
#define SLOW	20

/* A message with room for @nr records behind the header, to be filled in */
static struct fuse_famfs_simple_ext *start(struct message *msg, u32 type,
					   u32 nextents, size_t nr,
					   u64 file_size)
{
	message_start(msg, type);
	message_resize(msg, HEAD + nr * RECORD);
	message_finish(msg, file_size);
	message_head(msg)->nextents = nextents;
	return (void *)(msg->bytes + HEAD);
}

static struct fuse_famfs_simple_ext run(u32 dev, u64 page, u64 pages)
{
	return (struct fuse_famfs_simple_ext) {
		.se_devindex = dev,
		.se_offset = page * PAGE_SIZE,
		.se_len = pages * PAGE_SIZE,
	};
}

static bool decode(struct message *msg, struct fmap **mapp)
{
	time_t begin = time(NULL);
	int err;

	shim_memory.peak = 0;
	err = fmap_famfs_decode(msg->bytes, msg->len, mapp);
	CHECK(err == 0);
	CHECK(time(NULL) - begin < SLOW);
	CHECK(shim_memory.peak <= 4 * msg->len + 16384);
	message_free(msg);
	return true;
}

static bool lies_at(const struct fmap *map, u64 pos, u32 dev, u64 off, u64 len)
{
	struct fmap_loc loc;

	CHECK(fmap_resolve(map, pos, U64_MAX, &loc));
	CHECK(loc.dev == dev);
	CHECK(loc.off == off);
	CHECK(loc.len == len);
	return true;
}

/* On each device from its end to its beginning, with a hole behind each */
bool test_largest_simple(void)
{
	struct fuse_famfs_simple_ext *ext;
	struct random random = {};
	struct message msg;
	struct fmap *map;

	ext = start(&msg, FUSE_FAMFS_EXT_SIMPLE, MOST, MOST, MOST * PAGE_SIZE);
	for (u64 i = 0; i < MOST; i++)
		ext[i] = run(i % 64, 2 * (MOST - i), 1);
	CHECK(decode(&msg, &map));

	CHECK(map->nr_extents == MOST);
	CHECK(map->nr_claims == 64);
	CHECK(map->devs == U64_MAX);
	for (u32 i = 0; i < 100000; i++) {
		u64 page = random_below(&random, MOST);

		CHECK(lies_at(map, page * PAGE_SIZE + 7, page % 64,
			      2 * (MOST - page) * PAGE_SIZE + 7,
			      PAGE_SIZE - 7));
	}
	fmap_free(map);

	start(&msg, FUSE_FAMFS_EXT_SIMPLE, 0, MOST + 1, 0);
	CHECK(msg.len > FUSE_FMAP_MAX_MSG);
	CHECK(fmap_famfs_decode(msg.bytes, msg.len, &map) == -EFBIG);
	message_free(&msg);
	return true;
}

bool test_largest_merged(void)
{
	struct fuse_famfs_simple_ext *ext;
	struct message msg;
	struct fmap *map;

	ext = start(&msg, FUSE_FAMFS_EXT_SIMPLE, MOST, MOST, MOST * PAGE_SIZE);
	for (u64 i = 0; i < MOST; i++)
		ext[i] = run(3, 5 + i, 1);
	CHECK(decode(&msg, &map));

	CHECK(map->nr_extents == 1);
	CHECK(map->nr_claims == 1 && map->claims[0]->nr_ranges == 1);
	CHECK(shim_memory.bytes < 4096);
	CHECK(lies_at(map, 1, 3, 5 * PAGE_SIZE + 1, MOST * PAGE_SIZE - 1));
	fmap_free(map);
	return true;
}

bool test_largest_striped(void)
{
	const u64 nr = MOST - 1;
	struct fuse_famfs_simple_ext *strips;
	struct fuse_famfs_iext *iext;
	struct random random = {};
	struct message msg;
	struct fmap *map;

	strips = start(&msg, FUSE_FAMFS_EXT_INTERLEAVE, 1, MOST,
		       5 * nr * PAGE_SIZE - 100);
	iext = (struct fuse_famfs_iext *)strips++;
	*iext = (struct fuse_famfs_iext) {
		.ie_nstrips = nr,
		.ie_chunk_size = PAGE_SIZE,
		.ie_nbytes = 5 * nr * PAGE_SIZE - 100,
	};
	for (u64 i = 0; i < nr; i++)
		strips[i] = run(i % 7, 5 * (nr - i), 5);
	CHECK(decode(&msg, &map));

	CHECK(map->nr_extents == 1 && map->nr_strips == nr);
	for (u32 i = 0; i < 100000; i++) {
		u64 page = random_below(&random, 5 * nr);

		CHECK(lies_at(map, page * PAGE_SIZE, page % nr % 7,
			      (5 * (nr - page % nr) + page / nr) * PAGE_SIZE,
			      PAGE_SIZE));
	}
	fmap_free(map);
	return true;
}

/* Extents of three chunks on two strips: the next one cannot go on there */
bool test_largest_stripes(void)
{
	const u64 nr = MOST / 3;
	struct fuse_famfs_simple_ext *record;
	struct random random = {};
	struct message msg;
	struct fmap *map;

	record = start(&msg, FUSE_FAMFS_EXT_INTERLEAVE, nr, 3 * nr,
		       3 * nr * PAGE_SIZE);
	for (u64 i = 0; i < nr; i++) {
		*(struct fuse_famfs_iext *)record++ = (struct fuse_famfs_iext) {
			.ie_nstrips = 2,
			.ie_chunk_size = PAGE_SIZE,
			.ie_nbytes = 3 * PAGE_SIZE,
		};
		*record++ = run(0, 2 * i, 2);
		*record++ = run(1, i, 1);
	}
	CHECK(decode(&msg, &map));

	CHECK(map->nr_extents == nr && map->nr_stripes == nr);
	for (u32 i = 0; i < 100000; i++) {
		u64 ext = random_below(&random, nr);

		CHECK(lies_at(map, (3 * ext + 1) * PAGE_SIZE, 1,
			      ext * PAGE_SIZE, PAGE_SIZE));
		CHECK(lies_at(map, (3 * ext + 2) * PAGE_SIZE, 0,
			      (2 * ext + 1) * PAGE_SIZE, PAGE_SIZE));
	}
	fmap_free(map);
	return true;
}
