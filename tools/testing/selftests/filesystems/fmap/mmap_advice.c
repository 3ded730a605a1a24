// SPDX-License-Identifier: GPL-2.0
/* madvise and mremap of a mapping: what they do, and what they may not harm */
#include <string.h>
#include <sys/syscall.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(16 * PG)
#define SIZE		(TAIL + TAIL_LEN)

/* Older headers do not have them */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef SYS_cachestat
#define SYS_cachestat		451
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(mmap_advice)
{
	struct fmap_server *s;
	int fd;
	char *p;	/* all of the file, shared; nothing of it touched */
	char *seen;	/* the bytes that the file begins with */
};

FIXTURE_SETUP(mmap_advice)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	self->seen = malloc(SIZE);
	ASSERT_NE(NULL, self->seen);
	fmap_fill(self->seen, SIZE, 1, 0);
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
}

FIXTURE_TEARDOWN(mmap_advice)
{
	free(self->seen);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

#define EXPECT_FAULTS(n, p, len, write)					\
	EXPECT_EQ(n, fmap_touch(p, len, PG, write).minor)

#define EXPECT_ERRNO(e, call)						\
	do {								\
		EXPECT_EQ(-1, call);					\
		EXPECT_EQ(e, errno);					\
	} while (0)

TEST_F(mmap_advice, populate_for_loads)
{
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_POPULATE_READ));
	EXPECT_TRUE(fmap_all_huge(self->p, TAIL));
	EXPECT_FAULTS(0, self->p, SIZE, false);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

TEST_F(mmap_advice, populate_for_stores)
{
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_POPULATE_WRITE));
	EXPECT_TRUE(fmap_all_huge(self->p, TAIL));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_FAULTS(0, self->p, SIZE, true);
}

TEST_F(mmap_advice, populate_behind_the_end_fails)
{
	char *q = fmap_map_aligned(self->fd, SIZE + PG, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_ERRNO(EFAULT, madvise(q, SIZE + PG, MADV_POPULATE_READ));
	EXPECT_ERRNO(EFAULT, madvise(q, SIZE + PG, MADV_POPULATE_WRITE));
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	munmap(q, SIZE + PG);
}

TEST_F(mmap_advice, small_pages_on_request)
{
	EXPECT_EQ(0, madvise(self->p, HUGE_PG, MADV_NOHUGEPAGE));
	EXPECT_FAULTS(512, self->p, HUGE_PG, false);
	EXPECT_TRUE(fmap_none_huge(self->p, HUGE_PG));
	EXPECT_EQ(0, madvise(self->p, HUGE_PG, MADV_HUGEPAGE));
	EXPECT_FAULTS(1, self->p + HUGE_PG, HUGE_PG, true);
	EXPECT_EQ(0, memcmp(self->p, self->seen, HUGE_PG));
}

TEST_F(mmap_advice, huge_pages_on_request)
{
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_HUGEPAGE));
	EXPECT_FAULTS(2, self->p, TAIL, true);
	EXPECT_TRUE(fmap_all_huge(self->p, TAIL));
}

TEST_F(mmap_advice, dontneed_keeps_what_is_the_files)
{
	memset(self->p, 'x', 2 * PG);
	memset(self->p + TAIL, 'y', PG);
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, fmap_pages(self->p, SIZE, PAGE_IS_PRESENT));
	EXPECT_EQ('x', self->p[2 * PG - 1]);
	EXPECT_EQ('y', self->p[TAIL]);
	EXPECT_TRUE(fmap_all_huge(self->p, HUGE_PG));
}

TEST_F(mmap_advice, dontneed_of_a_part_of_a_huge_page)
{
	memset(self->p, 'x', HUGE_PG);
	EXPECT_EQ(0, madvise(self->p + 10 * PG, PG, MADV_DONTNEED));
	EXPECT_EQ('x', self->p[9 * PG]);
	EXPECT_EQ('x', self->p[10 * PG]);
	self->p[10 * PG] = 'z';
	EXPECT_TRUE(fmap_on_devices(&layout, 10 * PG, "z", 1));
}

