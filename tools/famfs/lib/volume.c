// SPDX-License-Identifier: Apache-2.0
#include "volume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "super.h"

/* A file of .meta: a window on a range that no other file can have. */
static int add_window(struct famfs_volume *v, struct famfs_node *meta,
		      const char *name, enum famfs_node_kind kind,
		      uint64_t offset, uint64_t len)
{
	struct famfs_node proto = {
		.kind = kind,
		.mode = S_IFREG | 0444,
		.size = len,
		.map = {
			.ext_type = FAMFS_MAP_SIMPLE,
			.count = 1,
			.se = { { 0, offset, len } },
		},
	};

	return famfs_tree_add(&v->tree, &proto, meta, name) ? 0 : -ENOMEM;
}

static int add_meta(struct famfs_volume *v)
{
	struct famfs_node proto = {
		.kind = FAMFS_NODE_DIR,
		.mode = S_IFDIR | 0755,
	};
	struct famfs_node *root = famfs_tree_get(&v->tree, FAMFS_ROOT_INO);
	struct famfs_node *meta;

	meta = famfs_tree_add(&v->tree, &proto, root, FAMFS_META_NAME);
	if (!meta ||
	    add_window(v, meta, ".superblock", FAMFS_NODE_SUPER, 0,
		       FAMFS_SUPER_REGION) ||
	    add_window(v, meta, ".log", FAMFS_NODE_LOG, v->super.log_offset,
		       v->super.log_len))
		return -ENOMEM;
	return 0;
}

static int add_primary(struct famfs_volume *v)
{
	uint64_t size = v->primary.size;

	memcpy(v->dev[0].uuid, v->super.dev_uuid, 16);
	memcpy(v->dev[0].name, v->primary.name, sizeof(v->dev[0].name));
	v->dev[0].size = size;
	v->geometry.alloc_unit = v->super.alloc_unit;
	v->geometry.space = v->space;
	v->geometry.ndevs = 1;
	return famfs_space_init(&v->space[0],
				v->super.log_offset + v->super.log_len,
				size - size % v->super.alloc_unit);
}

static int load(struct famfs_volume *v, struct famfs_error *e)
{
	int err = famfs_super_read(&v->primary, &v->super, e);

	if (err)
		return err;
	if (v->super.flags != FAMFS_SB_PRIMARY)
		return famfs_fail(e, -EINVAL, "%s is a further device of a famfs; name its primary device",
				  v->primary.path);
	err = famfs_log_read_header(&v->primary, &v->super, &v->log, e);
	if (err)
		return err;
	if (famfs_tree_init(&v->tree) || add_primary(v) || add_meta(v))
		return famfs_fail(e, -ENOMEM, "out of memory");
	err = famfs_log_walk(&v->primary, &v->super, 0, v->log.next_index,
			     famfs_replay_entry, v, e);
	return err ? famfs_wrap(e, err, "%s", v->primary.path) : 0;
}

int famfs_volume_open(struct famfs_volume *v, const char *path, int flags,
		      struct famfs_error *e)
{
	int err;

	memset(v, 0, sizeof(*v));
	err = famfs_dev_open(&v->primary, path, flags, e);
	if (err)
		return err;
	/* Before the first look, so that no mkfs comes in between. */
	err = famfs_dev_use(&v->primary, FAMFS_USE_MOUNT);
	if (err == -EBUSY)
		famfs_fail(e, err, "%s: mkfs.famfs is at work on it", path);
	else if (err)
		famfs_fail(e, err, "cannot lock %s: %s", path, strerror(-err));
	else
		err = load(v, e);
	famfs_dev_rest(&v->primary);
	if (err)
		famfs_volume_close(v);
	return err;
}

void famfs_volume_close(struct famfs_volume *v)
{
	uint32_t i;

	for (i = 0; i < v->geometry.ndevs; i++)
		famfs_space_fini(&v->space[i]);
	famfs_tree_fini(&v->tree);
	famfs_dev_close(&v->primary);
	memset(v, 0, sizeof(*v));
	v->primary.fd = -1;
	v->primary.lock = -1;
}

bool famfs_volume_is_dev(const struct famfs_volume *v, uint32_t i,
			 const struct famfs_super *sb)
{
	return !famfs_super_check(sb, UINT64_MAX, NULL) &&
		sb->flags == (i ? FAMFS_SB_SECONDARY : FAMFS_SB_PRIMARY) &&
		!memcmp(sb->fs_uuid, v->super.fs_uuid, 16) &&
		!memcmp(sb->dev_uuid, v->dev[i].uuid, 16);
}

static int formatted(struct famfs_volume *v, struct famfs_error *e)
{
	return famfs_fail(e, -ESTALE, "%s was formatted while it was mounted",
			  v->primary.path);
}

