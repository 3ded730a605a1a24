// SPDX-License-Identifier: GPL-2.0
/* Locks and leases of a mapped file: the server's or the kernel's, as for any */
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>

#include "fmap_test.h"

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 4 * PG) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     4 * PG, ext);

FIXTURE(locks)
{
	struct fmap_server *s;
	int fd, other;
};

/* Does the server keep the locks? */
FIXTURE_VARIANT(locks)
{
	uint64_t flags;
};

FIXTURE_VARIANT_ADD(locks, of_the_kernel) { .flags = 0 };
FIXTURE_VARIANT_ADD(locks, of_the_server) {
	.flags = FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS,
};

FIXTURE_SETUP(locks)
{
	struct fmap_config cfg = { .init_flags = variant->flags };

	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	self->other = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(locks)
{
	unsigned int asked = self->s->count[FUSE_SETLK] +
			     self->s->count[FUSE_SETLKW] +
			     self->s->count[FUSE_GETLK];

	if (!variant->flags)
		EXPECT_EQ(0, asked);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	close(self->fd);
	close(self->other);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

/* 0 or -errno */
static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = type, .l_start = start, .l_len = len };

	return fcntl(fd, cmd, &fl) ? -errno : 0;
}

/* The same, asked for by a child, which has the inherited descriptor */
static int lock_by_child(int fd, int cmd, int type, off_t start, off_t len)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-lock(fd, cmd, type, start, len));
	waitpid(pid, &status, 0);

	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static bool told_the_server(FIXTURE_DATA(locks) * self)
{
	return self->s->count[FUSE_SETLK] + self->s->count[FUSE_SETLKW];
}

TEST_F(locks, flock)
{
	EXPECT_EQ(0, flock(self->fd, LOCK_SH | LOCK_NB));
	EXPECT_EQ(0, flock(self->other, LOCK_SH | LOCK_NB));
	EXPECT_EQ(-1, flock(self->fd, LOCK_EX | LOCK_NB));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, flock(self->other, LOCK_UN));
	EXPECT_EQ(0, flock(self->fd, LOCK_EX | LOCK_NB));
	EXPECT_EQ(-1, flock(self->other, LOCK_SH | LOCK_NB));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(!!variant->flags, told_the_server(self));
}

/* The last close takes it away */
TEST_F(locks, flock_until_close)
{
	int i, ret = -1, fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, flock(fd, LOCK_EX | LOCK_NB));
	EXPECT_EQ(-1, flock(self->fd, LOCK_EX | LOCK_NB));
	close(fd);
	/* a server may learn of it a moment later */
	for (i = 0; i < 1000 && ret; i++) {
		ret = flock(self->fd, LOCK_EX | LOCK_NB);
		usleep(ret ? 1000 : 0);
	}
	EXPECT_EQ(0, ret);
}

TEST_F(locks, fcntl_of_ranges)
{
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, PG));
	EXPECT_EQ(-EAGAIN, lock_by_child(self->fd, F_SETLK, F_RDLCK, 0, PG));
	EXPECT_EQ(0, lock_by_child(self->fd, F_SETLK, F_WRLCK, PG, PG));
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 9 * PG, PG));
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_UNLCK, 0, 0));
	EXPECT_EQ(0, lock_by_child(self->fd, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(!!variant->flags, told_the_server(self));
}

TEST_F(locks, fcntl_tells_who_has_it)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = PG };
	pid_t pid, parent = getpid();
	int status;

	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, PG));
	pid = fork();
	if (!pid) {
		status = fcntl(self->fd, F_GETLK, &fl);
		_exit(status || fl.l_type != F_WRLCK || fl.l_pid != parent);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, fcntl(self->fd, F_GETLK, &fl));
	EXPECT_EQ(F_UNLCK, fl.l_type);
}

/* Any close by the process takes its locks away, as POSIX has it */
TEST_F(locks, fcntl_until_close)
{
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(-EAGAIN, lock_by_child(self->fd, F_SETLK, F_WRLCK, 0, 0));
	close(fd);
	EXPECT_EQ(0, lock_by_child(self->fd, F_SETLK, F_WRLCK, 0, 0));
}

TEST_F(locks, fcntl_waits)
{
	int status, held[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(held));
	pid = fork();
	if (!pid) {
		lock(self->other, F_SETLK, F_WRLCK, 0, 0);
		if (write(held[1], "x", 1) == 1)
			usleep(200000);
		_exit(0);
	}
	EXPECT_EQ(1, read(held[0], &c, 1));
	EXPECT_EQ(-EAGAIN, lock(self->fd, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(0, lock(self->fd, F_SETLKW, F_WRLCK, 0, 0));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_F(locks, of_open_files)
{
	EXPECT_EQ(0, lock(self->fd, F_OFD_SETLK, F_WRLCK, 0, PG));
	EXPECT_EQ(-EAGAIN, lock(self->other, F_OFD_SETLK, F_WRLCK, 0, PG));
	EXPECT_EQ(0, lock(self->other, F_OFD_SETLK, F_WRLCK, PG, PG));
	EXPECT_EQ(0, lock(self->fd, F_OFD_SETLK, F_UNLCK, 0, 0));
	EXPECT_EQ(0, lock(self->other, F_OFD_SETLK, F_WRLCK, 0, PG));
}

/* The file is used all the same: locks are advice */
TEST_F(locks, reading_and_writing)
{
	char *p = fmap_map(self->other, PG, PROT_READ | PROT_WRITE,
			   MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, lock(self->fd, F_SETLK, F_WRLCK, 0, 0));
	EXPECT_EQ(0, flock(self->fd, LOCK_EX | LOCK_NB));
	EXPECT_EQ(3, pwrite(self->other, "abc", 3, 0));
	p[3] = 'd';
	EXPECT_TRUE(fmap_on_devices(&layout, 0, "abcd", 4));
	munmap(p, PG);
}

static int wait_for_break(const sigset_t *set)
{
	const struct timespec t = { .tv_sec = 10 };

	return sigtimedwait(set, NULL, &t);
}

TEST_F(locks, lease_to_write)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	EXPECT_EQ(-1, fcntl(self->fd, F_SETLEASE, F_WRLCK));
	EXPECT_EQ(EAGAIN, errno);	/* it is open twice */
	close(self->other);
	ASSERT_EQ(0, fcntl(self->fd, F_SETLEASE, F_WRLCK));
	EXPECT_EQ(F_WRLCK, fcntl(self->fd, F_GETLEASE));

	EXPECT_EQ(-EAGAIN, fmap_try_open(self->s, "file",
					 O_RDONLY | O_NONBLOCK));
	EXPECT_EQ(SIGIO, wait_for_break(&set));
	EXPECT_EQ(0, fcntl(self->fd, F_SETLEASE, F_UNLCK));
	self->other = fmap_open(self->s, "file", O_RDONLY | O_NONBLOCK);
	EXPECT_LE(0, self->other);
}

TEST_F(locks, lease_to_read)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	close(self->fd);
	close(self->other);
	self->fd = fmap_open(self->s, "file", O_RDONLY);
	self->other = fmap_open(self->s, "file", O_RDONLY);
	ASSERT_EQ(0, fcntl(self->fd, F_SETLEASE, F_RDLCK));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, fmap_try_open(self->s, "file",
					 O_RDWR | O_NONBLOCK));
	EXPECT_EQ(SIGIO, wait_for_break(&set));
	EXPECT_EQ(0, fcntl(self->fd, F_SETLEASE, F_UNLCK));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR | O_NONBLOCK));
}

FMAP_TEST_MAIN
