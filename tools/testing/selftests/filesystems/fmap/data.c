// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes at odd places, over every edge of a map
 *
 * Whatever is written also goes to a shadow copy in memory. What is read must
 * be what the shadow has, and in the end the devices must hold the shadow's
 * bytes where the map says.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "fmap_test.h"

static const struct fmap_ext whole_ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 5 * MB),
};

static const struct fmap_ext pieces_ext[] = {
	FMAP_SIMPLE(DEV0, 3 * PG, 7 * PG),
	FMAP_SIMPLE(DEV1, 2 * MB, 2 * MB),
	FMAP_SIMPLE(DEV0, MB, PG),
	FMAP_SIMPLE(DEV1, PG, 30 * PG),
};

static const struct fmap_ext stripes_ext[] = {
	FMAP_STRIPED(2, 64 * KB, MB, { DEV0, 0, 512 * KB },
		     { DEV1, MB, 512 * KB }),
	FMAP_STRIPED(3, 3 * PG, 40 * PG + 77, { DEV1, 4 * MB, 15 * PG },
		     { DEV0, 8 * MB, 14 * PG }, { DEV1, 6 * MB, 12 * PG }),
};

static const struct fmap_ext huge_chunks_ext[] = {
	FMAP_STRIPED(2, 2 * MB, 5 * MB, { DEV0, 2 * MB, 4 * MB },
		     { DEV1, 4 * MB, 2 * MB }),
};

FIXTURE(data)
{
	struct fmap_server *s;
	char *shadow;
	char *buf;
	int fd;
};

FIXTURE_VARIANT(data)
{
	struct fmap_layout l;
};

FIXTURE_VARIANT_ADD(data, one_extent) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 4 * MB + 1234, whole_ext),
};

FIXTURE_VARIANT_ADD(data, pieces) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 2 * MB + 37 * PG + 1,
			 pieces_ext),
};

FIXTURE_VARIANT_ADD(data, stripes) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, MB + 40 * PG + 77,
			 stripes_ext),
};

FIXTURE_VARIANT_ADD(data, huge_chunks) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 4 * MB + 3 * PG + 4095,
			 huge_chunks_ext),
};

FIXTURE_SETUP(data)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &variant->l);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&variant->l, 1));

	self->shadow = malloc(variant->l.size);
	self->buf = malloc(variant->l.size);
	ASSERT_NE(NULL, self->shadow);
	ASSERT_NE(NULL, self->buf);
	fmap_fill(self->shadow, variant->l.size, 1, 0);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(data)
{
	close(self->fd);
	free(self->shadow);
	free(self->buf);
	fmap_server_free(self->s);
}

/* Bytes of [off, off + len) that the file has */
static size_t clamp(const struct fmap_layout *l, uint64_t off, size_t len)
{
	if (off >= l->size)
		return 0;

	return len < l->size - off ? len : l->size - off;
}

/* Write fresh bytes there, then read a little more than those back */
static bool write_and_read(FIXTURE_DATA(data) * self,
			   const struct fmap_layout *l, uint64_t off,
			   size_t len)
{
	static unsigned int seed = 1000;
	uint64_t from = off < 10 ? 0 : off - 10;

	len = clamp(l, off, len);
	fmap_fill(self->shadow + off, len, seed++, off);
	if (pwrite(self->fd, self->shadow + off, len, off) != (ssize_t)len)
		return false;

	len = clamp(l, from, len + 20);
	if (pread(self->fd, self->buf, len, from) != (ssize_t)len)
		return false;

	return !memcmp(self->buf, self->shadow + from, len);
}

static bool all_as_in_shadow(FIXTURE_DATA(data) * self,
			     const struct fmap_layout *l)
{
	if (pread(self->fd, self->buf, l->size, 0) != (ssize_t)l->size)
		return false;

	return !memcmp(self->buf, self->shadow, l->size) &&
	       fmap_on_devices(l, 0, self->shadow, l->size);
}

