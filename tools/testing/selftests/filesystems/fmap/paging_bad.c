// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a map that break a rule, when an open file needs them
 *
 * It is EIO or SIGBUS for whoever needs the page, after few requests. What was told
 * before goes on working, so do other files, and once the server is mended so does
 * the very same access.
 */
#include <stddef.h>
#include <string.h>

#include "fmap_check.h"
#include "fmap_paging.h"
#include "fmap_test.h"
#include "fmap_ways.h"

#define RW		(PROT_READ | PROT_WRITE)
#define EXTENTS		8
#define SIZE		(EXTENTS * MB)
#define BAD		(4 * MB)	/* the third page; it has two extents */
#define NEXT		(6 * MB)
#define OTHERS		(42 * MB)	/* where another file lies, on DEV0 */

/* A fault tries twice, and two sizes; each of them may have to ask twice */
#define MOST_REQUESTS	12

#define HDR(field)	offsetof(struct fuse_famfs_fmap_header, field)
#define EXT(n, field)	(32 + 24 * (n) + \
			 offsetof(struct fuse_famfs_simple_ext, field))

/* The first extent lies at 20 MiB of DEV0, the fifth at 12 MiB */
static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (20 - 2 * i) * MB, MB);
}

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, MB, make_ext);

static const struct fmap_ext other_ext[] = { FMAP_SIMPLE(DEV0, OTHERS, MB) };
static const struct fmap_layout other = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    MB, other_ext);

struct bad {
	const char *name;
	size_t at;
	size_t width;
	uint64_t value;
	void (*fn)(struct fmap_page *page, const struct bad *bad);
};

/* The header alone, which says that there is more elsewhere */
static void point_to(struct fmap_page *page, uint64_t next)
{
	page->map->nextents = 0;
	page->map->next_offset = next;
	page->len = sizeof(*page->map);
	page->map->fmap_size = page->len;
}

static void redirect(struct fmap_page *page, const struct bad *bad)
{
	point_to(page, page->in->offset + bad->value);
}

/* There, it answers as it should */
static void redirect_once(struct fmap_page *page, const struct bad *bad)
{
	if (page->in->offset >= BAD)
		point_to(page, bad->value);
}

static void want_room(struct fmap_page *page, const struct bad *bad)
{
	page->len = sizeof(*page->map);
	page->map->fmap_size = bad->width ? bad->value :
					    page->in->size + bad->value;
}

static void cut_off(struct fmap_page *page, const struct bad *bad)
{
	page->len = bad->value;
}

static void cut_off_quietly(struct fmap_page *page, const struct bad *bad)
{
	page->len = bad->value;
	page->map->fmap_size = 0;
}

/* Not all of the buffer behind the extents is 0 */
static void append(struct fmap_page *page, const struct bad *bad)
{
	page->len += bad->value;
	page->map->fmap_size = 0;
	((char *)page->map)[page->len - 1] = 1;
}

static void fail(struct fmap_page *page, const struct bad *bad)
{
	page->error = bad->value;
}

static void repeat_extent(struct fmap_page *page, const struct bad *bad)
{
	struct fuse_famfs_simple_ext *ext = (void *)(page->map + 1);

	ext[1] = ext[0];
}

static void patch(struct fmap_page *page, const struct bad *bad)
{
	memcpy((char *)page->map + bad->at, &bad->value, bad->width);
}

static void spoil(struct fmap_page *page, const void *arg)
{
	const struct bad *bad = arg;

	if (!page->in->offset)
		return;
	if (bad->fn)
		bad->fn(page, bad);
	else
		patch(page, bad);
}

