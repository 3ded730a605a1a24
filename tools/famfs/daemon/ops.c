// SPDX-License-Identifier: Apache-2.0
/*
 * The ordinary requests. What the media cannot hold is refused: sizes, modes
 * and owners do not change, and nothing is removed, since the log has no
 * entry for it and the change would be gone after the next mount. Times are
 * taken, since media has none to contradict them, and cp -p and touch want
 * them.
 *
 * There is no read and no write here: the kernel serves them from the map.
 */
#include "daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	(void)userdata;
	/* Answers are short; splicing them would only bypass our writev. */
	conn->want &= ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
			FUSE_CAP_SPLICE_MOVE);
	/* So that a truncation comes as SETATTR, which refuses it. */
	conn->want &= ~FUSE_CAP_ATOMIC_O_TRUNC;
	if (conn->capable & FUSE_CAP_IOCTL_DIR)
		conn->want |= FUSE_CAP_IOCTL_DIR;
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct famfsd *d = fuse_req_userdata(req);
	struct fuse_entry_param entry;
	struct famfs_node *node;

	pthread_rwlock_rdlock(&d->lock);
	node = famfsd_lookup(d, parent, name);
	if (!node && !d->master) {
		/* The master may have made it a moment ago. */
		pthread_rwlock_unlock(&d->lock);
		pthread_rwlock_wrlock(&d->lock);
		famfsd_refresh(d);
		node = famfsd_lookup(d, parent, name);
	}
	if (node)
		famfsd_entry(d, node, &entry);
	pthread_rwlock_unlock(&d->lock);

	if (node)
		famfsd_reply_entry(req, node, &entry);
	else
		fuse_reply_err(req, ENOENT);
}

/* The node, and its attributes as they are now. */
static struct famfs_node *stat_node(struct famfsd *d, fuse_ino_t ino,
				    struct stat *st)
{
	struct famfs_node *node;

	pthread_rwlock_rdlock(&d->lock);
	node = famfs_tree_get(&d->vol.tree, ino);
	if (node)
		famfsd_stat(d, node, st);
	pthread_rwlock_unlock(&d->lock);
	return node;
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
		       struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	if (stat_node(fuse_req_userdata(req), ino, &st))
		fuse_reply_attr(req, &st, FAMFSD_TIMEOUT);
	else
		fuse_reply_err(req, ESTALE);
}

static bool changes_what_is_kept(const struct stat *want,
				 const struct stat *is, int to_set)
{
	if (to_set & FUSE_SET_ATTR_SIZE && want->st_size != is->st_size)
		return true;
	if (to_set & FUSE_SET_ATTR_MODE &&
	    (want->st_mode ^ is->st_mode) & 07777)
		return true;
	if (to_set & FUSE_SET_ATTR_UID && want->st_uid != is->st_uid)
		return true;
	return to_set & FUSE_SET_ATTR_GID && want->st_gid != is->st_gid;
}

static void set_times(struct famfs_node *node, const struct stat *want,
		      int to_set)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		node->atime = now;
	else if (to_set & FUSE_SET_ATTR_ATIME)
		node->atime = want->st_atim;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		node->mtime = now;
	else if (to_set & FUSE_SET_ATTR_MTIME)
		node->mtime = want->st_mtim;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *want,
		       int to_set, struct fuse_file_info *fi)
{
	struct famfsd *d = fuse_req_userdata(req);
	struct famfs_node *node;
	struct stat st;
	int err = 0;

	(void)fi;
	pthread_rwlock_wrlock(&d->lock);
	node = famfs_tree_get(&d->vol.tree, ino);
	if (node) {
		famfsd_stat(d, node, &st);
		if (changes_what_is_kept(want, &st, to_set))
			err = EPERM;
		else
			set_times(node, want, to_set);
		famfsd_stat(d, node, &st);
	} else {
		err = ESTALE;
	}
	pthread_rwlock_unlock(&d->lock);

	if (err)
		fuse_reply_err(req, err);
	else
		fuse_reply_attr(req, &st, FAMFSD_TIMEOUT);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct famfsd *d = fuse_req_userdata(req);
	struct famfs_node *node;
	int err = 0;

	pthread_rwlock_rdlock(&d->lock);
	node = famfs_tree_get(&d->vol.tree, ino);
	if (!node)
		err = ESTALE;
	else if ((fi->flags & O_ACCMODE) != O_RDONLY &&
		 !famfsd_writable(d, node))
		err = EROFS;	/* also for root, whom modes do not stop */
	pthread_rwlock_unlock(&d->lock);

	if (err) {
		fuse_reply_err(req, err);
		return;
	}
	/* Before the reply, after which the kernel looks whether it has it. */
	famfsd_store(d, node);
	fi->keep_cache = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct famfsd *d = fuse_req_userdata(req);
	struct statvfs st = { .f_namemax = FAMFS_PATH_MAX - 1 };
	const struct famfs_volume *v = &d->vol;
	uint64_t unit, size = 0, free = 0;
	uint32_t i;

	(void)ino;
	pthread_rwlock_rdlock(&d->lock);
	unit = v->super.alloc_unit;
	for (i = 0; i < v->geometry.ndevs; i++) {
		size += v->space[i].size;
		free += v->space[i].free;
	}
	st.f_files = v->tree.nnodes + v->log.last_index + 1 - v->replayed;
	st.f_ffree = v->log.last_index + 1 - v->replayed;
	pthread_rwlock_unlock(&d->lock);

	st.f_bsize = unit;
	st.f_frsize = unit;
	st.f_blocks = size / unit;
	st.f_bfree = free / unit;
	st.f_bavail = st.f_bfree;
	st.f_favail = st.f_ffree;
	fuse_reply_statfs(req, &st);
}

/*
 * A file's memory is allocated when it is made, so its size must be known:
 * famfs creat and famfs cp tell it, open(O_CREAT) cannot.
 */
static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
		     mode_t mode, dev_t rdev)
{
	(void)parent;
	(void)name;
	(void)rdev;
	fuse_reply_err(req, S_ISREG(mode) ? EOPNOTSUPP : EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *fi)
{
	(void)fi;
	op_mknod(req, parent, name, S_IFREG | mode, 0);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t to, const char *to_name, unsigned int flags)
{
	(void)parent;
	(void)name;
	(void)to;
	(void)to_name;
	(void)flags;
	fuse_reply_err(req, EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t to,
		    const char *to_name)
{
	(void)ino;
	(void)to;
	(void)to_name;
	fuse_reply_err(req, EPERM);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
		       const char *name)
{
	(void)link;
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

const struct fuse_lowlevel_ops famfsd_ops = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = famfsd_forget,
	.forget_multi = famfsd_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.open = op_open,
	.statfs = op_statfs,
	.mknod = op_mknod,
	.create = op_create,
	.unlink = op_unlink,
	.rmdir = op_unlink,
	.rename = op_rename,
	.link = op_link,
	.symlink = op_symlink,
	.opendir = famfsd_opendir,
	.readdir = famfsd_readdir,
	.readdirplus = famfsd_readdirplus,
	.mkdir = famfsd_mkdir,
	.ioctl = famfsd_ioctl,
};
