// SPDX-License-Identifier: GPL-2.0
/* Directories and mapped files of one size, for programs that make files */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fmap_util.h"
#include "mount_tree.h"

#define PIECE		MB

static struct tree_node nodes[TREE_NODES];
static bool slot_used[TREE_NODES];
static unsigned int nr_slots;
static uint64_t file_size;
static bool whole;		/* files are not interleaved */

static uint64_t index_of(const struct tree_node *n)
{
	return n - nodes;
}

struct tree_node *tree_node(uint64_t nodeid)
{
	uint64_t i = nodeid - FUSE_ROOT_ID;

	return i < TREE_NODES && nodes[i].attr.mode ? &nodes[i] : NULL;
}

struct tree_node *tree_find(struct tree_node *dir, const char *name)
{
	uint64_t i = 0;
	struct tree_node *n;

	while ((n = tree_next(dir, &i)))
		if (!strcmp(n->name, name))
			return n;

	return NULL;
}

struct tree_node *tree_next(const struct tree_node *dir, uint64_t *i)
{
	while (*i < TREE_NODES) {
		struct tree_node *n = &nodes[(*i)++];

		if (n->attr.mode && n->parent == dir)
			return n;
	}

	return NULL;
}

bool tree_is_empty(const struct tree_node *dir)
{
	uint64_t i = 0;

	return !tree_next(dir, &i);
}

/* Chunks of 2 MiB and small ones take turns */
static struct fmap_ext interleaved(unsigned int slot)
{
	uint64_t half = file_size / 2, at = slot * half;
	bool huge = slot % 2 && half % HUGE_PG == 0;

	return (struct fmap_ext)
		FMAP_STRIPED(2, huge ? HUGE_PG : 16 * KB, file_size,
			     { DEV0, at, half }, { DEV1, at, half });
}

static struct fmap_layout slot_layout(unsigned int slot, struct fmap_ext *ext)
{
	*ext = whole ? (struct fmap_ext)
		       FMAP_SIMPLE(slot % 2, slot / 2 * file_size, file_size)
		     : interleaved(slot);

	return (struct fmap_layout) {
		.type = whole ? FUSE_FAMFS_EXT_SIMPLE
			      : FUSE_FAMFS_EXT_INTERLEAVE,
		.size = file_size,
		.nextents = 1,
		.ext = ext,
	};
}

static int clear_run(const struct fmap_run *run)
{
	static const char zero[PIECE];
	uint64_t done;
	size_t len;

	for (done = 0; done < run->len; done += len) {
		len = run->len - done < PIECE ? run->len - done : PIECE;
		if (fmap_dax_write(run->dev, run->off + done, zero, len))
			return -1;
	}

	return 0;
}

/* What a program finds in a new file is zero */
static int clear_slot(unsigned int slot)
{
	struct fmap_ext ext;
	unsigned int i = 0;

	slot_layout(slot, &ext);
	do {
		if (clear_run(&ext.run[i]))
			return -1;
	} while (++i < ext.nstrips);

	return 0;
}

static int take_slot(unsigned int *slot)
{
	unsigned int i;

	for (i = 0; i < nr_slots; i++)
		if (!slot_used[i])
			break;
	if (i == nr_slots || clear_slot(i))
		return -1;
	slot_used[i] = true;
	*slot = i;

	return 0;
}

static struct tree_node *free_node(void)
{
	unsigned int i;

	for (i = 0; i < TREE_NODES; i++)
		if (!nodes[i].attr.mode)
			return &nodes[i];

	return NULL;
}

static void fill_attr(struct tree_node *n, uint32_t mode)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	n->attr = (struct fuse_attr) {
		.ino = FUSE_ROOT_ID + index_of(n),
		.mode = mode,
		.nlink = S_ISDIR(mode) ? 2 : 1,
		.atime = now.tv_sec,
		.mtime = now.tv_sec,
		.ctime = now.tv_sec,
		.atimensec = now.tv_nsec,
		.mtimensec = now.tv_nsec,
		.ctimensec = now.tv_nsec,
		.blksize = PG,
	};
	if (S_ISREG(mode)) {
		n->attr.size = file_size;
		n->attr.blocks = file_size / 512;
	}
}

struct tree_node *tree_make(struct tree_node *dir, const char *name,
			    uint32_t mode)
{
	struct tree_node *n = free_node();

	errno = EPERM;
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return NULL;
	errno = ENAMETOOLONG;
	if (strlen(name) >= sizeof(n->name))
		return NULL;
	errno = ENOSPC;
	if (!n || (S_ISREG(mode) && take_slot(&n->slot)))
		return NULL;

	fill_attr(n, mode);
	n->generation++;
	n->lookups = 0;
	tree_set_name(n, dir, name);

	return n;
}

void tree_set_name(struct tree_node *n, struct tree_node *dir,
		   const char *name)
{
	n->parent = dir;
	snprintf(n->name, sizeof(n->name), "%s", name);
}

/* Its bytes are free for others when the kernel does not know it any more */
static void free_if_unknown(struct tree_node *n)
{
	if (n->parent || n->lookups || n == nodes)
		return;
	if (S_ISREG(n->attr.mode))
		slot_used[n->slot] = false;
	n->attr.mode = 0;
}

void tree_remove(struct tree_node *n)
{
	n->parent = NULL;
	n->attr.nlink = 0;
	free_if_unknown(n);
}

void tree_forget(struct tree_node *n, uint64_t lookups)
{
	n->lookups -= lookups < n->lookups ? lookups : n->lookups;
	free_if_unknown(n);
}

void *tree_map(const struct tree_node *n, size_t *len)
{
	struct fmap_ext ext;
	struct fmap_layout l = slot_layout(n->slot, &ext);

	return fmap_encode(&l, len);
}

int tree_begin(uint64_t size, bool on_one_device)
{
	uint64_t room = fmap_dax_size(0);

	if (fmap_dax_size(1) < room)
		room = fmap_dax_size(1);
	if (!size || size > room)
		return -EINVAL;

	file_size = size;
	whole = on_one_device;
	nr_slots = room / size * 2;
	if (nr_slots > TREE_NODES)
		nr_slots = TREE_NODES;
	fill_attr(&nodes[0], S_IFDIR | 01777);

	return 0;
}
