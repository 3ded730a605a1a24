// SPDX-License-Identifier: GPL-2.0
/* What the operations of vfs_ops do often */
#include "vfs_ops.h"

struct vfs vfs = { .fd = -1 };
unsigned char vfs_bytes[64 * 1024];

const char *vfs_ret(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "ok";
}

const char *vfs_count(long ret, size_t want)
{
	if (ret < 0)
		return strerrorname_np(errno);
	if ((size_t)ret == want)
		return "ok";

	return ret ? "short" : "0";
}

long vfs_need(long ret, const char *what)
{
	static char answer[128];

	if (ret >= 0)
		return ret;
	snprintf(answer, sizeof(answer), "no set-up: %s: %s", what,
		 strerrorname_np(errno));
	vfs_end(answer);
}

int vfs_open(int flags)
{
	return vfs_need(open(vfs.path, flags | O_CLOEXEC), "open");
}

int vfs_open_other(int flags)
{
	return vfs_need(open(vfs.other, flags | O_CLOEXEC), "open other");
}

int vfs_open_disk(int flags)
{
	return vfs_need(open(vfs.disk, flags | O_CLOEXEC), "open disk");
}

char *vfs_map(off_t off, size_t len, int prot, int flags)
{
	char *p = mmap(NULL, len, prot, flags, vfs.fd, off);

	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap");
	return p;
}

char *vfs_map_at(size_t shift, off_t off, size_t len, int prot, int flags)
{
	char *p = mmap(NULL, len + 2 * HUGE_PG, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	vfs_need(p == MAP_FAILED ? -1 : 0, "reserve");
	p += (-(uintptr_t)p & (HUGE_PG - 1)) + shift;
	p = mmap(p, len, prot, flags | MAP_FIXED, vfs.fd, off);
	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap");

	return p;
}

const char *vfs_same(const char *answer, const void *got, const void *want,
		     size_t len)
{
	if (!vfs_ok(answer))
		return answer;

	return memcmp(got, want, len) ? "wrong data" : answer;
}

const char *vfs_holds(const char *answer, off_t off, const void *want,
		      size_t len)
{
	static unsigned char got[64 * 1024];
	size_t done, n;

	for (done = 0; done < len; done += n) {
		n = len - done < sizeof(got) ? len - done : sizeof(got);
		vfs_need(pread(vfs.fd, got, n, off + done), "read back");
		answer = vfs_same(answer, got, (char *)want + done, n);
	}

	return answer;
}

const char *vfs_page_size(char *p, bool write)
{
	static char answer[32];
	struct fmap_faults faults = fmap_touch(p, HUGE_PG, PG, write);
	long sum = faults.minor + faults.major;

	if (sum == 1)
		return "2 MiB";
	if (sum == HUGE_PG / PG)
		return "4 KiB";
	snprintf(answer, sizeof(answer), "%ld faults", sum);

	return answer;
}
