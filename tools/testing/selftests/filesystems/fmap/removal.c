// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are taken from their driver, while files of them are in use or
 * before. Whatever a test does, its devices are back when it ends.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)

static const struct fmap_ext here_ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_layout here = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, here_ext);

static const struct fmap_ext there_ext[] = { FMAP_SIMPLE(DEV1, 2 * MB, SIZE) };
static const struct fmap_layout there = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    SIZE, there_ext);

static const struct fmap_ext both_ext[] = {
	FMAP_SIMPLE(DEV0, 0, 2 * MB), FMAP_SIMPLE(DEV1, 0, 2 * MB),
};

static const struct fmap_layout both = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, both_ext);

FIXTURE(removal)
{
	struct fmap_server *s;
	struct fmap_server *other;
	int fd;
	char *p;	/* "here", with a page of it faulted in */
};

FIXTURE_SETUP(removal)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&here, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "here", &here);
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "there", &there);
	fmap_server_mapped(self->s, "both", &both);

	self->fd = fmap_open(self->s, "here", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch(self->p, 2 * MB, PG, true);
}

FIXTURE_TEARDOWN(removal)
{
	fmap_server_free(self->other);
	fmap_server_free(self->s);
	EXPECT_EQ(0, fmap_dax_to_fs_mode(0));
}

/* Wait status of a process that should be about to end, or -1 */
static int status_soon(pid_t pid, int tenths)
{
	int status;

	while (tenths--) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(100000);
	}

	return -1;
}

static void *unbind_device(void *result)
{
	*(int *)result = fmap_dax_unbind(0);
	return NULL;
}

/* Join an unbinding thread: its result, or -ETIMEDOUT if it hangs */
static int unbound_soon(pthread_t thread, const int *result, int tenths)
{
	while (pthread_tryjoin_np(thread, NULL)) {
		if (!tenths--)
			return -ETIMEDOUT;
		usleep(100000);
	}

	return *result;
}

/*
 * By a thread, so that one that hangs is noticed. A process would not do: it
 * would have the files open, too.
 */
static int unbind(void)
{
	static int result;
	pthread_t thread;

	if (pthread_create(&thread, NULL, unbind_device, &result))
		return -EAGAIN;

	return unbound_soon(thread, &result, 150);
}

TEST_F(removal, mapping_gives_sigbus_then)
{
	ASSERT_EQ(0, unbind());
	EXPECT_TRUE(fmap_sigbus(self->p, false));
	EXPECT_TRUE(fmap_sigbus(self->p, true));
	EXPECT_TRUE(fmap_sigbus(self->p + 2 * MB, false));
	munmap(self->p, SIZE);
}

TEST_F(removal, read_and_write_give_eio_then)
{
	char c = 0;

	ASSERT_EQ(0, unbind());
	EXPECT_EQ(-1, pread(self->fd, &c, 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(self->fd, &c, 1, SIZE - 1));
	EXPECT_EQ(EIO, errno);
}

/* Files that have no byte on it, and parts of files that have none there */
TEST_F(removal, other_devices_are_not_concerned)
{
	int fd = fmap_open(self->s, "both", O_RDWR);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	char c;

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, true);
	ASSERT_EQ(0, fmap_fill_devices(&there, 2));
	ASSERT_EQ(0, unbind());

	EXPECT_TRUE(fmap_sigbus(p, true));
	EXPECT_FALSE(fmap_sigbus(p + 2 * MB, true));
	EXPECT_EQ(-1, pread(fd, &c, 1, 0));
	EXPECT_EQ(1, pread(fd, &c, 1, 2 * MB));
	EXPECT_EQ(0, fmap_check_file(self->s, "there", SIZE, 2));
	munmap(p, SIZE);
	close(fd);
}

TEST_F(removal, new_opens_give_enodev_then)
{
	ASSERT_EQ(0, unbind());
	EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "both", O_RDWR));
	EXPECT_EQ(0, fmap_try_open(self->s, "there", O_RDWR));
}

/* What was copied on write is no memory of the device any more */
TEST_F(removal, private_copies_survive)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	q[100] = 77;
	EXPECT_FALSE(fmap_sigbus(q + PG, false));
	ASSERT_EQ(0, unbind());
	EXPECT_EQ(77, q[100]);
	EXPECT_TRUE(fmap_sigbus(q + PG, false));
	munmap(q, SIZE);
}

/* A mount made after has the device; one made before has to ask: see rebind.c */
TEST_F(removal, bind_again_and_mount_anew)
{
	ASSERT_EQ(0, unbind());
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_TRUE(fmap_sigbus(self->p, false));

	self->other = fmap_test_serve(&(struct fmap_config) { }, "again",
				      &here);
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, fmap_fill_devices(&here, 3));
	EXPECT_EQ(0, fmap_check_file(self->other, "again", SIZE, 3));
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

