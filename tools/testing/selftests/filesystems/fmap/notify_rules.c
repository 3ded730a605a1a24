// SPDX-License-Identifier: GPL-2.0
/* Notifications about maps that are refused, each with its errno, change nothing */
#include <string.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 2 * PG)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 2 * PG),
};

static const struct fmap_ext to_ext[] = {
	FMAP_SIMPLE(DEV1, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV0, 0, 2 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);
static const struct fmap_layout to = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						 SIZE, to_ext);

FIXTURE(notify_rules)
{
	struct fmap_server *s;
	uint64_t nodeid;
	int fd;
	char *p;
	struct fmap_notice n;
};

FIXTURE_SETUP(notify_rules)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	ASSERT_EQ(0, fmap_fill_devices(&to, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->nodeid = self->s->file[0].nodeid;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch(self->p, SIZE, PG, false);
}

/* Nothing was unmapped, dropped or replaced, nothing is to be asked */
FIXTURE_TEARDOWN(notify_rules)
{
	EXPECT_EQ(SIZE / PG, fmap_pages(self->p, SIZE, PAGE_IS_PRESENT));
	EXPECT_EQ(1, fmap_seed_of(self->p, SIZE, 0));
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* Both notifications begin with the same body */
static int send_as(FIXTURE_DATA(notify_rules) * self, int code, size_t len)
{
	self->n.code = code;
	self->n.len = len;
	return fmap_notice_send(self->s, &self->n);
}

static int inval(FIXTURE_DATA(notify_rules) * self)
{
	return send_as(self, FUSE_NOTIFY_INVAL_FMAP, sizeof(self->n.fmap));
}

TEST_F(notify_rules, range_of_an_invalidation)
{
	static const struct {
		uint64_t off, len;
	} bad[] = {
		{ 1, 0 }, { PG - 1, PG }, { 8, PG }, { 0, 1 }, { 0, PG + 8 },
		{ PG, PG / 2 }, { 1ULL << 63 | 1, 0 }, { 0, -1ULL },
		{ -PG, 2 * PG }, { 2 * PG, -PG },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fmap_notice_inval(&self->n, self->nodeid, bad[i].off,
				  bad[i].len);
		EXPECT_EQ(-EINVAL, inval(self)) TH_LOG("%u", i);
	}
}

TEST_F(notify_rules, reserved_field)
{
	fmap_notice_inval(&self->n, self->nodeid, 0, 0);
	self->n.fmap.reserved = 1;
	EXPECT_EQ(-EINVAL, inval(self));
	self->n.fmap.reserved = 1ULL << 63;
	EXPECT_EQ(-EINVAL, inval(self));
	fmap_notice_store(&self->n, self->nodeid, 0, &to);
	self->n.fmap.reserved = 1;
	EXPECT_EQ(-EINVAL, fmap_notice_send(self->s, &self->n));
}

TEST_F(notify_rules, length_of_the_message)
{
	size_t len;

	fmap_notice_store(&self->n, self->nodeid, 0, &to);
	len = self->n.len;
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, len - 1));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, len - 24));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, len + 24));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, 0));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, 31));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, 32));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, 63));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_STORE_FMAP, 64));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_INVAL_FMAP, len));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_INVAL_FMAP, 0));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_INVAL_FMAP, 31));
	EXPECT_EQ(-EINVAL, send_as(self, FUSE_NOTIFY_INVAL_FMAP, 33));
}

