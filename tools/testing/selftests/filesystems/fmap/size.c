// SPDX-License-Identifier: GPL-2.0
/* The size of a mapped file is its map's: nothing else changes it */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fmap_test.h"

#define SIZE		(2 * MB + 2 * PG + 100)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(size)
{
	struct fmap_server *s;
	int fd;
};

FIXTURE_SETUP(size)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
}

/* Each test ends with a file that is what it was, but for bytes it wrote */
FIXTURE_TEARDOWN(size)
{
	struct stat st;
	char c;

	EXPECT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ(1, pread(self->fd, &c, 1, SIZE - 1));
	EXPECT_EQ(0, pread(self->fd, &c, 1, SIZE));
	EXPECT_EQ(1, pwrite(self->fd, &c, 1, SIZE - 1));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	close(self->fd);
	fmap_server_free(self->s);
}

static bool unchanged(struct fmap_server *s)
{
	return !fmap_check_file(s, "file", SIZE, 1);
}

TEST_F(size, write_ends_at_the_end)
{
	char buf[100] = "";

	EXPECT_EQ(60, pwrite(self->fd, buf, sizeof(buf), SIZE - 60));
	EXPECT_EQ(-1, pwrite(self->fd, buf, 1, SIZE));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, pwrite(self->fd, buf, 1, SIZE + MB));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, pwrite(self->fd, buf, 1, 1LL << 62));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, pread(self->fd, buf, 1, 1LL << 62));
	EXPECT_EQ(0, pwrite(self->fd, buf, 0, SIZE));
	EXPECT_TRUE(fmap_on_devices(&layout, SIZE - 60, buf, 60));
}

/* The extent has room behind the end of the file; it stays as it is */
TEST_F(size, write_does_not_reach_behind_the_end)
{
	struct fmap_place at = fmap_locate(&layout, SIZE);
	char buf[64] = "", behind[64], was[64];

	fmap_fill(was, sizeof(was), 5, 0);
	ASSERT_EQ(0, fmap_dax_write(at.dev, at.off, was, sizeof(was)));
	EXPECT_EQ(10, pwrite(self->fd, buf, sizeof(buf), SIZE - 10));
	ASSERT_EQ(0, fmap_dax_read(at.dev, at.off, behind, sizeof(behind)));
	EXPECT_EQ(0, memcmp(was, behind, sizeof(was)));
}

TEST_F(size, append_has_no_space)
{
	int fd = fmap_open(self->s, "file", O_WRONLY | O_APPEND);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "x", 1));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 0));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_TRUE(unchanged(self->s));
	close(fd);
}

TEST_F(size, ftruncate_is_refused)
{
	static const off_t sizes[] = { 0, 1, PG, SIZE - 1, SIZE + 1, 1 << 30 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(-1, ftruncate(self->fd, sizes[i]));
		EXPECT_EQ(EPERM, errno) TH_LOG("to %ld", sizes[i]);
	}
	EXPECT_TRUE(unchanged(self->s));
	EXPECT_EQ(SIZE, self->s->file[0].size);
}

TEST_F(size, truncate_is_refused)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	EXPECT_EQ(-1, truncate(path, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_TRUE(unchanged(self->s));
	EXPECT_EQ(SIZE, self->s->file[0].size);
}

TEST_F(size, truncating_open_is_refused)
{
	char *p = fmap_map(self->fd, SIZE, PROT_READ, MAP_SHARED);
	char was;

	ASSERT_NE(MAP_FAILED, p);
	was = p[0];
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_WRONLY | O_TRUNC |
					O_CREAT));
	EXPECT_EQ(was, p[0]);
	munmap(p, SIZE);
	EXPECT_TRUE(unchanged(self->s));
	EXPECT_EQ(SIZE, self->s->file[0].size);
}

/* The first open of all is one with O_TRUNC: the map is known in time */
TEST_F(size, first_open_with_truncation_is_refused)
{
	static const struct fmap_ext other_ext[] = {
		FMAP_SIMPLE(DEV1, MB, 2 * PG),
	};
	static const struct fmap_layout other =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG + 1, other_ext);

	fmap_server_mapped(self->s, "other", &other);
	ASSERT_EQ(0, fmap_fill_devices(&other, 3));
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "other", O_RDWR | O_TRUNC));
	EXPECT_EQ(0, fmap_check_file(self->s, "other", PG + 1, 3));
}

/* The server's idea of the size does not count: the map tells it */
TEST_F(size, attributes_do_not_change_it)
{
	static const off_t sizes[] = { 0, 1, SIZE - PG, SIZE + PG, 1 << 30 };
	struct statx stx;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		self->s->file[0].size = sizes[i];
		ASSERT_EQ(0, statx(self->fd, "", AT_EMPTY_PATH |
				   AT_STATX_FORCE_SYNC, STATX_ALL, &stx));
		EXPECT_EQ(SIZE, stx.stx_size);
		EXPECT_TRUE(unchanged(self->s));
	}
	EXPECT_LT(0, self->s->count[FUSE_GETATTR]);
}

/* Other attributes still go to the server */
TEST_F(size, mode_can_be_changed)
{
	struct stat st;

	EXPECT_EQ(0, fchmod(self->fd, 0600));
	EXPECT_EQ(0600, self->s->file[0].mode & 07777);
	EXPECT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_TRUE(unchanged(self->s));
}

TEST_F(size, resource_limit_holds)
{
	struct rlimit old, new = { .rlim_cur = PG };
	char buf[100] = "";

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	new.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &new));
	EXPECT_EQ(40, pwrite(self->fd, buf, sizeof(buf), PG - 40));
	EXPECT_EQ(-1, pwrite(self->fd, buf, 1, PG));
	EXPECT_EQ(EFBIG, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
}

FMAP_TEST_MAIN
