// SPDX-License-Identifier: GPL-2.0
/* Files that are opened by handle, as an NFS server does, have their maps */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 7)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(handles)
{
	struct fmap_server *s;
	int dir;
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	};
};

FIXTURE_VARIANT(handles)
{
	uint64_t flags;
};

FIXTURE_VARIANT_ADD(handles, exported) { .flags = FUSE_EXPORT_SUPPORT };
FIXTURE_VARIANT_ADD(handles, not_exported) { .flags = 0 };

FIXTURE_SETUP(handles)
{
	struct fmap_config cfg = { .init_flags = variant->flags };
	char path[128];
	int mnt;

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->dir = open(self->s->dir, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->dir);

	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	self->h.handle_bytes = MAX_HANDLE_SZ;
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, path, &self->h, &mnt, 0));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
}

FIXTURE_TEARDOWN(handles)
{
	close(self->dir);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

/* Let the kernel forget what nobody uses: false if the file is not forgotten */
static bool forget_unused(struct fmap_server *s)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	int i;

	for (i = 0; i < 100; i++) {
		if (write(fd, "2", 1) != 1)
			break;
		usleep(50000);
		if (s->count[FUSE_FORGET] + s->count[FUSE_BATCH_FORGET])
			break;
	}
	close(fd);

	return s->count[FUSE_FORGET] + s->count[FUSE_BATCH_FORGET];
}

TEST_F(handles, first_open_fetches_the_map)
{
	int fd = open_by_handle_at(self->dir, &self->h, O_RDWR);
	char *p;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(1, fmap_touch(p, 2 * MB, PG, true).minor);
	EXPECT_EQ(3, pwrite(fd, "abc", 3, SIZE - 3));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, p, SIZE));
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	munmap(p, SIZE);
	close(fd);
}

TEST_F(handles, and_a_name_mean_one_file)
{
	int fd = open_by_handle_at(self->dir, &self->h, O_RDWR);
	int named = fmap_open(self->s, "file", O_RDONLY);
	struct stat a, b;
	char c;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, named);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	ASSERT_EQ(0, fstat(fd, &a));
	ASSERT_EQ(0, fstat(named, &b));
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(1, pwrite(fd, "h", 1, MB));
	EXPECT_EQ(1, pread(named, &c, 1, MB));
	EXPECT_EQ('h', c);
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
	close(named);
	close(fd);
}

/* The kernel has forgotten the file: the server can be asked, or cannot */
TEST_F(handles, after_the_inode_was_dropped)
{
	unsigned int before = self->s->count[FUSE_LOOKUP];
	int fd;

	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	ASSERT_TRUE(forget_unused(self->s));
	fd = open_by_handle_at(self->dir, &self->h, O_RDWR);
	if (!variant->flags) {
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(ESTALE, errno);
		return;
	}
	ASSERT_LE(0, fd);
	EXPECT_LT(before, self->s->count[FUSE_LOOKUP]);
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	close(fd);
}

TEST_F(handles, of_a_file_that_is_gone)
{
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	self->s->file[0].linked = false;
	EXPECT_EQ(-1, open_by_handle_at(self->dir, &self->h, O_RDWR));
	EXPECT_EQ(ESTALE, errno);
}

TEST_F(handles, errors_of_the_map_fail_the_open)
{
	self->s->file[0].fmap_error = EIO;
	EXPECT_EQ(-1, open_by_handle_at(self->dir, &self->h, O_RDWR));
	EXPECT_EQ(EIO, errno);
	self->s->file[0].fmap_error = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

FMAP_TEST_MAIN
