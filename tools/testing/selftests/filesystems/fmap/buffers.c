// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) and write(2) whose buffers are mappings of mapped files
 *
 * Such a buffer may have to be faulted in, which takes the same locks that the
 * call holds, be they those of the same file or of another one.
 */
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(2 * MB)
#define SIZE		(TAIL + 32 * PG)
#define LEN		(64 * KB)

static const struct fmap_ext ext_a[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 16 * MB, 32 * PG),
};

static const struct fmap_ext ext_b[] = {
	FMAP_SIMPLE(DEV1, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV0, 16 * MB, 32 * PG),
};

static const struct fmap_layout layout_a = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						       SIZE, ext_a);
static const struct fmap_layout layout_b = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						       SIZE, ext_b);

FIXTURE(buffers)
{
	struct fmap_server *s;
	int a, b;
	char *pa, *pb;		/* all of the files; nothing touched */
	char *seen_a, *seen_b;	/* what they began with */
};

/* Whether the files are opened for direct I/O, which should change nothing */
FIXTURE_VARIANT(buffers)
{
	int flags;
};

FIXTURE_VARIANT_ADD(buffers, buffered) { };
FIXTURE_VARIANT_ADD(buffers, direct) { .flags = O_DIRECT };

static char *filled(unsigned int seed)
{
	char *buf = malloc(SIZE);

	if (buf)
		fmap_fill(buf, SIZE, seed, 0);

	return buf;
}

FIXTURE_SETUP(buffers)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout_a, 1));
	ASSERT_EQ(0, fmap_fill_devices(&layout_b, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "a", &layout_a);
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "b", &layout_b);
	self->a = fmap_open(self->s, "a", O_RDWR | variant->flags);
	self->b = fmap_open(self->s, "b", O_RDWR | variant->flags);
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	self->pa = fmap_map_aligned(self->a, SIZE, RW, MAP_SHARED);
	self->pb = fmap_map_aligned(self->b, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->pa);
	ASSERT_NE(MAP_FAILED, self->pb);
	self->seen_a = filled(1);
	self->seen_b = filled(2);
	ASSERT_NE(NULL, self->seen_a);
	ASSERT_NE(NULL, self->seen_b);
}

FIXTURE_TEARDOWN(buffers)
{
	free(self->seen_a);
	free(self->seen_b);
	munmap(self->pa, SIZE);
	munmap(self->pb, SIZE);
	close(self->a);
	close(self->b);
	fmap_server_free(self->s);
}

#define EXPECT_BOTH_AS_SEEN()						\
	do {								\
		EXPECT_TRUE(fmap_on_devices(&layout_a, 0, self->seen_a,	\
					    SIZE));			\
		EXPECT_TRUE(fmap_on_devices(&layout_b, 0, self->seen_b,	\
					    SIZE));			\
	} while (0)

TEST_F(buffers, write_from_the_other_file)
{
	EXPECT_EQ(LEN, pwrite(self->a, self->pb + TAIL - 5, LEN, MB + 3));
	memcpy(self->seen_a + MB + 3, self->seen_b + TAIL - 5, LEN);
	EXPECT_BOTH_AS_SEEN();
}

TEST_F(buffers, read_into_the_other_file)
{
	EXPECT_EQ(LEN, pread(self->a, self->pb + TAIL - 5, LEN, MB + 3));
	memcpy(self->seen_b + TAIL - 5, self->seen_a + MB + 3, LEN);
	EXPECT_BOTH_AS_SEEN();
}

TEST_F(buffers, whole_files)
{
	EXPECT_EQ(SIZE, pwrite(self->a, self->pb, SIZE, 0));
	memcpy(self->seen_a, self->seen_b, SIZE);
	EXPECT_BOTH_AS_SEEN();
	EXPECT_EQ(SIZE, pwrite(self->a, self->pa, SIZE, 0));
	EXPECT_EQ(SIZE, pread(self->a, self->pa, SIZE, 0));
	EXPECT_BOTH_AS_SEEN();
}

