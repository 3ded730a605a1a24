// SPDX-License-Identifier: GPL-2.0
/* Those who wait for a page of a map: together, killed, interrupted, let down */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "fmap_check.h"
#include "fmap_paging.h"
#include "fmap_test.h"
#include "fmap_ways.h"

#define RW		(PROT_READ | PROT_WRITE)
#define EXTENTS		4
#define SIZE		(EXTENTS * 2 * MB)
#define MISSING		(4 * MB + 5 * PG)
#define WAITERS		8
#define CONNECTIONS	"/sys/fs/fuse/connections"

static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (1 + i) * 2 * MB, 2 * MB);
}

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, 2 * MB, make_ext);

/* What children share with the test */
struct shared {
	atomic_int signals;
};

FIXTURE(on_demand)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	struct fmap_hook *hook;
	struct shared *shared;
	fmap_way touch;
	char abort[96];
	int fd;
};

FIXTURE_VARIANT(on_demand)
{
	fmap_way touch;
	int error;		/* what there is no answer means */
	bool returns;		/* from where a signal can be handled */
};

FIXTURE_VARIANT_ADD(on_demand, read) {
	.touch = fmap_by_read, .error = EIO,
};

FIXTURE_VARIANT_ADD(on_demand, write) {
	.touch = fmap_by_write, .error = EIO,
};

FIXTURE_VARIANT_ADD(on_demand, kernel) {
	.touch = fmap_by_kernel, .error = EFAULT,
};

FIXTURE_VARIANT_ADD(on_demand, load) {
	.touch = fmap_by_load, .error = EFAULT, .returns = true,
};

FIXTURE_VARIANT_ADD(on_demand, store) {
	.touch = fmap_by_store, .error = EFAULT, .returns = true,
};

FIXTURE_SETUP(on_demand)
{
	struct stat st;

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	if (mount("fusectl", CONNECTIONS, "fusectl", 0, NULL))
		ASSERT_EQ(EBUSY, errno);
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &layout);
	self->p->max_exts = 1;
	ASSERT_EQ(0, fmap_server_mount(self->s));
	ASSERT_EQ(0, stat(self->s->dir, &st));
	snprintf(self->abort, sizeof(self->abort), CONNECTIONS "/%u/abort",
		 (unsigned int)st.st_dev);

	self->shared = mmap(NULL, sizeof(*self->shared), RW,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	self->touch = variant->touch;
	self->hook = &self->s->hook[FUSE_GET_FMAP];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	/* So that a first write has nothing else to ask */
	ASSERT_EQ(0, fmap_by_write(self->fd, 0));
}

FIXTURE_TEARDOWN(on_demand)
{
	self->hook->hold = 0;
	close(self->fd);
	fmap_server_free(self->s);
}

static int touch_missing(void *arg)
{
	FIXTURE_DATA(on_demand) * self = arg;

	return self->touch(self->fd, MISSING);
}

/* A child that waits for its page, since the server thinks about it */
static pid_t start_waiter(FIXTURE_DATA(on_demand) * self)
{
	pid_t pid;

	self->hook->hold = 1;
	pid = fmap_start(touch_missing, self);

	return fmap_wait_nonzero(&self->hook->held) ? pid : -1;
}

static bool abort_connection(FIXTURE_DATA(on_demand) * self)
{
	int fd = open(self->abort, O_WRONLY | O_CLOEXEC);
	bool done = write(fd, "1", 1) == 1;

	close(fd);
	return done;
}

TEST_F(on_demand, one_request_for_all)
{
	pid_t pid[WAITERS];
	int i;

	pid[0] = start_waiter(self);
	ASSERT_LT(0, pid[0]);
	for (i = 1; i < WAITERS; i++)
		pid[i] = fmap_start(touch_missing, self);
	EXPECT_TRUE(fmap_still_waits(pid[WAITERS - 1]));
	self->hook->hold = 0;
	for (i = 0; i < WAITERS; i++)
		EXPECT_EQ(0, fmap_exit_soon(pid[i]));
	EXPECT_EQ(2, self->p->nr_asked);
}

/* What is there already is of use meanwhile; but write(2) is for one at a time */
TEST_F(on_demand, others_need_not_wait)
{
	pid_t pid = start_waiter(self);

	ASSERT_LT(0, pid);
	if (self->touch != fmap_by_write) {
		EXPECT_EQ(0, self->touch(self->fd, PG));
		EXPECT_EQ(0, fmap_by_read(self->fd, 2 * PG));
	}
	EXPECT_EQ(0, fmap_by_load(self->fd, 2 * MB - 1));
	EXPECT_EQ(0, fmap_by_store(self->fd, MB));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_TRUE(fmap_still_waits(pid));
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(pid));
}

/* The server has read the request. It may as well never answer. */
TEST_F(on_demand, killed_while_another_waits)
{
	pid_t first = start_waiter(self), second;

	ASSERT_LT(0, first);
	second = fmap_start(touch_missing, self);
	EXPECT_TRUE(fmap_still_waits(second));
	kill(first, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(first));
	EXPECT_TRUE(fmap_still_waits(second));
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(second));
	EXPECT_EQ(2, self->p->nr_asked);
}

