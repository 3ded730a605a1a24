// SPDX-License-Identifier: GPL-2.0
/* Answers to requests about a tree of directories and mapped files */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mount_tree.h"

#define VALID_SECONDS	3600

static void fill_entry(struct tree_node *n, struct fuse_entry_out *out)
{
	out->nodeid = n->attr.ino;
	out->generation = n->generation;
	out->entry_valid = VALID_SECONDS;
	out->attr_valid = VALID_SECONDS;
	out->attr = n->attr;
	n->lookups++;
}

static void reply_entry(struct fmap_req *r, struct tree_node *n, int error)
{
	struct fuse_entry_out out = { };

	if (!n) {
		fmap_reply_errno(r, error);
		return;
	}
	fill_entry(n, &out);
	fmap_reply(r, &out, sizeof(out));
}

static struct tree_node *make(struct fmap_req *r, struct tree_node *dir,
			      const char *name, uint32_t mode)
{
	struct tree_node *n = tree_make(dir, name, mode);

	if (n) {
		n->attr.uid = r->in->uid;
		n->attr.gid = r->in->gid;
	}

	return n;
}

static void answer_mknod(struct fmap_req *r, struct tree_node *dir)
{
	const struct fuse_mknod_in *in = r->arg;

	reply_entry(r, make(r, dir, (const char *)(in + 1), in->mode), errno);
}

static void answer_mkdir(struct fmap_req *r, struct tree_node *dir)
{
	const struct fuse_mkdir_in *in = r->arg;

	reply_entry(r, make(r, dir, (const char *)(in + 1),
			    S_IFDIR | in->mode), errno);
}

static void answer_create(struct fmap_req *r, struct tree_node *dir)
{
	const struct fuse_create_in *in = r->arg;
	struct tree_node *n = make(r, dir, (const char *)(in + 1), in->mode);
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { };

	if (!n) {
		fmap_reply_errno(r, errno);
		return;
	}
	fill_entry(n, &out.entry);
	fmap_reply(r, &out, sizeof(out));
}

/* UNLINK and RMDIR: the kernel has seen that it is of the right kind */
static void answer_remove(struct fmap_req *r, struct tree_node *dir)
{
	struct tree_node *n = tree_find(dir, r->arg);
	int error = 0;

	if (!n)
		error = ENOENT;
	else if (!tree_is_empty(n))
		error = ENOTEMPTY;
	else
		tree_remove(n);
	fmap_reply_errno(r, error);
}

/* 0 or -errno */
static int rename_node(struct tree_node *dir, uint64_t newdir, const char *from)
{
	const char *to = from + strlen(from) + 1;
	struct tree_node *n = tree_find(dir, from), *target = tree_node(newdir);
	struct tree_node *old;

	if (!n || !target)
		return -ENOENT;
	old = tree_find(target, to);
	if (old == n)
		return 0;
	if (old && !tree_is_empty(old))
		return -ENOTEMPTY;
	if (old)
		tree_remove(old);
	tree_set_name(n, target, to);

	return 0;
}

static void answer_rename(struct fmap_req *r, struct tree_node *dir)
{
	const struct fuse_rename_in *in = r->arg;
	const struct fuse_rename2_in *in2 = r->arg;
	int ret = -EINVAL;

	if (r->in->opcode == FUSE_RENAME)
		ret = rename_node(dir, in->newdir, (const char *)(in + 1));
	else if (!in2->flags)
		ret = rename_node(dir, in2->newdir, (const char *)(in2 + 1));
	fmap_reply_errno(r, -ret);
}

