/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: the map itself
 *
 * Types and pure functions only: no inode, no lock, no log.  The files that
 * use nothing else (fmap_famfs.c, fmap_resolve.c, fmap_claim.c) are compiled
 * in user space too, by tools/testing/fmap.
 */
#ifndef _FS_FUSE_FMAP_MAP_H
#define _FS_FUSE_FMAP_MAP_H

#include <linux/interval_tree.h>
#include <linux/limits.h>
#include <linux/types.h>

struct inode;

/* Value of fmap_extent.dev for an interleaved extent */
#define FMAP_STRIPED	U32_MAX

/**
 * struct fmap_div - division by a number that is known beforehand
 * @d: the divisor, not 0
 * @magic: (2^64 - 1) / @d rounded down; multiply-high by it gives the quotient
 *	   or one less, for every @d from 1 on
 *
 * A look-up would otherwise divide 64-bit numbers twice.
 */
struct fmap_div {
	u64 d;
	u64 magic;
};

/**
 * struct fmap_extent - a run of the file on one device or one set of strips
 * @start: first byte of the file; the run ends where the next extent starts,
 *	   the last one at fmap.end
 * @dev_off: byte of the device where @start lies (simple extent only)
 * @dev_len: bytes on the device, page aligned; more than the run if it comes
 *	     from a single strip with room left (simple extent only)
 * @dev: device index, or FMAP_STRIPED
 * @stripe: index into fmap.stripes (striped extent only)
 */
struct fmap_extent {
	u64 start;
	u64 dev_off;
	u64 dev_len;
	u32 dev;
	u32 stripe;
};

/**
 * struct fmap_stripe - how an interleaved extent goes round its strips
 * @chunk: divides by the chunk size in pages
 * @width: divides by the chunk size in pages times @nr_strips
 * @first: index of the first strip in fmap.strips
 * @nr_strips: number of strips, at least 2 (one strip is a simple extent)
 */
struct fmap_stripe {
	struct fmap_div chunk;
	struct fmap_div width;
	u32 first;
	u32 nr_strips;
};

/**
 * struct fmap_strip - one device's part of an interleaved extent
 * @dev_off: first byte on the device
 * @len: bytes on the device, page aligned, may be more than what is used, and
 *	 0 if the extent ends before its first chunk here
 * @dev: device index
 */
struct fmap_strip {
	u64 dev_off;
	u64 len;
	u32 dev;
};

/**
 * struct fmap_range - a range of a device that a map names
 * @start: first byte on the device
 * @end: byte behind the last
 * @extent: index into fmap.extents of the extent it belongs to
 * @strip: index into fmap.strips if that extent is striped
 */
struct fmap_range {
	u64 start;
	u64 end;
	u32 extent;
	u32 strip;
};

/**
 * struct fmap_claim - all ranges of one device that one map names
 * @node: node in the index of the device: first and last page of the claim
 * @inode: owner, for who walks the index; the claim holds no reference: it
 *	   leaves the index before the inode is gone
 * @dev: device index
 * @nr_ranges: number of ranges, at least 1
 * @ranges: the ranges, sorted, none overlapping
 */
struct fmap_claim {
	struct interval_tree_node node;
	struct inode *inode;
	u32 dev;
	u32 nr_ranges;
	struct fmap_range ranges[] __counted_by(nr_ranges);
};

/**
 * struct fmap_claim_index - who owns which bytes of a device
 * @root: the claims, by the pages they span
 *
 * No range of one claim overlaps a range of another; the spans of claims may
 * overlap.  The owner of the index provides the locking.
 */
struct fmap_claim_index {
	struct rb_root_cached root;
};

/**
 * struct fmap - where the bytes of one file lie
 * @file_size: size of the file in bytes
 * @end: bytes mapped, a multiple of the page size, at least @file_size
 * @devs: bit n is set if device n is named, be it with no bytes
 * @file_type: enum fuse_famfs_file_type
 * @nr_extents: number of extents
 * @nr_stripes: number of entries in @stripes
 * @nr_strips: number of entries in @strips
 * @nr_claims: number of claims: one for each device that holds bytes
 * @extents: the extents in file order; adjacent ones are merged
 * @stripes: for the striped extents
 * @strips: for @stripes
 * @claims: in the order of the device index
 *
 * Constant once decoded, but for the nodes in the claims.
 */
struct fmap {
	u64 file_size;
	u64 end;
	u64 devs;
	u32 file_type;
	u32 nr_extents;
	u32 nr_stripes;
	u32 nr_strips;
	u32 nr_claims;
	struct fmap_extent *extents;
	struct fmap_stripe *stripes;
	struct fmap_strip *strips;
	struct fmap_claim **claims;
};

/**
 * struct fmap_loc - where a position of a file lies
 * @dev: device index
 * @off: byte on the device
 * @len: how many bytes from there belong to the file in order, not 0
 */
struct fmap_loc {
	u32 dev;
	u64 off;
	u64 len;
};

/* fmap_famfs.c */
size_t fmap_famfs_room(const void *msg, size_t len);
int fmap_famfs_decode(const void *msg, size_t len, struct fmap **mapp);
void fmap_free(struct fmap *map);

/* fmap_resolve.c */
void fmap_div_init(struct fmap_div *div, u64 d);
bool fmap_resolve(const struct fmap *map, u64 pos, u64 len,
		  struct fmap_loc *loc);

/* fmap_claim.c */
int fmap_claims_build(struct fmap *map);
void fmap_claims_free(struct fmap *map);
u64 fmap_claim_end(const struct fmap_claim *claim);
int fmap_claim_insert(struct fmap_claim_index *index, struct fmap_claim *claim);
void fmap_claim_remove(struct fmap_claim_index *index, struct fmap_claim *claim);
struct fmap_claim *fmap_claim_next(struct fmap_claim_index *index, u64 pos);

#endif /* _FS_FUSE_FMAP_MAP_H */
