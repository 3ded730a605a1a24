// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: others get at pages of a mapping */
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		MB
#define LEN		(4 * PG)

static alignas(4096) unsigned char buf[LEN];

/* From the file's memory to a disk; @touch: it was mapped before */
static const char *direct_from(char *p, const void *want)
{
	int disk = vfs_open_disk(O_RDWR | O_DIRECT);
	const char *answer = vfs_count(pwrite(disk, p, LEN, 0), LEN);

	vfs_set_up(pread(disk, buf, LEN, 0));
	return vfs_same(answer, buf, want, LEN);
}

static const char *direct_write(long touch)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	if (touch)
		memcpy(p, vfs_bytes, LEN);
	return direct_from(p, touch ? vfs_bytes : vfs.image + OFF);
}

static const char *direct_write_private(long touch)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_PRIVATE);

	if (touch)
		memcpy(p, vfs_bytes, LEN);
	return direct_from(p, touch ? vfs_bytes : vfs.image + OFF);
}

static const char *direct_write_huge(long arg)
{
	char *p = vfs_map_at(0, VFS_HUGE, HUGE_PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	return direct_from(p + 3 * PG, vfs.image + VFS_HUGE + 3 * PG);
}

/* From a disk into the file's memory */
static const char *direct_read(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, flags);
	int disk = vfs_open_disk(O_RDWR | O_DIRECT);
	const char *answer;

	memcpy(buf, vfs_bytes, LEN);
	vfs_set_up(pwrite(disk, buf, LEN, 0));
	answer = vfs_count(pread(disk, p, LEN, 0), LEN);
	answer = vfs_same(answer, p, vfs_bytes, LEN);
	return vfs_holds(answer, OFF, flags == MAP_SHARED ?
			 vfs_bytes : vfs.image + OFF, LEN);
}

static const char *pin_vmsplice(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	struct iovec iov = { p, LEN };
	int fds[2];
	long n;

	vfs_set_up(pipe(fds));
	n = vmsplice(fds[1], &iov, 1, flags);
	if (n == LEN)
		vfs_set_up(read(fds[0], buf, LEN));
	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

/* The pipe holds the pages when their mapping goes */
static const char *vmsplice_munmap(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	struct iovec iov = { p, LEN };
	int fds[2];

	vfs_set_up(pipe(fds));
	vfs_set_up(vmsplice(fds[1], &iov, 1, 0));
	vfs_set_up(munmap(p, LEN));
	return vfs_same(vfs_count(read(fds[0], buf, LEN), LEN), buf,
			vfs.image + OFF, LEN);
}

static const char *process_read(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	struct iovec to = { buf, LEN }, from = { p, LEN };

	return vfs_same(vfs_count(process_vm_readv(getpid(), &to, 1, &from, 1,
						   0), LEN),
			buf, vfs.image + OFF, LEN);
}

static const char *process_write(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	struct iovec from = { vfs_bytes, LEN }, to = { p, LEN };

	return vfs_holds(vfs_count(process_vm_writev(getpid(), &from, 1, &to, 1,
						     0), LEN),
			 OFF, vfs_bytes, LEN);
}

static const char *proc_mem_read(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	int mem = vfs_set_up(open("/proc/self/mem", O_RDWR));

	return vfs_same(vfs_count(pread(mem, buf, LEN, (uintptr_t)p), LEN),
			buf, vfs.image + OFF, LEN);
}

static const char *proc_mem_write(long prot)
{
	char *p = vfs_map(OFF, LEN, prot, MAP_SHARED);
	int mem = vfs_set_up(open("/proc/self/mem", O_RDWR));

	return vfs_holds(vfs_count(pwrite(mem, vfs_bytes, LEN, (uintptr_t)p),
				   LEN), OFF, vfs_bytes, LEN);
}

/* The kernel finds the futex by the inode and the place in it */
static const char *futex_wake(long arg)
{
	char *p = vfs_map(OFF, PG, RW, MAP_SHARED);

	return vfs_ret(syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0));
}

static const char *send_mapping(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	int fds[2];

	vfs_set_up(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	vfs_set_up(send(fds[0], p, LEN, 0));
	return vfs_same(vfs_count(recv(fds[1], buf, LEN, MSG_WAITALL), LEN),
			buf, vfs.image + OFF, LEN);
}

const struct vfs_op vfs_pin_ops[] = {
	{ "O_DIRECT write to a disk, from a mapping", direct_write, 1 },
	{ "O_DIRECT write to a disk, from an untouched mapping",
	  direct_write, 0 },
	{ "O_DIRECT write to a disk, from a page of 2 MiB",
	  direct_write_huge },
	{ "O_DIRECT write to a disk, from a private mapping",
	  direct_write_private, 1 },
	{ "O_DIRECT write to a disk, from an untouched private mapping",
	  direct_write_private, 0 },
	{ "O_DIRECT read from a disk, into a mapping", direct_read,
	  MAP_SHARED },
	{ "O_DIRECT read from a disk, into a private mapping", direct_read,
	  MAP_PRIVATE },
	{ "vmsplice", pin_vmsplice, 0 },
	{ "vmsplice, SPLICE_F_GIFT", pin_vmsplice, SPLICE_F_GIFT },
	{ "vmsplice, then munmap", vmsplice_munmap },
	{ "process_vm_readv", process_read },
	{ "process_vm_writev", process_write },
	{ "read of /proc/PID/mem", proc_mem_read },
	{ "write to /proc/PID/mem", proc_mem_write, RW },
	{ "write to /proc/PID/mem, where it is read-only", proc_mem_write,
	  PROT_READ },
	{ "futex", futex_wake },
	{ "send from a mapping", send_mapping },
	{ }
};