static void answer_readdir(struct fmap_req *r, struct tree_node *dir)
{
	const struct fuse_read_in *in = r->arg;
	uint64_t room[512] = { }, i = in->offset;
	size_t most = in->size < sizeof(room) ? in->size : sizeof(room);
	size_t len = 0;
	struct tree_node *n;

	while ((n = tree_next(dir, &i))) {
		struct fuse_dirent *d = (void *)((char *)room + len);
		size_t namelen = strlen(n->name);

		if (len + FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + namelen) > most)
			break;
		d->ino = n->attr.ino;
		d->off = i;
		d->type = n->attr.mode >> 12;
		d->namelen = namelen;
		memcpy(d->name, n->name, namelen);
		len += FUSE_DIRENT_SIZE(d);
	}
	fmap_reply(r, room, len);
}

static void reply_attr(struct fmap_req *r, struct tree_node *n)
{
	struct fuse_attr_out out = {
		.attr_valid = VALID_SECONDS,
		.attr = n->attr,
	};

	fmap_reply(r, &out, sizeof(out));
}

/* Sizes are fixed; the kernel should not even ask */
static void answer_setattr(struct fmap_req *r, struct tree_node *n)
{
	const struct fuse_setattr_in *in = r->arg;
	struct fuse_attr *a = &n->attr;

	if (in->valid & FATTR_SIZE && in->size != a->size) {
		fmap_reply_errno(r, EPERM);
		return;
	}
	if (in->valid & FATTR_MODE)
		a->mode = in->mode;
	if (in->valid & FATTR_UID)
		a->uid = in->uid;
	if (in->valid & FATTR_GID)
		a->gid = in->gid;
	if (in->valid & FATTR_ATIME) {
		a->atime = in->atime;
		a->atimensec = in->atimensec;
	}
	if (in->valid & FATTR_MTIME) {
		a->mtime = in->mtime;
		a->mtimensec = in->mtimensec;
	}
	reply_attr(r, n);
}

static void answer_get_fmap(struct fmap_req *r, struct tree_node *n)
{
	size_t len;
	void *map = tree_map(n, &len);

	if (map)
		fmap_reply(r, map, len);
	else
		fmap_reply_errno(r, ENOMEM);
	free(map);
}

static void forget_batch(struct fmap_req *r)
{
	const struct fuse_batch_forget_in *in = r->arg;
	const struct fuse_forget_one *one = (const void *)(in + 1);
	uint32_t i;

	for (i = 0; i < in->count; i++) {
		struct tree_node *n = tree_node(one[i].nodeid);

		if (n)
			tree_forget(n, one[i].nlookup);
	}
}

static bool answer_for(struct fmap_req *r, struct tree_node *n)
{
	switch (r->in->opcode) {
	case FUSE_LOOKUP:
		reply_entry(r, tree_find(n, r->arg), ENOENT);
		return true;
	case FUSE_FORGET:
		tree_forget(n, ((struct fuse_forget_in *)r->arg)->nlookup);
		return true;
	case FUSE_GETATTR:
		reply_attr(r, n);
		return true;
	case FUSE_SETATTR:
		answer_setattr(r, n);
		return true;
	case FUSE_MKNOD:
		answer_mknod(r, n);
		return true;
	case FUSE_MKDIR:
		answer_mkdir(r, n);
		return true;
	case FUSE_CREATE:
		answer_create(r, n);
		return true;
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		answer_remove(r, n);
		return true;
	case FUSE_RENAME:
	case FUSE_RENAME2:
		answer_rename(r, n);
		return true;
	case FUSE_READDIR:
		answer_readdir(r, n);
		return true;
	case FUSE_GET_FMAP:
		answer_get_fmap(r, n);
		return true;
	default:
		return false;
	}
}

/* One at a time: programs make few of these requests */
bool mount_answer(struct fmap_req *r)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct tree_node *n;
	bool answered = true;

	if (r->in->opcode == FUSE_GET_DAXDEV)	/* its nodeid is no node */
		return false;

	pthread_mutex_lock(&lock);
	n = tree_node(r->in->nodeid);
	if (r->in->opcode == FUSE_BATCH_FORGET)
		forget_batch(r);
	else if (n)
		answered = answer_for(r, n);
	else
		answered = false;
	pthread_mutex_unlock(&lock);

	return answered;
}
