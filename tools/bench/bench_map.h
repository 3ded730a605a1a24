/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings for the programs that measure page faults */
#ifndef BENCH_MAP_H
#define BENCH_MAP_H

#include <sys/mman.h>

#include "bench.h"

/*
 * Maps a part of a file where pages of 2 MiB are possible; with @small a page
 * further, where they are not, as file and address are not aligned together.
 */
static inline char *bench_map(int fd, uint64_t offset, size_t len, int prot,
			      bool small, int flags)
{
	char *p = mmap(NULL, len + 2 * HUGE_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		bench_die("address space: %s", strerror(errno));
	p = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & -HUGE_PAGE);
	p = mmap(p + (small ? PAGE : 0), len, prot,
		 MAP_SHARED | MAP_FIXED | flags, fd, offset);
	if (p == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	return p;
}

static inline void bench_touch(char *p, bool write)
{
	if (write)
		*(volatile char *)p = 1;
	else
		(void)*(volatile char *)p;
}

#endif /* BENCH_MAP_H */
