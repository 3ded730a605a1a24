// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: madvise, and posix_fadvise */
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		VFS_HUGE
#define LEN		HUGE_PG

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#define MADV_GUARD_INSTALL_	102
#define MADV_GUARD_REMOVE_	103

/* Its bytes must be the file's, before and after */
static const char *advise(long advice)
{
	char *p = vfs_map_at(0, OFF, LEN, RW, MAP_SHARED);
	const char *answer;

	fmap_touch(p, PG, PG, false);
	answer = vfs_ret(madvise(p, LEN, advice));

	return vfs_same(answer, p, vfs.image + OFF, LEN);
}

/* The bytes are zero afterwards, or what they were */
static const char *advise_remove(long arg)
{
	char *p = vfs_map_at(0, OFF, LEN, RW, MAP_SHARED);
	const char *answer;

	fmap_touch(p, PG, PG, false);
	answer = vfs_ret(madvise(p, LEN, MADV_REMOVE));
	if (vfs_ok(answer))
		return p[0] || memcmp(p, p + 1, LEN - 1) ? "wrong data" : "ok";

	return memcmp(p, vfs.image + OFF, LEN) ? "wrong data" : answer;
}

static const char *advise_private(long advice)
{
	char *p = vfs_map_at(0, OFF, LEN, RW, MAP_PRIVATE);
	const char *answer;

	memcpy(p, vfs_bytes, PG);
	answer = vfs_ret(madvise(p, LEN, advice));
	if (!vfs_ok(answer))
		return answer;
	if (memcmp(p + PG, vfs.image + OFF + PG, LEN - PG))
		return "wrong data";
	if (!memcmp(p, vfs_bytes, PG))
		return "ok";

	return memcmp(p, vfs.image + OFF, PG) ? "wrong data" :
						"the file's bytes";
}

static const char *populate(long advice)
{
	char *p = vfs_map_at(0, OFF, LEN, RW, MAP_SHARED);
	const char *answer = vfs_ret(madvise(p, LEN, advice));
	bool write = advice == MADV_POPULATE_WRITE;
	struct fmap_faults faults = fmap_touch(p, LEN, LEN, write);

	if (vfs_ok(answer) && faults.minor + faults.major)
		return "not populated";

	return answer;
}

static const char *populate_behind(long advice)
{
	char *p = vfs_map(VFS_SIZE, PG, RW, MAP_SHARED);

	return vfs_ret(madvise(p, PG, advice));
}

/* A child has no such mapping: what lies there is not its own */
static const char *dont_fork(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);
	unsigned char vec;
	int status;
	pid_t pid;

	vfs_set_up(madvise(p, PG, MADV_DONTFORK));
	pid = vfs_set_up(fork());
	if (!pid)
		_exit(mincore(p, PG, &vec) ? 1 : 0);
	vfs_set_up(waitpid(pid, &status, 0));

	return WEXITSTATUS(status) ? "ok" : "inherited";
}

static const char *wipe_on_fork(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);

	return vfs_ret(madvise(p, PG, MADV_WIPEONFORK));
}

static const char *guard(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);
	long ret = madvise(p, PG, MADV_GUARD_INSTALL_);

	if (ret < 0)
		return vfs_ret(ret);
	vfs_set_up(madvise(p, PG, MADV_GUARD_REMOVE_));
	return vfs_same("ok", p, vfs.image + MB, PG);
}

static const char *process_advise(long advice)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);
	struct { void *base; size_t len; } iov = { p, PG };
	int pidfd = vfs_set_up(syscall(SYS_pidfd_open, getpid(), 0));

	return vfs_count(syscall(SYS_process_madvise, pidfd, &iov, 1, advice,
				 0), PG);
}

static const char *file_advise(long advice)
{
	errno = posix_fadvise(vfs.fd, 0, VFS_SIZE, advice);
	return vfs_holds(vfs_ret(errno ? -1 : 0), 0, vfs.image, MB);
}

const struct vfs_op vfs_advice_ops[] = {
	{ "madvise, MADV_NORMAL", advise, MADV_NORMAL },
	{ "madvise, MADV_SEQUENTIAL", advise, MADV_SEQUENTIAL },
	{ "madvise, MADV_RANDOM", advise, MADV_RANDOM },
	{ "madvise, MADV_WILLNEED", advise, MADV_WILLNEED },
	{ "madvise, MADV_DONTNEED, shared", advise, MADV_DONTNEED },
	{ "madvise, MADV_DONTNEED, private", advise_private, MADV_DONTNEED },
	{ "madvise, MADV_FREE, shared", advise, MADV_FREE },
	{ "madvise, MADV_FREE, private", advise_private, MADV_FREE },
	{ "madvise, MADV_REMOVE", advise_remove },
	{ "madvise, MADV_HUGEPAGE", advise, MADV_HUGEPAGE },
	{ "madvise, MADV_NOHUGEPAGE", advise, MADV_NOHUGEPAGE },
	{ "madvise, MADV_COLLAPSE", advise, MADV_COLLAPSE },
	{ "madvise, MADV_COLD, shared", advise, MADV_COLD },
	{ "madvise, MADV_COLD, private", advise_private, MADV_COLD },
	{ "madvise, MADV_PAGEOUT, shared", advise, MADV_PAGEOUT },
	{ "madvise, MADV_PAGEOUT, private", advise_private, MADV_PAGEOUT },
	{ "madvise, MADV_POPULATE_READ", populate, MADV_POPULATE_READ },
	{ "madvise, MADV_POPULATE_WRITE", populate, MADV_POPULATE_WRITE },
	{ "madvise, MADV_POPULATE_READ behind the end", populate_behind,
	  MADV_POPULATE_READ },
	{ "madvise, MADV_MERGEABLE, shared", advise, MADV_MERGEABLE },
	{ "madvise, MADV_MERGEABLE, private", advise_private,
	  MADV_MERGEABLE },
	{ "madvise, MADV_UNMERGEABLE", advise, MADV_UNMERGEABLE },
	{ "madvise, MADV_DONTDUMP", advise, MADV_DONTDUMP },
	{ "madvise, MADV_DONTFORK", dont_fork },
	{ "madvise, MADV_WIPEONFORK", wipe_on_fork },
	{ "madvise, MADV_GUARD_INSTALL and _REMOVE", guard },
	{ "process_madvise, MADV_COLD", process_advise, MADV_COLD },
	{ "posix_fadvise, POSIX_FADV_NORMAL", file_advise,
	  POSIX_FADV_NORMAL },
	{ "posix_fadvise, POSIX_FADV_SEQUENTIAL", file_advise,
	  POSIX_FADV_SEQUENTIAL },
	{ "posix_fadvise, POSIX_FADV_RANDOM", file_advise,
	  POSIX_FADV_RANDOM },
	{ "posix_fadvise, POSIX_FADV_WILLNEED", file_advise,
	  POSIX_FADV_WILLNEED },
	{ "posix_fadvise, POSIX_FADV_DONTNEED", file_advise,
	  POSIX_FADV_DONTNEED },
	{ "posix_fadvise, POSIX_FADV_NOREUSE", file_advise,
	  POSIX_FADV_NOREUSE },
	{ }
};
