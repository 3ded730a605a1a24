// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a page that has gone bad, after hwpoison.c's part, the signal
 *
 * It is kept from every access, and everything beside it goes on. A write of the
 * whole page makes it good where the platform can clear poison (among the
 * machine's devices memory that the command line calls persistent, --memmap), and
 * fails with EIO elsewhere.
 *
 * Each test gives the device back to its driver, which begins with fresh pages.
 */
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)
#define NTH		7		/* page of the file that goes bad */
#define BAD		(NTH * PG)
#define SEED		1

FIXTURE(poison)
{
	struct fmap_server *s;
	struct fmap_ext ext;
	struct fmap_layout layout;
	uint64_t at;	/* where the file lies in the device */
	int fd;
	int node;
	char *p;	/* all of the file, shared */
	char *seen;	/* the bytes that the file begins with */
	char *buf;
	bool repairs;
};

/* Whether the page is mapped by one of 2 MiB */
FIXTURE_VARIANT(poison)
{
	int advice;
};

FIXTURE_VARIANT_ADD(poison, small)
{
	.advice = MADV_NOHUGEPAGE,
};

FIXTURE_VARIANT_ADD(poison, huge)
{
	.advice = MADV_HUGEPAGE,
};

/* The signal goes to a child; whoever else has it mapped is not told yet */
static int go_bad(char *p)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(madvise(p, PG, MADV_HWPOISON) ? errno : 0);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (WIFEXITED(status))
		return -WEXITSTATUS(status);

	return WTERMSIG(status);
}

FIXTURE_SETUP(poison)
{
	uint64_t end = fmap_dax_size(0) & ~(HUGE_PG - 1);

	ASSERT_EQ(0, fmap_test_begin());
	self->at = end - SIZE;
	self->ext = (struct fmap_ext)FMAP_SIMPLE(DEV0, self->at, SIZE);
	self->layout = (struct fmap_layout) {
		.type = FUSE_FAMFS_EXT_SIMPLE,
		.size = SIZE,
		.nextents = 1,
		.ext = &self->ext,
	};
	self->repairs = fmap_dax_repairs(0);
	ASSERT_EQ(0, fmap_fill_devices(&self->layout, SEED));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &self->layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->node = open(fmap_dax_node(0), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->node);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	madvise(self->p, SIZE, MADV_DOFORK);
	ASSERT_EQ(0, madvise(self->p, SIZE, variant->advice));
	self->seen = malloc(SIZE);
	self->buf = malloc(SIZE);
	ASSERT_TRUE(self->seen && self->buf);
	fmap_fill(self->seen, SIZE, SEED, 0);
	fmap_touch(self->p, SIZE, PG, false);
	ASSERT_EQ(SIGBUS, go_bad(self->p + BAD));
}

FIXTURE_TEARDOWN(poison)
{
	munmap(self->p, SIZE);
	close(self->fd);
	close(self->node);
	free(self->seen);
	free(self->buf);
	fmap_server_free(self->s);
	EXPECT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(0, fmap_dax_bind(0));
}

/* errno of a call that should fail, or 0 */
static int error_of(ssize_t ret)
{
	return ret < 0 ? errno : 0;
}

/* How many bytes from the file's start on are as the file began */
static size_t same(const char *p, const char *seen, size_t from, size_t to)
{
	size_t n = from;

	while (n < to && p[n] == seen[n])
		n++;

	return n;
}

/* Does each page of a mapping but the bad one hold what it did? */
static bool all_but_bad(const char *p, const char *seen)
{
	return same(p, seen, 0, BAD) == BAD &&
	       same(p, seen, BAD + PG, SIZE) == SIZE;
}

TEST_F(poison, is_not_mapped_again)
{
	char *q;

	EXPECT_TRUE(fmap_sigbus(self->p + BAD, false));
	EXPECT_TRUE(fmap_sigbus(self->p + BAD, true));
	EXPECT_TRUE(fmap_sigbus(self->p + BAD + PG - 1, false));
	EXPECT_TRUE(all_but_bad(self->p, self->seen));

	q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(fmap_sigbus(q + BAD, false));
	EXPECT_TRUE(fmap_sigbus(q + BAD, true));
	EXPECT_TRUE(all_but_bad(q, self->seen));
	munmap(q, SIZE);
}

