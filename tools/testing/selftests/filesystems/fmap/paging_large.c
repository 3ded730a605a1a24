// SPDX-License-Identifier: GPL-2.0
/*
 * A map of a million extents, none of which can be merged with another
 *
 * No byte of a device is in two of them, so the first device that FAMFS_DAXDEVS
 * names must have a million pages: 4 GB. Little of that is ever touched.
 */
#include <stdlib.h>
#include <string.h>

#include "fmap_counter.h"
#include "fmap_paging.h"
#include "fmap_test.h"

#define EXTENTS		1000000U
#define SIZE		(EXTENTS * PG)
#define STRIDE		7919U	/* has no divisor in common with EXTENTS */
#define COST		24
#define PLACES		200

static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(DEV0, (uint64_t)i * STRIDE % EXTENTS * PG, PG);
}

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, PG, make_ext);

FIXTURE(paging_large)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	char *map;
	int fd;
};

FIXTURE_SETUP(paging_large)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_server_new(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	fmap_server_dev(self->s, DEV0, fmap_dax_node(0));
	self->p = fmap_server_paged(self->s, "file", &layout);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->map = fmap_map_aligned(self->fd, SIZE, PROT_READ | PROT_WRITE,
				     MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(paging_large)
{
	munmap(self->map, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Places all over the file, in no order; the last is its last page */
static uint64_t place(unsigned int i)
{
	return (uint64_t)(EXTENTS - 1 - i * 104729ULL % EXTENTS) * PG;
}

/* Put bytes there, not by the mount, and see whether the mount has them */
static bool is_right(FIXTURE_DATA(paging_large) * self, uint64_t off,
		     unsigned int seed)
{
	struct fmap_place at = fmap_locate(&layout, off);
	char want[PG], got[PG];

	fmap_fill(want, PG, seed, off);
	if (fmap_dax_write(at.dev, at.off, want, PG))
		return false;
	if (seed % 2 && memcmp(self->map + off, want, PG))
		return false;
	if (pread(self->fd, got, PG, off) != PG || memcmp(got, want, PG))
		return false;
	if (seed % 2)
		return true;

	/* And the other way round */
	fmap_fill(want, PG, seed + 1, off);
	return pwrite(self->fd, want, PG, off) == PG &&
	       fmap_on_devices(&layout, off, want, PG);
}

TEST_F(paging_large, open_costs_next_to_nothing)
{
	EXPECT_EQ(1, self->p->nr_asked);
	EXPECT_LT(0, fmap_counter(self->s, "map_bytes"));
	EXPECT_GE(PG, fmap_counter(self->s, "map_bytes"));
	EXPECT_GE(2 * PG, fmap_counter(self->s, "claim_bytes"));
}

TEST_F_TIMEOUT(paging_large, any_place_takes_two_requests, 240)
{
	unsigned int i, before;

	for (i = 0; i < PLACES; i++) {
		before = self->p->nr_asked;
		ASSERT_TRUE(is_right(self, place(i), i)) TH_LOG("place %u", i);
		/* 2 MiB are 512 extents; the first room holds 169 */
		EXPECT_GE(before + 2, self->p->nr_asked);
	}
	before = self->p->nr_asked;
	for (i = 0; i < PLACES; i++)
		ASSERT_TRUE(is_right(self, place(i), i)) TH_LOG("place %u", i);
	EXPECT_EQ(before, self->p->nr_asked);
}

/* A counter that falls when memory is freed, which may be a while later */
static long counter_soon(struct fmap_server *s, const char *name, long value)
{
	int i;

	for (i = 0; i < 1000 && fmap_counter(s, name) != value; i++)
		usleep(10000);

	return fmap_counter(s, name);
}

TEST_F_TIMEOUT(paging_large, all_of_it, 300)
{
	unsigned int i, taken;

	ASSERT_EQ(26, fmap_fetch_rest(self->p, self->fd));
	taken = self->p->nr_asked;
	EXPECT_EQ(MB, fmap_last_asked(self->p, 0)->in.size);
	EXPECT_LE(8L * EXTENTS, fmap_counter(self->s, "map_bytes"));
	EXPECT_GE((long)COST * EXTENTS, fmap_counter(self->s, "map_bytes"));
	EXPECT_LE(8L * EXTENTS, fmap_counter(self->s, "claim_bytes"));
	EXPECT_GE((long)COST * EXTENTS, fmap_counter(self->s, "claim_bytes"));

	for (i = 0; i < PLACES; i++)
		ASSERT_TRUE(is_right(self, place(i), i)) TH_LOG("place %u", i);
	EXPECT_EQ(taken, self->p->nr_asked);

	munmap(self->map, SIZE);
	self->map = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	EXPECT_EQ(0, counter_soon(self->s, "map_bytes", 0));
	EXPECT_EQ(0, counter_soon(self->s, "claim_bytes", 0));
}

/* In pages of a server that has no more than 4 KiB for a message */
TEST_F_TIMEOUT(paging_large, in_many_small_pages, 300)
{
	self->p->max_exts = 169;
	while (fmap_last_asked(self->p, 0)->next < 60000 * PG) {
		char c;

		ASSERT_EQ(1, pread(self->fd, &c, 1,
				   fmap_last_asked(self->p, 0)->next));
	}
	EXPECT_EQ(1 + 60000 / 169, self->p->nr_asked);
}

int main(int argc, char **argv)
{
	if (fmap_dax_find() < 1 || fmap_dax_size(0) < SIZE)
		ksft_exit_fail_msg("name a device of 4 GB in FAMFS_DAXDEVS\n");

	return test_harness_run(argc, argv);
}
