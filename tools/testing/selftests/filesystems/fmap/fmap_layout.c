// SPDX-License-Identifier: GPL-2.0
/* Layouts: the published encoding, and the arithmetic of places */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmap_layout.h"

static size_t encoded_len(const struct fmap_layout *l)
{
	size_t len = sizeof(struct fuse_famfs_fmap_header);
	struct fmap_ext e;
	uint32_t i;

	for (i = 0; i < l->nextents; i++) {
		fmap_get_ext(l, i, &e);
		len += (1 + e.nstrips) * sizeof(struct fuse_famfs_simple_ext);
	}

	return len;
}

static void *put_run(void *p, const struct fmap_run *run)
{
	struct fuse_famfs_simple_ext se = {
		.se_devindex = run->dev,
		.se_offset = run->off,
		.se_len = run->len,
	};

	return mempcpy(p, &se, sizeof(se));
}

static void *put_ext(void *p, const struct fmap_ext *e)
{
	struct fuse_famfs_iext ie = {
		.ie_nstrips = e->nstrips,
		.ie_chunk_size = e->chunk,
		.ie_nbytes = e->nbytes,
	};
	uint32_t i;

	if (!e->nstrips)
		return put_run(p, &e->run[0]);

	p = mempcpy(p, &ie, sizeof(ie));
	for (i = 0; i < e->nstrips; i++)
		p = put_run(p, &e->run[i]);

	return p;
}

void *fmap_encode(const struct fmap_layout *l, size_t *len)
{
	struct fuse_famfs_fmap_header hdr = {
		.fmap_version = FUSE_FAMFS_FMAP_VERSION,
		.ext_type = l->type,
		.nextents = l->nextents,
		.file_size = l->size,
	};
	struct fmap_ext e;
	uint8_t *buf, *p;
	uint32_t i;

	*len = encoded_len(l);
	hdr.fmap_size = *len;
	buf = malloc(*len);
	if (!buf)
		return NULL;

	p = mempcpy(buf, &hdr, sizeof(hdr));
	for (i = 0; i < l->nextents; i++) {
		fmap_get_ext(l, i, &e);
		p = put_ext(p, &e);
	}

	return buf;
}

uint64_t fmap_ext_bytes(const struct fmap_ext *e)
{
	return e->nstrips ? e->nbytes : e->run[0].len;
}

void fmap_get_ext(const struct fmap_layout *l, uint32_t i, struct fmap_ext *e)
{
	if (i >= l->nextents) {
		fprintf(stderr, "# no extent holds this byte\n");
		abort();
	}
	if (l->ext)
		*e = l->ext[i];
	else
		l->make(i, e);
}

uint32_t fmap_find_ext(const struct fmap_layout *l, uint64_t *pos,
		       struct fmap_ext *e)
{
	uint32_t i = 0;

	if (!l->ext) {
		i = *pos / l->each;
		*pos %= l->each;
	}
	for (; l->ext && i < l->nextents; i++) {
		if (*pos < fmap_ext_bytes(&l->ext[i]))
			break;
		*pos -= fmap_ext_bytes(&l->ext[i]);
	}
	fmap_get_ext(l, i, e);

	return i;
}

struct fmap_place fmap_locate(const struct fmap_layout *l, uint64_t pos)
{
	const struct fmap_run *run;
	struct fmap_ext e;

	fmap_find_ext(l, &pos, &e);
	run = &e.run[0];
	if (e.nstrips) {
		uint64_t chunk = pos / e.chunk;

		run = &e.run[chunk % e.nstrips];
		pos = chunk / e.nstrips * e.chunk + pos % e.chunk;
	}

	return (struct fmap_place) { run->dev, run->off + pos };
}

uint64_t fmap_to_edge(const struct fmap_layout *l, uint64_t pos)
{
	struct fmap_ext e;
	uint64_t left;

	fmap_find_ext(l, &pos, &e);
	left = fmap_ext_bytes(&e) - pos;
	if (e.nstrips && e.chunk - pos % e.chunk < left)
		left = e.chunk - pos % e.chunk;

	return left;
}
