// SPDX-License-Identifier: GPL-2.0
/* cachestat(2) finds no page cache, and takes DAX entries for nothing else */
#include <sys/syscall.h>

#include "fmap_test.h"

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif

#define SIZE	(4 * MB + 16 * PG)

struct range {
	uint64_t off;
	uint64_t len;
};

struct counts {
	uint64_t cache;
	uint64_t dirty;
	uint64_t writeback;
	uint64_t evicted;
	uint64_t recently_evicted;
};

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_layout layout =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);

FIXTURE(cachestat)
{
	struct fmap_server *s;
	int fd;
	char *p;
};

FIXTURE_SETUP(cachestat)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(cachestat)
{
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Entries of both sizes, clean and dirty, are in the tree */
TEST_F(cachestat, nothing_is_cached)
{
	struct range all = { 0, 0 };
	struct counts seen = { 1, 1, 1, 1, 1 }, none = { };

	fmap_touch(self->p, 2 * MB, PG, true);
	fmap_touch(self->p + 2 * MB, 2 * MB, PG, false);
	fmap_touch(self->p + 4 * MB, 8 * PG, PG, true);
	fmap_touch(self->p + 4 * MB + 8 * PG, 8 * PG, PG, false);
	ASSERT_EQ(0, syscall(__NR_cachestat, self->fd, &all, &seen, 0));
	EXPECT_EQ(0, memcmp(&seen, &none, sizeof(none)));
}

FMAP_TEST_MAIN
