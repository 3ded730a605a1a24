// SPDX-License-Identifier: GPL-2.0
/* fallocate: nothing to allocate, bytes can be zeroed, space stays as it is */
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_test.h"

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB + 2 * PG + 100)

static const struct fmap_ext ext[] = {
	FMAP_STRIPED(1, 2 * MB, 2 * MB, { DEV0, 2 * MB, 2 * MB }),
	FMAP_STRIPED(2, 4 * PG, 2 * MB + 3 * PG, { DEV0, 8 * MB, 2 * MB },
		     { DEV1, 2 * MB, 2 * MB }),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE,
						     SIZE, ext);

FIXTURE(fallocate)
{
	struct fmap_server *s;
	unsigned int before;
	int fd;
	char *want;	/* what the file should hold */
};

FIXTURE_SETUP(fallocate)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->want = malloc(SIZE);
	ASSERT_NE(NULL, self->want);
	fmap_fill(self->want, SIZE, 1, 0);
	/* The first change asks for capabilities to take away */
	ASSERT_EQ(1, pwrite(self->fd, self->want, 1, 0));
	self->before = fmap_server_requests(self->s);
}

FIXTURE_TEARDOWN(fallocate)
{
	struct stat st;

	EXPECT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->want, SIZE));
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
	free(self->want);
	close(self->fd);
	fmap_server_free(self->s);
}

static int falloc(int fd, int mode, off_t off, off_t len)
{
	return fallocate(fd, mode, off, len) ? -errno : 0;
}

static const struct {
	off_t off;
	off_t len;
} inside[] = {
	{ 0, 1 }, { 0, PG }, { 0, SIZE }, { 5, 10 }, { PG - 1, 2 },
	{ 2 * MB - 3, 5 }, { MB, 2 * MB }, { SIZE - 1, 1 },
	{ 3 * MB + 1, 9 * PG }, { SIZE - 5000, 5000 },
};

static const struct {
	off_t off;
	off_t len;
} beyond[] = {
	{ 0, SIZE + 1 }, { SIZE - 1, 2 }, { SIZE, 1 }, { SIZE + PG, PG },
	{ 1LL << 40, 1 }, { 0, 1LL << 60 },
};

TEST_F(fallocate, space_inside_is_there)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_UNSHARE_RANGE,
		FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	unsigned int m, i;

	for (m = 0; m < ARRAY_SIZE(modes); m++)
		for (i = 0; i < ARRAY_SIZE(inside); i++)
			EXPECT_EQ(0, falloc(self->fd, modes[m], inside[i].off,
					    inside[i].len))
				TH_LOG("mode %x, range %u", modes[m], i);
}

TEST_F(fallocate, none_behind_the_end)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_UNSHARE_RANGE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_WRITE_ZEROES,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	unsigned int m, i;

	for (m = 0; m < ARRAY_SIZE(modes); m++)
		for (i = 0; i < ARRAY_SIZE(beyond); i++)
			EXPECT_EQ(-ENOSPC, falloc(self->fd, modes[m],
						  beyond[i].off, beyond[i].len))
				TH_LOG("mode %x, range %u", modes[m], i);
}

TEST_F(fallocate, space_is_not_moved_or_given_back)
{
	static const int modes[] = {
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
	};
	unsigned int m;

	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		EXPECT_EQ(-EOPNOTSUPP, falloc(self->fd, modes[m], 0, PG));
		EXPECT_EQ(-EOPNOTSUPP, falloc(self->fd, modes[m], 0, 2 * MB));
	}
}

TEST_F(fallocate, zeroes)
{
	static const int modes[] = {
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_WRITE_ZEROES,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		if (inside[i].len > 2 * MB)
			continue;	/* it would leave nothing to see */
		EXPECT_EQ(0, falloc(self->fd, modes[i % 3], inside[i].off,
				    inside[i].len)) TH_LOG("range %u", i);
		memset(self->want + inside[i].off, 0, inside[i].len);
		EXPECT_TRUE(fmap_on_devices(&layout, 0, self->want, SIZE))
			TH_LOG("range %u", i);
	}
}

