// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: where bytes lie, and what the file system tells */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vfs_ops.h"

/* linux/mman.h and linux/stat.h do not go with the headers of libc */
struct cachestat_range {
	uint64_t off;
	uint64_t len;
};

struct cachestat {
	uint64_t nr_cache;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_evicted;
	uint64_t nr_recently_evicted;
};

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif
#ifndef STATX_DIOALIGN
#define STATX_DIOALIGN	0x2000
#endif

static const char *number(long n)
{
	static char answer[32];

	if (n < 0)
		return vfs_ret(n);
	snprintf(answer, sizeof(answer), "%ld", n);

	return answer;
}

static const char *where(off_t pos)
{
	if (pos < 0)
		return vfs_ret(pos);
	if (pos == VFS_SIZE)
		return "the end";

	return number(pos);
}

static const char *seek_from_middle(long whence)
{
	off_t pos = lseek(vfs.fd, MB, whence);

	return pos == (off_t)MB ? "where it is" : where(pos);
}

static const char *seek_from_end(long whence)
{
	return where(lseek(vfs.fd, VFS_SIZE, whence));
}

static const char *seek_end(long arg)
{
	return where(lseek(vfs.fd, 0, SEEK_END));
}

static const char *seek_set(long pos)
{
	off_t got = lseek(vfs.fd, pos, SEEK_SET);

	if (got < 0)
		return vfs_ret(got);

	return got == pos ? "ok" : "elsewhere";
}

/* Extents must follow each other from the first byte to the last */
static const char *check_extents(const struct fiemap *map)
{
	const struct fiemap_extent *e = map->fm_extents;
	uint64_t pos = 0;
	unsigned int i;

	if (!map->fm_mapped_extents)
		return "none";
	for (i = 0; i < map->fm_mapped_extents; i++, e++) {
		if (e->fe_logical != pos || e->fe_flags & ~FIEMAP_EXTENT_LAST)
			return "wrong extents";
		pos += e->fe_length;
	}
	if (pos < VFS_SIZE || !(e[-1].fe_flags & FIEMAP_EXTENT_LAST))
		return "wrong end";

	return "ok";
}

static const char *extents(long flags)
{
	static union {
		struct fiemap map;
		char room[sizeof(struct fiemap) +
			  64 * sizeof(struct fiemap_extent)];
	} u;

	u.map.fm_length = VFS_SIZE;
	u.map.fm_flags = flags;
	u.map.fm_extent_count = 64;
	if (ioctl(vfs.fd, FS_IOC_FIEMAP, &u.map))
		return vfs_ret(-1);

	return check_extents(&u.map);
}

static const char *block_of(long arg)
{
	int block = 0;

	return vfs_ret(ioctl(vfs.fd, FIBMAP, &block));
}

static const char *block_size(long arg)
{
	int size = 0;
	long ret = ioctl(vfs.fd, FIGETBSZ, &size);

	return number(ret ? ret : size);
}

static const char *bytes_to_read(long arg)
{
	int n = 0;
	long ret;

	vfs_set_up(lseek(vfs.fd, VFS_SIZE - 100, SEEK_SET));
	ret = ioctl(vfs.fd, FIONREAD, &n);

	return number(ret ? ret : n);
}

static const char *get_flags(long arg)
{
	int flags = 0;

	return vfs_ret(ioctl(vfs.fd, FS_IOC_GETFLAGS, &flags));
}

static const char *get_fsxattr(long arg)
{
	struct fsxattr attr;

	return vfs_ret(ioctl(vfs.fd, FS_IOC_FSGETXATTR, &attr));
}

static const char *enable_verity(long arg)
{
	struct fsverity_enable_arg enable = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = PG,
	};

	return vfs_ret(ioctl(vfs.fd, FS_IOC_ENABLE_VERITY, &enable));
}

/* Thawed before anything else can wait for it */
static const char *freeze(long arg)
{
	long ret = ioctl(vfs.fd, FIFREEZE, 0);

	if (ret)
		return vfs_ret(ret);
	return vfs_ret(ioctl(vfs.fd, FITHAW, 0));
}

static const char *trim(long arg)
{
	struct fstrim_range range = { .len = UINT64_MAX };

	return vfs_ret(ioctl(vfs.fd, FITRIM, &range));
}

/* Pages of the file in the page cache, after it was read */
static const char *cached_pages(long arg)
{
	struct cachestat_range range = { };
	struct cachestat stat = { };
	char c;

	vfs_set_up(pread(vfs.fd, &c, 1, 0));
	if (syscall(__NR_cachestat, vfs.fd, &range, &stat, 0))
		return vfs_ret(-1);

	return number(stat.nr_cache);
}

static const char *stat_size(long arg)
{
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	return where(st.st_size);
}

static const char *stat_blocks(long arg)
{
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	return st.st_blocks == VFS_SIZE / 512 ? "those of its size" :
	       number(st.st_blocks);
}

static const char *stat_blksize(long arg)
{
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	return number(st.st_blksize);
}

static struct statx stat_more(unsigned int mask)
{
	struct statx stx;

	vfs_set_up(statx(vfs.fd, "", AT_EMPTY_PATH, mask, &stx));
	return stx;
}

static const char *stat_dax(long arg)
{
	struct statx stx = stat_more(STATX_BASIC_STATS);

	return stx.stx_attributes & stx.stx_attributes_mask & STATX_ATTR_DAX ?
	       "set" : "not set";
}

static const char *stat_dio(long arg)
{
	return stat_more(STATX_DIOALIGN).stx_mask & STATX_DIOALIGN ?
	       "told" : "not told";
}

const struct vfs_op vfs_space_ops[] = {
	{ "lseek, SEEK_DATA", seek_from_middle, SEEK_DATA },
	{ "lseek, SEEK_HOLE", seek_from_middle, SEEK_HOLE },
	{ "lseek, SEEK_DATA, at the end", seek_from_end, SEEK_DATA },
	{ "lseek, SEEK_HOLE, at the end", seek_from_end, SEEK_HOLE },
	{ "lseek, SEEK_END", seek_end },
	{ "lseek, SEEK_SET, behind the end", seek_set, VFS_SIZE + MB },
	{ "lseek, SEEK_SET, before the begin", seek_set, -1 },
	{ "FIEMAP", extents, 0 },
	{ "FIEMAP, FIEMAP_FLAG_SYNC", extents, FIEMAP_FLAG_SYNC },
	{ "FIEMAP, FIEMAP_FLAG_XATTR", extents, FIEMAP_FLAG_XATTR },
	{ "FIBMAP", block_of },
	{ "FIGETBSZ", block_size },
	{ "FIONREAD, 100 bytes before the end", bytes_to_read },
	{ "FS_IOC_GETFLAGS", get_flags },
	{ "FS_IOC_FSGETXATTR", get_fsxattr },
	{ "FS_IOC_ENABLE_VERITY", enable_verity },
	{ "FIFREEZE and FITHAW", freeze },
	{ "FITRIM", trim },
	{ "cachestat, pages in the cache", cached_pages },
	{ "stat, size", stat_size },
	{ "stat, blocks", stat_blocks },
	{ "stat, block size", stat_blksize },
	{ "statx, STATX_ATTR_DAX", stat_dax },
	{ "statx, STATX_DIOALIGN", stat_dio },
	{ }
};
