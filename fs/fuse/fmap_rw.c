// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: read and write
 *
 * Neither sends a request if the map is there.  (What write(2) has to take away
 * from the file, set-uid and capabilities, is the server's to store, as for any
 * FUSE file.)
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

/*
 * How often to try a copy that does not get on although the user's pages are
 * there.  They may have been taken away again; memory of the device that cannot
 * be read looks just the same, and stays so.
 */
#define FMAP_COPY_TRIES	8

static bool fmap_invalidate_lock(const struct kiocb *iocb)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;

	if (iocb->ki_flags & IOCB_NOWAIT)
		return filemap_invalidate_trylock_shared(mapping);
	filemap_invalidate_lock_shared(mapping);
	return true;
}

/* Copy some bytes, which lie one behind the other: as many as there are */
static ssize_t fmap_copy_run(struct inode *inode, loff_t pos,
			     struct iov_iter *iter)
{
	struct iomap iomap;
	ssize_t ret;

	ret = fmap_iomap_begin(inode, pos, iov_iter_count(iter), 0, &iomap,
			       NULL);
	if (ret)
		return ret;
	ret = dax_copy_iter(iomap.dax_dev, iomap.addr, iomap.length, iter);
	return ret ?: -EFAULT;
}

/*
 * Not by dax_iomap_rw(): what that does beyond this is for files that change while
 * they are written (holes, copy on write), and a fifth of a small read.
 */
static ssize_t fmap_copy_runs(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t done = 0, ret = 0;

	while (iov_iter_count(iter)) {
		ret = -EINTR;
		if (fatal_signal_pending(current))
			break;
		ret = fmap_copy_run(inode, iocb->ki_pos, iter);
		if (ret < 0)
			break;
		iocb->ki_pos += ret;
		done += ret;
	}
	return done ?: ret;
}

/*
 * As far as the file reaches, and no page fault is needed.  The size is that of
 * the map, which may change as long as invalidate_lock is not held.
 */
static ssize_t fmap_copy_locked(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size = i_size_read(inode);
	size_t count = iov_iter_count(iter), shorted = 0;
	ssize_t ret;

	if (READ_ONCE(get_fuse_inode(inode)->fmap->resize))
		return -ENODATA;
	if (iocb->ki_pos >= size)
		return 0;
	if (count > size - iocb->ki_pos)
		shorted = count - (size - iocb->ki_pos);

	iov_iter_truncate(iter, count - shorted);
	pagefault_disable();
	ret = fmap_copy_runs(iocb, iter);
	pagefault_enable();
	iov_iter_reexpand(iter, iov_iter_count(iter) + shorted);
	return ret;
}

static ssize_t fmap_copy_once(struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret;

	if (!fmap_invalidate_lock(iocb))
		return -EAGAIN;
	ret = fmap_copy_locked(iocb, iter);
	filemap_invalidate_unlock_shared(iocb->ki_filp->f_mapping);
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
 * A copy did not get on.  Do what it needs: have a piece of the map fetched, or
 * the user's pages faulted in.
 * Return: 0 to try again, or a negative errno.
 */
static int fmap_copy_help(struct kiocb *iocb, struct iov_iter *iter, int err,
			  int *tries)
{
	if (err != -ENODATA && err != -EFAULT)
		return err;
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	if (err == -ENODATA)
		return fmap_need_io(file_inode(iocb->ki_filp), iocb->ki_pos,
				    iocb->ki_pos + 1);
	return (*tries)-- && fmap_fault_in(iter) ? 0 : err;
}

/*
 * Copy all of @iter, which may reach over the end of the file.
 *
 * The user's buffer may be a mapping of this very file, whose fault takes
 * invalidate_lock again, or one whose fault waits for the server: so no fault
 * happens under the lock, and no request is sent.
 */
static ssize_t fmap_copy(struct kiocb *iocb, struct iov_iter *iter)
{
	int tries = FMAP_COPY_TRIES;
	ssize_t done = 0, ret;

	while (iov_iter_count(iter)) {
		ret = fmap_copy_once(iocb, iter);
		if (!ret)
			break;
		if (ret > 0) {
			done += ret;
			tries = FMAP_COPY_TRIES;
			continue;
		}
		ret = fmap_copy_help(iocb, iter, ret, &tries);
		if (ret)
			return done ?: ret;
	}
	return done;
}

/* Who has the lock may wait for the server: one has to be able to go */
static int fmap_lock_shared(const struct kiocb *iocb, struct inode *inode)
{
	if (!(iocb->ki_flags & IOCB_NOWAIT))
		return inode_lock_shared_killable(inode);
	return inode_trylock_shared(inode) ? 0 : -EAGAIN;
}

static int fmap_lock(const struct kiocb *iocb, struct inode *inode)
{
	if (!(iocb->ki_flags & IOCB_NOWAIT))
		return inode_lock_killable(inode);
	return inode_trylock(inode) ? 0 : -EAGAIN;
}

/**
 * fmap_read_iter - read(2) and its relatives on a mapped file
 * @iocb: file, position and flags
 * @to: where to copy to
 *
 * Context: May sleep; may wait for the server, if a piece of the map is missing.
 * Takes i_rwsem and invalidate_lock, both shared.
 * Return: number of bytes read, 0 at the end of the file; -EAGAIN where
 * IOCB_NOWAIT forbids to go on; -EIO if the device or its memory has gone bad,
 * or the server does not tell the map; or another negative errno.
 */
ssize_t fmap_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (fuse_is_bad(inode))
		return -EIO;
	fmap_count(inode, FMAP_READS);
	ret = fmap_lock_shared(iocb, inode);
	if (ret)
		return ret;
	ret = fmap_copy(iocb, to);
	inode_unlock_shared(inode);
	return ret;
}

/* An append begins where the file ends: that must be known */
static int fmap_write_end(struct kiocb *iocb)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (!READ_ONCE(get_fuse_inode(inode)->fmap->resize))
		return 0;
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	return fmap_need_io(inode, 0, 0);
}

/*
 * Take set-uid bits and capabilities from the file and note the time.  Whether
 * it has capabilities only the server knows, if the inode does not (S_NOSEC).
 */
static int fmap_write_modified(struct kiocb *iocb, struct inode *inode)
{
	int err;

	if ((iocb->ki_flags & IOCB_NOWAIT) && !IS_NOSEC(inode))
		return -EAGAIN;
	err = kiocb_modified(iocb);
	if (!err)
		fmap_touch(inode);
	return err;
}

static ssize_t fmap_write_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	ret = fmap_write_end(iocb);
	if (ret)
		return ret;
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	if (iocb->ki_pos >= i_size_read(inode))
		return -ENOSPC;
	ret = fmap_write_modified(iocb, inode);
	if (ret)
		return ret;
	return fmap_copy(iocb, from) ?: -ENOSPC;
}

/**
 * fmap_write_iter - write(2) and its relatives on a mapped file
 * @iocb: file, position and flags
 * @from: where to copy from
 *
 * Context: May sleep; may wait for the server, for a piece of the map and to take
 * set-uid bits and capabilities from the file.  Takes i_rwsem, and invalidate_lock shared.
 * Return: number of bytes written, fewer than asked for at the end of the file;
 * -ENOSPC behind it; or as fmap_read_iter().
 */
ssize_t fmap_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (fuse_is_bad(inode))
		return -EIO;
	fmap_count(inode, FMAP_WRITES);
	ret = fmap_lock(iocb, inode);
	if (ret)
		return ret;
	ret = fmap_write_locked(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}
