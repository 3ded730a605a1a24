// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: to have what an access needs of a map
 *
 * How much to ask for: an open asks once, with room for 4096 bytes, which hold
 * 169 extents.  That is the whole map of most files, and what servers of the
 * first kind can answer.  If the server pages, the rest is asked for when it is
 * touched, since a map may be longer than anybody's memory, and what is never
 * touched costs nothing.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

/*
 * What is asked for begins at such a multiple, so that a page of 2 MiB does not
 * need two requests.
 */
#define FMAP_FETCH_ALIGN	SZ_2M

/*
 * How often in one access a server may take back what it has told just before.
 * One that moves a file now and then is far from it.
 */
#define FMAP_RESTARTS		256

/* How long to sleep before looking whether pages are still pinned */
#define FMAP_PIN_DELAY		(HZ / 50 ?: 1)

/**
 * struct fmap_lack - what an access waits for
 * @first: first page of the file that is not there
 * @last: last page of that hole
 * @pinned: it is no hole yet: somebody has old memory of it pinned
 * @fetch: else the fetch that brings it
 */
struct fmap_lack {
	unsigned long first;
	unsigned long last;
	bool pinned;
	struct fmap_fetch *fetch;
};

/* Find the first page from @first to @last that is not there */
static bool fmap_find_lack(struct fmap *map, unsigned long first,
			   unsigned long last, struct fmap_lack *lack)
{
	for (;;) {
		unsigned long begin, end;
		void *entry = fmap_walk(map, first, &begin, &end);

		if (!entry || xa_is_value(entry)) {
			u64 align = FMAP_FETCH_ALIGN >> PAGE_SHIFT;

			lack->first = max(begin, round_down(first, align));
			lack->last = end;
			lack->pinned = entry;
			return true;
		}
		if (end >= last)
			return false;
		first = end + 1;
	}
}

/* What there is to fetch for @lack: a server that does not page tells all */
static int fmap_lack_fetch(struct inode *inode, struct fmap_lack *lack)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	u64 offset = 0, length = 0;

	if (map->paged) {
		offset = (u64)lack->first << PAGE_SHIFT;
		if (lack->last != ULONG_MAX)
			length = ((u64)(lack->last + 1) << PAGE_SHIFT) - offset;
	}
	lack->fetch = fmap_fetch_join(inode, offset, length);
	return lack->fetch ? 1 : -ENOMEM;
}

/*
 * Find out what the bytes from @pos to @end lack.  The end of the file comes
 * first, if it is not known any more where that is.
 * Return: 1 with @lack filled in, 0 if all is there, or -ENOMEM.
 */
static int fmap_lacks(struct inode *inode, u64 pos, u64 end,
		      struct fmap_lack *lack)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	u64 size = i_size_read(inode);

	*lack = (struct fmap_lack) { .last = ULONG_MAX };
	guard(mutex)(&map->lock);
	if (!fuse_fmap_mapped(inode))
		return fmap_lack_fetch(inode, lack);

	if (map->resize) {
		pos = size ? size - 1 : 0;
		end = pos + 1;
	} else {
		end = min(end, PAGE_ALIGN(size));
	}
	if (pos < end && fmap_find_lack(map, pos >> PAGE_SHIFT,
					(end - 1) >> PAGE_SHIFT, lack))
		return lack->pinned ? 1 : fmap_lack_fetch(inode, lack);
	return map->resize ? fmap_lack_fetch(inode, lack) : 0;
}

/*
 * Wait a moment for old memory to be unpinned.  The owner of a pin tells nobody
 * when he lets it go, and may take for ever.
 */
static int fmap_wait_unpinned(struct inode *inode, const struct fmap_lack *lack,
			      bool interruptible)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	mutex_lock(&map->lock);
	err = fmap_settle(inode, lack->first, lack->last);
	mutex_unlock(&map->lock);
	filemap_invalidate_unlock(inode->i_mapping);
	if (err != -EBUSY)
		return err;

	if (interruptible)
		schedule_timeout_interruptible(FMAP_PIN_DELAY);
	else
		schedule_timeout_killable(FMAP_PIN_DELAY);
	if (interruptible ? signal_pending(current) :
			    fatal_signal_pending(current))
		return -ERESTARTSYS;
	return 0;
}

/**
 * fmap_need - have what is missing for an access fetched
 * @inode: a regular file with a struct fmap; one that is undecided lacks the
 *	   beginning of the map
 * @pos: first byte of the file that is needed
 * @end: byte behind the last; what lies behind the end of the file is not needed
 * @interruptible: any signal ends the wait, not only one that kills
 *
 * All may be gone again on return: look under invalidate_lock, and call again.
 *
 * Context: May sleep and wait for the server: none of the locks may be held that
 * a notification takes (see fmap_i.h).
 * Return: 0 if all was there at some time; -ERESTARTSYS after a signal; what the
 * server answered, if the inode is not mapped yet; an error of
 * fmap_famfs_decode(), fmap_attach_named() or fmap_install(); or -EIO if the reply
 * does not fit its room or the other pages, or the server takes it back each time.
 */
int fmap_need(struct inode *inode, u64 pos, u64 end, bool interruptible)
{
	int restarts = FMAP_RESTARTS;
	struct fmap_lack lack;
	int err;

	for (;;) {
		err = fmap_lacks(inode, pos, end, &lack);
		if (err <= 0)
			return err;
		if (lack.pinned) {
			err = fmap_wait_unpinned(inode, &lack, interruptible);
		} else {
			err = fmap_fetch_run(inode, lack.fetch, interruptible);
			fmap_fetch_put(lack.fetch);
		}
		if (err == -EBADCOOKIE && restarts--)
			continue;
		if (err)
			return err == -EBADCOOKIE ? -EIO : err;
	}
}

/**
 * fmap_need_io - the same, for an access to an open file
 * @inode: a mapped file
 * @pos: first byte of the file that is needed
 * @end: byte behind the last
 *
 * Context: as fmap_need().
 * Return: 0; -EINTR if the task is killed; -ENOMEM; -EIO for all other errors.
 */
int fmap_need_io(struct inode *inode, u64 pos, u64 end)
{
	int err = fmap_need(inode, pos, end, false);

	if (err == -ERESTARTSYS)
		return -EINTR;
	if (!err || err == -ENOMEM)
		return err;
	fmap_count(inode, FMAP_FETCH_ERRORS);
	return -EIO;
}
