// SPDX-License-Identifier: GPL-2.0
/*
 * Whether fsync(2) on files of a device in fs-dax mode writes CPU caches back.
 *
 * By default it does where that makes data persistent.  The attribute lets an
 * administrator ask for it in addition where the memory is shared with hosts
 * whose caches are not coherent with ours: no driver can tell.
 */
#include <linux/dax.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>
#include "dax-private.h"
#include "fsdev.h"

static ssize_t write_cache_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct dev_dax *dev_dax = to_dev_dax(dev);

	return sysfs_emit(buf, "%d\n",
			  dax_write_cache_enabled(dev_dax->dax_dev));
}

static ssize_t write_cache_store(struct device *dev,
				 struct device_attribute *attr,
				 const char *buf, size_t len)
{
	struct dev_dax *dev_dax = to_dev_dax(dev);
	bool on;
	int rc;

	rc = kstrtobool(buf, &on);
	if (rc)
		return rc;
	dax_write_cache(dev_dax->dax_dev, on);
	return len;
}
static DEVICE_ATTR_RW(write_cache);

static struct attribute *fsdev_cache_attrs[] = {
	&dev_attr_write_cache.attr,
	NULL,
};

static const struct attribute_group fsdev_cache_group = {
	.attrs = fsdev_cache_attrs,
};

/* Attributes of a device as long as it is bound to the driver */
const struct attribute_group *fsdev_cache_groups[] = {
	&fsdev_cache_group,
	NULL,
};
