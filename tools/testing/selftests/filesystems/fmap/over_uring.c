// SPDX-License-Identifier: GPL-2.0
/* A server that is asked by io_uring: maps come that way, too */
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>

#include "fmap_check.h"
#include "fmap_paging.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 2 * PG)
#define ENABLE		"/sys/module/fuse/parameters/enable_uring"

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 2 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

/* Extents that do not touch, as many as @n: more than the first reply holds */
#define MANY		6000

static struct fmap_ext many_ext[MANY];

static struct fmap_layout many(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		many_ext[i].run[0] = (struct fmap_run) {
			.dev = DEV1, .off = MB + 2 * i * PG, .len = PG,
		};

	return (struct fmap_layout) {
		.type = FUSE_FAMFS_EXT_SIMPLE,
		.size = n * PG,
		.nextents = n,
		.ext = many_ext,
	};
}

FIXTURE(over_uring)
{
	struct fmap_server *s;
	char was;
};

/* What the module parameter was: 'Y' or 'N', or 0 if there is none */
static char set_enabled(char value)
{
	int fd = open(ENABLE, O_RDWR | O_CLOEXEC);
	char was = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &was, 1, 0) != 1 || pwrite(fd, &value, 1, 0) != 1)
		was = 0;
	close(fd);

	return was;
}

FIXTURE_SETUP(over_uring)
{
	struct fmap_config cfg = { .init_flags = FUSE_OVER_IO_URING };

	ASSERT_EQ(0, fmap_test_begin());
	self->was = set_enabled('Y');
	if (!self->was)
		SKIP(return, "needs CONFIG_FUSE_IO_URING");
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_TRUE(self->s->offered & FUSE_OVER_IO_URING);
	ASSERT_TRUE(self->s->offered & FUSE_DAX_FMAP);
}

FIXTURE_TEARDOWN(over_uring)
{
	if (self->s)
		fmap_server_umount(self->s, 0);
	fmap_server_free(self->s);
	if (self->was)
		set_enabled(self->was);
}

TEST_F(over_uring, maps_and_devices_come_that_way)
{
	unsigned int before;
	char *p;
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->by_uring[FUSE_GET_FMAP]);
	EXPECT_EQ(2, self->s->by_uring[FUSE_GET_DAXDEV]);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));

	EXPECT_EQ(3, pwrite(fd, "abc", 3, 2 * MB - 1));
	before = fmap_server_requests(self->s);
	p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(1, fmap_touch(p, 2 * MB, PG, true).minor);
	EXPECT_EQ(3, pwrite(fd, "abc", 3, 2 * MB - 1));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, p, SIZE));
	EXPECT_EQ(before, fmap_server_requests(self->s));
	munmap(p, SIZE);
	close(fd);
}

