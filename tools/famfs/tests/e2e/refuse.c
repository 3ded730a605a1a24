// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded into the daemon, this is a kernel that refuses what older ones do
 * not know: with REFUSE_DAXDEV=errno devices by descriptor, with
 * REFUSE_STORE=errno maps that it has not asked for.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fmap.h"

static int refused(const char *what)
{
	const char *how = getenv(what);

	return how ? atoi(how) : 0;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	int err = cmd == FAMFS_DEV_IOC_DAXDEV_OPEN ?
		refused("REFUSE_DAXDEV") : 0;
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!err)
		return syscall(SYS_ioctl, fd, cmd, arg);
	errno = err;
	return -1;
}

static bool is_store(const void *buf, size_t len)
{
	struct fuse_out_header out;

	if (len < sizeof(out))
		return false;
	memcpy(&out, buf, sizeof(out));
	return out.len == len && !out.unique &&
		out.error == FAMFS_NOTIFY_STORE_FMAP;
}

ssize_t write(int fd, const void *buf, size_t len)
{
	int err = is_store(buf, len) ? refused("REFUSE_STORE") : 0;

	if (!err)
		return syscall(SYS_write, fd, buf, len);
	errno = err;
	return -1;
}
