// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: mappings */
#include <signal.h>
#include <sys/wait.h>

#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		(1 * MB)
#define LEN		(4 * PG)

static const char *map_read(long flags)
{
	char *p = vfs_map(OFF, LEN, PROT_READ, flags);

	return vfs_same("ok", p, vfs.image + OFF, LEN);
}

static const char *map_store(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, flags);

	memcpy(p, vfs_bytes, LEN);
	return vfs_holds("ok", OFF, vfs_bytes, LEN);
}

/* The file and others' mappings stay as they were */
static const char *map_private_store(long arg)
{
	char *shared = vfs_map(OFF, LEN, PROT_READ, MAP_SHARED);
	char *p = vfs_map(OFF, LEN, RW, MAP_PRIVATE);
	const char *answer;

	memcpy(p, vfs_bytes, LEN);
	answer = vfs_same("ok", p, vfs_bytes, LEN);
	answer = vfs_same(answer, shared, vfs.image + OFF, LEN);
	return vfs_holds(answer, OFF, vfs.image + OFF, LEN);
}

/* A page that was not copied yet shows what others write */
static const char *map_private_sees(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_PRIVATE);

	fmap_touch(p, LEN, PG, false);
	vfs_set_up(pwrite(vfs.fd, vfs_bytes, LEN, OFF));
	return vfs_same("ok", p, vfs_bytes, LEN);
}

static const char *map_twice(long arg)
{
	char *a = vfs_map(OFF, LEN, RW, MAP_SHARED);
	char *b = vfs_map(OFF, LEN, PROT_READ, MAP_SHARED);

	fmap_touch(b, LEN, PG, false);
	memcpy(a, vfs_bytes, LEN);
	return vfs_same("ok", b, vfs_bytes, LEN);
}

static const char *map_only(int open_flags, int prot, int flags)
{
	char *p = mmap(NULL, LEN, prot, flags, vfs_open(open_flags), OFF);

	return vfs_ret(p == MAP_FAILED ? -1 : 0);
}

static const char *map_read_only(long flags)
{
	return map_only(O_RDONLY, RW, flags);
}

static const char *map_write_only(long arg)
{
	return map_only(O_WRONLY, PROT_WRITE, MAP_SHARED);
}

static const char *map_flags(long flags)
{
	return map_only(O_RDWR, RW, flags);
}

static const char *map_sync(long arg)
{
	char *p = mmap(NULL, LEN, RW, MAP_SHARED_VALIDATE | MAP_SYNC, vfs.fd,
		       OFF);

	if (p == MAP_FAILED)
		return vfs_ret(-1);
	memcpy(p, vfs_bytes, LEN);
	return vfs_holds("ok", OFF, vfs_bytes, LEN);
}

/* Nothing is left to fault when it returns */
static const char *map_populated(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, flags);
	struct fmap_faults faults = fmap_touch(p, LEN, PG, false);

	if (faults.minor + faults.major)
		return "not populated";
	return vfs_same("ok", p, vfs.image + OFF, LEN);
}

static const char *locked(char *p, long ret)
{
	struct fmap_faults faults;

	if (ret < 0)
		return vfs_ret(ret);
	faults = fmap_touch(p, LEN, PG, false);
	if (faults.minor + faults.major)
		return "not populated";
	return vfs_ret(munlock(p, LEN));
}

static const char *map_mlock(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, flags);

	return locked(p, mlock(p, LEN));
}

static const char *map_mlockall(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	return locked(p, mlockall(MCL_CURRENT));
}

static const char *map_mlock_onfault(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	return vfs_ret(mlock2(p, LEN, MLOCK_ONFAULT));
}

/* Before it is touched, and after */
static const char *map_mincore(long touch)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	unsigned char vec[LEN / PG];

	if (touch)
		fmap_touch(p, LEN, PG, true);
	if (mincore(p, LEN, vec))
		return vfs_ret(-1);

	return memchr(vec, 0, sizeof(vec)) ? "not in core" : "in core";
}

static const char *load_behind(long off)
{
	char *p = vfs_map(VFS_SIZE - 2 * MB, 4 * MB, RW, MAP_SHARED);

	return fmap_sigbus(p + 2 * MB + off, false) ? "SIGBUS" : "ok";
}

static const char *store_behind(long flags)
{
	char *p = vfs_map(VFS_SIZE - 2 * MB, 4 * MB, RW, flags);

	return fmap_sigbus(p + 2 * MB, true) ? "SIGBUS" : "ok";
}

static const char *map_all_behind(long arg)
{
	char *p = vfs_map(VFS_SIZE + MB, PG, RW, MAP_SHARED);

	return fmap_sigbus(p, false) ? "SIGBUS" : "ok";
}

