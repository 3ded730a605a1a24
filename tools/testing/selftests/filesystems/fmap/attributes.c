// SPDX-License-Identifier: GPL-2.0
/* Attributes that arrive from the server while a file is mapped and in use */
#include <linux/fuse.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 2 * PG + 100)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

enum arrival { GETATTR, LOOKUP, INVAL };

FIXTURE(attributes)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
	char *p;
};

/* How they arrive */
FIXTURE_VARIANT(attributes)
{
	enum arrival by;
};

FIXTURE_VARIANT_ADD(attributes, getattr) { .by = GETATTR };
FIXTURE_VARIANT_ADD(attributes, lookup) { .by = LOOKUP };
FIXTURE_VARIANT_ADD(attributes, invalidation) { .by = INVAL };

FIXTURE_SETUP(attributes)
{
	struct fmap_config cfg = { .no_cache = variant->by == LOOKUP };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch(self->p, SIZE, PG, false);
}

/* Whatever came, the file's bytes are what and where they were */
FIXTURE_TEARDOWN(attributes)
{
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->p, SIZE));
	munmap(self->p, SIZE);
	close(self->fd);
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

/* Of the attributes alone: a range of bytes would take the map as well */
static int inval_inode(struct fmap_server *s, uint64_t nodeid)
{
	struct {
		struct fuse_out_header out;
		struct fuse_notify_inval_inode_out arg;
	} msg = {
		.out = { .len = sizeof(msg), .error = FUSE_NOTIFY_INVAL_INODE },
		.arg = { .ino = nodeid, .off = -1 },
	};
	int fd = fmap_server_fd(s);
	int ret = write(fd, &msg, sizeof(msg)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

/* Let the attributes arrive, and see them: 0 or -errno */
static int arrive(FIXTURE_DATA(attributes) * self, enum arrival by,
		  struct statx *stx)
{
	unsigned int *count = (unsigned int *)&self->s->count[FUSE_GETATTR];
	int flags = by == GETATTR ? AT_STATX_FORCE_SYNC : AT_STATX_DONT_SYNC;
	unsigned int before;
	char path[128];

	if (by == LOOKUP)
		count = (unsigned int *)&self->s->count[FUSE_LOOKUP];
	before = *count;
	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	if (by == INVAL) {
		inval_inode(self->s, self->f->nodeid);
		flags = 0;
	}
	if (statx(AT_FDCWD, path, flags, STATX_ALL, stx))
		return -errno;

	return *count > before ? 0 : -ENOMSG;
}

TEST_F(attributes, size_is_the_maps)
{
	static const uint64_t sizes[] = {
		0, 1, PG, SIZE - 1, SIZE + 1, 1 << 30, 1ULL << 62,
	};
	struct statx stx;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		self->f->size = sizes[i];
		ASSERT_EQ(0, arrive(self, variant->by, &stx));
		EXPECT_EQ(SIZE, stx.stx_size);
		EXPECT_EQ(0, fmap_touch(self->p, SIZE, PG, false).minor);
	}
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	EXPECT_EQ(SIZE, lseek(self->fd, 0, SEEK_END));
}

/* As is what it occupies */
TEST_F(attributes, blocks_are_the_maps)
{
	struct statx stx;

	self->f->blocks = 7;
	ASSERT_EQ(0, arrive(self, variant->by, &stx));
	EXPECT_EQ((2 * MB + 4 * PG) / 512, stx.stx_blocks);
	EXPECT_TRUE(stx.stx_attributes_mask & STATX_ATTR_DAX);
	EXPECT_TRUE(stx.stx_attributes & STATX_ATTR_DAX);
}

TEST_F(attributes, mode_and_owner_are_the_servers)
{
	struct statx stx;

	self->f->mode = S_IFREG | 04510;
	self->f->uid = 12;
	self->f->gid = 34;
	ASSERT_EQ(0, arrive(self, variant->by, &stx));
	EXPECT_EQ(S_IFREG | 04510, stx.stx_mode);
	EXPECT_EQ(12, stx.stx_uid);
	EXPECT_EQ(34, stx.stx_gid);
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
}

TEST_F(attributes, later_times_are_the_servers)
{
	const uint64_t soon = 4000000000;
	struct statx stx;

	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 9));
	self->f->atime = soon;
	self->f->mtime = soon + 1;
	self->f->ctime = soon + 2;
	ASSERT_EQ(0, arrive(self, variant->by, &stx));
	EXPECT_EQ(soon, stx.stx_atime.tv_sec);
	EXPECT_EQ(soon + 1, stx.stx_mtime.tv_sec);
	EXPECT_EQ(soon + 2, stx.stx_ctime.tv_sec);
}

