/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: types and functions private to the fmap_*.c files
 *
 * A map is a cache of what the server knows: pieces of it come and go.  Life of
 * a piece: a message is decoded (fmap_famfs.c), the devices that it names are
 * attached (fmap_conn.c), its bytes on each of them claimed (fmap_dev.c), and
 * only then it is put into the map of the inode (fmap_pieces.c).  It is dropped
 * when the server takes it back (fmap_notify.c), or with the inode.
 *
 * Who looks up a position does so under RCU and takes away a copy; see
 * fmap_map.h.  A look-up takes no lock and writes to nothing that others read.
 * What it found holds as long as the caller has invalidate_lock, be it shared: a
 * piece is dropped, and its devices let go, with that lock held exclusively.
 *
 * Locks, outermost first:
 *
 *	i_rwsem				around read (shared) and write
 *	FUSE_I_FMAP_FETCH		bit lock: one decision at a time what an
 *					inode is
 *	mmap_lock			a fault may wait with it (see fmap_fault.c)
 *	fmap_fetch.lock			one task at a time leads a fetch to its end
 *	fuse_fmap_conn.lock		table of devices of a connection
 *	fmap_devs_mutex			coming and going of devices
 *	device_lock() of a device	of the driver core: to become its holder; and
 *					held by who removes it
 *	mapping->invalidate_lock	shared in faults and around each copy,
 *					exclusive where a piece is dropped, the size
 *					changes, or a device goes away
 *	fmap.lock			changes of one map
 *	fmap_dev.lock			claims on one device
 *	fmap_devs_lock			list of devices
 *	fuse_inode.lock			what an inode is, its size, fmap_users
 *	fuse_fmap_conn.linger_lock	inodes that linger; below i_lock
 *
 * The server is waited for with no lock held but the first four: notifications
 * take invalidate_lock and those below it, and a server must be able to send any
 * notification at any moment.  For the same reason a notification never waits
 * until a page is unpinned.
 *
 * Eviction runs in memory reclaim.  It takes no lock below which memory is
 * allocated: none but fmap_dev.lock and fuse_inode.lock.
 */
#ifndef _FS_FUSE_FMAP_I_H
#define _FS_FUSE_FMAP_I_H

#include <linux/maple_tree.h>
#include <linux/xarray.h>

#include "fuse_i.h"
#include "fmap_map.h"

struct dax_device;
struct dax_holder_operations;
struct fuse_fmap_conn;
struct iomap;
struct iomap_ops;

/* Stands in fmap.pieces where no look-up may lead anywhere for now */
#define FMAP_NO_PIECE	xa_mk_value(0)

/**
 * struct fmap - the map of an inode
 * @lock: guards all members but as noted, and the writing of @pieces
 * @pieces: by pages of the file: a piece, or FMAP_NO_PIECE.  Read under RCU
 * @hint: a piece in @pieces, which look-ups try before the tree: the only one of
 *	  most files.  Read under RCU
 * @doomed: pieces that are dropped but for their memory: somebody may have it
 *	    pinned.  Their places in @pieces are FMAP_NO_PIECE
 * @fetches: what the server is being asked for
 * @generation: counts what the server has stored and invalidated
 * @devs: bit n is set if device n holds bytes of a piece; read without @lock where
 *	  invalidate_lock is held
 * @end: bytes that the map is known to have, a multiple of the page size;
 *	 written under fuse_inode.lock as well
 * @ahead: where the last page ended, 0 if it ended the map
 * @room: room for the reply that was last asked for, in bytes
 * @paged: the server sends pages: it can be asked for any offset
 * @resize: the end of the map was invalidated: the next message may tell another
 *	    size, and is needed before the old one can be relied upon.  Read
 *	    without @lock
 * @lingering: entry in fuse_fmap_conn.lingering; guarded by linger_lock there
 * @inode: the inode, if it is in that list
 *
 * Made at the first open or store, freed with the inode.  Before the inode is
 * mapped there are no pieces, but there is a generation.
 */
struct fmap {
	struct mutex lock;
	struct maple_tree pieces;
	struct fmap_piece __rcu *hint;
	struct list_head doomed;
	struct list_head fetches;
	u64 generation;
	u64 devs;
	u64 end;
	u64 ahead;
	size_t room;
	bool paged;
	bool resize;
	struct list_head lingering;
	struct inode *inode;
};

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
int fmap_dev_check(struct fmap_dev *dev, const struct fmap_claim *claim,
		   const struct inode *owner);
int fmap_dev_claim(struct fmap_dev *dev, struct fmap_claim *claim);
void fmap_dev_unclaim(struct fmap_dev *dev, struct fmap_claim *claim);
void fmap_dev_reclaim(struct fmap_dev *dev, struct fmap_claim *claim,
		      struct fmap_claim *const parts[], unsigned int nr);