TEST_F(buffers, private_mapping_of_the_same_file)
{
	char *q = fmap_map_aligned(self->a, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(LEN, pread(self->a, q + 7, LEN, TAIL - 9));
	EXPECT_EQ(0, memcmp(q + 7, self->seen_a + TAIL - 9, LEN));
	EXPECT_BOTH_AS_SEEN();
	EXPECT_EQ(LEN, pwrite(self->a, q + 7, LEN, 0));
	memcpy(self->seen_a, self->seen_a + TAIL - 9, LEN);
	EXPECT_BOTH_AS_SEEN();
	munmap(q, SIZE);
}

/* Memory, the file itself, the other file and nothing, in one call */
TEST_F(buffers, mixed_vectors)
{
	char mem[1000];
	struct iovec iov[] = {
		{ mem, sizeof(mem) }, { self->pa + TAIL + 100, 5000 },
		{ NULL, 0 }, { self->pb + 3, 10000 }, { mem, 500 },
		{ self->pa + 3 * PG, 1 },
	};
	size_t len = sizeof(mem) + 5000 + 10000 + 500 + 1;

	EXPECT_EQ(len, preadv(self->a, iov, ARRAY_SIZE(iov), MB));
	memcpy(self->seen_a + TAIL + 100, self->seen_a + MB + 1000, 5000);
	memcpy(self->seen_b + 3, self->seen_a + MB + 6000, 10000);
	EXPECT_EQ(0, memcmp(mem, self->seen_a + MB + 16000, 500));
	EXPECT_EQ(0, memcmp(mem + 500, self->seen_a + MB + 500, 500));
	self->seen_a[3 * PG] = self->seen_a[MB + 16500];
	EXPECT_BOTH_AS_SEEN();

	iov[0] = (struct iovec) { self->pb + MB, 3000 };
	EXPECT_EQ(len + 2000, pwritev(self->b, iov, ARRAY_SIZE(iov), TAIL));
	memcpy(self->seen_b + TAIL, self->seen_b + MB, 3000);
	memcpy(self->seen_b + TAIL + 3000, self->seen_a + TAIL + 100, 5000);
	memcpy(self->seen_b + TAIL + 8000, self->seen_b + 3, 10000);
	memcpy(self->seen_b + TAIL + 18000, mem, 500);
	self->seen_b[TAIL + 18500] = self->seen_a[3 * PG];
	EXPECT_BOTH_AS_SEEN();
}

/* Where a buffer is bad, what comes before it is done */
TEST_F(buffers, mixed_vectors_with_a_bad_one)
{
	char *hole = mmap(NULL, PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct iovec iov[] = {
		{ self->pb, 100 }, { hole, 100 }, { self->pb + PG, 100 },
	};

	ASSERT_NE(MAP_FAILED, hole);
	EXPECT_EQ(100, preadv(self->a, iov, ARRAY_SIZE(iov), MB));
	memcpy(self->seen_b, self->seen_a + MB, 100);
	EXPECT_EQ(100, pwritev(self->a, iov, ARRAY_SIZE(iov), 0));
	memcpy(self->seen_a, self->seen_b, 100);
	EXPECT_BOTH_AS_SEEN();
	munmap(hole, PG);
}

/* Behind the end of a file is no buffer */
TEST_F(buffers, mapping_behind_the_end)
{
	char *q = fmap_map_aligned(self->a, SIZE + 2 * PG, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(-1, pread(self->b, q + SIZE, PG, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(10, pread(self->b, q + SIZE - 10, PG, 0));
	memcpy(self->seen_a + SIZE - 10, self->seen_b, 10);
	EXPECT_EQ(-1, pwrite(self->a, q + SIZE, PG, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_BOTH_AS_SEEN();
	munmap(q, SIZE + 2 * PG);
}

struct copier {
	int fd;
	char *from;
	size_t failed;
};

static void *copy_often(void *arg)
{
	struct copier *c = arg;
	int i;

	for (i = 0; i < 60; i++) {
		madvise(c->from, SIZE, MADV_DONTNEED);
		c->failed += pwrite(c->fd, c->from + i * PG, LEN, 0) != LEN;
	}

	return NULL;
}

/* Two files, each written from a mapping of the other: no lock order hurts */
TEST_F(buffers, crosswise_at_once)
{
	struct copier ab = { self->a, self->pb }, ba = { self->b, self->pa };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, copy_often, &ab));
	copy_often(&ba);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, ab.failed + ba.failed);
}

FMAP_TEST_MAIN
