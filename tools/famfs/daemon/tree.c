// SPDX-License-Identifier: Apache-2.0
/*
 * Nodes as the operations see them. All of it is called under the lock.
 */
#include "daemon.h"

#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "find.h"
#include "map.h"

/*
 * Take in what the master has appended. A log that cannot be read any more
 * is no reason to lose what is known: it is said once, and the files that
 * were there before stay.
 */
void famfsd_refresh(struct famfsd *d)
{
	struct famfs_error e = { "" };
	int ret;

	if (d->master)
		return;
	ret = famfs_volume_refresh(&d->vol, &e);
	if (ret > 0)
		ret = famfs_find_devices(&d->vol, d->opt.given, d->opt.bind,
					 &e);
	famfsd_hand_over(d);
	if (ret < 0 && strcmp(e.text, d->refresh_error))
		famfsd_notice(LOG_ERR, "cannot take in the log's new entries: %s",
			      e.text);
	strcpy(d->refresh_error, ret < 0 ? e.text : "");
}

struct famfs_node *famfsd_lookup(struct famfsd *d, uint64_t parent,
				 const char *name)
{
	struct famfs_node *dir = famfs_tree_get(&d->vol.tree, parent);

	if (!dir || dir->kind != FAMFS_NODE_DIR)
		return NULL;
	return famfs_tree_lookup(&d->vol.tree, dir, name);
}

enum fuse_famfs_file_type famfsd_file_type(const struct famfs_node *node)
{
	switch (node->kind) {
	case FAMFS_NODE_SUPER:
		return FUSE_FAMFS_FILE_SUPERBLOCK;
	case FAMFS_NODE_LOG:
		return FUSE_FAMFS_FILE_LOG;
	default:
		return FUSE_FAMFS_FILE_REG;
	}
}

/*
 * On the host that made it a file is written as its mode says. On others it
 * is read-only, unless it was made for everybody to write.
 */
bool famfsd_writable(const struct famfsd *d, const struct famfs_node *node)
{
	if (node->kind != FAMFS_NODE_FILE || node->flags & FAMFS_FILE_HOSTS_RO)
		return false;
	if (d->home)
		return true;
	return node->flags & FAMFS_FILE_HOSTS_RW && node->mode & 0002;
}

void famfsd_stat(const struct famfsd *d, const struct famfs_node *node,
		 struct stat *st)
{
	uint32_t i, count = 0;
	const struct famfs_extent *x = famfs_map_extents(&node->map, &count);

	memset(st, 0, sizeof(*st));
	st->st_ino = node->ino;
	st->st_mode = node->mode;
	/* On directories too: 1 tells find(1) not to count subdirectories. */
	st->st_nlink = 1;
	st->st_uid = node->uid;
	st->st_gid = node->gid;
	st->st_size = node->size;
	st->st_blksize = d->vol.super.alloc_unit;
	for (i = 0; i < count; i++)
		st->st_blocks += x[i].len / 512;
	st->st_atim = node->atime;
	st->st_mtim = node->mtime;
	st->st_ctim = node->mtime;
	if (node->kind != FAMFS_NODE_DIR && !famfsd_writable(d, node))
		st->st_mode &= ~0222;
}

void famfsd_entry(const struct famfsd *d, const struct famfs_node *node,
		  struct fuse_entry_param *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->ino = node->ino;
	entry->attr_timeout = FAMFSD_TIMEOUT;
	entry->entry_timeout = FAMFSD_TIMEOUT;
	famfsd_stat(d, node, &entry->attr);
}
