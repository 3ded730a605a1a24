// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: read, write, mmap and faults
 *
 * None of them sends a request.  (What write(2) has to take away from the file,
 * set-uid and capabilities, is the server's to store, as for any FUSE file.)
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/filelock.h>
#include <linux/huge_mm.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include <linux/writeback.h>

/*
 * How often to try a copy that does not get on although the user's pages are
 * there.  They may have been taken away again; memory of the device that cannot
 * be read looks just the same, and stays so.
 */
#define FMAP_COPY_TRIES	8

/* One go with invalidate_lock held: as far as no page fault is needed */
static ssize_t fmap_copy_once(struct kiocb *iocb, struct iov_iter *iter)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	ssize_t ret;

	filemap_invalidate_lock_shared(mapping);
	pagefault_disable();
	ret = dax_iomap_rw(iocb, iter, &fmap_iomap_ops);
	pagefault_enable();
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

/* Fault in user pages of @iter.  Return: whether any are there now */
static bool fmap_fault_in(struct iov_iter *iter)
{
	size_t len = min_t(size_t, iov_iter_count(iter), SZ_1M);

	if (iov_iter_rw(iter) == WRITE)
		return fault_in_iov_iter_readable(iter, len) < len;
	return fault_in_iov_iter_writeable(iter, len) < len;
}

/*
 * Copy all of @iter, which may reach over the end of the file in a read.
 *
 * The user's buffer may be a mapping of this very file, whose fault takes
 * invalidate_lock again, or one whose fault waits for the server: so no fault
 * happens under the lock.
 */
static ssize_t fmap_copy(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	int tries = FMAP_COPY_TRIES;
	ssize_t done = 0, ret;

	while (iov_iter_count(iter) && iocb->ki_pos < i_size_read(inode)) {
		ret = fmap_copy_once(iocb, iter);
		if (ret > 0) {
			done += ret;
			tries = FMAP_COPY_TRIES;
			if (!iov_iter_count(iter))
				break;
			continue;
		}
		if (ret == -EFAULT && tries-- && fmap_fault_in(iter))
			continue;
		return done ?: ret;
	}
	return done;
}

static ssize_t fmap_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (fuse_is_bad(inode))
		return -EIO;
	inode_lock_shared(inode);
	ret = fmap_copy(iocb, to);
	inode_unlock_shared(inode);
	return ret;
}

/* A file ends where its map says: nothing is written behind that */
static int fmap_write_clamp(struct kiocb *iocb, struct iov_iter *from)
{
	loff_t size = i_size_read(file_inode(iocb->ki_filp));

	if (iocb->ki_pos >= size)
		return -ENOSPC;
	iov_iter_truncate(from, size - iocb->ki_pos);
	return 0;
}

static ssize_t fmap_write_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	ssize_t ret;

	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	ret = fmap_write_clamp(iocb, from);
	if (ret)
		return ret;
	ret = file_remove_privs(file);
	if (ret)
		return ret;
	ret = file_update_time(file);
	if (ret)
		return ret;
	return fmap_copy(iocb, from);
}

static ssize_t fmap_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (fuse_is_bad(inode))
		return -EIO;
	inode_lock(inode);
	ret = fmap_write_locked(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}

/* The lock is what the removal of a device, among others, waits for */
static vm_fault_t fmap_fault_locked(struct vm_fault *vmf, unsigned int order)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	unsigned long pfn;
	vm_fault_t ret;

	filemap_invalidate_lock_shared(mapping);
	ret = dax_iomap_fault(vmf, order, &pfn, NULL, &fmap_iomap_ops);
	if (ret & VM_FAULT_NEEDDSYNC)
		ret = dax_finish_sync_fault(vmf, order, pfn);
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

static vm_fault_t fmap_fault_order(struct vm_fault *vmf, unsigned int order,
				   bool write)
{
	struct file *file = vmf->vma->vm_file;
	struct super_block *sb = file_inode(file)->i_sb;
	vm_fault_t ret;

	if (fuse_is_bad(file_inode(file)))
		return VM_FAULT_SIGBUS;
	if (!write)
		return fmap_fault_locked(vmf, order);

	sb_start_pagefault(sb);
	file_update_time(file);
	ret = fmap_fault_locked(vmf, order);
	sb_end_pagefault(sb);
	return ret;
}

/* A write to a private mapping goes to a copy and does not touch the file */
static bool fmap_is_write_fault(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_WRITE) &&
	       (vmf->vma->vm_flags & VM_SHARED);
}

static vm_fault_t fmap_fault(struct vm_fault *vmf)
{
	return fmap_fault_order(vmf, 0, fmap_is_write_fault(vmf));
}

static vm_fault_t fmap_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return fmap_fault_order(vmf, order, fmap_is_write_fault(vmf));
}

static vm_fault_t fmap_mkwrite(struct vm_fault *vmf)
{
	return fmap_fault_order(vmf, 0, true);
}

static const struct vm_operations_struct fmap_vm_ops = {
	.fault		= fmap_fault,
	.huge_fault	= fmap_huge_fault,
	.page_mkwrite	= fmap_mkwrite,
	.pfn_mkwrite	= fmap_mkwrite,
};

static int fmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (fuse_is_bad(file_inode(file)))
		return -EIO;
	vma->vm_ops = &fmap_vm_ops;
	vm_flags_set(vma, VM_HUGEPAGE);
	return 0;
}

/*
 * No fallocate and no copy_file_range: the VFS answers that the one is not
 * supported, and copies by splice for the other.  fsync has nothing to do: there
 * is no page cache, and the server has seen none of the data.
 */
const struct file_operations fmap_file_operations = {
	.owner		= THIS_MODULE,
	.llseek		= generic_file_llseek,
	.read_iter	= fmap_read_iter,
	.write_iter	= fmap_write_iter,
	.mmap		= fmap_mmap,
	.get_unmapped_area = thp_get_unmapped_area,
	.flush		= fuse_flush,
	.release	= fuse_release,
	.fsync		= noop_fsync,
	.lock		= fuse_file_lock,
	.flock		= fuse_file_flock,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.unlocked_ioctl	= fuse_file_ioctl,
	.compat_ioctl	= fuse_file_compat_ioctl,
	.poll		= fuse_file_poll,
	.setlease	= generic_setlease,
};

/*
 * Nothing waits to be written.  But fs/dax tags what was mapped for writing, and
 * an inode with tagged entries counts as dirty and would never be forgotten, nor
 * its bytes be free for another.  To take the tags away write-protects the file
 * in all mappings, for another fault at the next store: so only if there are
 * none.  The device matters to a flush only, which devdax devices don't need.
 */
static int fmap_writepages(struct address_space *mapping,
			   struct writeback_control *wbc)
{
	struct writeback_control all = {
		.sync_mode = WB_SYNC_ALL,
		.range_end = LLONG_MAX,
	};
	struct inode *inode = mapping->host;
	struct fmap_dev *dev;

	if (mapping_mapped(mapping) || mapping_empty(mapping))
		return 0;
	/* What has entries has been mapped, hence has bytes on some device */
	dev = fmap_conn_dev(get_fuse_conn(inode),
			    get_fuse_inode(inode)->fmap->claims[0]->dev);
	return dax_writeback_mapping_range(mapping, dev->dax_dev, &all);
}

const struct address_space_operations fmap_aops = {
	.writepages	= fmap_writepages,
	.dirty_folio	= noop_dirty_folio,
};
