// SPDX-License-Identifier: GPL-2.0
/* A server takes back a part of a map: that part, nothing else, and its bytes */
#include <string.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define TAIL		(4 * MB)
#define SIZE		(TAIL + 3 * PG + 100)
#define ROOM		(TAIL + 4 * PG)

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

/*
 * The same interleaved, so that what is cut out of it begins and ends amid stripes
 * and chunks. The bytes that a test of single places names are at the same place.
 */
static const struct fmap_ext old_stripes[] = {
	FMAP_STRIPED(2, 16 * PG, TAIL,
		     { DEV0, 4 * MB, 2 * MB }, { DEV1, 4 * MB, 2 * MB }),
	FMAP_STRIPED(2, 2 * PG, 4 * PG,
		     { DEV1, 0, 2 * PG }, { DEV0, MB, 2 * PG }),
};

static const struct fmap_ext new_stripes[] = {
	FMAP_STRIPED(2, 8 * PG, TAIL,
		     { DEV1, 8 * MB, 2 * MB }, { DEV0, 8 * MB, 2 * MB }),
	FMAP_STRIPED(2, PG, 4 * PG,
		     { DEV0, 0, 2 * PG }, { DEV1, MB, 2 * PG }),
};

static const struct fmap_layout old_striped =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, old_stripes);
static const struct fmap_layout new_striped =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, new_stripes);

FIXTURE(invalidate)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
};

FIXTURE_VARIANT(invalidate)
{
	const struct fmap_layout *old;
	const struct fmap_layout *new;
};

FIXTURE_VARIANT_ADD(invalidate, simple) { .old = &old, .new = &new };
FIXTURE_VARIANT_ADD(invalidate, striped) {
	.old = &old_striped, .new = &new_striped,
};

FIXTURE_SETUP(invalidate)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(variant->old, 1));
	ASSERT_EQ(0, fmap_fill_devices(variant->new, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", variant->old);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(1, fmap_read_seed(self->fd, 0, SIZE));
	ASSERT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

FIXTURE_TEARDOWN(invalidate)
{
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	close(self->fd);
	fmap_server_free(self->s);
}

/* The requests for a map that reading this takes; @seed is what it must give */
#define EXPECT_READ(requests, seed, off, len)				\
	do {								\
		unsigned int before = self->s->count[FUSE_GET_FMAP];	\
									\
		EXPECT_EQ(seed, fmap_read_seed(self->fd, off, len));	\
		EXPECT_EQ(before + (requests),				\
			  self->s->count[FUSE_GET_FMAP]);		\
	} while (0)

TEST_F(invalidate, all_of_it)
{
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_READ(0, 1, 0, SIZE);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_READ(1, 2, 0, SIZE);
	EXPECT_READ(0, 2, 0, SIZE);
	EXPECT_EQ(0, self->s->fmap_in.offset);
	EXPECT_EQ(0, self->s->fmap_in.length);
}

TEST_F(invalidate, a_page_and_no_other)
{
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 5 * PG, PG));
	EXPECT_READ(0, 1, 0, 5 * PG);
	EXPECT_READ(0, 1, 6 * PG, SIZE - 6 * PG);
	EXPECT_READ(1, 2, 5 * PG, PG);
	EXPECT_READ(0, 1, 0, 5 * PG);
	EXPECT_READ(0, 2, 5 * PG, PG);
	EXPECT_READ(0, 1, 6 * PG, SIZE - 6 * PG);
}

TEST_F(invalidate, across_the_extents)
{
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, TAIL - PG, 2 * PG));
	EXPECT_READ(0, 1, 0, TAIL - PG);
	EXPECT_READ(0, 1, TAIL + PG, SIZE - TAIL - PG);
	EXPECT_READ(1, 2, TAIL - PG, 2 * PG);
}

