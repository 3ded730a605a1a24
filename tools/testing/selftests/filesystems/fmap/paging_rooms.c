// SPDX-License-Identifier: GPL-2.0
/* What the kernel asks for of a map that comes in pages, and what it costs */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fmap_counter.h"
#include "fmap_paging.h"
#include "fmap_test.h"

/* Every second page of what each device must have */
#define EXTENTS		16000
#define MOST_ROOM	MB
#define HEADER		sizeof(struct fuse_famfs_fmap_header)

/* What a million extents may cost for each of them, and for each strip */
#define COST		24

static void make_simple(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (EXTENTS - 1 - i / 2 * 2) * PG, PG);
}

/* On one device only, which FIEMAP can tell */
static void make_half(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(DEV0, 2 * i * PG, PG);
}

/* 10,000 of these, so that there is no page between */
static void make_two_strips(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_STRIPED(2, PG, 2 * PG, { DEV0, (10000 - i) * PG, PG },
			     { DEV1, (i * 4999UL) % 10000 * PG, PG });
}

static void make_four_strips(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_STRIPED(4, PG, 4 * PG, { DEV0, (16000 - 4 * i) * PG, PG },
			     { DEV1, 4 * i * PG, PG },
			     { DEV0, (16002 - 4 * i) * PG, PG },
			     { DEV1, (4 * i + 2) * PG, PG });
}

FIXTURE(rooms)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	int fd;
};

FIXTURE_VARIANT(rooms)
{
	struct fmap_layout l;
	uint32_t strips;	/* of an extent */
};

FIXTURE_VARIANT_ADD(rooms, simple) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, EXTENTS * PG, EXTENTS, PG,
		       make_simple),
};

FIXTURE_VARIANT_ADD(rooms, two_strips) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_INTERLEAVE, 20000 * PG, 10000,
		       2 * PG, make_two_strips),
	.strips = 2,
};

FIXTURE_VARIANT_ADD(rooms, four_strips) {
	.l = FMAP_MADE(FUSE_FAMFS_EXT_INTERLEAVE, 16000 * PG, 4000,
		       4 * PG, make_four_strips),
	.strips = 4,
};

FIXTURE_SETUP(rooms)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &variant->l);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(1, self->p->nr_asked);
}

FIXTURE_TEARDOWN(rooms)
{
	close(self->fd);
	fmap_server_free(self->s);
}

/* Bytes of the file in a message of this room */
static uint64_t bytes_in(const FIXTURE_VARIANT(rooms) * variant, uint64_t room)
{
	return (room - HEADER) / 24 / (1 + variant->strips) * variant->l.each;
}

/* What the last request but @back was */
#define EXPECT_ASKED(back, room, from, len)				\
	do {								\
		const struct fmap_asked *a =				\
			fmap_last_asked(self->p, back);			\
									\
		EXPECT_EQ(room, a->in.size);				\
		EXPECT_EQ(from, a->in.offset);				\
		EXPECT_EQ(len, a->in.length);				\
	} while (0)

/* One byte, and the requests that it takes */
static int read_byte(FIXTURE_DATA(rooms) * self, uint64_t off)
{
	unsigned int before = self->p->nr_asked;
	char c;

	if (pread(self->fd, &c, 1, off) != 1)
		return -errno;

	return self->p->nr_asked - before;
}

TEST_F(rooms, grow_as_long_as_one_goes_on)
{
	uint64_t room = FMAP_FIRST_ROOM, at = 0, bytes;
	int i, n;

	n = fmap_fetch_rest(self->p, self->fd);
	for (i = 0; at < variant->l.size; i++) {
		EXPECT_GE(n, i);
		EXPECT_ASKED(n - i, room, at, 0);
		bytes = bytes_in(variant, room);
		at += bytes;
		room = room * 4 < MOST_ROOM ? room * 4 : MOST_ROOM;
	}
	EXPECT_EQ(n + 1, i);
	EXPECT_EQ(n + 1, self->p->nr_asked);
}

