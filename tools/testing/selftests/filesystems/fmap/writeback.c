// SPDX-License-Identifier: GPL-2.0
/* With the writeback cache: what waits for an ordinary file, not for a mapped */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TIMES		(FATTR_MTIME | FATTR_CTIME)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 4 * PG) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     3 * PG + 5, ext);

FIXTURE(writeback)
{
	struct fmap_server *s;
	struct fmap_file *f, *plain;
	unsigned int before;	/* SETATTR requests */
	int fd;
};

FIXTURE_SETUP(writeback)
{
	struct fmap_config cfg = { .init_flags = FUSE_WRITEBACK_CACHE };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->plain = fmap_server_file(self->s, "plain", 2 * PG);
	fmap_file_data(self->s, self->plain, 4 * PG);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = self->s->count[FUSE_SETATTR];
}

FIXTURE_TEARDOWN(writeback)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

static unsigned int setattrs(FIXTURE_DATA(writeback) * self)
{
	return self->s->count[FUSE_SETATTR] - self->before;
}

/* Does the server know a time of the last half minute? */
static bool recent(uint64_t sec)
{
	uint64_t now = time(NULL);

	return sec <= now + 1 && sec + 30 >= now;
}

TEST_F(writeback, ordinary_data_waits_and_mapped_does_not)
{
	int fd = fmap_open(self->s, "plain", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(5, pwrite(fd, "plain", 5, 0));
	EXPECT_EQ(6, pwrite(self->fd, "mapped", 6, PG - 3));
	EXPECT_EQ(0, self->s->count[FUSE_WRITE]);
	EXPECT_TRUE(fmap_on_devices(&layout, PG - 3, "mapped", 6));

	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(1, self->s->count[FUSE_WRITE]);
	EXPECT_EQ(0, memcmp(self->plain->data, "plain", 5));
	close(fd);
}

TEST_F(writeback, mapped_writes_and_syncs_send_nothing)
{
	unsigned int before;

	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	before = fmap_server_requests(self->s);
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 2 * PG));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_EQ(before, fmap_server_requests(self->s));
}

TEST_F(writeback, times_of_a_write_are_sent_at_close)
{
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	EXPECT_EQ(0, setattrs(self));
	close(self->fd);
	self->fd = -1;

	EXPECT_EQ(1, setattrs(self));
	EXPECT_EQ(TIMES, self->f->setattr_valid & TIMES);
	EXPECT_EQ(0, self->f->setattr_valid & (FATTR_SIZE | FATTR_MODE));
	EXPECT_TRUE(recent(self->f->mtime));
	EXPECT_TRUE(recent(self->f->ctime));
}

TEST_F(writeback, times_of_a_store_are_sent_at_close)
{
	char *p = fmap_map(self->fd, PG, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, 1, 1, true);
	munmap(p, PG);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(1, setattrs(self));
	EXPECT_TRUE(recent(self->f->mtime));
}

TEST_F(writeback, reading_sends_no_times)
{
	char c;

	EXPECT_EQ(1, pread(self->fd, &c, 1, 0));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, setattrs(self));
}

/* What the kernel has and the server has not got yet is not lost by a look */
TEST_F(writeback, own_times_win_until_they_are_sent)
{
	struct statx stx;

	self->f->mtime = 1000;
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	ASSERT_EQ(0, statx(self->fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
			   STATX_ALL, &stx));
	EXPECT_TRUE(recent(stx.stx_mtime.tv_sec));
	EXPECT_EQ(layout.size, stx.stx_size);
}

TEST_F(writeback, times_set_by_hand_go_to_the_server)
{
	const struct timespec ts[2] = { { .tv_sec = 11 }, { .tv_sec = 12 } };
	struct stat st;

	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	ASSERT_EQ(0, futimens(self->fd, ts));
	EXPECT_EQ(11, self->f->atime);
	EXPECT_EQ(12, self->f->mtime);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(12, st.st_mtime);
}

/* The size is the map's, whoever is believed about it otherwise */
TEST_F(writeback, sizes_side_by_side)
{
	int fd = fmap_open(self->s, "plain", O_RDWR);
	struct stat st;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pwrite(fd, "x", 1, 3 * PG));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(3 * PG + 1, st.st_size);
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, layout.size));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, ftruncate(self->fd, 1));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(layout.size, st.st_size);
	close(fd);
	EXPECT_EQ(3 * PG + 1, self->plain->size);
}

FMAP_TEST_MAIN
