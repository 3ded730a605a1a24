// SPDX-License-Identifier: GPL-2.0
/* A server tells a part of a map without being asked */
#include <stdio.h>
#include <string.h>

#include "fmap_check.h"
#include "fmap_pages.h"
#include "fmap_paging.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define SIZE		(TAIL + 3 * PG + 100)

/* Where the file lies, with seed 1, and where it may go, with seed 2 */
static const struct fmap_ext old_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, TAIL), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_ext new_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, TAIL), FMAP_SIMPLE(DEV0, 0, 4 * PG),
};

static const struct fmap_layout old = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, old_ext);
static const struct fmap_layout new = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, new_ext);

/* It names both devices, so that they are known once it was opened */
static const struct fmap_ext first_ext[] = {
	FMAP_SIMPLE(DEV0, 48 * MB, PG), FMAP_SIMPLE(DEV1, 48 * MB, PG),
};

static const struct fmap_layout first = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    2 * PG, first_ext);

FIXTURE(store_parts)
{
	struct fmap_server *s;
	struct fmap_file *f;	/* "file", which the kernel has not seen yet */
};

FIXTURE_SETUP(store_parts)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "first", &first);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	self->f = fmap_server_mapped(self->s, "file", &old);
	self->s->count[FUSE_GET_FMAP] = 0;
}

FIXTURE_TEARDOWN(store_parts)
{
	fmap_server_free(self->s);
}

/* The kernel gets to know the file, but nobody opens it */
static int see(struct fmap_server *s, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return access(path, F_OK) ? -errno : 0;
}

/* The descriptor and the mapping of a file that the server knows as "old" */
static int open_and_map(struct fmap_server *s, char **p)
{
	int fd = fmap_open(s, "file", O_RDWR);

	*p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	if (*p == MAP_FAILED || fmap_seed_of(*p, SIZE, 0) != 1)
		return -1;
	s->count[FUSE_GET_FMAP] = 0;

	return fd;
}

TEST_F(store_parts, part_of_a_map_in_use)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV1, 8 * MB + 5 * PG, 3 * PG),
	};
	static const struct fmap_layout part =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fmap_store_page(self->s, self->f->nodeid, 5 * PG, &part));
	EXPECT_EQ(512, fmap_pages(p + HUGE_PG, HUGE_PG, PAGE_IS_PRESENT));
	EXPECT_EQ(1, fmap_seed_of(p, 5 * PG, 0));
	EXPECT_EQ(2, fmap_seed_of(p + 5 * PG, 3 * PG, 5 * PG));
	EXPECT_EQ(1, fmap_seed_of(p + 8 * PG, SIZE - 8 * PG, 8 * PG));
	EXPECT_EQ(2, fmap_read_seed(fd, 5 * PG, 3 * PG));
	EXPECT_EQ(1, fmap_read_seed(fd, 8 * PG, SIZE - 8 * PG));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/*
 * Bytes that the file has elsewhere cannot be in it twice. That is known when the
 * part has been forgotten already.
 */
TEST_F(store_parts, bytes_of_another_part)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV0, 4 * MB + PG, 4 * PG),
	};
	static const struct fmap_layout twice =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, fmap_store(self->s, self->f->nodeid, TAIL, &twice));
	EXPECT_EQ(1, fmap_seed_of(p, TAIL, 0));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(1, fmap_seed_of(p + TAIL, SIZE - TAIL, TAIL));
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/* The end of the map, known by a message that ends it */
TEST_F(store_parts, last_part_of_a_map_in_use)
{
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 0, 4 * PG) };
	static const struct fmap_layout part =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, TAIL, &part));
	EXPECT_EQ(1, fmap_seed_of(p, TAIL, 0));
	EXPECT_EQ(2, fmap_seed_of(p + TAIL, SIZE - TAIL, TAIL));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/* All parts are stored, in any order: there is nothing left to be asked */
TEST_F(store_parts, part_after_part)
{
	static const struct fmap_ext ext[][1] = {
		{ FMAP_SIMPLE(DEV1, 8 * MB, 2 * MB) },
		{ FMAP_SIMPLE(DEV1, 10 * MB, 2 * MB) },
		{ FMAP_SIMPLE(DEV0, 0, 4 * PG) },
	};
	static const struct fmap_layout part[] = {
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext[0]),
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext[1]),
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext[2]),
	};
	uint64_t nodeid = self->f->nodeid;

	ASSERT_EQ(0, see(self->s, "file"));
	EXPECT_EQ(0, fmap_store_page(self->s, nodeid, 2 * MB, &part[1]));
	EXPECT_EQ(0, fmap_store_page(self->s, nodeid, 0, &part[0]));
	EXPECT_EQ(0, fmap_store(self->s, nodeid, TAIL, &part[2]));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 2));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
}

/* What is not stored is asked for when it is needed: no sooner */
TEST_F(store_parts, first_page_and_the_rest_when_it_is_needed)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV1, 8 * MB, 2 * MB),
	};
	static const struct fmap_layout part =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	struct fmap_paging *p = fmap_server_paged(self->s, "paged", &new);
	struct fmap_file *f = &self->s->file[self->s->nr_files - 1];
	int fd;

	ASSERT_EQ(0, see(self->s, "paged"));
	EXPECT_EQ(0, fmap_store_page(self->s, f->nodeid, 0, &part));
	fd = fmap_open(self->s, "paged", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(2, fmap_read_seed(fd, 0, 2 * MB));
	EXPECT_EQ(0, p->nr_asked);
	EXPECT_EQ(2, fmap_read_seed(fd, 2 * MB, SIZE - 2 * MB));
	EXPECT_NE(0, p->nr_asked);
	EXPECT_EQ(2 * MB, p->asked[0].in.offset);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 2));
	close(fd);
}

FMAP_TEST_MAIN
