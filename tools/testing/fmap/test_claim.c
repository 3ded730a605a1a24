// SPDX-License-Identifier: GPL-2.0
/*
 * Claims of pieces that come, are cut, and go, against a table that has the
 * owner of every page
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/slab.h>

#include "check.h"
#include "test.h"

#define NR_DEVS		3
#define NR_PAGES	200
#define NR_SLOTS	24
#define NR_INODES	7

/* A piece that is in the indexes, and its inode, which stands for nothing */
struct slot {
	struct fmap_piece *piece;
	struct inode *inode;
};

static struct slot slots[NR_SLOTS];
static struct fmap_claim_index indexes[NR_DEVS];
static const struct slot *owners[NR_DEVS][NR_PAGES];

/* A place in a table, as a pointer that nobody follows */
static struct inode *random_inode(struct random *random)
{
	static char inodes[NR_INODES];

	return (struct inode *)&inodes[random_below(random, NR_INODES)];
}

static struct slot *slot_of(const struct fmap_claim *claim)
{
	for (u32 i = 0; i < NR_SLOTS; i++) {
		const struct fmap_piece *piece = slots[i].piece;

		for (u32 k = 0; piece && k < piece->nr_claims; k++) {
			if (piece->claims[k] == claim)
				return &slots[i];
		}
	}
	return NULL;
}

/* The index holds just what the table says, in the order of first pages */
static bool check_index(u32 dev)
{
	bool seen[NR_SLOTS] = {};
	u64 pos = 0;

	for (u32 page = 0; page < NR_PAGES; page++) {
		const struct slot *slot = owners[dev][page];
		struct fmap_claim *claim;

		if (!slot || seen[slot - slots])
			continue;
		seen[slot - slots] = true;
		claim = fmap_claim_next(&indexes[dev], pos);
		CHECK(claim);
		CHECK(slot_of(claim) == slot);
		CHECK(claim->inode == slot->inode);
		CHECK(claim->ranges[0].start == page * PAGE_SIZE);
		pos = claim->ranges[0].start + 1;
	}
	CHECK(!fmap_claim_next(&indexes[dev], pos));
	return true;
}

static bool check_indexes(void)
{
	for (u32 dev = 0; dev < NR_DEVS; dev++)
		CHECK(check_index(dev));
	return true;
}

static void set_owner(const struct fmap_piece *piece, const struct slot *slot)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		for (u32 k = 0; k < claim->nr_ranges; k++) {
			for (u64 at = claim->ranges[k].start;
			     at < claim->ranges[k].end; at += PAGE_SIZE)
				owners[claim->dev][at / PAGE_SIZE] = slot;
		}
	}
}

/* Whether a claim of the piece meets one in an index; not of inode @except */
static bool in_conflict(const struct fmap_piece *piece,
			const struct inode *except)
{
	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		if (fmap_claim_conflict(&indexes[claim->dev], claim, except))
			return true;
	}
	return false;
}

/* The same, from the table */
static bool taken(const struct fmap_piece *piece, const struct inode *except)
{
	for (u64 pos = piece->start; pos < piece->end; pos += PAGE_SIZE) {
		const struct slot *owner;
		struct fmap_loc loc = {};

		fmap_resolve(piece, pos, 1, &loc);
		owner = owners[loc.dev][loc.off / PAGE_SIZE];
		if (owner && !(except && owner->inode == except))
			return true;
	}
	return false;
}

static void insert(struct slot *slot, struct fmap_piece *piece,
		   struct inode *inode)
{
	slot->piece = piece;
	slot->inode = inode;
	for (u32 i = 0; i < piece->nr_claims; i++) {
		struct fmap_claim *claim = piece->claims[i];

		claim->inode = inode;
		fmap_claim_insert(&indexes[claim->dev], claim);
	}
	set_owner(piece, slot);
}

/* Removing what is in no index is no mistake */
static void take_out(struct slot *slot)
{
	for (u32 i = 0; i < slot->piece->nr_claims; i++) {
		struct fmap_claim *claim = slot->piece->claims[i];

		fmap_claim_remove(&indexes[claim->dev], claim);
		fmap_claim_remove(&indexes[claim->dev], claim);
	}
	set_owner(slot->piece, NULL);
	slot->piece = NULL;
}

