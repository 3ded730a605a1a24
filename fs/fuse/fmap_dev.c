// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the devices and who owns their bytes
 *
 * fs/dax keeps one mapping and index for a page, and warns when a second inode
 * maps it.  So a byte of a device belongs to one live inode at most, over all
 * mounts.  To enforce that, there is one object for a device whichever and
 * however many connections use it, and in it an index of the claimed ranges.
 */
#include "fmap_i.h"

#include <linux/dax.h>
#include <linux/slab.h>

/* Serializes attaching and the last put: a device has one holder */
static DEFINE_MUTEX(fmap_devs_mutex);

/*
 * Guards the list only.  The removal of a device finds its object under this
 * lock: it runs with the driver's device lock held, which fs_dax_get() takes
 * under fmap_devs_mutex.
 */
static DEFINE_SPINLOCK(fmap_devs_lock);
static LIST_HEAD(fmap_devs);

/* How many of the listed devices are dead.  Written under fmap_devs_lock */
static unsigned int fmap_devs_dead;

static struct fmap_dev *fmap_dev_find(struct dax_device *dax_dev)
{
	struct fmap_dev *dev;

	lockdep_assert_held(&fmap_devs_lock);
	list_for_each_entry(dev, &fmap_devs, list)
		if (dev->dax_dev == dax_dev && !dev->dead)
			return dev;
	return NULL;
}

/*
 * Is a removal of the device in progress?  It has the device locked, and may wait
 * for a page to be unpinned for as long as that takes.  Nobody else is to wait for
 * it, the less so with our mutex held.
 */
static bool fmap_dev_going(struct dax_device *dax_dev)
{
	struct fmap_dev *dev;

	lockdep_assert_held(&fmap_devs_lock);
	list_for_each_entry(dev, &fmap_devs, list)
		if (dev->dax_dev == dax_dev && dev->notifying)
			return true;
	return false;
}

static struct fmap_dev *fmap_dev_alloc(struct dax_device *dax_dev)
{
	struct fmap_dev *dev = kzalloc_obj(*dev, GFP_KERNEL_ACCOUNT);

	if (!dev)
		return NULL;
	dev->count = 1;
	dev->dax_dev = dax_dev;
	mutex_init(&dev->lock);
	dev->claims.root = RB_ROOT_CACHED;
	init_waitqueue_head(&dev->wait);
	return dev;
}

static void fmap_dev_unlist(struct fmap_dev *dev)
{
	spin_lock(&fmap_devs_lock);
	list_del(&dev->list);
	WRITE_ONCE(fmap_devs_dead, fmap_devs_dead - dev->dead);
	spin_unlock(&fmap_devs_lock);
}

/* Listed before it is the holder: a removal that comes at once must find it */
static struct fmap_dev *fmap_dev_new(struct dax_device *dax_dev)
{
	struct fmap_dev *dev = fmap_dev_alloc(dax_dev);
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);

	spin_lock(&fmap_devs_lock);
	list_add(&dev->list, &fmap_devs);
	spin_unlock(&fmap_devs_lock);

	err = fs_dax_get(dax_dev, dev, &fmap_holder_ops);
	if (err) {
		fmap_dev_unlist(dev);
		kfree(dev);
		return ERR_PTR(err);
	}
	dev->size = fs_dax_size(dax_dev);
	dev->persistent = fs_dax_persistent(dax_dev);
	return dev;
}

/**
 * fmap_dev_attach - start to use a DAX device
 * @dax_dev: the device; the caller's reference stays the caller's
 *
 * Context: May sleep.  Takes fmap_devs_mutex.
 * Return: the device's object, to be given back by fmap_dev_put(); or an
 * ERR_PTR: -ENODEV if the device is gone, or going, or has no driver,
 * -EOPNOTSUPP if it is not in fs-dax mode, -EBUSY if another file system holds
 * it, -ENOMEM.
 */
struct fmap_dev *fmap_dev_attach(struct dax_device *dax_dev)
{
	struct fmap_dev *dev;
	bool going;

	guard(mutex)(&fmap_devs_mutex);

	spin_lock(&fmap_devs_lock);
	dev = fmap_dev_find(dax_dev);
	going = fmap_dev_going(dax_dev);
	spin_unlock(&fmap_devs_lock);
	if (going)
		return ERR_PTR(-ENODEV);
	if (!dev)
		return fmap_dev_new(dax_dev);
	dev->count++;
	return dev;
}

static bool fmap_dev_notified(struct fmap_dev *dev)
{
	guard(spinlock)(&fmap_devs_lock);
	return !dev->notifying;
}

/*
 * A device that was removed has lost its holder already, and may have another
 * one by now: only the reference is ours.
 */
