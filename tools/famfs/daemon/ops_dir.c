// SPDX-License-Identifier: Apache-2.0
/*
 * Directories: read and made.
 */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

void famfsd_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct famfsd *d = fuse_req_userdata(req);

	(void)ino;
	if (!d->master) {
		pthread_rwlock_wrlock(&d->lock);
		famfsd_refresh(d);
		pthread_rwlock_unlock(&d->lock);
	}
	fuse_reply_open(req, fi);
}

/*
 * Names are never removed, so the position of a child in its directory is a
 * stable offset; "." and ".." come first.
 */
static const struct famfs_node *at(const struct famfs_node *dir, off_t off,
				   const char **name)
{
	if (off == 0) {
		*name = ".";
		return dir;
	}
	if (off == 1) {
		*name = "..";
		return dir->parent;
	}
	off -= 2;
	if (off < 0 || (uint64_t)off >= dir->nchild)
		return NULL;
	*name = dir->child[off]->name;
	return dir->child[off];
}

/* Fills in what there is room for; @off then is what comes next. */
static size_t fill(struct famfsd *d, fuse_req_t req,
		   const struct famfs_node *dir, char *buf, size_t size,
		   off_t *off, bool plus)
{
	const struct famfs_node *node;
	struct fuse_entry_param entry;
	size_t used = 0, len;
	const char *name;

	while ((node = at(dir, *off, &name))) {
		famfsd_entry(d, node, &entry);
		/* A lookup of these two would be counted against the node. */
		if (*off < 2)
			entry.ino = 0;
		if (plus)
			len = fuse_add_direntry_plus(req, buf + used,
						     size - used, name, &entry,
						     *off + 1);
		else
			len = fuse_add_direntry(req, buf + used, size - used,
						name, &entry.attr, *off + 1);
		if (len > size - used)
			break;
		used += len;
		++*off;
	}
	return used;
}

/* Children at these offsets have been looked up, or forgotten. */
static void count_each(struct famfs_node *dir, off_t from, off_t to,
		       void (*count)(struct famfs_known *k, uint64_t n))
{
	for (from = from < 2 ? 2 : from; from < to; from++)
		count(&dir->child[from - 2]->known, 1);
}

static void read_dir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		     bool plus)
{
	struct famfsd *d = fuse_req_userdata(req);
	char *buf = malloc(size);
	struct famfs_node *dir;
	off_t next = off;
	size_t used = 0;

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	pthread_rwlock_rdlock(&d->lock);
	dir = famfs_tree_get(&d->vol.tree, ino);
	if (dir && dir->kind == FAMFS_NODE_DIR)
		used = fill(d, req, dir, buf, size, &next, plus);
	if (plus)
		count_each(dir, off, next, famfs_known_look);
	pthread_rwlock_unlock(&d->lock);

	if (fuse_reply_buf(req, buf, used) && plus) {
		pthread_rwlock_rdlock(&d->lock);
		count_each(dir, off, next, famfs_known_forget);
		pthread_rwlock_unlock(&d->lock);
	}
	free(buf);
}

void famfsd_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)fi;
	read_dir(req, ino, size, off, false);
}

void famfsd_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			struct fuse_file_info *fi)
{
	(void)fi;
	read_dir(req, ino, size, off, true);
}

static int make_dir(struct famfsd *d, fuse_ino_t parent, const char *name,
		    const struct famfs_owner *owner, struct famfs_node **node)
{
	struct famfs_node *dir = famfs_tree_get(&d->vol.tree, parent);
	struct famfs_error e = { "" };
	int err;

	if (!d->master)
		return -EROFS;
	if (!dir || dir->kind != FAMFS_NODE_DIR)
		return -ENOTDIR;
	if (famfs_tree_lookup(&d->vol.tree, dir, name))
		return -EEXIST;
	err = famfs_volume_mkdir(&d->vol, dir, name, owner, node, &e);
	if (err == -EIO)
		famfsd_notice(LOG_ERR, "mkdir: %s", e.text);
	return err;
}

void famfsd_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		  mode_t mode)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct famfsd *d = fuse_req_userdata(req);
	struct famfs_owner owner = {
		.uid = ctx->uid,
		.gid = ctx->gid,
		.mode = mode,
	};
	struct fuse_entry_param entry;
	struct famfs_node *node;
	int err;

	pthread_rwlock_wrlock(&d->lock);
	err = make_dir(d, parent, name, &owner, &node);
	if (!err)
		famfsd_entry(d, node, &entry);
	pthread_rwlock_unlock(&d->lock);
	if (err)
		fuse_reply_err(req, -err);
	else
		famfsd_reply_entry(req, node, &entry);
}