/* The device may have been away since the last look. */
static int still_ours(struct famfs_volume *v, struct famfs_error *e)
{
	struct famfs_super sb;
	int err = famfs_super_read(&v->primary, &sb, e);

	if (err || famfs_volume_is_dev(v, 0, &sb))
		return err;
	return formatted(v, e);
}

static int refresh(struct famfs_volume *v, struct famfs_error *e)
{
	struct famfs_log_header log;
	uint64_t before = v->replayed;
	int err;

	err = famfs_log_read_header(&v->primary, &v->super, &log, e);
	if (err || log.next_index == before)
		return err;
	err = still_ours(v, e);
	if (err)
		return err;
	if (log.next_index < before)
		return formatted(v, e);
	v->log = log;
	clock_gettime(CLOCK_REALTIME, &v->tree.now);
	err = famfs_log_walk(&v->primary, &v->super, before, log.next_index,
			     famfs_replay_entry, v, e);
	return err ? err : 1;
}

int famfs_volume_refresh(struct famfs_volume *v, struct famfs_error *e)
{
	int ret = refresh(v, e);

	famfs_dev_rest(&v->primary);
	return ret;
}

/*
 * The same code replays an entry of our own and one that was read: what we
 * write is what everybody will understand. It comes before the append, since
 * it can fail and be left alone, and the append cannot be taken back. Should
 * the device fail the append, the name stays visible here, and nothing more
 * is written: nobody knows what the media says now.
 */
static int append(struct famfs_volume *v, struct famfs_entry *entry,
		  struct famfs_error *e)
{
	int err;

	err = famfs_log_append(&v->primary, &v->super, &v->log, entry, e);
	if (!err)
		return 0;
	if (err != -ENOSPC)
		v->broken = true;
	return err;
}

static int may_append(const struct famfs_volume *v, struct famfs_error *e)
{
	if (v->broken)
		return famfs_fail(e, -EIO, "writing the log failed before; mount again");
	if (v->log.next_index > v->log.last_index)
		return famfs_fail(e, -ENOSPC, "the log is full: it holds %" PRIu64
				  " entries", v->log.last_index + 1);
	if (v->replayed != v->log.next_index)
		return famfs_fail(e, -EIO, "the log holds entries that were not understood");
	return 0;
}

static int name_path(const struct famfs_node *parent, const char *name,
		     char path[FAMFS_PATH_MAX], struct famfs_error *e)
{
	int err = famfs_tree_path(parent, name, path);

	if (err == -ENAMETOOLONG)
		return famfs_fail(e, err, "the path from the mount point to '%s' is longer than %d bytes",
				  name, FAMFS_PATH_MAX - 1);
	return err ? famfs_fail(e, err, "'%s' is not a file name", name) : 0;
}

static int commit(struct famfs_volume *v, struct famfs_node *parent,
		  const char *name, struct famfs_entry *entry,
		  struct famfs_node **node, struct famfs_error *e)
{
	int err;

	entry->seqnum = v->log.next_index;
	clock_gettime(CLOCK_REALTIME, &v->tree.now);
	err = still_ours(v, e);
	if (!err)
		err = famfs_replay_entry(entry, v, e);
	if (!err)
		err = append(v, entry, e);
	famfs_dev_rest(&v->primary);
	if (!err)
		*node = famfs_tree_lookup(&v->tree, parent, name);
	return err;
}

int famfs_volume_mkdir(struct famfs_volume *v, struct famfs_node *parent,
		       const char *name, const struct famfs_owner *owner,
		       struct famfs_node **node, struct famfs_error *e)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_MKDIR,
		.mkdir = {
			.uid = owner->uid,
			.gid = owner->gid,
			.mode = owner->mode & 01777,
		},
	};
	int err = may_append(v, e);

	if (!err)
		err = name_path(parent, name, entry.mkdir.path, e);
	return err ? err : commit(v, parent, name, &entry, node, e);
}

int famfs_volume_create(struct famfs_volume *v, struct famfs_node *parent,
			const char *name, const struct famfs_owner *owner,
			const struct famfs_want *want,
			struct famfs_node **node, struct famfs_error *e)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_FILE,
		.file = {
			.size = want->size,
			.flags = owner->flags,
			.uid = owner->uid,
			.gid = owner->gid,
			.mode = owner->mode & 0777,
		},
	};
	int err = may_append(v, e);

	if (!err)
		err = name_path(parent, name, entry.file.path, e);
	if (!err && famfs_tree_lookup(&v->tree, parent, name))
		err = famfs_fail(e, -EEXIST, "'%s' is there already", name);
	if (!err)
		err = famfs_alloc(want, &v->geometry, &entry.file.map, e);
	if (err)
		return err;
	/* The replay claims it, as on every other host. */
	famfs_map_release(&entry.file.map, &v->geometry);
	return commit(v, parent, name, &entry, node, e);
}
