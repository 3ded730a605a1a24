// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: what makes bytes persistent */
#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		MB
#define LEN		(4 * PG)

/* There is something to make persistent: by write and by store */
static char *dirty(void)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	vfs_set_up(pwrite(vfs.fd, vfs_bytes, LEN, 0));
	memcpy(p, vfs_bytes, LEN);
	return p;
}

static const char *right(const char *answer)
{
	return vfs_holds(answer, OFF, vfs_bytes, LEN);
}

static const char *sync_file(long data_only)
{
	dirty();
	return right(vfs_ret(data_only ? fdatasync(vfs.fd) : fsync(vfs.fd)));
}

static const char *sync_read_only(long arg)
{
	dirty();
	return right(vfs_ret(fsync(vfs_open(O_RDONLY))));
}

/* Stores go on after it, without a mistake */
static const char *sync_and_store(long arg)
{
	char *p = dirty();

	vfs_set_up(fsync(vfs.fd));
	memcpy(p, vfs.image + OFF, LEN);
	return vfs_holds(vfs_ret(fsync(vfs.fd)), OFF, vfs.image + OFF, LEN);
}

static const char *sync_mapping(long flags)
{
	return right(vfs_ret(msync(dirty(), LEN, flags)));
}

static const char *sync_part(long arg)
{
	return right(vfs_ret(msync(dirty() + PG, PG, MS_SYNC)));
}

static const char *sync_private(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_PRIVATE);

	memcpy(p, vfs_bytes, LEN);
	return vfs_holds(vfs_ret(msync(p, LEN, MS_SYNC)), OFF,
			 vfs.image + OFF, LEN);
}

static const char *sync_locked(long arg)
{
	char *p = dirty();

	vfs_set_up(mlock(p, LEN));
	return vfs_ret(msync(p, LEN, MS_SYNC | MS_INVALIDATE));
}

static const char *sync_huge(long arg)
{
	char *p = vfs_map_at(0, VFS_HUGE, HUGE_PG, RW, MAP_SHARED);

	memcpy(p + PG, vfs_bytes, PG);
	return vfs_holds(vfs_ret(msync(p, HUGE_PG, MS_SYNC)), VFS_HUGE + PG,
			 vfs_bytes, PG);
}

static const char *sync_range(long flags)
{
	dirty();
	return right(vfs_ret(sync_file_range(vfs.fd, 0, 0, flags)));
}

static const char *sync_fs(long arg)
{
	dirty();
	return right(vfs_ret(syncfs(vfs.fd)));
}

static const char *sync_all(long arg)
{
	dirty();
	sync();
	return right("ok");
}

const struct vfs_op vfs_sync_ops[] = {
	{ "fsync", sync_file, 0 },
	{ "fdatasync", sync_file, 1 },
	{ "fsync of a descriptor to read", sync_read_only },
	{ "fsync, store, fsync", sync_and_store },
	{ "msync, MS_SYNC", sync_mapping, MS_SYNC },
	{ "msync, MS_ASYNC", sync_mapping, MS_ASYNC },
	{ "msync, MS_INVALIDATE", sync_mapping, MS_SYNC | MS_INVALIDATE },
	{ "msync, MS_INVALIDATE, locked", sync_locked },
	{ "msync of a part", sync_part },
	{ "msync of a page of 2 MiB", sync_huge },
	{ "msync, private", sync_private },
	{ "sync_file_range", sync_range, SYNC_FILE_RANGE_WAIT_BEFORE |
	  SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER },
	{ "syncfs", sync_fs },
	{ "sync", sync_all },
	{ }
};
