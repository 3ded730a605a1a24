// SPDX-License-Identifier: Apache-2.0
#include "tree.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int order(const void *a, const void *b)
{
	const struct famfs_node *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent->ino < y->parent->ino ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Grow by doubling: a slot is added when the count is a power of two. */
static int append(struct famfs_node ***list, size_t count,
		  struct famfs_node *node)
{
	struct famfs_node **bigger;

	if (!(count & (count - 1))) {
		bigger = reallocarray(*list, count ? count * 2 : 1,
				      sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		*list = bigger;
	}
	(*list)[count] = node;
	return 0;
}

static struct famfs_node *new_node(struct famfs_tree *t,
				   const struct famfs_node *proto)
{
	struct famfs_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = proto->kind;
	node->size = proto->size;
	node->mode = proto->mode;
	node->uid = proto->uid;
	node->gid = proto->gid;
	node->flags = proto->flags;
	node->map = proto->map;
	node->atime = t->now;
	node->mtime = t->now;
	node->ino = t->nnodes + 1;
	if (append(&t->node, t->nnodes, node)) {
		free(node);
		return NULL;
	}
	return node;
}

/* The last step: what failed before has left no trace. */
static void publish(struct famfs_tree *t, struct famfs_node *node)
{
	t->nnodes++;
	if (node->kind == FAMFS_NODE_DIR)
		t->ndirs++;
	else if (node->kind == FAMFS_NODE_FILE)
		t->nfiles++;
}

int famfs_tree_init(struct famfs_tree *t)
{
	struct famfs_node proto = {
		.kind = FAMFS_NODE_DIR,
		.mode = S_IFDIR | 0755,
	};
	struct famfs_node *root;

	memset(t, 0, sizeof(*t));
	clock_gettime(CLOCK_REALTIME, &t->now);
	root = new_node(t, &proto);
	if (!root)
		return -ENOMEM;
	root->parent = root;
	publish(t, root);
	return 0;
}

static void keep(void *node)
{
	(void)node;
}

void famfs_tree_fini(struct famfs_tree *t)
{
	uint64_t i;

	tdestroy(t->names, keep);
	for (i = 0; i < t->nnodes; i++) {
		free(t->node[i]->child);
		free(t->node[i]);
	}
	free(t->node);
	memset(t, 0, sizeof(*t));
}

struct famfs_node *famfs_tree_get(const struct famfs_tree *t, uint64_t ino)
{
	return ino && ino <= t->nnodes ? t->node[ino - 1] : NULL;
}

struct famfs_node *famfs_tree_lookup(const struct famfs_tree *t,
				     const struct famfs_node *parent,
				     const char *name)
{
	struct famfs_node key = { .parent = (struct famfs_node *)parent };
	struct famfs_node **found;
	size_t len = strlen(name);

	if (len >= sizeof(key.name))
		return NULL;
	memcpy(key.name, name, len);
	found = tfind(&key, &t->names, order);
	return found ? *found : NULL;
}

struct famfs_node *famfs_tree_add(struct famfs_tree *t,
				  const struct famfs_node *proto,
				  struct famfs_node *parent, const char *name)
{
	struct famfs_node *node = new_node(t, proto);

	if (!node)
		return NULL;
	node->parent = parent;
	strncpy(node->name, name, sizeof(node->name) - 1);
	if (append(&parent->child, parent->nchild, node) ||
	    !tsearch(node, &t->names, order)) {
		free(node);
		return NULL;
	}
	parent->nchild++;
	publish(t, node);
	return node;
}

static int component_ok(const char *name, size_t len)
{
	if (!len)
		return 0;
	if (len == 1 && name[0] == '.')
		return 0;
	return !(len == 2 && name[0] == '.' && name[1] == '.');
}

int famfs_path_check(const char path[FAMFS_PATH_MAX], struct famfs_error *e)
{
	size_t len;

	if (!memchr(path, '\0', FAMFS_PATH_MAX))
		return famfs_fail(e, -EINVAL, "its path has no end");
	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (!component_ok(path, len))
			return famfs_fail(e, -EINVAL, "its path has an empty part, '.' or '..'");
		if (!path[len])
			return 0;
	}
}

int famfs_tree_place(const struct famfs_tree *t, const char *path,
		     struct famfs_node **parent, const char **name,
		     struct famfs_error *e)
{
	struct famfs_node *dir = famfs_tree_get(t, FAMFS_ROOT_INO);
	char part[FAMFS_PATH_MAX] = "";
	const char *slash;

	for (; (slash = strchr(path, '/')); path = slash + 1) {
		memcpy(part, path, slash - path);
		part[slash - path] = '\0';
		dir = famfs_tree_lookup(t, dir, part);
		if (!dir)
			return famfs_fail(e, -ENOENT,
					  "its directory '%s' is not there",
					  part);
		if (dir->kind != FAMFS_NODE_DIR)
			return famfs_fail(e, -ENOTDIR,
					  "'%s' in its path is no directory",
					  part);
	}
	if (famfs_tree_lookup(t, dir, path))
		return famfs_fail(e, -EEXIST, "its name '%s' is taken", path);
	*parent = dir;
	*name = path;
	return 0;
}

int famfs_tree_path(const struct famfs_node *parent, const char *name,
		    char path[FAMFS_PATH_MAX])
{
	size_t len = strlen(name), at = FAMFS_PATH_MAX - 1;

	if (!component_ok(name, len) || strchr(name, '/'))
		return -EINVAL;
	/* Built from its end, then moved to the front. */
	memset(path, 0, FAMFS_PATH_MAX);
	for (;;) {
		if (len > at)
			return -ENAMETOOLONG;
		at -= len;
		memcpy(path + at, name, len);
		if (parent->ino == FAMFS_ROOT_INO)
			break;
		if (!at)
			return -ENAMETOOLONG;
		path[--at] = '/';
		name = parent->name;
		len = strlen(name);
		parent = parent->parent;
	}
	len = FAMFS_PATH_MAX - 1 - at;
	memmove(path, path + at, len);
	memset(path + len, 0, FAMFS_PATH_MAX - len);
	return 0;
}
