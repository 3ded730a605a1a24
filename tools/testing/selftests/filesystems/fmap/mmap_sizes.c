// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of 4 KiB exactly where they have to be
 *
 * fs/dax has one size for each 2 MiB of a file, that of the first fault. So a
 * fault that could have been large must be, and one that maps nothing of the
 * file must leave nothing.
 */
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_pages.h"
#include "fmap_test.h"
#include "fmap_trace.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(6 * MB)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, SIZE),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(mmap_sizes)
{
	struct fmap_server *s;
	int fd;
	char *p;	/* all of the file, shared; nothing of it touched */
};

FIXTURE_SETUP(mmap_sizes)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
}

FIXTURE_TEARDOWN(mmap_sizes)
{
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

#define EXPECT_FAULTS(n, p, len, write)					\
	EXPECT_EQ(n, fmap_touch(p, len, PG, write).minor)

/* All of the file can be mapped large */
#define EXPECT_ALL_LARGE()						\
	do {								\
		EXPECT_EQ(0, madvise(self->p, SIZE, MADV_DONTNEED));	\
		EXPECT_FAULTS(SIZE / HUGE_PG, self->p, SIZE, true);	\
		EXPECT_TRUE(fmap_all_huge(self->p, SIZE));		\
	} while (0)

TEST_F(mmap_sizes, private_store_to_a_page_that_nobody_mapped)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	q[0] = 'q';
	q[HUGE_PG + 77 * PG] = 'q';
	q[SIZE - 1] = 'q';
	EXPECT_ALL_LARGE();
	EXPECT_EQ('q', q[HUGE_PG + 77 * PG]);
	munmap(q, SIZE);
}

TEST_F(mmap_sizes, private_stores_to_all_pages)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(512, q, HUGE_PG, true);
	EXPECT_ALL_LARGE();
	munmap(q, SIZE);
}

/* The mapping itself is never large, and what it copies need not be */
TEST_F(mmap_sizes, private_store_in_a_misaligned_mapping)
{
	char *q = mmap(NULL, MB, RW, MAP_PRIVATE, self->fd, PG);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(256, q, MB, true);
	EXPECT_ALL_LARGE();
	munmap(q, MB);
}

/* Before and after the copies, what is read of the file is mapped large */
TEST_F(mmap_sizes, private_loads_beside_private_stores)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(1, q, HUGE_PG, false);
	EXPECT_FAULTS(1, self->p, HUGE_PG, true);
	q[PG] = 'q';
	EXPECT_FAULTS(0, self->p, HUGE_PG, true);
	EXPECT_ALL_LARGE();
	munmap(q, SIZE);
}

/*
 * A private mapping that has a copy has a table of small pages there. It then
 * reads the rest by small pages, without a claim to the size of the entry if
 * somebody had it large.
 */
TEST_F(mmap_sizes, private_loads_after_a_store_where_it_is_mapped_large)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_FAULTS(SIZE / HUGE_PG, self->p, SIZE, true);
	q[PG] = 'q';
	EXPECT_FAULTS(511, q, HUGE_PG, false);
	EXPECT_FAULTS(0, self->p, SIZE, true);
	EXPECT_ALL_LARGE();
	munmap(q, SIZE);
}

TEST_F(mmap_sizes, private_stores_of_a_child)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, q);
	madvise(q, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid) {
		fmap_touch(q, SIZE, 16 * PG, true);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_ALL_LARGE();
	munmap(q, SIZE);
}

/* The kernel's own copies, by get_user_pages and by its fault handlers */
TEST_F(mmap_sizes, faults_of_the_kernel_are_large)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char c;

	ASSERT_LE(0, zero);
	EXPECT_EQ(1, read(zero, self->p + 9 * PG, 1));
	EXPECT_TRUE(fmap_all_huge(self->p, HUGE_PG));
	EXPECT_EQ(0, madvise(self->p + HUGE_PG + 3 * PG, PG,
			     MADV_POPULATE_WRITE));
	EXPECT_TRUE(fmap_all_huge(self->p + HUGE_PG, HUGE_PG));
	EXPECT_EQ(1, pread(self->fd, self->p + 5 * MB, 1, 0));
	EXPECT_TRUE(fmap_all_huge(self->p + 4 * MB, HUGE_PG));
	EXPECT_EQ(1, pread(self->fd, &c, 1, 5 * MB));
	EXPECT_EQ(c, self->p[0]);
	close(zero);
}

