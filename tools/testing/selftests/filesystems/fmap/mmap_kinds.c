// SPDX-License-Identifier: GPL-2.0
/* Kinds of mappings: shared and private, populated, locked, inherited, cut */
#include <string.h>
#include <sys/wait.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(16 * PG)
#define SIZE		(TAIL + TAIL_LEN)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(mmap_kinds)
{
	struct fmap_server *s;
	int fd;
	char *p;	/* all of the file, shared; nothing of it touched */
	char *seen;	/* the bytes that the file begins with */
};

FIXTURE_SETUP(mmap_kinds)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	madvise(self->p, SIZE, MADV_DOFORK);
	self->seen = malloc(SIZE);
	ASSERT_NE(NULL, self->seen);
	fmap_fill(self->seen, SIZE, 1, 0);
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
}

FIXTURE_TEARDOWN(mmap_kinds)
{
	free(self->seen);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

#define EXPECT_FAULTS(n, p, len, write)					\
	EXPECT_EQ(n, fmap_touch(p, len, PG, write).minor)

TEST_F(mmap_kinds, populate_leaves_no_fault_to_loads)
{
	char *q;

	q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED | MAP_POPULATE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(fmap_all_huge(q, TAIL));
	EXPECT_FAULTS(0, q, SIZE, false);
	/* A shared mapping is not populated for stores */
	EXPECT_GE(2, fmap_touch(q, TAIL, PG, true).minor);
	EXPECT_FAULTS(0, q, TAIL, true);
	munmap(q, SIZE);
}

TEST_F(mmap_kinds, populate_for_loads_only)
{
	char *q;

	q = fmap_map_aligned(self->fd, SIZE, PROT_READ,
			     MAP_PRIVATE | MAP_POPULATE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(0, q, SIZE, false);
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	munmap(q, SIZE);
}

/* What is populated of a private mapping is a copy already */
TEST_F(mmap_kinds, populate_copies_for_a_private_mapping)
{
	char *q;

	q = fmap_map_aligned(self->fd, MB, RW, MAP_PRIVATE | MAP_POPULATE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(0, q, MB, true);
	EXPECT_EQ(0, memcmp(q + PG + 1, self->seen + PG + 1, PG - 1));
	EXPECT_EQ(0, memcmp(self->p, self->seen, MB));
	munmap(q, MB);
}

TEST_F(mmap_kinds, mlock_faults_all_in)
{
	EXPECT_EQ(0, mlock(self->p, SIZE));
	EXPECT_FAULTS(0, self->p, SIZE, false);
	EXPECT_TRUE(fmap_all_huge(self->p, TAIL));
	EXPECT_EQ(0, munlock(self->p, SIZE));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
}

TEST_F(mmap_kinds, map_locked_faults_all_in)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED | MAP_LOCKED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(0, q, SIZE, false);
	munmap(q, SIZE);
}

TEST_F(mmap_kinds, mlockall_faults_later_mappings_in)
{
	char *q;

	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	q = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(0, q, SIZE, false);
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	EXPECT_EQ(0, munlockall());
	munmap(q, SIZE);
}

/* One page of a range that is mapped by a page of 2 MiB becomes a copy */
TEST_F(mmap_kinds, private_copy_out_of_a_huge_page)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(2, q, TAIL, false);
	EXPECT_TRUE(fmap_all_huge(q, TAIL));
	q[3 * PG] = ~self->seen[3 * PG];
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));

	/* The file's stores show beside the copy, and not in it */
	self->p[2 * PG] = 'a';
	self->p[3 * PG + 1] = ~self->seen[3 * PG + 1];
	EXPECT_EQ('a', q[2 * PG]);
	EXPECT_EQ(self->seen[3 * PG + 1], q[3 * PG + 1]);
	EXPECT_EQ((char)~self->seen[3 * PG], q[3 * PG]);
	EXPECT_TRUE(fmap_all_huge(self->p, HUGE_PG));
	EXPECT_TRUE(fmap_all_huge(q + HUGE_PG, HUGE_PG));
	munmap(q, SIZE);
}

/* In a child: 0 if it sees the copies of its parent */
static int store_in_copies(char *q)
{
	int ret = q[0] != 'p' || q[TAIL] != 'p';

	q[0] = 'c';
	q[PG] = 'c';
	q[TAIL] = 'c';
	q[HUGE_PG] = 'c';

	return ret;
}

TEST_F(mmap_kinds, private_copies_part_after_fork)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, q);
	madvise(q, SIZE, MADV_DOFORK);
	EXPECT_FAULTS(1, q, HUGE_PG, false);
	q[0] = 'p';
	q[TAIL] = 'p';
	pid = fork();
	if (!pid)
		_exit(store_in_copies(q) || memcmp(self->p, self->seen, SIZE));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ('p', q[0]);
	EXPECT_EQ('p', q[TAIL]);
	EXPECT_EQ(self->seen[PG], q[PG]);
	EXPECT_EQ(self->seen[HUGE_PG], q[HUGE_PG]);
	q[PG] = 'q';
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	munmap(q, SIZE);
}

static void store_every_other(char *p, int first, char c)
{
	size_t i;

	for (i = first; i < SIZE; i += 2 * PG)
		p[i] = c;
}

