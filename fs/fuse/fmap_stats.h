/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: what is counted, per CPU, for a connection
 */
#ifndef _FS_FUSE_FMAP_STATS_H
#define _FS_FUSE_FMAP_STATS_H

#include <linux/percpu.h>

#include "fmap_map.h"
#include "fuse_i.h"

/* What is counted for a connection; fmap_stats.c has their names */
enum fmap_stat {
	FMAP_OPENS_MAPPED,
	FMAP_OPENS_ORDINARY,
	FMAP_OPENS_REFUSED,
	FMAP_FETCHES,
	FMAP_FETCH_ERRORS,
	FMAP_INSTALLS,
	FMAP_EVICTIONS,
	FMAP_FAULTS_4K,
	FMAP_FAULTS_2M,
	FMAP_FALLBACKS,
	FMAP_FAULTS_FAILED,
	FMAP_LOOKUP_MISSES,
	FMAP_READS,
	FMAP_WRITES,
	FMAP_REFUSALS,
	FMAP_INVALIDATIONS,
	FMAP_STORES,
	FMAP_MAP_BYTES,
	FMAP_CLAIM_BYTES,
	FMAP_NR_STATS,
};

/**
 * struct fmap_stats - counters of one CPU for one connection
 * @n: by enum fmap_stat
 */
struct fmap_stats {
	u64 n[FMAP_NR_STATS];
};

/* On a connection with maps only */
static inline void fmap_count(struct inode *inode, enum fmap_stat stat)
{
	this_cpu_inc(get_fuse_conn(inode)->fmap->stats->n[stat]);
}

/* Count the memory that a piece takes (@sign 1) or gives back (-1) */
static inline void fmap_count_piece(struct inode *inode,
				    const struct fmap_piece *piece, int sign)
{
	struct fmap_stats __percpu *stats = get_fuse_conn(inode)->fmap->stats;

	this_cpu_add(stats->n[FMAP_MAP_BYTES],
		     sign * (s64)fmap_piece_bytes(piece));
	this_cpu_add(stats->n[FMAP_CLAIM_BYTES],
		     sign * (s64)fmap_claim_bytes(piece));
}

void fmap_stats_add(struct fuse_conn *fc);
void fmap_stats_remove(struct fuse_conn *fc);
int fmap_refuse(struct inode *inode, const char *what, int err);

#endif /* _FS_FUSE_FMAP_STATS_H */