/* read(2) and write(2) leave nothing, whatever they touch */
TEST_F(mmap_sizes, read_and_write_leave_it_large)
{
	char buf[3 * PG] = "";
	int i;

	for (i = 0; i < 10; i++) {
		EXPECT_EQ(sizeof(buf), pwrite(self->fd, buf, sizeof(buf),
					      i * 500 * KB));
		EXPECT_EQ(sizeof(buf), pread(self->fd, buf, sizeof(buf),
					     i * 500 * KB));
	}
	EXPECT_ALL_LARGE();
}

/* Behind the end of the file is nothing that could be mapped small */
TEST_F(mmap_sizes, faults_behind_the_end_leave_it_large)
{
	char *q = fmap_map_aligned(self->fd, SIZE + HUGE_PG, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_TRUE(fmap_sigbus(q + SIZE, true));
	EXPECT_TRUE(fmap_sigbus(q + SIZE + MB, false));
	EXPECT_ALL_LARGE();
	munmap(q, SIZE + HUGE_PG);
}

/* 1 MiB at each end of the mapping is less than a large page */
TEST_F(mmap_sizes, mapping_of_the_middle)
{
	char *base = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	char *q = base + MB;

	ASSERT_NE(MAP_FAILED, base);
	munmap(base, MB);
	munmap(base + 5 * MB, MB);
	EXPECT_FAULTS(256, q, MB, true);
	EXPECT_FAULTS(1, q + MB, HUGE_PG, true);
	EXPECT_FAULTS(256, q + 3 * MB, MB, true);
	EXPECT_TRUE(fmap_none_huge(q, MB));
	EXPECT_TRUE(fmap_all_huge(q + MB, HUGE_PG));

	/* What the ends have made small is no more than they had to */
	EXPECT_FAULTS(1, self->p + HUGE_PG, HUGE_PG, true);
	EXPECT_FAULTS(512, self->p, HUGE_PG, true);
	munmap(q, 4 * MB);
}

/* Offset and address differ by a page: no page of it can be large */
TEST_F(mmap_sizes, misaligned_mapping_is_small_throughout)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(q, mmap(q, 4 * MB, RW, MAP_SHARED | MAP_FIXED, self->fd,
			  PG));
	EXPECT_FAULTS(1024, q, 4 * MB, true);
	EXPECT_TRUE(fmap_none_huge(q, 4 * MB));
	munmap(q, SIZE);
}

/*
 * The same by the tracepoints of fs/dax: a large fault is asked for once for
 * each 2 MiB, and no small one follows.
 */
TEST_F(mmap_sizes, large_faults_by_the_tracepoints)
{
	struct fmap_trace small = { }, large = { };

	ASSERT_EQ(0, fmap_trace_start(&small, "fs_dax/dax_pte_fault_done"));
	ASSERT_EQ(0, fmap_trace_start(&large, "fs_dax/dax_pmd_fault_done"));
	EXPECT_FAULTS(SIZE / HUGE_PG, self->p, SIZE, true);
	EXPECT_EQ(0, fmap_trace_count(&small, "shared"));
	EXPECT_EQ(SIZE / HUGE_PG, fmap_trace_count(&large, "shared"));
	EXPECT_EQ(0, fmap_trace_count(&large, "FALLBACK"));
	fmap_trace_stop(&small);
	fmap_trace_stop(&large);
}

TEST_F(mmap_sizes, private_stores_by_the_tracepoints)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);
	struct fmap_trace small = { };

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, fmap_trace_start(&small, "fs_dax/dax_pte_fault_done"));
	EXPECT_FAULTS(10, q, 10 * PG, true);
	EXPECT_EQ(10, fmap_trace_count(&small, "private"));
	EXPECT_EQ(0, fmap_trace_count(&small, "shared"));
	fmap_trace_stop(&small);
	EXPECT_ALL_LARGE();
	munmap(q, SIZE);
}

FMAP_TEST_MAIN
