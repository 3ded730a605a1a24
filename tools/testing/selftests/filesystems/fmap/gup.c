// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a mapping that the kernel takes hold of
 *
 * For a short time, as direct I/O of another file system does, they are
 * memory like any. For long they are not to be had, since nothing could ever
 * take them back: as for all of fs-dax.
 */
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_pages.h"
#include "fmap_ring.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(64 * PG)
#define SIZE		(TAIL + TAIL_LEN)
#define LEN		(128 * KB)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(gup)
{
	struct fmap_server *s;
	int fd;
	char *p;	/* all of the file, shared */
	char *seen;	/* the bytes that the file begins with */
	char *buf;
};

/* Where in the file: in a page of 2 MiB, and in pages of 4 KiB */
FIXTURE_VARIANT(gup)
{
	size_t at;
	bool touched;
};

FIXTURE_VARIANT_ADD(gup, huge) { .at = HUGE_PG + MB, .touched = true };
FIXTURE_VARIANT_ADD(gup, small_untouched) { .at = TAIL };
FIXTURE_VARIANT_ADD(gup, both) { .at = TAIL - LEN / 2 };

FIXTURE_SETUP(gup)
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
	self->buf = aligned_alloc(PG, SIZE);
	ASSERT_NE(NULL, self->seen);
	ASSERT_NE(NULL, self->buf);
	fmap_fill(self->seen, SIZE, 1, 0);
	if (variant->touched)
		ASSERT_EQ(0, madvise(self->p + variant->at, LEN,
				     MADV_POPULATE_WRITE));
}

FIXTURE_TEARDOWN(gup)
{
	free(self->seen);
	free(self->buf);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

TEST_F(gup, vmsplice_out_of_a_mapping)
{
	struct iovec iov = { self->p + variant->at + 5, 16 * PG - 5 };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	EXPECT_EQ(iov.iov_len, vmsplice(fd[1], &iov, 1, 0));
	/* The pages are held by the pipe, whatever becomes of the mapping */
	ASSERT_EQ(0, madvise(self->p, SIZE, MADV_DONTNEED));
	EXPECT_EQ(iov.iov_len, read(fd[0], self->buf, 16 * PG));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + variant->at + 5,
			    iov.iov_len));
	close(fd[0]);
	close(fd[1]);
}

/* Pages that a pipe holds are still the file's when the file is gone */
TEST_F(gup, vmsplice_and_close)
{
	struct iovec iov = { self->p + variant->at, 4 * PG };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	EXPECT_EQ(4 * PG, vmsplice(fd[1], &iov, 1, 0));
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(4 * PG, read(fd[0], self->buf, 4 * PG));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + variant->at, 4 * PG));
	close(fd[0]);
	close(fd[1]);
}

TEST_F(gup, process_vm_of_another_process)
{
	struct iovec here = { self->buf, LEN };
	struct iovec there = { self->p + variant->at, LEN };
	pid_t pid = getpid(), child;
	int status;

	madvise(self->p, SIZE, MADV_DOFORK);
	child = fork();
	if (!child) {
		if (process_vm_readv(pid, &here, 1, &there, 1, 0) != LEN ||
		    memcmp(self->buf, self->seen + variant->at, LEN))
			_exit(1);
		fmap_fill(self->buf, LEN, 3, 0);
		_exit(process_vm_writev(pid, &here, 1, &there, 1, 0) != LEN);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	fmap_fill(self->seen + variant->at, LEN, 3, 0);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->seen, SIZE));
}

TEST_F(gup, proc_mem)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uintptr_t at = (uintptr_t)self->p + variant->at + 3;

	ASSERT_LE(0, mem);
	EXPECT_EQ(LEN, pread(mem, self->buf, LEN, at));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + variant->at + 3, LEN));
	EXPECT_EQ(9, pwrite(mem, "by memory", 9, at));
	EXPECT_TRUE(fmap_on_devices(&layout, variant->at + 3, "by memory", 9));
	close(mem);
}

/* Stops where its parent can poke; 0 if the poke shows in its mapping */
static int be_poked(char *p)
{
	long got;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 1;
	raise(SIGSTOP);
	memcpy(&got, p, sizeof(got));

	return got == 0x1234 ? 0 : 2;
}

/* As a debugger sets a breakpoint: into a copy, by force */
TEST_F(gup, ptrace_by_force)
{
	char *q = fmap_map_aligned(self->fd, SIZE, PROT_READ, MAP_PRIVATE);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, q);
	madvise(q, SIZE, MADV_DOFORK);
	madvise(self->p, SIZE, MADV_DOFORK);
	ASSERT_EQ(0, mprotect(self->p, SIZE, PROT_READ));
	pid = fork();
	if (!pid)
		_exit(be_poked(q + variant->at));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, q + variant->at, 0x1234));

	/* There is no copy of what is shared */
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, self->p + variant->at, 1));
	EXPECT_EQ(0, ptrace(PTRACE_CONT, pid, NULL, NULL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, memcmp(q, self->seen, SIZE));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	munmap(q, SIZE);
}

TEST_F(gup, long_term_pins_are_refused)
{
	struct fmap_ring *r = fmap_ring_new();

	ASSERT_NE(NULL, r);
	EXPECT_EQ(-EOPNOTSUPP,
		  fmap_ring_register_buffer(r, self->p + variant->at, LEN));
	EXPECT_EQ(-EOPNOTSUPP,
		  fmap_ring_register_buffer(r, self->p + variant->at, 1));
	EXPECT_EQ(0, fmap_ring_register_buffer(r, self->buf, LEN));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	fmap_ring_free(r);
}

FMAP_TEST_MAIN
