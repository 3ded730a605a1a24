// SPDX-License-Identifier: Apache-2.0
/*
 * How far a copy is, on a terminal only.
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "size.h"

#define BAR	24
#define EVERY	0.1			/* seconds */

static double started, shown;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void show(const struct copy *c, double at)
{
	char done[FAMFS_SIZE_TEXT], size[FAMFS_SIZE_TEXT], rate[FAMFS_SIZE_TEXT];
	double passed = at - started > 0.001 ? at - started : 0.001;
	int filled = c->size ? (int)((double)c->done / c->size * BAR) : BAR;
	const char *slash = strrchr(c->to, '/');

	fprintf(stderr, "\r%.30s [%.*s%*s] %s of %s, %s/s \033[K",
		slash ? slash + 1 : c->to, filled, "########################", BAR - filled, "",
		famfs_size_text(c->done, done), famfs_size_text(c->size, size),
		famfs_size_text((uint64_t)(c->done / passed), rate));
	shown = at;
}

void progress_show(const struct copy *c)
{
	double at;

	if (!isatty(STDERR_FILENO))
		return;
	at = now();
	if (!c->done)
		started = at;
	if (!c->done || at - shown >= EVERY)
		show(c, at);
}

void progress_end(const struct copy *c)
{
	if (!isatty(STDERR_FILENO))
		return;
	show(c, now());
	fputc('\n', stderr);
}
