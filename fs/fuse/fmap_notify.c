// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: what the server says unasked
 *
 * A server with one thread must be able to send any of this at any moment, also
 * while others wait for it: so nothing here waits for the server, nor takes a lock
 * that somebody may hold who does.
 */
#include "dev.h"
#include "fmap_i.h"

#include <linux/build_bug.h>
#include <linux/overflow.h>
#include <linux/slab.h>

static_assert(sizeof(struct fuse_notify_fmap_out) == 32);
static_assert(offsetof(struct fuse_notify_fmap_out, offset) == 8);
static_assert(offsetof(struct fuse_notify_fmap_out, length) == 16);
static_assert(offsetof(struct fuse_notify_fmap_out, reserved) == 24);

static int fmap_check_out(const struct fuse_notify_fmap_out *out)
{
	u64 end;

	if (out->reserved || !PAGE_ALIGNED(out->offset | out->length) ||
	    check_add_overflow(out->offset, out->length, &end) ||
	    out->offset > MAX_LFS_FILESIZE)
		return -EINVAL;
	return 0;
}

/* Let @act do its work with the inode, if it is a regular file in core */
static int fmap_notify_inode(struct fuse_conn *fc,
			     const struct fuse_notify_fmap_out *out,
			     struct fmap_message *msg,
			     int (*act)(struct inode *inode,
					const struct fuse_notify_fmap_out *out,
					struct fmap_message *msg))
{
	struct inode *inode;
	int err;

	guard(rwsem_read)(&fc->killsb);
	inode = fuse_ilookup(fc, out->nodeid, NULL);
	if (!inode)
		return -ENOENT;
	err = S_ISREG(inode->i_mode) ? act(inode, out, msg) : -EINVAL;
	iput(inode);
	return err;
}

static int fmap_act_inval(struct inode *inode,
			  const struct fuse_notify_fmap_out *out,
			  struct fmap_message *msg)
{
	return fmap_invalidate(inode, out->offset, out->length);
}

static int fmap_notify_inval(struct fuse_conn *fc, unsigned int size,
			     struct fuse_copy_state *cs)
{
	struct fuse_notify_fmap_out out;
	int err;

	if (size != sizeof(out))
		return -EINVAL;
	err = fuse_copy_one(cs, &out, sizeof(out));
	if (err)
		return err;
	fuse_copy_finish(cs);
	err = fmap_check_out(&out);
	return err ?: fmap_notify_inode(fc, &out, NULL, fmap_act_inval);
}

static int fmap_act_store(struct inode *inode,
			  const struct fuse_notify_fmap_out *out,
			  struct fmap_message *msg)
{
	if (!fmap_get(inode))
		return -ENOMEM;
	return fmap_store(inode, msg, out->offset);
}

static int fmap_store_message(struct fuse_conn *fc,
			      const struct fuse_notify_fmap_out *out,
			      const void *reply, size_t len)
{
	struct fmap_message msg;
	u64 length = 0;
	int err;

	err = fmap_famfs_decode(reply, len, out->offset, &msg);
	if (err)
		return err;
	if (msg.piece)
		length = msg.piece->end - msg.piece->start;
	/* A page that only points to another place is an answer, not news */
	if (msg.back || (out->length && out->length != length))
		err = -EINVAL;
	else
		err = fmap_notify_inode(fc, out, &msg, fmap_act_store);
	fmap_piece_free(msg.piece);
	return err;
}

static int fmap_notify_store(struct fuse_conn *fc, unsigned int size,
			     struct fuse_copy_state *cs)
{
	void *reply __free(kvfree) = NULL;
	struct fuse_notify_fmap_out out;
	int err;

	if (size <= sizeof(out))
		return -EINVAL;
	size -= sizeof(out);
	if (size > FUSE_FMAP_MAX_MSG)
		return -EFBIG;
	reply = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!reply)
		return -ENOMEM;
	err = fuse_copy_one(cs, &out, sizeof(out)) ?:
	      fuse_copy_one(cs, reply, size);
	if (err)
		return err;
	fuse_copy_finish(cs);
	err = fmap_check_out(&out);
	return err ?: fmap_store_message(fc, &out, reply, size);
}

/**
 * fuse_fmap_notify - notifications that concern maps
 * @fc: the connection
 * @code: the notification
 * @size: bytes of its body
 * @cs: where the body is to be copied from
 *
 * Context: May sleep, but neither waits for the server nor until a page is
 * unpinned.  Takes invalidate_lock of the inode exclusively, never i_rwsem.
 * Return: 0 or an errno, see struct fuse_notify_fmap_out; -EINVAL if @code is none
 * of ours.
 */
int fuse_fmap_notify(struct fuse_conn *fc, enum fuse_notify_code code,
		     unsigned int size, struct fuse_copy_state *cs)
{
	if (code != FUSE_NOTIFY_INVAL_FMAP && code != FUSE_NOTIFY_STORE_FMAP)
		return -EINVAL;
	if (!fuse_fmap_enabled(fc))
		return -EOPNOTSUPP;
	if (code == FUSE_NOTIFY_INVAL_FMAP)
		return fmap_notify_inval(fc, size, cs);
	return fmap_notify_store(fc, size, cs);
}

/**
 * fuse_fmap_inval_inode - FUSE_NOTIFY_INVAL_INODE with a range of bytes
 * @inode: any inode, any connection
 * @offset: first byte, not negative
 * @len: bytes; 0 and less is to the end
 *
 * Context: As fmap_invalidate().
 * Return: As fmap_invalidate(); 0 for a file that can have no map.
 */
int fuse_fmap_inval_inode(struct inode *inode, loff_t offset, loff_t len)
{
	if (!fuse_fmap_enabled(get_fuse_conn(inode)) || !S_ISREG(inode->i_mode))
		return 0;
	return fmap_invalidate(inode, offset, max(len, 0));
}
