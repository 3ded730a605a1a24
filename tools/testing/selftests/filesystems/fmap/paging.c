// SPDX-License-Identifier: GPL-2.0
/* Maps of a hundred pages: each byte is where its page says, whoever asks first */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_paging.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define PAGES		576UL	/* 2^6 * 3^2: each variant has whole pages of the map */
#define SIZE		(PAGES * PG)

/* A page here, a page there, backwards, and none beside another */
static void make_simple(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (2 * (PAGES - i / 2) - 1) * PG, PG);
}

static void make_striped(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_STRIPED(2, PG, 2 * PG, { DEV0, 2 * (PAGES - i) * PG, PG },
			     { DEV1, (1 + 2 * i) * PG, PG });
}

/* Neither these nor their stripes begin where 2 MiB do */
static void make_three_pages(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (PAGES + 2 - i) * 4 * PG, 3 * PG);
}

static void make_three_strips(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_STRIPED(3, PG, 12 * PG, { DEV0, i * 8 * PG, 4 * PG },
			     { DEV1, (i + 1) * 5 * PG, 4 * PG },
			     { DEV0, (8 * MB + i * 4 * PG), 4 * PG });
}

static const struct fmap_ext long_ext[] = {
	FMAP_SIMPLE(DEV1, 2 * MB + 5 * PG, SIZE / 2),
	FMAP_SIMPLE(DEV0, 4 * MB, SIZE / 2),
};

static const struct fmap_ext long_striped_ext[] = {
	FMAP_STRIPED(2, PG, SIZE, { DEV1, MB, SIZE / 2 },
		     { DEV0, 3 * MB, SIZE / 2 }),
};

FIXTURE(paging)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	char *want;
	char *map;
	int fd;
};

FIXTURE_VARIANT(paging)
{
	struct fmap_layout l;
	uint32_t each;		/* pages of the file in a page of the map */
	uint32_t max_exts;
	uint64_t max_bytes;
	bool keeps_whole;
	bool heeds_length;
	bool points_back;	/* by two pages, if it is asked for 2 MiB */
};

FIXTURE_VARIANT_ADD(paging, simple) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, PAGES, PG, make_simple),
	.each = 4,
	.max_exts = 4,
};

FIXTURE_VARIANT_ADD(paging, striped) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, PAGES / 2, 2 * PG,
		       make_striped),
	.each = 8,
	.max_exts = 4,
};

FIXTURE_VARIANT_ADD(paging, whole_extents) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, PAGES / 3, 3 * PG,
		       make_three_pages),
	.each = 6,
	.max_exts = 2,
	.keeps_whole = true,
	.points_back = true,
};

FIXTURE_VARIANT_ADD(paging, whole_stripes) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, PAGES / 12, 12 * PG,
		       make_three_strips),
	.each = 12,
	.max_exts = 1,
	.points_back = true,
};

FIXTURE_VARIANT_ADD(paging, extent_in_parts) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, long_ext),
	.each = 8,
	.max_bytes = 8 * PG,
	.heeds_length = true,
};

FIXTURE_VARIANT_ADD(paging, stripe_in_parts) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, long_striped_ext),
	.each = 8,
	.max_bytes = 8 * PG,
};

FIXTURE_SETUP(paging)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&variant->l, 1));
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &variant->l);
	self->p->max_exts = variant->max_exts;
	self->p->max_bytes = variant->max_bytes;
	self->p->keeps_whole = variant->keeps_whole;
	self->p->heeds_length = variant->heeds_length;
	ASSERT_EQ(0, fmap_server_mount(self->s));

	self->want = malloc(SIZE);
	ASSERT_NE(NULL, self->want);
	fmap_fill(self->want, SIZE, 1, 0);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->map = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(paging)
{
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	munmap(self->map, SIZE);
	close(self->fd);
	free(self->want);
	fmap_server_free(self->s);
}

/* The @i-th byte of the file to be looked at, each page once, in no order */
static uint64_t place(unsigned int i)
{
	return (i * 1597UL + 2111) % PAGES * PG;
}

TEST_F(paging, open_takes_one_request)
{
	const struct fmap_asked *asked = fmap_last_asked(self->p, 0);
	struct stat st;

	EXPECT_EQ(1, self->p->nr_asked);
	EXPECT_EQ(FMAP_FIRST_ROOM, asked->in.size);
	EXPECT_EQ(0, asked->in.flags);
	EXPECT_EQ(0, asked->in.offset);
	EXPECT_EQ(0, asked->in.length);
	EXPECT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(1, self->p->nr_asked);
}

static bool read_right(FIXTURE_DATA(paging) * self, uint64_t off)
{
	char got[PG];

	return pread(self->fd, got, PG, off) == PG &&
	       !memcmp(got, self->want + off, PG);
}

