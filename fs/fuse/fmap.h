/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File maps of FUSE: all that the rest of fs/fuse may call
 *
 * Included at the end of fuse_i.h.  With the option off everything here is a
 * constant, so that callers need no #ifdef and gain no code.
 */
#ifndef _FS_FUSE_FMAP_H
#define _FS_FUSE_FMAP_H

struct fiemap_extent_info;

#ifdef CONFIG_FUSE_DAX_FMAP

struct fmap_dev;
struct fmap_stats;

/**
 * struct fuse_fmap_conn - what a connection knows of file maps
 * @lock: guards @closed, @debug and the writing of @devs; taken outside of all
 *	  locks of fmap_dev.c
 * @on: the server accepted the maps; set once, in the INIT reply
 * @no_get_fmap: the server does not know FUSE_GET_FMAP; set once
 * @closed: to be unmounted: no device may be attached any more
 * @devs: the devices by their index.  A slot is filled once (with release
 *	  order) and emptied when the last inode is gone, so who holds an inode
 *	  whose map names a device may read its slot without a lock.
 * @stats: counters; each CPU writes its own
 * @debug: folder in debugfs that shows them; guarded by @lock
 *
 * Made when INIT offers the maps, freed with the connection.
 */
struct fuse_fmap_conn {
	struct mutex lock;
	bool on;
	bool no_get_fmap;
	bool closed;
	struct fmap_dev *devs[FUSE_FMAP_MAX_DEVS];
	struct fmap_stats __percpu *stats;
	struct dentry *debug;
};

static inline bool fuse_fmap_enabled(const struct fuse_conn *fc)
{
	return fc->fmap && fc->fmap->on;
}

/* Has @inode a map?  Once it has, it keeps it until it is evicted. */
static inline bool fuse_fmap_mapped(struct inode *inode)
{
	/* Pairs with the release in fmap_publish() */
	return smp_load_acquire(&get_fuse_inode(inode)->fmap);
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

/* fmap_attr.c */
int fuse_fmap_setattr(struct inode *inode, struct iattr *attr);
void fuse_fmap_pin_attr(struct inode *inode, struct fuse_attr *attr,
			const struct iattr *set);

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

/* Without the operation the VFS refuses, as it did */
#define fuse_fmap_fiemap	NULL

#endif /* CONFIG_FUSE_DAX_FMAP */

#endif /* _FS_FUSE_FMAP_H */