TEST_F(notify_rules, file_that_the_kernel_does_not_have)
{
	struct fmap_file *f = fmap_server_file(self->s, "unseen", PG);

	EXPECT_EQ(-ENOENT, fmap_inval(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(-ENOENT, fmap_inval(self->s, 0, 0, 0));
	EXPECT_EQ(-ENOENT, fmap_inval(self->s, -1ULL, 0, 0));
	EXPECT_EQ(-ENOENT, fmap_inval_inode(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(-ENOENT, fmap_store(self->s, f->nodeid, 0, &to));
	EXPECT_EQ(-ENOENT, fmap_store(self->s, -1ULL, 0, &to));
}

TEST_F(notify_rules, folder)
{
	EXPECT_EQ(-EINVAL, fmap_inval(self->s, FUSE_ROOT_ID, 0, 0));
	EXPECT_EQ(-EINVAL, fmap_store(self->s, FUSE_ROOT_ID, 0, &to));
}

TEST_F(notify_rules, special_file)
{
	struct fmap_file *f = fmap_server_file(self->s, "pipe", 0);
	char path[128];

	f->mode = S_IFIFO | 0644;
	snprintf(path, sizeof(path), "%s/pipe", self->s->dir);
	ASSERT_EQ(0, access(path, F_OK));
	EXPECT_EQ(-EINVAL, fmap_inval(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(-EINVAL, fmap_store(self->s, f->nodeid, 0, &to));
}

TEST_F(notify_rules, range_of_a_store)
{
	static const struct {
		uint64_t off, len;
	} bad[] = {
		{ 0, PG }, { 0, SIZE - PG }, { 0, SIZE + PG }, { 0, 1 },
		{ 0, SIZE - 1 }, { 0, 1ULL << 63 }, { 1, 0 }, { 8, SIZE },
		{ -PG, 0 }, { 1ULL << 63, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fmap_notice_store(&self->n, self->nodeid, bad[i].off, &to);
		self->n.fmap.length = bad[i].len;
		EXPECT_EQ(-EINVAL, fmap_notice_send(self->s, &self->n))
			TH_LOG("%u", i);
	}
}

/* The rules of a GET_FMAP reply: map_rules.c knows them all */
TEST_F(notify_rules, map_of_a_store)
{
	struct fmap_notice *n = &self->n;
	struct fuse_famfs_simple_ext *se = (void *)(&n->map + 1);

#define EXPECT_ERRNO(errno, spoil)					\
	do {								\
		fmap_notice_store(n, self->nodeid, 0, &to);		\
		spoil;							\
		EXPECT_EQ(-(errno), fmap_notice_send(self->s, n))	\
			TH_LOG(#spoil);					\
	} while (0)
#define EXPECT_INVALID(spoil)	EXPECT_ERRNO(EINVAL, spoil)

	EXPECT_INVALID(n->map.fmap_version = 2);
	EXPECT_INVALID(n->map.file_type = 77);
	EXPECT_INVALID(n->map.reserved = 1);
	EXPECT_INVALID(n->map.ext_type = 2);
	EXPECT_INVALID(n->map.nextents = 1);
	EXPECT_INVALID(n->map.nextents = 0);
	EXPECT_INVALID(n->map.nextents = 3);
	EXPECT_INVALID(n->map.nextents = -1U);
	EXPECT_INVALID(n->map.fmap_size += 24);
	EXPECT_INVALID(n->map.fmap_size = 32);
	EXPECT_INVALID(n->map.file_size = SIZE + 1);
	EXPECT_INVALID(n->map.file_size = -1ULL);
	EXPECT_ERRNO(EIO, n->map.next_offset = PG);
	EXPECT_ERRNO(EIO, n->map.next_offset = SIZE + PG);
	EXPECT_INVALID(n->map.next_offset = 1);
	EXPECT_INVALID(se->se_len = 0);
	EXPECT_INVALID(se->se_len = 5);
	EXPECT_INVALID(se->se_offset = 5);
	EXPECT_INVALID(se->se_offset = -PG);
	EXPECT_INVALID(se->reserved = 1);
	EXPECT_INVALID(se[1] = se[0]);
}

TEST_F(notify_rules, place_behind_the_end_of_a_device)
{
	struct fmap_notice *n = &self->n;
	struct fuse_famfs_simple_ext *se = (void *)(&n->map + 1);

	fmap_notice_store(n, self->nodeid, 0, &to);
	se->se_offset = fmap_dax_size(DEV1) - PG;
	EXPECT_EQ(-EINVAL, fmap_notice_send(self->s, n));
	se->se_offset = fmap_dax_size(DEV1);
	EXPECT_EQ(-EINVAL, fmap_notice_send(self->s, n));
}

TEST_F(notify_rules, device_that_is_not_known)
{
	struct fmap_notice *n = &self->n;
	struct fuse_famfs_simple_ext *se = (void *)(&n->map + 1);

	fmap_notice_store(n, self->nodeid, 0, &to);
	se->se_devindex = 7;
	EXPECT_EQ(-ENODEV, fmap_notice_send(self->s, n));
	se->se_devindex = FUSE_FMAP_MAX_DEVS;
	EXPECT_EQ(-ENODEV, fmap_notice_send(self->s, n));
	se->se_devindex = 7;
	/* The server could tell; it is not asked by what itself has sent */
	fmap_server_dev(self->s, 7, fmap_dax_node(1));
	EXPECT_EQ(-ENODEV, fmap_notice_send(self->s, n));
	EXPECT_EQ(2, self->s->count[FUSE_GET_DAXDEV]);
}

TEST_F(notify_rules, bytes_of_another_file)
{
	static const struct fmap_ext other_ext[] = {
		FMAP_SIMPLE(DEV1, 6 * MB - PG, 2 * PG),
	};
	static const struct fmap_layout other =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, other_ext);
	struct fmap_file *f = fmap_server_mapped(self->s, "other", &other);

	EXPECT_EQ(0, fmap_try_open(self->s, "other", O_RDWR));
	EXPECT_EQ(-EBUSY, fmap_store(self->s, self->nodeid, 0, &to));
	EXPECT_EQ(-EBUSY, fmap_store(self->s, f->nodeid, 0, &layout));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	self->s->count[FUSE_GET_FMAP]--;
}

TEST_F(notify_rules, maps_are_not_in_force)
{
	struct fmap_server *s;
	char path[128];

	s = fmap_test_serve(&(struct fmap_config) { .no_echo = true }, "file",
			    &layout);
	ASSERT_NE(NULL, s);
	snprintf(path, sizeof(path), "%s/file", s->dir);
	EXPECT_EQ(0, access(path, F_OK));
	EXPECT_EQ(-EOPNOTSUPP, fmap_inval(s, s->file[0].nodeid, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, fmap_store(s, s->file[0].nodeid, 0, &to));
	EXPECT_EQ(0, fmap_inval_inode(s, s->file[0].nodeid, 0, 0));
	fmap_server_free(s);
}

/* It has no map to lose; what is in the page cache is not a map */
TEST_F(notify_rules, ordinary_file)
{
	struct fmap_file *f = fmap_server_file(self->s, "plain", PG);
	int fd = fmap_open(self->s, "plain", O_RDWR);
	unsigned int reads;
	char buf[PG];

	ASSERT_LE(0, fd);
	ASSERT_EQ(PG, read(fd, buf, PG));
	reads = self->s->count[FUSE_READ];
	EXPECT_EQ(-EBUSY, fmap_store(self->s, f->nodeid, 0, &to));
	EXPECT_EQ(0, fmap_inval(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(PG, pread(fd, buf, PG, 0));
	EXPECT_EQ(reads, self->s->count[FUSE_READ]);
	EXPECT_EQ(0, fmap_inval_inode(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(PG, pread(fd, buf, PG, 0));
	EXPECT_LT(reads, self->s->count[FUSE_READ]);
	close(fd);
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	self->s->count[FUSE_GET_FMAP]--;
}

/* Nobody has opened it: there is nothing to drop, and it stays undecided */
TEST_F(notify_rules, file_that_was_never_opened)
{
	struct fmap_file *f = fmap_server_mapped(self->s, "new", &to);
	char path[128];

	snprintf(path, sizeof(path), "%s/new", self->s->dir);
	ASSERT_EQ(0, access(path, F_OK));
	EXPECT_EQ(0, fmap_inval(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_inval_inode(self->s, f->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "new", SIZE, 2));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	self->s->count[FUSE_GET_FMAP]--;
}

FMAP_TEST_MAIN