static void fmap_dev_free(struct fmap_dev *dev)
{
	WARN_ON_ONCE(!RB_EMPTY_ROOT(&dev->claims.root.rb_root));
	if (dev->dead)
		put_dax(dev->dax_dev);
	else
		fs_put_dax(dev->dax_dev, dev);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

/**
 * fmap_dev_put - stop using a DAX device
 * @dev: from fmap_dev_attach()
 *
 * After the last put another file system can hold the device.
 *
 * Context: May sleep.  Takes fmap_devs_mutex; waits for a removal in progress,
 * so no lock may be held that the eviction of an inode needs.
 */
void fmap_dev_put(struct fmap_dev *dev)
{
	guard(mutex)(&fmap_devs_mutex);

	if (--dev->count)
		return;
	fmap_dev_unlist(dev);
	wait_event(dev->wait, fmap_dev_notified(dev));
	fmap_dev_free(dev);
}

static int fmap_dev_check_locked(const struct fmap_dev *dev,
				 const struct fmap_claim *claim,
				 const struct inode *except)
{
	const struct fmap_claim *other;

	lockdep_assert_held(&dev->lock);
	if (dev->dead)
		return -ENODEV;
	if (fmap_claim_end(claim) > dev->size)
		return -EINVAL;
	other = fmap_claim_conflict(&dev->claims, claim, except);
	if (!other)
		return 0;
	return other->inode == claim->inode ? -EINVAL : -EBUSY;
}

/**
 * fmap_dev_check - find out whether fmap_dev_claim() would succeed
 * @dev: the device
 * @claim: the ranges
 * @owner: what this inode has claimed does not count
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 * Return: as fmap_dev_claim().
 */
int fmap_dev_check(struct fmap_dev *dev, const struct fmap_claim *claim,
		   const struct inode *owner)
{
	guard(mutex)(&dev->lock);
	return fmap_dev_check_locked(dev, claim, owner);
}

/**
 * fmap_dev_claim - make an inode the owner of ranges of a device
 * @dev: the device
 * @claim: the ranges and their owner
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 * Return: 0, or with nothing changed: -EBUSY if a byte has another owner
 * already, -EINVAL if it has this one, or if a range is not inside the device,
 * -ENODEV if the device is gone.
 */
int fmap_dev_claim(struct fmap_dev *dev, struct fmap_claim *claim)
{
	int err;

	guard(mutex)(&dev->lock);
	err = fmap_dev_check_locked(dev, claim, NULL);
	if (!err)
		fmap_claim_insert(&dev->claims, claim);
	return err;
}

/**
 * fmap_dev_reclaim - divide a claim
 * @dev: the device; it may be dead
 * @claim: the claim, which is given back
 * @parts: what takes its place; nothing that was not claimed by it
 * @nr: number of parts
 *
 * At no time can somebody else get what is in a part.
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 */
void fmap_dev_reclaim(struct fmap_dev *dev, struct fmap_claim *claim,
		      struct fmap_claim *const parts[], unsigned int nr)
{
	guard(mutex)(&dev->lock);
	fmap_claim_remove(&dev->claims, claim);
	for (unsigned int i = 0; i < nr; i++)
		fmap_claim_insert(&dev->claims, parts[i]);
}

/**
 * fmap_dev_unclaim - give back what fmap_dev_claim() took
 * @dev: the device
 * @claim: the ranges; no page of them may be mapped any more
 *
 * Context: May sleep.  Takes fmap_dev.lock.
 */
void fmap_dev_unclaim(struct fmap_dev *dev, struct fmap_claim *claim)
{
	mutex_lock(&dev->lock);
	fmap_claim_remove(&dev->claims, claim);
	mutex_unlock(&dev->lock);
	wake_up_all(&dev->wait);
}

/**
 * fmap_dev_notify_begin - a device is going away: find its object, mark it dead
 * @dax_dev: the device
 *
 * Context: Process context, under the dax SRCU lock and the device lock.  May
 * sleep.  Takes fmap_dev.lock, so that no claim follows.
 * Return: the object, kept until fmap_dev_notify_end(), or NULL if the device
 * is not in use.
 */
struct fmap_dev *fmap_dev_notify_begin(struct dax_device *dax_dev)
{
	struct fmap_dev *dev;

	spin_lock(&fmap_devs_lock);
	dev = fmap_dev_find(dax_dev);
	if (dev)
		dev->notifying++;
	spin_unlock(&fmap_devs_lock);
	if (!dev)
		return NULL;

	guard(mutex)(&dev->lock);
	guard(spinlock)(&fmap_devs_lock);
	dev->dead = true;
	WRITE_ONCE(fmap_devs_dead, fmap_devs_dead + 1);
	return dev;
}

/**
 * fmap_dev_any_dead - is there a device that is gone, and in use all the same?
 *
 * Return: whether any connection has one.
 */
bool fmap_dev_any_dead(void)
{
	return READ_ONCE(fmap_devs_dead);
}

/**
 * fmap_dev_notify_end - let go of what fmap_dev_notify_begin() returned
 * @dev: the device
 */
void fmap_dev_notify_end(struct fmap_dev *dev)
{
	guard(spinlock)(&fmap_devs_lock);
	if (!--dev->notifying)
		wake_up_all(&dev->wait);
}