TEST_F(mmap_advice, dontneed_reverts_private_copies)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	q[0] = ~self->seen[0];
	q[TAIL] = ~self->seen[TAIL];
	EXPECT_EQ(0, madvise(q, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	munmap(q, SIZE);
}

TEST_F(mmap_advice, remove_is_refused)
{
	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	EXPECT_ERRNO(EOPNOTSUPP, madvise(self->p, HUGE_PG, MADV_REMOVE));
	EXPECT_ERRNO(EOPNOTSUPP, madvise(self->p + TAIL, PG, MADV_REMOVE));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->seen, SIZE));
}

/* There is no copy of these pages that could be made one large page */
TEST_F(mmap_advice, collapse_is_refused)
{
	EXPECT_ERRNO(EINVAL, madvise(self->p, TAIL, MADV_COLLAPSE));
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_ERRNO(EINVAL, madvise(self->p, TAIL, MADV_COLLAPSE));
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
}

TEST_F(mmap_advice, free_is_refused)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	q[0] = 'q';
	EXPECT_ERRNO(EINVAL, madvise(q, SIZE, MADV_FREE));
	EXPECT_ERRNO(EINVAL, madvise(self->p, SIZE, MADV_FREE));
	EXPECT_EQ('q', q[0]);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	munmap(q, SIZE);
}

TEST_F(mmap_advice, hints_harm_nothing)
{
	static const int hints[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_SEQUENTIAL,
		MADV_RANDOM, MADV_NORMAL, MADV_DONTDUMP, MADV_DODUMP,
		MADV_DOFORK, MADV_DONTFORK,
	};
	unsigned int i;

	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		EXPECT_EQ(0, madvise(self->p, SIZE, hints[i]))
			TH_LOG("hint %d", hints[i]);
		/* and on a part of a page of 2 MiB */
		EXPECT_EQ(0, madvise(self->p + PG, 3 * PG, hints[i]))
			TH_LOG("hint %d", hints[i]);
	}
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	self->p[5] = 'h';
	EXPECT_TRUE(fmap_on_devices(&layout, 5, "h", 1));
}

