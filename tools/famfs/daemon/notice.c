// SPDX-License-Identifier: Apache-2.0
#include "daemon.h"

#include <stdio.h>
#include <syslog.h>

static bool detached;

void famfsd_notice(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (detached) {
		vsyslog(priority, fmt, ap);
	} else {
		flockfile(stderr);
		fputs("mount.fuse.famfs: ", stderr);
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
		funlockfile(stderr);
	}
	va_end(ap);
}

void famfsd_notice_detach(void)
{
	openlog("mount.fuse.famfs", LOG_PID, LOG_DAEMON);
	detached = true;
}