TEST_F(data, whole_file_at_once)
{
	char past;

	EXPECT_EQ(variant->l.size,
		  pread(self->fd, self->buf, variant->l.size, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->shadow, variant->l.size));
	EXPECT_TRUE(write_and_read(self, &variant->l, 0, variant->l.size));
	EXPECT_EQ(0, pread(self->fd, &past, 1, variant->l.size));
	EXPECT_EQ(0, pread(self->fd, &past, 1, variant->l.size + 5 * MB));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

TEST_F(data, around_each_edge)
{
	static const size_t lens[] = { 1, 2, 13, PG, PG + 1 };
	uint64_t edge = 0;
	unsigned int i;

	while (edge + 1 < variant->l.size) {
		edge += fmap_to_edge(&variant->l, edge);
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			ASSERT_TRUE(write_and_read(self, &variant->l,
						   edge - 1 - i, lens[i]))
				TH_LOG("edge %lx, len %zu", edge, lens[i]);
		}
		if (edge + PG >= variant->l.size)
			break;
	}
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

TEST_F(data, random_places)
{
	unsigned int i;

	srandom(7);
	for (i = 0; i < 150; i++) {
		uint64_t off = random() % variant->l.size;
		size_t len = 1 + random() % (i % 10 ? 3 * PG : 200 * KB);

		ASSERT_TRUE(write_and_read(self, &variant->l, off, len))
			TH_LOG("%zu bytes at %lx", len, off);
	}
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

/* Direct I/O is what it always is, and needs no alignment */
TEST_F(data, direct_io)
{
	close(self->fd);
	self->fd = fmap_open(self->s, "file", O_RDWR | O_DIRECT);
	ASSERT_LE(0, self->fd);

	EXPECT_TRUE(write_and_read(self, &variant->l, 0, 64 * KB));
	EXPECT_TRUE(write_and_read(self, &variant->l, 5, 3));
	EXPECT_TRUE(write_and_read(self, &variant->l, MB - 7, 100 * KB + 1));
	EXPECT_TRUE(write_and_read(self, &variant->l, variant->l.size - 3, 3));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

TEST_F(data, vectors)
{
	uint64_t off = 10 * PG - 333;
	char *at = self->shadow + off;
	struct iovec iov[4] = {
		{ at, 1 }, { at + 1, 0 }, { at + 1, 4 * PG }, { at + 1 + 4 * PG, 7 },
	};
	size_t len = 8 + 4 * PG;

	fmap_fill(at, len, 5, off);
	EXPECT_EQ(len, pwritev(self->fd, iov, 4, off));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));

	memset(at, 0, len);
	EXPECT_EQ(len, preadv(self->fd, iov, 4, off));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

TEST_F(data, by_position)
{
	uint64_t off = 7 * PG - 100;

	ASSERT_EQ(off, lseek(self->fd, off, SEEK_SET));
	fmap_fill(self->shadow + off, 1000, 6, off);
	EXPECT_EQ(400, write(self->fd, self->shadow + off, 400));
	EXPECT_EQ(600, write(self->fd, self->shadow + off + 400, 600));
	EXPECT_EQ(off + 1000, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(variant->l.size, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(0, read(self->fd, self->buf, 1));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

/* Through a mapping, whose pages are as large as the kernel likes */
TEST_F(data, by_mapping)
{
	size_t size = variant->l.size;
	char *p = fmap_map_aligned(self->fd, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, memcmp(p, self->shadow, size));
	fmap_fill(self->shadow, size, 8, 0);
	memcpy(p, self->shadow, size);
	EXPECT_EQ(0, msync(p, size, MS_SYNC));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
	munmap(p, size);
}

/* The user's buffer is a mapping of the file itself, not yet faulted in */
TEST_F(data, buffer_is_a_mapping_of_the_file)
{
	size_t len = 64 * KB + 5, to = 512 * KB + 1;
	char *p = fmap_map(self->fd, MB, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(len, pwrite(self->fd, p + 3, len, to));
	memcpy(self->shadow + to, self->shadow + 3, len);
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));

	EXPECT_EQ(len, pread(self->fd, p + 200 * KB, len, to));
	memcpy(self->shadow + 200 * KB, self->shadow + to, len);
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
	munmap(p, MB);
}

TEST_F(data, bad_buffers_fail_and_harm_nothing)
{
	char *hole = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, hole);
	munmap(hole + PG, PG);
	EXPECT_EQ(-1, pread(self->fd, hole + PG, 10, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pwrite(self->fd, hole + PG, 10, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(PG, pread(self->fd, hole, 2 * PG, 0));
	EXPECT_EQ(0, memcmp(hole, self->shadow, PG));
	EXPECT_EQ(PG, pwrite(self->fd, hole, 2 * PG, 0));
	EXPECT_TRUE(all_as_in_shadow(self, &variant->l));
}

FMAP_TEST_MAIN
