// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: userfaultfd, and what else tells of stores */
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		VFS_HUGE

static int uffd_new(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = vfs_set_up(syscall(SYS_userfaultfd, O_CLOEXEC));

	vfs_set_up(ioctl(fd, UFFDIO_API, &api));
	return fd;
}

static long uffd_register(int fd, char *p, size_t len, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, len }, .mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

static const char *uffd_shared(long mode)
{
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, MAP_SHARED);

	return vfs_ret(uffd_register(uffd_new(0), p, HUGE_PG, mode));
}

static const char *uffd_private(long mode)
{
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, MAP_PRIVATE);

	return vfs_ret(uffd_register(uffd_new(0), p, HUGE_PG, mode));
}

/* Pages of the range that were stored to since it was protected */
static long count_written(char *p)
{
	static struct page_region regions[16];
	int fd = vfs_set_up(open("/proc/self/pagemap", O_RDONLY));
	struct pm_scan_arg scan = {
		.size = sizeof(scan), .vec = (uintptr_t)regions, .vec_len = 16,
		.start = (uintptr_t)p, .end = (uintptr_t)p + HUGE_PG,
		.category_mask = PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_WRITTEN,
	};
	long i, n = vfs_set_up(ioctl(fd, PAGEMAP_SCAN, &scan)), sum = 0;

	for (i = 0; i < n; i++)
		sum += (regions[i].end - regions[i].start) / PG;

	return sum;
}

/* Stores are told later, and nobody waits for them */
static const char *uffd_async(long touch)
{
	static char answer[32];
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, MAP_SHARED);
	int fd = uffd_new(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)p, HUGE_PG },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	long before;

	if (touch)
		fmap_touch(p, HUGE_PG, HUGE_PG, true);
	if (uffd_register(fd, p, HUGE_PG, UFFDIO_REGISTER_MODE_WP))
		return vfs_ret(-1);
	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return vfs_ret(-1);
	before = count_written(p);
	memcpy(p + 5 * PG, vfs_bytes, PG);
	snprintf(answer, sizeof(answer), "%ld, then %ld", before,
		 count_written(p));
	if (!vfs_ok(vfs_holds("ok", OFF + 5 * PG, vfs_bytes, PG)))
		return "wrong data";

	return answer;
}

const struct vfs_op vfs_uffd_ops[] = {
	{ "userfaultfd, missing pages, shared", uffd_shared,
	  UFFDIO_REGISTER_MODE_MISSING },
	{ "userfaultfd, missing pages, private", uffd_private,
	  UFFDIO_REGISTER_MODE_MISSING },
	{ "userfaultfd, minor faults", uffd_shared,
	  UFFDIO_REGISTER_MODE_MINOR },
	{ "userfaultfd, write protection, shared", uffd_shared,
	  UFFDIO_REGISTER_MODE_WP },
	{ "userfaultfd, write protection, private", uffd_private,
	  UFFDIO_REGISTER_MODE_WP },
	{ "pages told as stored to, of 4 KiB that were not touched",
	  uffd_async, 0 },
	{ "pages told as stored to, of 2 MiB that were touched",
	  uffd_async, 1 },
	{ }
};
