// SPDX-License-Identifier: GPL-2.0
/* Faults of 4 KiB and 2 MiB, counted, and what becomes of mappings */
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)

/* Aligned as files are; then off by a page on the device; a short tail */
static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 2 * MB + PG, 2 * MB),
	FMAP_SIMPLE(DEV0, 16 * MB, 16 * PG),
};

#define MISALIGNED	(4 * MB)
#define TAIL		(6 * MB)
#define SIZE		(TAIL + 16 * PG)

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(faults)
{
	struct fmap_server *s;
	int fd;
	char *p;
};

static bool huge_faults_possible(void)
{
	char buf[64] = "";
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, buf, sizeof(buf) - 1) < 0)
			buf[0] = 0;
		close(fd);
	}

	return buf[0] && !strstr(buf, "[never]") &&
	       fmap_dax_attr(0, "align") % HUGE_PG == 0;
}

FIXTURE_SETUP(faults)
{
	ASSERT_EQ(0, fmap_test_begin());
	if (!huge_faults_possible())
		SKIP(return, "needs huge pages, and devices aligned to 2 MiB");
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
}

FIXTURE_TEARDOWN(faults)
{
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

#define EXPECT_FAULTS(n, p, len, write)					\
	do {								\
		struct fmap_faults got = fmap_touch(p, len, PG, write);	\
									\
		EXPECT_EQ(n, got.minor);				\
		EXPECT_EQ(0, got.major);				\
	} while (0)

TEST_F(faults, huge_once_for_2_mib_read)
{
	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	EXPECT_FAULTS(0, self->p, HUGE_PG, false);
	EXPECT_FAULTS(1, self->p + HUGE_PG, HUGE_PG, false);
}

TEST_F(faults, huge_once_for_2_mib_write)
{
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
	EXPECT_FAULTS(0, self->p, HUGE_PG, false);
}

/* A file that is not to be written back need not see the first store */
TEST_F(faults, store_after_read)
{
	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	EXPECT_GE(1, fmap_touch(self->p, HUGE_PG, PG, true).minor);
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
}

TEST_F(faults, small_where_device_is_misaligned)
{
	EXPECT_FAULTS(512, self->p + MISALIGNED, HUGE_PG, true);
	EXPECT_FAULTS(0, self->p + MISALIGNED, HUGE_PG, true);
}

TEST_F(faults, small_in_a_tail)
{
	EXPECT_FAULTS(16, self->p + TAIL, 16 * PG, true);
	EXPECT_FAULTS(0, self->p + TAIL, 16 * PG, true);
}

TEST_F(faults, small_where_the_mapping_is_misaligned)
{
	char *p = mmap(NULL, HUGE_PG, RW, MAP_SHARED, self->fd, PG);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_FAULTS(511, p, HUGE_PG - PG, true);
	munmap(p, HUGE_PG);
}

TEST_F(faults, chunks_smaller_than_2_mib_are_small)
{
	static const struct fmap_ext striped_ext[] = {
		FMAP_STRIPED(2, MB, 2 * MB, { DEV0, 20 * MB, MB },
			     { DEV1, 20 * MB, MB }),
		FMAP_STRIPED(2, 2 * MB, 4 * MB, { DEV0, 22 * MB, 2 * MB },
			     { DEV1, 22 * MB, 2 * MB }),
	};
	static const struct fmap_layout striped =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 6 * MB, striped_ext);
	char *p;
	int fd;

	fmap_server_mapped(self->s, "striped", &striped);
	fd = fmap_open(self->s, "striped", O_RDWR);
	ASSERT_LE(0, fd);
	p = fmap_map_aligned(fd, 6 * MB, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_FAULTS(512, p, HUGE_PG, true);
	EXPECT_FAULTS(1, p + HUGE_PG, HUGE_PG, true);
	EXPECT_FAULTS(1, p + 2 * HUGE_PG, HUGE_PG, true);
	munmap(p, 6 * MB);
	close(fd);
}

/* Two extents that go on where the other ends are one for the kernel */
TEST_F(faults, adjacent_extents_are_one)
{
	static const struct fmap_ext halves_ext[] = {
		FMAP_SIMPLE(DEV1, 8 * MB, MB), FMAP_SIMPLE(DEV1, 9 * MB, MB),
		FMAP_SIMPLE(DEV1, 12 * MB, MB), FMAP_SIMPLE(DEV1, 14 * MB, MB),
	};
	static const struct fmap_layout halves =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 4 * MB, halves_ext);
	char *p;
	int fd;

	fmap_server_mapped(self->s, "halves", &halves);
	fd = fmap_open(self->s, "halves", O_RDWR);
	ASSERT_LE(0, fd);
	p = fmap_map_aligned(fd, 4 * MB, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_FAULTS(1, p, HUGE_PG, true);
	EXPECT_FAULTS(512, p + HUGE_PG, HUGE_PG, true);
	munmap(p, 4 * MB);
	close(fd);
}

/* Where the kernel puts a large mapping, it can use its large pages */
TEST_F(faults, kernel_aligns_large_mappings)
{
	char *p = mmap(NULL, 4 * MB, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, (uintptr_t)p % HUGE_PG);
	EXPECT_FAULTS(2, p, 4 * MB, true);
	munmap(p, 4 * MB);
}

/* Read and write to what others have mapped must not take it from them */
TEST_F(faults, write_causes_no_refault)
{
	char buf[PG] = "";
	int i;

	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_FAULTS(512, self->p + MISALIGNED, HUGE_PG, true);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(PG, pwrite(self->fd, buf, PG, i * PG));
		ASSERT_EQ(PG, pwrite(self->fd, buf, PG, MISALIGNED + i * PG));
		ASSERT_EQ(PG, pread(self->fd, buf, PG, i * PG));
	}
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
	EXPECT_FAULTS(0, self->p + MISALIGNED, HUGE_PG, true);
}

