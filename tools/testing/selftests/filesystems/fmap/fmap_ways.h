/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to touch a byte of a file that was filled with seed 1
 *
 * Each returns 0 if the byte was right, or an errno: EFAULT stands for SIGBUS. The
 * byte is the same afterwards, which does not hold if it was wrong before.
 */
#ifndef FMAP_WAYS_H
#define FMAP_WAYS_H

#include <stdint.h>

typedef int (*fmap_way)(int fd, uint64_t off);

int fmap_by_read(int fd, uint64_t off);
int fmap_by_write(int fd, uint64_t off);
int fmap_by_load(int fd, uint64_t off);
int fmap_by_store(int fd, uint64_t off);

/* The kernel loads it from a mapping, on behalf of a write to somewhere else */
int fmap_by_kernel(int fd, uint64_t off);

#endif /* FMAP_WAYS_H */
