// SPDX-License-Identifier: GPL-2.0
/*
 * What makes stores safe: which of them are written back from the CPU caches
 *
 * A tracepoint of fs/dax tells what is written back. A store through a mapping
 * is, once, where a device of the file has write_cache 1, and no call here
 * sends a request.
 */
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_test.h"
#include "fmap_trace.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(16 * PG)
#define SIZE		(TAIL + TAIL_LEN)

/* Two pages of 2 MiB on one device, some of 4 KiB on the other */
static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

/* How the tracepoint shows each of them */
#define FIRST		"pgoff 0x0 pglen 0x200"
#define SECOND		"pgoff 0x200 pglen 0x200"
#define IN_TAIL		"pgoff 0x405 pglen 0x1"

FIXTURE(persistence)
{
	struct fmap_server *s;
	struct fmap_trace t;
	unsigned int before;
	uint64_t was[2];	/* write_cache of the devices */
	int fd;
	char *p;	/* all of the file, shared; nothing of it touched */
};

static int set_write_cache(uint64_t dev0, uint64_t dev1)
{
	int ret = fmap_dax_set_attr(0, "write_cache", dev0 ? "1" : "0");

	return ret ?: fmap_dax_set_attr(1, "write_cache", dev1 ? "1" : "0");
}

FIXTURE_SETUP(persistence)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->was[0] = fmap_dax_attr(0, "write_cache");
	self->was[1] = fmap_dax_attr(1, "write_cache");
	ASSERT_EQ(0, set_write_cache(1, 1));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(1, pwrite(self->fd, "x", 1, 0));
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
	ASSERT_EQ(0, fmap_trace_start(&self->t, "fs_dax/dax_writeback_one"));
	self->before = fmap_server_requests(self->s);
}

FIXTURE_TEARDOWN(persistence)
{
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
	EXPECT_EQ(0, self->s->count[FUSE_FSYNC]);
	fmap_trace_stop(&self->t);
	EXPECT_EQ(0, set_write_cache(self->was[0], self->was[1]));
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

static void store_in_all(char *p)
{
	p[9] = 'a';
	p[HUGE_PG + 9] = 'b';
	p[TAIL + 5 * PG + 9] = 'c';
}

/* What was written back since the last time: @n entries, @what among them */
#define EXPECT_WRITTEN(n, ...)						\
	do {								\
		static const char * const what[] = { __VA_ARGS__ };	\
		unsigned int i;						\
									\
		EXPECT_EQ(n, fmap_trace_count(&self->t, "pgoff"));	\
		for (i = 0; i < ARRAY_SIZE(what); i++) {		\
			EXPECT_EQ(1, fmap_trace_count(&self->t, what[i])) \
				TH_LOG("%s", what[i]);			\
		}							\
		fmap_trace_clear(&self->t);				\
	} while (0)

#define EXPECT_NONE_WRITTEN()						\
	EXPECT_EQ(0, fmap_trace_count(&self->t, "pgoff"))

TEST_F(persistence, fsync_writes_stores_back_once)
{
	store_in_all(self->p);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_NONE_WRITTEN();

	/* Write-protected by that, so that the next store is seen */
	EXPECT_EQ(1, fmap_touch(self->p, HUGE_PG, PG, true).minor);
	EXPECT_EQ(0, fmap_touch(self->p, HUGE_PG, PG, true).minor);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(1, FIRST);
	EXPECT_EQ('b', self->p[HUGE_PG + 9]);
	EXPECT_TRUE(fmap_on_devices(&layout, TAIL + 5 * PG + 9, "c", 1));
}

TEST_F(persistence, fdatasync_is_fsync)
{
	store_in_all(self->p);
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_NONE_WRITTEN();
}

TEST_F(persistence, msync_keeps_to_its_range)
{
	store_in_all(self->p);
	EXPECT_EQ(0, msync(self->p + HUGE_PG + PG, PG, MS_SYNC));
	EXPECT_WRITTEN(1, SECOND);
	EXPECT_EQ(0, msync(self->p + TAIL, 5 * PG, MS_SYNC));
	EXPECT_NONE_WRITTEN();
	EXPECT_EQ(0, msync(self->p + TAIL, 6 * PG, MS_SYNC | MS_INVALIDATE));
	EXPECT_WRITTEN(1, IN_TAIL);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(1, FIRST);
}

/* Neither is to wait for anything */
TEST_F(persistence, msync_async_and_invalidate_do_nothing)
{
	store_in_all(self->p);
	EXPECT_EQ(0, msync(self->p, SIZE, MS_ASYNC));
	EXPECT_EQ(0, msync(self->p, SIZE, MS_INVALIDATE));
	EXPECT_NONE_WRITTEN();
	EXPECT_EQ('a', self->p[9]);
	EXPECT_EQ(0, fmap_touch(self->p, HUGE_PG, PG, true).minor);
}

/* What is written and safe is the range's, with it stores made before */
TEST_F(persistence, synchronous_writes)
{
	struct iovec iov = { "sync", 4 };
	int fd = fmap_open(self->s, "file", O_WRONLY | O_DSYNC);

	ASSERT_LE(0, fd);
	self->before = fmap_server_requests(self->s);
	EXPECT_EQ(4, pwrite(fd, "sync", 4, HUGE_PG));
	EXPECT_EQ(4, pwritev2(self->fd, &iov, 1, 0, RWF_SYNC));
	EXPECT_NONE_WRITTEN();

	store_in_all(self->p);
	EXPECT_EQ(4, pwrite(fd, "sync", 4, HUGE_PG + MB));
	EXPECT_WRITTEN(1, SECOND);
	EXPECT_EQ(4, pwritev2(self->fd, &iov, 1, TAIL + 5 * PG, RWF_DSYNC));
	EXPECT_WRITTEN(1, IN_TAIL);
	EXPECT_EQ(4, pwritev2(self->fd, &iov, 1, 0, RWF_DSYNC));
	EXPECT_WRITTEN(1, FIRST);
	close(fd);
	self->before += self->s->count[FUSE_FLUSH];
}

TEST_F(persistence, syncfs_and_sync_write_stores_back)
{
	store_in_all(self->p);
	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_NONE_WRITTEN();
	self->p[0] = 's';
	sync();
	EXPECT_WRITTEN(1, FIRST);
}

/* That call promises nothing about data in memory of the file's own */
TEST_F(persistence, sync_file_range_leaves_it_to_fsync)
{
	store_in_all(self->p);
	EXPECT_EQ(0, sync_file_range(self->fd, 0, SIZE,
				     SYNC_FILE_RANGE_WAIT_BEFORE |
				     SYNC_FILE_RANGE_WRITE |
				     SYNC_FILE_RANGE_WAIT_AFTER));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
}

TEST_F(persistence, loads_and_private_stores_are_not_written_back)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(1, fmap_touch(self->p, HUGE_PG, PG, false).minor);
	store_in_all(q);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_NONE_WRITTEN();
	EXPECT_EQ('b', q[HUGE_PG + 9]);
	munmap(q, SIZE);
}

