// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the published famfs encoding
 *
 * Turns the reply to FUSE_GET_FMAP into a piece of a map, or into an errno, by the
 * rules in include/uapi/linux/fuse_fmap.h.  No other file knows this encoding.
 *
 * The message is walked twice by the same code: first to check and to count,
 * then to fill arrays of just the size that is needed.  So nothing is allocated
 * before all of it is known to be good, and never more than a small multiple of
 * the bytes that really came.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/fuse_fmap.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "fmap_map.h"

static_assert(sizeof(struct fuse_famfs_fmap_header) == 32);
static_assert(offsetof(struct fuse_famfs_fmap_header, file_type) == 0);
static_assert(offsetof(struct fuse_famfs_fmap_header, fmap_version) == 2);
static_assert(offsetof(struct fuse_famfs_fmap_header, ext_type) == 4);
static_assert(offsetof(struct fuse_famfs_fmap_header, nextents) == 8);
static_assert(offsetof(struct fuse_famfs_fmap_header, fmap_size) == 12);
static_assert(offsetof(struct fuse_famfs_fmap_header, file_size) == 16);
static_assert(offsetof(struct fuse_famfs_fmap_header, next_offset) == 24);

static_assert(sizeof(struct fuse_famfs_simple_ext) == 24);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_devindex) == 0);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_offset) == 8);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_len) == 16);

static_assert(sizeof(struct fuse_famfs_iext) == 24);
static_assert(offsetof(struct fuse_famfs_iext, ie_chunk_size) == 4);
static_assert(offsetof(struct fuse_famfs_iext, ie_nbytes) == 8);

/* No file and no device has bytes behind this; page numbers fit a long */
#define FAMFS_MAX_BYTES	((u64)MAX_LFS_FILESIZE & PAGE_MASK)

/**
 * struct famfs_walk - a walk over the message
 * @piece: to be filled; NULL in the first walk, which only counts
 * @next: first byte not yet looked at
 * @left: bytes from there to the end of the message
 * @start: byte of the file at which the extents begin
 * @bytes: bytes of the file that the extents so far hold
 * @devs: devices named so far, a bit each
 * @nr_extents: number of extents so far, adjacent ones merged
 * @nr_stripes: number of interleaved ones among them
 * @nr_strips: number of strips of those
 * @last: the last extent, still open for merging
 * @last_len: bytes of the device that it has, if it is simple
 * @iext: the interleaved extent that @last ends with, if it is striped
 * @strips: its strips in the message
 * @build: the claims
 */
struct famfs_walk {
	struct fmap_piece *piece;
	const void *next;
	size_t left;
	u64 start;
	u64 bytes;
	u64 devs;
	u32 nr_extents;
	u32 nr_stripes;
	u32 nr_strips;
	struct fmap_extent last;
	u64 last_len;
	struct fuse_famfs_iext iext;
	const void *strips;
	struct fmap_claims_build build;
};

static int famfs_take(struct famfs_walk *walk, void *to, size_t size)
{
	if (size > walk->left)
		return -EINVAL;
	memcpy(to, walk->next, size);
	walk->next += size;
	walk->left -= size;
	return 0;
}

/* Takes what the message says about one run of one device */
static int famfs_take_run(struct famfs_walk *walk,
			  struct fuse_famfs_simple_ext *run)
{
	int err = famfs_take(walk, run, sizeof(*run));
	u64 end;

	if (err)
		return err;
	if (run->se_devindex >= FUSE_FMAP_MAX_DEVS)
		return -ENODEV;
	if (run->reserved || !PAGE_ALIGNED(run->se_offset | run->se_len) ||
	    check_add_overflow(run->se_offset, run->se_len, &end) ||
	    end > FAMFS_MAX_BYTES)
		return -EINVAL;

	walk->devs |= BIT_ULL(run->se_devindex);
	fmap_claims_add(&walk->build, run->se_devindex, run->se_offset,
			run->se_len);
	return 0;
}

/* Counts the bytes of one more extent; only the last may end inside a page */
static int famfs_advance(struct famfs_walk *walk, u64 bytes)
{
	if (!bytes || !PAGE_ALIGNED(walk->bytes) ||
	    check_add_overflow(walk->bytes, bytes, &walk->bytes) ||
	    walk->bytes > FAMFS_MAX_BYTES - walk->start)
		return -EINVAL;
	return 0;
}

