// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: to make a piece of a map, or a slice of one
 *
 * A piece never changes.  When a part of it is dropped, slices of it take its
 * place, which hold what is left.
 */
#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "fmap_map.h"

/**
 * fmap_alloc - allocate memory for the arrays of a piece
 * @size: bytes, not 0
 *
 * kvmalloc() would take up to twice as much, as it prefers a power of two pages.
 *
 * Context: May sleep.
 * Return: the memory, to be freed by kvfree(), or NULL.
 */
void *fmap_alloc(size_t size)
{
	if (size <= PAGE_SIZE)
		return kmalloc(size, GFP_KERNEL_ACCOUNT);
	return __vmalloc(size, GFP_KERNEL_ACCOUNT);
}

static size_t fmap_piece_size(u32 nr_extents, u32 nr_stripes, u32 nr_strips)
{
	size_t extents = array_size(nr_extents, sizeof(struct fmap_extent));
	size_t stripes = array_size(nr_stripes, sizeof(struct fmap_stripe));
	size_t strips = array_size(nr_strips, sizeof(u64));

	return size_add(sizeof(struct fmap_piece),
			size_add(extents, size_add(stripes, strips)));
}

/**
 * fmap_piece_alloc - make a piece to be filled
 * @nr_extents: room for extents, at least 1
 * @nr_stripes: room for stripes
 * @nr_strips: room for strips
 *
 * Return: the piece, without claims, to be freed by fmap_piece_free(); or NULL.
 */
struct fmap_piece *fmap_piece_alloc(u32 nr_extents, u32 nr_stripes,
				    u32 nr_strips)
{
	struct fmap_piece *piece = fmap_alloc(fmap_piece_size(nr_extents,
							      nr_stripes,
							      nr_strips));

	if (!piece)
		return NULL;
	memset(piece, 0, sizeof(*piece));
	piece->nr_extents = nr_extents;
	piece->nr_stripes = nr_stripes;
	piece->nr_strips = nr_strips;
	piece->stripes = (void *)&piece->extents[nr_extents];
	piece->strips = (void *)&piece->stripes[nr_stripes];
	return piece;
}

/**
 * fmap_piece_free - free a piece that nobody looks at
 * @piece: the piece, or NULL; none of its claims is in an index
 */
void fmap_piece_free(struct fmap_piece *piece)
{
	if (!piece)
		return;
	fmap_claims_free(piece);
	kvfree(piece);
}

/**
 * fmap_piece_holders - tell which devices hold bytes of a piece
 * @piece: the piece
 *
 * Return: bit n is set for device n.  fmap_piece.devs may have more: a device can
 * be named with no bytes.
 */
u64 fmap_piece_holders(const struct fmap_piece *piece)
{
	u64 devs = 0;

	for (u32 i = 0; i < piece->nr_claims; i++)
		devs |= BIT_ULL(piece->claims[i]->dev);
	return devs;
}

/**
 * fmap_piece_bytes - tell what a piece costs for looking up positions
 * @piece: the piece
 *
 * Return: bytes of memory.
 */
size_t fmap_piece_bytes(const struct fmap_piece *piece)
{
	return fmap_piece_size(piece->nr_extents, piece->nr_stripes,
			       piece->nr_strips);
}

/**
 * fmap_claim_bytes - tell what a piece costs for its claims
 * @piece: the piece
 *
 * Return: bytes of memory.
 */
size_t fmap_claim_bytes(const struct fmap_piece *piece)
{
	size_t bytes = 0;

	for (u32 i = 0; i < piece->nr_claims; i++)
		bytes += struct_size(piece->claims[i], ranges,
				     piece->claims[i]->nr_ranges);
	return bytes;
}

/*
 * The page of strip @column at which the bytes from @page on begin, where @page
 * counts from the start of the extent: those in front of it fill the strips of
 * the columns before its own one row further than those behind.
 */
static u64 fmap_strip_page(const struct fmap_stripe *stripe, u32 column,
			   u64 page)
{
	u64 row, own, rest;

	row = fmap_div_rem(&stripe->width, page, &rest);
	own = fmap_div_rem(&stripe->chunk, rest, &rest);
	if (column < own)
		rest = stripe->chunk.d;
	else if (column > own)
		rest = 0;
	return row * stripe->chunk.d + rest;
}

