// SPDX-License-Identifier: Apache-2.0
#include "map.h"

#include <inttypes.h>
#include <string.h>

const struct famfs_extent *famfs_map_extents(const struct famfs_map *map,
					     uint32_t *count)
{
	if (map->ext_type == FAMFS_MAP_INTERLEAVE) {
		*count = map->count ? map->ie.nstrips : 0;
		return map->ie.strips;
	}
	*count = map->count;
	return map->se;
}

uint64_t famfs_strip_share(uint64_t size, uint64_t chunk, uint64_t nstrips,
			   uint64_t strip)
{
	uint64_t whole = size / chunk, tail = size % chunk;
	uint64_t share = whole / nstrips * chunk;

	if (strip < whole % nstrips)
		return share + chunk;
	return strip == whole % nstrips ? share + tail : share;
}

static int check_extent(const struct famfs_extent *x, uint32_t i,
			const struct famfs_geometry *g, struct famfs_error *e)
{
	if (x->devindex >= g->ndevs)
		return famfs_fail(e, -EINVAL, "extent %u is on device %" PRIu64
				  ", but there are %u", i, x->devindex,
				  g->ndevs);
	if (!x->len || x->len % g->alloc_unit || x->offset % g->alloc_unit)
		return famfs_fail(e, -EINVAL, "extent %u (%#" PRIx64 "+%#"
				  PRIx64 ") is not made of allocation units",
				  i, x->offset, x->len);
	if (x->offset + x->len < x->offset)
		return famfs_fail(e, -EINVAL, "extent %u (%#" PRIx64 "+%#"
				  PRIx64 ") goes round", i, x->offset, x->len);
	return 0;
}

static int check_simple(const struct famfs_map *map, uint64_t size,
			const struct famfs_geometry *g, struct famfs_error *e)
{
	uint64_t sum = 0;
	uint32_t i;
	int err;

	if (map->count > FAMFS_MAX_EXTENTS)
		return famfs_fail(e, -EINVAL, "it has %u extents, %d fit",
				  map->count, FAMFS_MAX_EXTENTS);
	for (i = 0; i < map->count; i++) {
		err = check_extent(&map->se[i], i, g, e);
		if (err)
			return err;
		if (sum + map->se[i].len < sum)
			return famfs_fail(e, -EINVAL, "its length overflows");
		sum += map->se[i].len;
	}
	if (sum < size)
		return famfs_fail(e, -EINVAL, "its extents hold %" PRIu64
				  " of %" PRIu64 " bytes", sum, size);
	return 0;
}

static int check_interleave(const struct famfs_map *map, uint64_t size,
			    const struct famfs_geometry *g,
			    struct famfs_error *e)
{
	const struct famfs_interleave *ie = &map->ie;
	uint64_t share;
	uint32_t i;
	int err;

	if (map->count != 1)
		return famfs_fail(e, -EINVAL, "it has %u interleaved extents, one is possible",
				  map->count);
	if (!ie->nstrips || ie->nstrips > FAMFS_MAX_STRIPS)
		return famfs_fail(e, -EINVAL, "it has %" PRIu64
				  " strips, 1 to %d are possible",
				  ie->nstrips, FAMFS_MAX_STRIPS);
	/* The wire has 32 bits for it. */
	if (!ie->chunk_size || ie->chunk_size % FAMFS_MEDIA_PAGE ||
	    ie->chunk_size > UINT32_MAX)
		return famfs_fail(e, -EINVAL, "its chunk size %" PRIu64
				  " is not made of pages", ie->chunk_size);
	for (i = 0; i < ie->nstrips; i++) {
		err = check_extent(&ie->strips[i], i, g, e);
		if (err)
			return err;
		share = famfs_strip_share(size, ie->chunk_size, ie->nstrips, i);
		if (ie->strips[i].len < share)
			return famfs_fail(e, -EINVAL, "strip %u holds %" PRIu64
					  " of %" PRIu64 " bytes", i,
					  ie->strips[i].len, share);
	}
	return 0;
}

int famfs_map_check(const struct famfs_map *map, uint64_t size,
		    const struct famfs_geometry *g, struct famfs_error *e)
{
	if (size > INT64_MAX)
		return famfs_fail(e, -EINVAL, "its size %" PRIu64
				  " is beyond all files", size);
	switch (map->ext_type) {
	case FAMFS_MAP_SIMPLE:
		return check_simple(map, size, g, e);
	case FAMFS_MAP_INTERLEAVE:
		return check_interleave(map, size, g, e);
	}
	return famfs_fail(e, -EINVAL, "its map's type %u is unknown",
			  map->ext_type);
}

static void give_back(const struct famfs_extent *x, uint32_t count,
		      const struct famfs_geometry *g)
{
	while (count--)
		famfs_space_give(&g->space[x[count].devindex],
				 x[count].offset, x[count].len);
}

int famfs_map_claim(const struct famfs_map *map,
		    const struct famfs_geometry *g, struct famfs_error *e)
{
	uint32_t i, count;
	const struct famfs_extent *x = famfs_map_extents(map, &count);
	int err;

	for (i = 0; i < count; i++) {
		err = famfs_space_take(&g->space[x[i].devindex], x[i].offset,
				       x[i].len);
		if (!err)
			continue;
		give_back(x, i, g);
		if (err == -ENOMEM)
			return famfs_fail(e, err, "out of memory");
		return famfs_fail(e, err, "extent %u (device %" PRIu64 ", %#"
				  PRIx64 "+%#" PRIx64 ") is beyond the device or used by something else",
				  i, x[i].devindex, x[i].offset, x[i].len);
	}
	return 0;
}

void famfs_map_release(const struct famfs_map *map,
		       const struct famfs_geometry *g)
{
	uint32_t count;
	const struct famfs_extent *x = famfs_map_extents(map, &count);

	give_back(x, count, g);
}
