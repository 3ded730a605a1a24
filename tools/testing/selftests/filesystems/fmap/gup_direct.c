// SPDX-License-Identifier: GPL-2.0
/* Direct I/O of another file system, from and to a mapping of a mapped file */
#include <string.h>
#include <sys/uio.h>

#include "fmap_scratch.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(64 * PG)
#define SIZE		(TAIL + TAIL_LEN)
#define LEN		(128 * KB)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 4 * MB),
	FMAP_SIMPLE(DEV1, 16 * MB, TAIL_LEN),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(gup_direct)
{
	struct fmap_server *s;
	struct fmap_scratch other;
	int fd;
	int out;	/* file of the other file system, O_DIRECT */
	char *p;	/* all of the file, shared */
	char *seen;	/* the bytes that the file begins with */
	char *buf;
};

/* Where in the file: in a page of 2 MiB, and in pages of 4 KiB */
FIXTURE_VARIANT(gup_direct)
{
	size_t at;
	bool touched;
};

FIXTURE_VARIANT_ADD(gup_direct, huge) { .at = HUGE_PG + MB, .touched = true };
FIXTURE_VARIANT_ADD(gup_direct, small_untouched) { .at = TAIL };
FIXTURE_VARIANT_ADD(gup_direct, both) { .at = TAIL - LEN / 2 };

FIXTURE_SETUP(gup_direct)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	self->seen = malloc(SIZE);
	self->buf = aligned_alloc(PG, SIZE);
	ASSERT_NE(NULL, self->seen);
	ASSERT_NE(NULL, self->buf);
	fmap_fill(self->seen, SIZE, 1, 0);
	if (variant->touched)
		ASSERT_EQ(0, madvise(self->p + variant->at, LEN,
				     MADV_POPULATE_WRITE));
	ASSERT_EQ(0, fmap_scratch_mount(&self->other));
	self->out = fmap_scratch_open(&self->other, "out", O_RDWR | O_DIRECT);
	ASSERT_LE(0, self->out);
}

FIXTURE_TEARDOWN(gup_direct)
{
	close(self->out);
	fmap_scratch_umount(&self->other);
	free(self->seen);
	free(self->buf);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

TEST_F(gup_direct, direct_write_out_of_a_mapping)
{
	char *p = self->p + variant->at;

	EXPECT_EQ(LEN, pwrite(self->out, p, LEN, 0));
	EXPECT_EQ(LEN, pread(self->out, self->buf, LEN, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + variant->at, LEN));

	/* What is stored meanwhile goes out the next time */
	memset(p + PG, 'x', PG);
	EXPECT_EQ(LEN, pwrite(self->out, p, LEN, LEN));
	EXPECT_EQ(PG, pread(self->out, self->buf, PG, LEN + PG));
	EXPECT_EQ(0, memcmp(self->buf, p + PG, PG));
	EXPECT_EQ('x', self->buf[0]);
}

TEST_F(gup_direct, direct_read_into_a_mapping)
{
	fmap_fill(self->buf, LEN, 2, 0);
	ASSERT_EQ(LEN, pwrite(self->out, self->buf, LEN, 0));
	EXPECT_EQ(LEN, pread(self->out, self->p + variant->at, LEN, 0));
	EXPECT_TRUE(fmap_on_devices(&layout, variant->at, self->buf, LEN));
	memcpy(self->seen + variant->at, self->buf, LEN);
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_EQ(SIZE, pread(self->fd, self->buf, SIZE, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->seen, SIZE));
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
}

/* A private mapping takes the bytes for itself */
TEST_F(gup_direct, direct_read_into_a_private_mapping)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	fmap_fill(self->buf, LEN, 2, 0);
	ASSERT_EQ(LEN, pwrite(self->out, self->buf, LEN, 0));
	EXPECT_EQ(LEN, pread(self->out, q + variant->at, LEN, 0));
	EXPECT_EQ(0, memcmp(q + variant->at, self->buf, LEN));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	munmap(q, SIZE);
}

TEST_F(gup_direct, gift_is_not_taken_from_the_file)
{
	struct iovec iov = { self->p + variant->at, 4 * PG };
	int fd[2];

	ASSERT_EQ(0, pipe(fd));
	EXPECT_EQ(4 * PG, vmsplice(fd[1], &iov, 1, SPLICE_F_GIFT));
	EXPECT_EQ(4 * PG, splice(fd[0], NULL, self->out, NULL, 4 * PG,
				 SPLICE_F_MOVE));
	EXPECT_EQ(0, memcmp(self->p, self->seen, SIZE));
	EXPECT_EQ(4 * PG, pread(self->out, self->buf, 4 * PG, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->seen + variant->at, 4 * PG));
	close(fd[0]);
	close(fd[1]);
}

FMAP_TEST_MAIN
