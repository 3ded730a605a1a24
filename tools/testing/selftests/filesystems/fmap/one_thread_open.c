// SPDX-License-Identifier: GPL-2.0
/*
 * A server with one thread notifies about a file that is not decided yet, and
 * again and again about one that is
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define SIZE		(2 * MB + 4 * PG)

/* What the server answers, with seed 1, and what it stores, with seed 2 */
static const struct fmap_ext asked_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_ext stored_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, 2 * MB), FMAP_SIMPLE(DEV0, 0, 4 * PG),
};

static const struct fmap_layout asked = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    SIZE, asked_ext);
static const struct fmap_layout stored = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, stored_ext);

/* It names both devices, so that they are known once it was opened */
static const struct fmap_ext first_ext[] = {
	FMAP_SIMPLE(DEV0, 16 * MB, PG), FMAP_SIMPLE(DEV1, 16 * MB, PG),
};

static const struct fmap_layout first = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    2 * PG, first_ext);

FIXTURE(one_thread_open)
{
	struct fmap_server *s;
	struct fmap_file *f;
	char path[128];
	struct fmap_notice n;
	struct fmap_armed *armed;
	atomic_int done;
	int ret;
	int (*fn)(FIXTURE_DATA(one_thread_open) * self);
};

FIXTURE_VARIANT(one_thread_open)
{
	enum fmap_moment moment;
	bool stores;
};

FIXTURE_VARIANT_ADD(one_thread_open, inval_unread) { };
FIXTURE_VARIANT_ADD(one_thread_open, store_unread) { .stores = true };
FIXTURE_VARIANT_ADD(one_thread_open, inval_unanswered) {
	.moment = FMAP_UNANSWERED,
};

FIXTURE_VARIANT_ADD(one_thread_open, store_unanswered) {
	.moment = FMAP_UNANSWERED, .stores = true,
};

FIXTURE_VARIANT_ADD(one_thread_open, inval_answered) {
	.moment = FMAP_ANSWERED,
};

FIXTURE_VARIANT_ADD(one_thread_open, store_answered) {
	.moment = FMAP_ANSWERED, .stores = true,
};

FIXTURE_SETUP(one_thread_open)
{
	struct fmap_config cfg = { .threads = 1, .polls = true };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&asked, 1));
	ASSERT_EQ(0, fmap_fill_devices(&stored, 2));
	self->s = fmap_test_serve(&cfg, "first", &first);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	self->f = fmap_server_mapped(self->s, "file", &asked);
	snprintf(self->path, sizeof(self->path), "%s/file", self->s->dir);
	ASSERT_EQ(0, access(self->path, F_OK));
	self->s->count[FUSE_GET_FMAP] = 0;
	if (variant->stores)
		fmap_notice_store(&self->n, self->f->nodeid, 0, &stored);
	else
		fmap_notice_inval(&self->n, self->f->nodeid, 0, 0);
}

FIXTURE_TEARDOWN(one_thread_open)
{
	fmap_server_free(self->s);
}

static void *run(void *arg)
{
	FIXTURE_DATA(one_thread_open) * self = arg;

	self->ret = self->fn(self);
	self->done = 1;

	return NULL;
}

/* Do it while the server sends the notification: each @times a request comes */
static void check(struct __test_metadata *_metadata,
		  FIXTURE_DATA(one_thread_open) * self,
		  enum fmap_moment moment, uint32_t opcode, int times)
{
	pthread_t thread;

	self->armed = fmap_arm(self->s, moment, opcode, &self->n);
	self->armed->left = times;
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, self));
	if (!fmap_wait_nonzero(&self->done))
		fmap_server_kill(self->s);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_NE(0, self->s->pid) TH_LOG("it hangs");
	ASSERT_TRUE(fmap_wait_nonzero(&self->armed->sent));
}

/* What a file reads as that was opened: a seed, or -errno */
static int open_and_read(FIXTURE_DATA(one_thread_open) * self)
{
	int fd = fmap_open(self->s, "file", O_RDWR), seed;

	if (fd < 0)
		return fd;
	seed = fmap_read_seed(fd, 0, SIZE);
	close(fd);

	return seed;
}

