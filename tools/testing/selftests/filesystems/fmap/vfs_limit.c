// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: what a write does besides writing */
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "vfs_ops.h"

#define NOBODY		65534

static void limit_size(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };

	vfs_set_up(setrlimit(RLIMIT_FSIZE, &limit));
}

static const char *write_over_limit(long arg)
{
	limit_size(PG);
	return vfs_count(pwrite(vfs.fd, vfs_bytes, 100, PG - 40), 100);
}

static const char *write_at_limit(long arg)
{
	limit_size(PG);
	return vfs_count(pwrite(vfs.fd, vfs_bytes, 100, PG), 100);
}

static const char *write_at_limit_ignored(long arg)
{
	signal(SIGXFSZ, SIG_IGN);
	return write_at_limit(0);
}

/* Who writes has no CAP_FSETID */
static const char *write_set_id(long bits)
{
	struct stat st;

	vfs_set_up(fchmod(vfs.fd, 0777 | bits));
	vfs_set_up(seteuid(NOBODY));
	vfs_set_up(pwrite(vfs.fd, "x", 1, MB));
	vfs_set_up(fstat(vfs.fd, &st));

	return st.st_mode & bits ? "stays" : "removed";
}

static const char *write_set_id_by_root(long arg)
{
	struct stat st;

	vfs_set_up(fchmod(vfs.fd, 04777));
	vfs_set_up(pwrite(vfs.fd, "x", 1, MB));
	vfs_set_up(fstat(vfs.fd, &st));

	return st.st_mode & 04000 ? "stays" : "removed";
}

static const char *write_file_caps(long arg)
{
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2,
		.data[0].permitted = 1 << CAP_CHOWN,
	};
	ssize_t n;

	vfs_set_up(fsetxattr(vfs.fd, "security.capability", &caps,
			     XATTR_CAPS_SZ_2, 0));
	vfs_set_up(pwrite(vfs.fd, "x", 1, MB));
	n = fgetxattr(vfs.fd, "security.capability", NULL, 0);
	if (n < 0 && errno == ENODATA)
		return "removed";

	return n < 0 ? vfs_ret(n) : "stays";
}

static bool newer(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec ||
	       (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

static const char *moved(struct stat *before)
{
	struct stat after;
	bool m, c;

	vfs_set_up(fstat(vfs.fd, &after));
	m = newer(after.st_mtim, before->st_mtim);
	c = newer(after.st_ctim, before->st_ctim);
	if (m && c)
		return "move";

	return m || c ? "one moves" : "stay";
}

static const char *write_times(long arg)
{
	struct stat before;

	vfs_set_up(fstat(vfs.fd, &before));
	usleep(50000);
	vfs_set_up(pwrite(vfs.fd, "x", 1, MB));

	return moved(&before);
}

static const char *store_times(long arg)
{
	char *p = vfs_map(MB, PG, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct stat before;

	vfs_set_up(fstat(vfs.fd, &before));
	usleep(50000);
	fmap_touch(p, 1, 1, true);
	vfs_set_up(fsync(vfs.fd));

	return moved(&before);
}

static const char *private_store_times(long arg)
{
	char *p = vfs_map(MB, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	struct stat before;

	vfs_set_up(fstat(vfs.fd, &before));
	usleep(50000);
	fmap_touch(p, 1, 1, true);

	return moved(&before);
}

/* What was set explicitly stays until the next write */
static const char *set_times(long arg)
{
	struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	struct stat st;

	vfs_set_up(pwrite(vfs.fd, "x", 1, MB));
	vfs_set_up(futimens(vfs.fd, times));
	vfs_set_up(fstat(vfs.fd, &st));

	return st.st_mtim.tv_sec == 2000 ? "ok" : "lost";
}

const struct vfs_op vfs_limit_ops[] = {
	{ "write over RLIMIT_FSIZE", write_over_limit },
	{ "write at RLIMIT_FSIZE", write_at_limit },
	{ "write at RLIMIT_FSIZE, SIGXFSZ ignored", write_at_limit_ignored },
	{ "set-uid bit when it is written", write_set_id, 04000 },
	{ "set-gid bit when it is written", write_set_id, 02000 },
	{ "set-uid bit when root writes it", write_set_id_by_root },
	{ "security.capability when it is written", write_file_caps },
	{ "mtime and ctime when it is written", write_times },
	{ "mtime and ctime when it is stored to", store_times },
	{ "mtime and ctime, private store", private_store_times },
	{ "mtime that was set after a write", set_times },
	{ }
};
