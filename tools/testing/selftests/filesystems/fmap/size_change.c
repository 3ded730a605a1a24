// SPDX-License-Identifier: GPL-2.0
/* A mapped file becomes longer or shorter, while it is open and mapped */
#include <string.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SHORT		(2 * MB + 100)
#define LONG		(6 * MB + 2 * PG + 7)
#define ROOM		(8 * MB)	/* of mappings: more than any size */

/*
 * One is the beginning of the other: the bytes stay where they are. Messages of
 * one length can be exchanged while the server sends them.
 */
static const struct fmap_ext short_ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 4 * MB, PG),
};

static const struct fmap_ext long_ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 4 * MB, 4 * MB + 3 * PG),
};

static const struct fmap_ext part_ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB) };

static const struct fmap_layout shorter = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						      SHORT, short_ext);
static const struct fmap_layout longer = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     LONG, long_ext);

FIXTURE(size_change)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
	int append;
	char *p;
};

/* By which notification the kernel comes to know it */
FIXTURE_VARIANT(size_change)
{
	bool stores;
	bool at_end;		/* only what comes or goes there */
	uint64_t from;		/* what is invalidated, to the end */
};

FIXTURE_VARIANT_ADD(size_change, store) { .stores = true };
FIXTURE_VARIANT_ADD(size_change, store_end) { .stores = true, .at_end = true };
FIXTURE_VARIANT_ADD(size_change, inval_all) { };
FIXTURE_VARIANT_ADD(size_change, inval_end) { .from = 2 * MB };

FIXTURE_SETUP(size_change)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&longer, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &shorter);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->append = fmap_open(self->s, "file", O_WRONLY | O_APPEND);
	ASSERT_LE(0, self->append);
	self->p = fmap_map_aligned(self->fd, ROOM, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(size_change)
{
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	munmap(self->p, ROOM);
	close(self->append);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Pages that come behind those of the shorter file, or none */
static int store_end(FIXTURE_DATA(size_change) * self,
		     const struct fmap_layout *l)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV1, 4 * MB + PG, 4 * MB + 2 * PG),
	};
	struct fmap_layout end = {
		.type = FUSE_FAMFS_EXT_SIMPLE, .size = l->size,
		.nextents = l == &longer, .ext = ext,
	};

	return fmap_store(self->s, self->f->nodeid, 2 * MB + PG, &end);
}

static int change(FIXTURE_DATA(size_change) * self,
		  const FIXTURE_VARIANT(size_change) * variant,
		  const struct fmap_layout *l)
{
	fmap_file_layout(self->s, self->f, l);
	if (variant->at_end)
		return store_end(self, l);
	if (variant->stores)
		return fmap_store(self->s, self->f->nodeid, 0, l);

	return fmap_inval(self->s, self->f->nodeid, variant->from, 0);
}

#define CHANGE(l)	change(self, variant, l)

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : st.st_size;
}

/* The file is this long, to each who reads, writes, stats or touches it */
static void check_size(struct __test_metadata *_metadata,
		       FIXTURE_DATA(size_change) * self, uint64_t size)
{
	uint64_t end = (size + PG - 1) & ~(PG - 1);
	char buf[100];

	EXPECT_EQ(7, pread(self->fd, buf, sizeof(buf), size - 7));
	EXPECT_EQ(1, fmap_seed_of(buf, 7, size - 7));
	EXPECT_EQ(size, size_of(self->fd));
	EXPECT_TRUE(fmap_file_holds(self->fd, size, 1));
	EXPECT_EQ(size, size_of(self->fd));
	EXPECT_EQ(size, lseek(self->fd, 0, SEEK_END));

	EXPECT_EQ(1, fmap_seed_of(self->p, size, 0));
	EXPECT_TRUE(fmap_sigbus(self->p + end, false));
	EXPECT_TRUE(fmap_sigbus(self->p + end, true));
	EXPECT_TRUE(fmap_sigbus(self->p + ROOM - 1, false));

	fmap_fill(buf, sizeof(buf), 1, size - 50);
	EXPECT_EQ(50, pwrite(self->fd, buf, sizeof(buf), size - 50));
	EXPECT_EQ(-1, pwrite(self->fd, buf, 1, size));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, write(self->append, buf, sizeof(buf)));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_TRUE(fmap_file_holds(self->fd, size, 1));
}

