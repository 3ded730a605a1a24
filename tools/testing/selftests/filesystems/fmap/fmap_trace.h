/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel's tracepoints tell, counted
 *
 * Each recording has a buffer of its own in tracefs, so that it disturbs no
 * other and holds nothing but its event.
 */
#ifndef FMAP_TRACE_H
#define FMAP_TRACE_H

#include <stdbool.h>

struct fmap_trace {
	char dir[64];		/* its instance in tracefs; "" if there is none */
};

/* Record an event, such as "fs_dax/dax_writeback_one": 0 or -errno */
int fmap_trace_start(struct fmap_trace *t, const char *event);

/* Events since the start or the last clearing whose text has @part, or -1 */
int fmap_trace_count(const struct fmap_trace *t, const char *part);

void fmap_trace_clear(const struct fmap_trace *t);
void fmap_trace_stop(struct fmap_trace *t);

#endif /* FMAP_TRACE_H */