/* No matter how it is read, it is read in few requests */
TEST_F_TIMEOUT(rooms, few_if_it_is_read_in_order, 120)
{
	static char buf[64 * KB];
	uint64_t off;

	for (off = 0; off < variant->l.size; off += sizeof(buf))
		ASSERT_LT(0, pread(self->fd, buf, sizeof(buf), off));
	EXPECT_GE(6, self->p->nr_asked);
	EXPECT_EQ(0, fmap_last_asked(self->p, 0)->next);
}

/* In a hole: from the 2 MiB that it is in, or from the start of the hole */
TEST_F(rooms, begin_where_it_is_touched)
{
	uint64_t first = bytes_in(variant, FMAP_FIRST_ROOM), second;
	uint64_t amid = bytes_in(variant, FMAP_AMID_ROOM);

	EXPECT_EQ(1, read_byte(self, 40 * MB + 5));
	EXPECT_ASKED(0, FMAP_AMID_ROOM, 40 * MB, 0);
	EXPECT_EQ(1, read_byte(self, 36 * MB + PG - 1));
	EXPECT_ASKED(0, FMAP_AMID_ROOM, 36 * MB, 4 * MB);

	/* It goes on there */
	EXPECT_EQ(0, read_byte(self, 36 * MB + amid - 1));
	EXPECT_EQ(1, read_byte(self, 36 * MB + amid));
	EXPECT_ASKED(0, 4 * FMAP_AMID_ROOM, 36 * MB + amid, 4 * MB - amid);
	second = fmap_last_asked(self->p, 0)->next;

	/* And back in front, where the last request has not ended */
	EXPECT_EQ(1, read_byte(self, first));
	EXPECT_ASKED(0, FMAP_AMID_ROOM, first, 36 * MB - first);

	/* The reply before that told more, and no less */
	EXPECT_EQ(36 * MB + amid + bytes_in(variant, 4 * FMAP_AMID_ROOM), second);
	EXPECT_EQ(0, read_byte(self, second - 1));
}

/* Not even its last byte but one leads there */
TEST_F(rooms, end_where_the_page_does)
{
	static char buf[2 * MB];
	uint64_t first = bytes_in(variant, FMAP_FIRST_ROOM);

	ASSERT_GE(sizeof(buf), first + 1);
	EXPECT_EQ(first, pread(self->fd, buf, first, 0));
	EXPECT_EQ(1, self->p->nr_asked);
	EXPECT_EQ(first + 1, pread(self->fd, buf, first + 1, 0));
	EXPECT_EQ(2, self->p->nr_asked);
}

TEST_F(rooms, are_counted)
{
	EXPECT_EQ(1, fmap_counter(self->s, "fetches"));
	EXPECT_EQ(4, fmap_fetch_rest(self->p, self->fd));
	EXPECT_EQ(5, fmap_counter(self->s, "fetches"));
	EXPECT_EQ(0, fmap_counter(self->s, "fetch_errors"));
	EXPECT_EQ(5, self->s->count[FUSE_GET_FMAP]);
}

/* A counter that falls when memory is freed, which may be a while later */
static long counter_soon(struct fmap_server *s, const char *name, long value)
{
	int i;

	for (i = 0; i < 1000 && fmap_counter(s, name) != value; i++)
		usleep(10000);

	return fmap_counter(s, name);
}

TEST_F(rooms, cost_little_memory)
{
	long n = variant->l.nextents;
	long all = variant->strips ? n * (1 + variant->strips) : n;
	long ranges = variant->strips ? n * variant->strips : n;
	long slack = COST * 64;		/* the pieces themselves */

	EXPECT_LT(0, fmap_counter(self->s, "map_bytes"));
	ASSERT_LT(0, fmap_fetch_rest(self->p, self->fd));
	EXPECT_LE(8 * n, fmap_counter(self->s, "map_bytes"));
	EXPECT_GE(COST * all + slack, fmap_counter(self->s, "map_bytes"))
		TH_LOG("%ld bytes for each of %ld extents",
		       fmap_counter(self->s, "map_bytes") / n, n);
	EXPECT_LE(8 * ranges, fmap_counter(self->s, "claim_bytes"));
	EXPECT_GE(COST * ranges + slack,
		  fmap_counter(self->s, "claim_bytes"));

	close(self->fd);
	self->fd = -1;
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	EXPECT_EQ(0, counter_soon(self->s, "map_bytes", 0));
	EXPECT_EQ(0, counter_soon(self->s, "claim_bytes", 0));
}