TEST_F(poison, read_stops_before_it)
{
	EXPECT_EQ(BAD, pread(self->fd, self->buf, SIZE, 0));
	EXPECT_EQ(BAD, same(self->buf, self->seen, 0, BAD));
	EXPECT_EQ(EIO, error_of(pread(self->fd, self->buf, PG, BAD)));
	EXPECT_EQ(EIO, error_of(pread(self->fd, self->buf, 1, BAD + 100)));
	EXPECT_EQ(SIZE - BAD - PG,
		  pread(self->fd, self->buf, SIZE, BAD + PG));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + BAD + PG, SIZE - BAD - PG));
}

TEST_F(poison, node_stops_before_it)
{
	EXPECT_EQ(BAD, pread(self->node, self->buf, SIZE, self->at));
	EXPECT_EQ(BAD, same(self->buf, self->seen, 0, BAD));
	EXPECT_EQ(EIO, error_of(pread(self->node, self->buf, PG,
				      self->at + BAD)));
	EXPECT_EQ(EIO, error_of(pread(self->node, self->buf, 1,
				      self->at + BAD + 100)));
	EXPECT_EQ(SIZE - BAD - PG,
		  pread(self->node, self->buf, SIZE - BAD - PG,
			self->at + BAD + PG));
}

/* It would leave bytes of the page that nobody knows */
TEST_F(poison, write_of_a_part_fails)
{
	EXPECT_EQ(-1, pwrite(self->fd, "xyz", 3, BAD + 100));
	EXPECT_EQ(-1, pwrite(self->fd, self->seen, PG - 1, BAD));
	EXPECT_EQ(EIO, error_of(pwrite(self->node, "xyz", 3,
				       self->at + BAD + 100)));
	EXPECT_EQ(EIO, error_of(pwrite(self->node, self->seen, PG - 1,
				       self->at + BAD)));
	EXPECT_EQ(EIO, error_of(pread(self->fd, self->buf, PG, BAD)));
	EXPECT_TRUE(fmap_sigbus(self->p + BAD, false));
}

/* All of the file holds other bytes now, and there is nothing bad in it */
#define EXPECT_GOOD()							\
	do {								\
		EXPECT_EQ(SIZE, pread(self->fd, self->buf, SIZE, 0));	\
		EXPECT_EQ(0, memcmp(self->buf, self->seen, SIZE));	\
		EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));	\
		EXPECT_FALSE(fmap_sigbus(self->p + BAD, true));		\
	} while (0)

TEST_F(poison, write_repairs_it_or_fails)
{
	fmap_fill(self->seen, SIZE, SEED + 1, 0);
	if (self->repairs) {
		EXPECT_EQ(SIZE, pwrite(self->fd, self->seen, SIZE, 0));
		EXPECT_GOOD();
	} else {
		EXPECT_EQ(BAD, pwrite(self->fd, self->seen, SIZE, 0));
		EXPECT_EQ(EIO, error_of(pwrite(self->fd, self->seen + BAD, PG,
					       BAD)));
		EXPECT_EQ(SIZE - BAD - PG,
			  pwrite(self->fd, self->seen + BAD + PG,
				 SIZE - BAD - PG, BAD + PG));
		EXPECT_TRUE(all_but_bad(self->p, self->seen));
		EXPECT_TRUE(fmap_sigbus(self->p + BAD, false));
	}
}

TEST_F(poison, node_repairs_it_or_fails)
{
	ssize_t want = self->repairs ? SIZE : BAD;

	fmap_fill(self->seen, SIZE, SEED + 1, 0);
	EXPECT_EQ(want, pwrite(self->node, self->seen, SIZE, self->at));
	if (self->repairs)
		EXPECT_GOOD();
	else
		EXPECT_EQ(EIO, error_of(pwrite(self->node, self->seen, PG,
					       self->at + BAD)));
}

