// SPDX-License-Identifier: GPL-2.0
/*
 * Bad memory under a file, by MADV_HWPOISON
 *
 * Who has it mapped is told by SIGBUS; nothing else of the file, nor any other
 * file, is the worse for it. Device memory cannot be declared good again while
 * its driver has it: the bytes that are poisoned here lie at the ends of the
 * devices, and each test takes the device from its driver and gives it back,
 * which begins with fresh pages.
 */
#include <signal.h>
#include <setjmp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

FIXTURE(hwpoison)
{
	struct fmap_server *s;
	struct fmap_ext ext;
	struct fmap_ext other_ext;
	struct fmap_layout layout;
	struct fmap_layout other;
	int fd;
	char *p;	/* all of the file, shared */
	char *seen;	/* the bytes that the file begins with */
};

/* Whether the page is mapped by one of 2 MiB */
FIXTURE_VARIANT(hwpoison)
{
	int advice;
	int faults;
	int lsb;	/* of the address that a signal tells */
};

FIXTURE_VARIANT_ADD(hwpoison, small)
{
	.advice = MADV_NOHUGEPAGE, .faults = 1024, .lsb = 12,
};

FIXTURE_VARIANT_ADD(hwpoison, huge)
{
	.advice = MADV_HUGEPAGE, .faults = 2, .lsb = 21,
};

static void place(struct fmap_ext *ext, struct fmap_layout *l, uint64_t off)
{
	struct fmap_ext e = FMAP_SIMPLE(DEV0, off, SIZE);

	*ext = e;
	*l = (struct fmap_layout) {
		.type = FUSE_FAMFS_EXT_SIMPLE,
		.size = SIZE,
		.nextents = 1,
		.ext = ext,
	};
}

FIXTURE_SETUP(hwpoison)
{
	uint64_t end = fmap_dax_size(0) & ~(HUGE_PG - 1);

	ASSERT_EQ(0, fmap_test_begin());
	place(&self->ext, &self->layout, end - SIZE);
	place(&self->other_ext, &self->other, end - 2 * SIZE);
	ASSERT_EQ(0, fmap_fill_devices(&self->layout, 1));
	ASSERT_EQ(0, fmap_fill_devices(&self->other, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &self->layout);
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "other", &self->other);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	madvise(self->p, SIZE, MADV_DOFORK);
	ASSERT_EQ(0, madvise(self->p, SIZE, variant->advice));
	self->seen = malloc(SIZE);
	ASSERT_NE(NULL, self->seen);
	fmap_fill(self->seen, SIZE, 1, 0);
	fmap_touch((char[8]) { }, 8, 1, true);
	ASSERT_EQ(variant->faults,
		  fmap_touch(self->p, SIZE, PG, false).minor);
}

FIXTURE_TEARDOWN(hwpoison)
{
	munmap(self->p, SIZE);
	close(self->fd);
	free(self->seen);
	fmap_server_free(self->s);
	EXPECT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(0, fmap_dax_bind(0));
}

static sigjmp_buf back;
static siginfo_t got;	/* of the last signal */

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	got.si_code = info->si_code;
	got.si_addr = info->si_addr;
	got.si_addr_lsb = info->si_addr_lsb;
	siglongjmp(back, sig);
}

static void catch_sigbus(void)
{
	struct sigaction act = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};

	got.si_code = 0;
	sigaction(SIGBUS, &act, NULL);
}

/* Poison a page: 0 or -errno, 1 if a signal came of it */
static int poison(char *p)
{
	catch_sigbus();
	if (sigsetjmp(back, 1))
		return 1;

	return madvise(p, PG, MADV_HWPOISON) ? -errno : 0;
}

TEST_F(hwpoison, is_told_to_who_has_it_mapped)
{
	char *at = self->p + 7 * PG;

	EXPECT_EQ(1, poison(at));
	EXPECT_EQ(BUS_MCEERR_AR, got.si_code);
	ASSERT_EQ(variant->lsb, got.si_addr_lsb);
	EXPECT_EQ((uintptr_t)at >> variant->lsb,
		  (uintptr_t)got.si_addr >> variant->lsb);
}

