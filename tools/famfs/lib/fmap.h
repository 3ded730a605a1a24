/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's map as the kernel wants it.
 */
#ifndef FAMFS_FMAP_H
#define FAMFS_FMAP_H

#include <linux/fuse.h>
#include <linux/fuse_fmap.h>
#include <linux/ioctl.h>
#include <stddef.h>

#include "famfs_media.h"

/* Numbers of ours that a distribution's <linux/fuse.h> does not have yet. */
#define FAMFS_OP_GET_FMAP	54	/* FUSE_GET_FMAP */
#define FAMFS_OP_GET_DAXDEV	55	/* FUSE_GET_DAXDEV */
#define FAMFS_INIT_DAX_FMAP2	(1U << 12) /* FUSE_DAX_FMAP's bit of flags2 */
#define FAMFS_NOTIFY_STORE_FMAP	11	/* FUSE_NOTIFY_STORE_FMAP */

/* Nor its struct fuse_backing_map. */
struct famfs_backing_map {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;		/* the index of a device */
};

#define FAMFS_DEV_IOC_DAXDEV_OPEN \
	_IOW(FUSE_DEV_IOC_MAGIC, 4, struct famfs_backing_map)

/* The longest message that a media map can become. */
#define FAMFS_FMAP_MAX	(sizeof(struct fuse_famfs_fmap_header) + \
			 sizeof(struct fuse_famfs_iext) + \
			 FAMFS_MAX_STRIPS * sizeof(struct fuse_famfs_simple_ext))
#define FAMFS_STORE_MAX	(sizeof(struct fuse_out_header) + \
			 sizeof(struct fuse_notify_fmap_out) + FAMFS_FMAP_MAX)

/**
 * famfs_fmap_encode - write the reply to a GET_FMAP request
 * @map: the file's map, checked
 * @size: bytes of the file
 * @file_type: enum fuse_famfs_file_type
 * @room: bytes that the kernel has for the reply
 * @buf: FAMFS_FMAP_MAX bytes
 *
 * A reply for which there is no room is the header alone: its fmap_size tells
 * the kernel how much to ask with.
 *
 * Return: bytes of the reply.
 */
size_t famfs_fmap_encode(const struct famfs_map *map, uint64_t size,
			 enum fuse_famfs_file_type file_type, size_t room,
			 void *buf);

/**
 * famfs_fmap_store - write the notification that gives the kernel a map
 * @nodeid: the file
 * @map: its whole map, checked
 * @size: bytes of the file
 * @file_type: enum fuse_famfs_file_type
 * @buf: FAMFS_STORE_MAX bytes, for one write to /dev/fuse
 *
 * Return: bytes of the message.
 */
size_t famfs_fmap_store(uint64_t nodeid, const struct famfs_map *map,
			uint64_t size, enum fuse_famfs_file_type file_type,
			void *buf);

#endif /* FAMFS_FMAP_H */
