// SPDX-License-Identifier: GPL-2.0
/*
 * Devdax memory for file systems (module fsdev_dax), for linux 6.12
 *
 * device.c lets programs map a devdax device as one large file.  This driver
 * binds to the same devices, of any origin (NVDIMM, soft-reserved memory, CXL),
 * and gives their memory to a file system, by way of fs-dax:
 *
 *  - the dax_device has operations, and can have a holder (fs_dax_get());
 *  - its pages are MEMORY_DEVICE_FS_DAX and each for itself: fs/dax.c ties
 *    them to files, which device.c's prepared compound pages would not allow;
 *  - the node has no mmap, but read and write (fsdev_rw.c).
 *
 * No device is bound by itself.  User space names it to new_id, as it does for
 * the driver of the same name in linux 7.3.
 *
 * What is set up in probe is taken down by devm actions in reverse.  First the
 * device is killed: that tells the holder, which gives up every page, and waits
 * for all who are inside dax_read_lock().  Last the pages go, and only behind
 * them what memory_failure() uses.
 */
#include <linux/cdev.h>
#include <linux/dax.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>
#include "dax-private.h"
#include "bus.h"
#include "fsdev.h"

/* The range of the device that holds a page, by its place in the device */
static struct dev_dax_range *fsdev_range_of(struct dev_dax *dev_dax,
					    pgoff_t pgoff)
{
	for (int i = 0; i < dev_dax->nr_range; i++) {
		struct dev_dax_range *part = &dev_dax->ranges[i];

		if (in_range(pgoff, part->pgoff,
			     PHYS_PFN(range_len(&part->range))))
			return part;
	}
	return NULL;
}

/*
 * Where a run of pages lies, and how many of them lie there one after the other
 * and may be accessed.  The caller is inside dax_read_lock(), which keeps the
 * device from going on with its removal; @dev_dax may have been found NULL.
 */
static long fsdev_locate(struct dev_dax *dev_dax, pgoff_t pgoff, long nr_pages,
			 enum dax_access_mode mode, phys_addr_t *phys)
{
	struct dev_dax_range *part;
	pgoff_t skip;

	if (!dev_dax)
		return -ENXIO;
	part = fsdev_range_of(dev_dax, pgoff);
	if (!part) {
		dev_dbg(&dev_dax->dev, "page %#lx is not in the device\n", pgoff);
		return -EFAULT;
	}

	skip = pgoff - part->pgoff;
	nr_pages = min_t(u64, nr_pages, PHYS_PFN(range_len(&part->range)) - skip);
	*phys = part->range.start + PFN_PHYS(skip);
	return fsdev_poison_clip(dev_dax, PHYS_PFN(*phys), nr_pages, mode);
}

static long fsdev_direct_access(struct dax_device *dax_dev, pgoff_t pgoff,
				long nr_pages, enum dax_access_mode mode,
				void **kaddr, pfn_t *pfn)
{
	phys_addr_t phys;
	long nr;

	nr = fsdev_locate(dax_get_private(dax_dev), pgoff, nr_pages, mode, &phys);
	if (nr < 0)
		return nr;
	if (kaddr)
		*kaddr = __va(phys);
	if (pfn)
		*pfn = phys_to_pfn_t(phys, PFN_DEV | PFN_MAP);
	return nr;
}

static int fsdev_zero_page_range(struct dax_device *dax_dev, pgoff_t pgoff,
				 size_t nr_pages)
{
	struct dev_dax *dev_dax = dax_get_private(dax_dev);
	phys_addr_t phys;
	int rc = 0;
	long nr;

	for (; nr_pages && !rc; pgoff += nr, nr_pages -= nr) {
		nr = fsdev_locate(dev_dax, pgoff, min_t(size_t, nr_pages, LONG_MAX),
				  DAX_RECOVERY_WRITE, &phys);
		if (nr < 0)
			return nr;
		rc = fsdev_zero_pages(dev_dax, PHYS_PFN(phys), nr);
	}
	return rc;
}

static const struct dax_operations fsdev_ops = {
	.direct_access = fsdev_direct_access,
	.zero_page_range = fsdev_zero_page_range,
	.recovery_write = fsdev_recovery_write,
};

