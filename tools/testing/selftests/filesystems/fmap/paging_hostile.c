// SPDX-License-Identifier: GPL-2.0
/* Servers whose pages contradict each other, or are noise; and first pages */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fmap_paging.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define EXTENTS		32
#define SIZE		(EXTENTS * MB)

/* They lie before the byte 33 MiB of both devices */
static void make_ext(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(i % 2, (EXTENTS - i / 2 * 2) * MB, MB);
}

/* What is on no page */
#define ELSEWHERE	(40 * MB)

static const struct fmap_layout layout =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, SIZE, EXTENTS, MB, make_ext);

FIXTURE(paging_hostile)
{
	struct fmap_server *s;
	struct fmap_paging *p;
};

FIXTURE_SETUP(paging_hostile)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "file", &layout);
	self->p->max_exts = 2;
	ASSERT_EQ(0, fmap_server_mount(self->s));
}

/* Whatever was said, the file is right as soon as the truth is told */
FIXTURE_TEARDOWN(paging_hostile)
{
	if (self->s) {
		self->p->spoil = NULL;
		EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	}
	fmap_server_free(self->s);
}

static bool holds(int fd, uint64_t off)
{
	char want[PG], got[PG];

	fmap_fill(want, PG, 1, off);

	return pread(fd, got, PG, off) == PG && !memcmp(want, got, PG);
}

static struct fuse_famfs_simple_ext *extents(struct fmap_page *page)
{
	return (void *)(page->map + 1);
}

/* Add what lies elsewhere to a page, though it is another page's part */
static void reach_too_far(struct fmap_page *page, const void *arg)
{
	uint32_t n = page->map->nextents++;

	extents(page)[n] = (struct fuse_famfs_simple_ext) {
		.se_devindex = DEV1, .se_offset = ELSEWHERE, .se_len = MB,
	};
	page->len += sizeof(struct fuse_famfs_simple_ext);
	page->map->fmap_size = page->len;
	page->map->next_offset += MB;
}

/* What is known stays, whatever a later page says of it */
TEST_F(paging_hostile, page_says_otherwise_of_what_is_known)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char *p = fmap_map_aligned(fd, SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(holds(fd, 6 * MB));
	self->p->spoil = reach_too_far;
	EXPECT_TRUE(holds(fd, 4 * MB));
	EXPECT_EQ(4 * MB, fmap_last_asked(self->p, 0)->in.offset);
	EXPECT_EQ(2 * MB, fmap_last_asked(self->p, 0)->in.length);
	self->p->spoil = NULL;
	EXPECT_TRUE(holds(fd, 6 * MB));
	EXPECT_TRUE(fmap_on_devices(&layout, 6 * MB, p + 6 * MB, 2 * MB));
	EXPECT_TRUE(fmap_on_devices(&layout, 4 * MB, p + 4 * MB, 2 * MB));
	munmap(p, SIZE);
	close(fd);
}

/* Nor does it own the bytes that it named for what is known */
TEST_F(paging_hostile, bytes_that_it_named_in_vain_are_free)
{
	struct fmap_ext ext = FMAP_SIMPLE(DEV1, ELSEWHERE, MB);
	struct fmap_layout l = {
		.type = FUSE_FAMFS_EXT_SIMPLE, .size = MB,
		.nextents = 1, .ext = &ext,
	};
	int fd = fmap_open(self->s, "file", O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(holds(fd, 6 * MB));
	self->p->spoil = reach_too_far;
	ASSERT_TRUE(holds(fd, 4 * MB));
	fmap_server_mapped(self->s, "other", &l);
	EXPECT_EQ(0, fmap_try_open(self->s, "other", O_RDONLY));
	close(fd);
}

/* What the answer to the open is, by its first page */
struct first {
	const char *name;
	void (*spoil)(struct fmap_page *page, const void *arg);
	uint64_t value;
	int error;
};

static void set_next(struct fmap_page *page, const void *arg)
{
	page->map->next_offset = ((const struct first *)arg)->value;
}

static void set_no_extents(struct fmap_page *page, const void *arg)
{
	page->map->nextents = 0;
	page->len = sizeof(*page->map);
	page->map->fmap_size = page->len;
	set_next(page, arg);
}

static void set_room(struct fmap_page *page, const void *arg)
{
	page->len = sizeof(*page->map);
	page->map->fmap_size = page->in->size +
			       ((const struct first *)arg)->value;
}

static void set_error(struct fmap_page *page, const void *arg)
{
	page->error = ((const struct first *)arg)->value;
}

static void set_device(struct fmap_page *page, const void *arg)
{
	extents(page)[1].se_devindex = ((const struct first *)arg)->value;
}

static void set_offset(struct fmap_page *page, const void *arg)
{
	extents(page)[1].se_offset = ((const struct first *)arg)->value;
	extents(page)[1].se_devindex = extents(page)[0].se_devindex;
}

static const struct first firsts[] = {
	{ "next odd", set_next, 2 * MB + 1, EINVAL },
	{ "next leaves a hole", set_next, 2 * MB + PG, EIO },
	{ "next overlaps", set_next, MB, EIO },
	{ "next is far", set_next, 1ULL << 62, EIO },
	{ "map ends short", set_next, 0, EINVAL },
	{ "no extents, no more", set_no_extents, 0, EINVAL },
	{ "no extents, next forward", set_no_extents, PG, EIO },
	{ "no extents, next far", set_no_extents, 1ULL << 62, EIO },
	{ "no extents, next odd", set_no_extents, 1, EINVAL },
	{ "wants room for ever", set_room, PG, EIO },
	{ "wants too much", set_room, FUSE_FMAP_MAX_MSG, EFBIG },
	{ "device unknown", set_device, 63, ENODEV },
	{ "device 64", set_device, 64, ENODEV },
	{ "bytes twice", set_offset, EXTENTS * MB, EINVAL },
	{ "bytes of no device", set_offset, 1ULL << 44, EINVAL },
	{ "EACCES", set_error, EACCES, EACCES },
	{ "EINTR", set_error, EINTR, EINTR },
	{ "ESTALE", set_error, ESTALE, ESTALE },
};

TEST_F(paging_hostile, first_page)
{
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(firsts); i++) {
		const char *name = firsts[i].name;

		self->p->spoil_arg = &firsts[i];
		self->p->spoil = firsts[i].spoil;
		EXPECT_EQ(-firsts[i].error,
			  fmap_try_open(self->s, "file", O_RDWR))
			TH_LOG("%s", name);
		self->p->spoil = NULL;
		fd = fmap_open(self->s, "file", O_RDWR);
		ASSERT_LE(0, fd) TH_LOG("%s", name);
		EXPECT_TRUE(holds(fd, 8 * MB)) TH_LOG("%s", name);
		close(fd);
		EXPECT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	}
}