/* Does a run that begins at @start of the file go on where the last ends? */
static bool famfs_run_continues(const struct famfs_walk *walk, u64 start,
				const struct fuse_famfs_simple_ext *run)
{
	const struct fmap_extent *last = &walk->last;

	return walk->nr_extents && !fmap_extent_striped(last) &&
	       last->start + walk->last_len == start &&
	       last->at + walk->last_len ==
			fmap_at(run->se_devindex, run->se_offset);
}

/* Adds a run that begins at @start of the file, or lengthens the last extent */
static void famfs_add_simple(struct famfs_walk *walk, u64 start,
			     const struct fuse_famfs_simple_ext *run)
{
	if (famfs_run_continues(walk, start, run)) {
		walk->last_len += run->se_len;
		return;
	}
	walk->last.start = start;
	walk->last.at = fmap_at(run->se_devindex, run->se_offset);
	walk->last_len = run->se_len;
	if (walk->piece)
		walk->piece->extents[walk->nr_extents] = walk->last;
	walk->nr_extents++;
}

/* Strip @i of those at @strips, which have been checked */
static struct fuse_famfs_simple_ext famfs_strip(const void *strips, u32 i)
{
	struct fuse_famfs_simple_ext strip;

	memcpy(&strip, strips + i * sizeof(strip), sizeof(strip));
	return strip;
}

static u64 famfs_width(const struct fuse_famfs_iext *iext)
{
	return (u64)iext->ie_nstrips * iext->ie_chunk_size;
}

/*
 * Whether @iext goes on, on every strip, just where the last extent ends: then
 * the two are one.  Not if a strip holds more than its part of whole stripes:
 * the last extent then ends inside a stripe, or has room left that the next
 * bytes of the file do not lie in.
 */
static bool famfs_continues(const struct famfs_walk *walk,
			    const struct fuse_famfs_iext *iext,
			    const void *strips)
{
	const struct fuse_famfs_iext *last = &walk->iext;
	u64 share;

	if (!walk->nr_extents || !fmap_extent_striped(&walk->last) ||
	    last->ie_nstrips != iext->ie_nstrips ||
	    last->ie_chunk_size != iext->ie_chunk_size)
		return false;

	share = div64_u64(last->ie_nbytes, famfs_width(last)) *
		last->ie_chunk_size;
	for (u32 i = 0; i < iext->ie_nstrips; i++) {
		struct fuse_famfs_simple_ext a = famfs_strip(walk->strips, i);
		struct fuse_famfs_simple_ext b = famfs_strip(strips, i);

		if (a.se_devindex != b.se_devindex || a.se_len != share ||
		    a.se_offset + share != b.se_offset)
			return false;
	}
	return true;
}

/* Notes down the extent that @walk stands at, its stripe and its strips */
static void famfs_fill_striped(struct famfs_walk *walk,
			       const struct fuse_famfs_iext *iext,
			       const void *strips)
{
	struct fmap_piece *piece = walk->piece;
	struct fmap_stripe *stripe = &piece->stripes[walk->nr_stripes];

	piece->extents[walk->nr_extents] = walk->last;
	fmap_div_init(&stripe->chunk, iext->ie_chunk_size >> PAGE_SHIFT);
	fmap_div_init(&stripe->width, famfs_width(iext) >> PAGE_SHIFT);
	stripe->first = walk->nr_strips;
	stripe->nr_strips = iext->ie_nstrips;
	for (u32 i = 0; i < iext->ie_nstrips; i++) {
		struct fuse_famfs_simple_ext strip = famfs_strip(strips, i);

		piece->strips[stripe->first + i] = fmap_at(strip.se_devindex,
							   strip.se_offset);
	}
}

