// SPDX-License-Identifier: GPL-2.0
/*
 * Slices: all of those that small maps have, some of very large ones, and what
 * is left when there is no memory for one
 */
#include <errno.h>
#include <time.h>

#include <linux/slab.h>

#include "check.h"
#include "test.h"

/* Maps of more pages have too many slices */
#define SMALL	30

/* A valid map that has extents, and @nr pages at most if it is not 0 */
static struct fmap_piece *random_piece(struct message *msg, u64 nr,
				       struct random *random)
{
	struct fmap_message got;

	for (;;) {
		message_random(msg, random);
		decode(msg, &got);
		if (got.piece && (!nr || got.piece->end - got.piece->start <=
					 nr * PAGE_SIZE))
			return got.piece;
		fmap_piece_free(got.piece);
		message_free(msg);
	}
}

static bool each_slice(const struct fmap_piece *piece,
		       const struct oracle *oracle)
{
	for (u64 start = piece->start; start < piece->end; start += PAGE_SIZE) {
		for (u64 end = start + PAGE_SIZE; end <= piece->end;
		     end += PAGE_SIZE)
			CHECK(check_slice(piece, oracle, start, end));
	}
	return true;
}

static bool one_small(struct random *random)
{
	struct fmap_piece *piece;
	struct message msg;
	struct oracle oracle;
	bool ok;

	piece = random_piece(&msg, SMALL, random);
	oracle_read(&oracle, msg.bytes, msg.len, msg.start);
	ok = each_slice(piece, &oracle);
	oracle_free(&oracle);
	fmap_piece_free(piece);
	message_free(&msg);
	CHECK(ok);
	CHECK(shim_memory.objects == 0);
	return true;
}

bool test_all_slices(void)
{
	return repeat(one_small, 300, 60);
}

/* Each allocation fails once: an error, and nothing left behind */
static bool one_without_memory(struct random *random)
{
	struct fmap_piece *piece, *slice = NULL;
	struct message msg;
	long objects;
	int err;

	piece = random_piece(&msg, 0, random);
	objects = shim_memory.objects;
	for (long fail_in = 1; ; fail_in++) {
		shim_memory.fail_in = fail_in;
		err = fmap_piece_slice(piece, piece->start, piece->end, &slice);
		if (shim_memory.fail_in)
			break;
		CHECK(err == -ENOMEM);
		CHECK(!slice);
		CHECK(shim_memory.objects == objects);
	}
	shim_memory.fail_in = 0;
	CHECK(!err && slice);
	fmap_piece_free(slice);
	fmap_piece_free(piece);
	message_free(&msg);
	CHECK(shim_memory.objects == 0);
	return true;
}

bool test_slices_without_memory(void)
{
	return repeat(one_without_memory, 300, 60);
}

/* A piece of @nr extents of a page each, with a hole of the device between */
static struct fmap_piece *comb(u32 nr)
{
	struct fuse_famfs_simple_ext *ext;
	struct fmap_message got;
	struct message msg;

	message_start(&msg, FUSE_FAMFS_EXT_SIMPLE);
	message_resize(&msg, msg.len + nr * sizeof(*ext));
	ext = (void *)(msg.bytes + sizeof(struct fuse_famfs_fmap_header));
	for (u64 i = 0; i < nr; i++) {
		ext[i].se_offset = 2 * i * PAGE_SIZE;
		ext[i].se_len = PAGE_SIZE;
	}
	message_head(&msg)->nextents = nr;
	message_finish(&msg, 0);
	decode(&msg, &got);
	message_free(&msg);
	return got.piece;
}

static bool check_comb(const struct fmap_piece *piece, u64 first, u64 nr)
{
	struct fmap_piece *slice;
	struct fmap_loc loc;

	CHECK(fmap_piece_slice(piece, first * PAGE_SIZE,
			       (first + nr) * PAGE_SIZE, &slice) == 0);
	CHECK(slice->nr_extents == nr);
	CHECK(slice->claims[0]->nr_ranges == nr);
	CHECK(slice->claims[0]->node.start == 2 * first);
	CHECK(slice->claims[0]->node.last == 2 * (first + nr - 1));
	CHECK(check_bytes(slice, nr));
	CHECK(fmap_resolve(slice, (first + nr / 2) * PAGE_SIZE, 1, &loc));
	CHECK(loc.off == 2 * (first + nr / 2) * PAGE_SIZE);
	fmap_piece_free(slice);
	return true;
}

/* A slice costs what it holds, in memory and in time, not what was there */
bool test_large_slices(void)
{
	const u32 nr = 600000;
	struct fmap_piece *piece = comb(nr);
	clock_t begin = clock();

	CHECK(piece && piece->nr_extents == nr);
	for (u32 i = 0; i < 20000; i++)
		CHECK(check_comb(piece, (u64)i * 7919 % (nr - 3), 3));
	CHECK(clock() - begin < 10 * CLOCKS_PER_SEC);
	CHECK(check_comb(piece, 0, nr));
	CHECK(check_comb(piece, 1, nr - 2));
	CHECK(check_comb(piece, 0, 1));
	CHECK(check_comb(piece, nr - 1, 1));
	fmap_piece_free(piece);
	CHECK(shim_memory.objects == 0);
	return true;
}
