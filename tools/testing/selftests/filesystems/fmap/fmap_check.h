/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a file holds, and whether somebody who waits for it will end
 *
 * Tests that move a file fill each place where it may lie with a seed of its own:
 * then the bytes tell from which place they came.
 */
#ifndef FMAP_CHECK_H
#define FMAP_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FMAP_SEEDS	4

/* From which seed, of 1 to FMAP_SEEDS, are all of these bytes? 0: from none */
int fmap_seed_of(const void *bytes, size_t len, uint64_t off);

/* The same of what pread(2) gives: a seed, 0, or -errno (-ENODATA: too few) */
int fmap_read_seed(int fd, uint64_t off, size_t len);

/* A child that exits with what @fn returns, -127 to 127 */
pid_t fmap_start(int (*fn)(void *arg), void *arg);

/*
 * What @fn of a child returned that should be about to end, or FMAP_KILLED and the
 * signal. One that does not end in ten seconds is killed: -ETIMEDOUT.
 */
#define FMAP_KILLED	1000
int fmap_exit_soon(pid_t pid);

/* Give a child time to end; true if it has not. Tells nothing if it is slow */
bool fmap_still_waits(pid_t pid);

#endif /* FMAP_CHECK_H */
