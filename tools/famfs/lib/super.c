// SPDX-License-Identifier: Apache-2.0
#include "super.h"

#include <inttypes.h>
#include <string.h>
#include <uuid/uuid.h>
#include <zlib.h>

#include "log.h"

uint64_t famfs_crc(const void *data, size_t len)
{
	return crc32(crc32(0, NULL, 0), data, len);
}

static uint64_t super_crc(const struct famfs_super *sb)
{
	return famfs_crc(sb, offsetof(struct famfs_super, crc));
}

static void describe_device(struct famfs_super *sb,
			    const struct famfs_dev *dev)
{
	uuid_generate(sb->dev_uuid);
	memset(&sb->daxdev, 0, sizeof(sb->daxdev));
	sb->daxdev.size = dev->size;
	memcpy(sb->daxdev.uuid, sb->dev_uuid, sizeof(sb->daxdev.uuid));
	memcpy(sb->daxdev.name, dev->name, sizeof(sb->daxdev.name));
	sb->crc = super_crc(sb);
}

int famfs_super_make(struct famfs_super *sb, const struct famfs_dev *dev,
		     uint64_t log_len, const uint8_t system_uuid[16],
		     struct famfs_error *e)
{
	int err = famfs_log_len_check(log_len, e);

	if (err)
		return err;
	if (dev->size < FAMFS_LOG_OFFSET + log_len + FAMFS_ALLOC_UNIT)
		return famfs_fail(e, -ENOSPC, "%s is too small: it has %" PRIu64
				  " MiB, superblock and log take %" PRIu64,
				  dev->path, dev->size >> 20,
				  (FAMFS_LOG_OFFSET + log_len) >> 20);

	memset(sb, 0, sizeof(*sb));
	sb->magic = FAMFS_SUPER_MAGIC;
	sb->version = FAMFS_SUPER_VERSION;
	sb->log_offset = FAMFS_LOG_OFFSET;
	sb->log_len = log_len;
	sb->alloc_unit = FAMFS_ALLOC_UNIT;
	sb->omf_major = FAMFS_OMF_MAJOR;
	sb->omf_minor = FAMFS_OMF_MINOR;
	sb->flags = FAMFS_SB_PRIMARY;
	uuid_generate(sb->fs_uuid);
	memcpy(sb->system_uuid, system_uuid, sizeof(sb->system_uuid));
	describe_device(sb, dev);
	return 0;
}

void famfs_super_make_secondary(struct famfs_super *sb,
				const struct famfs_super *primary,
				const struct famfs_dev *dev)
{
	*sb = *primary;
	sb->flags = FAMFS_SB_SECONDARY;
	describe_device(sb, dev);
}

bool famfs_super_present(const struct famfs_super *sb)
{
	return sb->magic == FAMFS_SUPER_MAGIC;
}

static int broken(struct famfs_error *e, const char *what, uint64_t value)
{
	return famfs_fail(e, -EINVAL, "broken superblock: %s is %#" PRIx64,
			  what, value);
}

static int check_version(const struct famfs_super *sb, struct famfs_error *e)
{
	if (!famfs_super_present(sb))
		return famfs_fail(e, -ENODATA, "no famfs here (magic %#" PRIx64
				  "); mkfs.famfs makes one", sb->magic);
	if (sb->version != FAMFS_SUPER_VERSION)
		return famfs_fail(e, -EPROTONOSUPPORT,
				  "superblock version is %" PRIu64
				  ", this program knows %d", sb->version,
				  FAMFS_SUPER_VERSION);
	if (sb->crc != super_crc(sb))
		return broken(e, "its checksum", sb->crc);
	/* A newer minor only adds what an old reader may pass over. */
	if (sb->omf_major != FAMFS_OMF_MAJOR)
		return famfs_fail(e, -EPROTONOSUPPORT,
				  "on-media format is %u.%u, this program knows %d",
				  sb->omf_major, sb->omf_minor,
				  FAMFS_OMF_MAJOR);
	return 0;
}

int famfs_super_check(const struct famfs_super *sb, uint64_t dev_size,
		      struct famfs_error *e)
{
	int err = check_version(sb, e);

	if (err)
		return err;
	if (sb->flags != FAMFS_SB_PRIMARY && sb->flags != FAMFS_SB_SECONDARY)
		return broken(e, "its flags word", sb->flags);
	if (sb->log_offset != FAMFS_LOG_OFFSET)
		return broken(e, "log_offset", sb->log_offset);
	if (famfs_log_len_check(sb->log_len, NULL))
		return broken(e, "log_len", sb->log_len);
	if (sb->alloc_unit != FAMFS_ALLOC_UNIT &&
	    sb->alloc_unit != FAMFS_ALLOC_UNIT_SMALL)
		return broken(e, "alloc_unit", sb->alloc_unit);
	if (sb->flags == FAMFS_SB_PRIMARY &&
	    sb->log_offset + sb->log_len > dev_size)
		return famfs_fail(e, -EINVAL,
				  "broken superblock: the log ends beyond the device");
	return 0;
}

int famfs_super_read(struct famfs_dev *dev, struct famfs_super *sb,
		     struct famfs_error *e)
{
	int err = famfs_dev_read(dev, sb, sizeof(*sb), 0, e);

	if (err)
		return err;
	err = famfs_super_check(sb, dev->size, e);
	return err ? famfs_wrap(e, err, "%s", dev->path) : 0;
}

int famfs_super_write(struct famfs_dev *dev, const struct famfs_super *sb,
		      struct famfs_error *e)
{
	int err = famfs_dev_write(dev, sb, sizeof(*sb), 0, e);

	return err ? err : famfs_dev_sync(dev, e);
}