TEST_F(poison, zeroing_repairs_it_or_fails)
{
	int ret = fallocate(self->fd, FALLOC_FL_ZERO_RANGE, 0, SIZE);

	if (self->repairs) {
		memset(self->seen, 0, SIZE);
		EXPECT_EQ(0, ret);
		EXPECT_GOOD();
	} else {
		EXPECT_EQ(EIO, error_of(ret));
		EXPECT_EQ(SIZE, same(self->p, self->seen, BAD + PG, SIZE));
		EXPECT_TRUE(fmap_sigbus(self->p + BAD, false));
	}
}

/* The caller's memory ends within the page: its bytes are not all there */
TEST_F(poison, data_that_ends_early_repairs_nothing)
{
	char *q = mmap(NULL, 2 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, q);
	memset(q, 'x', PG);
	ASSERT_EQ(0, munmap(q + PG, PG));
	pwrite(self->node, q + PG / 2, PG, self->at + BAD);
	EXPECT_EQ(EIO, error_of(pread(self->node, self->buf, PG,
				      self->at + BAD)));
	munmap(q, PG);
}

TEST_F(poison, can_go_bad_again)
{
	if (!self->repairs)
		return;
	EXPECT_EQ(PG, pwrite(self->fd, self->seen + BAD, PG, BAD));
	EXPECT_GOOD();
	EXPECT_EQ(SIGBUS, go_bad(self->p + BAD));
	EXPECT_EQ(EIO, error_of(pread(self->fd, self->buf, PG, BAD)));
	EXPECT_EQ(PG, pwrite(self->fd, self->seen + BAD, PG, BAD));
	EXPECT_EQ(PG, pread(self->fd, self->buf, PG, BAD));
}

/*
 * Two in one range of 2 MiB.  The second signal is not expected where one folio
 * is behind all of the range: generic code asks who has its first page mapped.
 */
TEST_F(poison, more_than_one)
{
	const size_t second = BAD + 3 * PG;
	int sig;
	char *q;

	fmap_touch(self->p + second, PG, PG, false);
	sig = go_bad(self->p + second);
	if (variant->advice == MADV_NOHUGEPAGE) {
		EXPECT_EQ(SIGBUS, sig);
		EXPECT_TRUE(fmap_sigbus(self->p + second, false));
	}
	q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(fmap_sigbus(q + BAD, false));
	EXPECT_TRUE(fmap_sigbus(q + second, false));
	EXPECT_EQ(second, same(q, self->seen, BAD + PG, second));
	EXPECT_EQ(SIZE, same(q, self->seen, second + PG, SIZE));
	munmap(q, SIZE);

	EXPECT_EQ(2 * PG, pread(self->fd, self->buf, SIZE, BAD + PG));
	EXPECT_EQ(SIZE - second - PG,
		  pread(self->fd, self->buf, SIZE, second + PG));
}

TEST_F(poison, is_known_to_the_next_mount)
{
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_kill(self->s);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(EIO, error_of(pread(self->fd, self->buf, PG, BAD)));
	EXPECT_EQ(BAD, pread(self->fd, self->buf, SIZE, 0));
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	EXPECT_TRUE(fmap_sigbus(self->p + BAD, false));
	EXPECT_TRUE(all_but_bad(self->p, self->seen));
}

/* Nobody had it mapped: there is no signal, but it is bad all the same */
static int go_bad_by_number(unsigned long long pfn)
{
	char text[32];
	int fd, ret;

	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	fd = open("/sys/kernel/debug/hwpoison/corrupt-pfn", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%llu", pfn);
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

TEST_F(poison, of_a_page_that_is_not_mapped)
{
	uint64_t start = fmap_dax_attr(0, "mapping0/start");
	uint64_t end = fmap_dax_attr(0, "mapping0/end") + 1;
	uint64_t off;

	ASSERT_LT(0, start);
	/* The device may have more ranges: count from the end of the first */
	off = ((end - start) & ~(HUGE_PG - 1)) - SIZE - HUGE_PG;
	EXPECT_EQ(PG, pread(self->node, self->buf, PG, off));
	EXPECT_NE(-ENOENT, go_bad_by_number((start + off) / PG));
	EXPECT_EQ(EIO, error_of(pread(self->node, self->buf, PG, off)));
	EXPECT_EQ(PG, pread(self->node, self->buf, 2 * PG, off - PG));
}

FMAP_TEST_MAIN
