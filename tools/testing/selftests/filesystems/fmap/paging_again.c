// SPDX-License-Identifier: GPL-2.0
/* What a server takes back of a map in pages is asked for again, that alone */
#include <string.h>

#include "fmap_notify.h"
#include "fmap_paging.h"
#include "fmap_test.h"

#define EXTENTS		8
#define SIZE		(EXTENTS * MB)
#define HOLE		(3 * MB + 7 * PG)	/* amid the fourth extent */
#define HOLE_LEN	(5 * PG)

static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (EXTENTS - i) * 2 * MB, MB);
}

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, MB, make_ext);

FIXTURE(paging_again)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	uint64_t nodeid;
	char *map;
	int fd;
};

FIXTURE_VARIANT(paging_again)
{
	bool keeps_whole;
	bool heeds_length;
	unsigned int requests;	/* that a hole amid an extent takes */
};

FIXTURE_VARIANT_ADD(paging_again, cut) { .requests = 1 };

FIXTURE_VARIANT_ADD(paging_again, no_more_than_asked_for) {
	.heeds_length = true, .requests = 1,
};

FIXTURE_VARIANT_ADD(paging_again, whole_extents) {
	.keeps_whole = true, .requests = 2,
};

FIXTURE_SETUP(paging_again)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &layout);
	self->p->max_exts = 2;
	self->p->keeps_whole = variant->keeps_whole;
	self->p->heeds_length = variant->heeds_length;
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->nodeid = self->s->file[0].nodeid;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	ASSERT_EQ(EXTENTS / 2, self->p->nr_asked);
	self->map = fmap_map_aligned(self->fd, SIZE, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(paging_again)
{
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->map, SIZE));
	munmap(self->map, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* The requests that it takes to read this byte, or -errno */
static int read_byte(FIXTURE_DATA(paging_again) * self, uint64_t off)
{
	unsigned int before = self->p->nr_asked;
	char c;

	if (pread(self->fd, &c, 1, off) != 1)
		return -errno;

	return self->p->nr_asked - before;
}

/* The first of @n requests was for this */
#define EXPECT_ASKED(n, from, len)					\
	do {								\
		const struct fmap_asked *a =				\
			fmap_last_asked(self->p, (n) - 1);		\
									\
		EXPECT_EQ(a->in.offset ? FMAP_AMID_ROOM : FMAP_FIRST_ROOM, \
			  a->in.size);					\
		EXPECT_EQ(from, a->in.offset);				\
		EXPECT_EQ(len, a->in.length);				\
	} while (0)

TEST_F(paging_again, hole_amid_an_extent)
{
	unsigned int n = variant->requests;

	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, HOLE, HOLE_LEN));
	EXPECT_EQ(0, read_byte(self, HOLE - 1));
	EXPECT_EQ(0, read_byte(self, HOLE + HOLE_LEN));
	EXPECT_EQ(n, read_byte(self, HOLE + 2 * PG));
	EXPECT_ASKED(n, HOLE, HOLE_LEN);
	if (variant->keeps_whole)
		EXPECT_ASKED(1, 3 * MB, HOLE + HOLE_LEN - 3 * MB);
	EXPECT_EQ(0, read_byte(self, HOLE));
}

/* The same by a fault, which wants the 2 MiB around it */
TEST_F(paging_again, hole_in_a_mapping)
{
	unsigned int before = self->p->nr_asked;

	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, HOLE, HOLE_LEN));
	EXPECT_FALSE(fmap_sigbus(self->map + 3 * MB, false));
	EXPECT_EQ(before + variant->requests, self->p->nr_asked);
	EXPECT_FALSE(fmap_sigbus(self->map + HOLE, false));
	EXPECT_EQ(before + variant->requests, self->p->nr_asked);
}

TEST_F(paging_again, two_holes)
{
	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, 2 * MB, PG));
	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, 5 * MB, MB));
	EXPECT_EQ(1, read_byte(self, 5 * MB + 77));
	EXPECT_ASKED(1, 5 * MB, MB);
	EXPECT_EQ(1, read_byte(self, 2 * MB));
	EXPECT_ASKED(1, 2 * MB, PG);
}

/* A hole that is longer than 2 MiB is asked for where it is touched */
TEST_F(paging_again, long_hole)
{
	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, MB, 6 * MB));
	EXPECT_EQ(1, read_byte(self, 4 * MB + MB / 2));
	EXPECT_ASKED(1, 4 * MB, 3 * MB);
	EXPECT_EQ(0, read_byte(self, MB - 1));
	EXPECT_EQ(1, read_byte(self, MB));
	EXPECT_ASKED(1, MB, 3 * MB);
}

/* All of it: no more is fetched than is touched */
TEST_F(paging_again, all_of_it)
{
	ASSERT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_GE(2, read_byte(self, 4 * MB));
	EXPECT_EQ(0, read_byte(self, 4 * MB + MB));
	EXPECT_EQ(1, read_byte(self, 2 * MB));
	EXPECT_EQ(1, read_byte(self, 0));
	EXPECT_ASKED(1, 0, 2 * MB);
}

FMAP_TEST_MAIN
