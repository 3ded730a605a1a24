// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: what would change the size, or the space */
#include <linux/falloc.h>
#include <sys/stat.h>

#include "vfs_ops.h"

#define OFF		(MB + 5 * PG)
#define LEN		(4 * PG)

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES	0x80
#endif

/* Refused, the file is what it was */
static const char *sized(long ret, off_t size)
{
	const char *answer = vfs_ret(ret);
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	if (st.st_size != (ret ? (off_t)VFS_SIZE : size))
		return "wrong size";
	if (!ret)
		return answer;

	return vfs_ok(vfs_holds("ok", 0, vfs.image, VFS_SIZE)) ?
	       answer : "wrong data";
}

static const char *truncate_to(long size)
{
	return sized(truncate(vfs.path, size), size);
}

static const char *ftruncate_to(long size)
{
	return sized(ftruncate(vfs.fd, size), size);
}

/* A mapping of what is cut off */
static const char *ftruncate_mapped(long arg)
{
	char *p = vfs_map(VFS_SIZE - PG, PG, PROT_READ, MAP_SHARED);
	const char *answer;

	fmap_touch(p, PG, PG, false);
	answer = vfs_ret(ftruncate(vfs.fd, VFS_SIZE - PG));
	if (!vfs_ok(answer))
		return vfs_ok(vfs_same("ok", p, vfs.image + VFS_SIZE - PG,
				       PG)) ? answer : "wrong data";

	return fmap_sigbus(p, false) ? "ok, then SIGBUS" : "ok";
}

static const char *truncate_open(long flags)
{
	int fd = open(vfs.path, O_RDWR | O_TRUNC | flags, 0644);

	return sized(fd < 0 ? -1 : 0, 0);
}

static const char *allocate(int mode, off_t off, off_t len)
{
	return vfs_ret(fallocate(vfs.fd, mode, off, len));
}

static const char *bytes_stay(const char *answer)
{
	return vfs_holds(answer, 0, vfs.image, 2 * MB);
}

static const char *allocate_inside(long mode)
{
	return bytes_stay(allocate(mode, OFF, LEN));
}

static const char *allocate_behind(long mode)
{
	const char *answer = allocate(mode, VFS_SIZE, LEN);
	struct stat st;

	vfs_set_up(fstat(vfs.fd, &st));
	if (st.st_size == VFS_SIZE + LEN)
		return !vfs_ok(answer) ? "wrong size" : "ok, it grows";
	if (st.st_size != VFS_SIZE)
		return "wrong size";

	return answer;
}

static const char *allocate_across(long mode)
{
	const char *answer = allocate(mode, VFS_SIZE - PG, 2 * PG);

	if (vfs_ok(answer))
		return answer;
	return vfs_ok(vfs_holds("ok", VFS_SIZE - PG,
				vfs.image + VFS_SIZE - PG, PG)) ?
	       answer : "wrong data";
}

/* Bytes that are zero afterwards; what lies around them is as before */
static const char *zero(int mode, off_t off, size_t len)
{
	static unsigned char want[MB];
	const char *answer = allocate(mode, off, len);

	if (!vfs_ok(answer))
		return bytes_stay(answer);
	memcpy(want, vfs.image + MB, MB);
	memset(want + off - MB, 0, len);
	return vfs_holds(answer, MB, want, MB);
}

static const char *zero_pages(long mode)
{
	return zero(mode, OFF, LEN);
}

static const char *zero_bytes(long mode)
{
	return zero(mode, OFF + 77, LEN + 5);
}

/* Who has mapped them sees it, too */
static const char *zero_mapped(long mode)
{
	static unsigned char zeroes[PG];
	char *p = vfs_map(OFF, PG, PROT_READ, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	return vfs_same(allocate(mode, OFF, LEN), p, zeroes, PG);
}

static const char *move_range(long mode)
{
	return sized(fallocate(vfs.fd, mode, MB, MB),
		     mode == FALLOC_FL_COLLAPSE_RANGE ? VFS_SIZE - MB :
							VFS_SIZE + MB);
}

static const char *posix_allocate(long arg)
{
	errno = posix_fallocate(vfs.fd, 0, VFS_SIZE);
	return bytes_stay(vfs_ret(errno ? -1 : 0));
}

#define KEEP		FALLOC_FL_KEEP_SIZE
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | KEEP)
#define ZERO		FALLOC_FL_ZERO_RANGE
#define WRITE_ZEROES	FALLOC_FL_WRITE_ZEROES
#define UNSHARE		FALLOC_FL_UNSHARE_RANGE

const struct vfs_op vfs_size_ops[] = {
	{ "truncate to less", truncate_to, VFS_SIZE - PG },
	{ "truncate to nothing", truncate_to, 0 },
	{ "truncate to more", truncate_to, VFS_SIZE + PG },
	{ "truncate to the same size", truncate_to, VFS_SIZE },
	{ "ftruncate to less", ftruncate_to, VFS_SIZE - PG },
	{ "ftruncate to nothing", ftruncate_to, 0 },
	{ "ftruncate to more", ftruncate_to, VFS_SIZE + PG },
	{ "ftruncate to the same size", ftruncate_to, VFS_SIZE },
	{ "ftruncate to less, mapped", ftruncate_mapped },
	{ "open, O_TRUNC", truncate_open, 0 },
	{ "open, O_CREAT and O_TRUNC", truncate_open, O_CREAT },
	{ "fallocate", allocate_inside, 0 },
	{ "fallocate behind the end", allocate_behind, 0 },
	{ "fallocate over the end", allocate_across, 0 },
	{ "fallocate, KEEP_SIZE", allocate_inside, KEEP },
	{ "fallocate, KEEP_SIZE, behind the end", allocate_behind, KEEP },
	{ "fallocate, UNSHARE_RANGE", allocate_inside, UNSHARE },
	{ "fallocate, UNSHARE_RANGE, behind the end", allocate_behind,
	  UNSHARE },
	{ "fallocate, ZERO_RANGE", zero_pages, ZERO },
	{ "fallocate, ZERO_RANGE, odd offset and length", zero_bytes, ZERO },
	{ "fallocate, ZERO_RANGE and KEEP_SIZE", zero_pages, ZERO | KEEP },
	{ "fallocate, ZERO_RANGE, what is mapped", zero_mapped, ZERO },
	{ "fallocate, ZERO_RANGE, behind the end", allocate_behind, ZERO },
	{ "fallocate, ZERO_RANGE, over the end", allocate_across, ZERO },
	{ "fallocate, WRITE_ZEROES", zero_pages, WRITE_ZEROES },
	{ "fallocate, WRITE_ZEROES, behind the end", allocate_behind,
	  WRITE_ZEROES },
	{ "fallocate, PUNCH_HOLE", zero_pages, PUNCH },
	{ "fallocate, PUNCH_HOLE, behind the end", allocate_behind, PUNCH },
	{ "fallocate, COLLAPSE_RANGE", move_range, FALLOC_FL_COLLAPSE_RANGE },
	{ "fallocate, INSERT_RANGE", move_range, FALLOC_FL_INSERT_RANGE },
	{ "posix_fallocate", posix_allocate },
	{ }
};