TEST_F(mmap_kinds, fork_with_both_sides_storing)
{
	size_t i, wrong = 0;
	int status;
	pid_t pid;

	EXPECT_FAULTS(1, self->p, HUGE_PG, true);	/* the rest later */
	pid = fork();
	if (!pid) {
		store_every_other(self->p, PG, 'c');
		_exit(0);
	}
	store_every_other(self->p, 0, 'p');
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (i = 0; i < SIZE; i += PG)
		wrong += self->p[i] != (i / PG % 2 ? 'c' : 'p');
	EXPECT_EQ(0, wrong);
	EXPECT_TRUE(fmap_all_huge(self->p, TAIL));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->p, SIZE));
}

TEST_F(mmap_kinds, protection_up_and_down)
{
	char *q = fmap_map_aligned(self->fd, SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(2, q, TAIL, false);
	EXPECT_FALSE(fmap_may_store(q));
	EXPECT_EQ(0, mprotect(q, SIZE, RW));
	EXPECT_FAULTS(2, q, TAIL, true);
	EXPECT_TRUE(fmap_all_huge(q, TAIL));
	q[TAIL] = 't';
	EXPECT_TRUE(fmap_on_devices(&layout, TAIL, "t", 1));

	EXPECT_EQ(0, mprotect(q, SIZE, PROT_READ));
	EXPECT_FALSE(fmap_may_store(q));
	EXPECT_FALSE(fmap_may_store(q + TAIL));
	EXPECT_TRUE(fmap_may_load(q + TAIL));
	EXPECT_EQ(0, mprotect(q, SIZE, PROT_NONE));
	EXPECT_FALSE(fmap_may_load(q));
	EXPECT_EQ(0, mprotect(q, SIZE, RW));
	EXPECT_EQ(1, q[PG]);
	EXPECT_EQ('t', q[TAIL]);
	EXPECT_TRUE(fmap_may_store(q));
	EXPECT_EQ(0, self->p[0]);
	munmap(q, SIZE);
}

TEST_F(mmap_kinds, file_opened_for_reading_stays_read_only)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char *q;

	ASSERT_LE(0, fd);
	q = fmap_map_aligned(fd, SIZE, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	EXPECT_EQ(-1, mprotect(q, SIZE, RW));
	EXPECT_EQ(EACCES, errno);
	EXPECT_FALSE(fmap_may_store(q));
	munmap(q, SIZE);
	close(fd);
}

TEST_F(mmap_kinds, executable)
{
	static const char ret_instruction = 0xc3;
	char *q;

	ASSERT_EQ(1, pwrite(self->fd, &ret_instruction, 1, HUGE_PG + 5));
	q = fmap_map_aligned(self->fd, SIZE, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, q);
#ifdef __x86_64__
	((void (*)(void))(q + HUGE_PG + 5))();
#endif
	EXPECT_FAULTS(0, q + HUGE_PG, HUGE_PG, false);
	munmap(q, SIZE);
}

/* The entry of 2 MiB stays, so that others are not the worse for it */
TEST_F(mmap_kinds, hole_cut_into_a_huge_page_and_filled_again)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	ASSERT_EQ(0, munmap(self->p + 10 * PG, 20 * PG));
	EXPECT_FALSE(fmap_may_load(self->p + 10 * PG));
	EXPECT_FALSE(fmap_may_load(self->p + 29 * PG));
	EXPECT_EQ(1, self->p[9 * PG]);
	EXPECT_EQ(1, self->p[30 * PG]);
	EXPECT_FAULTS(1, q, HUGE_PG, true);

	ASSERT_EQ(self->p + 10 * PG,
		  mmap(self->p + 10 * PG, 20 * PG, RW,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, self->fd, 10 * PG));
	EXPECT_EQ(0, memcmp(self->p, q, SIZE));
	self->p[20 * PG] = 'x';
	EXPECT_EQ('x', q[20 * PG]);
	munmap(q, SIZE);
}

TEST_F(mmap_kinds, other_memory_mapped_over_it)
{
	int fixed = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;
	char *q;

	EXPECT_FAULTS(2, self->p, TAIL, true);
	self->p[HUGE_PG + PG] = 'f';
	ASSERT_EQ(self->p + HUGE_PG, mmap(self->p + HUGE_PG, 8 * PG, RW, fixed,
					  -1, 0));
	EXPECT_EQ(0, self->p[HUGE_PG + PG]);
	self->p[HUGE_PG + PG] = 'a';
	EXPECT_EQ(1, self->p[HUGE_PG + 8 * PG]);
	EXPECT_TRUE(fmap_on_devices(&layout, HUGE_PG + PG, "f", 1));

	/* And the file over that, at another place of it */
	q = mmap(self->p + HUGE_PG, 8 * PG, RW, MAP_FIXED | MAP_SHARED,
		 self->fd, TAIL);
	ASSERT_EQ(self->p + HUGE_PG, q);
	EXPECT_EQ(0, memcmp(q, self->seen + TAIL, 8 * PG));
	memcpy(q, "over", 4);
	EXPECT_TRUE(fmap_on_devices(&layout, TAIL, "over", 4));
	EXPECT_EQ(0, memcmp(self->p + TAIL, "over", 4));
}

FMAP_TEST_MAIN
