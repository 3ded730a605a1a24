// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: locks, leases, and who watches a file */
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "vfs_ops.h"

static const char *lock_all(long op)
{
	return vfs_ret(flock(vfs.fd, op));
}

static const char *lock_all_taken(long arg)
{
	vfs_set_up(flock(vfs_open(O_RDWR), LOCK_EX));
	return vfs_ret(flock(vfs.fd, LOCK_EX | LOCK_NB));
}

static struct flock range(off_t start)
{
	return (struct flock) { .l_type = F_WRLCK, .l_start = start,
				.l_len = PG };
}

static const char *lock_range(long start)
{
	struct flock lock = range(start);

	return vfs_ret(fcntl(vfs.fd, F_SETLK, &lock));
}

/* Another process wants it, or asks who has it */
static const char *lock_range_taken(long cmd)
{
	struct flock lock = range(PG);
	pid_t pid, owner = getpid();
	int status;

	vfs_set_up(fcntl(vfs.fd, F_SETLK, &lock));
	pid = vfs_set_up(fork());
	if (!pid) {
		lock = range(PG);
		if (fcntl(vfs.fd, cmd, &lock))
			_exit(errno);
		_exit(cmd == F_GETLK && lock.l_pid != owner ? ESRCH : 0);
	}
	vfs_set_up(waitpid(pid, &status, 0));
	errno = WEXITSTATUS(status);

	return vfs_ret(errno ? -1 : 0);
}

static const char *lock_file_range(long taken)
{
	struct flock lock = range(PG);
	int fd = vfs_open(O_RDWR);

	if (taken)
		vfs_set_up(fcntl(vfs.fd, F_OFD_SETLK, &lock));
	lock = range(PG);

	return vfs_ret(fcntl(fd, F_OFD_SETLK, &lock));
}

/* Nobody else has it open: nor has this process, by other descriptors */
static const char *lease(long type)
{
	int fd;

	close(vfs.fd);
	fd = vfs_open(type == F_RDLCK ? O_RDONLY : O_RDWR);
	return vfs_ret(fcntl(fd, F_SETLEASE, type));
}

/* Its holder is told that somebody wants to write */
static const char *lease_break(long arg)
{
	struct timespec patience = { .tv_sec = 5 };
	sigset_t set;
	int fd;

	close(vfs.fd);
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = vfs_open(O_RDONLY);
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		return vfs_ret(-1);
	if (open(vfs.path, O_WRONLY | O_NONBLOCK) >= 0)
		return "opened";

	return sigtimedwait(&set, NULL, &patience) == SIGIO ? "told" :
							      "not told";
}

static void change(bool store)
{
	char *p;

	if (!store) {
		vfs_set_up(pwrite(vfs.fd, "x", 1, MB));
		return;
	}
	p = vfs_map(MB, PG, PROT_READ | PROT_WRITE, MAP_SHARED);
	fmap_touch(p, 1, 1, true);
}

static const char *told(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 1000) == 1 ? "told" : "not told";
}

static const char *watch(long store)
{
	int fd = vfs_set_up(inotify_init1(IN_NONBLOCK));

	vfs_set_up(inotify_add_watch(fd, vfs.path, IN_MODIFY));
	change(store);
	return told(fd);
}

static const char *watch_read(long arg)
{
	int fd = vfs_set_up(inotify_init1(IN_NONBLOCK));
	char c;

	vfs_set_up(inotify_add_watch(fd, vfs.path, IN_ACCESS));
	vfs_set_up(pread(vfs.fd, &c, 1, 0));
	return told(fd);
}

static const char *watch_fanotify(long arg)
{
	int fd = vfs_set_up(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC,
					  O_RDONLY));

	vfs_set_up(fanotify_mark(fd, FAN_MARK_ADD, FAN_MODIFY, AT_FDCWD,
				 vfs.path));
	change(false);
	return told(fd);
}

static const char *watch_folder(long arg)
{
	struct timespec patience = { .tv_sec = 1 };
	char *path = strdup(vfs.path);
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = vfs_set_up(open(dirname(path), O_RDONLY));
	if (fcntl(fd, F_NOTIFY, DN_MODIFY))
		return vfs_ret(-1);
	change(false);

	return sigtimedwait(&set, NULL, &patience) == SIGIO ? "told" :
							      "not told";
}

const struct vfs_op vfs_lock_ops[] = {
	{ "flock", lock_all, LOCK_EX },
	{ "flock, another has it", lock_all_taken },
	{ "fcntl, F_SETLK", lock_range, PG },
	{ "fcntl, F_SETLK, behind the end", lock_range, VFS_SIZE + MB },
	{ "fcntl, F_SETLK, another has it", lock_range_taken, F_SETLK },
	{ "fcntl, F_GETLK, another has it", lock_range_taken, F_GETLK },
	{ "fcntl, F_OFD_SETLK", lock_file_range, 0 },
	{ "fcntl, F_OFD_SETLK, another has it", lock_file_range, 1 },
	{ "lease to read", lease, F_RDLCK },
	{ "lease to write", lease, F_WRLCK },
	{ "lease to read, another opens to write", lease_break },
	{ "inotify, write", watch, false },
	{ "inotify, store", watch, true },
	{ "inotify, read", watch_read },
	{ "fanotify, write", watch_fanotify },
	{ "dnotify, write", watch_folder },
	{ }
};