/* Adds an interleaved extent of two strips or more, or goes on with the last */
static void famfs_add_striped(struct famfs_walk *walk, u64 start,
			      const struct fuse_famfs_iext *iext,
			      const void *strips)
{
	bool merge = famfs_continues(walk, iext, strips);

	walk->iext = *iext;
	walk->strips = strips;
	if (merge)
		return;
	walk->last.start = start;
	walk->last.at = fmap_at(FMAP_STRIPED,
				(u64)walk->nr_stripes << PAGE_SHIFT);
	if (walk->piece)
		famfs_fill_striped(walk, iext, strips);
	walk->nr_extents++;
	walk->nr_stripes++;
	walk->nr_strips += iext->ie_nstrips;
}

/*
 * Takes the strips of @iext; each must have room for its share of the bytes.
 * A tail counts as a whole page by itself, since a strip is whole pages.
 */
static int famfs_take_strips(struct famfs_walk *walk,
			     const struct fuse_famfs_iext *iext)
{
	u64 chunk = iext->ie_chunk_size;
	u64 rows, rest;

	rows = div64_u64_rem(iext->ie_nbytes, famfs_width(iext), &rest);
	for (u32 i = 0; i < iext->ie_nstrips; i++) {
		struct fuse_famfs_simple_ext run;
		u64 part = min(rest, chunk);
		int err;

		err = famfs_take_run(walk, &run);
		if (err)
			return err;
		if (run.se_len < rows * chunk + part)
			return -EINVAL;
		rest -= part;
	}
	return 0;
}

static int famfs_take_simple(struct famfs_walk *walk)
{
	struct fuse_famfs_simple_ext run;
	u64 start = walk->start + walk->bytes;
	int err;

	err = famfs_take_run(walk, &run) ?: famfs_advance(walk, run.se_len);
	if (!err)
		famfs_add_simple(walk, start, &run);
	return err;
}

static int famfs_take_interleaved(struct famfs_walk *walk)
{
	struct fuse_famfs_iext iext;
	struct fuse_famfs_simple_ext run;
	const void *strips;
	u64 start = walk->start + walk->bytes;
	int err;

	err = famfs_take(walk, &iext, sizeof(iext));
	if (err)
		return err;
	if (iext.reserved || !iext.ie_nstrips || !iext.ie_chunk_size ||
	    !PAGE_ALIGNED(iext.ie_chunk_size))
		return -EINVAL;

	strips = walk->next;
	err = famfs_advance(walk, iext.ie_nbytes) ?:
	      famfs_take_strips(walk, &iext);
	if (err)
		return err;

	if (iext.ie_nstrips > 1) {
		famfs_add_striped(walk, start, &iext, strips);
	} else {
		run = famfs_strip(strips, 0);
		famfs_add_simple(walk, start, &run);
	}
	return 0;
}

/*
 * Walks over the extents behind the header @head at @msg: counts them, and notes
 * them down if there is a piece.
 */
static int famfs_walk(struct famfs_walk *walk,
		      const struct fuse_famfs_fmap_header *head,
		      const void *msg, size_t len)
{
	walk->next = msg + sizeof(*head);
	walk->left = len - sizeof(*head);
	walk->bytes = 0;
	walk->nr_extents = 0;
	walk->nr_stripes = 0;
	walk->nr_strips = 0;
	for (u32 i = 0; i < head->nextents; i++) {
		int err;

		if (head->ext_type == FUSE_FAMFS_EXT_SIMPLE)
			err = famfs_take_simple(walk);
		else
			err = famfs_take_interleaved(walk);
		if (err)
			return err;
	}
	/* Servers that do not tell the size may send a buffer to its end */
	if (walk->left && (head->fmap_size ||
			   memchr_inv(walk->next, 0, walk->left)))
		return -EINVAL;
	return 0;
}

/* Nothing for a place inside the file, but another place before it */
static bool famfs_points_back(const struct famfs_walk *walk,
			      const struct fuse_famfs_fmap_header *head)
{
	return !walk->bytes && head->next_offset < walk->start &&
	       (head->next_offset || walk->start < head->file_size);
}

/* Does what was walked over fit what comes before it, and behind? */
static int famfs_check_end(const struct famfs_walk *walk,
			   const struct fuse_famfs_fmap_header *head)
{
	u64 end = walk->start + walk->bytes;

	if (famfs_points_back(walk, head))
		return PAGE_ALIGNED(head->next_offset) ? 0 : -EINVAL;
	if (!head->next_offset)
		return end < head->file_size ? -EINVAL : 0;
	if (!PAGE_ALIGNED(head->next_offset))
		return -EINVAL;
	return walk->bytes && head->next_offset == end ? 0 : -EIO;
}