static bool drop(struct slot *slot)
{
	struct fmap_piece *piece = slot->piece;

	take_out(slot);
	fmap_piece_free(piece);
	return check_indexes();
}

/* A message with extents anywhere; tells whether one page is there twice */
static bool random_extents(struct message *msg, struct random *random)
{
	bool used[NR_DEVS][NR_PAGES] = {};
	u32 nr = 1 + random_below(random, 5);
	bool twice = false;

	message_start(msg, FUSE_FAMFS_EXT_SIMPLE);
	while (nr--) {
		u32 dev = random_below(random, NR_DEVS);
		u32 page = random_below(random, NR_PAGES - 4);
		u32 pages = 1 + random_below(random, 4);

		message_extent(msg, dev, page * PAGE_SIZE, pages * PAGE_SIZE);
		for (; pages; pages--, page++) {
			twice |= used[dev][page];
			used[dev][page] = true;
		}
	}
	message_finish(msg, 0);
	return twice;
}

static bool add(struct slot *slot, struct random *random)
{
	struct inode *inode = random_inode(random);
	struct fmap_message got;
	struct message msg;
	bool twice = random_extents(&msg, random);
	int err = decode(&msg, &got);

	message_free(&msg);
	CHECK(err == (twice ? -EINVAL : 0));
	if (err)
		return true;

	CHECK(in_conflict(got.piece, inode) == taken(got.piece, inode));
	CHECK(in_conflict(got.piece, NULL) == taken(got.piece, NULL));
	if (taken(got.piece, NULL))
		fmap_piece_free(got.piece);
	else
		insert(slot, got.piece, inode);
	return check_indexes();
}

static struct slot *free_slot(void)
{
	for (u32 i = 0; i < NR_SLOTS; i++) {
		if (!slots[i].piece)
			return &slots[i];
	}
	return NULL;
}

/* A slice of @piece takes the place of some of it */
static bool keep(const struct fmap_piece *piece, struct inode *inode, u64 start,
		 u64 end)
{
	struct slot *slot = free_slot();
	struct fmap_piece *slice;

	if (start == end || !slot)
		return true;
	CHECK(fmap_piece_slice(piece, start, end, &slice) == 0);
	CHECK(!in_conflict(slice, NULL));
	insert(slot, slice, inode);
	/* It meets the whole that it was made from, and itself */
	CHECK(in_conflict(piece, NULL));
	CHECK(!in_conflict(piece, inode));
	CHECK(in_conflict(slice, NULL));
	return true;
}

/* Drops some pages of a piece, as an invalidation does: the rest stays */
static bool punch(struct slot *slot, struct random *random)
{
	struct fmap_piece *piece = slot->piece;
	struct inode *inode = slot->inode;
	u64 nr = (piece->end - piece->start) / PAGE_SIZE;
	u64 first = random_below(random, nr);
	u64 start = piece->start + first * PAGE_SIZE;
	u64 end = start + (1 + random_below(random, nr - first)) * PAGE_SIZE;
	bool ok;

	take_out(slot);
	ok = check_indexes() && keep(piece, inode, piece->start, start) &&
	     keep(piece, inode, end, piece->end);
	fmap_piece_free(piece);
	CHECK(ok);
	return check_indexes();
}

bool test_claims(void)
{
	struct random random = { .state = 1 };
	u32 added = 0, punched = 0;

	for (u32 i = 0; i < 30000; i++) {
		struct slot *slot = &slots[random_below(&random, NR_SLOTS)];

		if (!slot->piece) {
			CHECK(add(slot, &random));
			added += !!slot->piece;
		} else if (random_once_in(&random, 2)) {
			CHECK(punch(slot, &random));
			punched++;
		} else {
			CHECK(drop(slot));
		}
	}
	/* Neither all nor none */
	CHECK(added > 1000 && added < 29000 && punched > 1000);
	for (u32 i = 0; i < NR_SLOTS; i++)
		CHECK(!slots[i].piece || drop(&slots[i]));
	CHECK(shim_memory.objects == 0);
	return true;
}