#define CHECK_SIZE(size) check_size(_metadata, self, size)

TEST_F(size_change, grows)
{
	CHECK_SIZE(SHORT);
	EXPECT_EQ(0, CHANGE(&longer));
	CHECK_SIZE(LONG);
}

TEST_F(size_change, shrinks)
{
	EXPECT_EQ(0, CHANGE(&longer));
	CHECK_SIZE(LONG);
	EXPECT_EQ(0, CHANGE(&shorter));
	CHECK_SIZE(SHORT);
}

TEST_F(size_change, back_and_forth)
{
	int i;

	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, CHANGE(&longer));
		CHECK_SIZE(LONG);
		EXPECT_EQ(0, CHANGE(&shorter));
		CHECK_SIZE(SHORT);
	}
}

/* Within the last page: what lies there behind the end is no file */
TEST_F(size_change, by_a_few_bytes)
{
	static const uint64_t sizes[] = {
		SHORT + 1, SHORT + 1000, 2 * MB + PG, SHORT - 50, SHORT,
		2 * MB + 60,
	};
	struct fmap_layout l = shorter;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		l.size = sizes[i];
		EXPECT_EQ(0, CHANGE(&l));
		CHECK_SIZE(sizes[i]);
	}
}

/* Who does nothing but look there sees it as well: each way by itself */
TEST_F(size_change, first_seen_by_a_read_behind_the_old_end)
{
	char c;

	EXPECT_EQ(0, pread(self->fd, &c, 1, 4 * MB));
	EXPECT_EQ(0, CHANGE(&longer));
	EXPECT_EQ(1, pread(self->fd, &c, 1, 4 * MB));
	EXPECT_EQ(LONG, size_of(self->fd));
}

TEST_F(size_change, first_seen_by_a_write_behind_the_old_end)
{
	EXPECT_EQ(-1, pwrite(self->fd, "w", 1, 4 * MB));
	EXPECT_EQ(0, CHANGE(&longer));
	EXPECT_EQ(1, pwrite(self->fd, "w", 1, 4 * MB));
	EXPECT_TRUE(fmap_on_devices(&longer, 4 * MB, "w", 1));
	EXPECT_EQ(LONG, size_of(self->fd));
}

TEST_F(size_change, first_seen_by_a_fault_behind_the_old_end)
{
	EXPECT_TRUE(fmap_sigbus(self->p + 4 * MB, false));
	EXPECT_EQ(0, CHANGE(&longer));
	EXPECT_FALSE(fmap_sigbus(self->p + 4 * MB, false));
	EXPECT_EQ(LONG, size_of(self->fd));
}

TEST_F(size_change, first_seen_by_an_open)
{
	int fd;

	EXPECT_EQ(0, CHANGE(&longer));
	fd = fmap_open(self->s, "file", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(LONG, size_of(fd));
	EXPECT_EQ(LONG, size_of(self->fd));
	EXPECT_EQ(LONG, lseek(fd, 0, SEEK_END));
	close(fd);
}

/* All pages behind the new end are gone from the page tables, and before any use */
TEST_F(size_change, pages_behind_the_end_are_unmapped)
{
	EXPECT_EQ(0, CHANGE(&longer));
	ASSERT_EQ(1, fmap_seed_of(self->p, LONG, 0));
	EXPECT_EQ(0, CHANGE(&shorter));
	EXPECT_EQ(0, fmap_pages(self->p + 2 * MB + PG, ROOM - 2 * MB - PG,
				PAGE_IS_PRESENT));
	EXPECT_TRUE(fmap_sigbus(self->p + 2 * MB + PG, true));
	EXPECT_EQ(SHORT, size_of(self->fd));
}

TEST_F(size_change, bytes_behind_the_end_are_free)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV1, 4 * MB + PG, 4 * MB + 2 * PG),
	};
	static const struct fmap_layout rest =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 4 * MB + 2 * PG, ext);
	char c;

	fmap_server_mapped(self->s, "rest", &rest);
	EXPECT_EQ(0, CHANGE(&longer));
	ASSERT_EQ(1, fmap_seed_of(self->p, LONG, 0));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "rest", O_RDWR));
	EXPECT_EQ(0, CHANGE(&shorter));
	EXPECT_EQ(1, pread(self->fd, &c, 1, SHORT - 1));
	EXPECT_EQ(0, fmap_try_open(self->s, "rest", O_RDWR));
	CHECK_SIZE(SHORT);
}

