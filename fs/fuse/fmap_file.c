// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the operations of a mapped file
 *
 * What concerns the data is done here, by the files beside this one, and sends
 * no request.  What concerns the server goes to it as for any FUSE file.
 */
#include "fmap_i.h"

#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/huge_mm.h>
#include <linux/splice.h>

/* Without a copy_file_range of our own the VFS copies by splice */
const struct file_operations fmap_file_operations = {
	.owner		= THIS_MODULE,
	.llseek		= generic_file_llseek,
	.read_iter	= fmap_read_iter,
	.write_iter	= fmap_write_iter,
	.mmap		= fmap_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.flush		= fuse_flush,
	.release	= fuse_release,
	.fsync		= fmap_fsync,
	.fallocate	= fmap_fallocate,
	.lock		= fuse_file_lock,
	.flock		= fuse_file_flock,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.unlocked_ioctl	= fuse_file_ioctl,
	.compat_ioctl	= fuse_file_compat_ioctl,
	.poll		= fuse_file_poll,
	.setlease	= generic_setlease,
	.fop_flags	= FOP_MMAP_SYNC | FOP_BUFFER_WASYNC,
};
