/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a file system in memory. Nodes are only ever added, so a
 * pointer to one stays good until the tree goes. The number of a node depends
 * on the log alone: it is the same on every host and after every mount.
 */
#ifndef FAMFS_TREE_H
#define FAMFS_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "error.h"
#include "famfs_media.h"
#include "known.h"

#define FAMFS_ROOT_INO	1
#define FAMFS_META_NAME	".meta"

enum famfs_node_kind {
	FAMFS_NODE_DIR,
	FAMFS_NODE_FILE,
	FAMFS_NODE_SUPER,		/* .meta/.superblock */
	FAMFS_NODE_LOG,			/* .meta/.log */
};

struct famfs_node {
	enum famfs_node_kind kind;
	uint64_t ino;
	uint64_t size;
	uint32_t mode;			/* with the type */
	uint32_t uid;
	uint32_t gid;
	uint32_t flags;			/* enum famfs_file_flags */
	struct timespec atime;		/* in memory only: media has none */
	struct timespec mtime;
	struct famfs_map map;
	struct famfs_known known;	/* to the kernel, of a mount */
	struct famfs_node *parent;	/* the root's is the root */
	struct famfs_node **child;	/* in the order they were made */
	size_t nchild;
	char name[FAMFS_PATH_MAX];
};

struct famfs_tree {
	struct famfs_node **node;	/* by ino - 1 */
	uint64_t nnodes;
	uint64_t nfiles;
	uint64_t ndirs;
	void *names;			/* tsearch(3) by parent and name */
	struct timespec now;		/* what new nodes get as their times */
};

/* A tree with a root. Return: 0 or -ENOMEM. */
int famfs_tree_init(struct famfs_tree *t);
void famfs_tree_fini(struct famfs_tree *t);

struct famfs_node *famfs_tree_get(const struct famfs_tree *t, uint64_t ino);
struct famfs_node *famfs_tree_lookup(const struct famfs_tree *t,
				     const struct famfs_node *parent,
				     const char *name);

/**
 * famfs_tree_add - add a node
 * @t: the tree
 * @proto: kind, size, mode, uid, gid, flags and map of the node
 * @parent: a directory
 * @name: one component, already checked
 *
 * Return: the node, or NULL when memory is short. The name must be new.
 */
struct famfs_node *famfs_tree_add(struct famfs_tree *t,
				  const struct famfs_node *proto,
				  struct famfs_node *parent, const char *name);

/**
 * famfs_path_check - may the log name a file so
 * @path: FAMFS_PATH_MAX bytes of anything
 * @e: the reason of a failure
 *
 * Return: 0 or -EINVAL.
 */
int famfs_path_check(const char path[FAMFS_PATH_MAX], struct famfs_error *e);

/**
 * famfs_tree_place - find where a new path goes
 * @t: the tree
 * @path: a checked path
 * @parent: set to the directory
 * @name: set to the last component, inside @path
 * @e: the reason of a failure
 *
 * Return: 0, -ENOENT, -ENOTDIR, or -EEXIST if the path is taken.
 */
int famfs_tree_place(const struct famfs_tree *t, const char *path,
		     struct famfs_node **parent, const char **name,
		     struct famfs_error *e);

/**
 * famfs_tree_path - the path from the root to a new name
 * @parent: the directory
 * @name: the name in it
 * @path: filled in, zeroed behind the path as the media wants it
 *
 * Return: 0, -EINVAL for what is not a name, or -ENAMETOOLONG.
 */
int famfs_tree_path(const struct famfs_node *parent, const char *name,
		    char path[FAMFS_PATH_MAX]);

#endif /* FAMFS_TREE_H */