/* The last mapping is gone, the store is still to be made safe */
TEST_F(persistence, fsync_after_munmap)
{
	store_in_all(self->p);
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
}

TEST_F(persistence, fsync_by_a_reader)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);

	ASSERT_LE(0, fd);
	self->before = fmap_server_requests(self->s);
	store_in_all(self->p);
	EXPECT_EQ(0, fsync(fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
	close(fd);
	self->before += self->s->count[FUSE_FLUSH];
}

TEST_F(persistence, store_of_another_process)
{
	int status;
	pid_t pid;

	madvise(self->p, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid) {
		store_in_all(self->p);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	self->before += self->s->count[FUSE_FLUSH];
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
}

/* Nothing to be gained: nothing done, and no store is the slower for it */
TEST_F(persistence, nothing_without_write_cache)
{
	ASSERT_EQ(0, set_write_cache(0, 0));
	store_in_all(self->p);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, msync(self->p, SIZE, MS_SYNC));
	EXPECT_EQ(0, syncfs(self->fd));
	sync();
	EXPECT_NONE_WRITTEN();
	EXPECT_EQ(0, fmap_touch(self->p, HUGE_PG, PG, true).minor);
	EXPECT_EQ(0, fmap_touch(self->p + TAIL + 5 * PG, PG, PG, true).minor);

	/* It takes effect at once, also for what was stored before */
	ASSERT_EQ(0, set_write_cache(1, 1));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_WRITTEN(3, FIRST, SECOND, IN_TAIL);
}

TEST_F(persistence, one_device_of_two_with_write_cache)
{
	ASSERT_EQ(0, set_write_cache(0, 1));
	store_in_all(self->p);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(1, fmap_trace_count(&self->t, IN_TAIL));
	fmap_trace_clear(&self->t);

	ASSERT_EQ(0, set_write_cache(1, 0));
	store_in_all(self->p);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(1, fmap_trace_count(&self->t, FIRST));
	EXPECT_EQ(1, fmap_trace_count(&self->t, SECOND));
}

FMAP_TEST_MAIN