struct fmap_dev *fmap_dev_notify_begin(struct dax_device *dax_dev);
void fmap_dev_notify_end(struct fmap_dev *dev);

bool fmap_dev_any_dead(void);

/* fmap_failure.c */
extern const struct dax_holder_operations fmap_holder_ops;

/* fmap_conn.c */
struct fmap_dev *fmap_conn_dev(struct fuse_conn *fc, u32 index);
bool fmap_conn_has(struct fuse_conn *fc, u32 index);
int fmap_conn_attach(struct super_block *sb, u32 index,
		     struct dax_device *dax_dev);
struct fmap_dev *fmap_conn_detach(struct fuse_conn *fc, u32 index);
int fmap_conn_get(struct fuse_conn *fc, u64 devs);
void fmap_conn_put(struct fuse_conn *fc, u64 devs);

/* fmap_rebind.c */
int fmap_forget_index(struct super_block *sb, u32 index);
int fmap_rebind(struct inode *inode);

/* The device of a claim of @inode, which is attached as long as the claim is */
static inline struct fmap_dev *fmap_claim_dev(struct inode *inode,
					      const struct fmap_claim *claim)
{
	return fmap_conn_dev(get_fuse_conn(inode), claim->dev);
}

/* fmap_req.c */
struct fmap_request;

struct fmap_request *fmap_request_map(struct inode *inode, u64 offset,
				      u64 length, size_t room);
struct fmap_request *fmap_request_dev(struct inode *inode, u32 index);
int fmap_request_wait(struct fmap_request *req, bool interruptible);
ssize_t fmap_request_result(struct fmap_request *req, const void **reply);
void fmap_request_put(struct fmap_request *req);
size_t fmap_request_room(struct inode *inode);
int fmap_attach_named(struct inode *inode, u32 index, const void *reply);

/* fmap_fetch.c */
struct fmap_fetch;

struct fmap_fetch *fmap_fetch_join(struct inode *inode, u64 offset,
				   u64 length);
int fmap_fetch_run(struct inode *inode, struct fmap_fetch *fetch,
		   bool interruptible);
void fmap_fetch_put(struct fmap_fetch *fetch);
void fmap_fetches_free(struct fmap *map);

/* fmap_need.c */
int fmap_need(struct inode *inode, u64 pos, u64 end, bool interruptible);
int fmap_need_io(struct inode *inode, u64 pos, u64 end);

/* fmap_pieces.c */
bool fmap_lookup(struct inode *inode, u64 pos, u64 len,
		 struct fmap_loc *loc);
bool fmap_present(struct inode *inode, u64 pos, u64 end);
void *fmap_walk(struct fmap *map, unsigned long page, unsigned long *first,
		unsigned long *last);
struct fmap *fmap_get(struct inode *inode);
void fmap_free(struct inode *inode, struct fmap *map);

/* fmap_install.c */
int fmap_install(struct inode *inode, struct fmap_message *msg, u64 start,
		 u64 generation);
int fmap_store(struct inode *inode, struct fmap_message *msg, u64 start);

/* fmap_drop.c */
int fmap_drop(struct inode *inode, unsigned long first, unsigned long last);
int fmap_settle(struct inode *inode, unsigned long first, unsigned long last);
void fmap_release(struct inode *inode, struct fmap_piece *piece);
void fmap_resize(struct inode *inode, u64 size);
int fmap_invalidate(struct inode *inode, u64 start, u64 len);

/* fmap_linger.c */
void fmap_linger_start(struct fuse_fmap_conn *fmc);
void fmap_linger_stop(struct fuse_fmap_conn *fmc);

/* fmap_iomap.c */
extern const struct iomap_ops fmap_iomap_ops;
int fmap_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
		     unsigned int flags, struct iomap *iomap,
		     struct iomap *srcmap);
extern const struct iomap_ops fmap_report_ops;

/* fmap_rw.c */
ssize_t fmap_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t fmap_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* fmap_fault.c */
int fmap_mmap(struct file *file, struct vm_area_struct *vma);

/* fmap_sync.c */
extern const struct address_space_operations fmap_aops;
int fmap_fsync(struct file *file, loff_t start, loff_t end, int datasync);
int fmap_write_back(struct inode *inode, loff_t start, loff_t end);
bool fmap_persistent(struct inode *inode);

/* fmap_space.c */
long fmap_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

/* fmap_attr.c */
void fmap_touch(struct inode *inode);

/* fmap_file.c */
extern const struct file_operations fmap_file_operations;

#endif /* _FS_FUSE_FMAP_I_H */
