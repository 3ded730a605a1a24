// SPDX-License-Identifier: GPL-2.0
/* A server that goes back on its word about a mapped file */
#include <string.h>
#include <sys/stat.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

static const struct fmap_ext other_ext[] = { FMAP_SIMPLE(DEV1, 0, PG) };
static const struct fmap_layout other = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    PG, other_ext);

FIXTURE(hostile)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
	char *p;
};

FIXTURE_SETUP(hostile)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { .no_cache = true },
				  "file", &layout);
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "other", &other);
	self->f = &self->s->file[0];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch(self->p, MB, PG, false);
}

/* The mount is of use, and of no use any more after it is gone */
FIXTURE_TEARDOWN(hostile)
{
	EXPECT_EQ(0, fmap_try_open(self->s, "other", O_RDWR));
	munmap(self->p, SIZE);
	close(self->fd);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

static int refresh_attributes(int fd)
{
	struct statx stx;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_ALL,
		     &stx) ? -errno : 0;
}

/* It is an error for whoever asks; the memory is still that of the file */
TEST_F(hostile, file_becomes_a_fifo)
{
	char c;

	self->f->mode = S_IFIFO | 0644;
	EXPECT_EQ(-EIO, refresh_attributes(self->fd));
	EXPECT_EQ(-1, pread(self->fd, &c, 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(self->fd, &c, 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(MAP_FAILED, fmap_map(self->fd, PG, PROT_READ, MAP_SHARED));
	EXPECT_FALSE(fmap_sigbus(self->p, false));
}

TEST_F(hostile, file_becomes_a_directory)
{
	self->f->mode = S_IFDIR | 0755;
	EXPECT_EQ(-EIO, refresh_attributes(self->fd));
	EXPECT_GT(0, fmap_try_open(self->s, "file", O_RDWR));
	self->f->mode = S_IFREG | 0644;
}

/* Another file by the same number, and by the same bytes */
TEST_F(hostile, number_is_used_again)
{
	int fd;

	self->f->generation++;
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_FALSE(fmap_sigbus(self->p, false));

	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "file", O_RDWR));
	fd = fmap_open(self->s, "file", O_RDWR);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	close(fd);
}

/* Two names of one file have one map */
TEST_F(hostile, two_names_of_one_number)
{
	struct fmap_file *link = fmap_server_file(self->s, "link", 7);

	link->nodeid = self->f->nodeid;
	EXPECT_EQ(0, fmap_check_file(self->s, "link", SIZE, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

/* What it says of the map later is not asked for */
TEST_F(hostile, map_changes_its_mind)
{
	static const struct fmap_ext later_ext[] = { FMAP_SIMPLE(DEV1, MB, PG) };
	static const struct fmap_layout later =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, later_ext);

	fmap_file_layout(self->s, self->f, &later);
	self->f->size = PG;
	EXPECT_EQ(0, refresh_attributes(self->fd));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));

	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	ASSERT_TRUE(fmap_forget(self->s, self->f));
	ASSERT_EQ(0, fmap_fill_devices(&later, 2));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", PG, 2));
}

/* The requests of an open, answered by errors one by one */
TEST_F(hostile, every_request_fails_once)
{
	static const int ops[] = {
		FUSE_LOOKUP, FUSE_OPEN, FUSE_GET_FMAP, FUSE_GET_DAXDEV,
		FUSE_RELEASE, FUSE_FLUSH,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		self->s->hook[ops[i]].error = EACCES;
		fmap_try_open(self->s, "other", O_RDWR);
		self->s->hook[ops[i]].error = 0;
		EXPECT_EQ(0, fmap_try_open(self->s, "other", O_RDWR))
			TH_LOG("opcode %d", ops[i]);
		EXPECT_TRUE(fmap_forget(self->s, &self->s->file[1]));
	}
}

FMAP_TEST_MAIN