TEST_F(on_demand, who_waits_for_another_is_killed)
{
	pid_t first = start_waiter(self), second;

	ASSERT_LT(0, first);
	second = fmap_start(touch_missing, self);
	EXPECT_TRUE(fmap_still_waits(second));
	kill(second, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(second));
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(first));
	EXPECT_EQ(2, self->p->nr_asked);
}

/* Who comes after them waits for what they have asked for */
TEST_F(on_demand, all_are_killed)
{
	pid_t pid = start_waiter(self);

	ASSERT_LT(0, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));
	pid = fmap_start(touch_missing, self);
	EXPECT_TRUE(fmap_still_waits(pid));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_EQ(2, self->p->nr_asked);
}

TEST_F(on_demand, answer_comes_when_nobody_waits)
{
	pid_t pid = start_waiter(self);
	int i;

	ASSERT_LT(0, pid);
	kill(pid, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));
	self->hook->hold = 0;
	for (i = 0; i < 1000 && self->p->nr_asked < 2; i++)
		usleep(10000);
	EXPECT_EQ(0, self->touch(self->fd, MISSING));
	EXPECT_EQ(2, self->p->nr_asked);
}

static struct shared *counted;

static void count_signal(int sig)
{
	counted->signals++;
}

static int touch_with_handler(void *arg)
{
	FIXTURE_DATA(on_demand) * self = arg;
	struct sigaction act = { .sa_handler = count_signal };

	counted = self->shared;
	sigaction(SIGUSR1, &act, NULL);

	return self->touch(self->fd, MISSING);
}

/* A program that faults can handle it at once, and faults again */
TEST_F(on_demand, signal_that_is_handled)
{
	pid_t pid;

	self->hook->hold = 1;
	pid = fmap_start(touch_with_handler, self);
	ASSERT_TRUE(fmap_wait_nonzero(&self->hook->held));
	kill(pid, SIGUSR1);
	if (variant->returns)
		EXPECT_TRUE(fmap_wait_nonzero(&self->shared->signals));
	EXPECT_TRUE(fmap_still_waits(pid));
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_EQ(1, self->shared->signals);
	EXPECT_EQ(2, self->p->nr_asked);
}

static int touch_in_a_storm(void *arg)
{
	FIXTURE_DATA(on_demand) * self = arg;
	struct sigaction act = {
		.sa_handler = count_signal, .sa_flags = SA_RESTART,
	};
	struct itimerval often = { { .tv_usec = 3000 }, { .tv_usec = 3000 } };

	counted = self->shared;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);

	return self->touch(self->fd, MISSING);
}

TEST_F(on_demand, signals_again_and_again)
{
	pid_t pid;

	self->hook->hold = 1;
	pid = fmap_start(touch_in_a_storm, self);
	ASSERT_TRUE(fmap_wait_nonzero(&self->hook->held));
	EXPECT_TRUE(fmap_still_waits(pid));
	self->hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_LT(0, self->shared->signals);
	EXPECT_EQ(2, self->p->nr_asked);
}

/* What is missing is missing for good, what is there is there */
static void check_without_server(struct __test_metadata *_metadata,
				 FIXTURE_DATA(on_demand) * self,
				 const FIXTURE_VARIANT(on_demand) * variant)
{
	EXPECT_EQ(variant->error, self->touch(self->fd, MISSING));
	EXPECT_EQ(variant->error, self->touch(self->fd, SIZE - 1));
	EXPECT_EQ(0, fmap_by_read(self->fd, PG));
	EXPECT_EQ(0, fmap_by_write(self->fd, 2 * PG));
	EXPECT_EQ(0, fmap_by_load(self->fd, 3 * PG));
	EXPECT_EQ(0, fmap_by_store(self->fd, MB));
}

TEST_F(on_demand, connection_is_aborted)
{
	pid_t pid = start_waiter(self);

	ASSERT_LT(0, pid);
	EXPECT_TRUE(abort_connection(self));
	EXPECT_EQ(variant->error, fmap_exit_soon(pid));
	check_without_server(_metadata, self, variant);
}

TEST_F(on_demand, server_dies)
{
	pid_t pid = start_waiter(self);

	ASSERT_LT(0, pid);
	fmap_server_kill(self->s);
	EXPECT_EQ(variant->error, fmap_exit_soon(pid));
	check_without_server(_metadata, self, variant);
}

TEST_F(on_demand, request_is_never_answered)
{
	pid_t pid;
	int i;

	self->hook->drop = 1;
	pid = fmap_start(touch_missing, self);
	for (i = 0; i < 1000 && self->s->count[FUSE_GET_FMAP] < 2; i++)
		usleep(10000);
	EXPECT_TRUE(fmap_still_waits(pid));
	kill(pid, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));

	/* The next one waits for the same answer */
	pid = fmap_start(touch_missing, self);
	EXPECT_TRUE(fmap_still_waits(pid));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(abort_connection(self));
	EXPECT_EQ(variant->error, fmap_exit_soon(pid));
	check_without_server(_metadata, self, variant);
}

FMAP_TEST_MAIN
