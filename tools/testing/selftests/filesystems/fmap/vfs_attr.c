// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: attributes, and the programs that a file can be */
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "vfs_ops.h"

static struct stat state(void)
{
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	return st;
}

static const char *change_mode(long mode)
{
	const char *answer = vfs_ret(fchmod(vfs.fd, mode));

	if (vfs_ok(answer) && (state().st_mode & 07777) != mode)
		return "no effect";

	return answer;
}

static const char *change_owner(long id)
{
	const char *answer = vfs_ret(fchown(vfs.fd, id, id));

	if (vfs_ok(answer) && (state().st_uid != id || state().st_gid != id))
		return "no effect";

	return answer;
}

static const char *change_times(long sec)
{
	struct timespec times[2] = { { .tv_sec = sec }, { .tv_sec = sec } };
	const char *answer = vfs_ret(futimens(vfs.fd, times));

	if (vfs_ok(answer) && state().st_mtim.tv_sec != sec)
		return "no effect";

	return answer;
}

static const char *touch_now(long arg)
{
	return vfs_ret(utimensat(AT_FDCWD, vfs.path, NULL, 0));
}

static const char *xattr(long arg)
{
	char got[8] = "", names[256] = "";
	long ret = fsetxattr(vfs.fd, "user.vfs_ops", "value", 5, 0);

	if (ret)
		return vfs_ret(ret);
	if (fgetxattr(vfs.fd, "user.vfs_ops", got, sizeof(got)) != 5 ||
	    memcmp(got, "value", 5))
		return "lost";
	if (flistxattr(vfs.fd, names, sizeof(names)) <= 0 ||
	    !memmem(names, sizeof(names), "user.vfs_ops", 13))
		return "not listed";

	return vfs_ret(fremovexattr(vfs.fd, "user.vfs_ops"));
}

static const char *xattr_none(long arg)
{
	return vfs_ret(fgetxattr(vfs.fd, "user.none", NULL, 0));
}

/* One user more may read */
static const char *access_list(long arg)
{
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry e[5];
	} acl = {
		{ POSIX_ACL_XATTR_VERSION }, {
			{ ACL_USER_OBJ, 6, ~0U }, { ACL_USER, 4, 1000 },
			{ ACL_GROUP_OBJ, 4, ~0U }, { ACL_MASK, 4, ~0U },
			{ ACL_OTHER, 4, ~0U },
		},
	};
	long ret = fsetxattr(vfs.fd, "system.posix_acl_access", &acl,
			     sizeof(acl), 0);

	if (ret)
		return vfs_ret(ret);
	return vfs_ret(fremovexattr(vfs.fd, "system.posix_acl_access"));
}

/* The header that makes a file swap space */
static const char *swap_on(long arg)
{
	uint32_t info[2] = { 1, VFS_SIZE / PG - 1 };
	long ret;

	vfs_set_up(pwrite(vfs.fd, info, sizeof(info), 1024));
	vfs_set_up(pwrite(vfs.fd, "SWAPSPACE2", 10, PG - 10));
	ret = swapon(vfs.path, 0);
	if (!ret)
		swapoff(vfs.path);

	return vfs_ret(ret);
}

/* A program, written into the file */
static void put_program(void)
{
	static char buf[MB];
	int fd = vfs_set_up(open("/bin/true", O_RDONLY | O_CLOEXEC));
	size_t n = vfs_set_up(read(fd, buf, sizeof(buf)));

	close(fd);
	vfs_set_up(pwrite(vfs.fd, buf, n, 0));
	vfs_set_up(fchmod(vfs.fd, 0755));
}

static const char *execute(long arg)
{
	int status;
	pid_t pid;

	put_program();
	close(vfs.fd);
	pid = vfs_set_up(fork());
	if (!pid) {
		execl(vfs.path, vfs.path, NULL);
		_exit(errno);
	}
	vfs_set_up(waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		return sigabbrev_np(WTERMSIG(status));
	errno = WEXITSTATUS(status);

	return vfs_ret(errno ? -1 : 0);
}

static const char *execute_written(long arg)
{
	put_program();
	return vfs_ret(execl(vfs.path, vfs.path, NULL));
}

static const char *add_seals(long seals)
{
	return vfs_ret(fcntl(vfs.fd, F_ADD_SEALS, seals));
}

static const char *write_hint(long arg)
{
	uint64_t hint = RWH_WRITE_LIFE_LONG;

	return vfs_ret(fcntl(vfs.fd, F_SET_RW_HINT, &hint));
}

static const char *set_flags(long flags)
{
	long ret = fcntl(vfs.fd, F_SETFL, flags);

	if (ret)
		return vfs_ret(ret);
	return fcntl(vfs.fd, F_GETFL) & flags ? "ok" : "no effect";
}

const struct vfs_op vfs_attr_ops[] = {
	{ "chmod", change_mode, 0600 },
	{ "chmod to set-uid", change_mode, 04755 },
	{ "chown", change_owner, 1000 },
	{ "utimensat", change_times, 1000000000 },
	{ "utimensat to now", touch_now },
	{ "setxattr, getxattr, listxattr, removexattr", xattr },
	{ "getxattr of none", xattr_none },
	{ "access control list", access_list },
	{ "fcntl, F_SETFL, O_DIRECT", set_flags, O_DIRECT },
	{ "fcntl, F_SETFL, O_APPEND", set_flags, O_APPEND },
	{ "fcntl, F_SET_RW_HINT", write_hint },
	{ "fcntl, F_ADD_SEALS", add_seals, F_SEAL_SHRINK | F_SEAL_GROW },
	{ "swapon", swap_on },
	{ "execve", execute },
	{ "execve of what is open to write", execute_written },
	{ }
};
