// SPDX-License-Identifier: Apache-2.0
#include "flush.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__
#include <emmintrin.h>

#define LINE	64

int famfs_flush(void *addr, size_t len)
{
	uintptr_t line = (uintptr_t)addr & ~(uintptr_t)(LINE - 1);
	uintptr_t end = (uintptr_t)addr + len;

	for (; line < end; line += LINE)
		_mm_clflush((const void *)line);
	_mm_mfence();
	return 0;
}
#else
/* Elsewhere the kernel does it. */
int famfs_flush(void *addr, size_t len)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)addr & ~(page - 1);

	len += (uintptr_t)addr - start;
	return msync((void *)start, len, MS_SYNC) ? -errno : 0;
}
#endif