/* All that is not in the page that was bad goes on */
TEST_F(hwpoison, leaves_the_rest)
{
	char *at = self->p + 7 * PG, *q;
	char buf[2 * PG];
	int fd;

	EXPECT_EQ(1, poison(at));
	EXPECT_EQ(0, memcmp(self->p + HUGE_PG, self->seen + HUGE_PG, HUGE_PG));
	self->p[HUGE_PG + 5] = 'x';
	if (variant->lsb == 12) {
		EXPECT_EQ(0, memcmp(self->p, self->seen, 7 * PG));
		EXPECT_EQ(0, memcmp(at + PG, self->seen + 8 * PG, MB));
	}
	EXPECT_EQ(sizeof(buf), pread(self->fd, buf, sizeof(buf), 3 * MB));
	EXPECT_EQ(0, memcmp(buf, self->seen + 3 * MB, sizeof(buf)));
	EXPECT_EQ(sizeof(buf), pwrite(self->fd, buf, sizeof(buf), 3 * MB));

	EXPECT_EQ(0, fmap_check_file(self->s, "other", SIZE, 2));
	fd = fmap_open(self->s, "other", O_RDWR);
	ASSERT_LE(0, fd);
	q = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(2, fmap_touch(q, SIZE, PG, true).minor);
	munmap(q, SIZE);
	close(fd);
}

/* In a child: 0 if a signal tells it within ten seconds that memory is bad */
static int wait_for_sigbus(char *p, int ready)
{
	int i;

	catch_sigbus();
	if (sigsetjmp(back, 1))
		return got.si_code == BUS_MCEERR_AO ? 0 : 1;
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	fmap_touch(p, PG, PG, false);
	if (write(ready, "r", 1) != 1)
		return 2;
	for (i = 0; i < 1000; i++)
		usleep(10000);

	return 3;
}

TEST_F(hwpoison, is_told_early_to_who_wants_that)
{
	char *at = self->p + 7 * PG;
	int ready[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid)
		_exit(wait_for_sigbus(at, ready[1]));
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(1, poison(at));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(ready[0]);
	close(ready[1]);
}

/* Others are not told before they need it, but do not have it mapped */
TEST_F(hwpoison, is_unmapped_from_all)
{
	char *at = self->p + 7 * PG;
	char *q = fmap_map_aligned(self->fd, SIZE, PROT_READ, MAP_PRIVATE);
	int done[2], status;
	pid_t pid;
	char c;

	ASSERT_NE(MAP_FAILED, q);
	fmap_touch(q, SIZE, PG, false);
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	if (!pid) {
		fmap_touch(at, PG, PG, false);
		if (write(done[1], "r", 1) != 1)
			_exit(1);
		while (fmap_pages(at, PG, PAGE_IS_PRESENT))
			usleep(1000);
		_exit(0);
	}
	ASSERT_EQ(1, read(done[0], &c, 1));
	EXPECT_EQ(1, poison(at));
	EXPECT_EQ(0, fmap_pages(at, PG, PAGE_IS_PRESENT));
	EXPECT_EQ(0, fmap_pages(q + 7 * PG, PG, PAGE_IS_PRESENT));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	munmap(q, SIZE);
	close(done[0]);
	close(done[1]);
}

/* A process that ignores it does not live on with bad memory */
TEST_F(hwpoison, ends_a_process_that_does_not_care)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		madvise(self->p + 7 * PG, PG, MADV_HWPOISON);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	EXPECT_EQ(0, memcmp(self->p + HUGE_PG, self->seen + HUGE_PG, HUGE_PG));
}

/* The mount can be left, and its bytes used by a new one, without the bad */
TEST_F(hwpoison, mount_can_be_left)
{
	EXPECT_EQ(1, poison(self->p + 7 * PG));
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_kill(self->s);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	EXPECT_EQ(0, fmap_check_file(self->s, "other", SIZE, 2));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
}

/* Device memory cannot be taken out of use page by page */
TEST_F(hwpoison, soft_offline_is_refused)
{
	EXPECT_EQ(-1, madvise(self->p + 7 * PG, PG, MADV_SOFT_OFFLINE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_EQ(0, fmap_touch(self->p, SIZE, PG, false).minor);
}

FMAP_TEST_MAIN
