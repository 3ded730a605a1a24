/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message means and whether it is valid, told a second time
 *
 * Written from the rules in fuse_fmap.h and from nothing else, without care for
 * speed, so that a mistake in the kernel's files is not made here again.  A
 * simple extent is one strip with one chunk.
 */
#ifndef _FMAP_ORACLE_H
#define _FMAP_ORACLE_H

#include <linux/fuse_fmap.h>
#include <linux/types.h>

/* What is wrong with a message */
#define ORACLE_INVALID	1
#define ORACLE_NODEV	2
#define ORACLE_TOOBIG	4
#define ORACLE_UNFIT	8

/* Wide enough for every sum and product of what a message can say */
typedef unsigned __int128 wide;

struct oracle_extent {
	wide start;
	wide bytes;
	wide chunk;
	u32 first;
	u32 nstrips;
};

/**
 * struct oracle - a message that was read
 * @wrong: what is wrong with it; 0 if it is valid
 * @file_size: as the message says
 * @next: where the next page begins, as the message says
 * @back: it points back to @next
 * @start: byte of the file at which the extents begin
 * @bytes: what the extents hold
 * @extents: as in the message, none merged
 * @strips: as in the message
 */
struct oracle {
	int wrong;
	u64 file_size;
	u64 next;
	bool back;
	u64 start;
	wide bytes;
	u32 nr_extents;
	u32 nr_strips;
	struct oracle_extent *extents;
	struct fuse_famfs_simple_ext *strips;
};

void oracle_read(struct oracle *oracle, const u8 *msg, size_t len, u64 start);
void oracle_free(struct oracle *oracle);
u64 oracle_end(const struct oracle *oracle);
const struct oracle_extent *oracle_find(const struct oracle *oracle, u64 pos);
u64 oracle_where(const struct oracle *oracle, u64 pos, u32 *dev);
bool oracle_continues(const struct oracle *oracle, u32 i);

#endif /* _FMAP_ORACLE_H */
