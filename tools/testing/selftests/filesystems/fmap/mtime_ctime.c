// SPDX-License-Identifier: GPL-2.0
/*
 * Times of modification: the kernel's own, and the server's where they are later
 *
 * The server is asked nothing and told nothing. A file's times are looked at
 * without asking it, but where a test says otherwise.
 */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 4 * PG)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, 4 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

/* What the server says in the beginning, long ago */
#define LONG_AGO	1000000

FIXTURE(mtime_ctime)
{
	struct fmap_server *s;
	unsigned int before;
	int fd;
	char *p;	/* all of the file, shared; nothing of it touched */
	char buf[64];
};

/* Are names and attributes asked for each time they are needed? */
FIXTURE_VARIANT(mtime_ctime)
{
	bool no_cache;
};

FIXTURE_VARIANT_ADD(mtime_ctime, cached) { };
FIXTURE_VARIANT_ADD(mtime_ctime, uncached) { .no_cache = true };

FIXTURE_SETUP(mtime_ctime)
{
	struct fmap_config cfg = { .no_cache = variant->no_cache };

	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->s->file[0].mtime = LONG_AGO;
	self->s->file[0].ctime = LONG_AGO;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(mtime_ctime)
{
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

struct times {
	int64_t mtime;	/* in nanoseconds */
	int64_t ctime;
};

static int64_t ns(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct times look(int fd, int flags)
{
	struct statx stx = { };

	statx(fd, "", AT_EMPTY_PATH | flags, STATX_MTIME | STATX_CTIME, &stx);

	return (struct times) { ns(&stx.stx_mtime), ns(&stx.stx_ctime) };
}

static struct times times(int fd)
{
	return look(fd, AT_STATX_DONT_SYNC);
}

static struct times times_of_server(int fd)
{
	return look(fd, AT_STATX_FORCE_SYNC);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);

	return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The clock of time stamps takes steps; leave at least one of them behind */
static void next_tick(void)
{
	usleep(25000);
}

/* Both times are later than in @was, and not later than now */
#define EXPECT_MOVED(was)						\
	do {								\
		struct times before = (was), is = times(self->fd);	\
									\
		EXPECT_LT(before.mtime, is.mtime);			\
		EXPECT_LT(before.ctime, is.ctime);			\
		EXPECT_GE(now(), is.mtime);				\
		EXPECT_GE(now(), is.ctime);				\
	} while (0)

#define EXPECT_UNMOVED(was)						\
	do {								\
		struct times before = (was), is = times(self->fd);	\
									\
		EXPECT_EQ(before.mtime, is.mtime);			\
		EXPECT_EQ(before.ctime, is.ctime);			\
	} while (0)

/* A first write asks for capabilities; what comes after it asks nothing */
static struct times after_write(FIXTURE_DATA(mtime_ctime) * self)
{
	pwrite(self->fd, "w", 1, 0);
	self->before = fmap_server_requests(self->s);
	next_tick();

	return times(self->fd);
}

TEST_F(mtime_ctime, begin_with_the_servers)
{
	struct times t = times_of_server(self->fd);

	EXPECT_EQ(LONG_AGO * 1000000000LL, t.mtime);
	EXPECT_EQ(LONG_AGO * 1000000000LL, t.ctime);
}

TEST_F(mtime_ctime, write_moves_both)
{
	struct times was = times(self->fd);

	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 5));
	EXPECT_MOVED(was);
	was = after_write(self);
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, SIZE - 1));
	EXPECT_MOVED(was);
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
	EXPECT_EQ(0, self->s->count[FUSE_SETATTR]);
}

TEST_F(mtime_ctime, what_writes_nothing_moves_none)
{
	struct times was = after_write(self);

	EXPECT_EQ(0, pwrite(self->fd, "", 0, 5));
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, SIZE));
	EXPECT_EQ(1, pread(self->fd, self->buf, 1, 0));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_UNMOVED(was);
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
}

TEST_F(mtime_ctime, loads_and_private_stores_move_none)
{
	struct times was = after_write(self);
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	fmap_touch(self->p, SIZE, PG, false);
	fmap_touch(q, SIZE, PG, true);
	EXPECT_UNMOVED(was);
	munmap(q, SIZE);
	EXPECT_UNMOVED(was);
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
}