/* Makes the piece whose extents have been counted by @walk */
static int famfs_fill(struct famfs_walk *walk,
		      const struct fuse_famfs_fmap_header *head,
		      const void *msg, size_t len)
{
	struct fmap_piece *piece;
	int err;

	piece = fmap_piece_alloc(walk->nr_extents, walk->nr_stripes,
				 walk->nr_strips);
	if (!piece)
		return -ENOMEM;
	piece->start = walk->start;
	piece->end = walk->start + PAGE_ALIGN(walk->bytes);
	piece->devs = walk->devs;
	walk->piece = piece;
	err = fmap_claims_alloc(&walk->build, piece) ?:
	      famfs_walk(walk, head, msg, len) ?:
	      fmap_claims_finish(piece);
	if (err)
		fmap_piece_free(piece);
	return err;
}

static int famfs_check_header(const struct fuse_famfs_fmap_header *head,
			      size_t len)
{
	if (head->fmap_version != FUSE_FAMFS_FMAP_VERSION ||
	    head->file_type > FUSE_FAMFS_FILE_LOG ||
	    head->ext_type > FUSE_FAMFS_EXT_INTERLEAVE ||
	    head->reserved || head->file_size > FAMFS_MAX_BYTES ||
	    (head->fmap_size && head->fmap_size != len))
		return -EINVAL;
	return 0;
}

/**
 * fmap_famfs_room - tell whether a server asks for more room for a map
 * @msg: the reply to FUSE_GET_FMAP
 * @len: its length in bytes
 *
 * A server whose map does not fit the room offered sends the header alone.
 *
 * Return: the room that the server needs, or 0 if the message is not such a
 * header.
 */
size_t fmap_famfs_room(const void *msg, size_t len)
{
	struct fuse_famfs_fmap_header head;

	if (len != sizeof(head))
		return 0;
	memcpy(&head, msg, sizeof(head));
	if (head.fmap_version != FUSE_FAMFS_FMAP_VERSION ||
	    head.fmap_size <= len)
		return 0;
	return head.fmap_size;
}

/**
 * fmap_famfs_decode - make a piece of a map from a message
 * @msg: the reply to FUSE_GET_FMAP
 * @len: its length in bytes
 * @start: byte of the file at which its extents begin, page aligned
 * @message: filled in on success
 *
 * The devices are not known here: the caller checks that the claims of the piece
 * end inside them.  Nor are the other pieces.
 *
 * Return: 0, -EFBIG if the message is too large, -ENODEV if a device index is
 * out of range, -ENOMEM, -EIO if the next page does not begin where the extents
 * end, or -EINVAL for everything else that is wrong.
 */
int fmap_famfs_decode(const void *msg, size_t len, u64 start,
		      struct fmap_message *message)
{
	struct famfs_walk *walk __free(kfree) = NULL;
	struct fuse_famfs_fmap_header head;
	int err;

	if (len > FUSE_FMAP_MAX_MSG)
		return -EFBIG;
	if (len < sizeof(head) || start > FAMFS_MAX_BYTES)
		return -EINVAL;
	memcpy(&head, msg, sizeof(head));
	err = famfs_check_header(&head, len);
	if (err)
		return err;

	walk = kzalloc_obj(*walk, GFP_KERNEL);
	if (!walk)
		return -ENOMEM;
	walk->start = start;
	err = famfs_walk(walk, &head, msg, len) ?:
	      famfs_check_end(walk, &head);
	if (!err && walk->nr_extents)
		err = famfs_fill(walk, &head, msg, len);
	if (err)
		return err;

	message->file_size = head.file_size;
	message->next = head.next_offset;
	message->back = famfs_points_back(walk, &head);
	message->piece = walk->piece;
	return 0;
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_famfs_kunit.c"
#include "tests/fmap_famfs_merge_kunit.c"
#include "tests/fmap_famfs_page_kunit.c"
#endif