/* Claim what the bytes of @ext from @start to @end lie on, strip by strip */
static void fmap_slice_claim_striped(struct fmap_claims_build *build,
				     const struct fmap_piece *piece,
				     const struct fmap_extent *ext,
				     u64 start, u64 end)
{
	const struct fmap_stripe *stripe =
		&piece->stripes[ext->at >> PAGE_SHIFT];
	u64 first = (start - ext->start) >> PAGE_SHIFT;
	u64 behind = (end - ext->start) >> PAGE_SHIFT;

	for (u32 i = 0; i < stripe->nr_strips; i++) {
		u64 at = piece->strips[stripe->first + i];
		u64 from = fmap_strip_page(stripe, i, first);
		u64 to = fmap_strip_page(stripe, i, behind);

		fmap_claims_add(build, fmap_at_dev(at),
				fmap_at_off(at) + (from << PAGE_SHIFT),
				(to - from) << PAGE_SHIFT);
	}
}

/* Claim what @piece leads to, and note the devices */
static void fmap_slice_walk(struct fmap_claims_build *build,
			    struct fmap_piece *piece)
{
	for (u32 i = 0; i < piece->nr_extents; i++) {
		const struct fmap_extent *ext = &piece->extents[i];
		u64 start = max(ext->start, piece->start);
		u64 end = i + 1 < piece->nr_extents ? ext[1].start : piece->end;

		if (fmap_extent_striped(ext))
			fmap_slice_claim_striped(build, piece, ext, start, end);
		else
			fmap_claims_add(build, fmap_at_dev(ext->at),
					fmap_at_off(ext->at) + start - ext->start,
					end - start);
	}
}

static int fmap_slice_claims(struct fmap_piece *piece)
{
	struct fmap_claims_build *build __free(kfree) =
		kzalloc_obj(*build, GFP_KERNEL);
	int err;

	if (!build)
		return -ENOMEM;
	fmap_slice_walk(build, piece);
	for (u32 dev = 0; dev < FUSE_FMAP_MAX_DEVS; dev++)
		if (build->nr[dev])
			piece->devs |= BIT_ULL(dev);
	err = fmap_claims_alloc(build, piece);
	if (err)
		return err;
	fmap_slice_walk(build, piece);
	return fmap_claims_finish(piece);
}

/* Copy the stripe of extent @ext of @piece, and its strips, to @slice */
static void fmap_slice_copy_stripe(struct fmap_piece *slice,
				   struct fmap_extent *ext,
				   const struct fmap_piece *piece)
{
	struct fmap_stripe *to = &slice->stripes[slice->nr_stripes];
	const struct fmap_stripe *from = &piece->stripes[ext->at >> PAGE_SHIFT];

	*to = *from;
	to->first = slice->nr_strips;
	memcpy(&slice->strips[to->first], &piece->strips[from->first],
	       array_size(from->nr_strips, sizeof(*piece->strips)));
	ext->at = fmap_at(FMAP_STRIPED, (u64)slice->nr_stripes << PAGE_SHIFT);
	slice->nr_stripes++;
	slice->nr_strips += from->nr_strips;
}

/* A piece with the @nr extents from @ext on, whose striped ones are theirs */
static struct fmap_piece *fmap_slice_copy(const struct fmap_piece *piece,
					  const struct fmap_extent *ext, u32 nr)
{
	u32 nr_stripes = 0, nr_strips = 0;
	struct fmap_piece *slice;

	for (u32 i = 0; i < nr; i++) {
		if (!fmap_extent_striped(&ext[i]))
			continue;
		nr_stripes++;
		nr_strips += piece->stripes[ext[i].at >> PAGE_SHIFT].nr_strips;
	}
	slice = fmap_piece_alloc(nr, nr_stripes, nr_strips);
	if (!slice)
		return NULL;

	memcpy(slice->extents, ext, array_size(nr, sizeof(*ext)));
	slice->nr_stripes = 0;
	slice->nr_strips = 0;
	for (u32 i = 0; i < nr; i++)
		if (fmap_extent_striped(&ext[i]))
			fmap_slice_copy_stripe(slice, &slice->extents[i],
					       piece);
	return slice;
}

/**
 * fmap_piece_slice - make a piece that holds a part of another
 * @piece: the other, which stays as it is
 * @start: first byte of the file, in @piece, a multiple of the page size
 * @end: byte behind the last, likewise
 * @slicep: set to the slice on success, to be freed by fmap_piece_free()
 *
 * The claims of the slice are what it leads to, and are in those of @piece.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int fmap_piece_slice(const struct fmap_piece *piece, u64 start, u64 end,
		     struct fmap_piece **slicep)
{
	const struct fmap_extent *first = fmap_find(piece, start);
	const struct fmap_extent *last = fmap_find(piece, end - 1);
	struct fmap_piece *slice;
	int err;

	slice = fmap_slice_copy(piece, first, last - first + 1);
	if (!slice)
		return -ENOMEM;
	slice->start = start;
	slice->end = end;
	err = fmap_slice_claims(slice);
	if (err) {
		fmap_piece_free(slice);
		return err;
	}
	*slicep = slice;
	return 0;
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_piece_kunit.c"
#endif
