// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd: what needs pages that somebody else provides is refused. The
 * asynchronous write-protection, which is for any memory, is refused as well,
 * or right.
 */
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(16 * PG)
#define SIZE		(TAIL + TAIL_LEN)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(uffd)
{
	struct fmap_server *s;
	int fd;
	int uffd;
	char *p;	/* all of the file; nothing of it touched */
	char *seen;	/* the bytes that the file begins with */
};

FIXTURE_VARIANT(uffd)
{
	int flags;	/* of the mapping */
};

FIXTURE_VARIANT_ADD(uffd, shared) { .flags = MAP_SHARED };
FIXTURE_VARIANT_ADD(uffd, private) { .flags = MAP_PRIVATE };

FIXTURE_SETUP(uffd)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, variant->flags);
	ASSERT_NE(MAP_FAILED, self->p);
	self->seen = malloc(SIZE);
	ASSERT_NE(NULL, self->seen);
	fmap_fill(self->seen, SIZE, 1, 0);
	self->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	ASSERT_LE(0, self->uffd);
}

FIXTURE_TEARDOWN(uffd)
{
	close(self->uffd);
	free(self->seen);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

static int begin(int uffd, uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	return ioctl(uffd, UFFDIO_API, &api) ? -errno : 0;
}

static int reg(int uffd, void *p, size_t len, uint64_t mode)
{
	struct uffdio_register r = {
		.range = { (uintptr_t)p, len },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &r) ? -errno : 0;
}

TEST_F(uffd, faults_of_others_making_are_refused)
{
	ASSERT_EQ(0, begin(self->uffd, 0));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_MINOR));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_MISSING |
			       UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

/* Pages cannot be put there either, by way of another mapping's registration */
TEST_F(uffd, nothing_can_be_copied_there)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)self->p,
		.src = (uintptr_t)self->seen & ~(PG - 1),
		.len = PG,
	};

	ASSERT_EQ(0, begin(self->uffd, 0));
	EXPECT_EQ(-1, ioctl(self->uffd, UFFDIO_COPY, &copy));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

#define ASYNC	(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_PAGEFAULT_FLAG_WP)

/* Begin to protect; where that is refused, the test ends here */
#define PROTECT_OR_RETURN(len)						\
	do {								\
		int ret = reg(self->uffd, self->p, len,			\
			      UFFDIO_REGISTER_MODE_WP);			\
									\
		if (ret == -EINVAL)					\
			return;						\
		ASSERT_EQ(0, ret);					\
	} while (0)

/*
 * Which pages were written since the last call, or all pages if there was none?
 * A byte a page, 1 if so. Return: how many, or -errno
 */
static long written(void *p, size_t len, unsigned char *page)
{
	struct page_region regions[64];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
		.start = (uintptr_t)p,
		.end = (uintptr_t)p + len,
		.vec = (uintptr_t)regions,
		.vec_len = ARRAY_SIZE(regions),
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long sum = 0;
	int i, n;

	memset(page, 0, len / PG);
	n = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (n < 0)
		sum = -errno;
	close(fd);
	for (i = 0; i < n; i++) {
		long first = (regions[i].start - (uintptr_t)p) / PG;
		long pages = (regions[i].end - regions[i].start) / PG;

		memset(page + first, 1, pages);
		sum += pages;
	}

	return sum;
}

/* Written pages of 4 KiB are told exactly */
TEST_F(uffd, write_protection_of_small_pages)
{
	unsigned char page[TAIL_LEN / PG];
	char *p = self->p + TAIL;

	ASSERT_EQ(0, begin(self->uffd, ASYNC));
	fmap_touch(p, TAIL_LEN, PG, false);
	PROTECT_OR_RETURN(SIZE);
	ASSERT_LE(0, written(p, TAIL_LEN, page));
	EXPECT_EQ(0, written(p, TAIL_LEN, page));
	fmap_touch(p, TAIL_LEN, PG, false);
	EXPECT_EQ(0, written(p, TAIL_LEN, page));

	p[3 * PG + 5] = 'a';
	p[9 * PG] = 'b';
	EXPECT_EQ(2, written(p, TAIL_LEN, page));
	EXPECT_EQ(1, page[3]);
	EXPECT_EQ(1, page[9]);
	EXPECT_EQ(0, written(p, TAIL_LEN, page));
	p[3 * PG + 5] = 'c';
	EXPECT_EQ(1, written(p, TAIL_LEN, page));
	EXPECT_EQ(1, page[3]);

	EXPECT_EQ('c', p[3 * PG + 5]);
	EXPECT_EQ('b', p[9 * PG]);
	EXPECT_EQ(0, memcmp(p, self->seen + TAIL, 3 * PG));
}

