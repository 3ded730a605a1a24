// SPDX-License-Identifier: GPL-2.0
/* What an access does, and what it does not, when it meets a missing page */
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "fmap_check.h"
#include "fmap_counter.h"
#include "fmap_pages.h"
#include "fmap_paging.h"
#include "fmap_ring.h"
#include "fmap_test.h"
#include "fmap_ways.h"

#define RW		(PROT_READ | PROT_WRITE)
#define EXTENTS		8
#define SIZE		(EXTENTS * 2 * MB)

/* Each can be one page of 2 MiB */
static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (EXTENTS - i) * 2 * MB, 2 * MB);
}

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, 2 * MB, make_ext);

/* Extents do not end where pages of 2 MiB do */
static const struct fmap_ext odd_ext[] = {
	FMAP_SIMPLE(DEV0, 20 * MB, 2 * MB + PG),
	FMAP_SIMPLE(DEV1, 20 * MB + PG, 4 * MB - PG),
};

static const struct fmap_layout odd = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  6 * MB, odd_ext);

FIXTURE(paging_access)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	struct fmap_hook *hook;
	int fd;
	char *map;
};

FIXTURE_VARIANT(paging_access)
{
	unsigned int threads;
};

FIXTURE_VARIANT_ADD(paging_access, threads) { .threads = 4 };
FIXTURE_VARIANT_ADD(paging_access, one_thread) { .threads = 1 };

FIXTURE_SETUP(paging_access)
{
	struct fmap_config cfg = { .threads = variant->threads };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_server(&cfg);
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &layout);
	self->p->max_exts = 1;
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->hook = &self->s->hook[FUSE_GET_FMAP];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	/* So that a first write has nothing else to ask */
	ASSERT_EQ(0, fmap_by_write(self->fd, 0));
	self->map = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(paging_access)
{
	self->hook->hold = 0;
	munmap(self->map, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Bytes, or -errno */
static ssize_t rw_now(int fd, char *buf, size_t len, off_t off, bool write)
{
	struct iovec iov = { buf, len };
	ssize_t ret;

	ret = write ? pwritev2(fd, &iov, 1, off, RWF_NOWAIT) :
		      preadv2(fd, &iov, 1, off, RWF_NOWAIT);

	return ret < 0 ? -errno : ret;
}

/* It would not end if it did wait */
TEST_F(paging_access, may_not_wait)
{
	char buf[200];

	self->hook->hold = 1;
	fmap_fill(buf, sizeof(buf), 1, 4 * MB);
	EXPECT_EQ(-EAGAIN, rw_now(self->fd, buf, sizeof(buf), 4 * MB, true));
	EXPECT_EQ(-EAGAIN, rw_now(self->fd, buf, sizeof(buf), 4 * MB, false));
	/* As far as the map is there */
	EXPECT_EQ(100, rw_now(self->fd, buf, sizeof(buf), 2 * MB - 100,
			      false));
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * MB - 100, buf, 100));
	EXPECT_EQ(100, rw_now(self->fd, buf, sizeof(buf), 2 * MB - 100, true));

	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_by_read(self->fd, 4 * MB));
	EXPECT_EQ(sizeof(buf), rw_now(self->fd, buf, sizeof(buf), 4 * MB,
				      false));
	EXPECT_TRUE(fmap_on_devices(&layout, 4 * MB, buf, sizeof(buf)));
	EXPECT_EQ(sizeof(buf), rw_now(self->fd, buf, sizeof(buf), 4 * MB,
				      true));
	EXPECT_EQ(2, self->p->nr_asked);
}

TEST_F(paging_access, by_io_uring)
{
	struct fmap_ring *r = fmap_ring_new();
	char buf[200];

	ASSERT_NE(NULL, r);
	EXPECT_EQ(sizeof(buf), fmap_ring_rw(r, IORING_OP_READ, self->fd, buf,
					    sizeof(buf), 4 * MB - 100, 0));
	EXPECT_TRUE(fmap_on_devices(&layout, 4 * MB - 100, buf, sizeof(buf)));
	fmap_fill(buf, sizeof(buf), 2, 0);
	EXPECT_EQ(sizeof(buf), fmap_ring_rw(r, IORING_OP_WRITE, self->fd, buf,
					    sizeof(buf), 8 * MB - 100, 0));
	EXPECT_TRUE(fmap_on_devices(&layout, 8 * MB - 100, buf, sizeof(buf)));
	fmap_ring_free(r);
}