TEST_F(size_change, down_to_nothing)
{
	static const struct fmap_layout empty = {
		.type = FUSE_FAMFS_EXT_SIMPLE,
	};
	char c;

	EXPECT_FALSE(fmap_sigbus(self->p, true));
	fmap_file_layout(self->s, self->f, &empty);
	EXPECT_EQ(0, variant->stores ?
		     fmap_store(self->s, self->f->nodeid, 0, &empty) :
		     fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_EQ(0, pread(self->fd, &c, 1, 0));
	EXPECT_EQ(0, size_of(self->fd));
	EXPECT_TRUE(fmap_sigbus(self->p, false));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));

	ASSERT_EQ(0, fmap_fill_devices(&longer, 1));
	EXPECT_EQ(0, CHANGE(&longer));
	CHECK_SIZE(LONG);
}

/* Reads whole or to an end, never zeroes, nor anything else */
static int read_on(void *arg)
{
	int fd = *(int *)arg, i;
	char buf[PG];

	for (i = 0; i < 400; i++) {
		ssize_t n = pread(fd, buf, PG, SHORT - 60);

		if (n < 0)
			return -errno;
		if (n != PG && n != 60)
			return 100;
		if (fmap_seed_of(buf, n, SHORT - 60) != 1)
			return 101;
	}

	return 0;
}

TEST_F_TIMEOUT(size_change, while_it_is_read, 120)
{
	pid_t pid = fmap_start(read_on, &self->fd);
	int i;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, CHANGE(&longer));
		EXPECT_EQ(0, CHANGE(&shorter));
	}
	EXPECT_EQ(0, fmap_exit_soon(pid));
	CHECK_SIZE(SHORT);
}

/* Appends have no room, and never write over what has come behind the end */
static int append_on(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < 400; i++) {
		if (write(fd, "appended", 8) >= 0)
			return 100;
		if (errno != ENOSPC)
			return -errno;
	}

	return 0;
}

TEST_F_TIMEOUT(size_change, while_it_is_appended_to, 120)
{
	pid_t pid = fmap_start(append_on, &self->append);
	int i;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, CHANGE(&longer));
		EXPECT_EQ(0, CHANGE(&shorter));
	}
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_EQ(0, CHANGE(&longer));
	CHECK_SIZE(LONG);
}

/* A reply may not change it unless the end of the map was taken back */
TEST_F(size_change, not_by_a_part_that_does_not_reach_the_end)
{
	char c;

	fmap_file_layout(self->s, self->f, &longer);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
	EXPECT_EQ(-1, pread(self->fd, &c, 1, PG));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(fmap_sigbus(self->p + PG, false));
	EXPECT_EQ(SHORT, size_of(self->fd));
	EXPECT_EQ(1, pread(self->fd, &c, 1, SHORT - 1));
	fmap_file_layout(self->s, self->f, &shorter);
	CHECK_SIZE(SHORT);
}

/* A page tells the size of all of the file, also if it is not the last one */
TEST_F(size_change, by_a_page_of_the_map)
{
	static const struct fmap_layout part =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SHORT, part_ext);

	EXPECT_EQ(0, CHANGE(&longer));
	CHECK_SIZE(LONG);
	EXPECT_EQ(0, fmap_store_page(self->s, self->f->nodeid, 0, &part));
	EXPECT_EQ(0, fmap_pages(self->p + 2 * MB + PG, ROOM - 2 * MB - PG,
				PAGE_IS_PRESENT));
	EXPECT_EQ(SHORT, size_of(self->fd));
	CHECK_SIZE(SHORT);
}

FMAP_TEST_MAIN
