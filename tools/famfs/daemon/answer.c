// SPDX-License-Identifier: Apache-2.0
/*
 * The requests of file maps: where does a file lie, and what is device N.
 */
#include "daemon.h"

#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>

#include "bind.h"
#include "find.h"
#include "sysfs.h"

/* Room for the reply, or what the oldest kernels take if they do not say. */
static size_t reply_room(const struct fuse_in_header *in)
{
	struct fuse_get_fmap_in arg;
	size_t need = offsetof(struct fuse_get_fmap_in, flags);

	if (in->len < sizeof(*in) + need)
		return 4096;
	memcpy(&arg, in + 1, need);
	return arg.size;
}

static int get_fmap(struct famfsd *d, const struct fuse_in_header *in,
		    void *buf, size_t *len)
{
	struct famfs_node *node;
	int err = -ENOENT;

	pthread_rwlock_rdlock(&d->lock);
	node = famfs_tree_get(&d->vol.tree, in->nodeid);
	if (node && node->kind == FAMFS_NODE_DIR) {
		err = -EISDIR;
	} else if (node) {
		*len = famfs_fmap_encode(&node->map, node->size,
					 famfsd_file_type(node), reply_room(in),
					 buf);
		famfs_known_told(&node->known);
		err = 0;
	}
	pthread_rwlock_unlock(&d->lock);
	return err;
}

/* A device that another host added while this one had the mount. */
static void find_late(struct famfsd *d)
{
	struct famfs_error e = { "" };

	if (famfs_find_devices(&d->vol, d->opt.given, d->opt.bind, &e))
		famfsd_notice(LOG_ERR, "%s", e.text);
}

/*
 * The kernel asks once more if the device was taken from its driver. It may have
 * been another's since, and be empty: so look before it is named again. Whoever
 * took it is to give it back; nothing is bound here.
 */
static bool is_there(const struct famfsd *d, uint32_t i)
{
	const char *name = d->vol.dev[i].name;
	struct famfs_super sb;

	if (!name[0] || famfs_sysfs_mode(name) != FAMFS_MODE_FSDAX ||
	    famfs_peek(name, &sb, sizeof(sb)))
		return false;
	if (famfs_volume_is_dev(&d->vol, i, &sb))
		return true;
	famfsd_notice(LOG_ERR, "%s does not hold device %u of this file system any more; unmount",
		      name, i);
	return false;
}

static int get_daxdev(struct famfsd *d, const struct fuse_in_header *in,
		      void *buf, size_t *len)
{
	struct fuse_daxdev_out out = { .index = in->nodeid };
	uint64_t i = in->nodeid;
	int err = -ENODEV;

	pthread_rwlock_wrlock(&d->lock);
	if (i < d->vol.geometry.ndevs) {
		if (!d->vol.dev[i].name[0])
			find_late(d);
		if (is_there(d, i))
			err = 0;
		snprintf(out.name, sizeof(out.name), "/dev/%s",
			 d->vol.dev[i].name);
	}
	pthread_rwlock_unlock(&d->lock);
	memcpy(buf, &out, sizeof(out));
	*len = sizeof(out);
	return err;
}

static void reply(int fd, uint64_t unique, int err, void *buf, size_t len)
{
	struct fuse_out_header out = {
		.unique = unique,
		.error = err,
		.len = sizeof(out) + (err ? 0 : len),
	};
	struct iovec iov[2] = {
		{ &out, sizeof(out) },
		{ buf, len },
	};

	/* ENOENT: whoever waited was interrupted and is gone. */
	if (writev(fd, iov, err ? 1 : 2) < 0 && errno != ENOENT &&
	    errno != ENODEV)
		famfsd_notice(LOG_ERR, "cannot answer the kernel: %s",
			      strerror(errno));
}

bool famfsd_answer(struct famfsd *d, int fd, const struct fuse_in_header *in)
{
	union {
		struct fuse_daxdev_out daxdev;
		char fmap[FAMFS_FMAP_MAX];
	} buf;
	size_t len = 0;
	int err, cancel;

	if (in->opcode != FAMFS_OP_GET_FMAP &&
	    in->opcode != FAMFS_OP_GET_DAXDEV)
		return false;
	/* libfuse ends its threads by cancelling them where they read. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	if (in->opcode == FAMFS_OP_GET_FMAP)
		err = get_fmap(d, in, &buf, &len);
	else
		err = get_daxdev(d, in, &buf, &len);
	reply(fd, in->unique, err, &buf, len);
	pthread_setcancelstate(cancel, NULL);
	return true;
}