/* The file may be longer or shorter then: whoever comes first has to ask */
TEST_F(invalidate, to_the_end)
{
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, TAIL, 0));
	EXPECT_READ(1, 1, 0, TAIL);
	EXPECT_READ(0, 2, TAIL, SIZE - TAIL);
}

/* A reply holds all of the map: the kernel takes what it lacks */
TEST_F(invalidate, holes_are_filled_by_one_request)
{
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 5 * PG, 3 * PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 4 * PG, 2 * PG));
	EXPECT_READ(1, 2, PG, PG);
	EXPECT_READ(0, 2, 4 * PG, 4 * PG);
	EXPECT_READ(0, 1, 2 * PG, 2 * PG);
	EXPECT_READ(0, 1, 8 * PG, SIZE - 8 * PG);
}

/* What is known by the old map stays, also if the next request is for it all */
TEST_F(invalidate, again_and_again)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		fmap_file_layout(self->s, self->f, i % 2 ? variant->old : variant->new);
		ASSERT_EQ(0, fmap_inval(self->s, self->f->nodeid, i * 3 * PG,
					20 * PG));
		EXPECT_READ(1, i % 2 ? 1 : 2, i * 3 * PG, 20 * PG);
		EXPECT_READ(0, 1, 200 * PG, SIZE - 200 * PG);
	}
}

TEST_F(invalidate, nothing_that_is_known)
{
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, ROOM, 0));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, ROOM, PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 1ULL << 40, MB));
	EXPECT_EQ(1, fmap_read_seed(self->fd, 0, SIZE));
	EXPECT_READ(0, 1, 0, SIZE);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
	EXPECT_READ(1, 1, 0, SIZE);
}

TEST_F(invalidate, write_asks_and_goes_to_the_new_place)
{
	char page[PG];

	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
	fmap_fill(page, PG, 3, PG);
	EXPECT_EQ(PG, pwrite(self->fd, page, PG, PG));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_on_devices(variant->new, PG, page, PG));
	fmap_fill(page, PG, 1, PG);
	EXPECT_TRUE(fmap_on_devices(variant->old, PG, page, PG));
}

/* Bytes, not pages: each page that has one of them goes */
TEST_F(invalidate, by_inval_inode)
{
	uint64_t nodeid = self->f->nodeid;

	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, -1, 0));
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, -1, PG));
	EXPECT_READ(0, 1, 0, SIZE);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, PG + 5, 10));
	EXPECT_READ(0, 1, 2 * PG, SIZE - 2 * PG);
	EXPECT_READ(1, 2, PG, PG);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, 4 * PG - 1, 2));
	EXPECT_READ(1, 2, 3 * PG, 2 * PG);
	EXPECT_READ(0, 1, 5 * PG, SIZE - 5 * PG);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, TAIL, 0));
	EXPECT_READ(1, 1, 5 * PG, TAIL - 5 * PG);
	EXPECT_READ(0, 2, TAIL, SIZE - TAIL);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, 5 * PG, -1));
	EXPECT_READ(1, 2, 5 * PG, SIZE - 5 * PG);
	EXPECT_READ(0, 1, 0, PG);
	EXPECT_EQ(0, fmap_inval_inode(self->s, nodeid, 0, 0));
	EXPECT_READ(1, 2, 0, SIZE);
}

/* Those of the old place that another file may have, and those it may not */
TEST_F(invalidate, its_bytes_are_free_and_no_others)
{
	static const struct fmap_ext ext[][1] = {
		{ FMAP_SIMPLE(DEV0, 4 * MB + 8 * PG, 4 * PG) },
		{ FMAP_SIMPLE(DEV0, 4 * MB + 7 * PG, PG) },
		{ FMAP_SIMPLE(DEV0, 4 * MB + 12 * PG, PG) },
		{ FMAP_SIMPLE(DEV1, PG, PG) },
	};
	unsigned int i;
	char name[2] = "a";

	for (i = 0; i < ARRAY_SIZE(ext); i++, name[0]++) {
		struct fmap_layout l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG,
						   ext[i]);

		fmap_server_mapped(self->s, name, &l);
		EXPECT_EQ(-EBUSY, fmap_try_open(self->s, name, O_RDWR));
	}
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 8 * PG, 4 * PG));
	EXPECT_EQ(0, fmap_try_open(self->s, "a", O_RDWR));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "b", O_RDWR));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "c", O_RDWR));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "d", O_RDWR));
	EXPECT_READ(0, 1, 0, 8 * PG);
}