/* As if the page had been there before */
TEST_F(paging_access, faults_are_of_2_mib)
{
	unsigned int i;

	for (i = EXTENTS; i--;) {
		char *p = self->map + i * 2 * MB;

		EXPECT_FALSE(fmap_sigbus(p + MB + 77, i % 2));
		EXPECT_TRUE(fmap_all_huge(p, 2 * MB)) TH_LOG("page %u", i);
	}
	EXPECT_EQ(EXTENTS, fmap_counter(self->s, "faults_2m"));
	EXPECT_EQ(0, fmap_counter(self->s, "faults_4k"));
	EXPECT_EQ(0, fmap_counter(self->s, "fallbacks"));
	EXPECT_EQ(0, fmap_counter(self->s, "faults_failed"));
	EXPECT_EQ(EXTENTS, self->p->nr_asked);
}

/* Nor does it matter where the pages of the map end */
TEST_F(paging_access, faults_are_of_2_mib_from_two_pages)
{
	unsigned int i;

	self->p->max_bytes = MB;
	for (i = 2; i < EXTENTS; i++) {
		char *p = self->map + i * 2 * MB;

		EXPECT_FALSE(fmap_sigbus(p + MB + 77, i % 2));
		EXPECT_TRUE(fmap_all_huge(p, 2 * MB)) TH_LOG("page %u", i);
	}
	EXPECT_EQ(0, fmap_counter(self->s, "faults_4k"));
	EXPECT_EQ(0, fmap_counter(self->s, "fallbacks"));
	EXPECT_LE(2 * (EXTENTS - 2), self->p->nr_asked);
}

/* The kernel asks for what it believes to be the end of the file */
TEST_F(paging_access, shrinks_when_it_is_taken_back)
{
	struct stat st;
	unsigned int i;

	for (i = 0; i < EXTENTS; i++)
		EXPECT_EQ(0, fmap_by_read(self->fd, i * 2 * MB));
	self->s->file[0].size = 4 * MB;
	self->p->l.size = 4 * MB;
	self->p->l.nextents = 2;
	self->p->bytes = 4 * MB;
	EXPECT_EQ(0, fmap_inval(self->s, self->s->file[0].nodeid, 4 * MB, 0));
	EXPECT_EQ(0, fmap_by_read(self->fd, 2 * MB));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(4 * MB, st.st_size);
	EXPECT_EQ(4 * MB / 512, st.st_blocks);
	EXPECT_TRUE(fmap_sigbus(self->map + 4 * MB, false));
	EXPECT_FALSE(fmap_sigbus(self->map + 4 * MB - 1, false));
}

/* A read or write between must not have it end in small pages either */
TEST_F(paging_access, faults_after_reads_are_of_2_mib)
{
	unsigned int i;

	for (i = 0; i < EXTENTS; i++)
		EXPECT_EQ(0, fmap_by_read(self->fd, i * 2 * MB + MB));
	for (i = 0; i < EXTENTS; i++)
		EXPECT_FALSE(fmap_sigbus(self->map + i * 2 * MB, true));
	EXPECT_TRUE(fmap_all_huge(self->map, SIZE));
	EXPECT_EQ(EXTENTS, self->p->nr_asked);
}

