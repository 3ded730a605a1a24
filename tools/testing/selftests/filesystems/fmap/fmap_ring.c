// SPDX-License-Identifier: GPL-2.0
/* io_uring without a library: one request at a time */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fmap_ring.h"

#define ENTRIES		4
#define RING_BYTES	4096	/* both queues of so few entries */

struct fmap_ring {
	int fd;
	struct io_uring_params p;
	char *rings;
	struct io_uring_sqe *sqes;
};

static void *map_ring(int fd, size_t len, off_t what)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, what);
}

struct fmap_ring *fmap_ring_new(void)
{
	struct fmap_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = syscall(SYS_io_uring_setup, ENTRIES, &r->p);
	if (r->fd < 0) {
		free(r);
		return NULL;
	}
	r->rings = map_ring(r->fd, RING_BYTES, IORING_OFF_SQ_RING);
	r->sqes = map_ring(r->fd, ENTRIES * sizeof(*r->sqes), IORING_OFF_SQES);
	if (r->rings == MAP_FAILED || r->sqes == MAP_FAILED) {
		fmap_ring_free(r);
		return NULL;
	}

	return r;
}

void fmap_ring_free(struct fmap_ring *r)
{
	if (!r)
		return;
	if (r->rings != MAP_FAILED)
		munmap(r->rings, RING_BYTES);
	if (r->sqes != MAP_FAILED)
		munmap(r->sqes, ENTRIES * sizeof(*r->sqes));
	close(r->fd);
	free(r);
}

static uint32_t *word(struct fmap_ring *r, uint32_t off)
{
	return (uint32_t *)(r->rings + off);
}

/* The one request is in slot 0, whatever slot of the queue names it */
static int submit_and_wait(struct fmap_ring *r)
{
	uint32_t *tail = word(r, r->p.sq_off.tail);
	uint32_t *head = word(r, r->p.cq_off.head);
	uint32_t mask = *word(r, r->p.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)(r->rings + r->p.cq_off.cqes);
	int ret;

	word(r, r->p.sq_off.array)[*tail % ENTRIES] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -errno;

	while (__atomic_load_n(word(r, r->p.cq_off.tail), __ATOMIC_ACQUIRE) ==
	       *head)
		usleep(100);
	ret = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);

	return ret;
}

int fmap_ring_rw(struct fmap_ring *r, int op, int fd, void *buf, size_t len,
		 uint64_t off, int rw_flags)
{
	r->sqes[0] = (struct io_uring_sqe) {
		.opcode = op,
		.fd = fd,
		.addr = (uintptr_t)buf,
		.len = len,
		.off = off,
		.rw_flags = rw_flags,
	};

	return submit_and_wait(r);
}

int fmap_ring_register_buffer(struct fmap_ring *r, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_BUFFERS,
		    &iov, 1))
		return -errno;

	return 0;
}
