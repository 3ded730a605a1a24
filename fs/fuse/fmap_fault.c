// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: mmap and page faults
 *
 * A fault sends no request if the map is there.  If it is not, a fault waits for
 * the server, first without mmap_lock and then with it.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/file.h>
#include <linux/huge_mm.h>
#include <linux/iomap.h>
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

/* The bytes that a fault may map, as far as they are inside the file */
static u64 fmap_fault_end(struct inode *inode, u64 start, unsigned int order)
{
	u64 end = start + (PAGE_SIZE << order);

	return min(end, PAGE_ALIGN((u64)i_size_read(inode)));
}

static u64 fmap_fault_start(const struct vm_fault *vmf, unsigned int order)
{
	return (u64)round_down(vmf->pgoff, 1UL << order) << PAGE_SHIFT;
}

/*
 * Bytes that two messages have told may lie one behind the other, though their
 * pieces are two: a map that comes in pages, or a part that was taken back and
 * told again, is not to cost a page of 2 MiB.
 *
 * Return: as fmap_fault_locate(), with @iomap as long as it can be.
 */
static int fmap_fault_join(struct inode *inode, u64 end, struct iomap *iomap)
{
	for (;;) {
		u64 pos = iomap->offset + iomap->length;
		struct iomap next = {};
		int err;

		if (pos >= end)
			return 0;
		err = fmap_iomap_begin(inode, pos, end - pos, IOMAP_FAULT, &next,
				       NULL);
		if (err == -ENODATA)
			return err;
		if (err || next.dax_dev != iomap->dax_dev ||
		    next.addr != iomap->addr + iomap->length)
			return fmap_present(inode, pos, end) ? 0 : -ENODATA;
		iomap->length += next.length;
	}
}

/*
 * Where what the fault may map lies.  fs/dax is asked only if the map is there for
 * all of that: else it would settle for a page of 4 KiB, and its entry for that
 * page would keep the 2 MiB around it from ever being mapped as one.
 *
 * Return: 0; -ENODATA if the map has to be fetched; -EIO.
 */
static int fmap_fault_locate(struct inode *inode, const struct vm_fault *vmf,
			     unsigned int order, struct iomap *iomap)
{
	u64 start = fmap_fault_start(vmf, order);
	u64 end = fmap_fault_end(inode, start, order);
	int err;

	if (READ_ONCE(get_fuse_inode(inode)->fmap->resize))
		return -ENODATA;
	/* fs/dax looks at the size as well, and says what that means */
	if (start >= end)
		return 0;
	err = fmap_iomap_begin(inode, start, end - start, IOMAP_FAULT, iomap,
			       NULL);
	return err ?: fmap_fault_join(inode, end, iomap);
}

/* A part of the map that came later may lie on memory that is not persistent */
static bool fmap_breaks_promise(struct inode *inode, const struct vm_fault *vmf)
{
	return (vmf->vma->vm_flags & VM_SYNC) && !fmap_persistent(inode);
}

/*
 * The lock is what notifications and the removal of a device, among others, wait
 * for.  fs/dax has no need for a page frame number here, nor asks for an fsync
 * first: it would if the map of a file could be new and not safe yet
 * (IOMAP_F_DIRTY).
 *
 * Return: 0 if the map is not there, else as a fault handler.
 */
static vm_fault_t fmap_fault_locked(struct vm_fault *vmf, unsigned int order)
{
	struct address_space *mapping = vmf->vma->vm_file->f_mapping;
	struct inode *inode = mapping->host;
	struct iomap_iter iter = { .inode = inode };
	vm_fault_t ret;
	int err;

	filemap_invalidate_lock_shared(mapping);
	err = fmap_fault_locate(inode, vmf, order, &iter.iomap);
	if (err == -ENODATA)
		ret = 0;
	else if (fmap_breaks_promise(inode, vmf))
		ret = VM_FAULT_SIGBUS;
	else if (err)
		/* Other pages of 4 KiB may lie on a device that is there */
		ret = order ? VM_FAULT_FALLBACK : VM_FAULT_SIGBUS;
	else
		ret = dax_fault_iomap(vmf, order, &iter);
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

/* Return: 0 if the map is not there, else as a fault handler */
static vm_fault_t fmap_fault_once(struct vm_fault *vmf, unsigned int order,
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

	if (!ret)
		return 0;
	fmap_count_fault(inode, order, ret);
	trace_fmap_fault(inode, vmf, order, write, ret);
	return ret;
}

/*
 * A signal that does not kill can be handled before the fault is tried again, if
 * it is the user's program that faults.  A copy of the kernel's would fault at
 * once again, and again.
 */
static bool fmap_fault_interruptible(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_USER) &&
	       (vmf->flags & FAULT_FLAG_INTERRUPTIBLE) &&
	       (vmf->flags & FAULT_FLAG_ALLOW_RETRY);
}

