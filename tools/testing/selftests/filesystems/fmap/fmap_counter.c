// SPDX-License-Identifier: GPL-2.0
/* What the kernel counts of a mount with maps, in debugfs */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fmap_counter.h"
#include "fmap_server.h"

#define DEBUGFS		"/sys/kernel/debug"

static FILE *open_counters(struct fmap_server *s)
{
	struct stat st;
	char path[96];

	/* Where it is mounted already, that is fine */
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL) && errno != EBUSY)
		return NULL;
	if (stat(s->dir, &st))
		return NULL;
	snprintf(path, sizeof(path), DEBUGFS "/fuse/%u/fmap",
		 (unsigned int)st.st_dev);

	return fopen(path, "re");
}

long fmap_counter(struct fmap_server *s, const char *name)
{
	FILE *f = open_counters(s);
	long value = -1, n;
	char line[64];

	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld\n", line, &n) == 2)
		if (!strcmp(line, name))
			value = n;
	fclose(f);

	return value;
}