TEST_F(mmap_advice, guard_pages_cover_and_show_again)
{
	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	ASSERT_EQ(0, madvise(self->p + PG, PG, MADV_GUARD_INSTALL));
	EXPECT_FALSE(fmap_may_load(self->p + PG));
	EXPECT_TRUE(fmap_may_load(self->p));
	EXPECT_TRUE(fmap_may_load(self->p + 2 * PG));
	ASSERT_EQ(0, madvise(self->p + PG, PG, MADV_GUARD_REMOVE));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

TEST_F(mmap_advice, mincore_tells_what_is_mapped)
{
	unsigned char vec[SIZE / PG];

	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	ASSERT_EQ(0, mincore(self->p, SIZE, vec));
	EXPECT_EQ(1, vec[0] & 1);
	EXPECT_EQ(1, vec[511] & 1);
}

/* There is no page cache: none of its pages are there, nor have been */
TEST_F(mmap_advice, cachestat_counts_nothing)
{
	uint64_t range[2] = { 0, SIZE }, counts[5] = { 9, 9, 9, 9, 9 };
	unsigned int i;

	EXPECT_FAULTS(2, self->p, TAIL, true);
	EXPECT_FAULTS(16, self->p + TAIL, TAIL_LEN, false);
	ASSERT_EQ(0, syscall(SYS_cachestat, self->fd, range, counts, 0));
	for (i = 0; i < ARRAY_SIZE(counts); i++)
		EXPECT_EQ(0, counts[i]);
}

/* Room for @len bytes, at a multiple of 2 MiB, that may be mapped over */
static char *room(size_t len)
{
	char *p = mmap(NULL, len + HUGE_PG, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? p : p + (-(uintptr_t)p & (HUGE_PG - 1));
}

TEST_F(mmap_advice, moved_to_an_aligned_address)
{
	char *to = room(SIZE);

	ASSERT_NE(MAP_FAILED, to);
	EXPECT_FAULTS(2, self->p, TAIL, true);
	memset(self->p, 'm', PG);
	ASSERT_EQ(to, mremap(self->p, SIZE, SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_FALSE(fmap_may_load(self->p));
	self->p = to;
	EXPECT_GE(2, fmap_touch(to, TAIL, PG, false).minor);
	EXPECT_TRUE(fmap_all_huge(to, TAIL));
	EXPECT_EQ('m', to[PG - 1]);
	EXPECT_EQ(0, memcmp(to + TAIL, self->seen + TAIL, TAIL_LEN));
	to[TAIL] = 'n';
	EXPECT_TRUE(fmap_on_devices(&layout, TAIL, "n", 1));
}

TEST_F(mmap_advice, moved_to_a_misaligned_address)
{
	char *to = room(SIZE + PG) + PG, *q;

	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	ASSERT_EQ(to, mremap(self->p, SIZE, SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	self->p = to;
	EXPECT_FAULTS(512, to, HUGE_PG, false);
	EXPECT_TRUE(fmap_none_huge(to, SIZE));
	EXPECT_EQ(0, memcmp(to, self->seen, SIZE));
	to[PG] = 'm';

	/* The first range was mapped large before, and others may have that */
	q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(1, q, HUGE_PG, false);
	EXPECT_EQ('m', q[PG]);
	munmap(q, SIZE);
}

TEST_F(mmap_advice, a_part_of_a_huge_page_moved)
{
	char *to = room(2 * PG);

	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	ASSERT_EQ(to, mremap(self->p + 7 * PG, 2 * PG, 2 * PG,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	to[PG] = 'm';
	EXPECT_TRUE(fmap_on_devices(&layout, 8 * PG, "m", 1));
	EXPECT_FALSE(fmap_may_load(self->p + 7 * PG));
	EXPECT_EQ(1, self->p[6 * PG]);
	EXPECT_EQ(1, self->p[9 * PG]);
	munmap(to, 2 * PG);
}

TEST_F(mmap_advice, grown_beyond_the_end)
{
	char *q = mremap(self->p, SIZE, SIZE + 2 * PG, MREMAP_MAYMOVE);

	ASSERT_NE(MAP_FAILED, q);
	self->p = q;
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	EXPECT_FALSE(fmap_sigbus(q + SIZE - 1, true));
	EXPECT_TRUE(fmap_sigbus(q + SIZE, false));
	EXPECT_TRUE(fmap_sigbus(q + SIZE + PG, true));
	ASSERT_EQ(q, mremap(q, SIZE + 2 * PG, SIZE, 0));
}

TEST_F(mmap_advice, grown_and_shrunk)
{
	char *q;

	munmap(self->p + HUGE_PG, SIZE - HUGE_PG);
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	ASSERT_EQ(self->p, mremap(self->p, HUGE_PG, PG, 0));
	EXPECT_EQ(1, self->p[0]);
	EXPECT_FALSE(fmap_may_load(self->p + PG));
	q = mremap(self->p, PG, SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, q);
	self->p = q;
	EXPECT_EQ(0, memcmp(q + HUGE_PG, self->seen + HUGE_PG, SIZE - HUGE_PG));
	EXPECT_EQ(1, q[HUGE_PG - PG]);
}

/* No bytes of a shared mapping moved: one more mapping of the same */
TEST_F(mmap_advice, doubled)
{
	char *to = room(SIZE);

	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	ASSERT_EQ(to, mremap(self->p, 0, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			     to));
	to[0] = 'd';
	EXPECT_EQ('d', self->p[0]);
	EXPECT_TRUE(fmap_all_huge(to, HUGE_PG));
	munmap(to, SIZE);
}

TEST_F(mmap_advice, moved_with_the_old_place_kept)
{
	char *to;

	EXPECT_FAULTS(2, self->p, TAIL, true);
	to = mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
		    NULL);
	ASSERT_NE(MAP_FAILED, to);
	to[5] = 'd';
	EXPECT_EQ('d', self->p[5]);
	EXPECT_EQ(0, memcmp(to, self->p, SIZE));
	munmap(to, SIZE);
}

FMAP_TEST_MAIN