static const struct bad bads[] = {
	{ "version", HDR(fmap_version), 2, 2 },
	{ "file type", HDR(file_type), 1, 3 },
	{ "extent type", HDR(ext_type), 4, 2 },
	{ "other extent type", HDR(ext_type), 4, 1 },
	{ "header reserved", HDR(reserved), 1, 1 },
	{ "fewer extents", HDR(nextents), 4, 1 },
	{ "more extents", HDR(nextents), 4, 3 },
	{ "most extents", HDR(nextents), 4, ~0U },
	{ "extents that are not counted", HDR(nextents), 4, 0 },
	{ "message size less", HDR(fmap_size), 4, 79 },
	{ "message size more", HDR(fmap_size), 4, 81 },

	{ "file grows by a byte", HDR(file_size), 8, SIZE + 1 },
	{ "file grows by a page", HDR(file_size), 8, SIZE + PG },
	{ "file shrinks by a byte", HDR(file_size), 8, SIZE - 1 },
	{ "file ends here", HDR(file_size), 8, NEXT },
	{ "file is empty", HDR(file_size), 8, 0 },
	{ "file size sign", HDR(file_size), 8, 1ULL << 63 },
	{ "file size most", HDR(file_size), 8, ~0ULL },

	{ "map ends short", HDR(next_offset), 8, 0 },
	{ "next odd", HDR(next_offset), 8, NEXT + 1 },
	{ "next sector", HDR(next_offset), 8, NEXT + 512 },
	{ "next leaves a hole", HDR(next_offset), 8, NEXT + PG },
	{ "next overlaps", HDR(next_offset), 8, NEXT - PG },
	{ "next is here", HDR(next_offset), 8, BAD },
	{ "next is back", HDR(next_offset), 8, 2 * MB },
	{ "next is behind the file", HDR(next_offset), 8, SIZE + MB },
	{ "next sign", HDR(next_offset), 8, 1ULL << 63 },
	{ "next most", HDR(next_offset), 8, -PG },

	{ "extent reserved", EXT(0, reserved), 4, 1 },
	{ "last reserved", EXT(1, reserved), 4, 1U << 31 },
	{ "offset odd", EXT(0, se_offset), 8, 12 * MB + 1 },
	{ "offset overflows", EXT(1, se_offset), 8, -PG },
	{ "offset beyond", EXT(0, se_offset), 8, 1ULL << 44 },
	{ "length odd", EXT(0, se_len), 8, MB + 1 },
	{ "length 0", EXT(1, se_len), 8, 0 },
	{ "length short", EXT(1, se_len), 8, MB - PG },
	{ "length long", EXT(1, se_len), 8, MB + PG },
	{ "length overflows", EXT(0, se_len), 8, -PG },
	{ "device unknown", EXT(1, se_devindex), 4, 63 },
	{ "device 64", EXT(0, se_devindex), 4, 64 },
	{ "device most", EXT(1, se_devindex), 4, ~0U },

	{ "bytes twice in a page", .fn = repeat_extent },
	{ "bytes of the first page", EXT(0, se_offset), 8, 20 * MB },
	{ "first page of its bytes", EXT(0, se_offset), 8, 19 * MB + PG },
	{ "last page of its bytes", EXT(0, se_offset), 8, 21 * MB - PG },
	{ "bytes of another file", EXT(0, se_offset), 8, OTHERS },
	{ "a page of another file", EXT(0, se_offset), 8, OTHERS - MB + PG },

	{ "points to itself", .fn = redirect, .value = 0 },
	{ "points forward", .fn = redirect, .value = PG },
	{ "points far forward", .fn = redirect, .value = 1ULL << 62 },
	{ "points back by a byte", .fn = redirect, .value = -1 },
	{ "points back again and again", .fn = redirect, .value = -PG },
	{ "points to what is known", .fn = redirect_once, .value = PG },
	{ "points to what ends there", .fn = redirect_once, .value = 2 * MB },
	{ "points to the end", .fn = redirect_once, .value = 0 },

	{ "wants room for ever", .fn = want_room, .value = PG },
	{ "wants a byte more", .fn = want_room, .value = 1 },
	{ "wants what it has", .fn = want_room, .value = 0 },
	{ "wants the most", .fn = want_room, .width = 4,
	  .value = FUSE_FMAP_MAX_MSG },
	{ "wants too much", .fn = want_room, .width = 4, .value = ~0U },
	{ "no message", .fn = cut_off, .value = 0 },
	{ "cut in the header", .fn = cut_off_quietly, .value = 31 },
	{ "cut behind the header", .fn = cut_off_quietly, .value = 32 },
	{ "cut in an extent", .fn = cut_off_quietly, .value = 79 },
	{ "a byte behind it", .fn = append, .value = 1 },
	{ "bytes behind it", .fn = append, .value = 1000 },
	{ "more than there is room", .fn = cut_off, .value = PG + 8 },

	{ "EACCES", .fn = fail, .value = EACCES },
	{ "ENODATA", .fn = fail, .value = ENODATA },
	{ "ENOENT", .fn = fail, .value = ENOENT },
	{ "E2BIG", .fn = fail, .value = E2BIG },
	{ "ENOMEM", .fn = fail, .value = ENOMEM },
	{ "EINTR", .fn = fail, .value = EINTR },
	{ "EAGAIN", .fn = fail, .value = EAGAIN },
	{ "ESTALE", .fn = fail, .value = ESTALE },
	{ "ENOTCONN", .fn = fail, .value = ENOTCONN },
};

