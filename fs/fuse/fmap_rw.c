// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: read and write
 *
 * Neither sends a request.  (What write(2) has to take away from the file,
 * set-uid and capabilities, is the server's to store, as for any FUSE file.)
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/dax.h>
#include <linux/iomap.h>
#include <linux/pagemap.h>
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

/* One go with invalidate_lock held: as far as no page fault is needed */
static ssize_t fmap_copy_once(struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret;

	if (!fmap_invalidate_lock(iocb))
		return -EAGAIN;
	pagefault_disable();
	ret = dax_iomap_rw(iocb, iter, &fmap_iomap_ops);
	pagefault_enable();
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
		if (ret == -EFAULT && (iocb->ki_flags & IOCB_NOWAIT))
			ret = -EAGAIN;
		if (ret == -EFAULT && tries-- && fmap_fault_in(iter))
			continue;
		return done ?: ret;
	}
	return done;
}

static bool fmap_lock_shared(const struct kiocb *iocb, struct inode *inode)
{
	if (iocb->ki_flags & IOCB_NOWAIT)
		return inode_trylock_shared(inode);
	inode_lock_shared(inode);
	return true;
}

static bool fmap_lock(const struct kiocb *iocb, struct inode *inode)
{
	if (iocb->ki_flags & IOCB_NOWAIT)
		return inode_trylock(inode);
	inode_lock(inode);
	return true;
}

/**
 * fmap_read_iter - read(2) and its relatives on a mapped file
 * @iocb: file, position and flags
 * @to: where to copy to
 *
 * Context: May sleep.  Takes i_rwsem and invalidate_lock, both shared.
 * Return: number of bytes read, 0 at the end of the file; -EAGAIN where
 * IOCB_NOWAIT forbids to go on; -EIO if the device or its memory has gone bad;
 * or another negative errno.
 */
ssize_t fmap_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (fuse_is_bad(inode))
		return -EIO;
	fmap_count(inode, FMAP_READS);
	if (!fmap_lock_shared(iocb, inode))
		return -EAGAIN;
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
	ssize_t ret;

	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	ret = fmap_write_clamp(iocb, from);
	if (ret)
		return ret;
	ret = fmap_write_modified(iocb, file_inode(iocb->ki_filp));
	if (ret)
		return ret;
	return fmap_copy(iocb, from);
}

/**
 * fmap_write_iter - write(2) and its relatives on a mapped file
 * @iocb: file, position and flags
 * @from: where to copy from
 *
 * Context: May sleep; may wait for the server, to take set-uid bits and
 * capabilities from the file.  Takes i_rwsem, and invalidate_lock shared.
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
	if (!fmap_lock(iocb, inode))
		return -EAGAIN;
	ret = fmap_write_locked(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}