/* A write has moved them here, of which the server knows nothing */
TEST_F(attributes, earlier_times_are_not)
{
	struct statx stx;

	self->f->mtime = 1000;
	self->f->ctime = 1000;
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 9));
	ASSERT_EQ(0, arrive(self, variant->by, &stx));
	EXPECT_LT(1000000000, stx.stx_mtime.tv_sec);
	EXPECT_LT(1000000000, stx.stx_ctime.tv_sec);
}

/* The reply to a change of something else brings a size, too */
TEST_F(attributes, with_the_reply_to_a_change)
{
	struct stat st;

	self->f->size = 5;
	self->f->blocks = 1;
	EXPECT_EQ(0, fchmod(self->fd, 0600));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ((2 * MB + 4 * PG) / 512, st.st_blocks);
	EXPECT_EQ(0, fmap_touch(self->p, SIZE, PG, false).minor);
}

/* No such file any more: its use ends in errors, and nothing else is hurt */
TEST_F(attributes, another_type)
{
	static const struct fmap_ext other_ext[] = {
		FMAP_SIMPLE(DEV1, 2 * MB, PG),
	};
	static const struct fmap_layout other =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, other_ext);
	struct statx stx;
	char *p, c;

	fmap_server_mapped(self->s, "other", &other);
	ASSERT_EQ(0, fmap_fill_devices(&other, 2));
	p = fmap_map(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);

	self->f->mode = S_IFDIR | 0755;
	arrive(self, variant->by, &stx);
	EXPECT_EQ(-1, pread(self->fd, &c, 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(fmap_sigbus(p + PG, true));
	EXPECT_GT(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(0, fmap_check_file(self->s, "other", PG, 2));
	munmap(p, SIZE);
}

struct storm {
	struct fmap_server *s;
	struct fmap_file *f;
	atomic_bool stop;
	unsigned int rounds;
};

static void *change_attributes(void *arg)
{
	struct storm *st = arg;
	char path[128];
	struct statx stx;

	snprintf(path, sizeof(path), "%s/file", st->s->dir);
	for (; !st->stop; st->rounds++) {
		st->f->size = st->rounds % 7 * MB;
		st->f->mode = S_IFREG | (st->rounds % 2 ? 0644 : 0600);
		st->f->mtime = st->rounds;
		if (st->rounds % 3 == 0)
			inval_inode(st->s, st->f->nodeid);
		statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_ALL, &stx);
		if (stx.stx_size != SIZE)
			break;
	}

	return NULL;
}

TEST_F(attributes, while_reading_and_writing)
{
	struct storm st = { .s = self->s, .f = self->f };
	pthread_t thread;
	char page[PG];
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, change_attributes, &st));
	for (i = 0; i < 300; i++) {
		uint64_t off = i * 7919 % SIZE / PG * PG;
		ssize_t n = SIZE - off < PG ? SIZE - off : PG;

		fmap_fill(page, PG, 1, off);
		ASSERT_EQ(n, pwrite(self->fd, page, PG, off));
		ASSERT_EQ(0, memcmp(self->p + off, page, n));
		if (i % 50 == 0)
			madvise(self->p, SIZE, MADV_DONTNEED);
	}
	EXPECT_FALSE(st.stop);
	st.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(3, st.rounds);
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
}

FMAP_TEST_MAIN
