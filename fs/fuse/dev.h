/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What file maps need of dev.c, and dev.c of them.  Only linux 6.12 lacks this
 * header.
 */
#ifndef _FS_FUSE_DEV_H
#define _FS_FUSE_DEV_H

struct file;
struct fuse_copy_state;

long fuse_fmap_dev_ioctl(struct file *file, unsigned int cmd,
			 void __user *argp);

int fuse_copy_one(struct fuse_copy_state *cs, void *val, unsigned int size);
void fuse_copy_finish(struct fuse_copy_state *cs);

#endif /* _FS_FUSE_DEV_H */
