// SPDX-License-Identifier: GPL-2.0
/* What the kernel's tracepoints tell, counted */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmap_trace.h"

#define TRACEFS		"/sys/kernel/tracing"

static int write_file(const struct fmap_trace *t, const char *name,
		      const char *value)
{
	char path[192];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

int fmap_trace_start(struct fmap_trace *t, const char *event)
{
	char enable[96];
	int ret;

	t->dir[0] = '\0';
	/* Where it is mounted already, that is fine */
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		return -errno;
	snprintf(t->dir, sizeof(t->dir), TRACEFS "/instances/fmap-%d-%.24s",
		 getpid(), strrchr(event, '/') + 1);
	if (mkdir(t->dir, 0700)) {
		t->dir[0] = '\0';
		return -errno;
	}

	snprintf(enable, sizeof(enable), "events/%s/enable", event);
	ret = write_file(t, enable, "1");
	if (ret)
		fmap_trace_stop(t);

	return ret;
}

int fmap_trace_count(const struct fmap_trace *t, const char *part)
{
	char path[96], line[512];
	int count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", t->dir);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		count += line[0] != '#' && strstr(line, part);
	fclose(f);

	return count;
}

void fmap_trace_clear(const struct fmap_trace *t)
{
	write_file(t, "trace", "");
}

/* Removing the folder ends the recording */
void fmap_trace_stop(struct fmap_trace *t)
{
	if (t->dir[0])
		rmdir(t->dir);
	t->dir[0] = '\0';
}
