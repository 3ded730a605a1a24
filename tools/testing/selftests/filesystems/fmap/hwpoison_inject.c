// SPDX-License-Identifier: GPL-2.0
/*
 * Bad memory that is found by the machine, not by who uses it: hwpoison-inject in
 * debugfs, which names a page frame. There may be a file there, open, mapped or
 * neither; or no mount, so that nobody holds the device; or device DAX has it.
 *
 * As in hwpoison.c, the bytes lie at the end of the device, which is taken from its
 * driver and given back by each test.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)
#define BAD		(7 * PG)	/* offset in the file */
#define INJECT		"/sys/kernel/debug/hwpoison/corrupt-pfn"

FIXTURE(inject)
{
	struct fmap_server *s;
	struct fmap_ext ext;
	struct fmap_layout layout;
	uint64_t pfn;
};

FIXTURE_SETUP(inject)
{
	uint64_t end = fmap_dax_size(0) & ~(HUGE_PG - 1);
	struct fmap_ext e = FMAP_SIMPLE(DEV0, end - SIZE, SIZE);

	ASSERT_EQ(0, fmap_test_begin());
	self->ext = e;
	self->layout = (struct fmap_layout) {
		.type = FUSE_FAMFS_EXT_SIMPLE,
		.size = SIZE,
		.nextents = 1,
		.ext = &self->ext,
	};
	self->pfn = (fmap_dax_attr(0, "mapping0/start") + end - SIZE + BAD) /
		    PG;
	ASSERT_EQ(0, fmap_fill_devices(&self->layout, 1));
}

FIXTURE_TEARDOWN(inject)
{
	fmap_server_free(self->s);
	fmap_dax_unbind(0);
	EXPECT_EQ(0, fmap_dax_to_fs_mode(0));
}

static int write_pfn(void *pfn)
{
	char text[32];
	int fd = open(INJECT, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -ENOENT;
	snprintf(text, sizeof(text), "%#lx", *(unsigned long *)pfn);

	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/*
 * 0, or -errno: what the kernel could do about it. By a child, which does not have
 * the page mapped: it would count as the one who has just used it.
 */
static int inject(uint64_t pfn)
{
	return fmap_exit_soon(fmap_start(write_pfn, &pfn));
}

static int serve(FIXTURE_DATA(inject) * self)
{
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &self->layout);

	return self->s ? fmap_open(self->s, "file", O_RDWR) : -1;
}

/* All but the page of 2 MiB that was bad holds what it held */
static bool rest_is_good(char *p)
{
	char *seen = malloc(SIZE);
	bool good;

	fmap_fill(seen, SIZE, 1, 0);
	good = !memcmp(p + HUGE_PG, seen + HUGE_PG, SIZE - HUGE_PG);
	free(seen);

	return good;
}

/* Nobody holds the device: nobody can be told, and nothing else comes of it */
TEST_F(inject, without_a_holder)
{
	int fd;
	char *p;

	EXPECT_NE(-ENOENT, inject(self->pfn));
	fd = serve(self);
	ASSERT_LE(0, fd);
	p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(rest_is_good(p));
	munmap(p, SIZE);
	close(fd);
}

/* The file was mapped, but nobody has the page now */
TEST_F(inject, of_a_page_that_nobody_has_mapped)
{
	int fd = serve(self);
	char *p, *seen;

	ASSERT_LE(0, fd);
	EXPECT_NE(-ENOENT, inject(self->pfn));
	p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	seen = malloc(HUGE_PG);
	EXPECT_EQ(HUGE_PG, pread(fd, seen, HUGE_PG, HUGE_PG));
	EXPECT_EQ(0, memcmp(seen, p + HUGE_PG, HUGE_PG));
	EXPECT_TRUE(rest_is_good(p));
	free(seen);
	munmap(p, SIZE);
	close(fd);
}

/*
 * Who has it mapped and did not ask to be told is not, and goes on: it is the
 * machine that will tell him if he touches it.
 */
TEST_F(inject, of_a_mapped_page)
{
	int fd = serve(self);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, false);
	EXPECT_EQ(0, inject(self->pfn));
	EXPECT_TRUE(rest_is_good(p));
	EXPECT_EQ(1, fmap_read_seed(fd, HUGE_PG, HUGE_PG));
	munmap(p, SIZE);
	close(fd);
}

static sigjmp_buf back;
static siginfo_t got;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	got = *info;
	siglongjmp(back, sig);
}

/* In a child: 0 if it is told, ten seconds at most */
static int wait_to_be_told(char *p, int ready)
{
	struct sigaction act = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};
	int i;

	sigaction(SIGBUS, &act, NULL);
	if (sigsetjmp(back, 1))
		return got.si_code == BUS_MCEERR_AO ? 0 : 1;
	prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	fmap_touch(p, HUGE_PG, PG, false);
	if (write(ready, "r", 1) != 1)
		return 2;
	for (i = 0; i < 1000; i++)
		usleep(10000);

	return 3;
}

/* A child that has @p mapped and wants to know; it is ready on return */
static pid_t start_waiting(char *p)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready))
		return -1;
	madvise(p, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid)
		_exit(wait_to_be_told(p, ready[1]));
	if (read(ready[0], &c, 1) != 1)
		return -1;
	close(ready[0]);
	close(ready[1]);

	return pid;
}

TEST_F(inject, is_told_early_to_who_wants_that)
{
	int fd = serve(self);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	pid = start_waiting(p);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, inject(self->pfn));
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_TRUE(rest_is_good(p));
	munmap(p, SIZE);
	close(fd);
}

/* The holder has gone with the mount, its pages are clean */
TEST_F(inject, after_an_unmount)
{
	int fd = serve(self);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, true);
	munmap(p, SIZE);
	close(fd);
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
	self->s = NULL;
	EXPECT_NE(-ENOENT, inject(self->pfn));
}

/* The device goes while its bad page is mapped by a file */
TEST_F(inject, then_the_device_is_removed)
{
	int fd = serve(self);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, true);
	EXPECT_EQ(0, inject(self->pfn));
	fmap_touch(p + HUGE_PG, HUGE_PG, PG, true);
	ASSERT_EQ(0, fmap_dax_unbind(0));
	EXPECT_TRUE(fmap_sigbus(p + HUGE_PG, false));
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_FALSE(fmap_sigbus(p + BAD, true));
	munmap(p, SIZE);
	close(fd);
}

/* Device DAX has no holder; its mappers are told by the kernel's own means */
TEST_F(inject, in_device_mode)
{
	uint64_t off = self->ext.run[0].off;
	pid_t pid;
	char *p;
	int fd;

	ASSERT_EQ(0, fmap_dax_to_device_mode(0));
	fd = open(fmap_dax_node(0), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	p = mmap(NULL, SIZE, RW, MAP_SHARED, fd, off);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	pid = start_waiting(p);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, inject(self->pfn));
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_TRUE(rest_is_good(p));
	munmap(p, SIZE);
}

FMAP_TEST_MAIN