/* Where it cannot be cut the server says so, and is asked once more */
TEST_F(paging, place_amid_an_extent)
{
	const struct fmap_asked *asked;

	EXPECT_TRUE(read_right(self, 2 * MB));
	asked = fmap_last_asked(self->p, 0);
	if (variant->points_back) {
		EXPECT_EQ(3, self->p->nr_asked);
		EXPECT_EQ(2 * MB - 2 * PG, asked->in.offset);
		asked = fmap_last_asked(self->p, 1);
		EXPECT_EQ(2 * MB - 2 * PG, asked->next);
	} else {
		EXPECT_EQ(2, self->p->nr_asked);
	}
	EXPECT_EQ(2 * MB, asked->in.offset);
	EXPECT_TRUE(read_right(self, 2 * MB - PG));
}

TEST_F_TIMEOUT(paging, read_in_no_order, 120)
{
	unsigned int i, taken;

	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(read_right(self, place(i)))
			TH_LOG("byte %lu", place(i));
	taken = self->p->nr_asked;
	EXPECT_LE(PAGES / variant->each, taken);
	/* Where two meet, one may tell a part of what the other told */
	EXPECT_GE(2 * PAGES / variant->each, taken);

	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(read_right(self, place(i)));
	EXPECT_EQ(0, memcmp(self->map, self->want, SIZE));
	EXPECT_EQ(taken, self->p->nr_asked);
}

TEST_F_TIMEOUT(paging, write_in_no_order, 120)
{
	unsigned int i;

	fmap_fill(self->want, SIZE, 2, 0);
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(PG, pwrite(self->fd, self->want + place(i), PG,
				     place(i)));
	EXPECT_TRUE(fmap_on_devices(&variant->l, 0, self->want, SIZE));
}

TEST_F_TIMEOUT(paging, load_in_no_order, 120)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, memcmp(self->map + place(i),
				    self->want + place(i), PG))
			TH_LOG("byte %lu", place(i));
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
}

TEST_F_TIMEOUT(paging, store_in_no_order, 120)
{
	unsigned int i;

	fmap_fill(self->want, SIZE, 3, 0);
	for (i = 0; i < PAGES; i++)
		memcpy(self->map + place(i), self->want + place(i), PG);
	EXPECT_TRUE(fmap_on_devices(&variant->l, 0, self->want, SIZE));
}

/* From one end to the other no byte is told twice */
TEST_F_TIMEOUT(paging, read_in_order, 120)
{
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	EXPECT_EQ(PAGES / variant->each, self->p->nr_asked);
	EXPECT_EQ(0, fmap_last_asked(self->p, 0)->next);
}

TEST_F_TIMEOUT(paging, read_backwards, 120)
{
	unsigned int i;

	for (i = PAGES; i--;)
		ASSERT_TRUE(read_right(self, i * PG));
	EXPECT_GE(2 * PAGES / variant->each, self->p->nr_asked);
}

/* One call that needs all of it */
TEST_F_TIMEOUT(paging, read_and_write_at_once, 120)
{
	char *got = malloc(SIZE);

	ASSERT_NE(NULL, got);
	EXPECT_EQ(SIZE, pread(self->fd, got, SIZE, 0));
	EXPECT_EQ(0, memcmp(got, self->want, SIZE));
	free(got);
	fmap_fill(self->want, SIZE, 4, 0);
	EXPECT_EQ(SIZE, pwrite(self->fd, self->want, SIZE, 0));
	EXPECT_TRUE(fmap_on_devices(&variant->l, 0, self->want, SIZE));
}

TEST_F_TIMEOUT(paging, write_at_once, 120)
{
	fmap_fill(self->want, SIZE, 4, 0);
	EXPECT_EQ(SIZE - 2, pwrite(self->fd, self->want + 1, SIZE - 2, 1));
	EXPECT_TRUE(fmap_on_devices(&variant->l, 1, self->want + 1, SIZE - 2));
}

TEST_F_TIMEOUT(paging, populate, 120)
{
	unsigned int taken;
	char *p = fmap_map(self->fd, SIZE, PROT_READ,
			   MAP_SHARED | MAP_POPULATE);

	ASSERT_NE(MAP_FAILED, p);
	taken = self->p->nr_asked;
	EXPECT_EQ(0, fmap_last_asked(self->p, 0)->next);
	EXPECT_EQ(0, memcmp(p, self->want, SIZE));
	EXPECT_EQ(taken, self->p->nr_asked);
	munmap(p, SIZE);
}

/* The kernel itself takes the faults */
TEST_F_TIMEOUT(paging, from_the_file_to_itself, 120)
{
	EXPECT_EQ(SIZE / 2, pwrite(self->fd, self->map + SIZE / 2, SIZE / 2,
				   0));
	EXPECT_TRUE(fmap_on_devices(&variant->l, 0, self->want + SIZE / 2,
				    SIZE / 2));
	EXPECT_TRUE(fmap_on_devices(&variant->l, SIZE / 2,
				    self->want + SIZE / 2, SIZE / 2));
}

FMAP_TEST_MAIN
