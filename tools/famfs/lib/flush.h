/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that several hosts share need not be coherent between their caches:
 * what one host stores through a mapping is the others' to see only after it
 * left that host's cache.
 */
#ifndef FAMFS_FLUSH_H
#define FAMFS_FLUSH_H

#include <stddef.h>

/* Write back the cache lines of a mapped range. Return: 0 or -errno. */
int famfs_flush(void *addr, size_t len);

#endif /* FAMFS_FLUSH_H */
