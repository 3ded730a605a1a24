/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Directories and mapped files of one size, for programs that make files
 *
 * The bytes of a file are a slot: a piece of one of the first two devices, or
 * of half its size of each of them. A node lives as long as it has a name or the kernel knows
 * it, and so does its slot, since a byte belongs to one live inode at most.
 */
#ifndef MOUNT_TREE_H
#define MOUNT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "fmap_server.h"

#define TREE_NODES	2048

struct tree_node {
	char name[256];
	struct tree_node *parent;	/* NULL: it has no name */
	uint64_t lookups;	/* that the kernel will forget */
	uint64_t generation;
	unsigned int slot;	/* of a file */
	struct fuse_attr attr;	/* a mode of 0: the node is not in use */
};

/* Files get @size bytes; -errno if the devices are too small for one */
int tree_begin(uint64_t size, bool on_one_device);

/* All of these want the lock that the answering functions hold */
struct tree_node *tree_node(uint64_t nodeid);
struct tree_node *tree_find(struct tree_node *dir, const char *name);

/* NULL with errno: no room in the table or on the devices, or a bad name */
struct tree_node *tree_make(struct tree_node *dir, const char *name,
			    uint32_t mode);

bool tree_is_empty(const struct tree_node *dir);
void tree_set_name(struct tree_node *n, struct tree_node *dir,
		   const char *name);
void tree_remove(struct tree_node *n);
void tree_forget(struct tree_node *n, uint64_t lookups);

/* The children of @dir from index *i on; NULL at the end */
struct tree_node *tree_next(const struct tree_node *dir, uint64_t *i);

/* The map of a file, to be freed */
void *tree_map(const struct tree_node *n, size_t *len);

/* mount_answer.c: what a server asks first */
bool mount_answer(struct fmap_req *r);

#endif /* MOUNT_TREE_H */
