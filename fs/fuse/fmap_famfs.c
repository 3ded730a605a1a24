// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the published famfs encoding
 *
 * Turns the reply to FUSE_GET_FMAP into a struct fmap, or into an errno, by the
 * rules in include/uapi/linux/fuse_fmap.h.  No other file knows this encoding.
 *
 * The message is walked twice by the same code: first to check and to count,
 * then to fill arrays of just the size that is needed.  So nothing is allocated
 * before all of it is known to be good, and never more than a small multiple of
 * the bytes that really came.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
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

static_assert(sizeof(struct fuse_get_fmap_in) == 24);
static_assert(offsetof(struct fuse_get_fmap_in, flags) == 4);
static_assert(offsetof(struct fuse_get_fmap_in, offset) == 8);
static_assert(offsetof(struct fuse_get_fmap_in, length) == 16);

static_assert(sizeof(struct fuse_famfs_fmap_header) == 32);
static_assert(offsetof(struct fuse_famfs_fmap_header, file_type) == 0);
static_assert(offsetof(struct fuse_famfs_fmap_header, fmap_version) == 2);
static_assert(offsetof(struct fuse_famfs_fmap_header, ext_type) == 4);
static_assert(offsetof(struct fuse_famfs_fmap_header, nextents) == 8);
static_assert(offsetof(struct fuse_famfs_fmap_header, fmap_size) == 12);
static_assert(offsetof(struct fuse_famfs_fmap_header, file_size) == 16);
static_assert(offsetof(struct fuse_famfs_fmap_header, reserved1) == 24);

static_assert(sizeof(struct fuse_famfs_simple_ext) == 24);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_devindex) == 0);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_offset) == 8);
static_assert(offsetof(struct fuse_famfs_simple_ext, se_len) == 16);

static_assert(sizeof(struct fuse_famfs_iext) == 24);
static_assert(offsetof(struct fuse_famfs_iext, ie_chunk_size) == 4);
static_assert(offsetof(struct fuse_famfs_iext, ie_nbytes) == 8);

static_assert(sizeof(struct fuse_daxdev_out) == 280);
static_assert(offsetof(struct fuse_daxdev_out, index) == 0);
static_assert(offsetof(struct fuse_daxdev_out, name) == 24);

/* No file and no device has bytes behind this; page numbers fit a long */
#define FAMFS_MAX_BYTES	((u64)MAX_LFS_FILESIZE & PAGE_MASK)

/**
 * struct famfs_walk - a walk over the message
 * @map: counts what was seen; the arrays are NULL in the first walk
 * @next: first byte not yet looked at
 * @left: bytes from there to the end of the message
 * @bytes: bytes of the file that the extents so far hold
 * @last: the last extent, still open for merging
 * @iext: the interleaved extent that @last ends with, if it is striped
 * @strips: its strips in the message
 */
struct famfs_walk {
	struct fmap *map;
	const void *next;
	size_t left;
	u64 bytes;
	struct fmap_extent last;
	struct fuse_famfs_iext iext;
	const void *strips;
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

	walk->map->devs |= BIT_ULL(run->se_devindex);
	return 0;
}

/* Counts the bytes of one more extent; only the last may end inside a page */
static int famfs_advance(struct famfs_walk *walk, u64 bytes)
{
	if (!bytes || !PAGE_ALIGNED(walk->bytes) ||
	    check_add_overflow(walk->bytes, bytes, &walk->bytes) ||
	    walk->bytes > FAMFS_MAX_BYTES)
		return -EINVAL;
	return 0;
}