/* They go to /dev/fuse, and what the kernel asks because of them comes by ring */
TEST_F(over_uring, notifications)
{
	static const struct fmap_ext to_ext[] = {
		FMAP_SIMPLE(DEV1, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV0, 0, 2 * PG),
	};
	static const struct fmap_layout to = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
							 SIZE, to_ext);
	struct fmap_file *f = &self->s->file[0];
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_fill_devices(&to, 2));
	EXPECT_EQ(1, fmap_read_seed(fd, 0, SIZE));
	fmap_file_layout(self->s, f, &to);
	EXPECT_EQ(0, fmap_inval(self->s, f->nodeid, PG, PG));
	EXPECT_EQ(1, fmap_read_seed(fd, 0, PG));
	EXPECT_EQ(2, fmap_read_seed(fd, PG, PG));
	EXPECT_EQ(2, self->s->by_uring[FUSE_GET_FMAP]);
	EXPECT_EQ(0, fmap_store(self->s, f->nodeid, 0, &to));
	EXPECT_EQ(2, fmap_read_seed(fd, 0, SIZE));
	EXPECT_EQ(0, fmap_inval_inode(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(2, fmap_read_seed(fd, 0, SIZE));
	EXPECT_EQ(3, self->s->by_uring[FUSE_GET_FMAP]);
	EXPECT_EQ(3, self->s->count[FUSE_GET_FMAP]);
	close(fd);
}

TEST_F(over_uring, ordinary_files_beside)
{
	unsigned char buf[16];
	int fd;

	fmap_server_file(self->s, "plain", 3 * PG);
	fd = fmap_open(self->s, "plain", O_RDWR | O_DIRECT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(16, pread(fd, buf, 16, PG + 8));
	EXPECT_EQ(8, buf[0]);
	EXPECT_EQ(1, self->s->by_uring[FUSE_READ]);
	close(fd);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* It is told its size first, and fetched by a second request */
TEST_F(over_uring, map_longer_than_the_first_room)
{
	struct fmap_layout l = many(1000);

	fmap_server_mapped(self->s, "many", &l);
	ASSERT_EQ(0, fmap_fill_devices(&l, 4));
	EXPECT_EQ(0, fmap_check_file(self->s, "many", l.size, 4));
	EXPECT_EQ(2, self->s->by_uring[FUSE_GET_FMAP]);
}

/* A reply is at most as long as one to a READ: more need not be asked for */
TEST_F(over_uring, map_longer_than_any_reply)
{
	struct fmap_layout l = many(MANY);

	fmap_server_mapped(self->s, "many", &l);
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "many", O_RDWR));
	EXPECT_EQ(1, self->s->by_uring[FUSE_GET_FMAP]);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

TEST_F(over_uring, errors_and_no_map)
{
	struct fmap_file *f = &self->s->file[0];

	f->fmap_error = EACCES;
	EXPECT_EQ(-EACCES, fmap_try_open(self->s, "file", O_RDWR));
	f->fmap_error = ENODATA;
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(-EILSEQ, fmap_check_file(self->s, "file", SIZE, 1));
	f->fmap_error = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* The file outlives its server, however that was asked */
TEST_F(over_uring, death_of_the_server)
{
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	fmap_server_kill(self->s);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	close(fd);
	EXPECT_GT(0, fmap_try_open(self->s, "file", O_RDWR));
}

/* Maps that come in pages, by the ring and beside it */
#define RING_ROOM	(128 * KB)

FIXTURE(paged)
{
	struct fmap_server *s;
	struct fmap_paging *p;
	struct fmap_layout l;
	char was;
};

FIXTURE_VARIANT(paged)
{
	uint64_t init_flags;
	uint32_t room;		/* the most that is offered */
};

FIXTURE_VARIANT_ADD(paged, over_uring) {
	.init_flags = FUSE_OVER_IO_URING, .room = RING_ROOM,
};

FIXTURE_VARIANT_ADD(paged, by_dev_fuse) { .room = 256 * KB };

FIXTURE_SETUP(paged)
{
	struct fmap_config cfg = { .init_flags = variant->init_flags };

	ASSERT_EQ(0, fmap_test_begin());
	self->was = set_enabled('Y');
	if (!self->was)
		SKIP(return, "needs CONFIG_FUSE_IO_URING");
	self->l = many(MANY);
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->p = fmap_server_paged(self->s, "many", &self->l);
}

FIXTURE_TEARDOWN(paged)
{
	if (self->s)
		fmap_server_umount(self->s, 0);
	fmap_server_free(self->s);
	if (self->was)
		set_enabled(self->was);
}

/* The room grows until the ring has no more: 4, 16, 64, 128 KiB, or 256 KiB */
TEST_F(paged, map_larger_than_the_ring)
{
	uint32_t most = 0;
	unsigned int i;

	ASSERT_EQ(0, fmap_fill_devices(&self->l, 5));
	EXPECT_EQ(0, fmap_check_file(self->s, "many", self->l.size, 5));
	EXPECT_EQ(4, self->p->nr_asked);
	for (i = 0; i < self->p->nr_asked; i++)
		if (self->p->asked[i].in.size > most)
			most = self->p->asked[i].in.size;
	EXPECT_EQ(variant->room, most);
	EXPECT_EQ(variant->init_flags ? 4 : 0,
		  self->s->by_uring[FUSE_GET_FMAP]);
}

/* An extent each time: nothing is lost between so many requests */
TEST_F(paged, extent_by_extent)
{
	self->p->l.nextents = 500;
	self->p->l.size = 500 * PG;
	self->p->bytes = 500 * PG;
	self->p->max_exts = 1;
	self->s->file[1].size = 500 * PG;
	ASSERT_EQ(0, fmap_fill_devices(&self->p->l, 6));
	EXPECT_EQ(0, fmap_check_file(self->s, "many", 500 * PG, 6));
	EXPECT_EQ(500, self->p->nr_asked);
}

/* A place behind the end of the ring's room, and what is in front of it */
TEST_F(paged, in_no_order)
{
	static const unsigned int pages[] = { 5999, 3000, 0, 4500, 5998, 1500 };
	int fd = fmap_open(self->s, "many", O_RDWR);
	char want[PG], got[PG];
	unsigned int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_fill_devices(&self->l, 7));
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		fmap_fill(want, PG, 7, pages[i] * PG);
		EXPECT_EQ(PG, pread(fd, got, PG, pages[i] * PG));
		EXPECT_EQ(0, memcmp(want, got, PG));
	}
	for (i = 0; i < self->p->nr_asked; i++)
		EXPECT_GE(RING_ROOM, self->p->asked[i].in.size);
	close(fd);
}

/* A server that wants more room than the ring has cannot be helped */
static void want_more(struct fmap_page *page, const void *arg)
{
	if (!page->in->offset)
		return;
	page->len = sizeof(*page->map);
	page->map->fmap_size = RING_ROOM + 4 * KB;
}

TEST_F(paged, more_room_than_the_ring_has)
{
	int fd = fmap_open(self->s, "many", O_RDWR);
	char c;

	ASSERT_LE(0, fd);
	self->p->spoil = want_more;
	EXPECT_EQ(-1, pread(fd, &c, 1, 3000 * PG));
	EXPECT_EQ(EIO, errno);
	/* Asked once by the ring, and with the room it wants beside it */
	EXPECT_EQ(variant->init_flags ? 2 : 3, self->p->nr_asked);
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	self->p->spoil = NULL;
	EXPECT_EQ(1, pread(fd, &c, 1, 3000 * PG));
	close(fd);
}

FMAP_TEST_MAIN