/* Where nothing is written back, nobody need notice the next store */
TEST_F(faults, sync_causes_no_refault)
{
	uint64_t was = fmap_dax_attr(0, "write_cache");

	ASSERT_EQ(0, fmap_dax_set_attr(0, "write_cache", "0"));
	ASSERT_EQ(0, fmap_dax_set_attr(1, "write_cache", "0"));
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_FAULTS(16, self->p + TAIL, 16 * PG, true);
	EXPECT_EQ(0, msync(self->p, SIZE, MS_SYNC));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, sync_file_range(self->fd, 0, SIZE,
				     SYNC_FILE_RANGE_WRITE));
	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
	EXPECT_FAULTS(0, self->p + TAIL, 16 * PG, true);
	EXPECT_EQ(0, fmap_dax_set_attr(0, "write_cache", was ? "1" : "0"));
	EXPECT_EQ(0, fmap_dax_set_attr(1, "write_cache", was ? "1" : "0"));
}

/* Many writes by another process, as a reader would meet them */
TEST_F(faults, write_of_another_process_causes_no_refault)
{
	char buf[PG] = "";
	int i, status;
	pid_t pid;

	EXPECT_FAULTS(1, self->p, HUGE_PG, false);
	pid = fork();
	if (!pid) {
		for (i = 0; i < 100; i++)
			if (pwrite(self->fd, buf, PG, i * PG) != PG)
				_exit(1);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FAULTS(0, self->p, HUGE_PG, false);
}

/* A child shares the mapping, and has both page sizes */
TEST_F(faults, fork_shares_the_mapping)
{
	int status;
	pid_t pid;

	madvise(self->p, SIZE, MADV_DOFORK);
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_FAULTS(16, self->p + TAIL, 16 * PG, true);
	pid = fork();
	if (!pid) {
		self->p[100] = 71;
		self->p[TAIL + 5] = 72;
		self->p[HUGE_PG + 9] = 73;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(71, self->p[100]);
	EXPECT_EQ(72, self->p[TAIL + 5]);
	EXPECT_EQ(73, self->p[HUGE_PG + 9]);
}

TEST_F(faults, fork_copies_a_private_mapping)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, q);
	madvise(q, SIZE, MADV_DOFORK);
	self->p[0] = 1;
	q[0] = 2;
	pid = fork();
	if (!pid) {
		q[0] = 3;
		q[PG] = 4;
		_exit(self->p[0] != 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, self->p[0]);
	EXPECT_EQ(2, q[0]);
	munmap(q, SIZE);
}

/* Part of a 2 MiB page goes, or changes its rights; the rest stays */
TEST_F(faults, part_of_a_huge_page_unmapped)
{
	fmap_touch(self->p, HUGE_PG, PG, true);
	self->p[0] = 'a';
	self->p[20 * PG] = 'b';
	EXPECT_EQ(0, munmap(self->p + PG, 10 * PG));
	EXPECT_EQ('a', self->p[0]);
	EXPECT_EQ('b', self->p[20 * PG]);
	self->p[20 * PG] = 'c';
	EXPECT_TRUE(fmap_on_devices(&layout, 20 * PG, "c", 1));
}

TEST_F(faults, part_of_a_huge_page_protected)
{
	char buf[2] = "xy";

	fmap_touch(self->p, HUGE_PG, PG, true);
	EXPECT_EQ(0, mprotect(self->p + PG, 10 * PG, PROT_READ));
	self->p[0] = 'a';
	EXPECT_EQ(2, pwrite(self->fd, buf, 2, 2 * PG));
	EXPECT_EQ('x', self->p[2 * PG]);
	/* A page that may not be written gives read(2) EFAULT */
	EXPECT_EQ(-1, pread(self->fd, self->p + PG, 1, 3 * MB));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(0, mprotect(self->p + PG, 10 * PG, RW));
	self->p[2 * PG] = 'z';
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * PG, "z", 1));
}