TEST_F(removal, after_unmount)
{
	munmap(self->p, SIZE);
	close(self->fd);
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	ASSERT_EQ(0, unbind());
	ASSERT_EQ(0, fmap_dax_bind(0));
	self->other = fmap_test_serve(&(struct fmap_config) { }, "again",
				      &here);
	ASSERT_NE(NULL, self->other);
	EXPECT_EQ(0, fmap_try_open(self->other, "again", O_RDWR));
}

/* No server is needed for it, and none can stop it */
TEST_F(removal, while_the_server_sleeps)
{
	int op;

	for (op = 0; op < FMAP_OPS; op++)
		self->s->hook[op].hold = 1;
	EXPECT_EQ(0, unbind());
	EXPECT_TRUE(fmap_sigbus(self->p, false));
	for (op = 0; op < FMAP_OPS; op++)
		self->s->hook[op].hold = 0;
}

TEST_F(removal, after_the_server_died)
{
	fmap_server_kill(self->s);
	EXPECT_EQ(0, unbind());
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

TEST_F(removal, after_lazy_unmount)
{
	ASSERT_EQ(0, fmap_server_umount(self->s, MNT_DETACH));
	EXPECT_EQ(0, unbind());
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

/* Use the file by all ways until it fails, as it must in the end */
static void use_until_gone(struct fmap_server *s)
{
	int fd = fmap_open(s, "here", O_RDWR);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	char buf[5000] = "";
	unsigned int i;

	for (i = 0;; i++) {
		uint64_t off = i * 3 * PG % (SIZE - sizeof(buf));

		if (pwrite(fd, buf, sizeof(buf), off) != sizeof(buf) ||
		    pread(fd, buf, sizeof(buf), off) != sizeof(buf) ||
		    fmap_sigbus(p + off, i % 2))
			_exit(0);
		if (i % 64 == 0)
			madvise(p, SIZE, MADV_DONTNEED);
	}
}

TEST_F(removal, while_in_heavy_use)
{
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			use_until_gone(self->s);
	}
	usleep(300000);
	EXPECT_EQ(0, unbind());
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, status_soon(pid[i], 100));
		kill(pid[i], SIGKILL);
	}
}

/* Pages that a pipe refers to cannot be taken away before it lets go of them */
TEST_F(removal, waits_for_pinned_pages)
{
	struct iovec iov = { self->p, PG };
	pthread_t thread;
	int pipes[2], result;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(PG, vmsplice(pipes[1], &iov, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind_device, &result));
	EXPECT_EQ(-ETIMEDOUT, unbound_soon(thread, &result, 5));
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(0, unbound_soon(thread, &result, 150));
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

/* Nothing that the server does meanwhile waits for them, too */
TEST_F(removal, waits_for_pinned_pages_alone)
{
	uint64_t nodeid = self->s->file[0].nodeid;
	struct iovec iov = { self->p, PG };
	pthread_t thread;
	int pipes[2], result;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(PG, vmsplice(pipes[1], &iov, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind_device, &result));
	EXPECT_EQ(-ETIMEDOUT, unbound_soon(thread, &result, 5));
	EXPECT_EQ(-ENODEV, fmap_store(self->s, nodeid, 0, &here));
	EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "both", O_RDWR));
	EXPECT_EQ(0, fmap_try_open(self->s, "there", O_RDWR));
	EXPECT_EQ(-EBUSY, fmap_inval(self->s, nodeid, 0, 0));
	close(pipes[0]);
	close(pipes[1]);
	EXPECT_EQ(0, unbound_soon(thread, &result, 150));
	EXPECT_EQ(0, fmap_inval(self->s, nodeid, 0, 0));
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

/* In a child: direct I/O into the mapping, which the server does not end */
static int read_into(FIXTURE_DATA(removal) * self)
{
	int fd = fmap_open(self->s, "plain", O_RDWR | O_DIRECT);

	return pread(fd, self->p, PG, 0) < 0 ? errno : 0;
}

TEST_F(removal, waits_for_direct_io_until_its_server_dies)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_READ];
	struct fmap_file *plain = fmap_server_file(self->s, "plain", PG);
	pthread_t thread;
	int result;
	pid_t pid;

	plain->open_flags = FOPEN_DIRECT_IO;
	hook->hold = 1;
	madvise(self->p, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid)
		_exit(read_into(self));
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind_device, &result));
	EXPECT_EQ(-ETIMEDOUT, unbound_soon(thread, &result, 5));
	fmap_server_kill(self->s);
	EXPECT_EQ(0, unbound_soon(thread, &result, 150));
	EXPECT_EQ(ECONNABORTED, fmap_exit_soon(pid));
	EXPECT_TRUE(fmap_sigbus(self->p, false));
}

/* An open that is under way fails then, whatever it waits for */
static void removal_while(struct __test_metadata *_metadata,
			  FIXTURE_DATA(removal) * self, uint32_t opcode)
{
	struct fmap_hook *hook = &self->s->hook[opcode];
	pid_t pid;

	hook->hold = 1;
	pid = fork();
	if (!pid)
		_exit(-fmap_try_open(self->s, "both", O_RDWR));
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	EXPECT_EQ(0, unbind());
	EXPECT_TRUE(fmap_sigbus(self->p, false));
	hook->hold = 0;
	EXPECT_EQ(ENODEV, fmap_exit_soon(pid));
}

