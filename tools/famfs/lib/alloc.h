/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding memory for a new file.
 */
#ifndef FAMFS_ALLOC_H
#define FAMFS_ALLOC_H

#include "error.h"
#include "map.h"

struct famfs_want {
	uint64_t size;			/* bytes of the file */
	uint64_t chunk;			/* interleaved only */
	uint32_t nstrips;		/* 0: a simple map */
	uint32_t ndevs;			/* 0: any device */
	uint32_t dev[FAMFS_MAX_DEVICES];
};

/**
 * famfs_alloc - make a map for a new file and take its memory
 * @w: what is wanted
 * @g: the devices, whose space changes
 * @map: filled in
 * @e: the reason of a failure
 *
 * A simple map is one extent where a device has room for it, in the order of
 * the devices; else the largest free ranges are put together. Strips go round
 * the devices in their order; each is contiguous.
 *
 * Return: 0, -EINVAL, -ENOSPC or -ENOMEM.
 */
int famfs_alloc(const struct famfs_want *w, const struct famfs_geometry *g,
		struct famfs_map *map, struct famfs_error *e);

#endif /* FAMFS_ALLOC_H */
