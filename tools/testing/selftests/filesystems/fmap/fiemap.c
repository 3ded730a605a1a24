// SPDX-License-Identifier: GPL-2.0
/* FIEMAP: the extents of a file that lies on one device */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fmap_test.h"

#define EXTENTS		64

static const struct fmap_ext simple_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB),
	FMAP_SIMPLE(DEV0, MB, 3 * PG),
	FMAP_SIMPLE(DEV0, 8 * MB, 5 * PG),
};

static const struct fmap_ext joint_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, PG),
	FMAP_SIMPLE(DEV0, 4 * MB + PG, 2 * PG),
	FMAP_SIMPLE(DEV0, 4 * MB + 3 * PG, PG),
};

static const struct fmap_ext striped_ext[] = {
	FMAP_STRIPED(3, 2 * PG, 20 * PG + 7, { DEV0, 16 * MB, 8 * PG },
		     { DEV0, 12 * MB, 8 * PG }, { DEV0, 20 * MB, 8 * PG }),
};

static const struct fmap_ext one_strip_ext[] = {
	FMAP_STRIPED(1, PG, 9 * PG, { DEV1, 3 * MB, 9 * PG }),
};

static const struct fmap_ext both_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, PG), FMAP_SIMPLE(DEV1, 0, PG),
};

FIXTURE(fiemap)
{
	struct fmap_server *s;
	unsigned int before;
	int fd;
	struct {
		struct fiemap map;
		struct fiemap_extent ext[EXTENTS];
	} got;
};

FIXTURE_VARIANT(fiemap)
{
	struct fmap_layout l;
	unsigned int extents;
};

FIXTURE_VARIANT_ADD(fiemap, simple) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 2 * MB + 7 * PG + 9,
			 simple_ext),
	.extents = 3,
};

FIXTURE_VARIANT_ADD(fiemap, adjacent) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 4 * PG, joint_ext),
	.extents = 1,
};

FIXTURE_VARIANT_ADD(fiemap, interleaved) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 20 * PG + 7, striped_ext),
	.extents = 11,
};

FIXTURE_VARIANT_ADD(fiemap, one_strip) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 9 * PG, one_strip_ext),
	.extents = 1,
};

FIXTURE_SETUP(fiemap)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &variant->l);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = fmap_server_requests(self->s);
}

FIXTURE_TEARDOWN(fiemap)
{
	EXPECT_EQ(self->before, fmap_server_requests(self->s));
	close(self->fd);
	fmap_server_free(self->s);
}

/* Number of extents that @room allows to be told of the range, or -errno */
static int get(FIXTURE_DATA(fiemap) * self, uint64_t start, uint64_t len,
	       uint32_t flags, unsigned int room)
{
	struct fiemap *map = &self->got.map;

	memset(&self->got, 0, sizeof(self->got));
	map->fm_start = start;
	map->fm_length = len;
	map->fm_flags = flags;
	map->fm_extent_count = room;
	if (ioctl(self->fd, FS_IOC_FIEMAP, map))
		return -errno;

	return map->fm_mapped_extents;
}

/* Is each page of the extent where the layout says? */
static bool is_right(const struct fmap_layout *l,
		     const struct fiemap_extent *e)
{
	uint64_t i, at;

	for (i = 0; i < e->fe_length && e->fe_logical + i < l->size; i += PG) {
		at = fmap_locate(l, e->fe_logical + i).off;
		if (at != e->fe_physical + i)
			return false;
	}

	return e->fe_length && !(e->fe_flags & ~FIEMAP_EXTENT_LAST);
}

TEST_F(fiemap, all_extents)
{
	const struct fiemap_extent *e = self->got.ext;
	int i, n = get(self, 0, FIEMAP_MAX_OFFSET, 0, EXTENTS);
	uint64_t pos = 0;

	EXPECT_EQ(variant->extents, n);
	for (i = 0; i < n; i++, e++) {
		EXPECT_EQ(pos, e->fe_logical);
		EXPECT_TRUE(is_right(&variant->l, e)) TH_LOG("extent %d", i);
		EXPECT_EQ(i == n - 1 ? FIEMAP_EXTENT_LAST : 0, e->fe_flags);
		pos += e->fe_length;
	}
	EXPECT_LE(variant->l.size, pos);
	EXPECT_GT(variant->l.size + PG, pos);
}