static void refuse_later(struct fmap_page *page, const void *arg)
{
	if (page->in->offset)
		page->error = ENOSYS;
}

/* A server that knows no maps any more need not be asked again */
TEST_F(paging_hostile, request_is_not_known_any_more)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char c;

	ASSERT_LE(0, fd);
	self->p->spoil = refuse_later;
	EXPECT_EQ(-1, pread(fd, &c, 1, 9 * MB));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(holds(fd, MB));
	close(fd);
	fmap_server_free(self->s);
	self->s = NULL;
}

/* The parts of a message that must be just what they are */
static size_t exact_byte(unsigned int r)
{
	static const struct { size_t at, len; } exact[] = {
		{ offsetof(struct fuse_famfs_fmap_header, reserved), 31 },
		{ 32 + offsetof(struct fuse_famfs_simple_ext, reserved), 4 },
		{ 32 + offsetof(struct fuse_famfs_simple_ext, se_len), 8 },
		{ 56 + offsetof(struct fuse_famfs_simple_ext, reserved), 4 },
		{ 56 + offsetof(struct fuse_famfs_simple_ext, se_len), 8 },
	};
	unsigned int i = r % ARRAY_SIZE(exact);

	return exact[i].at + r / ARRAY_SIZE(exact) % exact[i].len;
}

/* Two of three pages have a wrong bit; but what the last may say is less exact */
static void flip_bit(struct fmap_page *page, const void *arg)
{
	static atomic_uint count;
	unsigned int r = count++ * 2654435761U >> 4;

	if (page->in->offset && page->map->next_offset && r % 3)
		((char *)page->map)[exact_byte(r / 3)] ^= 1 << (r >> 8 & 7);
}

/* Read and load all over the file: 0 if each byte was right or an error */
static int use_at_random(struct fmap_server *s, unsigned int seed)
{
	int fd = fmap_open(s, "file", O_RDONLY);
	char *p = fmap_map_aligned(fd, SIZE, PROT_READ, MAP_SHARED);
	char want[PG], got[PG];
	unsigned int i;

	if (fd < 0 || p == MAP_FAILED)
		return 1;
	for (i = 0; i < 200; i++) {
		uint64_t off = rand_r(&seed) % (SIZE / PG) * PG;
		ssize_t ret;

		fmap_fill(want, PG, 1, off);
		if (i % 2 && !fmap_sigbus(p + off, false) &&
		    memcmp(want, p + off, PG))
			return 2;
		ret = pread(fd, got, PG, off);
		if (ret < 0 ? errno != EIO : memcmp(want, got, ret))
			return 3;
	}

	return 0;
}

TEST_F_TIMEOUT(paging_hostile, noise, 120)
{
	int i, status;
	pid_t pid[4];

	self->p->max_exts = 1;
	ASSERT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	self->p->spoil = flip_bit;
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(use_at_random(self->s, i));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_LT(EXTENTS, self->p->nr_asked);
}

FMAP_TEST_MAIN