/* Where it cannot be one page, each of its bytes is still right */
TEST_F(paging_access, faults_where_a_page_ends_inside)
{
	struct fmap_paging *p;
	char *map;
	int fd;

	ASSERT_EQ(0, fmap_fill_devices(&odd, 3));
	p = fmap_server_paged(self->s, "odd", &odd);
	p->max_exts = 1;
	fd = fmap_open(self->s, "odd", O_RDWR);
	map = fmap_map_aligned(fd, odd.size, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(fmap_sigbus(map + 4 * MB, false));
	EXPECT_FALSE(fmap_sigbus(map + 4 * MB - 1, false));
	EXPECT_FALSE(fmap_sigbus(map, false));
	EXPECT_TRUE(fmap_on_devices(&odd, 0, map, odd.size));
	EXPECT_TRUE(fmap_all_huge(map, 2 * MB));
	EXPECT_TRUE(fmap_none_huge(map + 2 * MB, 2 * MB));
	EXPECT_TRUE(fmap_all_huge(map + 4 * MB, 2 * MB));
	munmap(map, odd.size);
	close(fd);
}

struct toucher {
	fmap_way way;
	int fd;
	uint64_t off;
};

static void *touch_each_extent(void *arg)
{
	struct toucher *t = arg;
	long failed = 0;
	unsigned int i;

	for (i = 0; i < EXTENTS; i++)
		failed += !!t->way(t->fd, (t->off + i * 6 * MB) % SIZE);

	return (void *)failed;
}

/* All ways at once, each beginning elsewhere */
TEST_F(paging_access, by_all_ways_at_once)
{
	struct toucher t[] = {
		{ fmap_by_read, self->fd, 5 }, { fmap_by_load, self->fd, 4 * MB },
		{ fmap_by_store, self->fd, 9 * MB + 1 },
		{ fmap_by_write, self->fd, 12 * MB },
		{ fmap_by_read, self->fd, 13 * MB },
		{ fmap_by_kernel, self->fd, 3 * MB },
	};
	pthread_t thread[ARRAY_SIZE(t)];
	unsigned int i;
	void *failed;

	/* SIGBUS is not expected: its handler is for one at a time */
	self->hook->delay_ms = 20;
	for (i = 0; i < ARRAY_SIZE(t); i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL,
					    touch_each_extent, &t[i]));
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &failed));
		EXPECT_EQ(NULL, failed) TH_LOG("thread %u", i);
	}
	EXPECT_EQ(EXTENTS, self->p->nr_asked);
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
}

static void *load_missing(void *p)
{
	return (void *)(long)__atomic_load_n((char *)p, __ATOMIC_SEQ_CST);
}

/* Who waits in a fault does not keep the threads beside it from mapping */
TEST_F(paging_access, fault_leaves_the_address_space_alone)
{
	pthread_t thread;
	char *p;

	self->hook->hold = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, load_missing,
				    self->map + 6 * MB));
	ASSERT_TRUE(fmap_wait_nonzero(&self->hook->held));
	p = mmap(NULL, PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	p[0] = 1;
	EXPECT_EQ(0, munmap(p, PG));
	EXPECT_EQ(0, mprotect(self->map, PG, PROT_READ));
	self->hook->hold = 0;
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(2, self->p->nr_asked);
}

static int read_missing(void *fd)
{
	return fmap_by_read(*(int *)fd, 4 * MB);
}

/* Close the file, with a request out that nobody waits for any more */
static bool leave_a_request(FIXTURE_DATA(paging_access) * self)
{
	pid_t pid;

	self->hook->hold = 1;
	pid = fmap_start(read_missing, &self->fd);
	if (!fmap_wait_nonzero(&self->hook->held))
		return false;
	kill(pid, SIGKILL);
	if (fmap_exit_soon(pid) != FMAP_KILLED + SIGKILL)
		return false;
	munmap(self->map, SIZE);
	self->map = MAP_FAILED;
	close(self->fd);
	self->fd = -1;

	return true;
}

/* It does not keep the mount */
TEST_F(paging_access, unmount_while_a_request_is_out)
{
	if (variant->threads == 1)
		return;		/* nobody is left to be told of the close */
	ASSERT_TRUE(leave_a_request(self));
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_EQ(1, self->hook->hold);
}

/* Nor the inode: its bytes are another file's then */
TEST_F(paging_access, file_goes_while_a_request_is_out)
{
	if (variant->threads == 1)
		return;
	ASSERT_TRUE(leave_a_request(self));
	EXPECT_TRUE(fmap_forget(self->s, &self->s->file[0]));

	fmap_server_mapped(self->s, "other", &layout);
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "other", O_RDWR));
	EXPECT_EQ(0, fmap_check_file(self->s, "other", SIZE, 1));
}

FMAP_TEST_MAIN
