/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: all that the rest of fs/fuse may call
 *
 * Included at the end of fuse_i.h.  With the option off everything here is a
 * constant, so that callers need no #ifdef and gain no code.
 */
#ifndef _FS_FUSE_FMAP_H
#define _FS_FUSE_FMAP_H

#include <linux/workqueue.h>

struct fiemap_extent_info;
struct fuse_copy_state;

#ifdef CONFIG_FUSE_DAX_FMAP

struct fmap_dev;
struct fmap_stats;

/**
 * struct fuse_fmap_slot - what a device index means
 * @dev: the device, NULL if the index means nothing.  Who holds invalidate_lock
 *	 of an inode with a piece that names the index may read it without a
 *	 lock, since it stays as long as @pieces is not 0
 * @pieces: how many pieces of maps name it; negative for the moment in which
 *	    the device is taken away, so that no piece gets it then
 */
struct fuse_fmap_slot {
	struct fmap_dev *dev;
	atomic_t pieces;
};

/**
 * struct fuse_fmap_conn - what a connection knows of file maps
 * @lock: guards @closed, @debug and the writing of @slots; taken outside of all
 *	  locks of fmap_dev.c
 * @on: the server accepted the maps; set once, in the INIT reply
 * @no_get_fmap: the server does not know FUSE_GET_FMAP; set once
 * @closed: to be unmounted: no device may be attached any more
 * @slots: the devices by their index
 * @stats: counters; each CPU writes its own
 * @debug: folder in debugfs that shows them; guarded by @lock
 * @linger_lock: guards what follows; see fmap_linger.c
 * @linger: inodes may linger
 * @lingering: those that do, by their maps
 * @linger_work: puts them when it can
 *
 * Made when INIT offers the maps, freed with the connection.
 */
struct fuse_fmap_conn {
	struct mutex lock;
	bool on;
	bool no_get_fmap;
	bool closed;
	struct fuse_fmap_slot slots[FUSE_FMAP_MAX_DEVS];
	struct fmap_stats __percpu *stats;
	struct dentry *debug;
	spinlock_t linger_lock;
	bool linger;
	struct list_head lingering;
	struct delayed_work linger_work;
};

static inline bool fuse_fmap_enabled(const struct fuse_conn *fc)
{
	return fc->fmap && fc->fmap->on;
}

/* Has @inode a map?  Once it has, it keeps it until it is evicted. */
static inline bool fuse_fmap_mapped(struct inode *inode)
{
	/* Pairs with the barrier in fmap_become_mapped() */
	return test_bit_acquire(FUSE_I_FMAPPED, &get_fuse_inode(inode)->state);
}

/* Is @inode in the DAX mode of virtiofs?  A mapped one has S_DAX as well. */
static inline bool fuse_is_virtio_dax(struct inode *inode)
{
	return IS_DAX(inode) && !fuse_fmap_enabled(get_fuse_conn(inode));
}

/*
 * Take back what fuse_fmap_open() has counted, if this is an open file of an
 * ordinary inode.  Under @fi->lock.
 */
static inline void fuse_fmap_release(struct fuse_inode *fi,
				     struct fuse_file *ff)
{
	fi->fmap_users -= ff->fmap_user;
	ff->fmap_user = false;
}

/* fmap_stats.c */
void fuse_fmap_init(void);
void fuse_fmap_exit(void);

/* fmap_conn.c */
u64 fuse_fmap_offer(struct fuse_mount *fm);
void fuse_fmap_accept(struct fuse_mount *fm, u64 flags);
void fuse_fmap_conn_close(struct fuse_conn *fc);
void fuse_fmap_conn_release(struct fuse_conn *fc);
void fuse_fmap_conn_free(struct fuse_conn *fc);

/* fmap_cache.c */
int fuse_fmap_open(struct inode *inode, struct file *file);
void fuse_fmap_evict(struct inode *inode);
bool fuse_fmap_get_page_cache(struct inode *inode);
void fuse_fmap_put_page_cache(struct inode *inode);
int fuse_fmap_store(struct inode *inode);

/* fmap_notify.c */
int fuse_fmap_notify(struct fuse_conn *fc, enum fuse_notify_code code,
		     unsigned int size, struct fuse_copy_state *cs);
int fuse_fmap_inval_inode(struct inode *inode, loff_t offset, loff_t len);

/* fmap_attr.c */
int fuse_fmap_setattr(struct inode *inode, struct iattr *attr);
void fuse_fmap_pin_attr(struct inode *inode, struct fuse_attr *attr,
			const struct iattr *set);

/* fmap_linger.c */
int fuse_fmap_drop_inode(struct inode *inode);

/* fmap_sync.c */
void fuse_fmap_sync_fs(struct super_block *sb);

/* fmap_space.c */
int fuse_fmap_fiemap(struct inode *inode, struct fiemap_extent_info *fi,
		     u64 start, u64 len);

#else /* CONFIG_FUSE_DAX_FMAP */

/* Not a function: the code of who asks is to stay what it was */
#define fuse_is_virtio_dax(inode)	IS_DAX(inode)

static inline bool fuse_fmap_enabled(const struct fuse_conn *fc)
{
	return false;
}

static inline bool fuse_fmap_mapped(struct inode *inode)
{
	return false;
}

static inline void fuse_fmap_release(struct fuse_inode *fi,
				     struct fuse_file *ff)
{
}

static inline void fuse_fmap_init(void)
{
}

static inline void fuse_fmap_exit(void)
{
}

static inline u64 fuse_fmap_offer(struct fuse_mount *fm)
{
	return 0;
}

static inline void fuse_fmap_accept(struct fuse_mount *fm, u64 flags)
{
}

static inline void fuse_fmap_conn_close(struct fuse_conn *fc)
{
}

static inline void fuse_fmap_conn_release(struct fuse_conn *fc)
{
}

static inline void fuse_fmap_conn_free(struct fuse_conn *fc)
{
}

static inline int fuse_fmap_open(struct inode *inode, struct file *file)
{
	return 0;
}

static inline void fuse_fmap_evict(struct inode *inode)
{
}

static inline bool fuse_fmap_get_page_cache(struct inode *inode)
{
	return true;
}

static inline void fuse_fmap_put_page_cache(struct inode *inode)
{
}

static inline int fuse_fmap_store(struct inode *inode)
{
	return 0;
}

static inline int fuse_fmap_notify(struct fuse_conn *fc,
				   enum fuse_notify_code code,
				   unsigned int size,
				   struct fuse_copy_state *cs)
{
	return -EINVAL;
}

static inline int fuse_fmap_inval_inode(struct inode *inode, loff_t offset,
					loff_t len)
{
	return 0;
}

static inline int fuse_fmap_setattr(struct inode *inode, struct iattr *attr)
{
	return 0;
}

static inline void fuse_fmap_pin_attr(struct inode *inode,
				      struct fuse_attr *attr,
				      const struct iattr *set)
{
}

static inline void fuse_fmap_sync_fs(struct super_block *sb)
{
}

#define fuse_fmap_drop_inode	inode_just_drop

/* Without the operation the VFS refuses, as it did */
#define fuse_fmap_fiemap	NULL

#endif /* CONFIG_FUSE_DAX_FMAP */

#endif /* _FS_FUSE_FMAP_H */
