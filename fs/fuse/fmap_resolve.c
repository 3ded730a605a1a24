// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: from a position of the file to a byte of a device
 *
 * This is the hot path of every read, write and fault: a binary search among
 * the extents of a piece, and inside an extent a handful of multiplications,
 * however many strips it has.  Pure arithmetic on a piece, which never changes.
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

/**
 * fmap_find - find the extent that holds a position
 * @piece: the piece
 * @pos: position in the file, inside the piece
 *
 * Return: the extent.
 */
const struct fmap_extent *fmap_find(const struct fmap_piece *piece, u64 pos)
{
	const struct fmap_extent *ext = piece->extents;
	u32 nr = piece->nr_extents;

	/* Written without an else, so that no branch has to be predicted */
	while (nr > 1) {
		u32 half = nr / 2;

		if (ext[half].start <= pos)
			ext += half;
		nr -= half;
	}
	return ext;
}

static u64 fmap_extent_end(const struct fmap_piece *piece,
			   const struct fmap_extent *ext)
{
	if (ext == &piece->extents[piece->nr_extents - 1])
		return piece->end;
	return ext[1].start;
}

/* @pos counts from the start of the extent; the run ends with its chunk */
static void fmap_resolve_striped(const struct fmap_piece *piece,
				 const struct fmap_stripe *stripe, u64 pos,
				 struct fmap_loc *loc)
{
	u64 row, column, page, strip;

	row = fmap_div_rem(&stripe->width, pos >> PAGE_SHIFT, &page);
	column = fmap_div_rem(&stripe->chunk, page, &page);
	strip = piece->strips[stripe->first + column];

	loc->dev = fmap_at_dev(strip);
	loc->off = fmap_at_off(strip) + offset_in_page(pos) +
		   ((row * stripe->chunk.d + page) << PAGE_SHIFT);
	loc->len = ((stripe->chunk.d - page) << PAGE_SHIFT) -
		   offset_in_page(pos);
}

/**
 * fmap_resolve - tell where a position of a file lies
 * @piece: a piece of the map of the file
 * @pos: position in the file
 * @len: bytes wanted from there on
 * @loc: filled in
 *
 * The bytes in @loc lie one after the other both in the file and on the
 * device.  They are @len or fewer: a caller that wants all of them asks again
 * behind them.
 *
 * Return: false if @pos is not in the piece or nothing is wanted.
 */
bool fmap_resolve(const struct fmap_piece *piece, u64 pos, u64 len,
		  struct fmap_loc *loc)
{
	const struct fmap_extent *ext;
	u64 room;

	if (pos < piece->start || pos >= piece->end || !len)
		return false;

	ext = fmap_find(piece, pos);
	room = fmap_extent_end(piece, ext) - pos;
	pos -= ext->start;
	if (fmap_extent_striped(ext)) {
		fmap_resolve_striped(piece,
				     &piece->stripes[ext->at >> PAGE_SHIFT],
				     pos, loc);
		room = min(room, loc->len);
	} else {
		loc->dev = fmap_at_dev(ext->at);
		loc->off = fmap_at_off(ext->at) + pos;
	}
	loc->len = min(room, len);
	return true;
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_resolve_kunit.c"
#endif
