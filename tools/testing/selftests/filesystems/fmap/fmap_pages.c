// SPDX-License-Identifier: GPL-2.0
/* What the page tables hold of a mapping */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmap_pages.h"

#define SMALL_PG	4096
#define REGIONS		64

static long sum(const struct page_region *r, int n)
{
	long pages = 0;

	while (n-- > 0)
		pages += (r[n].end - r[n].start) / SMALL_PG;

	return pages;
}

long fmap_pages(void *p, size_t len, uint64_t categories)
{
	struct page_region regions[REGIONS];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = (uintptr_t)p,
		.end = (uintptr_t)p + len,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS,
		.category_mask = categories,
		.return_mask = categories,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long pages = 0;
	int n;

	if (fd < 0)
		return -errno;
	for (; arg.start < arg.end; arg.start = arg.walk_end) {
		n = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (n < 0) {
			pages = -errno;
			break;
		}
		pages += sum(regions, n);
	}
	close(fd);

	return pages;
}

bool fmap_all_huge(void *p, size_t len)
{
	return fmap_pages(p, len, PAGE_IS_HUGE | PAGE_IS_PRESENT) ==
	       (long)(len / SMALL_PG);
}

bool fmap_none_huge(void *p, size_t len)
{
	return fmap_pages(p, len, PAGE_IS_HUGE) == 0;
}

/* The kernel copies, so that what may not be touched gives EFAULT */
bool fmap_may_load(char *p)
{
	bool may = false;
	int fd[2];

	if (!pipe(fd)) {
		may = write(fd[1], p, 1) == 1;
		close(fd[0]);
		close(fd[1]);
	}

	return may;
}

bool fmap_may_store(char *p)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	bool may = read(fd, p, 1) == 1;

	close(fd);

	return may;
}
