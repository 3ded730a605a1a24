// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: io_uring and AIO, by their system calls */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "vfs_ops.h"

#define OFF		(MB + 77)
#define LEN		(3 * PG + 5)

static alignas(4096) unsigned char buf[8 * PG];

/* A ring for one request at a time */
struct ring {
	int fd;
	struct io_uring_params params;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqe;
};

static char *ring_part(struct ring *r, size_t len, off_t off)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		       off);

	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap of the ring");
	return p;
}

static struct ring ring_new(unsigned int flags)
{
	struct ring r = { .params.flags = flags };

	r.fd = vfs_set_up(syscall(SYS_io_uring_setup, 1, &r.params));
	r.sq = ring_part(&r, r.params.sq_off.array + 4, IORING_OFF_SQ_RING);
	r.cq = ring_part(&r, r.params.cq_off.cqes +
			 2 * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	r.sqe = (void *)ring_part(&r, sizeof(*r.sqe), IORING_OFF_SQES);

	return r;
}

/* What the request gave, as a system call would give it */
static long ring_do(struct ring *r, struct io_uring_sqe sqe)
{
	unsigned int *tail = (void *)(r->sq + r->params.sq_off.tail);
	unsigned int *head = (void *)(r->cq + r->params.cq_off.head);
	unsigned int mask = *(unsigned int *)(r->cq +
					      r->params.cq_off.ring_mask);
	struct io_uring_cqe *cqe = (void *)(r->cq + r->params.cq_off.cqes);
	long res;

	*r->sqe = sqe;
	*(unsigned int *)(r->sq + r->params.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	vfs_set_up(syscall(SYS_io_uring_enter, r->fd, 1, 1,
			   IORING_ENTER_GETEVENTS, NULL, 0));
	res = cqe[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (res >= 0)
		return res;
	errno = -res;

	return -1;
}

static struct io_uring_sqe request(int op, void *data, size_t len, off_t off)
{
	return (struct io_uring_sqe) {
		.opcode = op, .fd = vfs.fd, .off = off,
		.addr = (uintptr_t)data, .len = len,
	};
}

static const char *uring_read(long flags)
{
	struct ring r = ring_new(flags);
	long n = ring_do(&r, request(IORING_OP_READ, buf, LEN, OFF));

	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

static const char *uring_write(long off)
{
	struct ring r = ring_new(0);
	long n = ring_do(&r, request(IORING_OP_WRITE, vfs_bytes, LEN, off));

	return vfs_holds(vfs_count(n, LEN), off, vfs_bytes, LEN);
}

/* By a worker of the kernel from the start, or not before it would wait */
static const char *uring_write_flags(long flags)
{
	struct io_uring_sqe sqe = request(IORING_OP_WRITE, vfs_bytes, LEN, OFF);
	struct ring r = ring_new(0);

	sqe.flags = flags;
	return vfs_holds(vfs_count(ring_do(&r, sqe), LEN), OFF, vfs_bytes, LEN);
}

static const char *uring_append(long arg)
{
	struct io_uring_sqe sqe = request(IORING_OP_WRITE, vfs_bytes, LEN, OFF);
	struct ring r = ring_new(0);

	sqe.rw_flags = RWF_APPEND;
	return vfs_count(ring_do(&r, sqe), LEN);
}

static long register_buffer(struct ring *r, void *p, size_t len)
{
	struct iovec iov = { p, len };

	return syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_BUFFERS,
		       &iov, 1);
}

/* A buffer of plain memory */
static const char *uring_fixed_read(long arg)
{
	struct ring r = ring_new(0);
	long n;

	vfs_set_up(register_buffer(&r, buf, sizeof(buf)));
	n = ring_do(&r, request(IORING_OP_READ_FIXED, buf, LEN, OFF));

	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

/* A buffer that is the file: a pin for as long as the ring lives */
static const char *uring_fixed_mapping(long flags)
{
	char *p = vfs_map(0, PG, PROT_READ | PROT_WRITE, flags);
	struct ring r = ring_new(0);

	return vfs_ret(register_buffer(&r, p, PG));
}

static const char *uring_fsync(long flags)
{
	struct io_uring_sqe sqe = request(IORING_OP_FSYNC, NULL, 0, 0);
	struct ring r = ring_new(0);

	sqe.fsync_flags = flags;
	return vfs_ret(ring_do(&r, sqe));
}

static const char *aio(int op, void *data, off_t off, int flags, int rw_flags)
{
	struct iocb cb = {
		.aio_lio_opcode = op, .aio_offset = off, .aio_nbytes = LEN,
		.aio_buf = (uintptr_t)data, .aio_rw_flags = rw_flags,
		.aio_fildes = vfs_open(O_RDWR | flags),
	}, *list = &cb;
	aio_context_t ctx = 0;
	struct io_event event;
	long ret;

	if (!data)
		cb.aio_nbytes = 0;
	vfs_set_up(syscall(SYS_io_setup, 1, &ctx));
	ret = syscall(SYS_io_submit, ctx, 1, &list);
	if (ret < 0)
		return vfs_ret(ret);
	vfs_set_up(syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL));
	if (event.res < 0) {
		errno = -event.res;
		return vfs_ret(-1);
	}

	return vfs_count(event.res, cb.aio_nbytes);
}

static const char *aio_read(long flags)
{
	return vfs_same(aio(IOCB_CMD_PREAD, buf, OFF, flags, 0), buf,
			vfs.image + OFF, LEN);
}

static const char *aio_write(long flags)
{
	return vfs_holds(aio(IOCB_CMD_PWRITE, vfs_bytes, OFF, flags, 0), OFF,
			 vfs_bytes, LEN);
}

static const char *aio_write_over_end(long arg)
{
	return aio(IOCB_CMD_PWRITE, vfs_bytes, VFS_SIZE - 100, 0, 0);
}

static const char *aio_nowait(long arg)
{
	memset(buf, 0, sizeof(buf));
	return vfs_same(aio(IOCB_CMD_PREAD, buf, OFF, 0, RWF_NOWAIT), buf,
			vfs.image + OFF, LEN);
}

static const char *aio_sync(long op)
{
	return aio(op, NULL, 0, 0, 0);
}

const struct vfs_op vfs_async_ops[] = {
	{ "io_uring read", uring_read, 0 },
	{ "io_uring read, polled (IOPOLL)", uring_read, IORING_SETUP_IOPOLL },
	{ "io_uring write", uring_write, OFF },
	{ "io_uring write, by a worker", uring_write_flags, IOSQE_ASYNC },
	{ "io_uring write over the end", uring_write, VFS_SIZE - 100 },
	{ "io_uring write at the end", uring_write, VFS_SIZE },
	{ "io_uring write, RWF_APPEND", uring_append },
	{ "io_uring read into a fixed buffer", uring_fixed_read },
	{ "io_uring fixed buffer that is a shared mapping",
	  uring_fixed_mapping, MAP_SHARED },
	{ "io_uring fixed buffer that is a private mapping",
	  uring_fixed_mapping, MAP_PRIVATE },
	{ "io_uring fsync", uring_fsync, 0 },
	{ "io_uring fdatasync", uring_fsync, IORING_FSYNC_DATASYNC },
	{ "AIO read", aio_read, 0 },
	{ "AIO read, O_DIRECT", aio_read, O_DIRECT },
	{ "AIO read, RWF_NOWAIT", aio_nowait },
	{ "AIO write", aio_write, 0 },
	{ "AIO write, O_DIRECT", aio_write, O_DIRECT },
	{ "AIO write over the end", aio_write_over_end },
	{ "AIO fsync", aio_sync, IOCB_CMD_FSYNC },
	{ "AIO fdatasync", aio_sync, IOCB_CMD_FDSYNC },
	{ }
};
