// SPDX-License-Identifier: Apache-2.0
#include "find.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "bind.h"
#include "super.h"
#include "sysfs.h"

/* Which device of the volume has this superblock; 0 for none. */
static uint32_t match(const struct famfs_volume *v,
		      const struct famfs_super *sb)
{
	uint32_t i;

	for (i = 1; i < v->geometry.ndevs; i++)
		if (famfs_volume_is_dev(v, i, sb))
			return i;
	return 0;
}

static int take(struct famfs_volume *v, uint32_t i, const char *name,
		uint64_t size, struct famfs_error *e)
{
	struct famfs_volume_dev *dev = &v->dev[i];

	if (dev->name[0] && strcmp(dev->name, name))
		return famfs_fail(e, -EEXIST, "%s and %s both say that they are device %u",
				  dev->name, name, i);
	if (size < dev->size)
		return famfs_fail(e, -EINVAL, "%s has %" PRIu64
				  " bytes, as device %u it had %" PRIu64,
				  name, size, i, dev->size);
	strncpy(dev->name, name, sizeof(dev->name) - 1);
	return 0;
}

struct search {
	struct famfs_volume *v;
	bool bind;
	struct famfs_error *e;
};

static int look_at_name(const char *name, void *arg)
{
	struct search *s = arg;
	char path[FAMFS_DEVPATH_MAX];
	struct famfs_super sb;
	uint64_t size = 0;
	uint32_t i;
	int err;

	/* Devices that cannot be read are somebody else's. */
	if (famfs_peek(name, &sb, sizeof(sb)))
		return 0;
	i = match(s->v, &sb);
	if (!i)
		return 0;
	snprintf(path, sizeof(path), "/dev/%s", name);
	err = famfs_bind(path, s->bind, s->e);
	if (err < 0)
		return err;
	famfs_sysfs_size(name, &size);
	return take(s->v, i, name, size, s->e);
}

static int look_at_path(const char *path, struct search *s)
{
	struct famfs_super sb;
	struct famfs_dev dev;
	uint32_t i;
	int err;

	err = famfs_bind(path, s->bind, s->e);
	if (err < 0)
		return err;
	err = famfs_dev_open(&dev, path, O_RDONLY, s->e);
	if (err)
		return err;
	err = famfs_super_read(&dev, &sb, s->e);
	if (!err) {
		i = match(s->v, &sb);
		err = i ? take(s->v, i, dev.name, dev.size, s->e) :
			famfs_fail(s->e, -EINVAL, "%s does not belong to the famfs on %s",
				   path, s->v->primary.path);
	}
	famfs_dev_close(&dev);
	return err;
}

static int all_found(const struct famfs_volume *v, struct famfs_error *e)
{
	char uuid[37];
	uint32_t i;

	for (i = 1; i < v->geometry.ndevs; i++) {
		if (v->dev[i].name[0])
			continue;
		uuid_unparse_lower(v->dev[i].uuid, uuid);
		return famfs_fail(e, -ENODEV, "device %u of the file system (uuid %s) is not among this host's DAX devices",
				  i, uuid);
	}
	return 0;
}

int famfs_find_devices(struct famfs_volume *v, char *const *given, bool bind,
		       struct famfs_error *e)
{
	struct search s = { v, bind, e };
	int err = 0;

	if (!all_found(v, NULL))
		return 0;
	if (given && *given) {
		for (; !err && *given; given++)
			err = look_at_path(*given, &s);
	} else {
		err = famfs_sysfs_each(look_at_name, &s);
	}
	return err ? err : all_found(v, e);
}
