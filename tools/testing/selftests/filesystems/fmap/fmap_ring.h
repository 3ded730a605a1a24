/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring without a library: one request at a time */
#ifndef FMAP_RING_H
#define FMAP_RING_H

#include <stddef.h>
#include <stdint.h>

struct fmap_ring;

/* NULL if the kernel gives none; errno says why */
struct fmap_ring *fmap_ring_new(void);
void fmap_ring_free(struct fmap_ring *r);

/*
 * Read or write (@op is IORING_OP_READ or IORING_OP_WRITE), and wait for it.
 * Return: what its completion says: bytes, or -errno
 */
int fmap_ring_rw(struct fmap_ring *r, int op, int fd, void *buf, size_t len,
		 uint64_t off, int rw_flags);

/* Register one buffer, which pins it for long; 0 or -errno */
int fmap_ring_register_buffer(struct fmap_ring *r, void *buf, size_t len);

#endif /* FMAP_RING_H */