TEST_F(removal, while_a_map_is_asked_for)
{
	removal_while(_metadata, self, FUSE_GET_FMAP);
}

TEST_F(removal, while_a_device_is_asked_for)
{
	removal_while(_metadata, self, FUSE_GET_DAXDEV);
}

/* In a child: 0 if the page cannot be had */
static int touch(FIXTURE_DATA(removal) * self, int i)
{
	char *p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	return fmap_sigbus(p + i * MB, i % 2) ? 0 : 1;
}

/* Faults wait for the server, and the removal does not wait for them */
TEST_F(removal, while_faults_wait_for_the_map)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_FMAP];
	pid_t pid[4];
	int i;

	hook->hold = 1;
	ASSERT_EQ(0, fmap_inval(self->s, self->s->file[0].nodeid, 0, 2 * MB));
	ASSERT_EQ(0, fmap_inval(self->s, self->s->file[0].nodeid, 2 * MB,
				2 * MB));
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(touch(self, i));
	}
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	EXPECT_EQ(0, unbind());
	EXPECT_TRUE(fmap_still_waits(pid[0]));
	hook->hold = 0;
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, fmap_exit_soon(pid[i])) TH_LOG("%d", i);
}

/* Mounts come and go, and use the device or find that it is not there */
static void mount_and_use(void)
{
	struct fmap_server *s;
	int i, fd;
	char *p;

	for (i = 0; i < 12; i++) {
		s = fmap_test_serve(&(struct fmap_config) { }, "both", &both);
		if (!s)
			_exit(1);
		fd = fmap_open(s, "both", O_RDWR);
		p = fmap_map(fd, SIZE, RW, MAP_SHARED);
		if (p != MAP_FAILED) {
			fmap_sigbus(p, true);
			fmap_sigbus(p + 2 * MB, true);
			munmap(p, SIZE);
		}
		if (fd >= 0)
			close(fd);
		if (i % 2 && fmap_server_umount(s, 0))
			_exit(2);
		fmap_server_free(s);
	}
	_exit(0);
}

TEST_F_TIMEOUT(removal, while_mounts_come_and_go, 60)
{
	int status = 0, failed = 0;
	pid_t pid = fork();

	if (!pid)
		mount_and_use();
	while (!waitpid(pid, &status, WNOHANG)) {
		failed += !!unbind();
		failed += !!fmap_dax_bind(0);
		usleep(20000);
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, failed);
}

FIXTURE(device_mode)
{
	struct fmap_server *s;
};

FIXTURE_SETUP(device_mode)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "here", &here);
	ASSERT_NE(NULL, self->s);
}

/* In the right mode it is accepted, by the same mount */
FIXTURE_TEARDOWN(device_mode)
{
	EXPECT_EQ(0, fmap_dax_to_fs_mode(0));
	EXPECT_EQ(0, fmap_try_open(self->s, "here", O_RDWR));
	fmap_server_free(self->s);
}

static bool is_refusal(int error)
{
	return error == -ENODEV || error == -EOPNOTSUPP;
}

TEST_F(device_mode, refused_by_name)
{
	int ret;

	ASSERT_EQ(0, fmap_dax_to_device_mode(0));
	ret = fmap_try_open(self->s, "here", O_RDWR);
	EXPECT_TRUE(is_refusal(ret)) TH_LOG("%d", ret);
}

TEST_F(device_mode, refused_by_descriptor)
{
	struct fuse_backing_map map = { };
	int dev = fmap_server_fd(self->s);

	ASSERT_EQ(0, fmap_dax_to_device_mode(0));
	map.fd = open(fmap_dax_node(0), O_RDWR);
	ASSERT_LE(0, map.fd);
	EXPECT_EQ(-1, ioctl(dev, FUSE_DEV_IOC_DAXDEV_OPEN, &map));
	EXPECT_TRUE(is_refusal(-errno)) TH_LOG("%d", errno);
	close(map.fd);
	close(dev);
}

/* The node was opened in the right mode, which has ended since */
TEST_F(device_mode, refused_by_old_descriptor)
{
	struct fuse_backing_map map = { };
	int dev = fmap_server_fd(self->s);

	map.fd = open(fmap_dax_node(0), O_RDWR);
	ASSERT_LE(0, map.fd);
	ASSERT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(-1, ioctl(dev, FUSE_DEV_IOC_DAXDEV_OPEN, &map));
	EXPECT_TRUE(is_refusal(-errno)) TH_LOG("%d", errno);
	EXPECT_TRUE(is_refusal(fmap_try_open(self->s, "here", O_RDWR)));
	close(map.fd);
	close(dev);
}

FMAP_TEST_MAIN