/*
 * What is stored behind the answer may come while the file is read: then some of it
 * is read here and some there, which is no seed.
 */
static int least_seed(const FIXTURE_VARIANT(one_thread_open) * variant)
{
	return variant->stores && variant->moment == FMAP_ANSWERED ? 0 : 1;
}

TEST_F(one_thread_open, open)
{
	self->fn = open_and_read;
	check(_metadata, self, variant->moment, FUSE_OPEN, 1);
	EXPECT_EQ(0, self->armed->ret);
	/* Stored after the answer, it may come before GET_FMAP or behind it */
	if (variant->stores && variant->moment != FMAP_ANSWERED) {
		EXPECT_EQ(2, self->ret);
		EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	} else {
		EXPECT_LE(least_seed(variant), self->ret);
	}
	EXPECT_EQ(variant->stores ? 2 : 1, open_and_read(self));
}

TEST_F(one_thread_open, request_for_the_map)
{
	self->fn = open_and_read;
	check(_metadata, self, variant->moment, FUSE_GET_FMAP, 1);
	EXPECT_EQ(0, self->armed->ret);
	EXPECT_LE(least_seed(variant), self->ret);
	EXPECT_EQ(variant->stores ? 2 : 1, open_and_read(self));
}

static int truncate_it(FIXTURE_DATA(one_thread_open) * self)
{
	return truncate(self->path, PG) ? -errno : 0;
}

/* It holds the lock of the inode, and the server may well do what it is asked */
TEST_F(one_thread_open, truncate)
{
	struct stat st;
	int fd;

	self->fn = truncate_it;
	check(_metadata, self, variant->moment, FUSE_SETATTR, 1);
	EXPECT_EQ(0, self->armed->ret);
	self->f->size = SIZE;
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, variant->stores ? 2 : 1));
	close(fd);
}

static int chmod_it(FIXTURE_DATA(one_thread_open) * self)
{
	return chmod(self->path, 0600) ? -errno : 0;
}

TEST_F(one_thread_open, chmod)
{
	self->fn = chmod_it;
	check(_metadata, self, variant->moment, FUSE_SETATTR, 1);
	EXPECT_EQ(0, self->armed->ret);
	EXPECT_EQ(0, self->ret);
	EXPECT_EQ(variant->stores ? 2 : 1, open_and_read(self));
}

/* The name is dropped while the open waits: it goes on with what it has */
TEST_F(one_thread_open, name_goes_at_an_open)
{
	fmap_notice_inval_entry(&self->n, "file");
	self->fn = open_and_read;
	check(_metadata, self, variant->moment, FUSE_OPEN, 1);
	EXPECT_EQ(0, self->armed->ret);
	EXPECT_EQ(1, self->ret);
	EXPECT_EQ(1, open_and_read(self));
}

TEST_F(one_thread_open, name_goes_at_a_request_for_the_map)
{
	fmap_notice_inval_entry(&self->n, "file");
	self->fn = open_and_read;
	check(_metadata, self, variant->moment, FUSE_GET_FMAP, 1);
	EXPECT_EQ(0, self->armed->ret);
	EXPECT_EQ(1, self->ret);
	EXPECT_EQ(1, open_and_read(self));
}

/*
 * A map that was asked for before an invalidation is not used: it is asked for
 * again, as often as that happens. What is stored meanwhile is not asked for.
 */
TEST_F(one_thread_open, again_and_again)
{
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, fmap_read_seed(fd, 0, SIZE));
	ASSERT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	self->s->count[FUSE_GET_FMAP] = 0;
	self->fn = open_and_read;
	check(_metadata, self, variant->moment, FUSE_GET_FMAP, 5);
	EXPECT_EQ(0, self->armed->ret);
	EXPECT_EQ(variant->stores ? 2 : 1, fmap_read_seed(fd, 0, SIZE));
	if (variant->moment == FMAP_UNANSWERED) {
		EXPECT_EQ(variant->stores ? 2 : 1, self->ret);
		EXPECT_EQ(variant->stores ? 1 : 6,
			  self->s->count[FUSE_GET_FMAP]);
		EXPECT_EQ(variant->stores ? 1 : 5, self->armed->sent);
	}
	close(fd);
}

FMAP_TEST_MAIN
