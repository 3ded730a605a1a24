// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that come by io_uring instead of /dev/fuse
 *
 * The kernel has a queue for each processor that might come to be, and uses none
 * before all have a place for a request. Here a queue has one place, and a
 * thread with a ring of its own. What is no request (FORGET, INTERRUPT) still
 * comes by /dev/fuse.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fmap_server.h"

#define RING_BYTES	4096	/* both queues of one entry */
#define SQE_BYTES	128
#define PAYLOAD		(128 * KB)	/* max_write and max_pages of INIT */

/* A queue: its ring, and the place of a request and the reply to it */
struct fmap_queue {
	struct fmap_server *s;
	unsigned int nr;
	struct io_uring_params p;
	int ring_fd;
	char *rings;
	struct io_uring_sqe *sqe;
	struct iovec place[2];
	struct fuse_uring_req_header head;
	bool replied;
	unsigned char payload[PAYLOAD];
	unsigned char request[PAYLOAD + 4096];	/* in one piece */
};

static void *map_ring(int fd, size_t len, off_t what)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, what);
}

static bool make_ring(struct fmap_queue *q)
{
	q->p.flags = IORING_SETUP_SQE128;
	q->ring_fd = syscall(SYS_io_uring_setup, 1, &q->p);
	if (q->ring_fd < 0)
		return false;
	q->rings = map_ring(q->ring_fd, RING_BYTES, IORING_OFF_SQ_RING);
	q->sqe = map_ring(q->ring_fd, SQE_BYTES, IORING_OFF_SQES);

	return q->rings != MAP_FAILED && q->sqe != MAP_FAILED;
}

static uint32_t *word(struct fmap_queue *q, uint32_t off)
{
	return (uint32_t *)(q->rings + off);
}

/* Submit what is in the one entry, wait for its end: the result, or -errno */
static int submit_and_wait(struct fmap_queue *q)
{
	uint32_t *tail = word(q, q->p.sq_off.tail);
	uint32_t *head = word(q, q->p.cq_off.head);
	uint32_t mask = *word(q, q->p.cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)(q->rings + q->p.cq_off.cqes);
	unsigned int submit = 1;
	int ret;

	word(q, q->p.sq_off.array)[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	do {
		ret = syscall(SYS_io_uring_enter, q->ring_fd, submit, 1,
			      IORING_ENTER_GETEVENTS, NULL, 0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		submit = 0;
	} while (__atomic_load_n(word(q, q->p.cq_off.tail), __ATOMIC_ACQUIRE)
		 == *head);
	ret = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);

	return ret;
}

/* Tell the kernel something of this queue; ends when there is a request */
static int command(struct fmap_queue *q, enum fuse_uring_cmd op)
{
	struct fuse_uring_cmd_req *req = (void *)q->sqe->cmd;

	memset(q->sqe, 0, SQE_BYTES);
	q->sqe->opcode = IORING_OP_URING_CMD;
	q->sqe->fd = q->s->fd;
	q->sqe->cmd_op = op;
	q->sqe->addr = (uintptr_t)q->place;
	q->sqe->len = 2;
	req->qid = q->nr;
	req->commit_id = q->head.ring_ent_in_out.commit_id;

	return submit_and_wait(q);
}

void fmap_uring_reply(struct fmap_queue *q, const struct fuse_out_header *out,
		      const void *data, size_t len)
{
	struct fuse_out_header *h = memcpy(q->head.in_out, out, sizeof(*out));

	/* More cannot be said this way */
	if (len > PAYLOAD) {
		h->error = -E2BIG;
		h->len = sizeof(*h);
		len = 0;
	}
	if (len)
		memcpy(q->payload, data, len);
	q->head.ring_ent_in_out.payload_sz = len;
	q->replied = true;
}

/* The first argument comes apart from the others */
static void answer(struct fmap_queue *q)
{
	const struct fuse_in_header *in = (void *)q->head.in_out;
	size_t payload = q->head.ring_ent_in_out.payload_sz;
	size_t first = in->len - sizeof(*in) - payload;
	unsigned char *p;

	p = mempcpy(q->request, in, sizeof(*in));
	p = mempcpy(p, q->head.op_in, first);
	memcpy(p, q->payload, payload);
	if (in->opcode < FMAP_OPS)
		q->s->by_uring[in->opcode]++;
	q->replied = false;
	fmap_serve_one(q->s, q->request, in->len, q);
}

static void *serve_queue(void *arg)
{
	struct fmap_queue *q = arg;
	int ret;

	if (!make_ring(q)) {
		perror("# io_uring");
		return NULL;
	}
	q->place[0] = (struct iovec) { &q->head, sizeof(q->head) };
	q->place[1] = (struct iovec) { q->payload, sizeof(q->payload) };
	ret = command(q, FUSE_IO_URING_CMD_REGISTER);
	while (!ret) {
		answer(q);
		if (!q->replied)
			break;
		ret = command(q, FUSE_IO_URING_CMD_COMMIT_AND_FETCH);
	}

	return NULL;
}

static unsigned int possible_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int first = 0, last = 0;

	if (f && fscanf(f, "%u-%u", &first, &last) < 1)
		last = 0;
	if (f)
		fclose(f);

	return last + 1;
}

void fmap_uring_start(struct fmap_server *s)
{
	unsigned int i, n = possible_cpus();

	for (i = 0; i < n; i++) {
		struct fmap_queue *q = calloc(1, sizeof(*q));
		pthread_t thread;

		if (!q)
			abort();
		q->s = s;
		q->nr = i;
		if (pthread_create(&thread, NULL, serve_queue, q))
			abort();
	}
}