FIXTURE(paging_bad)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	int fd;
	char *map;
};

FIXTURE_SETUP(paging_bad)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	ASSERT_EQ(0, fmap_fill_devices(&other, 2));
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &layout);
	self->p->max_exts = 2;
	fmap_server_mapped(self->s, "other", &other);
	ASSERT_EQ(0, fmap_server_mount(self->s));
	ASSERT_EQ(0, fmap_try_open(self->s, "other", O_RDWR));
}

FIXTURE_TEARDOWN(paging_bad)
{
	fmap_server_free(self->s);
}

static bool open_file(FIXTURE_DATA(paging_bad) * self)
{
	self->fd = fmap_open(self->s, "file", O_RDWR);
	self->map = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);

	return self->fd >= 0 && self->map != MAP_FAILED;
}

static bool close_file(FIXTURE_DATA(paging_bad) * self)
{
	munmap(self->map, SIZE);
	close(self->fd);

	return fmap_forget(self->s, &self->s->file[0]);
}

/* The bytes of seed 1 at @off, by read and by a mapping, or -errno */
static int is_right(FIXTURE_DATA(paging_bad) * self, uint64_t off)
{
	char want[100], got[100];

	fmap_fill(want, sizeof(want), 1, off);
	if (pread(self->fd, got, sizeof(got), off) != sizeof(got))
		return -errno;
	if (memcmp(want, got, sizeof(want)))
		return -EILSEQ;
	if (fmap_sigbus(self->map + off, false))
		return -EFAULT;

	return memcmp(want, self->map + off, sizeof(want)) ? -EILSEQ : 0;
}

static const struct {
	const char *name;
	fmap_way way;
	uint64_t off;
	int error;
} ways[] = {
	{ "read", fmap_by_read, BAD + 5000, EIO },
	{ "write", fmap_by_write, BAD + MB, EIO },
	{ "load", fmap_by_load, BAD, EFAULT },
	{ "store", fmap_by_store, NEXT - 1, EFAULT },
	{ "load by the kernel", fmap_by_kernel, BAD + MB, EFAULT },
};

struct try {
	int fd;
	unsigned int way;
};

static int try_way(void *arg)
{
	struct try *try = arg;

	return ways[try->way].way(try->fd, ways[try->way].off);
}

/* Each way to touch the bad page must fail, and soon */
static void check_fails(struct __test_metadata *_metadata,
			FIXTURE_DATA(paging_bad) * self, const char *name)
{
	unsigned int before, i;
	struct try try = { .fd = self->fd };

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		before = self->p->nr_asked;
		try.way = i;
		EXPECT_EQ(ways[i].error,
			  fmap_exit_soon(fmap_start(try_way, &try)))
			TH_LOG("%s: %s", name, ways[i].name);
		EXPECT_GE(before + MOST_REQUESTS, self->p->nr_asked)
			TH_LOG("%s: %s", name, ways[i].name);
	}
}

TEST_F_TIMEOUT(paging_bad, each_broken_once, 240)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bads); i++) {
		const char *name = bads[i].name;

		ASSERT_TRUE(open_file(self)) TH_LOG("%s", name);
		self->p->spoil_arg = &bads[i];
		self->p->spoil = spoil;
		check_fails(_metadata, self, name);
		EXPECT_EQ(0, is_right(self, MB + 77)) TH_LOG("%s", name);
		EXPECT_EQ(0, fmap_check_file(self->s, "other", MB, 2))
			TH_LOG("%s", name);

		self->p->spoil = NULL;
		EXPECT_EQ(0, is_right(self, BAD + 5000)) TH_LOG("%s", name);
		EXPECT_EQ(0, is_right(self, NEXT - PG)) TH_LOG("%s", name);
		EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1))
			TH_LOG("%s", name);
		EXPECT_TRUE(close_file(self)) TH_LOG("%s", name);
	}
}

FMAP_TEST_MAIN
