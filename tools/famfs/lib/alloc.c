// SPDX-License-Identifier: Apache-2.0
#include "alloc.h"

#include <inttypes.h>
#include <string.h>

#include "size.h"

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint32_t ndevs(const struct famfs_want *w,
		      const struct famfs_geometry *g)
{
	return w->ndevs ? w->ndevs : g->ndevs;
}

static uint32_t nth_dev(const struct famfs_want *w, uint32_t i)
{
	return w->ndevs ? w->dev[i] : i;
}

static int check_want(const struct famfs_want *w,
		      const struct famfs_geometry *g, struct famfs_error *e)
{
	uint32_t i, k;

	if (w->size > INT64_MAX - g->alloc_unit)
		return famfs_fail(e, -EINVAL, "size %" PRIu64
				  " is too large for any file", w->size);
	if (w->ndevs > FAMFS_MAX_DEVICES)
		return famfs_fail(e, -EINVAL, "too many devices");
	for (i = 0; i < w->ndevs; i++) {
		if (w->dev[i] >= g->ndevs)
			return famfs_fail(e, -EINVAL, "there is no device %u; they are 0 to %u",
					  w->dev[i], g->ndevs - 1);
		for (k = 0; k < i; k++)
			if (w->dev[k] == w->dev[i])
				return famfs_fail(e, -EINVAL, "device %u is named twice",
						  w->dev[i]);
	}
	if (!w->nstrips)
		return 0;
	if (w->nstrips > FAMFS_MAX_STRIPS)
		return famfs_fail(e, -EINVAL, "%u strips: %d are possible",
				  w->nstrips, FAMFS_MAX_STRIPS);
	if (!w->chunk || w->chunk % FAMFS_MEDIA_PAGE || w->chunk > UINT32_MAX)
		return famfs_fail(e, -EINVAL, "a chunk is a multiple of 4K, not %"
				  PRIu64, w->chunk);
	return 0;
}

static int no_space(const struct famfs_want *w, const struct famfs_geometry *g,
		    struct famfs_error *e)
{
	char a[FAMFS_SIZE_TEXT], b[FAMFS_SIZE_TEXT], c[FAMFS_SIZE_TEXT];
	uint64_t free = 0, largest = 0;
	struct famfs_range r;
	uint32_t i;

	for (i = 0; i < ndevs(w, g); i++) {
		r = famfs_space_largest(&g->space[nth_dev(w, i)]);
		free += g->space[nth_dev(w, i)].free;
		if (r.end - r.start > largest)
			largest = r.end - r.start;
	}
	return famfs_fail(e, -ENOSPC, "no room for %s: %s are free, %s in one piece",
			  famfs_size_text(w->size, a), famfs_size_text(free, b),
			  famfs_size_text(largest, c));
}

/* Take @len bytes of one device, where the gap is tightest. */
static int take_fit(struct famfs_extent *x, uint32_t dev, uint64_t len,
		    const struct famfs_geometry *g)
{
	struct famfs_range fit;
	int err = famfs_space_fit(&g->space[dev], len, &fit);

	if (err)
		return err;
	*x = (struct famfs_extent){ dev, fit.start, len };
	return famfs_space_take(&g->space[dev], fit.start, len);
}

static int take_contiguous(const struct famfs_want *w,
			   const struct famfs_geometry *g,
			   struct famfs_map *map)
{
	uint64_t len = round_up(w->size, g->alloc_unit);
	int err = -ENOSPC;
	uint32_t i;

	map->count = 1;
	for (i = 0; err == -ENOSPC && i < ndevs(w, g); i++)
		err = take_fit(&map->se[0], nth_dev(w, i), len, g);
	if (err)
		map->count = 0;
	return err;
}

static int take_largest(const struct famfs_want *w,
			const struct famfs_geometry *g,
			struct famfs_extent *x, uint64_t most)
{
	struct famfs_range r, best = { 0 };
	uint32_t i, dev = 0;

	for (i = 0; i < ndevs(w, g); i++) {
		r = famfs_space_largest(&g->space[nth_dev(w, i)]);
		if (r.end - r.start > best.end - best.start) {
			best = r;
			dev = nth_dev(w, i);
		}
	}
	if (best.start == best.end)
		return -ENOSPC;
	*x = (struct famfs_extent){ dev, best.start, best.end - best.start };
	if (x->len > most)
		x->len = most;
	return famfs_space_take(&g->space[dev], x->offset, x->len);
}

static int take_pieces(const struct famfs_want *w,
		       const struct famfs_geometry *g, struct famfs_map *map)
{
	uint64_t left = round_up(w->size, g->alloc_unit);
	int err;

	while (left) {
		if (map->count == FAMFS_MAX_EXTENTS)
			return -ENOSPC;
		err = take_largest(w, g, &map->se[map->count], left);
		if (err)
			return err;
		left -= map->se[map->count++].len;
	}
	return 0;
}

static int take_strips(const struct famfs_want *w,
		       const struct famfs_geometry *g, struct famfs_map *map)
{
	uint64_t share;
	uint32_t i;
	int err;

	map->ext_type = FAMFS_MAP_INTERLEAVE;
	map->count = 1;
	map->ie.chunk_size = w->chunk;
	for (i = 0; i < w->nstrips; i++) {
		share = famfs_strip_share(w->size, w->chunk, w->nstrips, i);
		/* A strip that holds nothing still needs a place. */
		share = round_up(share ? share : 1, g->alloc_unit);
		err = take_fit(&map->ie.strips[i],
			       nth_dev(w, i % ndevs(w, g)), share, g);
		if (err)
			return err;
		map->ie.nstrips++;
	}
	return 0;
}

int famfs_alloc(const struct famfs_want *w, const struct famfs_geometry *g,
		struct famfs_map *map, struct famfs_error *e)
{
	int err = check_want(w, g, e);

	memset(map, 0, sizeof(*map));
	if (err || !w->size)
		return err;

	if (w->nstrips) {
		err = take_strips(w, g, map);
	} else {
		err = take_contiguous(w, g, map);
		if (err == -ENOSPC)
			err = take_pieces(w, g, map);
	}
	if (!err)
		return 0;
	famfs_map_release(map, g);
	memset(map, 0, sizeof(*map));
	if (err == -ENOMEM)
		return famfs_fail(e, err, "out of memory");
	return no_space(w, g, e);
}