/* Where in the device a physical address is; false if it is not there at all */
static bool fsdev_offset_of(struct dev_dax *dev_dax, phys_addr_t phys,
			    u64 *offset, u64 *len)
{
	for (int i = 0; i < dev_dax->nr_range; i++) {
		struct dev_dax_range *part = &dev_dax->ranges[i];
		struct range *range = &part->range;

		if (phys < range->start || phys > range->end)
			continue;
		*offset = PFN_PHYS(part->pgoff) + (phys - range->start);
		*len = min(*len, range->end + 1 - phys);
		return true;
	}
	return false;
}

/*
 * Memory of the page map has failed.  A static device's page map begins before
 * its data, and what fails there is no affair of the holder.
 */
static int fsdev_memory_failure(struct dev_pagemap *pgmap, unsigned long pfn,
				unsigned long nr_pages, int mf_flags)
{
	struct dev_dax *dev_dax = pgmap->owner;
	u64 offset, len = PFN_PHYS(nr_pages);

	if (!fsdev_offset_of(dev_dax, PFN_PHYS(pfn), &offset, &len))
		return -EOPNOTSUPP;

	/* Before the holder takes the page away: the next fault must see it */
	fsdev_poison_add(dev_dax, pfn, PHYS_PFN(len));
	return dax_holder_notify_failure(dev_dax->dax_dev, offset, len, mf_flags);
}

static const struct dev_pagemap_ops fsdev_pagemap_ops = {
	.memory_failure = fsdev_memory_failure,
};

static int fsdev_open(struct inode *inode, struct file *file)
{
	file->private_data = dax_get_private(inode_dax(inode));
	return file->private_data ? 0 : -ENXIO;
}

static const struct file_operations fsdev_fops = {
	.owner = THIS_MODULE,
	.open = fsdev_open,
	.llseek = fsdev_llseek,
	.read_iter = fsdev_read_iter,
	.write_iter = fsdev_write_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.fsync = noop_fsync,
};

/* A dynamic device has no page map but while a driver is bound */
static struct dev_pagemap *fsdev_new_pgmap(struct dev_dax *dev_dax)
{
	struct dev_pagemap *pgmap;

	if (dev_dax->pgmap) {
		dev_warn(&dev_dax->dev, "dynamic device has a page map already\n");
		return ERR_PTR(-EINVAL);
	}
	pgmap = devm_kzalloc(&dev_dax->dev,
			     struct_size(pgmap, ranges, dev_dax->nr_range - 1),
			     GFP_KERNEL);
	if (!pgmap)
		return ERR_PTR(-ENOMEM);

	pgmap->nr_range = dev_dax->nr_range;
	for (int i = 0; i < dev_dax->nr_range; i++)
		pgmap->ranges[i] = dev_dax->ranges[i].range;
	return pgmap;
}

/* A static one was made with it, by dax_pmem; device.c may have had it before */
static struct dev_pagemap *fsdev_static_pgmap(struct dev_dax *dev_dax)
{
	if (dev_dax->nr_range != 1) {
		dev_warn(&dev_dax->dev, "static device has %d ranges\n",
			 dev_dax->nr_range);
		return ERR_PTR(-EINVAL);
	}
	dev_dax->pgmap->vmemmap_shift = 0;
	return dev_dax->pgmap;
}

/* A static page map outlives the module: leave nothing of ours in it */
static void fsdev_reset_pgmap(void *data)
{
	struct dev_pagemap *pgmap = data;

	pgmap->ops = NULL;
	pgmap->owner = NULL;
}

static int fsdev_request_ranges(struct dev_dax *dev_dax)
{
	struct device *dev = &dev_dax->dev;

	dev_dax->cached_size = 0;
	for (int i = 0; i < dev_dax->nr_range; i++) {
		struct range *range = &dev_dax->ranges[i].range;

		if (!devm_request_mem_region(dev, range->start,
					     range_len(range), dev_name(dev))) {
			dev_warn(dev, "range %d, %#llx-%#llx, is in use\n",
				 i, range->start, range->end);
			return -EBUSY;
		}
		dev_dax->cached_size += range_len(range);
	}
	return 0;
}

