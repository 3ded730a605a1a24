// SPDX-License-Identifier: GPL-2.0
/* A server tells a map without being asked */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define SIZE		(TAIL + 3 * PG + 100)

/* Where the file lies, with seed 1, and where it may go, with seed 2 */
static const struct fmap_ext old_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, TAIL), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_ext new_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, TAIL), FMAP_SIMPLE(DEV0, 0, 4 * PG),
};

static const struct fmap_layout old = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, old_ext);
static const struct fmap_layout new = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, new_ext);

/* It names both devices, so that they are known once it was opened */
static const struct fmap_ext first_ext[] = {
	FMAP_SIMPLE(DEV0, 48 * MB, PG), FMAP_SIMPLE(DEV1, 48 * MB, PG),
};

static const struct fmap_layout first = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    2 * PG, first_ext);

FIXTURE(store)
{
	struct fmap_server *s;
	struct fmap_file *f;	/* "file", which the kernel has not seen yet */
};

FIXTURE_SETUP(store)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "first", &first);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	self->f = fmap_server_mapped(self->s, "file", &old);
	self->s->count[FUSE_GET_FMAP] = 0;
}

FIXTURE_TEARDOWN(store)
{
	fmap_server_free(self->s);
}

/* The kernel gets to know the file, but nobody opens it */
static int see(struct fmap_server *s, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return access(path, F_OK) ? -errno : 0;
}

TEST_F(store, before_the_first_open)
{
	struct stat st;
	int fd;

	EXPECT_EQ(-ENOENT, fmap_store(self->s, self->f->nodeid, 0, &new));
	self->f->size = 1;
	ASSERT_EQ(0, see(self->s, "file"));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &new));
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 2));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	close(fd);
}

/* It owns its bytes from then on, opened or not, until it is evicted */
TEST_F(store, unopened_file_owns_its_bytes)
{
	fmap_server_mapped(self->s, "twin", &new);
	ASSERT_EQ(0, see(self->s, "file"));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &new));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "twin", O_RDONLY));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "twin", SIZE, 2));
	EXPECT_EQ(-EBUSY, fmap_store(self->s, self->f->nodeid, 0, &new));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &old));
	ASSERT_TRUE(fmap_forget(self->s, self->f));
	fmap_server_mapped(self->s, "old", &old);
	EXPECT_EQ(0, fmap_check_file(self->s, "old", SIZE, 1));
}

/* Nothing is waited for, so the devices must be known */
TEST_F(store, devices_that_were_handed_over)
{
	struct fuse_backing_map map = { .padding = 9 };
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(9, 8 * MB, TAIL) };
	static const struct fmap_layout l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
							TAIL, ext);
	int fd = fmap_server_fd(self->s);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, see(self->s, "file"));
	EXPECT_EQ(-ENODEV, fmap_store(self->s, self->f->nodeid, 0, &l));
	map.fd = open(fmap_dax_node(1), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, map.fd);
	EXPECT_EQ(1, ioctl(fd, FUSE_DEV_IOC_DAXDEV_OPEN, &map));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &l));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", TAIL, 2));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	close(map.fd);
	close(fd);
}

/* The descriptor and the mapping of a file that the server knows as "old" */
static int open_and_map(struct fmap_server *s, char **p)
{
	int fd = fmap_open(s, "file", O_RDWR);

	*p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	if (*p == MAP_FAILED || fmap_seed_of(*p, SIZE, 0) != 1)
		return -1;
	s->count[FUSE_GET_FMAP] = 0;

	return fd;
}

TEST_F(store, over_a_map_in_use)
{
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	fmap_server_mapped(self->s, "old", &old);
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "old", O_RDONLY));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &new));
	self->s->count[FUSE_GET_FMAP] = 0;
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 2));
	EXPECT_EQ(2, fmap_seed_of(p, SIZE, 0));
	memcpy(p + PG, "stored!!", 8);
	EXPECT_TRUE(fmap_on_devices(&new, PG, "stored!!", 8));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, fmap_check_file(self->s, "old", SIZE, 1));
	munmap(p, SIZE);
	close(fd);
}

/* The bytes are its own already */
TEST_F(store, what_is_known)
{
	char *p;
	int i, fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &old));
		EXPECT_EQ(1, fmap_seed_of(p, SIZE, 0));
		EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	}
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/* Each half of it goes where the other one was */
TEST_F(store, bytes_that_change_places)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV0, 6 * MB, 2 * MB),
		FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB),
		FMAP_SIMPLE(DEV1, 0, 4 * PG),
	};
	static const struct fmap_layout crossed =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &crossed));
	EXPECT_EQ(1, fmap_seed_of(p, 2 * MB, 2 * MB));
	EXPECT_EQ(1, fmap_seed_of(p + 2 * MB, 2 * MB, 0));
	EXPECT_EQ(1, fmap_seed_of(p + TAIL, SIZE - TAIL, TAIL));
	EXPECT_TRUE(fmap_on_devices(&crossed, 0, p, SIZE));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

TEST_F(store, interleaved)
{
	static const struct fmap_ext ext[] = {
		FMAP_STRIPED(2, 2 * MB, SIZE, { DEV0, 16 * MB, 4 * MB },
			     { DEV1, 16 * MB, 4 * MB }),
	};
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, ext);
	char *p;
	int fd = open_and_map(self->s, &p);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_fill_devices(&l, 3));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &l));
	EXPECT_EQ(3, fmap_seed_of(p, SIZE, 0));
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 3));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

static void make_page(uint32_t i, struct fmap_ext *e)
{
	e->nstrips = 0;
	e->run[0] = (struct fmap_run) { i % 2, 16 * MB + i * PG, PG };
}

/* A message of many pages of memory */
TEST_F(store, many_extents)
{
	static const struct fmap_layout l =
		FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, 2048 * PG, 2048, PG,
			  make_page);

	ASSERT_EQ(0, fmap_fill_devices(&l, 4));
	ASSERT_EQ(0, see(self->s, "file"));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &l));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", l.size, 4));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
}

static void *check_file(void *server)
{
	return (void *)(long)fmap_check_file(server, "file", SIZE, 2);
}

/* What a server was asked before counts for less than what it says later */
TEST_F(store, while_an_open_waits_for_the_map)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_FMAP];
	pthread_t thread;
	void *ret;

	hook->hold = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, check_file, self->s));
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	EXPECT_EQ(0, fmap_store(self->s, self->f->nodeid, 0, &new));
	hook->hold = 0;
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(0, (long)ret);
}

FMAP_TEST_MAIN
