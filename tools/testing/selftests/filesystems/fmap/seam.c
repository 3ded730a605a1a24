// SPDX-License-Identifier: GPL-2.0
/*
 * Files over the seam of a device that consists of two ranges of memory
 *
 * To a file such a device is one: its bytes are counted through. But their
 * addresses jump at the seam, so nothing may be copied or mapped across it as if
 * the first range went on. The first device that FAMFS_DAXDEVS names must have
 * two ranges or more; dax_node_ranges.sh makes one and runs this.
 */
#include <stdlib.h>
#include <string.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define MAX_SIZE	(4 * MB + 2 * PG)

/* The byte of the device with which its second range begins */
static uint64_t seam(void)
{
	return fmap_dax_attr(0, "mapping1/page_offset") * PG;
}

FIXTURE(seam)
{
	struct fmap_ext ext;
	struct fmap_layout l;
	struct fmap_server *s;
	char *shadow;
	char *p;		/* all of the file, shared */
	int fd;
};

/*
 * Bytes of the file before and behind the seam, or a strip of it in chunks of 64
 * KiB; and the faults that it takes to touch all of it
 */
FIXTURE_VARIANT(seam)
{
	uint64_t before;
	uint64_t behind;
	bool striped;
	long faults;
};

FIXTURE_VARIANT_ADD(seam, huge) {
	.before = 2 * MB, .behind = 2 * MB, .faults = 2,
};

FIXTURE_VARIANT_ADD(seam, off_by_a_page) {
	.before = 2 * MB + PG, .behind = 2 * MB + PG, .faults = 2 * 512 + 2,
};

FIXTURE_VARIANT_ADD(seam, small) {
	.before = 3 * PG, .behind = 5 * PG - 100, .faults = 8,
};

FIXTURE_VARIANT_ADD(seam, striped) {
	.before = 32 * KB, .behind = 96 * KB, .striped = true, .faults = 64,
};

static void lay_out(struct fmap_ext *ext, struct fmap_layout *l, bool striped,
		    uint64_t at, uint64_t len)
{
	struct fmap_ext whole = FMAP_SIMPLE(DEV0, at, (len + PG - 1) & -PG);
	struct fmap_ext strips = FMAP_STRIPED(2, 64 * KB, 2 * len,
					      { DEV0, at, len },
					      { DEV1, MB, len });

	*ext = striped ? strips : whole;
	*l = (struct fmap_layout) {
		.type = striped ? FUSE_FAMFS_EXT_INTERLEAVE :
				  FUSE_FAMFS_EXT_SIMPLE,
		.size = striped ? 2 * len : len,
		.nextents = 1,
		.ext = ext,
	};
}

FIXTURE_SETUP(seam)
{
	ASSERT_EQ(0, fmap_test_begin());
	lay_out(&self->ext, &self->l, variant->striped, seam() - variant->before,
		variant->before + variant->behind);
	ASSERT_GE(MAX_SIZE, self->l.size);
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &self->l);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&self->l, 1));
	self->shadow = malloc(MAX_SIZE);
	ASSERT_NE(NULL, self->shadow);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, self->l.size, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(seam)
{
	munmap(self->p, self->l.size);
	close(self->fd);
	fmap_server_free(self->s);
	free(self->shadow);
}

TEST_F(seam, read_goes_over_it)
{
	EXPECT_TRUE(fmap_file_holds(self->fd, self->l.size, 1));
}

TEST_F(seam, write_goes_over_it)
{
	uint64_t size = self->l.size;

	fmap_fill(self->shadow, size, 2, 0);
	EXPECT_EQ((ssize_t)size - 1,
		  pwrite(self->fd, self->shadow + 1, size - 1, 1));
	EXPECT_TRUE(fmap_on_devices(&self->l, 1, self->shadow + 1, size - 1));
	EXPECT_EQ(0, memcmp(self->p + 1, self->shadow + 1, size - 1));
}

TEST_F(seam, mapping_goes_over_it)
{
	uint64_t size = self->l.size;

	fmap_fill(self->shadow, size, 1, 0);
	EXPECT_EQ(0, memcmp(self->p, self->shadow, size));
	fmap_fill(self->p, size, 3, 0);
	EXPECT_TRUE(fmap_file_holds(self->fd, size, 3));
	fmap_fill(self->shadow, size, 3, 0);
	EXPECT_TRUE(fmap_on_devices(&self->l, 0, self->shadow, size));
}

TEST_F(seam, faults_are_as_large_as_elsewhere)
{
	fmap_touch((char[8]) { }, 8, 1, true);	/* so that it counts itself */
	EXPECT_EQ(variant->faults,
		  fmap_touch(self->p, self->l.size, PG, true).minor);
	EXPECT_EQ(0, fmap_touch(self->p, self->l.size, PG, true).minor);
}

int main(int argc, char **argv)
{
	if (fmap_dax_find() < 2 || !seam())
		ksft_exit_fail_msg("name a device of two ranges, then another, in FAMFS_DAXDEVS\n");

	return test_harness_run(argc, argv);
}
