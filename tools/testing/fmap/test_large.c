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

/* Extents that do not fit one message */
#define MILLION	1000000ULL

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

/* Decodes a message, which is freed; NULL if something is wrong with it */
static struct fmap_piece *decode_large(struct message *msg)
{
	size_t nr = (msg->len - HEAD) / RECORD;
	time_t begin = time(NULL);
	struct fmap_message got;
	int err;

	shim_memory.peak = 0;
	err = decode(msg, &got);
	if (!err && got.piece && check_bytes(got.piece, nr) &&
	    time(NULL) - begin < SLOW &&
	    shim_memory.peak - shim_memory.bytes < 4096) {
		message_free(msg);
		return got.piece;
	}
	printf("# %d, %ld s, %zu bytes\n", err, (long)(time(NULL) - begin),
	       shim_memory.peak);
	return NULL;
}

static bool lies_at(const struct fmap_piece *piece, u64 pos, u32 dev, u64 off,
		    u64 len)
{
	struct fmap_loc loc;

	CHECK(fmap_resolve(piece, pos, U64_MAX, &loc));
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
	struct fmap_message got;
	struct message msg;
	struct fmap_piece *piece;

	ext = start(&msg, FUSE_FAMFS_EXT_SIMPLE, MOST, MOST, MOST * PAGE_SIZE);
	for (u64 i = 0; i < MOST; i++)
		ext[i] = run(i % 64, 2 * (MOST - i), 1);
	piece = decode_large(&msg);
	CHECK(piece);

	CHECK(piece->nr_extents == MOST);
	CHECK(piece->nr_claims == 64);
	CHECK(piece->devs == U64_MAX);
	for (u32 i = 0; i < 100000; i++) {
		u64 page = random_below(&random, MOST);

		CHECK(lies_at(piece, page * PAGE_SIZE + 7, page % 64,
			      2 * (MOST - page) * PAGE_SIZE + 7,
			      PAGE_SIZE - 7));
	}
	fmap_piece_free(piece);

	start(&msg, FUSE_FAMFS_EXT_SIMPLE, 0, MOST + 1, 0);
	CHECK(msg.len > FUSE_FMAP_MAX_MSG);
	CHECK(decode(&msg, &got) == -EFBIG);
	message_free(&msg);
	return true;
}

bool test_largest_merged(void)
{
	struct fuse_famfs_simple_ext *ext;
	struct message msg;
	struct fmap_piece *piece;

	ext = start(&msg, FUSE_FAMFS_EXT_SIMPLE, MOST, MOST, MOST * PAGE_SIZE);
	for (u64 i = 0; i < MOST; i++)
		ext[i] = run(3, 5 + i, 1);
	piece = decode_large(&msg);
	CHECK(piece);

	CHECK(piece->nr_extents == 1);
	CHECK(piece->nr_claims == 1 && piece->claims[0]->nr_ranges == 1);
	CHECK(shim_memory.bytes < 4096);
	CHECK(lies_at(piece, 1, 3, 5 * PAGE_SIZE + 1, MOST * PAGE_SIZE - 1));
	fmap_piece_free(piece);
	return true;
}

bool test_largest_striped(void)
{
	const u64 nr = MOST - 1;
	struct fuse_famfs_simple_ext *strips;
	struct fuse_famfs_iext *iext;
	struct random random = {};
	struct message msg;
	struct fmap_piece *piece;

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
	piece = decode_large(&msg);
	CHECK(piece);

	CHECK(piece->nr_extents == 1 && piece->nr_strips == nr);
	for (u32 i = 0; i < 100000; i++) {
		u64 page = random_below(&random, 5 * nr);

		CHECK(lies_at(piece, page * PAGE_SIZE, page % nr % 7,
			      (5 * (nr - page % nr) + page / nr) * PAGE_SIZE,
			      PAGE_SIZE));
	}
	fmap_piece_free(piece);
	return true;
}

/* Extents of three chunks on two strips: the next one cannot go on there */
bool test_largest_stripes(void)
{
	const u64 nr = MOST / 3;
	struct fuse_famfs_simple_ext *record;
	struct random random = {};
	struct message msg;
	struct fmap_piece *piece;

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
	piece = decode_large(&msg);
	CHECK(piece);

	CHECK(piece->nr_extents == nr && piece->nr_stripes == nr);
	for (u32 i = 0; i < 100000; i++) {
		u64 ext = random_below(&random, nr);

		CHECK(lies_at(piece, (3 * ext + 1) * PAGE_SIZE, 1,
			      ext * PAGE_SIZE, PAGE_SIZE));
		CHECK(lies_at(piece, (3 * ext + 2) * PAGE_SIZE, 0,
			      (2 * ext + 1) * PAGE_SIZE, PAGE_SIZE));
	}
	fmap_piece_free(piece);
	return true;
}

/* Page @page of the file is every other page of the device, from the end on */
static struct fmap_piece *page_of_million(u64 first, u64 nr, u64 next)
{
	struct fuse_famfs_simple_ext *ext;
	struct message msg;

	ext = start(&msg, FUSE_FAMFS_EXT_SIMPLE, nr, nr, MILLION * PAGE_SIZE);
	for (u64 i = 0; i < nr; i++)
		ext[i] = run(1, 2 * (MILLION - first - i), 1);
	msg.start = first * PAGE_SIZE;
	message_head(&msg)->next_offset = next * PAGE_SIZE;
	return decode_large(&msg);
}

/* More than one message can hold; all of it costs little */
bool test_million(void)
{
	const u64 nr = MILLION / 4;
	struct fmap_piece *pieces[4];
	size_t bytes = 0;

	for (u32 i = 0; i < 4; i++) {
		pieces[i] = page_of_million(i * nr, nr, (i + 1) % 4 * nr);
		CHECK(pieces[i]);
		bytes += fmap_piece_bytes(pieces[i]);
	}
	CHECK(bytes <= 24 * MILLION);
	for (u64 page = 0; page < MILLION; page += 997)
		CHECK(lies_at(pieces[page / nr], page * PAGE_SIZE, 1,
			      2 * (MILLION - page) * PAGE_SIZE, PAGE_SIZE));
	for (u32 i = 0; i < 4; i++)
		fmap_piece_free(pieces[i]);
	return true;
}

/* Extents of two strips, none of which goes on where the last one ends */
bool test_pairs(void)
{
	const u64 nr = 10000;
	struct fuse_famfs_simple_ext *record;
	struct fmap_piece *piece;
	struct message msg;

	record = start(&msg, FUSE_FAMFS_EXT_INTERLEAVE, nr, 3 * nr, 0);
	for (u64 i = 0; i < nr; i++) {
		*(struct fuse_famfs_iext *)record++ = (struct fuse_famfs_iext) {
			.ie_nstrips = 2,
			.ie_chunk_size = PAGE_SIZE,
			.ie_nbytes = 2 * PAGE_SIZE,
		};
		*record++ = run(0, 2 * i, 1);
		*record++ = run(1, 2 * i, 1);
	}
	piece = decode_large(&msg);
	CHECK(piece);

	CHECK(piece->nr_stripes == nr && piece->nr_strips == 2 * nr);
	CHECK(fmap_piece_bytes(piece) <= 24 * 3 * nr + sizeof(*piece));
	CHECK(piece->claims[1]->nr_ranges == nr);
	for (u64 i = 0; i < nr; i++)
		CHECK(lies_at(piece, (2 * i + 1) * PAGE_SIZE, 1,
			      2 * i * PAGE_SIZE, PAGE_SIZE));
	fmap_piece_free(piece);
	return true;
}