/* As a removal of the device does it: lock, next, unlock, drop that piece */
bool test_claims_walk(void)
{
	struct random random = { .state = 2 };

	for (u32 i = 0; i < 300; i++) {
		u32 dev = random_below(&random, NR_DEVS);
		struct fmap_claim *claim;
		u64 pos = 0;

		for (u32 k = 0; k < NR_SLOTS; k++)
			CHECK(slots[k].piece || add(&slots[k], &random));
		while ((claim = fmap_claim_next(&indexes[dev], pos))) {
			CHECK(claim->ranges[0].start >= pos);
			pos = claim->ranges[0].start + 1;
			CHECK(drop(slot_of(claim)));
		}
		CHECK(!fmap_claim_next(&indexes[dev], 0));
		CHECK(RB_EMPTY_ROOT(&indexes[dev].root.rb_root));
	}
	for (u32 i = 0; i < NR_SLOTS; i++)
		CHECK(!slots[i].piece || drop(&slots[i]));
	CHECK(shim_memory.objects == 0);
	return true;
}

/* @nr pages of device 0, every @step-th from @page on */
static struct fmap_piece *comb(u64 nr, u64 page, u64 step)
{
	struct fuse_famfs_simple_ext *ext;
	struct fmap_message got;
	struct message msg;

	message_start(&msg, FUSE_FAMFS_EXT_SIMPLE);
	message_resize(&msg, msg.len + nr * sizeof(*ext));
	ext = (void *)(msg.bytes + sizeof(struct fuse_famfs_fmap_header));
	for (u64 i = 0; i < nr; i++) {
		ext[i].se_offset = (page + i * step) * PAGE_SIZE;
		ext[i].se_len = PAGE_SIZE;
	}
	message_head(&msg)->nextents = nr;
	message_finish(&msg, 0);
	decode(&msg, &got);
	message_free(&msg);
	return got.piece;
}

/* Whether the comb, which is freed, meets a claim in the index */
static bool meets(const struct fmap_claim_index *index,
		  struct fmap_piece *piece)
{
	bool meet = fmap_claim_conflict(index, piece->claims[0], NULL);

	fmap_piece_free(piece);
	return meet;
}

bool test_claims_long(void)
{
	const u64 nr = 500000;
	struct fmap_claim_index index = {};
	struct fmap_piece *even = comb(nr, 0, 2);
	struct fmap_piece *odd = comb(nr, 1, 2);
	time_t begin = time(NULL);
	struct fmap_claim *claim;

	CHECK(even && odd);
	fmap_claim_insert(&index, even->claims[0]);
	CHECK(!fmap_claim_conflict(&index, odd->claims[0], NULL));
	fmap_claim_insert(&index, odd->claims[0]);
	/* Nothing is left but what lies behind the last page */
	CHECK(meets(&index, comb(1, 0, 1)));
	CHECK(meets(&index, comb(1, nr, 1)));
	CHECK(meets(&index, comb(1, 2 * nr - 1, 1)));
	CHECK(meets(&index, comb(2, 2 * nr - 1, 1)));
	CHECK(meets(&index, comb(2, 2 * nr - 1, nr)));
	CHECK(!meets(&index, comb(2, 2 * nr, nr)));

	fmap_claim_remove(&index, odd->claims[0]);
	for (u64 i = 0; i < 100; i++) {
		u64 page = i * 9973 % nr * 2;

		CHECK(!meets(&index, comb(1, page + 1, 1)));
		CHECK(meets(&index, comb(1, page, 1)));
	}
	claim = fmap_claim_next(&index, 0);
	CHECK(claim == even->claims[0]);
	fmap_claim_remove(&index, claim);
	CHECK(!fmap_claim_next(&index, 0));
	fmap_piece_free(even);
	fmap_piece_free(odd);
	CHECK(time(NULL) - begin < 20);
	return true;
}
