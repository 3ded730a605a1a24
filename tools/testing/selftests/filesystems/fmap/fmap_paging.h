/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps that a server tells page by page
 *
 * A page begins where the kernel asks for it, and holds as much as there is room
 * for, or less if the test wants that. Before a page goes out the test may spoil
 * it, in the server's process.
 */
#ifndef FMAP_PAGING_H
#define FMAP_PAGING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fuse.h>

#include "fmap_layout.h"

/* Room that the kernel offers at first, and where it does not ask for the start */
#define FMAP_FIRST_ROOM	4096
#define FMAP_AMID_ROOM	(4 * FMAP_FIRST_ROOM)

#define FMAP_ASKED	512

struct fmap_server;

/* A request, and where the reply said that the next page begins */
struct fmap_asked {
	struct fuse_get_fmap_in in;
	uint64_t next;
};

/* A page on its way out. Behind it there is room for FMAP_SPOIL bytes. */
#define FMAP_SPOIL	4096

struct fmap_page {
	const struct fuse_get_fmap_in *in;
	struct fuse_famfs_fmap_header *map;
	size_t len;
	int error;		/* it is answered with this errno, not by the page */
};

struct fmap_paging {
	struct fmap_layout l;
	uint64_t bytes;		/* of the file in all extents */
	uint32_t max_exts;	/* in a page; 0: as many as it has room for */
	uint64_t max_bytes;	/* of the file in a page, by cutting; 0: any */
	bool heeds_length;	/* it sends no more than was asked for */
	bool keeps_whole;	/* it points to the start of what it might cut */
	void (*spoil)(struct fmap_page *page, const void *arg);
	const void *spoil_arg;
	atomic_uint nr_asked;
	struct fmap_asked asked[FMAP_ASKED];	/* the last ones, round and round */
};

/* A file of this layout, which is told page by page */
struct fmap_paging *fmap_server_paged(struct fmap_server *s, const char *name,
				      const struct fmap_layout *l);

/* The last request but @back */
const struct fmap_asked *fmap_last_asked(const struct fmap_paging *p,
					 unsigned int back);

/*
 * Read the rest of the map from its first unknown byte on, a byte of each page:
 * the number of requests, or -errno. Nothing else of the file must be known.
 */
int fmap_fetch_rest(const struct fmap_paging *p, int fd);

#endif /* FMAP_PAGING_H */
