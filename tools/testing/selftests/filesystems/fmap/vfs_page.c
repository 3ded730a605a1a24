// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of vfs_ops: which size of pages a mapping gets, and keeps
 *
 * The kernel remembers for a file that a part of it was mapped in small pages,
 * as far as it was not mapped in a large one before. No other operation maps
 * small pages of these 4 MiB, and here those that do come last.
 */
#include "vfs_ops.h"

#define RW		(PROT_READ | PROT_WRITE)
#define HERE		(VFS_HUGE + 2 * MB)
#define THERE		VFS_HUGE

static const char *size_shared(long write)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_SHARED);

	return vfs_page_size(p, write);
}

static const char *size_private_load(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_PRIVATE);

	return vfs_page_size(p, false);
}

static const char *size_private_store(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_PRIVATE);

	return vfs_page_size(p, true);
}

/* After others' copies on write, who maps it shared still gets a large page */
static const char *size_after_private_store(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_PRIVATE);

	fmap_touch(p, PG, PG, true);
	return size_shared(false);
}

static const char *size_of_any_address(long arg)
{
	char *p = mmap(NULL, HUGE_PG, RW, MAP_SHARED, vfs.fd, HERE);

	vfs_need(p == MAP_FAILED ? -1 : 0, "mmap");
	return vfs_page_size(p, false);
}

static const char *size_after_write(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_SHARED);

	vfs_set_up(pwrite(vfs.fd, vfs_bytes, PG, HERE + PG));
	return vfs_page_size(p, false);
}

/* Each answer is only as good as the bytes that are seen */
static const char *checked(const char *answer, char *p, off_t off)
{
	return vfs_ok(vfs_same("ok", p, vfs.image + off, HUGE_PG)) ?
	       answer : "wrong data";
}

static const char *size_mprotect_part(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	vfs_set_up(mprotect(p + 7 * PG, PG, PROT_READ));
	return checked(vfs_page_size(p, false), p, HERE);
}

static const char *size_munmap_part(long arg)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_SHARED);
	struct fmap_faults faults;

	fmap_touch(p, PG, PG, false);
	vfs_set_up(munmap(p + 7 * PG, PG));
	faults = fmap_touch(p, 7 * PG, PG, false);
	if (memcmp(p, vfs.image + HERE, 7 * PG) ||
	    memcmp(p + 8 * PG, vfs.image + HERE + 8 * PG, HUGE_PG - 8 * PG))
		return "wrong data";

	return faults.minor + faults.major == 7 ? "4 KiB" : "2 MiB";
}

static char *moved_to(char *p, size_t shift, int flags)
{
	char *to = vfs_map_at(shift, 0, HUGE_PG, PROT_NONE,
			      MAP_SHARED);

	to = mremap(p, HUGE_PG, HUGE_PG, MREMAP_MAYMOVE | MREMAP_FIXED | flags,
		    to);
	if (to == MAP_FAILED)
		vfs_end(vfs_ret(-1));
	return to;
}

/* Large pages move as they are */
static const char *mremap_aligned(long flags)
{
	char *p = vfs_map_at(0, HERE, HUGE_PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	p = moved_to(p, 0, flags);
	return vfs_same("ok", p, vfs.image + HERE, HUGE_PG);
}

static const char *mremap_misaligned(long arg)
{
	char *p = vfs_map_at(0, THERE, HUGE_PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	p = moved_to(p, PG, 0);
	return checked(vfs_page_size(p, false), p, THERE);
}

static const char *mremap_grow(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, true);
	p[0] = vfs.image[MB];
	p = mremap(p, PG, 3 * PG, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return vfs_ret(-1);
	return vfs_same("ok", p, vfs.image + MB, 3 * PG);
}

static const char *mremap_grow_over_end(long arg)
{
	char *p = vfs_map(VFS_SIZE - PG, PG, RW, MAP_SHARED);

	p = mremap(p, PG, 3 * PG, MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return vfs_ret(-1);

	return fmap_sigbus(p + PG, false) ? "SIGBUS" : "ok";
}

static const char *mremap_shrink(long arg)
{
	char *p = vfs_map(MB, 3 * PG, RW, MAP_SHARED);

	fmap_touch(p, 3 * PG, PG, false);
	p = mremap(p, 3 * PG, PG, 0);
	if (p == MAP_FAILED)
		return vfs_ret(-1);
	return vfs_same("ok", p, vfs.image + MB, PG);
}

/* A mapping whose length was 0 is made twice */
static const char *mremap_copy(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);
	char *q = mremap(p, 0, PG, MREMAP_MAYMOVE);

	if (q == MAP_FAILED)
		return vfs_ret(-1);
	memcpy(p, vfs_bytes, PG);
	return vfs_same("ok", q, vfs_bytes, PG);
}

/* File and address do not lie at the same distance from 2 MiB */
static const char *size_odd_address(long arg)
{
	char *p = vfs_map_at(PG, THERE, HUGE_PG, RW, MAP_SHARED);

	return checked(vfs_page_size(p, false), p, THERE);
}

static const char *size_odd_offset(long arg)
{
	char *p = vfs_map_at(0, THERE - PG, HUGE_PG, RW, MAP_SHARED);

	return checked(vfs_page_size(p, false), p, THERE - PG);
}

/* Who maps less than 2 MiB gets small pages, which the file remembers */
static const char *size_after_small(long arg)
{
	char *p = vfs_map(MB, PG, RW, MAP_SHARED);

	fmap_touch(p, PG, PG, false);
	munmap(p, PG);
	p = vfs_map_at(0, 0, HUGE_PG, RW, MAP_SHARED);
	return checked(vfs_page_size(p, false), p, 0);
}

const struct vfs_op vfs_page_ops[] = {
	{ "pages after a private store, shared",
	  size_after_private_store },
	{ "pages, shared, loads", size_shared, false },
	{ "pages, shared, stores", size_shared, true },
	{ "pages where the kernel chose the address", size_of_any_address },
	{ "pages, private, loads", size_private_load },
	{ "pages, private, stores", size_private_store },
	{ "pages after a write of 4 KiB", size_after_write },
	{ "pages after mprotect of a part", size_mprotect_part },
	{ "pages after munmap of a part", size_munmap_part },
	{ "mremap, moved", mremap_aligned, 0 },
	{ "mremap, MREMAP_DONTUNMAP", mremap_aligned, MREMAP_DONTUNMAP },
	{ "mremap, moved, pages of a misaligned place", mremap_misaligned },
	{ "mremap, grown", mremap_grow },
	{ "mremap, grown over the end", mremap_grow_over_end },
	{ "mremap, shrunk", mremap_shrink },
	{ "mremap of nothing, which maps it once more", mremap_copy },
	{ "pages at a misaligned address", size_odd_address },
	{ "pages at a misaligned offset", size_odd_offset },
	{ "pages after a mapping of 4 KiB", size_after_small },
	{ }
};
