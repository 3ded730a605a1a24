// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: a connection's part
 *
 * Whether maps are on, and which device each index of the server means.
 * Devices are attached when a map first names them (the server tells a name) or
 * ahead (the server hands over a descriptor), and let go when the server says so
 * and no map names them, or at unmount: not when the server's descriptor of
 * /dev/fuse is closed, which may be much later.  An index whose device is gone
 * can get another one at any time; see fmap_rebind.c.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/slab.h>

/* fuse_fmap_slot.pieces while its device is taken away */
#define FMAP_SLOT_CLOSING	(-1)

/*
 * The server gets to say what memory a file is, and so needs the right to touch
 * any.  A set-uid mount program mounts for others: it has the capability, but
 * passes their user id.
 */
static bool fuse_fmap_allowed(const struct fuse_mount *fm)
{
	const struct fuse_conn *fc = fm->fc;

#ifdef CONFIG_FUSE_DAX
	/* The address_space of a file has one kind of DAX */
	if (fc->dax)
		return false;
#endif
	/* Devices are let go with the one superblock of the connection */
	if (fc->auto_submounts)
		return false;
	/* fs-dax wants blocks of a page: fuseblk can have others */
	if (fm->sb->s_bdev)
		return false;

	return capable(CAP_SYS_RAWIO) && uid_eq(fc->user_id, GLOBAL_ROOT_UID);
}

/**
 * fuse_fmap_offer - prepare a connection for maps before INIT is sent
 * @fm: the mount; the caller is the one who mounts
 *
 * Context: May sleep.
 * Return: FUSE_DAX_FMAP for the flags of the request, or 0.
 */
u64 fuse_fmap_offer(struct fuse_mount *fm)
{
	struct fuse_fmap_conn *fmc;

	if (!fuse_fmap_allowed(fm))
		return 0;
	fmc = kzalloc_obj(*fmc);
	if (!fmc)
		return 0;
	fmc->stats = alloc_percpu(struct fmap_stats);
	if (!fmc->stats) {
		kfree(fmc);
		return 0;
	}
	mutex_init(&fmc->lock);
	fmap_linger_start(fmc);
	fm->fc->fmap = fmc;
	return FUSE_DAX_FMAP;
}

/**
 * fuse_fmap_accept - take the flags of the INIT reply
 * @fm: the mount
 * @flags: what the server set, whether or not it was offered
 *
 * What a server offers to do when it sees a write or an open cannot be left to
 * it, since it sees no write to a mapped file: to take away set-uid bits and
 * capabilities.  And a truncation must come as SETATTR, when it is known whether
 * the inode is mapped; with an atomic O_TRUNC the server would have done it by
 * then.
 *
 * A write must not ask the server each time whether there are capabilities to
 * take away: let the inode remember that there are none.
 *
 * Context: Before the first request but INIT, so nobody reads along.  May
 * sleep.  Takes fuse_fmap_conn.lock.
 */
void fuse_fmap_accept(struct fuse_mount *fm, u64 flags)
{
	struct fuse_conn *fc = fm->fc;

	if (!fc->fmap || !(flags & FUSE_DAX_FMAP))
		return;
	fc->fmap->on = true;
	fc->atomic_o_trunc = 0;
	fc->handle_killpriv = 0;
	fc->handle_killpriv_v2 = 0;
	fm->sb->s_flags |= SB_NOSEC;

	guard(mutex)(&fc->fmap->lock);
	if (!fc->fmap->closed)
		fmap_stats_add(fc);
}

/**
 * fuse_fmap_conn_close - take in nothing more
 * @fc: the connection; it has been aborted
 *
 * No inode may linger when the superblock goes.
 *
 * The counters go now, since their name can be another's as soon as the
 * superblock has given its device number back.
 *
 * Context: May sleep until no page of an inode without users is pinned.  Takes
 * fuse_fmap_conn.lock.
 */
