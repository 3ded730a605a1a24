// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: mmap and page faults
 *
 * A fault sends no request.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "fmap_trace.h"

static void fmap_count_fault(struct inode *inode, unsigned int order,
			     vm_fault_t result)
{
	if (result & VM_FAULT_FALLBACK)
		fmap_count(inode, FMAP_FALLBACKS);
	else if (result & VM_FAULT_ERROR)
		fmap_count(inode, FMAP_FAULTS_FAILED);
	else
		fmap_count(inode, order ? FMAP_FAULTS_2M : FMAP_FAULTS_4K);
}

/*
 * The lock is what the removal of a device, among others, waits for.  fs/dax
 * has no need for a page frame number here, nor asks for an fsync first: it
 * would if the map of a file could be new and not safe yet (IOMAP_F_DIRTY).
 */
static vm_fault_t fmap_fault_locked(struct vm_fault *vmf, unsigned int order)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	vm_fault_t ret;

	filemap_invalidate_lock_shared(mapping);
	ret = dax_iomap_fault(vmf, order, NULL, NULL, &fmap_iomap_ops);
	filemap_invalidate_unlock_shared(mapping);
	return ret;
}

static vm_fault_t fmap_write_fault(struct vm_fault *vmf, unsigned int order)
{
	struct file *file = vmf->vma->vm_file;
	struct super_block *sb = file_inode(file)->i_sb;
	vm_fault_t ret;

	sb_start_pagefault(sb);
	file_update_time(file);
	fmap_touch(file_inode(file));
	ret = fmap_fault_locked(vmf, order);
	sb_end_pagefault(sb);
	return ret;
}

static vm_fault_t fmap_fault_order(struct vm_fault *vmf, unsigned int order,
				   bool write)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret;

	if (fuse_is_bad(inode))
		ret = VM_FAULT_SIGBUS;
	else if (write)
		ret = fmap_write_fault(vmf, order);
	else
		ret = fmap_fault_locked(vmf, order);

	fmap_count_fault(inode, order, ret);
	trace_fmap_fault(inode, vmf, order, write, ret);
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

/**
 * fmap_mmap - mmap(2) of a mapped file
 * @file: the file
 * @vma: the new mapping
 *
 * MAP_SYNC promises that a store is safe once the program has flushed it from
 * the CPU's caches.  A map is safe before the server tells it, so there is
 * nothing to be done for that; but the memory has to be persistent.
 *
 * Return: 0, -EIO if the inode is bad, or -EOPNOTSUPP for MAP_SYNC on memory
 * that is not persistent.
 */
int fmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);

	if (fuse_is_bad(inode))
		return -EIO;
	if ((vma->vm_flags & VM_SYNC) && !fmap_persistent(inode))
		return fmap_refuse(inode, "MAP_SYNC", -EOPNOTSUPP);
	vma->vm_ops = &fmap_vm_ops;
	vm_flags_set(vma, VM_HUGEPAGE);
	return 0;
}
