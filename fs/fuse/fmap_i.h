/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: types and functions private to the fmap_*.c files
 *
 * Life of a map.  An open of a regular file fetches it (fmap_req.c),
 * decodes it (fmap_famfs.c), attaches the devices it names (fmap_conn.c),
 * claims its bytes on each of them (fmap_dev.c) and only then publishes it in
 * fuse_inode.fmap (fmap_cache.c).  It stays, unchanged, until evict_inode has
 * unmapped the file; then the claims are given back and it is freed.  So who
 * holds a reference to the inode may use the map without a lock.
 *
 * Locks, outermost first:
 *
 *	i_rwsem				around read (shared) and write
 *	FUSE_I_FMAP_FETCH		bit lock: one fetch of a map at a time
 *	mapping->invalidate_lock	shared in faults and around each copy,
 *					exclusive in removal of a device
 *	fuse_fmap_conn.lock		table of devices of a connection
 *	fmap_devs_mutex			coming and going of devices
 *	fmap_dev.lock			claims on one device
 *	fmap_devs_lock			list of devices
 *	fuse_inode.lock			publication of the map, fmap_users
 *
 * The server is waited for only with i_rwsem (as by chmod and others) and
 * FUSE_I_FMAP_FETCH held, never with any of the locks below them, since a
 * server must be able to send any notification at any moment, and those take
 * invalidate_lock.
 */
#ifndef _FS_FUSE_FMAP_I_H
#define _FS_FUSE_FMAP_I_H

#include "fuse_i.h"
#include "fmap_map.h"

struct dax_device;
struct dax_holder_operations;
struct iomap_ops;

/**
 * struct fmap_dev - a DAX device in use by file maps
 * @list: entry in the list of all of them; guarded by fmap_devs_lock
 * @count: connections that it is attached to; guarded by fmap_devs_mutex
 * @notifying: removals in progress; guarded by fmap_devs_lock
 * @dead: the device is gone: no claim, no access, and another fmap_dev may
 *	  stand for its successor.  Set once, under @lock and fmap_devs_lock;
 *	  read with invalidate_lock held, which removal takes after setting it
 * @dax_dev: the device; one reference, given back with this object
 * @size: bytes of the device
 * @persistent: the memory keeps its contents
 * @lock: guards @claims
 * @claims: which inode owns which bytes
 * @wait: woken when a claim is given back and when @notifying falls to 0
 *
 * Global: a device has one holder (fs_dax_get()), but any number of mounts may
 * use it at the same time.
 */
struct fmap_dev {
	struct list_head list;
	unsigned int count;
	unsigned int notifying;
	bool dead;
	struct dax_device *dax_dev;
	u64 size;
	bool persistent;
	struct mutex lock;
	struct fmap_claim_index claims;
	wait_queue_head_t wait;
};

/* fmap_dev.c */
struct fmap_dev *fmap_dev_attach(struct dax_device *dax_dev);
void fmap_dev_put(struct fmap_dev *dev);
int fmap_dev_claim(struct fmap_dev *dev, struct fmap_claim *claim);
void fmap_dev_unclaim(struct fmap_dev *dev, struct fmap_claim *claim);
struct fmap_dev *fmap_dev_notify_begin(struct dax_device *dax_dev);
void fmap_dev_notify_end(struct fmap_dev *dev);

/* fmap_failure.c */
extern const struct dax_holder_operations fmap_holder_ops;

/* fmap_conn.c */
struct fmap_dev *fmap_conn_dev(struct fuse_conn *fc, u32 index);
int fmap_conn_attach(struct fuse_conn *fc, u32 index,
		     struct dax_device *dax_dev);

/* The device of a claim of @inode, which is attached as long as the claim is */
static inline struct fmap_dev *fmap_claim_dev(struct inode *inode,
					      const struct fmap_claim *claim)
{
	return fmap_conn_dev(get_fuse_conn(inode), claim->dev);
}

/* fmap_req.c */
int fmap_fetch(struct inode *inode, struct fmap **mapp);
int fmap_fetch_devs(struct inode *inode, const struct fmap *map);

/* fmap_iomap.c */
extern const struct iomap_ops fmap_iomap_ops;

/* fmap_rw.c */
ssize_t fmap_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fmap_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* fmap_fault.c */
int fmap_mmap(struct file *file, struct vm_area_struct *vma);

/* fmap_sync.c */
extern const struct address_space_operations fmap_aops;
int fmap_fsync(struct file *file, loff_t start, loff_t end, int datasync);
bool fmap_persistent(struct inode *inode);

/* fmap_space.c */
long fmap_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

/* fmap_attr.c */
void fmap_touch(struct inode *inode);

/* fmap_file.c */
extern const struct file_operations fmap_file_operations;

#endif /* _FS_FUSE_FMAP_I_H */
