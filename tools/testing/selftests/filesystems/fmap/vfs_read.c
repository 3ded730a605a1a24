// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: reads */
#include <sys/stat.h>
#include <sys/uio.h>

#include "vfs_ops.h"

#define OFF		(MB + 77)
#define LEN		(3 * PG + 5)

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE	0x80
#endif

static alignas(4096) unsigned char buf[8 * PG];

static const char *read_some(long off)
{
	return vfs_same(vfs_count(pread(vfs.fd, buf, LEN, off), LEN), buf,
			vfs.image + off, LEN);
}

/* The part that is there must be right */
static const char *read_across(long arg)
{
	off_t off = VFS_SIZE - 100;
	const char *answer = vfs_count(pread(vfs.fd, buf, LEN, off), LEN);

	return memcmp(buf, vfs.image + off, 100) ? "wrong data" : answer;
}

static const char *read_behind(long off)
{
	return vfs_count(pread(vfs.fd, buf, LEN, off), LEN);
}

static const char *read_position(long arg)
{
	vfs_set_up(lseek(vfs.fd, OFF, SEEK_SET));
	if (read(vfs.fd, buf, LEN) != LEN)
		return "short";

	return lseek(vfs.fd, 0, SEEK_CUR) == OFF + LEN ? "ok" : "position";
}

static const char *read_vector(long flags)
{
	struct iovec iov[3] = {
		{ buf, 1000 }, { buf + 1000, 1 }, { buf + 1001, LEN - 1001 },
	};
	ssize_t n;

	memset(buf, 0, sizeof(buf));
	n = preadv2(vfs.fd, iov, 3, OFF, flags);
	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

/* Memory that is touched only by the read has to be faulted in */
static const char *read_nowait_untouched(long arg)
{
	void *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov = { p, LEN };
	const char *answer;

	answer = vfs_count(preadv2(vfs.fd, &iov, 1, OFF, RWF_NOWAIT), LEN);
	return vfs_same(answer, p, vfs.image + OFF, LEN);
}

struct direct {
	off_t off;
	size_t len;
	size_t shift;
};

static const struct direct direct[] = {
	{ MB, 2 * PG, 0 }, { MB + 5, 2 * PG, 0 }, { MB, 777, 0 }, { MB, PG, 3 },
};

static const char *read_direct(long i)
{
	const struct direct *d = &direct[i];
	int fd = open(vfs.path, O_RDONLY | O_DIRECT);
	ssize_t n;

	if (fd < 0)
		return vfs_ret(fd);
	n = pread(fd, buf + d->shift, d->len, d->off);
	return vfs_same(vfs_count(n, d->len), buf + d->shift,
			vfs.image + d->off, d->len);
}

static const char *read_bad_address(long arg)
{
	void *p = mmap(NULL, PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return vfs_count(pread(vfs.fd, p, PG, OFF), PG);
}

/* The page that is read into is one of the file, and not mapped yet */
static const char *read_own_mapping(long arg)
{
	char *p = vfs_map(MB + MB / 2, PG, PROT_READ | PROT_WRITE, MAP_SHARED);
	const char *answer = vfs_count(pread(vfs.fd, p, PG, OFF), PG);

	return vfs_holds(answer, MB + MB / 2, vfs.image + OFF, PG);
}

static const char *read_ahead(long arg)
{
	return vfs_ret(readahead(vfs.fd, 0, MB));
}

static const char *read_mtime(long arg)
{
	struct stat before, after;

	vfs_set_up(fstat(vfs.fd, &before));
	usleep(50000);
	vfs_set_up(pread(vfs.fd, buf, LEN, OFF));
	vfs_set_up(fstat(vfs.fd, &after));

	return memcmp(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim)) ?
	       "moves" : "stays";
}

const struct vfs_op vfs_read_ops[] = {
	{ "read", read_some, OFF },
	{ "read of the last bytes", read_some, VFS_SIZE - LEN },
	{ "read over the end", read_across },
	{ "read at the end", read_behind, VFS_SIZE },
	{ "read far behind the end", read_behind, 1L << 62 },
	{ "read moves the position", read_position },
	{ "readv", read_vector, 0 },
	{ "read, RWF_NOWAIT", read_vector, RWF_NOWAIT },
	{ "read, RWF_NOWAIT, into untouched memory", read_nowait_untouched },
	{ "read, RWF_HIPRI", read_vector, RWF_HIPRI },
	{ "read, RWF_DONTCACHE", read_vector, RWF_DONTCACHE },
	{ "read, O_DIRECT", read_direct, 0 },
	{ "read, O_DIRECT, odd offset", read_direct, 1 },
	{ "read, O_DIRECT, odd length", read_direct, 2 },
	{ "read, O_DIRECT, odd address", read_direct, 3 },
	{ "read to a bad address", read_bad_address },
	{ "read into a mapping of the file itself", read_own_mapping },
	{ "readahead", read_ahead },
	{ "mtime when it is read", read_mtime },
	{ }
};
