// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: counters of a connection, and tracepoints
 *
 * A person reads the counters in debugfs, as fuse/N/fmap, where N names the
 * connection as in /sys/fs/fuse/connections.  They are per CPU: a fault or a
 * read must not write to memory that others write to.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#define CREATE_TRACE_POINTS
#include "fmap_trace.h"

static const char * const fmap_stat_names[FMAP_NR_STATS] = {
	[FMAP_OPENS_MAPPED]	= "opens_mapped",
	[FMAP_OPENS_ORDINARY]	= "opens_ordinary",
	[FMAP_OPENS_REFUSED]	= "opens_refused",
	[FMAP_FETCHES]		= "fetches",
	[FMAP_FETCH_ERRORS]	= "fetch_errors",
	[FMAP_INSTALLS]		= "installs",
	[FMAP_EVICTIONS]	= "evictions",
	[FMAP_FAULTS_4K]	= "faults_4k",
	[FMAP_FAULTS_2M]	= "faults_2m",
	[FMAP_FALLBACKS]	= "fallbacks",
	[FMAP_FAULTS_FAILED]	= "faults_failed",
	[FMAP_LOOKUP_MISSES]	= "lookup_misses",
	[FMAP_READS]		= "reads",
	[FMAP_WRITES]		= "writes",
	[FMAP_REFUSALS]		= "refusals",
	[FMAP_INVALIDATIONS]	= "invalidations",
	[FMAP_STORES]		= "stores",
	[FMAP_MAP_BYTES]	= "map_bytes",
	[FMAP_CLAIM_BYTES]	= "claim_bytes",
};

/* The folder of all connections; an error pointer without debugfs */
static struct dentry *fmap_debug_root;

static u64 fmap_stat_sum(const struct fmap_stats __percpu *stats,
			 enum fmap_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(stats, cpu)->n[stat];
	return sum;
}

static int fmap_stats_show(struct seq_file *m, void *unused)
{
	const struct fuse_fmap_conn *fmc = m->private;

	for (int i = 0; i < FMAP_NR_STATS; i++)
		seq_printf(m, "%-15s %llu\n", fmap_stat_names[i],
			   fmap_stat_sum(fmc->stats, i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(fmap_stats);

/**
 * fmap_stats_add - show the counters of a connection
 * @fc: the connection; its fuse_fmap_conn.lock is held
 */
void fmap_stats_add(struct fuse_conn *fc)
{
	struct fuse_fmap_conn *fmc = fc->fmap;
	char name[16];

	lockdep_assert_held(&fmc->lock);
	snprintf(name, sizeof(name), "%u", fc->dev);
	fmc->debug = debugfs_create_dir(name, fmap_debug_root);
	debugfs_create_file("fmap", 0400, fmc->debug, fmc, &fmap_stats_fops);
}

/**
 * fmap_stats_remove - show them no more
 * @fc: the connection
 *
 * Context: May sleep; waits for who reads them.
 */
void fmap_stats_remove(struct fuse_conn *fc)
{
	debugfs_remove(fc->fmap->debug);
	fc->fmap->debug = NULL;
}

/**
 * fmap_refuse - count and trace what a mapped file does not do
 * @inode: the file
 * @what: what was asked for
 * @err: the negative errno of the refusal
 *
 * Return: @err
 */
int fmap_refuse(struct inode *inode, const char *what, int err)
{
	fmap_count(inode, FMAP_REFUSALS);
	trace_fmap_refuse(inode, what, err);
	return err;
}

/* Of the module: nothing here can fail so that anybody else would care */
void __init fuse_fmap_init(void)
{
	fmap_debug_root = debugfs_create_dir("fuse", NULL);
}

void fuse_fmap_exit(void)
{
	debugfs_remove(fmap_debug_root);
}
