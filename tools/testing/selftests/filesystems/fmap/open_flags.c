// SPDX-License-Identifier: GPL-2.0
/* What the flags of an OPEN reply mean to a mapped file: almost all, nothing */
#include <string.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 5)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(open_flags)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
};

FIXTURE_VARIANT(open_flags)
{
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(open_flags, none) { .flags = 0 };
FIXTURE_VARIANT_ADD(open_flags, direct_io) { .flags = FOPEN_DIRECT_IO };
FIXTURE_VARIANT_ADD(open_flags, parallel_direct_writes) {
	.flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
};

FIXTURE_VARIANT_ADD(open_flags, nonseekable) { .flags = FOPEN_NONSEEKABLE };
FIXTURE_VARIANT_ADD(open_flags, stream) { .flags = FOPEN_STREAM };
FIXTURE_VARIANT_ADD(open_flags, noflush) { .flags = FOPEN_NOFLUSH };
FIXTURE_VARIANT_ADD(open_flags, keep_cache) { .flags = FOPEN_KEEP_CACHE };
FIXTURE_VARIANT_ADD(open_flags, unknown) { .flags = 0x7fff0000 };

FIXTURE_SETUP(open_flags)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->f->open_flags = variant->flags;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(open_flags)
{
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

/* A file of memory can be sought in, and its reads have a place */
TEST_F(open_flags, read_write_seek)
{
	char got[8], want[8];

	EXPECT_EQ(MB, lseek(self->fd, MB, SEEK_SET));
	EXPECT_EQ(8, read(self->fd, got, 8));
	fmap_fill(want, 8, 1, MB);
	EXPECT_EQ(0, memcmp(got, want, 8));
	EXPECT_EQ(MB + 8, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(SIZE, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(5, pwrite(self->fd, "12345", 5, 4097));
	EXPECT_TRUE(fmap_on_devices(&layout, 4097, "12345", 5));
}

TEST_F(open_flags, shared_and_private_mappings)
{
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	char *q = fmap_map(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(1, fmap_touch(p, 2 * MB, PG, true).minor);
	q[MB] = 77;
	EXPECT_EQ(1, p[MB]);
	p[MB + PG] = 78;
	EXPECT_EQ(78, q[MB + PG]);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, p, SIZE));
	munmap(p, SIZE);
	munmap(q, SIZE);
}

/* Another open of it may have other flags */
TEST_F(open_flags, beside_an_open_without_them)
{
	char *p = fmap_map(self->fd, SIZE, RW, MAP_SHARED);
	int fd;

	ASSERT_NE(MAP_FAILED, p);
	self->f->open_flags = 0;
	fd = fmap_open(self->s, "file", O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, pwrite(fd, "abc", 3, 1));
	EXPECT_EQ(0, memcmp(p + 1, "abc", 3));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/* The one that means something: a close sends no FLUSH */
TEST_F(open_flags, flush_at_close)
{
	bool noflush = variant->flags & FOPEN_NOFLUSH;
	unsigned int before = self->s->count[FUSE_FLUSH];

	if (variant->flags == 0x7fff0000)
		return;		/* may come to mean anything */
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(before + !noflush, self->s->count[FUSE_FLUSH]);
}

FIXTURE(no_open)
{
	struct fmap_server *s;
};

/* A server that does not implement OPEN: the kernel stops to ask it */
FIXTURE_SETUP(no_open)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	fmap_server_file(self->s, "plain", 3 * PG);
	self->s->hook[FUSE_OPEN].error = ENOSYS;
	if (!(self->s->offered & FUSE_NO_OPEN_SUPPORT))
		SKIP(return, "the kernel wants OPEN");
}

FIXTURE_TEARDOWN(no_open)
{
	EXPECT_GE(1, self->s->count[FUSE_OPEN]);
	EXPECT_EQ(0, self->s->count[FUSE_RELEASE]);
	fmap_server_free(self->s);
}

TEST_F(no_open, files_are_mapped)
{
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
}

TEST_F(no_open, files_without_map_are_ordinary)
{
	unsigned char buf[16];
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = fmap_open(self->s, "plain", O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_EQ(16, pread(fd, buf, 16, 5));
		EXPECT_EQ(5, buf[0]);
		close(fd);
	}
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_LE(1, self->s->count[FUSE_READ]);
}

TEST_F(no_open, errors_of_the_map_fail_the_open)
{
	self->s->file[0].fmap_error = EIO;
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "file", O_RDWR));
	self->s->file[0].fmap_error = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

FMAP_TEST_MAIN