/* Adds a run that begins at @start of the file, or lengthens the last extent */
static void famfs_add_simple(struct famfs_walk *walk, u64 start,
			     const struct fuse_famfs_simple_ext *run)
{
	struct fmap_extent *last = &walk->last;
	struct fmap *map = walk->map;

	if (map->nr_extents && last->dev == run->se_devindex &&
	    last->start + last->dev_len == start &&
	    last->dev_off + last->dev_len == run->se_offset) {
		last->dev_len += run->se_len;
	} else {
		map->nr_extents++;
		*last = (struct fmap_extent) {
			.start = start,
			.dev_off = run->se_offset,
			.dev_len = run->se_len,
			.dev = run->se_devindex,
		};
	}
	if (map->extents)
		map->extents[map->nr_extents - 1] = *last;
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

	if (!walk->map->nr_extents || walk->last.dev != FMAP_STRIPED ||
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

/* Opens a striped extent at @start, its strips still to be added */
static void famfs_open_striped(struct famfs_walk *walk, u64 start,
			       const struct fuse_famfs_iext *iext)
{
	struct fmap *map = walk->map;

	if (map->stripes) {
		struct fmap_stripe *stripe = &map->stripes[map->nr_stripes];

		fmap_div_init(&stripe->chunk, iext->ie_chunk_size >> PAGE_SHIFT);
		fmap_div_init(&stripe->width, famfs_width(iext) >> PAGE_SHIFT);
		stripe->first = map->nr_strips;
		stripe->nr_strips = iext->ie_nstrips;
	}
	walk->last = (struct fmap_extent) {
		.start = start,
		.dev = FMAP_STRIPED,
		.stripe = map->nr_stripes++,
	};
	map->nr_extents++;
	map->nr_strips += iext->ie_nstrips;
}

/* Adds an interleaved extent of two strips or more, or goes on with the last */
static void famfs_add_striped(struct famfs_walk *walk, u64 start,
			      const struct fuse_famfs_iext *iext,
			      const void *strips)
{
	struct fmap *map = walk->map;
	bool merge = famfs_continues(walk, iext, strips);

	if (!merge)
		famfs_open_striped(walk, start, iext);
	walk->iext = *iext;
	walk->strips = strips;
	if (!map->extents)
		return;

	map->extents[map->nr_extents - 1] = walk->last;
	for (u32 i = 0; i < iext->ie_nstrips; i++) {
		struct fuse_famfs_simple_ext run = famfs_strip(strips, i);
		struct fmap_strip *strip =
			&map->strips[map->nr_strips - iext->ie_nstrips + i];

		if (merge) {
			strip->len += run.se_len;
			continue;
		}
		strip->dev_off = run.se_offset;
		strip->len = run.se_len;
		strip->dev = run.se_devindex;
	}
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
	u64 start = walk->bytes;
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
	u64 start = walk->bytes;
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

/* Walks over the extents at @next: counts them, fills the arrays if there */
static int famfs_walk(struct fmap *map,
		      const struct fuse_famfs_fmap_header *head,
		      const void *next, size_t left)
{
	struct famfs_walk walk = { .map = map, .next = next, .left = left };

	map->nr_extents = 0;
	map->nr_stripes = 0;
	map->nr_strips = 0;
	for (u32 i = 0; i < head->nextents; i++) {
		int err;

		if (head->ext_type == FUSE_FAMFS_EXT_SIMPLE)
			err = famfs_take_simple(&walk);
		else
			err = famfs_take_interleaved(&walk);
		if (err)
			return err;
	}
	if (walk.bytes < head->file_size)
		return -EINVAL;
	/* Servers that do not tell the size may send a buffer to its end */
	if (walk.left && (head->fmap_size ||
			  memchr_inv(walk.next, 0, walk.left)))
		return -EINVAL;

	map->file_size = head->file_size;
	map->file_type = head->file_type;
	map->end = PAGE_ALIGN(walk.bytes);
	return 0;
}

static int famfs_alloc_arrays(struct fmap *map)
{
	map->extents = kvmalloc_objs(*map->extents, map->nr_extents,
				     GFP_KERNEL_ACCOUNT);
	map->stripes = kvmalloc_objs(*map->stripes, map->nr_stripes,
				     GFP_KERNEL_ACCOUNT);
	map->strips = kvmalloc_objs(*map->strips, map->nr_strips,
				    GFP_KERNEL_ACCOUNT);
	if (!map->extents || !map->stripes || !map->strips)
		return -ENOMEM;
	return 0;
}

static int famfs_check_header(const struct fuse_famfs_fmap_header *head,
			      size_t len)
{
	if (head->fmap_version != FUSE_FAMFS_FMAP_VERSION ||
	    head->file_type > FUSE_FAMFS_FILE_LOG ||
	    head->ext_type > FUSE_FAMFS_EXT_INTERLEAVE ||
	    head->reserved || head->reserved1 ||
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
 * fmap_famfs_decode - make a map from a message
 * @msg: the reply to FUSE_GET_FMAP
 * @len: its length in bytes
 * @mapp: set to the map on success
 *
 * The devices are not known here: the caller checks that the claims of the map
 * end inside them.
 *
 * Return: 0, -EFBIG if the message is too large, -ENODEV if a device index is
 * out of range, -ENOMEM, or -EINVAL for everything else that is wrong.
 */
int fmap_famfs_decode(const void *msg, size_t len, struct fmap **mapp)
{
	struct fuse_famfs_fmap_header head;
	struct fmap *map;
	int err;

	if (len > FUSE_FMAP_MAX_MSG)
		return -EFBIG;
	if (len < sizeof(head))
		return -EINVAL;
	memcpy(&head, msg, sizeof(head));
	err = famfs_check_header(&head, len);
	if (err)
		return err;
	msg += sizeof(head);
	len -= sizeof(head);

	map = kzalloc_obj(*map, GFP_KERNEL_ACCOUNT);
	if (!map)
		return -ENOMEM;
	err = famfs_walk(map, &head, msg, len) ?:
	      famfs_alloc_arrays(map) ?:
	      famfs_walk(map, &head, msg, len) ?:
	      fmap_claims_build(map);
	if (err) {
		fmap_free(map);
		return err;
	}
	*mapp = map;
	return 0;
}

/**
 * fmap_free - free a map
 * @map: the map, or NULL; none of its claims is in an index
 */
void fmap_free(struct fmap *map)
{
	if (!map)
		return;
	fmap_claims_free(map);
	kvfree(map->strips);
	kvfree(map->stripes);
	kvfree(map->extents);
	kfree(map);
}

#if IS_ENABLED(CONFIG_FUSE_FMAP_KUNIT_TEST)
#include "tests/fmap_famfs_kunit.c"
#include "tests/fmap_famfs_merge_kunit.c"
#endif