/* What is mapped shows it at once, without a new fault */
TEST_F(fallocate, zeroes_of_a_mapping)
{
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(self->want[PG + 1], p[PG + 1]);
	EXPECT_EQ(0, falloc(self->fd, FALLOC_FL_ZERO_RANGE, PG, PG + 3));
	memset(self->want + PG, 0, PG + 3);
	EXPECT_EQ(0, fmap_touch(p + PG, PG, 64, false).minor);
	EXPECT_EQ(0, memcmp(p, self->want, 2 * MB));
	munmap(p, SIZE);
}

TEST_F(fallocate, times_of_zeroes)
{
	struct stat before, after;

	ASSERT_EQ(0, fstat(self->fd, &before));
	usleep(20000);
	EXPECT_EQ(0, falloc(self->fd, FALLOC_FL_ZERO_RANGE, 0, 1));
	self->want[0] = 0;
	ASSERT_EQ(0, fstat(self->fd, &after));
	EXPECT_TRUE(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
		    after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
}

TEST_F(fallocate, refused_by_the_vfs)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);

	ASSERT_LE(0, fd);
	self->before = fmap_server_requests(self->s);
	EXPECT_EQ(-EBADF, falloc(fd, FALLOC_FL_ZERO_RANGE, 0, PG));
	EXPECT_EQ(-EINVAL, falloc(self->fd, FALLOC_FL_ZERO_RANGE, 0, 0));
	EXPECT_EQ(-EINVAL, falloc(self->fd, 0, -1, PG));
	EXPECT_EQ(-EOPNOTSUPP, falloc(self->fd, 1 << 20, 0, PG));
	close(fd);
	self->before += 1;	/* the FLUSH of the close */
}

/* posix_fallocate() is a program's way to be sure of space */
TEST_F(fallocate, by_the_library)
{
	EXPECT_EQ(0, posix_fallocate(self->fd, 0, SIZE));
	EXPECT_EQ(ENOSPC, posix_fallocate(self->fd, 0, SIZE + 1));
}

/* All of a file is data, whatever was zeroed */
TEST_F(fallocate, seek_for_data_and_holes)
{
	EXPECT_EQ(0, falloc(self->fd, FALLOC_FL_ZERO_RANGE, 0, MB));
	memset(self->want, 0, MB);
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(2 * MB + 1, lseek(self->fd, 2 * MB + 1, SEEK_DATA));
	EXPECT_EQ(SIZE - 1, lseek(self->fd, SIZE - 1, SEEK_DATA));
	EXPECT_EQ(SIZE, lseek(self->fd, 0, SEEK_HOLE));
	EXPECT_EQ(SIZE, lseek(self->fd, SIZE - 1, SEEK_HOLE));
	EXPECT_EQ(-1, lseek(self->fd, SIZE, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, SIZE, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, -1, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
}

TEST_F(fallocate, advice_is_accepted)
{
	static const int advice[] = {
		POSIX_FADV_NORMAL, POSIX_FADV_RANDOM, POSIX_FADV_SEQUENTIAL,
		POSIX_FADV_WILLNEED, POSIX_FADV_NOREUSE, POSIX_FADV_DONTNEED,
	};
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, false);
	for (i = 0; i < ARRAY_SIZE(advice); i++)
		EXPECT_EQ(0, posix_fadvise(self->fd, 0, 0, advice[i]));
	EXPECT_EQ(0, readahead(self->fd, 0, SIZE));
	EXPECT_EQ(0, fmap_touch(p, SIZE, PG, false).minor);
	munmap(p, SIZE);
}

/* To the size that it has */
TEST_F(fallocate, truncate_that_changes_nothing)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	EXPECT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(0, truncate(path, SIZE));
	EXPECT_EQ(0, self->s->file[0].setattr_valid & FATTR_SIZE);
	/* whatever else such a call changes may be sent */
	self->before = fmap_server_requests(self->s);
}

FMAP_TEST_MAIN
