// SPDX-License-Identifier: GPL-2.0
/*
 * Slices of a piece against the piece and the oracle
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "check.h"

/* Slices with more pages are too long to be looked at page by page */
#define MOST_PAGES	400

/* At most so many slices of slices of slices */
#define MOST_DEPTH	3

static u64 nr_pages(const struct fmap_piece *piece)
{
	return (piece->end - piece->start) >> PAGE_SHIFT;
}

/* Page @pos of the slice lies where it lies in the whole, as far as it goes */
static bool check_page(const struct fmap_piece *slice,
		       const struct fmap_piece *piece,
		       const struct oracle *oracle, u64 pos)
{
	struct fmap_loc loc, whole;
	u32 dev;

	CHECK(fmap_resolve(slice, pos, U64_MAX, &loc));
	CHECK(fmap_resolve(piece, pos, slice->end - pos, &whole));
	CHECK(loc.dev == whole.dev);
	CHECK(loc.off == whole.off);
	CHECK(loc.len == whole.len);
	CHECK(oracle_where(oracle, pos, &dev) == loc.off);
	CHECK(dev == loc.dev);
	return true;
}

/* No page outside of the slice, be it in an extent that the slice shares */
static bool check_outside(const struct fmap_piece *slice)
{
	struct fmap_loc loc;

	CHECK(!fmap_resolve(slice, slice->end, 1, &loc));
	CHECK(!fmap_resolve(slice, U64_MAX, 1, &loc));
	if (slice->start) {
		CHECK(!fmap_resolve(slice, slice->start - 1, 1, &loc));
		CHECK(!fmap_resolve(slice, 0, 1, &loc));
	}
	return true;
}

static bool check_resolve(const struct fmap_piece *slice,
			  const struct fmap_piece *piece,
			  const struct oracle *oracle)
{
	u64 pos = slice->start, near = MOST_PAGES / 2 * PAGE_SIZE;

	for (; pos < slice->end; pos += PAGE_SIZE) {
		/* From both ends, should they be far apart */
		if (nr_pages(slice) > MOST_PAGES && pos == slice->start + near)
			pos = slice->end - near;
		CHECK(check_page(slice, piece, oracle, pos));
	}
	return check_outside(slice);
}

/* What the slice has is needed, and what it says of its cost is true */
static bool check_frugal(const struct fmap_piece *slice,
			 const struct fmap_piece *piece, size_t allocated)
{
	u32 nr = slice->nr_extents;
	size_t bytes = fmap_piece_bytes(slice) + fmap_claim_bytes(slice);

	CHECK(slice->extents[0].start <= slice->start);
	CHECK(nr < 2 || slice->extents[1].start > slice->start);
	CHECK(slice->extents[nr - 1].start < slice->end);
	CHECK(nr <= piece->nr_extents);
	CHECK(slice->nr_stripes <= nr);
	CHECK(fmap_piece_bytes(slice) <= fmap_piece_bytes(piece));
	CHECK(allocated == bytes + hweight64(slice->devs) * sizeof(void *));
	return true;
}

static bool check_made(const struct fmap_piece *slice,
		       const struct fmap_piece *piece,
		       const struct oracle *oracle, size_t allocated)
{
	wide bytes = 0;

	CHECK(check_frugal(slice, piece, allocated));
	CHECK(check_resolve(slice, piece, oracle));
	if (nr_pages(slice) <= MOST_PAGES)
		return check_claims_used(slice, oracle);

	for (u32 i = 0; i < slice->nr_claims; i++) {
		const struct fmap_claim *claim = slice->claims[i];

		for (u32 k = 0; k < claim->nr_ranges; k++)
			bytes += claim->ranges[k].end - claim->ranges[k].start;
	}
	CHECK(bytes == slice->end - slice->start);
	return true;
}

static struct fmap_piece *make(const struct fmap_piece *piece,
			       const struct oracle *oracle, u64 start, u64 end)
{
	size_t before = shim_memory.bytes;
	struct fmap_piece *slice = NULL;
	int err = fmap_piece_slice(piece, start, end, &slice);

	if (!err && slice && slice->start == start && slice->end == end &&
	    check_made(slice, piece, oracle, shim_memory.bytes - before))
		return slice;
	printf("# slice [%#llx, %#llx) of [%#llx, %#llx): %d\n",
	       (unsigned long long)start, (unsigned long long)end,
	       (unsigned long long)piece->start,
	       (unsigned long long)piece->end, err);
	fmap_piece_free(slice);
	return NULL;
}

/**
 * check_slice - make one slice, and look at all of it
 * @piece: a piece, or a slice
 * @oracle: the message that it was made from
 * @start: first byte of the slice
 * @end: byte behind the last
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_slice(const struct fmap_piece *piece, const struct oracle *oracle,
		 u64 start, u64 end)
{
	struct fmap_piece *slice = make(piece, oracle, start, end);

	CHECK(slice);
	fmap_piece_free(slice);
	return true;
}

/* A place where something may go wrong: the edge of an extent, or near it */
static u64 random_edge(const struct fmap_piece *piece, struct random *random)
{
	u64 page = random_below(random, nr_pages(piece) + 1);

	if (random_once_in(random, 2)) {
		u32 i = random_below(random, piece->nr_extents);
		u64 pos = piece->extents[i].start + PAGE_SIZE *
			  (random_below(random, 3) - 1);

		if (pos >= piece->start && pos <= piece->end)
			return pos;
	}
	return piece->start + page * PAGE_SIZE;
}

static bool check_some(const struct fmap_piece *piece,
		       const struct oracle *oracle, struct random *random,
		       u32 depth)
{
	u64 a = random_edge(piece, random);
	u64 b = random_edge(piece, random);
	u64 start = min(a, b), end = max(a, b);
	struct fmap_piece *slice;
	bool ok = true;

	/* Most of them short enough for all that there is to be checked */
	if (end - start > MOST_PAGES * PAGE_SIZE && !random_once_in(random, 4))
		end = start + (1 + random_below(random, MOST_PAGES)) * PAGE_SIZE;
	if (start == end)
		return true;
	slice = make(piece, oracle, start, end);
	CHECK(slice);
	if (depth)
		ok = check_some(slice, oracle, random, depth - 1);
	fmap_piece_free(slice);
	return ok;
}

/**
 * check_slices - make some slices at random, and slices of them
 * @piece: a piece
 * @oracle: the message that it was made from
 * @random: source of every choice
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_slices(const struct fmap_piece *piece, const struct oracle *oracle,
		  struct random *random)
{
	CHECK(check_slice(piece, oracle, piece->start, piece->end));
	CHECK(check_slice(piece, oracle, piece->start,
			  piece->start + PAGE_SIZE));
	CHECK(check_slice(piece, oracle, piece->end - PAGE_SIZE, piece->end));
	for (u32 i = 0; i < 4; i++)
		CHECK(check_some(piece, oracle, random, MOST_DEPTH));
	return true;
}
