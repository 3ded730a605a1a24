// SPDX-License-Identifier: GPL-2.0
/* Servers that die, mounts that end, and mappings that live on */
#include <pthread.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB + 100)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 4 * MB), FMAP_SIMPLE(DEV1, 0, PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

static const struct fmap_ext apart_ext[] = {
	FMAP_SIMPLE(DEV0, 0, 2 * MB), FMAP_SIMPLE(DEV1, PG, PG),
};

static const struct fmap_layout apart = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    2 * MB + 1, apart_ext);

FIXTURE(lifetime)
{
	struct fmap_server *s;
	struct fmap_server *other;
	int fd;
	char *p;
};

FIXTURE_SETUP(lifetime)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	fmap_server_file(self->s, "unopened", PG);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	self->p[0] ^= 0;	/* the first 2 MiB are faulted in, no more */
}

FIXTURE_TEARDOWN(lifetime)
{
	fmap_server_free(self->other);
	fmap_server_free(self->s);
}

/* Old pages, new faults, read and write */
static bool still_works(FIXTURE_DATA(lifetime) * self)
{
	char *page = self->p + 4 * MB, buf[8];

	if (fmap_sigbus(self->p, true) || fmap_sigbus(page, true) ||
	    fmap_sigbus(self->p + 2 * MB, true))
		return false;
	memcpy(self->p + 2 * MB, "stored!!", 8);
	if (pread(self->fd, buf, 8, 2 * MB) != 8 || memcmp(buf, "stored!!", 8))
		return false;
	if (pwrite(self->fd, "written!", 8, 3 * MB) != 8)
		return false;

	return !memcmp(self->p + 3 * MB, "written!", 8) &&
	       fmap_on_devices(&layout, 2 * MB, "stored!!", 8);
}

static void end_use(FIXTURE_DATA(lifetime) * self)
{
	munmap(self->p, SIZE);
	close(self->fd);
}

TEST_F(lifetime, server_killed_while_mapped)
{
	EXPECT_TRUE(still_works(self));
	fmap_server_kill(self->s);
	EXPECT_TRUE(still_works(self));
	EXPECT_EQ(-ENOTCONN, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(-ENOTCONN, fmap_try_open(self->s, "unopened", O_RDWR));
	EXPECT_TRUE(still_works(self));
	end_use(self);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

/* Start an open of "unopened" that waits for its map; its result is an errno */
static void *open_unopened(void *server)
{
	return (void *)(long)fmap_try_open(server, "unopened", O_RDWR);
}

TEST_F(lifetime, server_killed_while_an_open_waits)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_FMAP];
	pthread_t thread[2];
	void *ret;
	int i;

	hook->hold = 1;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, open_unopened,
					    self->s));
	}
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	usleep(100000);
	fmap_server_kill(self->s);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &ret));
		EXPECT_TRUE((long)ret == -ENOTCONN ||
			    (long)ret == -ECONNABORTED) TH_LOG("%ld", (long)ret);
	}
	EXPECT_TRUE(still_works(self));
}

TEST_F(lifetime, server_dies_of_a_request_for_a_map)
{
	int ret;

	self->s->hook[FUSE_GET_FMAP].die = 1;
	ret = fmap_try_open(self->s, "unopened", O_RDWR);
	EXPECT_TRUE(ret == -ENOTCONN || ret == -ECONNABORTED) TH_LOG("%d", ret);
	EXPECT_TRUE(still_works(self));
}

TEST_F(lifetime, unmount_while_in_use_is_busy)
{
	EXPECT_EQ(-EBUSY, fmap_server_umount(self->s, 0));
	EXPECT_TRUE(still_works(self));
	close(self->fd);
	EXPECT_EQ(-EBUSY, fmap_server_umount(self->s, 0));
	EXPECT_FALSE(fmap_sigbus(self->p + 2 * MB, true));
	munmap(self->p, SIZE);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

/* The server is told to give up at once; the mount stays, as does the file */
TEST_F(lifetime, forced_unmount_while_in_use)
{
	EXPECT_EQ(-EBUSY, fmap_server_umount(self->s, MNT_FORCE));
	EXPECT_TRUE(still_works(self));
	EXPECT_EQ(-ENOTCONN, fmap_try_open(self->s, "unopened", O_RDWR));
	end_use(self);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

TEST_F(lifetime, lazy_unmount_keeps_the_mapping)
{
	EXPECT_EQ(0, fmap_server_umount(self->s, MNT_DETACH));
	EXPECT_TRUE(still_works(self));
	fmap_server_kill(self->s);
	EXPECT_TRUE(still_works(self));
	end_use(self);
}

/* The open goes on when its mount has no name any more */
TEST_F(lifetime, lazy_unmount_while_an_open_waits)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_FMAP];
	pthread_t thread;
	void *ret;

	hook->hold = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_unopened, self->s));
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	end_use(self);
	EXPECT_EQ(-EBUSY, fmap_server_umount(self->s, 0));
	EXPECT_EQ(0, fmap_server_umount(self->s, MNT_DETACH));
	hook->hold = 0;
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
}

/* As long as the old mapping lives its bytes are taken, and no others */
TEST_F(lifetime, lazy_unmount_and_mount_anew)
{
	ASSERT_EQ(0, fmap_server_umount(self->s, MNT_DETACH));
	self->other = fmap_test_serve(&(struct fmap_config) { }, "same",
				      &layout);
	ASSERT_NE(NULL, self->other);
	fmap_server_mapped(self->other, "apart", &apart);

	EXPECT_EQ(-EBUSY, fmap_try_open(self->other, "same", O_RDWR));
	EXPECT_EQ(0, fmap_try_open(self->other, "apart", O_RDWR));
	EXPECT_TRUE(still_works(self));
	end_use(self);
	EXPECT_EQ(0, fmap_try_open_freed(self->other, "same", O_RDWR));
}

/* The first server lives on and keeps its descriptor: it does not matter */
TEST_F(lifetime, remount_at_once)
{
	int i;

	end_use(self);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, fmap_server_umount(self->s, 0));
		if (self->other)
			fmap_server_free(self->s);
		else
			self->other = self->s;
		self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
					  &layout);
		ASSERT_NE(NULL, self->s);
		EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	}
}

/* Released without any order: what is asked is asked in vain */
TEST_F(lifetime, unmount_right_after_close)
{
	self->s->hook[FUSE_RELEASE].delay_ms = 200;
	end_use(self);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	self->other = fmap_test_serve(&(struct fmap_config) { }, "same",
				      &layout);
	ASSERT_NE(NULL, self->other);
	EXPECT_EQ(0, fmap_check_file(self->other, "same", SIZE, 1));
}

TEST_F(lifetime, two_mounts_share_the_devices)
{
	self->other = fmap_test_serve(&(struct fmap_config) { }, "apart",
				      &apart);
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, fmap_fill_devices(&apart, 2));
	EXPECT_EQ(0, fmap_check_file(self->other, "apart", apart.size, 2));
	EXPECT_TRUE(still_works(self));

	end_use(self);
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_EQ(0, fmap_check_file(self->other, "apart", apart.size, 2));
	ASSERT_TRUE(fmap_forget(self->other, &self->other->file[0]));
	EXPECT_EQ(0, fmap_check_file(self->other, "apart", apart.size, 2));
}

/* A process that holds nothing but a mapping exits with it */
TEST_F(lifetime, exit_while_mapped)
{
	int status;
	pid_t pid;

	madvise(self->p, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid) {
		fmap_touch(self->p, 4 * MB, 16 * PG, true);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(still_works(self));
	end_use(self);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

FMAP_TEST_MAIN
