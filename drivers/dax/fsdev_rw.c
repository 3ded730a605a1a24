// SPDX-License-Identifier: GPL-2.0
/*
 * Read and write on the node of a devdax device in fs-dax mode.
 *
 * The memory of such a device belongs to the file system that holds it, and
 * fs-dax builds folios out of its pages, so the node must not map them. But a
 * file system has to be made, replayed and checked by somebody: read(2) and
 * write(2) copy through the kernel's own mapping of the memory and touch no
 * struct page, hence they are safe at any time, also beside a mount. As on a
 * block device, what is written beside a mount is the writer's affair.
 *
 * A write that has returned has left the CPU's caches, so there is nothing left
 * for fsync(2) to do.
 */
#include <linux/capability.h>
#include <linux/dax.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/uio.h>
#include <linux/user_namespace.h>
#include "dax-private.h"
#include "fsdev.h"

/*
 * Removal of the device waits for everybody inside dax_read_lock(), so a long
 * copy leaves it after each piece of this size.
 */
#define FSDEV_PIECE	SZ_1M

/*
 * The node reaches below every permission that the file system on the device
 * enforces. The opener's credentials count, not the caller's: a descriptor is
 * then a grant that a privileged process can hand out, and a privileged process
 * cannot be talked into writing to a descriptor that it inherited. They are
 * looked at here and not in open(), because a descriptor without I/O is enough
 * to name the device to a file system.
 */
static bool fsdev_may_io(const struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYS_RAWIO);
}

/* Size of the device, or -ENXIO when it has gone */
static loff_t fsdev_size(const struct file *file)
{
	struct dev_dax *dev_dax = file->private_data;

	return fs_dax_size(dev_dax->dax_dev) ?: -ENXIO;
}

/*
 * The copy stopped without one byte and does not tell which side was at fault:
 * if the caller's memory is in order, the device's is not.
 */
static int fsdev_copy_error(struct iov_iter *iter)
{
	size_t bad;

	if (iov_iter_rw(iter) == WRITE)
		bad = fault_in_iov_iter_readable(iter, 1);
	else
		bad = fault_in_iov_iter_writeable(iter, 1);

	return bad ? -EFAULT : -EIO;
}

/* Copy all of @iter, which lies within the device, or as much as possible */
static ssize_t fsdev_copy(struct kiocb *iocb, struct iov_iter *iter)
{
	struct dev_dax *dev_dax = iocb->ki_filp->private_data;
	ssize_t done = 0, ret = 0;
	size_t len;

	while (iov_iter_count(iter)) {
		ret = -EINTR;
		if (fatal_signal_pending(current))
			break;

		len = min_t(size_t, iov_iter_count(iter), FSDEV_PIECE);
		ret = dax_copy_iter(dev_dax->dax_dev, iocb->ki_pos, len, iter);
		if (!ret)
			ret = fsdev_copy_error(iter);
		if (ret < 0)
			break;

		iocb->ki_pos += ret;
		done += ret;
		cond_resched();
	}

	return done ? done : ret;
}

/**
 * fsdev_llseek - move the position of an open node
 * @file: the open node
 * @offset: where to, as @whence says
 * @whence: SEEK_SET, SEEK_CUR or SEEK_END; the end is the device's size
 *
 * Return: the new position, which is within the device or at its end, or a
 * negative errno.
 */
loff_t fsdev_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t size = fsdev_size(file);

	if (size < 0)
		return size;
	return fixed_size_llseek(file, offset, whence, size);
}

/**
 * fsdev_read_iter - read device memory
 * @iocb: the open node and the position, any byte of the device
 * @to: where to put the data
 *
 * Return: number of bytes read, fewer than asked for at the end of the device
 * and 0 behind it; -EPERM without CAP_SYS_RAWIO, -EIO where the memory is bad,
 * -ENXIO when the device has gone, or another negative errno.
 */
ssize_t fsdev_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	loff_t size = fsdev_size(iocb->ki_filp);

	if (!fsdev_may_io(iocb->ki_filp))
		return -EPERM;
	if (size < 0)
		return size;
	if (iocb->ki_pos >= size)
		return 0;

	iov_iter_truncate(to, size - iocb->ki_pos);
	return fsdev_copy(iocb, to);
}

/**
 * fsdev_write_iter - write device memory
 * @iocb: the open node and the position, any byte of the device
 * @from: the data
 *
 * The size is fixed, so a write to "the end of the file" is refused rather than
 * let loose on offset 0, where file systems keep their superblock.
 *
 * Return: number of bytes written, fewer than given at the end of the device and
 * before bad memory; -EIO at it, unless a whole page is written and the platform
 * can repair it; -ENOSPC behind the end, -EPERM without CAP_SYS_RAWIO, -EINVAL
 * with O_APPEND, -ENXIO when the device has gone, or another negative errno.
 */
ssize_t fsdev_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	loff_t size = fsdev_size(iocb->ki_filp);
	ssize_t ret;

	if (!fsdev_may_io(iocb->ki_filp))
		return -EPERM;
	if (size < 0)
		return size;
	if (iocb->ki_flags & IOCB_APPEND)
		return -EINVAL;
	if (!iov_iter_count(from))
		return 0;
	if (iocb->ki_pos >= size)
		return -ENOSPC;

	iov_iter_truncate(from, size - iocb->ki_pos);
	ret = fsdev_copy(iocb, from);
	/* Complete the stores that went around the caches */
	pmem_wmb();
	return ret;
}
