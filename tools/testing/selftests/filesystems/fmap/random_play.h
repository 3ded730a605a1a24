/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random play: operations on one file, and a copy of what it must hold
 *
 * Everything that a play does follows from its seed, so that it can be played
 * again. What it compares with lies in shared memory: a child of fork() stores
 * to the file and to the copy, and both are the parent's as well.
 */
#ifndef RANDOM_PLAY_H
#define RANDOM_PLAY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fmap_util.h"
#include "kselftest.h"

#define PLAY_VIEWS	7
#define PLAY_PRIVATE	2	/* the first views are private */
#define PLAY_POOL	(MB)

/* A mapping of a part of the file, in whole pages */
struct play_view {
	char *p;		/* NULL: there is none */
	uint64_t off;
	size_t len;
	char *copy;		/* private: what stores have made of the file */
	bool *copied;		/* private: the pages that stores have copied */
};

struct play {
	struct fmap_server *s;
	const struct fmap_layout *l;
	int fd;
	char *shadow;		/* what the file holds */
	char *buf;		/* as large as the file, and a page */
	const char *pool;	/* random bytes, to be written */
	uint64_t rng;
	bool log;		/* tell what is done */
	unsigned int nr;	/* of the operation that is done */
	const char *name;
	struct play_view view[PLAY_VIEWS];
};

/* random_play.c: begin and end, choices, complaints */
bool play_begin(struct play *p, struct fmap_server *s,
		const struct fmap_layout *l, uint64_t seed);
void play_end(struct play *p);
bool play_compare_all(struct play *p);

uint64_t play_below(struct play *p, uint64_t n);
bool play_one_in(struct play *p, unsigned int n);
uint64_t play_place(struct play *p);
size_t play_len(struct play *p);
const char *play_data(struct play *p, size_t len);
size_t play_clamp(const struct play *p, uint64_t off, size_t len);

__printf(2, 3)
void play_say(struct play *p, const char *fmt, ...);

/* Says what is wrong, and is false */
__printf(2, 3)
bool play_wrong(struct play *p, const char *fmt, ...);

/* True if @got is what is wanted, and errno too if that is -1 */
bool play_is(struct play *p, const char *what, long got, long want, int error);

/* The operations; false when something was wrong */
typedef bool play_op(struct play *p);

/* random_io.c: by system calls on the descriptor */
play_op play_write, play_write_mapped, play_append, play_read;
play_op play_read_mapped, play_copy_range, play_sync, play_zero_range;
play_op play_reserve, play_refused, play_direct, play_reopen;

/* random_maps.c: by mappings */
play_op play_map, play_unmap, play_store, play_load, play_remap, play_protect;
play_op play_advise, play_msync, play_fork;

#endif /* RANDOM_PLAY_H */
