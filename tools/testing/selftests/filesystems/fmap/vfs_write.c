// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: writes */
#include <sys/stat.h>
#include <sys/uio.h>

#include "vfs_ops.h"

#define OFF		(MB + 77)
#define LEN		(3 * PG + 5)

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x20
#endif
#ifndef RWF_ATOMIC
#define RWF_ATOMIC	0x40
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE	0x80
#endif

static const char *write_at(int fd, off_t off)
{
	ssize_t n = pwrite(fd, vfs_bytes, LEN, off);

	return vfs_holds(vfs_count(n, LEN), off, vfs_bytes, LEN);
}

static const char *write_some(long off)
{
	return write_at(vfs.fd, off);
}

static const char *write_across(long arg)
{
	off_t off = VFS_SIZE - 100;
	const char *answer = write_at(vfs.fd, off);

	return vfs_ok(vfs_holds("ok", off, vfs_bytes, 100)) ?
	       answer : "wrong data";
}

static const char *write_nothing(long off)
{
	return vfs_count(pwrite(vfs.fd, "", 0, off), 0);
}

static const char *write_opened(long flags)
{
	int fd = open(vfs.path, O_WRONLY | flags);

	if (fd < 0)
		return vfs_ret(fd);

	return write_at(fd, OFF);
}

static const char *write_append(long arg)
{
	int fd = vfs_open(O_WRONLY | O_APPEND);

	return vfs_count(write(fd, vfs_bytes, LEN), LEN);
}

static const char *write_vector(long flags)
{
	struct iovec iov[3] = {
		{ vfs_bytes, 1000 },
		{ vfs_bytes + 1000, 1 },
		{ vfs_bytes + 1001, LEN - 1001 },
	};
	ssize_t n = pwritev2(vfs.fd, iov, 3, OFF, flags);

	return vfs_holds(vfs_count(n, LEN), OFF, vfs_bytes, LEN);
}

static const char *write_rwf_append(long arg)
{
	struct iovec iov = { vfs_bytes, LEN };

	return vfs_count(pwritev2(vfs.fd, &iov, 1, OFF, RWF_APPEND), LEN);
}

static const char *write_noappend(long arg)
{
	struct iovec iov = { vfs_bytes, LEN };
	int fd = vfs_open(O_WRONLY | O_APPEND);
	ssize_t n = pwritev2(fd, &iov, 1, OFF, RWF_NOAPPEND);

	return vfs_holds(vfs_count(n, LEN), OFF, vfs_bytes, LEN);
}

/* One block, at a multiple of it, as it would have to be */
static const char *write_atomic(long arg)
{
	struct iovec iov = { vfs_bytes, PG };
	int fd = vfs_open(O_WRONLY | O_DIRECT);

	return vfs_count(pwritev2(fd, &iov, 1, MB, RWF_ATOMIC), PG);
}

struct direct {
	off_t off;
	size_t len;
	size_t shift;
};

static const struct direct direct[] = {
	{ MB, 2 * PG, 0 }, { MB + 5, 2 * PG, 0 }, { MB, 777, 0 }, { MB, PG, 3 },
};

static alignas(4096) unsigned char aligned[4 * PG];

static const char *write_direct(long i)
{
	const struct direct *d = &direct[i];
	int fd = open(vfs.path, O_WRONLY | O_DIRECT);
	ssize_t n;

	if (fd < 0)
		return vfs_ret(fd);
	memcpy(aligned, vfs_bytes, sizeof(aligned));
	n = pwrite(fd, aligned + d->shift, d->len, d->off);
	return vfs_holds(vfs_count(n, d->len), d->off, aligned + d->shift,
			 d->len);
}

static const char *write_bad_address(long arg)
{
	void *p = mmap(NULL, PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return vfs_count(pwrite(vfs.fd, p, PG, OFF), PG);
}

/* The first bytes are good ones */
static const char *write_half_bad(long arg)
{
	char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, vfs_bytes, PG);
	vfs_set_up(munmap(p + PG, PG));
	return vfs_count(pwrite(vfs.fd, p, 2 * PG, OFF), 2 * PG);
}

static const char *write_own_mapping(long arg)
{
	char *p = vfs_map(MB + MB / 2, PG, PROT_READ, MAP_SHARED);
	const char *answer = vfs_count(pwrite(vfs.fd, p, PG, OFF), PG);

	return vfs_holds(answer, OFF, vfs.image + MB + MB / 2, PG);
}

/* Others' mappings see the bytes at once, and are not torn down */
static const char *write_mapped(long arg)
{
	char *p = vfs_map(MB, 4 * PG, PROT_READ, MAP_SHARED);
	struct fmap_faults faults;
	const char *answer;

	fmap_touch(p, 4 * PG, PG, false);
	answer = vfs_count(pwrite(vfs.fd, vfs_bytes, 4 * PG, MB), 4 * PG);
	faults = fmap_touch(p, 4 * PG, PG, false);
	if (faults.minor + faults.major)
		return "unmapped";

	return vfs_same(answer, p, vfs_bytes, 4 * PG);
}

const struct vfs_op vfs_write_ops[] = {
	{ "write", write_some, OFF },
	{ "write of the last bytes", write_some, VFS_SIZE - LEN },
	{ "write over the end", write_across },
	{ "write at the end", write_some, VFS_SIZE },
	{ "write behind the end", write_some, VFS_SIZE + MB },
	{ "write of nothing behind the end", write_nothing, VFS_SIZE + MB },
	{ "write, O_APPEND", write_append },
	{ "write, O_SYNC", write_opened, O_SYNC },
	{ "write, O_DSYNC", write_opened, O_DSYNC },
	{ "writev", write_vector, 0 },
	{ "write, RWF_APPEND", write_rwf_append },
	{ "write, O_APPEND and RWF_NOAPPEND", write_noappend },
	{ "write, RWF_NOWAIT", write_vector, RWF_NOWAIT },
	{ "write, RWF_DSYNC", write_vector, RWF_DSYNC },
	{ "write, RWF_SYNC", write_vector, RWF_SYNC },
	{ "write, RWF_HIPRI", write_vector, RWF_HIPRI },
	{ "write, RWF_ATOMIC", write_atomic },
	{ "write, RWF_DONTCACHE", write_vector, RWF_DONTCACHE },
	{ "write, O_DIRECT", write_direct, 0 },
	{ "write, O_DIRECT, odd offset", write_direct, 1 },
	{ "write, O_DIRECT, odd length", write_direct, 2 },
	{ "write, O_DIRECT, odd address", write_direct, 3 },
	{ "write from a bad address", write_bad_address },
	{ "write from memory that ends too soon", write_half_bad },
	{ "write from a mapping of the file itself", write_own_mapping },
	{ "write to what is mapped", write_mapped },
	{ }
};
