// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: userfaultfd */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFF		VFS_HUGE

static int uffd_new(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = vfs_set_up(syscall(SYS_userfaultfd, O_CLOEXEC));

	vfs_set_up(ioctl(fd, UFFDIO_API, &api));
	return fd;
}

static long uffd_register(int fd, char *p, size_t len, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, len }, .mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

static const char *uffd_shared(long mode)
{
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, MAP_SHARED);

	return vfs_ret(uffd_register(uffd_new(0), p, HUGE_PG, mode));
}

static const char *uffd_private(long mode)
{
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, MAP_PRIVATE);

	return vfs_ret(uffd_register(uffd_new(0), p, HUGE_PG, mode));
}

/* Stores are told later, and nobody waits for them */
static const char *uffd_async(long flags)
{
	char *p = vfs_map_at(0, OFF, HUGE_PG, RW, flags);

	return vfs_ret(uffd_register(uffd_new(UFFD_FEATURE_WP_ASYNC), p,
				     HUGE_PG, UFFDIO_REGISTER_MODE_WP));
}

const struct vfs_op vfs_uffd_ops[] = {
	{ "userfaultfd, missing pages, shared", uffd_shared,
	  UFFDIO_REGISTER_MODE_MISSING },
	{ "userfaultfd, missing pages, private", uffd_private,
	  UFFDIO_REGISTER_MODE_MISSING },
	{ "userfaultfd, minor faults", uffd_shared,
	  UFFDIO_REGISTER_MODE_MINOR },
	{ "userfaultfd, write protection, shared", uffd_shared,
	  UFFDIO_REGISTER_MODE_WP },
	{ "userfaultfd, write protection, private", uffd_private,
	  UFFDIO_REGISTER_MODE_WP },
	{ "userfaultfd, asynchronous write protection, shared", uffd_async,
	  MAP_SHARED },
	{ "userfaultfd, asynchronous write protection, private", uffd_async,
	  MAP_PRIVATE },
	{ }
};
