/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: a piece of a map
 *
 * Types and pure functions only: no inode, no lock, no log.  The files that
 * use nothing else (fmap_famfs.c, fmap_piece.c, fmap_resolve.c, fmap_claim.c)
 * are compiled in user space too, by tools/testing/fmap.
 *
 * A map is looked up under RCU: find the piece, copy out where the bytes lie
 * (fmap_resolve() gives a struct fmap_loc by value), leave the read section.
 * A piece never changes, and is freed after a grace period.  What it says holds
 * as long as the caller keeps the piece from being dropped, which takes
 * invalidate_lock exclusively; see fmap_i.h.
 */
#ifndef _FS_FUSE_FMAP_MAP_H
#define _FS_FUSE_FMAP_MAP_H

#include <linux/fuse_fmap.h>
#include <linux/interval_tree.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/types.h>

struct inode;

/* What fmap_at_dev() gives for an interleaved extent */
#define FMAP_STRIPED	((u32)PAGE_SIZE - 1)

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

/*
 * A byte of a device, or a stripe.  Extents lie at whole pages, and there are
 * fewer devices than bytes in a page: so both fit one word.
 */
static inline u64 fmap_at(u32 dev, u64 off)
{
	return off | dev;
}

static inline u32 fmap_at_dev(u64 at)
{
	return at & (PAGE_SIZE - 1);
}

static inline u64 fmap_at_off(u64 at)
{
	return at & ~((u64)PAGE_SIZE - 1);
}

/**
 * struct fmap_extent - a run of the file on one device or one set of strips
 * @start: first byte of the file; the run ends where the next extent starts,
 *	   the last one at fmap_piece.end
 * @at: fmap_at() of the device and the byte where @start lies there; or
 *	fmap_at() of FMAP_STRIPED and, counted in pages, the index into
 *	fmap_piece.stripes
 */
struct fmap_extent {
	u64 start;
	u64 at;
};

static inline bool fmap_extent_striped(const struct fmap_extent *ext)
{
	return fmap_at_dev(ext->at) == FMAP_STRIPED;
}

/**
 * struct fmap_stripe - how an interleaved extent goes round its strips
 * @chunk: divides by the chunk size in pages
 * @width: divides by the chunk size in pages times @nr_strips
 * @first: index of the first strip in fmap_piece.strips
 * @nr_strips: number of strips, at least 2 (one strip is a simple extent)
 *
 * The strips themselves are a word each: fmap_at() of the first byte.
 */
struct fmap_stripe {
	struct fmap_div chunk;
	struct fmap_div width;
	u32 first;
	u32 nr_strips;
};

/**
 * struct fmap_range - a range of a device that a piece names
 * @start: first byte on the device
 * @end: byte behind the last
 */
struct fmap_range {
	u64 start;
	u64 end;
};

/**
 * struct fmap_claim - all ranges of one device that one piece names
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
 * struct fmap_piece - where a run of the bytes of one file lies
 * @rcu: frees the piece after a grace period; unused before
 * @list: for who holds the piece outside of a map; its owner says which
 * @start: first byte of the file, a multiple of the page size
 * @end: byte behind the last, likewise
 * @devs: bit n is set if device n is named, be it with no bytes
 * @nr_extents: number of extents, at least 1
 * @nr_stripes: number of entries in @stripes
 * @nr_strips: number of entries in @strips
 * @nr_claims: number of claims: one for each device that holds bytes
 * @claims: in the order of the device index
 * @stripes: for the striped extents
 * @strips: for @stripes
 * @extents: the extents in file order; adjacent ones are merged.  The first may
 *	     start before @start: such a piece is a slice of another
 *
 * @extents, @stripes and @strips lie in one allocation with the piece and are
 * constant once it is made, as are all other members but @rcu, @list and the
 * nodes in the claims.
 */
struct fmap_piece {
	union {
		struct rcu_head rcu;
		struct list_head list;
	};
	u64 start;
	u64 end;
	u64 devs;
	u32 nr_extents;
	u32 nr_stripes;
	u32 nr_strips;
	u32 nr_claims;
	struct fmap_claim **claims;
	struct fmap_stripe *stripes;
	u64 *strips;
	struct fmap_extent extents[] __counted_by(nr_extents);
};

/**
 * struct fmap_message - what a GET_FMAP reply says
 * @file_size: size of the file in bytes
 * @next: where the next page begins, 0 if the map ends here
 * @back: the server wants to be asked for @next instead, which lies before the
 *	  place that was asked for; there are no extents
 * @piece: the extents, NULL if there are none
 */
struct fmap_message {
	u64 file_size;
	u64 next;
	bool back;
	struct fmap_piece *piece;
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

/**
 * struct fmap_claims_build - claims in the making, by device index
 * @nr: ranges seen so far
 * @end: end of the last of them; one that begins there is one with it
 * @claims: where to put them; NULL while they are only counted
 */
struct fmap_claims_build {
	u32 nr[FUSE_FMAP_MAX_DEVS];
	u64 end[FUSE_FMAP_MAX_DEVS];
	struct fmap_claim *claims[FUSE_FMAP_MAX_DEVS];
};

/* fmap_famfs.c */
size_t fmap_famfs_room(const void *msg, size_t len);
int fmap_famfs_decode(const void *msg, size_t len, u64 start,
		      struct fmap_message *message);

/* fmap_piece.c */
void *fmap_alloc(size_t size);
struct fmap_piece *fmap_piece_alloc(u32 nr_extents, u32 nr_stripes,
				    u32 nr_strips);
void fmap_piece_free(struct fmap_piece *piece);
int fmap_piece_slice(const struct fmap_piece *piece, u64 start, u64 end,
		     struct fmap_piece **slicep);
u64 fmap_piece_holders(const struct fmap_piece *piece);
size_t fmap_piece_bytes(const struct fmap_piece *piece);
size_t fmap_claim_bytes(const struct fmap_piece *piece);

/* fmap_resolve.c */
void fmap_div_init(struct fmap_div *div, u64 d);
const struct fmap_extent *fmap_find(const struct fmap_piece *piece, u64 pos);
bool fmap_resolve(const struct fmap_piece *piece, u64 pos, u64 len,
		  struct fmap_loc *loc);

/* fmap_claim.c */
void fmap_claims_add(struct fmap_claims_build *build, u32 dev, u64 start,
		     u64 len);
int fmap_claims_alloc(struct fmap_claims_build *build,
		      struct fmap_piece *piece);
int fmap_claims_finish(struct fmap_piece *piece);
void fmap_claims_free(struct fmap_piece *piece);
u64 fmap_claim_end(const struct fmap_claim *claim);
struct fmap_claim *fmap_claim_conflict(const struct fmap_claim_index *index,
				       const struct fmap_claim *claim,
				       const struct inode *except);
void fmap_claim_insert(struct fmap_claim_index *index,
		       struct fmap_claim *claim);
void fmap_claim_remove(struct fmap_claim_index *index, struct fmap_claim *claim);
struct fmap_claim *fmap_claim_next(struct fmap_claim_index *index, u64 pos);

#endif /* _FS_FUSE_FMAP_MAP_H */