/*
 * Fetch what a fault lacks, without mmap_lock: others need it meanwhile.  The
 * fault then begins anew, whatever came of the fetch: who has let go of the lock
 * cannot report an error.
 */
static vm_fault_t fmap_fetch_unlocked(struct vm_fault *vmf, unsigned int order)
{
	struct file *file = get_file(vmf->vma->vm_file);
	struct inode *inode = file_inode(file);
	bool interruptible = fmap_fault_interruptible(vmf);
	u64 start = fmap_fault_start(vmf, order);

	release_fault_lock(vmf);
	fmap_need(inode, start, fmap_fault_end(inode, start, order),
		  interruptible);
	fput(file);
	/* Both together say that this was the first time, and that it took long */
	return VM_FAULT_RETRY | VM_FAULT_MAJOR;
}

/* The second time the lock is kept, so that an error can be reported */
static vm_fault_t fmap_fetch_locked(struct vm_fault *vmf, unsigned int order)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	u64 start = fmap_fault_start(vmf, order);
	int err;

	err = fmap_need(inode, start, fmap_fault_end(inode, start, order),
			fmap_fault_interruptible(vmf));
	if (!err)
		return 0;
	if (err == -ERESTARTSYS && (vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		release_fault_lock(vmf);
		return VM_FAULT_RETRY;
	}
	/* Only this page may be there: it is tried by itself */
	if (order) {
		fmap_count(inode, FMAP_FALLBACKS);
		return VM_FAULT_FALLBACK;
	}
	fmap_count(inode, FMAP_FETCH_ERRORS);
	fmap_count(inode, FMAP_FAULTS_FAILED);
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/* Return: 0 to try again at once, else what the fault handler returns */
static vm_fault_t fmap_fault_fetch(struct vm_fault *vmf, unsigned int order)
{
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (fault_flag_allow_retry_first(vmf->flags))
		return fmap_fetch_unlocked(vmf, order);
	return fmap_fetch_locked(vmf, order);
}

static vm_fault_t fmap_fault_order(struct vm_fault *vmf, unsigned int order,
				   bool write)
{
	vm_fault_t ret;

	do {
		ret = fmap_fault_once(vmf, order, write) ?:
		      fmap_fault_fetch(vmf, order);
	} while (!ret);
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
	/* fs/dax has no larger pages, and there may be no map for all of one */
	if (order > PMD_ORDER)
		return VM_FAULT_FALLBACK;
	return fmap_fault_order(vmf, order, fmap_is_write_fault(vmf));
}

/*
 * A page that is to become writable is mapped, unless the map has just been
 * taken away, and with it the page: then the access faults again, for all of it.
 */
static vm_fault_t fmap_mkwrite(struct vm_fault *vmf)
{
	return fmap_fault_once(vmf, 0, true) ?: VM_FAULT_NOPAGE;
}

/*
 * No pages around a fault are mapped with it.  But mm takes the existence of this
 * operation for a sign that the others can do without mmap_lock, which these can;
 * and else it takes it for each fault of 4 KiB.
 */
static vm_fault_t fmap_map_pages(struct vm_fault *vmf, pgoff_t first,
				 pgoff_t last)
{
	return 0;
}

static const struct vm_operations_struct fmap_vm_ops = {
	.map_pages	= fmap_map_pages,
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
 * nothing to be done for that; but the memory has to be persistent.  So far as
 * the map is known, that is found out here, and else by the fault.
 *
 * Return: 0, -EIO if the inode is bad, or -EOPNOTSUPP for MAP_SYNC on memory
 * that is not persistent.
 */
int fmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);
	bool persistent;

	if (fuse_is_bad(inode))
		return -EIO;
	filemap_invalidate_lock_shared(inode->i_mapping);
	persistent = fmap_persistent(inode);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if ((vma->vm_flags & VM_SYNC) && !persistent)
		return fmap_refuse(inode, "MAP_SYNC", -EOPNOTSUPP);
	vma->vm_ops = &fmap_vm_ops;
	vm_flags_set(vma, VM_HUGEPAGE);
	return 0;
}