/* One process has pages of 4 KiB where another has one of 2 MiB */
TEST_F(faults, both_sizes_of_one_range)
{
	char *q = mmap(NULL, HUGE_PG, RW, MAP_SHARED, self->fd, PG);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	EXPECT_FAULTS(511, q, HUGE_PG - PG, true);
	q[0] = 'q';
	EXPECT_EQ('q', self->p[PG]);
	munmap(self->p, HUGE_PG);
	q[PG] = 'r';
	EXPECT_TRUE(fmap_on_devices(&layout, 2 * PG, "r", 1));
	munmap(q, HUGE_PG);
}

/* Small first: the range then has small pages as long as it is in use */
TEST_F(faults, small_entry_first)
{
	char *q = mmap(NULL, PG, RW, MAP_SHARED, self->fd, PG);

	ASSERT_NE(MAP_FAILED, q);
	q[0] = 'q';
	EXPECT_EQ('q', self->p[PG]);
	fmap_touch(self->p, HUGE_PG, PG, true);
	EXPECT_EQ(1, q[0]);
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
	munmap(q, PG);
}

TEST_F(faults, advice_and_locks_harm_nothing)
{
	self->p[0] = 'a';
	EXPECT_EQ(0, madvise(self->p, HUGE_PG, MADV_DONTNEED));
	EXPECT_EQ('a', self->p[0]);
	EXPECT_EQ(0, madvise(self->p, HUGE_PG, MADV_POPULATE_WRITE));
	EXPECT_EQ(-1, madvise(self->p, HUGE_PG, MADV_REMOVE));
	EXPECT_EQ(0, mlock(self->p, HUGE_PG));
	EXPECT_EQ(0, munlock(self->p, HUGE_PG));
	EXPECT_EQ('a', self->p[0]);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, "a", 1));
}

FMAP_TEST_MAIN