/* The server says that they are still this file's: it cannot have them back */
TEST_F(invalidate, bytes_that_another_has_taken)
{
	static const struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV0, 4 * MB + 8 * PG, PG),
	};
	static const struct fmap_layout l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
							PG, ext);
	char *p = fmap_map(self->fd, SIZE, PROT_READ, MAP_SHARED);
	struct fmap_file *other;
	char c;

	ASSERT_NE(MAP_FAILED, p);
	other = fmap_server_mapped(self->s, "other", &l);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 8 * PG, PG));
	EXPECT_EQ(0, fmap_try_open(self->s, "other", O_RDWR));
	EXPECT_EQ(-1, pread(self->fd, &c, 1, 8 * PG));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(self->fd, &c, 1, 8 * PG));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(fmap_sigbus(p + 8 * PG, false));
	EXPECT_READ(0, 1, 0, 8 * PG);
	EXPECT_READ(0, 1, 9 * PG, SIZE - 9 * PG);
	ASSERT_TRUE(fmap_forget(self->s, other));
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "file", O_RDWR));
	EXPECT_EQ(1, fmap_read_seed(self->fd, 0, SIZE));
	EXPECT_FALSE(fmap_sigbus(p + 8 * PG, false));
	munmap(p, SIZE);
}

/* An error of the server is one of the access, and lasts as long as it does */
TEST_F(invalidate, request_that_fails)
{
	static const int errors[] = { EIO, ENODATA, ENOENT, ENOMEM };
	char *p = fmap_map(self->fd, SIZE, PROT_READ, MAP_SHARED);
	unsigned int i;
	char c;

	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		self->f->fmap_error = errors[i];
		EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, PG));
		EXPECT_EQ(-1, pread(self->fd, &c, 1, PG));
		EXPECT_EQ(EIO, errno) TH_LOG("%d", errors[i]);
		EXPECT_TRUE(fmap_sigbus(p + PG, false));
		EXPECT_READ(0, 1, 2 * PG, SIZE - 2 * PG);
		self->f->fmap_error = 0;
		EXPECT_READ(1, 1, 0, SIZE);
	}
	munmap(p, SIZE);
}

/* A whole map is asked for by an open only if nothing says how large it is */
TEST_F(invalidate, opened_again)
{
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_READ(0, 1, 0, SIZE);
	self->f->fmap_error = ENOMEM;
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_NE(0, fmap_try_open(self->s, "file", O_RDONLY));
	self->f->fmap_error = 0;
	EXPECT_READ(1, 1, 0, SIZE);
}

TEST_F(invalidate, closed_and_opened_again)
{
	close(self->fd);
	self->fd = -1;
	fmap_file_layout(self->s, self->f, variant->new);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 2));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
}

TEST_F(invalidate, evicted_after_it)
{
	fmap_server_mapped(self->s, "same", variant->old);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, PG, 0));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "same", O_RDWR));
	close(self->fd);
	self->fd = -1;
	ASSERT_TRUE(fmap_forget(self->s, self->f));
	EXPECT_EQ(-ENOENT, fmap_inval(self->s, self->f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "same", O_RDWR));
}

TEST_F(invalidate, unmounted_after_it)
{
	char *p = fmap_map(self->fd, SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, SIZE, PG, false);
	EXPECT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
	munmap(p, SIZE);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_kill(self->s);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

FMAP_TEST_MAIN
