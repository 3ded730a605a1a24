/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts of a mount with maps, in debugfs */
#ifndef FMAP_COUNTER_H
#define FMAP_COUNTER_H

struct fmap_server;

/* A counter by its name, or -1 */
long fmap_counter(struct fmap_server *s, const char *name);

#endif /* FMAP_COUNTER_H */
