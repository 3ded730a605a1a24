// SPDX-License-Identifier: Apache-2.0
#include "fmap.h"

#include <string.h>

#include "map.h"

static_assert(sizeof(struct fuse_famfs_fmap_header) == 32, "wire header");
static_assert(sizeof(struct fuse_famfs_simple_ext) == 24, "wire extent");
static_assert(sizeof(struct fuse_famfs_iext) == 24, "wire interleave");
static_assert(sizeof(struct fuse_daxdev_out) == 280, "wire device");
static_assert(sizeof(struct fuse_get_fmap_in) == 24, "wire request");
static_assert(sizeof(struct fuse_notify_fmap_out) == 32, "wire notification");
static_assert(sizeof(struct fuse_out_header) == 16, "wire reply");
static_assert(FAMFS_DEV_IOC_DAXDEV_OPEN == 0x4010e504, "wire ioctl");

static void *put_extents(void *at, const struct famfs_map *map)
{
	uint32_t i, count;
	const struct famfs_extent *x = famfs_map_extents(map, &count);
	struct fuse_famfs_simple_ext se = { 0 };

	for (i = 0; i < count; i++) {
		se.se_devindex = x[i].devindex;
		se.se_offset = x[i].offset;
		se.se_len = x[i].len;
		memcpy(at, &se, sizeof(se));
		at = (char *)at + sizeof(se);
	}
	return at;
}

static void *put_interleave(void *at, const struct famfs_map *map,
			    uint64_t size)
{
	struct fuse_famfs_iext ie = {
		.ie_nstrips = map->ie.nstrips,
		.ie_chunk_size = map->ie.chunk_size,
		.ie_nbytes = size,
	};

	memcpy(at, &ie, sizeof(ie));
	return (char *)at + sizeof(ie);
}

size_t famfs_fmap_encode(const struct famfs_map *map, uint64_t size,
			 enum fuse_famfs_file_type file_type, size_t room,
			 void *buf)
{
	struct fuse_famfs_fmap_header h = {
		.file_type = file_type,
		.fmap_version = FUSE_FAMFS_FMAP_VERSION,
		.ext_type = map->ext_type == FAMFS_MAP_INTERLEAVE ?
			FUSE_FAMFS_EXT_INTERLEAVE : FUSE_FAMFS_EXT_SIMPLE,
		.file_size = size,
	};
	char *at = (char *)buf + sizeof(h);

	/* The kernel takes extents of an empty file for a mistake. */
	if (size) {
		h.nextents = map->count;
		if (map->ext_type == FAMFS_MAP_INTERLEAVE)
			at = put_interleave(at, map, size);
		at = put_extents(at, map);
	}
	h.fmap_size = at - (char *)buf;
	memcpy(buf, &h, sizeof(h));
	return h.fmap_size <= room ? h.fmap_size : sizeof(h);
}

size_t famfs_fmap_store(uint64_t nodeid, const struct famfs_map *map,
			uint64_t size, enum fuse_famfs_file_type file_type,
			void *buf)
{
	/* No unique: it answers nothing, and error is its code. */
	struct fuse_out_header out = { .error = FAMFS_NOTIFY_STORE_FMAP };
	struct fuse_notify_fmap_out part = { .nodeid = nodeid };
	char *at = (char *)buf + sizeof(out) + sizeof(part);

	out.len = sizeof(out) + sizeof(part) +
		famfs_fmap_encode(map, size, file_type, FAMFS_FMAP_MAX, at);
	memcpy(buf, &out, sizeof(out));
	memcpy((char *)buf + sizeof(out), &part, sizeof(part));
	return out.len;
}
