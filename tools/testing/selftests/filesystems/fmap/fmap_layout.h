/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layouts: where the bytes of a test's file lie
 *
 * A test describes a file once. The same description is encoded into the reply
 * that the server sends, and tells naively, page by page, where the kernel
 * should find the bytes.
 */
#ifndef FMAP_LAYOUT_H
#define FMAP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/fuse_fmap.h>

#define KB		1024ULL
#define MB		(1024 * KB)
#define PG		4096ULL

/* Strips of one extent that a description has room for */
#define FMAP_STRIPS	4

/* A run of one device */
struct fmap_run {
	uint32_t dev;
	uint64_t off;
	uint64_t len;
};

/*
 * An extent: run[0] if nstrips is 0, else nbytes bytes, interleaved over the
 * first nstrips runs
 */
struct fmap_ext {
	uint32_t nstrips;
	uint32_t chunk;
	uint64_t nbytes;
	struct fmap_run run[FMAP_STRIPS];
};

/* Extents that are too many to be written down are made when they are needed */
struct fmap_layout {
	uint32_t type;
	uint64_t size;
	uint32_t nextents;
	const struct fmap_ext *ext;	/* NULL: they are made */
	void (*make)(uint32_t i, struct fmap_ext *e);
	uint64_t each;		/* bytes of the file in each that is made */
};

/* Where a byte lies */
struct fmap_place {
	uint32_t dev;
	uint64_t off;
};

#define FMAP_SIMPLE(d, o, l)						\
	{ .run = { { (d), (o), (l) } } }

#define FMAP_STRIPED(n, c, b, ...)					\
	{ .nstrips = (n), .chunk = (c), .nbytes = (b), .run = { __VA_ARGS__ } }

#define FMAP_LAYOUT(t, s, e)						\
	{ .type = (t), .size = (s),					\
	  .nextents = sizeof(e) / sizeof((e)[0]), .ext = (e) }

#define FMAP_MADE(t, s, n, b, m)					\
	{ .type = (t), .size = (s), .nextents = (n), .each = (b),	\
	  .make = (m) }

/* Encoded layout, to be freed; its length is in @len */
void *fmap_encode(const struct fmap_layout *l, size_t *len);

/* The extent that holds @pos, which becomes relative to it; @e is a copy of it */
uint32_t fmap_find_ext(const struct fmap_layout *l, uint64_t *pos,
		       struct fmap_ext *e);

void fmap_get_ext(const struct fmap_layout *l, uint32_t i, struct fmap_ext *e);
uint64_t fmap_ext_bytes(const struct fmap_ext *e);

struct fmap_place fmap_locate(const struct fmap_layout *l, uint64_t pos);

/* Bytes from @pos to the next edge of an extent or a chunk */
uint64_t fmap_to_edge(const struct fmap_layout *l, uint64_t pos);

#endif /* FMAP_LAYOUT_H */
