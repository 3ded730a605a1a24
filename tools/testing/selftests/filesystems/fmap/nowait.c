// SPDX-License-Identifier: GPL-2.0
/*
 * I/O that may not wait: RWF_NOWAIT, io_uring and AIO
 *
 * It is done where nothing has to be waited for, and says EAGAIN elsewhere:
 * at once, so that each test would end by its time-out if it did wait.
 */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "fmap_ring.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 16 * PG)
#define LEN		(32 * KB)

/* Older headers do not have them */
#ifndef RWF_ATOMIC
#define RWF_ATOMIC	0x00000040
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE	0x00000080
#endif

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, 16 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(nowait)
{
	struct fmap_server *s;
	int fd;
	char *seen;	/* the bytes that the file begins with */
	char *buf;	/* there */
	char *fresh;	/* not there: a fault would bring it */
};

FIXTURE_SETUP(nowait)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->seen = malloc(SIZE);
	ASSERT_NE(NULL, self->seen);
	fmap_fill(self->seen, SIZE, 1, 0);
	self->buf = mmap(NULL, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS |
			 MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->buf);
	self->fresh = mmap(NULL, LEN, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->fresh);
	madvise(self->fresh, LEN, MADV_NOHUGEPAGE);
}

FIXTURE_TEARDOWN(nowait)
{
	free(self->seen);
	munmap(self->buf, LEN);
	munmap(self->fresh, LEN);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Bytes, or -errno */
static ssize_t read_now(int fd, void *buf, size_t len, off_t off)
{
	struct iovec iov = { buf, len };
	ssize_t ret = preadv2(fd, &iov, 1, off, RWF_NOWAIT);

	return ret < 0 ? -errno : ret;
}

static ssize_t write_now(int fd, const void *buf, size_t len, off_t off)
{
	struct iovec iov = { (void *)buf, len };
	ssize_t ret = pwritev2(fd, &iov, 1, off, RWF_NOWAIT);

	return ret < 0 ? -errno : ret;
}

TEST_F(nowait, read_into_pages_that_are_there)
{
	EXPECT_EQ(LEN, read_now(self->fd, self->buf, LEN, 2 * MB - 5));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + 2 * MB - 5, LEN));
	EXPECT_EQ(100, read_now(self->fd, self->buf, LEN, SIZE - 100));
	EXPECT_EQ(0, read_now(self->fd, self->buf, LEN, SIZE));
}

/* Whether there are capabilities to be removed only the server knows */
TEST_F(nowait, write_once_the_privileges_are_known)
{
	memset(self->buf, 'n', LEN);
	self->s->hook[FUSE_GETXATTR].error = ENODATA;
	EXPECT_EQ(-EAGAIN, write_now(self->fd, self->buf, LEN, 5));
	EXPECT_EQ(0, self->s->count[FUSE_GETXATTR]);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->seen, SIZE));

	EXPECT_EQ(1, pwrite(self->fd, self->seen, 1, 0));
	EXPECT_EQ(LEN, write_now(self->fd, self->buf, LEN, 2 * MB - 5));
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * MB - 5, self->buf, LEN));
	EXPECT_EQ(10, write_now(self->fd, self->buf, LEN, SIZE - 10));
	EXPECT_EQ(-ENOSPC, write_now(self->fd, self->buf, LEN, SIZE));
}

TEST_F(nowait, set_uid_bit_is_not_removed_without_waiting)
{
	struct stat st;

	ASSERT_EQ(1, pwrite(self->fd, self->seen, 1, 0));
	ASSERT_EQ(0, fchmod(self->fd, 04755));
	ASSERT_EQ(0, setresuid(65534, 65534, 0));
	EXPECT_EQ(-EAGAIN, write_now(self->fd, "x", 1, 0));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(04755, st.st_mode & 07777);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->seen, SIZE));
}

/* Page faults may take long: as much as needs none is done */
TEST_F(nowait, buffer_that_is_not_there)
{
	ssize_t ret = read_now(self->fd, self->fresh, LEN, 0);

	EXPECT_EQ(-EAGAIN, ret);
	ret = write_now(self->fd, self->fresh, LEN, 0);
	EXPECT_EQ(-EAGAIN, ret);

	self->fresh[0] = 'x';
	EXPECT_EQ(PG, read_now(self->fd, self->fresh, LEN, 3 * PG));
	EXPECT_EQ(0, memcmp(self->fresh, self->seen + 3 * PG, PG));
	EXPECT_EQ(LEN, pread(self->fd, self->fresh, LEN, 3 * PG));
	EXPECT_EQ(LEN, read_now(self->fd, self->fresh, LEN, 5 * PG));
	EXPECT_EQ(0, memcmp(self->fresh, self->seen + 5 * PG, LEN));
}

static void *chmod_file(void *fd)
{
	fchmod(*(int *)fd, 0600);
	return NULL;
}

/* The server takes its time over a chmod, which holds i_rwsem meanwhile */
TEST_F(nowait, file_that_is_locked)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_SETATTR];
	pthread_t thread;

	ASSERT_EQ(1, pwrite(self->fd, self->seen, 1, 0));
	hook->hold = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, chmod_file, &self->fd));
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	EXPECT_EQ(-EAGAIN, read_now(self->fd, self->buf, LEN, 0));
	EXPECT_EQ(-EAGAIN, write_now(self->fd, self->buf, LEN, 0));
	hook->hold = 0;
	pthread_join(thread, NULL);
	EXPECT_EQ(LEN, read_now(self->fd, self->buf, LEN, 0));

	/* Attributes have come, so that privileges have to be asked for anew */
	EXPECT_EQ(-EAGAIN, write_now(self->fd, self->buf, LEN, 0));
	ASSERT_EQ(1, pwrite(self->fd, self->seen, 1, 0));
	EXPECT_EQ(LEN, write_now(self->fd, self->buf, LEN, 0));
}

