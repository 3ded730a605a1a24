// SPDX-License-Identifier: GPL-2.0
/*
 * Bad memory of a devdax device in fs-dax mode: which pages are bad, and how to
 * write on them.
 *
 * A page is bad since memory failure has said so.  It is not to be touched any
 * more, neither by a copy in the kernel nor by a mapping that the next fault
 * would make.  Each access asks; nearly all devices have no bad page, and then
 * the answer is one load.
 *
 * Its contents are lost, so what can be done with a bad page is to write all of
 * it anew: with data (fsdev_recovery_write) or zeros (fsdev_zero_pages).  Before
 * that the platform has to make the memory good, which the driver that found
 * the device may know how to do (dev_dax.clear_poison).  Without that a bad page
 * stays bad, and writing to it fails: mere stores do not repair memory on every
 * platform, and partial ones are machine checks.
 *
 * struct page does not serve as the record.  PG_hwpoison is set only where a
 * page is mapped, may be set on the head of a folio instead, and to look at it
 * for each page of a large access is a walk.
 */
#include <linux/device.h>
#include <linux/libnvdimm.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/set_memory.h>
#include <linux/uio.h>
#include <linux/xarray.h>
#include "dax-private.h"
#include "fsdev.h"

static void fsdev_poison_stop(void *data)
{
	struct dev_dax *dev_dax = data;

	dax_set_poison(dev_dax->dax_dev, false);
	xa_destroy(&dev_dax->poison);
}

/**
 * fsdev_poison_start - start to keep in mind which pages are bad
 * @dev_dax: the device; its pages are not there yet, or nobody knows them
 *
 * The record ends with the binding, as all that the kernel knows of the pages
 * does: unbinding drops their mapping and struct pages.
 *
 * Context: In probe.
 * Return: 0 or -ENOMEM.
 */
int fsdev_poison_start(struct dev_dax *dev_dax)
{
	xa_init(&dev_dax->poison);
	return devm_add_action(&dev_dax->dev, fsdev_poison_stop, dev_dax);
}

/**
 * fsdev_poison_add - pages have become bad
 * @dev_dax: the device
 * @pfn: the first of them
 * @nr_pages: number of pages
 *
 * Context: May sleep, since memory failure comes in process context.  A bad page
 * must not be forgotten for want of memory, so this does not fail.
 */
void fsdev_poison_add(struct dev_dax *dev_dax, unsigned long pfn,
		      unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		xa_store(&dev_dax->poison, pfn + i, xa_mk_value(0),
			 GFP_KERNEL | __GFP_NOFAIL);
	dax_set_poison(dev_dax->dax_dev, true);
}

static bool fsdev_poisoned(struct dev_dax *dev_dax, unsigned long pfn,
			   unsigned long nr_pages, unsigned long *bad)
{
	*bad = pfn;
	return nr_pages && !xa_empty(&dev_dax->poison) &&
	       xa_find(&dev_dax->poison, bad, pfn + nr_pages - 1, XA_PRESENT);
}

/**
 * fsdev_poison_clip - how much of a run of pages may be accessed?
 * @dev_dax: the device
 * @pfn: the first page
 * @nr_pages: number of pages, all of one range of the device
 * @mode: DAX_RECOVERY_WRITE if all that is going to be accessed gets written,
 * by fsdev_recovery_write() or fsdev_zero_pages()
 *
 * Context: Any; takes no lock.
 * Return: number of good pages before the first bad one; where the first page is
 * bad -EHWPOISON, or 1 for a write that can repair it.
 */
long fsdev_poison_clip(struct dev_dax *dev_dax, unsigned long pfn,
		       long nr_pages, enum dax_access_mode mode)
{
	unsigned long bad;

	if (!fsdev_poisoned(dev_dax, pfn, nr_pages, &bad))
		return nr_pages;
	if (bad > pfn)
		return bad - pfn;
	if (mode == DAX_RECOVERY_WRITE && dev_dax->clear_poison)
		return 1;
	return -EHWPOISON;
}

/*
 * The memory is good again: undo what the handling of the machine check did to
 * the page and to the kernel's mapping of it, which we are about to use.
 */
static int fsdev_page_good(unsigned long pfn)
{
	ClearPageHWPoison(pfn_to_page(pfn));
	return clear_mce_nospec(pfn);
}

