/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's map as the media has it: is it right, and whose memory does it
 * claim.
 */
#ifndef FAMFS_MAP_H
#define FAMFS_MAP_H

#include "error.h"
#include "famfs_media.h"
#include "space.h"

/* What a map is checked against: the devices of the file system. */
struct famfs_geometry {
	uint64_t alloc_unit;
	uint32_t ndevs;
	struct famfs_space *space;		/* one for each device */
};

/**
 * famfs_map_extents - the pieces of memory that a map names
 * @map: a checked map
 * @count: set to how many there are
 *
 * Return: its extents, or its strips.
 */
const struct famfs_extent *famfs_map_extents(const struct famfs_map *map,
					     uint32_t *count);

/**
 * famfs_strip_share - how much of a file lies on one strip
 * @size: bytes of the file
 * @chunk: bytes on a strip before the next one's turn
 * @nstrips: strips
 * @strip: which one
 */
uint64_t famfs_strip_share(uint64_t size, uint64_t chunk, uint64_t nstrips,
			   uint64_t strip);

/**
 * famfs_map_check - is every field of a map right
 * @map: the map
 * @size: bytes of the file
 * @g: the devices
 * @e: the reason of a failure
 *
 * Whether the memory is free is famfs_map_claim()'s question.
 *
 * Return: 0 or -EINVAL.
 */
int famfs_map_check(const struct famfs_map *map, uint64_t size,
		    const struct famfs_geometry *g, struct famfs_error *e);

/**
 * famfs_map_claim - take a checked map's memory, all or nothing
 * @map: the map
 * @g: the devices, whose space changes
 * @e: the reason of a failure
 *
 * Return: 0, -EEXIST if some of it is not free, or -ENOMEM.
 */
int famfs_map_claim(const struct famfs_map *map,
		    const struct famfs_geometry *g, struct famfs_error *e);
void famfs_map_release(const struct famfs_map *map,
		       const struct famfs_geometry *g);

#endif /* FAMFS_MAP_H */