/* What there is no copy of cannot be kept out of the cache, nor torn apart */
TEST_F(nowait, flags_that_are_not_supported)
{
	static const int flags[] = { RWF_DONTCACHE, RWF_ATOMIC };
	struct iovec iov = { self->buf, PG };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-1, pwritev2(self->fd, &iov, 1, 0, flags[i]));
		EXPECT_EQ(EOPNOTSUPP, errno) TH_LOG("flag %x", flags[i]);
	}
	EXPECT_EQ(-1, preadv2(self->fd, &iov, 1, 0, RWF_DONTCACHE));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->seen, SIZE));
}

TEST_F(nowait, flags_without_effect)
{
	struct iovec iov = { self->buf, PG };

	EXPECT_EQ(PG, preadv2(self->fd, &iov, 1, PG, RWF_HIPRI));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + PG, PG));
	EXPECT_EQ(PG, pwritev2(self->fd, &iov, 1, 0, RWF_HIPRI));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->buf, PG));
}

/* io_uring tries without waiting, and goes on in a thread of its own if not */
TEST_F(nowait, io_uring)
{
	struct fmap_ring *r = fmap_ring_new();

	ASSERT_NE(NULL, r);
	EXPECT_EQ(LEN, fmap_ring_rw(r, IORING_OP_READ, self->fd, self->buf,
				    LEN, PG, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + PG, LEN));
	EXPECT_EQ(LEN, fmap_ring_rw(r, IORING_OP_READ, self->fd, self->fresh,
				    LEN, 2 * MB - PG, 0));
	EXPECT_EQ(0, memcmp(self->fresh, self->seen + 2 * MB - PG, LEN));

	/* The first write has to ask the server */
	memset(self->buf, 'u', LEN);
	EXPECT_EQ(LEN, fmap_ring_rw(r, IORING_OP_WRITE, self->fd, self->buf,
				    LEN, 2 * MB - PG, 0));
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * MB - PG, self->buf, LEN));
	EXPECT_EQ(7, fmap_ring_rw(r, IORING_OP_WRITE, self->fd, self->buf,
				  LEN, SIZE - 7, 0));
	EXPECT_EQ(-ENOSPC, fmap_ring_rw(r, IORING_OP_WRITE, self->fd,
					self->buf, LEN, SIZE, 0));
	EXPECT_EQ(0, fmap_ring_rw(r, IORING_OP_READ, self->fd, self->buf, LEN,
				  SIZE, 0));
	EXPECT_EQ(-EOPNOTSUPP, fmap_ring_rw(r, IORING_OP_WRITE, self->fd,
					    self->buf, LEN, 0, RWF_ATOMIC));
	fmap_ring_free(r);
}

/* A buffer that is a mapping of the file that is read or written */
TEST_F(nowait, io_uring_from_the_file_to_itself)
{
	struct fmap_ring *r = fmap_ring_new();
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(NULL, r);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(LEN, fmap_ring_rw(r, IORING_OP_WRITE, self->fd, p, LEN, MB,
				    0));
	EXPECT_TRUE(fmap_on_devices(&layout, MB, self->seen, LEN));
	EXPECT_EQ(LEN, fmap_ring_rw(r, IORING_OP_READ, self->fd, p + 2 * MB,
				    LEN, MB, 0));
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * MB, self->seen, LEN));
	munmap(p, SIZE);
	fmap_ring_free(r);
}

static long aio_rw(aio_context_t ctx, int op, int fd, void *buf, size_t len,
		   int64_t off)
{
	struct iocb cb = {
		.aio_lio_opcode = op,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = off,
	}, *cbs = &cb;
	struct io_event event;

	if (syscall(SYS_io_submit, ctx, 1, &cbs) != 1)
		return -errno;
	if (syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1)
		return -errno;

	return event.res;
}

TEST_F(nowait, aio)
{
	aio_context_t ctx = 0;

	ASSERT_EQ(0, syscall(SYS_io_setup, 4, &ctx));
	EXPECT_EQ(LEN, aio_rw(ctx, IOCB_CMD_PREAD, self->fd, self->fresh, LEN,
			      2 * MB - PG));
	EXPECT_EQ(0, memcmp(self->fresh, self->seen + 2 * MB - PG, LEN));
	memset(self->buf, 'a', LEN);
	EXPECT_EQ(LEN, aio_rw(ctx, IOCB_CMD_PWRITE, self->fd, self->buf, LEN,
			      5));
	EXPECT_TRUE(fmap_on_devices(&layout, 5, self->buf, LEN));
	EXPECT_EQ(3, aio_rw(ctx, IOCB_CMD_PWRITE, self->fd, self->buf, LEN,
			    SIZE - 3));
	EXPECT_EQ(-ENOSPC, aio_rw(ctx, IOCB_CMD_PWRITE, self->fd, self->buf,
				  LEN, SIZE));
	EXPECT_EQ(0, syscall(SYS_io_destroy, ctx));
}

FMAP_TEST_MAIN
