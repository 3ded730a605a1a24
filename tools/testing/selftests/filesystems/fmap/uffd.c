// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd is refused: pages of a file in device memory are not provided by
 * anybody else, and fs/dax does not keep track of who wrote to them
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

/* Otherwise open to memory of any kind */
TEST_F(uffd, asynchronous_protection_is_refused)
{
	ASSERT_EQ(0, begin(self->uffd, UFFD_FEATURE_WP_ASYNC |
			   UFFD_FEATURE_WP_UNPOPULATED |
			   UFFD_FEATURE_PAGEFAULT_FLAG_WP));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_WP));
	fmap_touch(self->p, SIZE, PG, false);
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, HUGE_PG,
			       UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p + TAIL, TAIL_LEN,
			       UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

/* Nor by way of a range that begins elsewhere */
TEST_F(uffd, range_of_two_kinds_is_refused)
{
	char *q = mmap(self->p + SIZE - PG, PG, RW, MAP_FIXED | MAP_PRIVATE |
		       MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, begin(self->uffd, UFFD_FEATURE_WP_ASYNC));
	EXPECT_EQ(-EINVAL, reg(self->uffd, self->p, SIZE,
			       UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(0, reg(self->uffd, q, PG, UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE - PG));
}

/* Who scans for written pages is told that nothing is known of these */
TEST_F(uffd, scan_for_written_pages_is_refused)
{
	struct page_region region;
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
		.start = (uintptr_t)self->p,
		.end = (uintptr_t)self->p + TAIL,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	fmap_touch(self->p, SIZE, PG, true);
	EXPECT_EQ(-1, ioctl(fd, PAGEMAP_SCAN, &arg));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, fmap_touch(self->p, SIZE, PG, true).minor);
	close(fd);
}

FMAP_TEST_MAIN
