// SPDX-License-Identifier: GPL-2.0
/*
 * Claims against a table that has the owner of every page
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/slab.h>

#include "check.h"
#include "test.h"

#define NR_DEVS		3
#define NR_PAGES	200
#define NR_FILES	24

/* What stands for an inode is its place in this table */
struct file {
	struct fmap *map;
	bool live;
};

static struct file files[NR_FILES];
static struct fmap_claim_index indexes[NR_DEVS];
static const struct file *owners[NR_DEVS][NR_PAGES];

static struct file *owner_of(const struct fmap_claim *claim)
{
	return (struct file *)claim->inode;
}

/* The index holds just what the table says, in the order of first pages */
static bool check_index(u32 dev)
{
	bool seen[NR_FILES] = {};
	u64 pos = 0;

	for (u32 page = 0; page < NR_PAGES; page++) {
		const struct file *file = owners[dev][page];
		struct fmap_claim *claim;

		if (!file || seen[file - files])
			continue;
		seen[file - files] = true;
		claim = fmap_claim_next(&indexes[dev], pos);
		CHECK(claim);
		CHECK(owner_of(claim) == file);
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

static void set_owner(const struct fmap *map, const struct file *file)
{
	for (u32 i = 0; i < map->nr_claims; i++) {
		const struct fmap_claim *claim = map->claims[i];

		for (u32 k = 0; k < claim->nr_ranges; k++) {
			for (u64 at = claim->ranges[k].start;
			     at < claim->ranges[k].end; at += PAGE_SIZE)
				owners[claim->dev][at / PAGE_SIZE] = file;
		}
	}
}

/* All claims of a map, or none */
static int insert(struct file *file)
{
	struct fmap *map = file->map;
	int err = 0;

	for (u32 i = 0; i < map->nr_claims && !err; i++) {
		struct fmap_claim *claim = map->claims[i];

		claim->inode = (struct inode *)file;
		err = fmap_claim_insert(&indexes[claim->dev], claim);
	}
	/* Those that were not inserted do not mind */
	for (u32 i = 0; i < map->nr_claims && err; i++)
		fmap_claim_remove(&indexes[map->claims[i]->dev],
				  map->claims[i]);
	return err;
}

static bool drop(struct file *file)
{
	for (u32 i = 0; i < file->map->nr_claims; i++) {
		struct fmap_claim *claim = file->map->claims[i];

		fmap_claim_remove(&indexes[claim->dev], claim);
		fmap_claim_remove(&indexes[claim->dev], claim);
	}
	set_owner(file->map, NULL);
	fmap_free(file->map);
	*file = (struct file) {};
	return check_indexes();
}

/* A message with extents anywhere; tells what is to be expected of it */
static void random_extents(struct message *msg, struct random *random,
			   bool *twice, bool *taken)
{
	bool used[NR_DEVS][NR_PAGES] = {};
	u32 nr = 1 + random_below(random, 5);

	*twice = false;
	*taken = false;
	message_start(msg, FUSE_FAMFS_EXT_SIMPLE);
	while (nr--) {
		u32 dev = random_below(random, NR_DEVS);
		u32 page = random_below(random, NR_PAGES - 4);
		u32 pages = 1 + random_below(random, 4);

		message_extent(msg, dev, page * PAGE_SIZE, pages * PAGE_SIZE);
		for (; pages; pages--, page++) {
			*twice |= used[dev][page];
			*taken |= !!owners[dev][page];
			used[dev][page] = true;
		}
	}
	message_finish(msg, 0);
}

static bool add(struct file *file, struct random *random)
{
	struct message msg;
	bool twice, taken;
	int err;

	random_extents(&msg, random, &twice, &taken);
	err = fmap_famfs_decode(msg.bytes, msg.len, &file->map);
	message_free(&msg);
	CHECK(err == (twice ? -EINVAL : 0));
	if (err)
		return true;

	err = insert(file);
	CHECK(err == (taken ? -EBUSY : 0));
	if (err) {
		fmap_free(file->map);
	} else {
		file->live = true;
		set_owner(file->map, file);
	}
	return check_indexes();
}

bool test_claims(void)
{
	struct random random = { .state = 1 };
	u32 added = 0;

	for (u32 i = 0; i < 30000; i++) {
		struct file *file = &files[random_below(&random, NR_FILES)];

		CHECK(file->live ? drop(file) : add(file, &random));
		added += file->live;
	}
	/* Neither all nor none */
	CHECK(added > 1000 && added < 29000);
	for (u32 i = 0; i < NR_FILES; i++)
		CHECK(!files[i].live || drop(&files[i]));
	CHECK(shim_memory.objects == 0);
	return true;
}

/* As a removal of the device does it: lock, next, unlock, drop that file */
bool test_claims_walk(void)
{
	struct random random = { .state = 2 };

	for (u32 i = 0; i < 300; i++) {
		u32 dev = random_below(&random, NR_DEVS);
		struct fmap_claim *claim;
		u64 pos = 0;

		for (u32 k = 0; k < NR_FILES; k++)
			CHECK(files[k].live || add(&files[k], &random));
		while ((claim = fmap_claim_next(&indexes[dev], pos))) {
			CHECK(claim->ranges[0].start >= pos);
			pos = claim->ranges[0].start + 1;
			CHECK(drop(owner_of(claim)));
		}
		CHECK(!fmap_claim_next(&indexes[dev], 0));
		CHECK(RB_EMPTY_ROOT(&indexes[dev].root.rb_root));
	}
	for (u32 i = 0; i < NR_FILES; i++)
		CHECK(!files[i].live || drop(&files[i]));
	CHECK(shim_memory.objects == 0);
	return true;
}

/* @nr pages of device 0, every @step-th from @page on */
static struct fmap *comb(u64 nr, u64 page, u64 step)
{
	struct message msg;
	struct fmap *map = NULL;
	struct fuse_famfs_simple_ext *ext;

	message_start(&msg, FUSE_FAMFS_EXT_SIMPLE);
	message_resize(&msg, msg.len + nr * sizeof(*ext));
	ext = (void *)(msg.bytes + sizeof(struct fuse_famfs_fmap_header));
	for (u64 i = 0; i < nr; i++) {
		ext[i].se_offset = (page + i * step) * PAGE_SIZE;
		ext[i].se_len = PAGE_SIZE;
	}
	message_head(&msg)->nextents = nr;
	message_finish(&msg, 0);
	fmap_famfs_decode(msg.bytes, msg.len, &map);
	message_free(&msg);
	return map;
}

static bool insert_comb(struct fmap_claim_index *index, struct fmap *map,
			int expected)
{
	CHECK(map);
	CHECK(fmap_claim_insert(index, map->claims[0]) == expected);
	if (expected)
		fmap_free(map);
	return true;
}

bool test_claims_long(void)
{
	const u64 nr = 500000;
	struct fmap_claim_index index = {};
	struct fmap *even = comb(nr, 0, 2);
	struct fmap *odd = comb(nr, 1, 2);
	time_t begin = time(NULL);
	struct fmap_claim *claim;

	CHECK(insert_comb(&index, even, 0));
	CHECK(insert_comb(&index, odd, 0));
	/* Nothing is left but what lies behind the last page */
	CHECK(insert_comb(&index, comb(1, 0, 1), -EBUSY));
	CHECK(insert_comb(&index, comb(1, nr, 1), -EBUSY));
	CHECK(insert_comb(&index, comb(1, 2 * nr - 1, 1), -EBUSY));
	CHECK(insert_comb(&index, comb(2, 2 * nr - 1, 1), -EBUSY));
	CHECK(insert_comb(&index, comb(2, 2 * nr - 1, nr), -EBUSY));

	fmap_claim_remove(&index, odd->claims[0]);
	for (u64 i = 0; i < 100; i++) {
		u64 page = i * 9973 % nr * 2;
		struct fmap *map = comb(1, page + 1, 1);

		CHECK(insert_comb(&index, map, 0));
		CHECK(insert_comb(&index, comb(1, page, 1), -EBUSY));
		fmap_claim_remove(&index, map->claims[0]);
		fmap_free(map);
	}
	claim = fmap_claim_next(&index, 0);
	CHECK(claim == even->claims[0]);
	fmap_claim_remove(&index, claim);
	CHECK(!fmap_claim_next(&index, 0));
	fmap_free(even);
	fmap_free(odd);
	CHECK(time(NULL) - begin < 20);
	return true;
}