/* At least the first store, which the kernel sees since it is a fault */
TEST_F(mtime_ctime, store_moves_both)
{
	struct times was = after_write(self);

	self->p[MB] = 's';
	EXPECT_MOVED(was);

	next_tick();
	was = times(self->fd);
	self->p[2 * MB + PG] = 's';
	EXPECT_MOVED(was);

	/* and the first one after the pages have gone */
	ASSERT_EQ(0, madvise(self->p, SIZE, MADV_DONTNEED));
	next_tick();
	was = times(self->fd);
	self->p[MB + 1] = 's';
	EXPECT_MOVED(was);
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
}

/* The page is there from a load, and read-only */
TEST_F(mtime_ctime, store_after_load_moves_both)
{
	struct times was = after_write(self);

	fmap_touch(self->p, SIZE, PG, false);
	EXPECT_UNMOVED(was);
	self->p[9] = 's';
	EXPECT_MOVED(was);
	next_tick();
	was = times(self->fd);
	self->p[2 * MB + 9] = 's';
	EXPECT_MOVED(was);
}

TEST_F(mtime_ctime, setting_is_exact)
{
	struct timespec to[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = 1234567 },
	};
	struct times was = after_write(self), is;

	ASSERT_EQ(0, futimens(self->fd, to));
	is = times(self->fd);
	EXPECT_EQ(1234567000000000LL, is.mtime);
	is = times_of_server(self->fd);
	EXPECT_EQ(1234567000000000LL, is.mtime);
	EXPECT_LE(was.ctime, is.ctime);

	/* Later writes count again */
	next_tick();
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	EXPECT_MOVED(was);
}

TEST_F(mtime_ctime, store_after_setting_counts)
{
	struct timespec to[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_sec = 1234567 },
	};
	struct times was;

	ASSERT_EQ(0, futimens(self->fd, to));
	was = times(self->fd);
	EXPECT_EQ(1234567000000000LL, was.mtime);
	self->p[0] = 's';
	EXPECT_LT(was.mtime, times(self->fd).mtime);
	EXPECT_LT(was.mtime, times_of_server(self->fd).mtime);
}

TEST_F(mtime_ctime, chmod_keeps_mtime)
{
	struct times was = after_write(self), is;

	ASSERT_EQ(0, fchmod(self->fd, 0600));
	is = times(self->fd);
	EXPECT_EQ(was.mtime, is.mtime);
	EXPECT_LE(was.ctime, is.ctime);
}

TEST_F(mtime_ctime, later_ones_of_the_server_count)
{
	struct times was = after_write(self), is;
	int64_t later = was.mtime / 1000000000 + 1000;

	self->s->file[0].mtime = later;
	self->s->file[0].ctime = later + 1;
	is = times_of_server(self->fd);
	EXPECT_EQ(later * 1000000000, is.mtime);
	EXPECT_EQ((later + 1) * 1000000000, is.ctime);
	is = times(self->fd);
	EXPECT_EQ(later * 1000000000, is.mtime);
}

TEST_F(mtime_ctime, earlier_ones_of_the_server_do_not)
{
	struct times was = after_write(self), is;

	self->s->file[0].mtime = LONG_AGO + 5;
	self->s->file[0].ctime = LONG_AGO + 5;
	is = times_of_server(self->fd);
	EXPECT_EQ(was.mtime, is.mtime);
	EXPECT_EQ(was.ctime, is.ctime);
}

/* Without a change here, the server may set them back */
TEST_F(mtime_ctime, unmodified_files_have_the_servers)
{
	self->s->file[0].mtime = LONG_AGO - 5;
	EXPECT_EQ((LONG_AGO - 5) * 1000000000LL,
		  times_of_server(self->fd).mtime);
}

/* The kernel tells nobody: with the inode, its times are gone */
TEST_F(mtime_ctime, evicted_inode_forgets_them)
{
	after_write(self);
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(LONG_AGO * 1000000000LL, times_of_server(self->fd).mtime);
	EXPECT_EQ(0, self->s->count[FUSE_SETATTR]);
}

FMAP_TEST_MAIN