FIXTURE(told)
{
	struct fmap_server *s;
};

FIXTURE_SETUP(told)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "unused",
				  &(struct fmap_layout) { });
	ASSERT_NE(NULL, self->s);
}

FIXTURE_TEARDOWN(told)
{
	fmap_server_free(self->s);
}

/* Number of extents of this part, or -errno */
static int count_extents(int fd, uint64_t start, uint64_t len)
{
	struct fiemap map = { .fm_start = start, .fm_length = len };

	return ioctl(fd, FS_IOC_FIEMAP, &map) ? -errno :
						(int)map.fm_mapped_extents;
}

TEST_F(told, to_fiemap)
{
	struct fmap_layout l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE,
					 EXTENTS / 2 * PG, EXTENTS / 2, PG,
					 make_half);
	struct fmap_paging *p = fmap_server_paged(self->s, "file", &l);
	int fd = fmap_open(self->s, "file", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, count_extents(fd, 20 * MB, PG));
	EXPECT_EQ(2, p->nr_asked);
	EXPECT_EQ(20 * MB, fmap_last_asked(p, 0)->in.offset);
	EXPECT_EQ(EXTENTS / 2, count_extents(fd, 0, ~0ULL));
	EXPECT_GE(10, p->nr_asked);
	close(fd);
}

/* Nobody needs what lies behind the end of the file */
TEST_F(told, no_more_than_the_file_has)
{
	struct fmap_layout l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE,
					 3 * PG + 100, 64, PG, make_simple);
	struct fmap_paging *p;
	char *map;
	int fd;

	ASSERT_EQ(0, fmap_fill_devices(&l, 1));
	p = fmap_server_paged(self->s, "file", &l);
	p->max_exts = 2;
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(fmap_file_holds(fd, l.size, 1));
	EXPECT_EQ(-1, pwrite(fd, "x", 1, 4 * PG));
	map = fmap_map(fd, 64 * PG, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_FALSE(fmap_sigbus(map + 3 * PG, false));
	EXPECT_TRUE(fmap_sigbus(map + 4 * PG, false));
	EXPECT_EQ(2, p->nr_asked);
	munmap(map, 64 * PG);
	close(fd);
}

/* Write simple extents as those of one strip */
static void spoil_to_stripes(struct fmap_page *page, const void *arg)
{
	struct fuse_famfs_simple_ext *from = (void *)(page->map + 1);
	uint32_t i, n = page->map->nextents;
	struct {
		struct fuse_famfs_iext ie;
		struct fuse_famfs_simple_ext strip;
	} to[8] = { };

	if (!page->in->offset)
		return;
	for (i = 0; i < n; i++) {
		to[i].ie.ie_nstrips = 1;
		to[i].ie.ie_chunk_size = PG;
		to[i].ie.ie_nbytes = from[i].se_len;
		to[i].strip = from[i];
	}
	memcpy(from, to, n * sizeof(to[0]));
	page->map->ext_type = FUSE_FAMFS_EXT_INTERLEAVE;
	page->len = HEADER + n * sizeof(to[0]);
	page->map->fmap_size = page->len;
}

TEST_F(told, in_pages_of_both_kinds)
{
	struct fmap_layout l = FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, 24 * PG,
					 24, PG, make_simple);
	struct fmap_paging *p = fmap_server_paged(self->s, "file", &l);

	p->max_exts = 8;
	p->spoil = spoil_to_stripes;
	ASSERT_EQ(0, fmap_fill_devices(&l, 2));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", l.size, 2));
	EXPECT_EQ(3, p->nr_asked);
}

FMAP_TEST_MAIN