/* A process of its own stores; is it seen here? */
static const char *map_fork(long flags)
{
	char *p = vfs_map(OFF, LEN, RW, flags);
	pid_t pid;

	fmap_touch(p, LEN, PG, true);
	memcpy(p, vfs.image + OFF, LEN);
	pid = vfs_set_up(fork());
	if (!pid) {
		memcpy(p, vfs_bytes, LEN);
		_exit(0);
	}
	vfs_set_up(waitpid(pid, NULL, 0));

	return memcmp(p, vfs_bytes, LEN) ? "not seen" : "seen";
}

static const char *map_mprotect(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	fmap_touch(p, LEN, PG, false);
	vfs_set_up(mprotect(p, LEN, PROT_READ));
	vfs_set_up(mprotect(p, LEN, RW));
	memcpy(p, vfs_bytes, LEN);
	return vfs_holds("ok", OFF, vfs_bytes, LEN);
}

static const char *store_protected(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	fmap_touch(p, LEN, PG, true);
	vfs_set_up(mprotect(p, LEN, PROT_READ));
	signal(SIGSEGV, SIG_DFL);
	fmap_touch(p, LEN, PG, true);

	return "ok";
}

static const char *mprotect_read_only(long arg)
{
	char *p = mmap(NULL, LEN, PROT_READ, MAP_SHARED, vfs_open(O_RDONLY),
		       OFF);

	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap");
	return vfs_ret(mprotect(p, LEN, RW));
}

static const char *remap_pages(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);
	const char *answer = vfs_ret(remap_file_pages(p, PG, 0,
						      OFF / PG + 2, 0));

	return vfs_same(answer, p, vfs.image + OFF + 2 * PG, PG);
}

/* How many bytes have been stored when the mapping goes does not matter */
static const char *map_outlives(long arg)
{
	char *p = vfs_map(OFF, LEN, RW, MAP_SHARED);

	close(vfs.fd);
	memcpy(p, vfs_bytes, LEN);
	vfs.fd = vfs_open(O_RDWR);
	return vfs_holds("ok", OFF, vfs_bytes, LEN);
}

const struct vfs_op vfs_map_ops[] = {
	{ "mmap, shared, load", map_read, MAP_SHARED },
	{ "mmap, private, load", map_read, MAP_PRIVATE },
	{ "mmap, shared, store", map_store, MAP_SHARED },
	{ "mmap, private, store", map_private_store },
	{ "mmap, private, load what another wrote", map_private_sees },
	{ "mmap twice", map_twice },
	{ "mmap, then close", map_outlives },
	{ "mmap, shared and writable, of a file opened to read",
	  map_read_only, MAP_SHARED },
	{ "mmap, private and writable, of a file opened to read",
	  map_read_only, MAP_PRIVATE },
	{ "mmap of a file opened to write", map_write_only },
	{ "mmap, MAP_SHARED_VALIDATE", map_flags, MAP_SHARED_VALIDATE },
	{ "mmap, MAP_SYNC", map_sync },
	{ "mmap, MAP_SYNC and MAP_PRIVATE", map_flags, MAP_PRIVATE | MAP_SYNC },
	{ "mmap, MAP_HUGETLB", map_flags, MAP_SHARED | MAP_HUGETLB },
	{ "mmap, MAP_POPULATE, shared", map_populated,
	  MAP_SHARED | MAP_POPULATE },
	{ "mmap, MAP_POPULATE, private", map_populated,
	  MAP_PRIVATE | MAP_POPULATE },
	{ "mmap, MAP_LOCKED, shared", map_populated, MAP_SHARED | MAP_LOCKED },
	{ "mmap, MAP_LOCKED, private", map_populated,
	  MAP_PRIVATE | MAP_LOCKED },
	{ "mlock, shared", map_mlock, MAP_SHARED },
	{ "mlock, private", map_mlock, MAP_PRIVATE },
	{ "mlock2, MLOCK_ONFAULT", map_mlock_onfault },
	{ "mlockall", map_mlockall },
	{ "mincore, untouched", map_mincore, 0 },
	{ "mincore, touched", map_mincore, 1 },
	{ "load from the last page", load_behind, -PG },
	{ "load behind the end", load_behind, 0 },
	{ "load far behind the end", load_behind, MB },
	{ "store behind the end, shared", store_behind, MAP_SHARED },
	{ "store behind the end, private", store_behind, MAP_PRIVATE },
	{ "load from a mapping wholly behind the end", map_all_behind },
	{ "fork, shared mapping, child's store", map_fork, MAP_SHARED },
	{ "fork, private mapping, child's store", map_fork, MAP_PRIVATE },
	{ "mprotect to read, and back", map_mprotect },
	{ "store to what mprotect protects", store_protected },
	{ "mprotect to write, of a file opened to read", mprotect_read_only },
	{ "remap_file_pages", remap_pages },
	{ }
};
