// SPDX-License-Identifier: Apache-2.0
/*
 * What a log entry means. The log may come from anybody: an entry changes
 * the volume only when all of it holds.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "volume.h"

/* Media of another host must not hand out privileges here. */
#define FILE_MODE	0777
#define DIR_MODE	01777

static int check_mode(uint32_t mode, uint32_t type, struct famfs_error *e)
{
	uint32_t has = mode & S_IFMT;

	if ((!has || has == type) && !(mode & ~(S_IFMT | 07777)))
		return 0;
	return famfs_fail(e, -EINVAL, "its mode is %#o", mode);
}

static int place(struct famfs_volume *v, const char path[FAMFS_PATH_MAX],
		 struct famfs_node **parent, const char **name,
		 struct famfs_error *e)
{
	int err = famfs_path_check(path, e);

	return err ? err : famfs_tree_place(&v->tree, path, parent, name, e);
}

static int replay_file(struct famfs_volume *v,
		       const struct famfs_entry_file *file,
		       struct famfs_error *e)
{
	struct famfs_node proto = {
		.kind = FAMFS_NODE_FILE,
		.size = file->size,
		.mode = S_IFREG | (file->mode & FILE_MODE),
		.uid = file->uid,
		.gid = file->gid,
		.flags = file->flags,
		.map = file->map,
	};
	struct famfs_node *parent;
	const char *name;
	int err;

	err = place(v, file->path, &parent, &name, e);
	if (!err)
		err = check_mode(file->mode, S_IFREG, e);
	if (!err && file->flags & ~(FAMFS_FILE_HOSTS_RO | FAMFS_FILE_HOSTS_RW))
		err = famfs_fail(e, -EINVAL, "its flags are %#x", file->flags);
	if (!err)
		err = famfs_map_check(&file->map, file->size, &v->geometry, e);
	if (!err)
		err = famfs_map_claim(&file->map, &v->geometry, e);
	if (err)
		return err;
	if (famfs_tree_add(&v->tree, &proto, parent, name))
		return 0;
	famfs_map_release(&file->map, &v->geometry);
	return famfs_fail(e, -ENOMEM, "out of memory");
}

static int replay_mkdir(struct famfs_volume *v,
			const struct famfs_entry_mkdir *dir,
			struct famfs_error *e)
{
	struct famfs_node proto = {
		.kind = FAMFS_NODE_DIR,
		.mode = S_IFDIR | (dir->mode & DIR_MODE),
		.uid = dir->uid,
		.gid = dir->gid,
	};
	struct famfs_node *parent;
	const char *name;
	int err;

	err = place(v, dir->path, &parent, &name, e);
	if (!err)
		err = check_mode(dir->mode, S_IFDIR, e);
	if (err)
		return err;
	if (famfs_tree_add(&v->tree, &proto, parent, name))
		return 0;
	return famfs_fail(e, -ENOMEM, "out of memory");
}

static bool known_uuid(const struct famfs_volume *v, const uint8_t uuid[16])
{
	uint32_t i;

	for (i = 0; i < v->geometry.ndevs; i++)
		if (!memcmp(v->dev[i].uuid, uuid, 16))
			return true;
	return false;
}

static int replay_device(struct famfs_volume *v,
			 const struct famfs_entry_device *dev,
			 struct famfs_error *e)
{
	uint32_t i = v->geometry.ndevs;
	uint64_t end = dev->size - dev->size % v->super.alloc_unit;

	/* The primary needs no entry; one that says the same does no harm. */
	if (!dev->index && !memcmp(v->dev[0].uuid, dev->uuid, 16))
		return 0;
	if (dev->index != i)
		return famfs_fail(e, -EINVAL, "device %u is added where %u is due",
				  dev->index, i);
	if (i == FAMFS_MAX_DEVICES)
		return famfs_fail(e, -EINVAL, "more than %d devices",
				  FAMFS_MAX_DEVICES);
	if (known_uuid(v, dev->uuid))
		return famfs_fail(e, -EINVAL, "device %u is there already", i);
	if (end <= FAMFS_SUPER_REGION || end > INT64_MAX)
		return famfs_fail(e, -EINVAL, "device %u has the size %" PRIu64,
				  i, dev->size);
	if (famfs_space_init(&v->space[i], FAMFS_SUPER_REGION, end))
		return famfs_fail(e, -ENOMEM, "out of memory");
	v->dev[i] = (struct famfs_volume_dev){ .size = dev->size };
	memcpy(v->dev[i].uuid, dev->uuid, 16);
	v->geometry.ndevs++;
	return 0;
}

int famfs_replay_entry(const struct famfs_entry *entry, void *arg,
		       struct famfs_error *e)
{
	struct famfs_volume *v = arg;
	int err;

	switch (entry->type) {
	case FAMFS_ENTRY_FILE:
		err = replay_file(v, &entry->file, e);
		break;
	case FAMFS_ENTRY_MKDIR:
		err = replay_mkdir(v, &entry->mkdir, e);
		break;
	case FAMFS_ENTRY_DEVICE:
		err = replay_device(v, &entry->device, e);
		break;
	default:
		err = famfs_fail(e, -EPROTONOSUPPORT,
				 "its type %u is not known to this program",
				 entry->type);
	}
	if (err)
		return famfs_wrap(e, err, "log entry %" PRIu64, entry->seqnum);
	v->replayed++;
	return 0;
}