/*
 * Of a page of 2 MiB it may be told that all of it was written. That a written
 * page is not told must not be.
 */
TEST_F(uffd, write_protection_of_huge_pages)
{
	unsigned char page[TAIL / PG];
	long n;

	ASSERT_EQ(0, begin(self->uffd, ASYNC));
	EXPECT_EQ(2, fmap_touch(self->p, TAIL, PG, false).minor);
	PROTECT_OR_RETURN(TAIL);
	ASSERT_LE(0, written(self->p, TAIL, page));
	EXPECT_EQ(0, written(self->p, TAIL, page));

	self->p[7 * PG] = 'a';
	n = written(self->p, TAIL, page);
	EXPECT_EQ(1, page[7]);
	EXPECT_GE(512, n);
	EXPECT_EQ(0, page[600]);

	self->p[8 * PG] = 'b';
	self->p[HUGE_PG + 5 * PG] = 'c';
	n = written(self->p, TAIL, page);
	EXPECT_EQ(1, page[8]);
	EXPECT_EQ(1, page[512 + 5]);
	EXPECT_EQ('a', self->p[7 * PG]);
	EXPECT_EQ('b', self->p[8 * PG]);
	EXPECT_EQ('c', self->p[HUGE_PG + 5 * PG]);
	EXPECT_EQ(0, memcmp(self->p, self->seen, 7 * PG));
}

/* Stored to before, so that it is writable when protection begins */
TEST_F(uffd, write_protection_of_huge_pages_in_use)
{
	unsigned char page[HUGE_PG / PG];

	ASSERT_EQ(0, begin(self->uffd, ASYNC));
	fmap_touch(self->p, HUGE_PG, PG, true);
	PROTECT_OR_RETURN(HUGE_PG);
	ASSERT_LE(0, written(self->p, HUGE_PG, page));
	EXPECT_EQ(0, written(self->p, HUGE_PG, page));
	self->p[100 * PG] = 'a';
	ASSERT_LE(1, written(self->p, HUGE_PG, page));
	EXPECT_EQ(1, page[100]);
	self->p[100 * PG] = 'b';
	self->p[101 * PG] = 'b';
	ASSERT_LE(2, written(self->p, HUGE_PG, page));
	EXPECT_EQ(1, page[100]);
	EXPECT_EQ(1, page[101]);
	EXPECT_EQ('b', self->p[101 * PG]);
	EXPECT_EQ(1, self->p[102 * PG]);
}

/* Pages that are not there yet have not been written since */
TEST_F(uffd, write_protection_before_the_first_touch)
{
	unsigned char page[TAIL / PG];

	ASSERT_EQ(0, begin(self->uffd, ASYNC | UFFD_FEATURE_WP_UNPOPULATED));
	PROTECT_OR_RETURN(TAIL);
	ASSERT_LE(0, written(self->p, TAIL, page));
	EXPECT_EQ(0, written(self->p, TAIL, page));
	self->p[0] = 'a';
	self->p[HUGE_PG + 9 * PG] = 'b';
	ASSERT_LE(2, written(self->p, TAIL, page));
	EXPECT_EQ(1, page[0]);
	EXPECT_EQ(1, page[512 + 9]);
	EXPECT_EQ(0, memcmp(self->p + 1, self->seen + 1, HUGE_PG - 1));
}

/* Taken off, it leaves an ordinary mapping */
TEST_F(uffd, write_protection_ends)
{
	struct uffdio_range range = { (uintptr_t)self->p, SIZE };
	unsigned char page[SIZE / PG];

	ASSERT_EQ(0, begin(self->uffd, ASYNC));
	fmap_touch(self->p, SIZE, PG, false);
	PROTECT_OR_RETURN(SIZE);
	ASSERT_LE(0, written(self->p, SIZE, page));
	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_UNREGISTER, &range));
	fmap_touch(self->p, SIZE, PG, true);
	EXPECT_EQ(0, fmap_touch(self->p, SIZE, PG, true).minor);
	EXPECT_EQ(1, self->p[0]);
	EXPECT_EQ(1, self->p[SIZE - PG]);
	EXPECT_EQ(variant->flags == MAP_SHARED,
		  fmap_on_devices(&layout, 0, self->p, SIZE));
}

FMAP_TEST_MAIN