TEST_F(fiemap, mere_number)
{
	EXPECT_EQ(variant->extents, get(self, 0, FIEMAP_MAX_OFFSET, 0, 0));
	EXPECT_EQ(0, self->got.ext[0].fe_length);
}

TEST_F(fiemap, synced)
{
	EXPECT_EQ(1, pwrite(self->fd, "x", 1, 0));
	self->before = fmap_server_requests(self->s);
	EXPECT_EQ(variant->extents, get(self, 0, FIEMAP_MAX_OFFSET,
					FIEMAP_FLAG_SYNC, EXTENTS));
}

TEST_F(fiemap, room_for_one)
{
	ASSERT_EQ(1, get(self, 0, FIEMAP_MAX_OFFSET, 0, 1));
	EXPECT_EQ(variant->extents == 1 ? FIEMAP_EXTENT_LAST : 0,
		  self->got.ext[0].fe_flags);
	EXPECT_TRUE(is_right(&variant->l, &self->got.ext[0]));
	EXPECT_EQ(0, self->got.ext[1].fe_length);
}

/* What a range touches is told, in whole or in part, and nothing else */
TEST_F(fiemap, ranges)
{
	uint64_t pos, end;
	int i, n;

	for (pos = 0; pos < variant->l.size; pos += variant->l.size / 5) {
		n = get(self, pos, 3 * PG, 0, EXTENTS);
		ASSERT_LT(0, n);
		for (i = 0; i < n; i++)
			EXPECT_TRUE(is_right(&variant->l, &self->got.ext[i]));
		EXPECT_GE(pos, self->got.ext[0].fe_logical);
		end = self->got.ext[n - 1].fe_logical +
		      self->got.ext[n - 1].fe_length;
		EXPECT_LE(pos + 3 * PG < variant->l.size ? pos + 3 * PG
							 : variant->l.size,
			  end);
		EXPECT_GT(pos + 3 * PG, self->got.ext[n - 1].fe_logical);
	}
	EXPECT_EQ(0, get(self, variant->l.size + PG, PG, 0, EXTENTS));
}

TEST_F(fiemap, refused_arguments)
{
	EXPECT_EQ(-EBADR, get(self, 0, FIEMAP_MAX_OFFSET, FIEMAP_FLAG_XATTR,
			      EXTENTS));
	EXPECT_EQ(FIEMAP_FLAG_XATTR, self->got.map.fm_flags);
	EXPECT_EQ(-EBADR, get(self, 0, FIEMAP_MAX_OFFSET, 1U << 30, EXTENTS));
	EXPECT_EQ(-EINVAL, get(self, 0, 0, 0, EXTENTS));
}

/* The offset alone would not tell which device */
TEST_F(fiemap, several_devices)
{
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 2 * PG, both_ext);

	fmap_server_mapped(self->s, "both", &l);
	close(self->fd);
	/* its bytes are the first file's in one variant */
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	self->fd = fmap_open(self->s, "both", O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(-EOPNOTSUPP, get(self, 0, FIEMAP_MAX_OFFSET, 0, EXTENTS));
	EXPECT_EQ(-EOPNOTSUPP, get(self, 0, PG, 0, EXTENTS));
	EXPECT_EQ(0, fmap_try_open(self->s, "both", O_RDONLY));
	self->before = fmap_server_requests(self->s);
}

TEST_F(fiemap, ordinary_file)
{
	fmap_server_file(self->s, "plain", 3 * PG);
	close(self->fd);
	self->fd = fmap_open(self->s, "plain", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->before = fmap_server_requests(self->s);
	EXPECT_EQ(-EOPNOTSUPP, get(self, 0, FIEMAP_MAX_OFFSET, 0, EXTENTS));
}

TEST_F(fiemap, size_of_a_block)
{
	int size = 0;

	EXPECT_EQ(0, ioctl(self->fd, FIGETBSZ, &size));
	EXPECT_EQ(4096, size);
}

FMAP_TEST_MAIN
