/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system in memory: superblock, devices, free memory and names, as the
 * log tells; and the two changes that can be made to it. Nothing here locks:
 * a program with threads does that around these calls. Between two calls the
 * primary's node is not open; see famfs_dev_rest().
 */
#ifndef FAMFS_VOLUME_H
#define FAMFS_VOLUME_H

#include <stdbool.h>

#include "alloc.h"
#include "dev.h"
#include "error.h"
#include "famfs_media.h"
#include "tree.h"

struct famfs_volume_dev {
	uint8_t uuid[16];
	uint64_t size;
	char name[FAMFS_DEVNAME_MAX];	/* "" until it is found */
};

struct famfs_volume {
	struct famfs_dev primary;
	struct famfs_super super;
	struct famfs_log_header log;
	uint64_t replayed;		/* entries that are in the tree */
	bool broken;			/* an append failed half-way */
	struct famfs_tree tree;
	struct famfs_geometry geometry;
	struct famfs_space space[FAMFS_MAX_DEVICES];
	struct famfs_volume_dev dev[FAMFS_MAX_DEVICES];
};

/* Who owns what is made. */
struct famfs_owner {
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;			/* permission bits */
	uint32_t flags;			/* enum famfs_file_flags */
};

/**
 * famfs_volume_open - read a file system and replay its log
 * @v: filled in
 * @path: the primary device
 * @flags: O_RDONLY or O_RDWR
 * @e: the reason of a failure
 *
 * Nothing on the media is trusted. A log with one wrong entry is refused as
 * a whole: what follows the entry would be seen in part, or wrongly.
 *
 * Return: 0 or a negative errno.
 */
int famfs_volume_open(struct famfs_volume *v, const char *path, int flags,
		      struct famfs_error *e);
void famfs_volume_close(struct famfs_volume *v);

/**
 * famfs_volume_refresh - take in what another host has appended
 * @v: the file system
 * @e: the reason of a failure
 *
 * Return: 1 if there was something new, 0 if not, or a negative errno:
 * -ESTALE if another file system lies there now.
 */
int famfs_volume_refresh(struct famfs_volume *v, struct famfs_error *e);

/**
 * famfs_volume_is_dev - does a superblock belong to a device of the volume
 * @v: the file system
 * @i: index of the device
 * @sb: what lies on it now
 *
 * A device can have been somebody else's meanwhile, and its memory lost.
 *
 * Return: true if so.
 */
bool famfs_volume_is_dev(const struct famfs_volume *v, uint32_t i,
			 const struct famfs_super *sb);

/**
 * famfs_replay_entry - apply one whole log entry to the volume
 * @entry: its checksum and number are checked already
 * @arg: the volume
 * @e: the reason of a failure
 *
 * Return: 0 or a negative errno; the volume is unchanged then.
 */
int famfs_replay_entry(const struct famfs_entry *entry, void *arg,
		       struct famfs_error *e);

/* Make a directory. Return: 0 or a negative errno. */
int famfs_volume_mkdir(struct famfs_volume *v, struct famfs_node *parent,
		       const char *name, const struct famfs_owner *owner,
		       struct famfs_node **node, struct famfs_error *e);

/* Make a file with all its memory. Return: 0 or a negative errno. */
int famfs_volume_create(struct famfs_volume *v, struct famfs_node *parent,
			const char *name, const struct famfs_owner *owner,
			const struct famfs_want *want,
			struct famfs_node **node, struct famfs_error *e);

#endif /* FAMFS_VOLUME_H */
