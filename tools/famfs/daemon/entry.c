// SPDX-License-Identifier: Apache-2.0
/*
 * The inodes that the kernel holds: each entry it is given is a lookup that it
 * will say to have forgotten.
 */
#include "daemon.h"

void famfsd_reply_entry(fuse_req_t req, struct famfs_node *node,
			const struct fuse_entry_param *entry)
{
	/* Counted before: the kernel can forget it before this returns. */
	famfs_known_look(&node->known, 1);
	if (fuse_reply_entry(req, entry))
		famfs_known_forget(&node->known, 1);
}

static void forget(struct famfsd *d, fuse_ino_t ino, uint64_t n)
{
	struct famfs_node *node;

	pthread_rwlock_rdlock(&d->lock);
	node = famfs_tree_get(&d->vol.tree, ino);
	pthread_rwlock_unlock(&d->lock);
	if (node)
		famfs_known_forget(&node->known, n);
}

void famfsd_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	forget(fuse_req_userdata(req), ino, n);
	fuse_reply_none(req);
}

void famfsd_forget_multi(fuse_req_t req, size_t count,
			 struct fuse_forget_data *forgets)
{
	size_t i;

	for (i = 0; i < count; i++)
		forget(fuse_req_userdata(req), forgets[i].ino,
		       forgets[i].nlookup);
	fuse_reply_none(req);
}
