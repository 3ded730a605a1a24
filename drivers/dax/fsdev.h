/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of the fs-dax compatible devdax driver (module fsdev_dax). */
#ifndef __DAX_FSDEV_H__
#define __DAX_FSDEV_H__

#include <linux/types.h>

struct attribute_group;
struct file;
struct iov_iter;
struct kiocb;

loff_t fsdev_llseek(struct file *file, loff_t offset, int whence);
ssize_t fsdev_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fsdev_write_iter(struct kiocb *iocb, struct iov_iter *from);

extern const struct attribute_group *fsdev_cache_groups[];

#endif /* __DAX_FSDEV_H__ */
