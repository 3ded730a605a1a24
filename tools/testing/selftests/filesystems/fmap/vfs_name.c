// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: names of a file that is in use; memory failure */
#include <libgen.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "vfs_ops.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define RW		(PROT_READ | PROT_WRITE)
#define LEN		(4 * PG)

static unsigned char buf[LEN];

static const char *holds(const char *answer, int fd)
{
	vfs_set_up(pread(fd, buf, LEN, MB));
	return vfs_same(answer, buf, vfs.image + MB, LEN);
}

/* There, and back again */
static const char *rename_open(long arg)
{
	int fd = vfs_open_other(O_RDWR);
	const char *answer;
	char to[300];

	snprintf(to, sizeof(to), "%s.moved", vfs.other);
	answer = holds(vfs_ret(rename(vfs.other, to)), fd);
	if (vfs_ok(answer))
		vfs_set_up(rename(to, vfs.other));

	return answer;
}

static const char *unlink_open(long arg)
{
	int fd = vfs_open_other(O_RDWR);
	const char *answer = holds(vfs_ret(unlink(vfs.other)), fd);

	answer = vfs_ok(answer) ? vfs_count(pwrite(fd, vfs.image + MB, LEN,
						   MB), LEN) : answer;
	vfs_restore(vfs.other);
	return answer;
}

static const char *unlink_mapped(long arg)
{
	int fd = vfs_open_other(O_RDWR);
	char *p = mmap(NULL, LEN, RW, MAP_SHARED, fd, MB);
	const char *answer;

	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap");
	close(fd);
	answer = vfs_same(vfs_ret(unlink(vfs.other)), p, vfs.image + MB, LEN);
	vfs_restore(vfs.other);
	return answer;
}

static const char *reopen(const char *path, int flags)
{
	int fd = open(path, flags);

	return fd < 0 ? vfs_ret(fd) : holds("ok", fd);
}

static const char *open_flags(long flags)
{
	return reopen(vfs.path, flags);
}

static const char *open_again(long arg)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vfs.fd);
	return reopen(path, O_RDWR);
}

static const char *open_path(long arg)
{
	int fd = vfs_open(O_PATH);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return reopen(path, O_RDONLY);
}

static const char *open_unnamed(long arg)
{
	char *path = strdup(vfs.path);

	return vfs_ret(open(dirname(path), O_TMPFILE | O_RDWR, 0600));
}

static const char *open_handle(long arg)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int id, fd;

	if (name_to_handle_at(AT_FDCWD, vfs.path, &u.handle, &id, 0))
		return vfs_ret(-1);
	fd = open_by_handle_at(vfs.fd, &u.handle, O_RDWR);

	return fd < 0 ? vfs_ret(fd) : holds("ok", fd);
}

/* A page of anonymous memory that a private mapping got */
static const char *poison_private(long advice)
{
	char *p = vfs_map(MB, LEN, RW, MAP_PRIVATE);
	const char *answer;

	memcpy(p, vfs_bytes, PG);
	answer = vfs_ret(madvise(p, PG, advice));
	if (vfs_ok(answer) && fmap_sigbus(p, false))
		return "SIGBUS";

	return answer;
}

/*
 * A page of the file; the memory is bad from now on. Who advises has it mapped
 * and wants to know early, so it is told by a signal, then or at the next touch.
 */
static const char *poison_shared(long advice)
{
	char *p = vfs_map(MB, LEN, RW, MAP_SHARED);
	const char *answer;

	fmap_touch(p, LEN, PG, false);
	answer = vfs_ret(madvise(p, PG, advice));
	if (!vfs_ok(answer))
		return answer;
	if (!fmap_sigbus(p, false))
		return "not told";
	return fmap_sigbus(p + PG, false) ? "all SIGBUS" : "SIGBUS";
}

const struct vfs_op vfs_name_ops[] = {
	{ "open, O_DIRECT", open_flags, O_RDWR | O_DIRECT },
	{ "open, O_NOATIME", open_flags, O_RDWR | O_NOATIME },
	{ "open, O_NONBLOCK", open_flags, O_RDWR | O_NONBLOCK },
	{ "open, O_CREAT and O_EXCL", open_flags, O_RDWR | O_CREAT | O_EXCL },
	{ "open, O_DIRECTORY", open_flags, O_RDONLY | O_DIRECTORY },
	{ "open, O_TMPFILE, in its folder", open_unnamed },
	{ "open of /proc/self/fd", open_again },
	{ "open of what was opened with O_PATH", open_path },
	{ "name_to_handle_at, open_by_handle_at", open_handle },
	{ "rename while it is open", rename_open },
	{ "unlink while it is open", unlink_open },
	{ "unlink while it is mapped", unlink_mapped },
	{ }
};

const struct vfs_op vfs_last_ops[] = {
	{ "madvise, MADV_SOFT_OFFLINE, shared", poison_shared,
	  MADV_SOFT_OFFLINE },
	{ "madvise, MADV_HWPOISON, private", poison_private, MADV_HWPOISON },
	{ "madvise, MADV_HWPOISON, shared", poison_shared, MADV_HWPOISON },
	{ }
};
