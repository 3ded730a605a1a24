/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the fs-dax compatible devdax driver (module fsdev_dax). */
#ifndef __DAX_FSDEV_H__
#define __DAX_FSDEV_H__

#include <linux/dax.h>
#include <linux/types.h>

struct attribute_group;
struct dev_dax;
struct file;
struct iov_iter;
struct kiocb;

loff_t fsdev_llseek(struct file *file, loff_t offset, int whence);
ssize_t fsdev_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fsdev_write_iter(struct kiocb *iocb, struct iov_iter *from);

extern const struct attribute_group *fsdev_cache_groups[];

int fsdev_poison_start(struct dev_dax *dev_dax);
void fsdev_poison_add(struct dev_dax *dev_dax, unsigned long pfn,
		      unsigned long nr_pages);
long fsdev_poison_clip(struct dev_dax *dev_dax, unsigned long pfn,
		       long nr_pages, enum dax_access_mode mode);
int fsdev_zero_pages(struct dev_dax *dev_dax, unsigned long pfn, long nr_pages);
size_t fsdev_recovery_write(struct dax_device *dax_dev, pgoff_t pgoff,
			    void *addr, size_t bytes, struct iov_iter *iter);

#endif /* __DAX_FSDEV_H__ */
