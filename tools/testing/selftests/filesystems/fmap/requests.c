// SPDX-License-Identifier: GPL-2.0
/* No use of an open file sends a request: its server may as well be asleep */
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB + 100)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 2 * MB + PG, 2 * MB + PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(requests)
{
	struct fmap_server *s;
	unsigned int before;
	int fd;
	char buf[64 * 1024];
};

/* What the server says of capabilities, which a first write asks for */
FIXTURE_VARIANT(requests)
{
	int xattr_error;
};

FIXTURE_VARIANT_ADD(requests, knows_no_xattrs) { .xattr_error = ENOSYS };
FIXTURE_VARIANT_ADD(requests, has_no_xattr) { .xattr_error = ENODATA };

FIXTURE_SETUP(requests)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->s->hook[FUSE_GETXATTR].error = variant->xattr_error;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);

	ASSERT_EQ(1, pwrite(self->fd, "x", 1, 0));
	ASSERT_GE(1, self->s->count[FUSE_GETXATTR]);
	self->before = fmap_server_requests(self->s);
	ASSERT_LT(3, self->before);
}

FIXTURE_TEARDOWN(requests)
{
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
	close(self->fd);
	fmap_server_free(self->s);
}

TEST_F(requests, none_for_read_and_write)
{
	uint64_t off;

	for (off = 0; off < SIZE; off += 300 * KB) {
		EXPECT_LT(0, pread(self->fd, self->buf, 5000, off));
		EXPECT_LT(0, pwrite(self->fd, self->buf, 5000, off));
	}
	EXPECT_EQ(0, pread(self->fd, self->buf, 1, SIZE));
	EXPECT_EQ(-1, pwrite(self->fd, self->buf, 1, SIZE));
}

TEST_F(requests, none_for_faults)
{
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	char *q = fmap_map(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_LT(0, fmap_touch(p, SIZE, PG, false).minor);
	EXPECT_LT(0, fmap_touch(p, SIZE, PG, true).minor);
	EXPECT_LT(0, fmap_touch(q, SIZE, 16 * PG, true).minor);
	EXPECT_EQ(0, msync(p, SIZE, MS_SYNC));
	munmap(p, SIZE);
	munmap(q, SIZE);
}

TEST_F(requests, none_for_sync)
{
	EXPECT_EQ(5, pwrite(self->fd, self->buf, 5, 0));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_EQ(5, pwritev2(self->fd, &(struct iovec) { self->buf, 5 }, 1, 0,
			      RWF_SYNC));
}

TEST_F(requests, none_for_seek_and_splice)
{
	int fd[2];

	EXPECT_EQ(SIZE, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	ASSERT_EQ(0, pipe(fd));
	EXPECT_EQ(1000, splice(self->fd, NULL, fd[1], NULL, 1000, 0));
	EXPECT_EQ(1000, splice(fd[0], NULL, self->fd, NULL, 1000, 0));
	EXPECT_EQ(1000, sendfile(fd[1], self->fd, NULL, 1000));
	close(fd[0]);
	close(fd[1]);
}

/* Not even one that would not be answered */
TEST_F(requests, none_while_the_server_sleeps)
{
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	int op;

	ASSERT_NE(MAP_FAILED, p);
	for (op = 0; op < FMAP_OPS; op++)
		self->s->hook[op].hold = 1;
	EXPECT_EQ(10, pwrite(self->fd, "0123456789", 10, MB));
	EXPECT_EQ('5', p[MB + 5]);
	EXPECT_LT(0, fmap_touch(p, SIZE, PG, true).minor);
	EXPECT_EQ(1, pread(self->fd, self->buf, 1, 2 * MB));
	munmap(p, SIZE);
	for (op = 0; op < FMAP_OPS; op++)
		self->s->hook[op].hold = 0;
}

/* fork and exit send FLUSH, which is close's; mapping and use send nothing */
TEST_F(requests, none_for_a_child_that_uses_the_mapping)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED, self->fd, 0);
	atomic_uint *flush = &self->s->count[FUSE_FLUSH];
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	pid = fork();
	if (!pid) {
		fmap_touch(p, SIZE, PG, true);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	self->before += *flush;
	munmap(p, SIZE);
}

FMAP_TEST_MAIN
