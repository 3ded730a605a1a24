// SPDX-License-Identifier: Apache-2.0
/*
 * Giving the kernel a file's map before it asks, which saves it the question.
 */
#include "daemon.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Is this the answer of a kernel that does not know the notification. */
static bool not_known(int err)
{
	return err == EINVAL || err == EOPNOTSUPP || err == ENOSYS;
}

static int store(struct famfsd *d, const struct famfs_node *node)
{
	char buf[FAMFS_STORE_MAX];
	size_t len = famfs_fmap_store(node->ino, &node->map, node->size,
				      famfsd_file_type(node), buf);
	int err;

	err = write(fuse_session_fd(d->se), buf, len) < 0 ? errno : 0;
	if (d->opt.debug)
		famfsd_notice(LOG_DEBUG, "NOTIFY_STORE_FMAP, nodeid: %ju, outsize: %zu: %s",
			      (uintmax_t)node->ino, len,
			      err ? strerror(err) : "taken");
	return err;
}

/*
 * What it needs of the node never changes, so no lock is held while the kernel
 * works. That it refuses is no error: it asks by GET_FMAP then, and gets the
 * reason there if there is one.
 */
void famfsd_store(struct famfsd *d, struct famfs_node *node)
{
	int err;

	if (!atomic_load_explicit(&d->store, memory_order_relaxed) ||
	    !famfs_known_begin(&node->known))
		return;
	err = store(d, node);
	famfs_known_end(&node->known, !err);
	if (not_known(err))
		atomic_store_explicit(&d->store, false, memory_order_relaxed);
}
