// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: from a position of the file to a byte of a device
 *
 * This is the hot path of every read, write and fault: a binary search among
 * the extents, and inside an extent a handful of multiplications, however many
 * strips it has.  Pure arithmetic on a map that never changes.
 */
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "fmap_map.h"

/**
 * fmap_div_init - prepare divisions by a number
 * @div: what to prepare
 * @d: the divisor, not 0
 */
void fmap_div_init(struct fmap_div *div, u64 d)
{
	div->d = d;
	div->magic = div64_u64(U64_MAX, d);
}

/*
 * With magic = (2^64 - 1) / d rounded down, n * magic / 2^64 is at most n / d
 * and more than n / d - 1: so the quotient is right or one too small, for
 * every n.
 */
static __always_inline u64 fmap_div_rem(const struct fmap_div *div, u64 n,
					u64 *rem)
{
	u64 quot = mul_u64_u64_shr(n, div->magic, 64);

	*rem = n - quot * div->d;
	if (*rem >= div->d) {
		*rem -= div->d;
		quot++;
	}
	return quot;
}

/* The extent that holds @pos, which lies inside the map */
static const struct fmap_extent *fmap_find(const struct fmap *map, u64 pos)
{
	const struct fmap_extent *ext = map->extents;
	u32 nr = map->nr_extents;

	/* Written without an else, so that no branch has to be predicted */
	while (nr > 1) {
		u32 half = nr / 2;

		if (ext[half].start <= pos)
			ext += half;
		nr -= half;
	}
	return ext;
}

static u64 fmap_extent_end(const struct fmap *map,
			   const struct fmap_extent *ext)
{
	if (ext == &map->extents[map->nr_extents - 1])
		return map->end;
	return ext[1].start;
}

/* @pos counts from the start of the extent; the run ends with its chunk */
static void fmap_resolve_striped(const struct fmap *map,
				 const struct fmap_stripe *stripe, u64 pos,
				 struct fmap_loc *loc)
{
	const struct fmap_strip *strip;
	u64 row, column, page;

	row = fmap_div_rem(&stripe->width, pos >> PAGE_SHIFT, &page);
	column = fmap_div_rem(&stripe->chunk, page, &page);
	strip = &map->strips[stripe->first + column];

	loc->dev = strip->dev;
	loc->off = strip->dev_off + offset_in_page(pos) +
		   ((row * stripe->chunk.d + page) << PAGE_SHIFT);
	loc->len = ((stripe->chunk.d - page) << PAGE_SHIFT) -
		   offset_in_page(pos);
}

/**
 * fmap_resolve - tell where a position of a file lies
 * @map: the map of the file
 * @pos: position in the file
 * @len: bytes wanted from there on
 * @loc: filled in
 *
 * The bytes in @loc lie one after the other both in the file and on the
 * device.  They are @len or fewer: a caller that wants all of them asks again
 * behind them.
 *
 * Return: false if the map ends before @pos or nothing is wanted.
 */
bool fmap_resolve(const struct fmap *map, u64 pos, u64 len,
		  struct fmap_loc *loc)
{
	const struct fmap_extent *ext;
	u64 room;

	if (pos >= map->end || !len)
		return false;

	ext = fmap_find(map, pos);
	room = fmap_extent_end(map, ext) - pos;
	pos -= ext->start;
	if (ext->dev == FMAP_STRIPED) {
		fmap_resolve_striped(map, &map->stripes[ext->stripe], pos, loc);
		room = min(room, loc->len);
	} else {
		loc->dev = ext->dev;
		loc->off = ext->dev_off + pos;
	}
	loc->len = min(room, len);
	return true;
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_resolve_kunit.c"
#endif