/*
 * Let the platform make pages good, if one of them is not.  Their contents are
 * undefined then.
 */
static int fsdev_repair(struct dev_dax *dev_dax, unsigned long pfn,
			long nr_pages)
{
	size_t len = PFN_PHYS(nr_pages);
	unsigned long bad;
	long cleared;

	if (!fsdev_poisoned(dev_dax, pfn, nr_pages, &bad))
		return 0;
	if (!dev_dax->clear_poison)
		return -EHWPOISON;

	cleared = dev_dax->clear_poison(dev_dax->dev.parent, PFN_PHYS(pfn), len);
	if (cleared < 0 || cleared < len) {
		dev_dbg(&dev_dax->dev, "cleared %ld of %zu bytes at pfn %#lx\n",
			cleared, len, pfn);
		return -EHWPOISON;
	}
	for (long i = 0; i < nr_pages; i++)
		if (fsdev_page_good(pfn + i))
			return -EHWPOISON;
	arch_invalidate_pmem(__va(PFN_PHYS(pfn)), len);
	return 0;
}

/* Last of all: who reads the pages from now on gets what was written. */
static void fsdev_poison_forget(struct dev_dax *dev_dax, unsigned long pfn,
				long nr_pages)
{
	if (xa_empty(&dev_dax->poison))
		return;
	for (long i = 0; i < nr_pages; i++)
		xa_erase(&dev_dax->poison, pfn + i);
}

/**
 * fsdev_zero_pages - zero pages, bad ones too
 * @dev_dax: the device
 * @pfn: the first page
 * @nr_pages: number of pages, all of one range of the device
 *
 * Context: May sleep.  Under dax_read_lock().
 * Return: 0, or -EHWPOISON if a page is bad and the platform cannot change that.
 */
int fsdev_zero_pages(struct dev_dax *dev_dax, unsigned long pfn, long nr_pages)
{
	const void *zeros = page_address(ZERO_PAGE(0));
	void *kaddr = __va(PFN_PHYS(pfn));
	int rc;

	rc = fsdev_repair(dev_dax, pfn, nr_pages);
	if (rc)
		return rc;
	for (long i = 0; i < nr_pages; i++)
		memcpy_flushcache(kaddr + PFN_PHYS(i), zeros, PAGE_SIZE);
	fsdev_poison_forget(dev_dax, pfn, nr_pages);
	return 0;
}

/**
 * fsdev_recovery_write - write to memory that may be bad
 * @dax_dev: the device
 * @pgoff: page of the device that @addr lies in
 * @addr: the kernel's address of the memory
 * @bytes: how much to write; where a page is bad, whole pages
 * @iter: the data
 *
 * This is the operation of the same name.  A page whose data was not all there
 * stays bad.
 *
 * Context: May sleep.  Under dax_read_lock(), with writers of the same bytes
 * kept out by the caller.
 * Return: number of bytes written; 0 if memory is bad and cannot be made good by
 * this write.
 */
size_t fsdev_recovery_write(struct dax_device *dax_dev, pgoff_t pgoff,
			    void *addr, size_t bytes, struct iov_iter *iter)
{
	struct dev_dax *dev_dax = dax_get_private(dax_dev);
	unsigned int offset = offset_in_page(addr);
	unsigned long pfn, bad;
	phys_addr_t phys;
	size_t copied;

	if (!dev_dax)
		return 0;
	phys = dax_pgoff_to_phys(dev_dax, pgoff, offset + bytes);
	if (phys == -1)
		return 0;
	pfn = PHYS_PFN(phys);
	if (!fsdev_poisoned(dev_dax, pfn, PFN_UP(offset + bytes), &bad))
		return _copy_from_iter_flushcache(addr, bytes, iter);
	if (offset || !PAGE_ALIGNED(bytes))
		return 0;
	if (fsdev_repair(dev_dax, pfn, PHYS_PFN(bytes)))
		return 0;

	copied = _copy_from_iter_flushcache(addr, bytes, iter);
	fsdev_poison_forget(dev_dax, pfn, PHYS_PFN(copied));
	return copied;
}

#if IS_ENABLED(CONFIG_DEV_DAX_FSDEV_KUNIT_TEST)
#include "tests/fsdev_poison_kunit.c"
#endif