/*
 * The pages.  They are set up first, so that at unbinding they go last: behind
 * them only the ranges and what fsdev_memory_failure() uses are given back.
 */
static int fsdev_add_pages(struct dev_dax *dev_dax, struct dev_pagemap *pgmap)
{
	struct device *dev = &dev_dax->dev;
	int rc;

	rc = fsdev_poison_start(dev_dax);
	if (rc)
		return rc;

	pgmap->type = MEMORY_DEVICE_FS_DAX;
	pgmap->ops = &fsdev_pagemap_ops;
	pgmap->owner = dev_dax;
	rc = devm_add_action_or_reset(dev, fsdev_reset_pgmap, pgmap);
	if (rc)
		return rc;

	return PTR_ERR_OR_ZERO(devm_memremap_pages(dev, pgmap));
}

static void fsdev_del_node(void *cdev)
{
	cdev_del(cdev);
}

/* The node; it cannot be opened before the device is alive */
static int fsdev_add_node(struct dev_dax *dev_dax)
{
	struct cdev *cdev = dax_inode(dev_dax->dax_dev)->i_cdev;
	struct device *dev = &dev_dax->dev;
	int rc;

	cdev_init(cdev, &fsdev_fops);
	cdev->owner = dev->driver->owner;
	cdev_set_parent(cdev, &dev->kobj);
	rc = cdev_add(cdev, dev->devt, 1);
	if (rc)
		return rc;
	return devm_add_action_or_reset(dev, fsdev_del_node, cdev);
}

static void fsdev_clear_ops(void *dax_dev)
{
	dax_set_ops(dax_dev, NULL);
}

static void fsdev_kill(void *dev_dax)
{
	kill_dev_dax(dev_dax);
}

/* Operations and life: from here on a file system can use the memory */
static int fsdev_go_live(struct dev_dax *dev_dax)
{
	struct dax_device *dax_dev = dev_dax->dax_dev;
	struct device *dev = &dev_dax->dev;
	int rc;

	rc = dax_set_ops(dax_dev, &fsdev_ops);
	if (rc)
		return rc;
	rc = devm_add_action_or_reset(dev, fsdev_clear_ops, dax_dev);
	if (rc)
		return rc;

	dax_write_cache(dax_dev, dev_dax->write_cache);
	run_dax(dax_dev);
	return devm_add_action_or_reset(dev, fsdev_kill, dev_dax);
}

static int fsdev_probe(struct dev_dax *dev_dax)
{
	struct dev_pagemap *pgmap;
	int rc;

	if (dax_node_busy(dev_dax->dax_dev)) {
		dev_warn(&dev_dax->dev,
			 "node is still open from an earlier binding\n");
		return -EBUSY;
	}

	pgmap = static_dev_dax(dev_dax) ? fsdev_static_pgmap(dev_dax) :
					  fsdev_new_pgmap(dev_dax);
	if (IS_ERR(pgmap))
		return PTR_ERR(pgmap);

	rc = fsdev_request_ranges(dev_dax);
	if (rc)
		return rc;
	rc = fsdev_add_pages(dev_dax, pgmap);
	if (rc)
		return rc;
	rc = fsdev_add_node(dev_dax);
	if (rc)
		return rc;
	rc = fsdev_go_live(dev_dax);
	if (rc)
		return rc;

	/* Not before: a failed probe frees it, and nobody else would clear this */
	dev_dax->pgmap = pgmap;
	return 0;
}

static struct dax_device_driver fsdev_driver = {
	.drv = {
		.dev_groups = fsdev_cache_groups,
	},
	.probe = fsdev_probe,
	.type = DAXDRV_FSDEV_TYPE,
};

static int __init fsdev_init(void)
{
	return dax_driver_register(&fsdev_driver);
}
module_init(fsdev_init);

static void __exit fsdev_exit(void)
{
	dax_driver_unregister(&fsdev_driver);
}
module_exit(fsdev_exit);

MODULE_DESCRIPTION("DAX: devdax memory for file systems");
MODULE_LICENSE("GPL");
MODULE_ALIAS_DAX_DEVICE(0);