void fuse_fmap_conn_close(struct fuse_conn *fc)
{
	struct fuse_fmap_conn *fmc = fc->fmap;

	if (!fmc)
		return;
	fmap_linger_stop(fmc);
	guard(mutex)(&fmc->lock);
	fmc->closed = true;
	fmap_stats_remove(fc);
}

/**
 * fuse_fmap_conn_release - let go of the devices
 * @fc: the connection; no inode is left, the server may still be there
 *
 * Context: May sleep.  May wait for the removal of a device.
 */
void fuse_fmap_conn_release(struct fuse_conn *fc)
{
	struct fuse_fmap_conn *fmc = fc->fmap;

	if (!fmc)
		return;
	/* A mount that came to nothing was not closed before */
	fuse_fmap_conn_close(fc);
	guard(mutex)(&fmc->lock);
	for (int i = 0; i < FUSE_FMAP_MAX_DEVS; i++) {
		struct fuse_fmap_slot *slot = &fmc->slots[i];

		if (!slot->dev)
			continue;
		WARN_ON_ONCE(atomic_read(&slot->pieces));
		fmap_dev_put(slot->dev);
		slot->dev = NULL;
	}
}

/**
 * fuse_fmap_conn_free - free what fuse_fmap_offer() made
 * @fc: the connection, released or never mounted
 */
void fuse_fmap_conn_free(struct fuse_conn *fc)
{
	if (!fc->fmap)
		return;
	free_percpu(fc->fmap->stats);
	kfree(fc->fmap);
}

/**
 * fmap_conn_dev - the device that an index means
 * @fc: the connection
 * @index: device index, below FUSE_FMAP_MAX_DEVS
 *
 * Return: the device, which stays as long as a piece of a map names it, or NULL.
 */
struct fmap_dev *fmap_conn_dev(struct fuse_conn *fc, u32 index)
{
	/* Pairs with the release in fmap_conn_attach() */
	return smp_load_acquire(&fc->fmap->slots[index].dev);
}

static bool fmap_slot_get(struct fuse_fmap_slot *slot)
{
	if (!atomic_inc_unless_negative(&slot->pieces))
		return false;
	/* Pairs with the release in fmap_conn_attach() */
	if (smp_load_acquire(&slot->dev))
		return true;
	atomic_dec(&slot->pieces);
	return false;
}

/**
 * fmap_conn_get - keep devices for a piece that names them
 * @fc: the connection
 * @devs: bit n is set for device n
 *
 * The lock of the table would not do: who has it may wait for the lock of a
 * device, and who has that, in a removal, for invalidate_lock, which is held here.
 *
 * Context: Does not sleep, takes no lock.
 * Return: 0; fmap_conn_put() lets them go.  Or -EAGAIN if one is not attached.
 */
int fmap_conn_get(struct fuse_conn *fc, u64 devs)
{
	for (u64 left = devs; left; left &= left - 1) {
		if (fmap_slot_get(&fc->fmap->slots[__ffs64(left)]))
			continue;
		/* Those before it, in the order of their bits */
		fmap_conn_put(fc, devs & ((left & -left) - 1));
		return -EAGAIN;
	}
	return 0;
}

/**
 * fmap_conn_put - let go of devices
 * @fc: the connection
 * @devs: as for fmap_conn_get()
 *
 * Context: Does not sleep, takes no lock.
 */
void fmap_conn_put(struct fuse_conn *fc, u64 devs)
{
	/* What was done with a device comes before: see fmap_conn_detach() */
	for (u64 left = devs; left; left &= left - 1)
		atomic_dec_return_release(&fc->fmap->slots[__ffs64(left)].pieces);
}

/**
 * fmap_conn_has - is there a device that an index means?
 * @fc: the connection
 * @index: device index, below FUSE_FMAP_MAX_DEVS
 *
 * Context: May sleep.  Takes fuse_fmap_conn.lock.
 * Return: true if there is one, and it is not gone.
 */
bool fmap_conn_has(struct fuse_conn *fc, u32 index)
{
	struct fmap_dev *dev;

	/* So that it stays, and is not in use by a piece while we look */
	guard(mutex)(&fc->fmap->lock);
	dev = fc->fmap->slots[index].dev;
	return dev && !READ_ONCE(dev->dead);
}

