// SPDX-License-Identifier: Apache-2.0
/*
 * What the famfs command asks for, on a directory of the mount.
 */
#include "daemon.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "log.h"

#define MAX_GROUPS	65536

static bool in_group(fuse_req_t req, gid_t gid)
{
	gid_t *list;
	bool found = false;
	int i, n;

	if (fuse_req_ctx(req)->gid == gid)
		return true;
	n = fuse_req_getgroups(req, 0, NULL);
	if (n <= 0 || n > MAX_GROUPS)
		return false;
	list = calloc(n, sizeof(*list));
	if (!list)
		return false;
	i = fuse_req_getgroups(req, n, list);
	/* The task may have changed its groups in between. */
	for (n = i < n ? i : n, i = 0; i < n && !found; i++)
		found = list[i] == gid;
	free(list);
	return found;
}

/* The kernel checks directories for mkdir(2), but not for an ioctl. */
static bool may_add(fuse_req_t req, const struct famfs_node *dir)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	uint32_t mode = dir->mode;

	if (ctx->uid == 0)
		return true;
	if (ctx->uid == dir->uid)
		mode >>= 6;
	else if (in_group(req, dir->gid))
		mode >>= 3;
	return (mode & 3) == 3;
}

static int create(struct famfsd *d, fuse_req_t req, struct famfs_node *dir,
		  struct famfs_ioc_create *c)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct famfs_owner owner = {
		.uid = ctx->uid,
		.gid = ctx->gid,
		.mode = c->mode,
		.flags = c->flags,
	};
	struct famfs_want want = {
		.size = c->size,
		.chunk = c->chunk,
		.nstrips = c->nstrips,
		.ndevs = c->ndevs,
	};
	struct famfs_error e = { "" };
	struct famfs_node *node;
	int err;

	if (!memchr(c->name, '\0', sizeof(c->name)) ||
	    c->ndevs > FAMFS_MAX_DEVICES)
		return -EINVAL;
	if (!d->master)
		return -EROFS;
	if (!may_add(req, dir))
		return -EACCES;
	memcpy(want.dev, c->dev, sizeof(want.dev));
	err = famfs_volume_create(&d->vol, dir, c->name, &owner, &want, &node,
				  &e);
	if (err)
		snprintf(c->why, sizeof(c->why), "%.*s",
			 (int)sizeof(c->why) - 1, e.text);
	if (err == -EIO)
		famfsd_notice(LOG_ERR, "creat: %s", e.text);
	return err;
}

static int get_map(struct famfsd *d, struct famfs_node *dir,
		   struct famfs_ioc_map *m)
{
	struct famfs_node *node;

	if (!memchr(m->name, '\0', sizeof(m->name)))
		return -EINVAL;
	node = famfs_tree_lookup(&d->vol.tree, dir, m->name);
	if (!node)
		return -ENOENT;
	if (node->kind == FAMFS_NODE_DIR)
		return -EISDIR;
	m->size = node->size;
	m->map = node->map;
	return 0;
}

static void get_info(const struct famfsd *d, struct famfs_ioc_info *info)
{
	const struct famfs_volume *v = &d->vol;
	struct famfs_range r;
	uint32_t i;

	memset(info, 0, sizeof(*info));
	memcpy(info->fs_uuid, v->super.fs_uuid, 16);
	memcpy(info->system_uuid, v->super.system_uuid, 16);
	info->alloc_unit = v->super.alloc_unit;
	info->log_offset = v->super.log_offset;
	info->log_len = v->super.log_len;
	info->log_used = v->replayed;
	info->log_slots = famfs_log_slots(v->super.log_len);
	info->nfiles = v->tree.nfiles;
	info->ndirs = v->tree.ndirs;
	info->master = d->master;
	info->ndevs = v->geometry.ndevs;
	for (i = 0; i < info->ndevs; i++) {
		r = famfs_space_largest(&v->space[i]);
		memcpy(info->dev[i].name, v->dev[i].name,
		       sizeof(info->dev[i].name));
		memcpy(info->dev[i].uuid, v->dev[i].uuid, 16);
		info->dev[i].size = v->dev[i].size;
		info->dev[i].free = v->space[i].free;
		info->dev[i].largest = r.end - r.start;
	}
}

static void get_stats(struct famfsd *d, struct famfs_ioc_stats *stats)
{
	unsigned int i;

	atomic_fetch_sub_explicit(&d->count[FUSE_IOCTL], 1,
				  memory_order_relaxed);
	for (i = 0; i < FAMFS_IOC_OPCODES; i++)
		stats->count[i] = atomic_load_explicit(&d->count[i],
						       memory_order_relaxed);
}

union argument {
	struct famfs_ioc_create create;
	struct famfs_ioc_map map;
	struct famfs_ioc_info info;
	struct famfs_ioc_stats stats;
};

static int carry_out(struct famfsd *d, fuse_req_t req, fuse_ino_t ino,
		     unsigned int cmd, union argument *arg)
{
	struct famfs_node *dir = famfs_tree_get(&d->vol.tree, ino);

	if (!dir || dir->kind != FAMFS_NODE_DIR)
		return -ENOTTY;
	switch (cmd) {
	case FAMFS_IOC_CREATE:
		return create(d, req, dir, &arg->create);
	case FAMFS_IOC_MAP:
		return get_map(d, dir, &arg->map);
	case FAMFS_IOC_INFO:
		get_info(d, &arg->info);
		return 0;
	case FAMFS_IOC_STATS:
		get_stats(d, &arg->stats);
		return 0;
	}
	return -ENOTTY;
}

void famfsd_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		  struct fuse_file_info *fi, unsigned int flags,
		  const void *in, size_t in_size, size_t out_size)
{
	struct famfsd *d = fuse_req_userdata(req);
	size_t size = _IOC_SIZE(cmd);
	union argument *a;
	int ret;

	(void)arg;
	(void)fi;
	(void)flags;
	if (_IOC_TYPE(cmd) != FAMFS_IOC_MAGIC || size > sizeof(*a) ||
	    out_size < size) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (in_size)	/* else it is NULL */
		memcpy(a, in, in_size < size ? in_size : size);
	pthread_rwlock_wrlock(&d->lock);
	ret = carry_out(d, req, ino, cmd, a);
	pthread_rwlock_unlock(&d->lock);
	fuse_reply_ioctl(req, ret, a, size);
	free(a);
}
