// SPDX-License-Identifier: GPL-2.0
/* What a file holds, and whether somebody who waits for it will end */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fmap_check.h"
#include "fmap_util.h"

static bool is_seed(const char *bytes, size_t len, uint64_t off,
		    unsigned int seed)
{
	char want[PG];
	size_t n;

	for (; len; bytes += n, off += n, len -= n) {
		n = len < sizeof(want) ? len : sizeof(want);
		fmap_fill(want, n, seed, off);
		if (memcmp(bytes, want, n))
			return false;
	}

	return true;
}

int fmap_seed_of(const void *bytes, size_t len, uint64_t off)
{
	int seed;

	for (seed = 1; seed <= FMAP_SEEDS; seed++)
		if (is_seed(bytes, len, off, seed))
			return seed;

	return 0;
}

int fmap_read_seed(int fd, uint64_t off, size_t len)
{
	char buf[64 * KB];
	int seed, all = -1;
	size_t n;

	for (; len; off += n, len -= n) {
		ssize_t got;

		n = len < sizeof(buf) ? len : sizeof(buf);
		got = pread(fd, buf, n, off);
		if (got < 0)
			return -errno;
		if (got != (ssize_t)n)
			return -ENODATA;
		seed = fmap_seed_of(buf, n, off);
		if (!seed || (all > 0 && seed != all))
			return 0;
		all = seed;
	}

	return all;
}

pid_t fmap_start(int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (!pid)
		_exit(fn(arg));

	return pid;
}

int fmap_exit_soon(pid_t pid)
{
	int i, status;

	for (i = 0; i < 1000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) ?
			       FMAP_KILLED + WTERMSIG(status) :
			       (signed char)WEXITSTATUS(status);
		usleep(10000);
	}
	kill(pid, SIGKILL);

	return -ETIMEDOUT;
}

bool fmap_still_waits(pid_t pid)
{
	siginfo_t info = { };

	usleep(300000);
	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       !info.si_pid;
}