/* Take the device of an index, unless a piece names it */
static struct fmap_dev *fmap_slot_empty(struct fuse_fmap_slot *slot)
{
	struct fmap_dev *dev = slot->dev;

	/*
	 * Nobody gets it from here on.  Who has let it go last has done with
	 * it: pairs with the release in fmap_conn_put().
	 */
	if (atomic_cmpxchg(&slot->pieces, 0, FMAP_SLOT_CLOSING))
		return NULL;
	slot->dev = NULL;
	atomic_set_release(&slot->pieces, 0);
	return dev;
}

/*
 * Let an index mean a device, if it means none, or one that is gone: that one
 * is then in @old.
 */
static int fmap_conn_attach_locked(struct super_block *sb, u32 index,
				   struct dax_device *dax_dev,
				   struct fmap_dev **old)
{
	struct fuse_fmap_conn *fmc = get_fuse_conn_super(sb)->fmap;
	struct fuse_fmap_slot *slot = &fmc->slots[index];
	struct fmap_dev *dev = slot->dev;
	int err = 0;

	lockdep_assert_held(&fmc->lock);
	if (fmc->closed)
		return -ENODEV;
	if (dev && !READ_ONCE(dev->dead))
		return dev->dax_dev == dax_dev ? 0 : -EEXIST;

	dev = fmap_dev_attach(dax_dev);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (slot->dev) {
		err = fmap_forget_index(sb, index);
		*old = err ? NULL : fmap_slot_empty(slot);
		if (!err && !*old)
			err = -EBUSY;
	}
	if (err) {
		fmap_dev_put(dev);
		return err;
	}
	/* Pairs with the acquire in fmap_conn_dev() */
	smp_store_release(&slot->dev, dev);
	return 0;
}

/**
 * fmap_conn_attach - let an index mean a device
 * @sb: the superblock of the connection, which the caller keeps mounted
 * @index: device index, below FUSE_FMAP_MAX_DEVS
 * @dax_dev: the device; the caller's reference stays the caller's
 *
 * If the index means a device that is gone, what lay there is forgotten, to be
 * asked for again.
 *
 * Context: May sleep, but waits neither for the server nor until a page is
 * unpinned.  Takes fuse_fmap_conn.lock and those below it.
 * Return: 0, also if it means that device already; -EEXIST if it means another;
 * -ENODEV after the unmount; an error of fmap_dev_attach(); or, if it means one
 * that is gone, an error of fmap_forget_index().
 */
int fmap_conn_attach(struct super_block *sb, u32 index,
		     struct dax_device *dax_dev)
{
	struct fuse_fmap_conn *fmc = get_fuse_conn_super(sb)->fmap;
	struct fmap_dev *old = NULL;
	int err;

	mutex_lock(&fmc->lock);
	err = fmap_conn_attach_locked(sb, index, dax_dev, &old);
	mutex_unlock(&fmc->lock);
	/* May wait for the removal: others are not to wait for the table */
	if (old)
		fmap_dev_put(old);
	return err;
}

/**
 * fmap_conn_detach - take the device of an index that no piece names
 * @fc: the connection, which has maps
 * @index: device index, below FUSE_FMAP_MAX_DEVS
 *
 * Context: May sleep.  Takes fuse_fmap_conn.lock.
 * Return: the device, which is the caller's to put; -ENOENT if the index means
 * none; -EBUSY if a piece names it.
 */
struct fmap_dev *fmap_conn_detach(struct fuse_conn *fc, u32 index)
{
	struct fuse_fmap_conn *fmc = fc->fmap;
	struct fuse_fmap_slot *slot = &fmc->slots[index];
	struct fmap_dev *dev;

	guard(mutex)(&fmc->lock);
	if (!slot->dev)
		return ERR_PTR(-ENOENT);
	dev = fmap_slot_empty(slot);
	return dev ?: ERR_PTR(-EBUSY);
}
