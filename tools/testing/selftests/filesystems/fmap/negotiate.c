// SPDX-License-Identifier: GPL-2.0
/* Who is offered file maps, and that nothing changes for whoever is not */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "fmap_test.h"

static const struct fmap_ext one_ext[] = { FMAP_SIMPLE(DEV0, 0, 4 * PG) };
static const struct fmap_layout one = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  4 * PG, one_ext);

FIXTURE(negotiate)
{
	struct fmap_server *s;
};

FIXTURE_SETUP(negotiate)
{
	ASSERT_EQ(0, fmap_test_begin());
}

FIXTURE_TEARDOWN(negotiate)
{
	fmap_server_free(self->s);
}

static bool offered(struct fmap_server *s)
{
	return s->offered & FUSE_DAX_FMAP;
}

/* Is "file" served by requests, with the server's bytes and no map? */
static bool is_plain(struct fmap_server *s)
{
	int fd = fmap_open(s, "file", O_RDWR);
	unsigned char c = 0;
	bool plain;

	if (fd < 0)
		return false;
	plain = pread(fd, &c, 1, 77) == 1 && c == 77 &&
		s->count[FUSE_READ] && !s->count[FUSE_GET_FMAP];
	close(fd);

	return plain;
}

TEST_F(negotiate, offered_to_root_and_in_force_if_echoed)
{
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &one);
	ASSERT_NE(NULL, self->s);
	EXPECT_TRUE(offered(self->s));

	ASSERT_EQ(0, fmap_fill_devices(&one, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", one.size, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
}

TEST_F(negotiate, not_echoed_is_plain)
{
	self->s = fmap_test_serve(&(struct fmap_config) { .no_echo = true },
				  "file", &one);
	ASSERT_NE(NULL, self->s);
	EXPECT_TRUE(offered(self->s));
	EXPECT_TRUE(is_plain(self->s));
}

/* An echo of what was not offered changes nothing either */
TEST_F(negotiate, not_offered_without_rawio)
{
	self->s = fmap_test_serve(&(struct fmap_config) { .no_rawio = true },
				  "file", &one);
	ASSERT_NE(NULL, self->s);
	EXPECT_FALSE(offered(self->s));
	EXPECT_TRUE(is_plain(self->s));
}

TEST_F(negotiate, not_offered_to_a_user)
{
	self->s = fmap_test_serve(&(struct fmap_config) { .user_id = 1000 },
				  "file", &one);
	ASSERT_NE(NULL, self->s);
	EXPECT_FALSE(offered(self->s));
	EXPECT_TRUE(is_plain(self->s));
}

TEST_F(negotiate, truncation_comes_as_setattr)
{
	struct fmap_config cfg = { .init_flags = FUSE_ATOMIC_O_TRUNC };
	struct fmap_file *plain;

	self->s = fmap_test_serve(&cfg, "file", &one);
	ASSERT_NE(NULL, self->s);
	plain = fmap_server_file(self->s, "plain", 5000);

	EXPECT_EQ(0, fmap_try_open(self->s, "plain", O_RDWR | O_TRUNC));
	EXPECT_EQ(1, self->s->count[FUSE_SETATTR]);
	EXPECT_EQ(0, plain->size);
}

/* The counterpart: what the test above would see if maps changed nothing */
TEST_F(negotiate, truncation_in_open_if_not_echoed)
{
	struct fmap_config cfg = {
		.init_flags = FUSE_ATOMIC_O_TRUNC,
		.no_echo = true,
	};

	self->s = fmap_test_serve(&cfg, "file", &one);
	ASSERT_NE(NULL, self->s);

	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
	EXPECT_EQ(0, self->s->count[FUSE_SETATTR]);
}

FIXTURE(passthrough)
{
	struct fmap_server *s;
	struct fmap_file *plain;
	int backing;
};

FIXTURE_VARIANT(passthrough)
{
	bool no_echo;
};

FIXTURE_VARIANT_ADD(passthrough, with_maps) { .no_echo = false };
FIXTURE_VARIANT_ADD(passthrough, without_maps) { .no_echo = true };

/* A backing file that reads "backing", registered with the connection */
static int add_backing(struct fmap_server *s)
{
	char path[] = "/tmp/fmap.backing.XXXXXX";
	struct fuse_backing_map map = { .fd = mkstemp(path) };
	int dev, id = -1;

	if (map.fd < 0)
		return -1;
	unlink(path);
	dev = fmap_server_fd(s);
	if (write(map.fd, "backing", 7) == 7)
		id = ioctl(dev, FUSE_DEV_IOC_BACKING_OPEN, &map);
	close(dev);
	close(map.fd);

	return id;
}

FIXTURE_SETUP(passthrough)
{
	struct fmap_config cfg = {
		.init_flags = FUSE_PASSTHROUGH,
		.no_echo = variant->no_echo,
	};

	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&cfg, "file", &one);
	ASSERT_NE(NULL, self->s);
	if (!(self->s->offered & FUSE_PASSTHROUGH))
		SKIP(return, "needs CONFIG_FUSE_PASSTHROUGH");

	self->backing = add_backing(self->s);
	ASSERT_GT(self->backing, 0);
	self->plain = fmap_server_file(self->s, "plain", 7);
	self->plain->open_flags = FOPEN_PASSTHROUGH;
	self->plain->backing_id = self->backing;
}

FIXTURE_TEARDOWN(passthrough)
{
	fmap_server_free(self->s);
}

TEST_F(passthrough, still_reads_the_backing_file)
{
	char buf[8] = "";
	int fd = fmap_open(self->s, "plain", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(7, read(fd, buf, 7));
	EXPECT_STREQ("backing", buf);
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	close(fd);
}

/* While it is passed through no map is asked for; once closed, one is */
TEST_F(passthrough, mapped_after_the_last_close)
{
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV1, 0, PG) };
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 100, ext);
	int fd = fmap_open(self->s, "plain", O_RDONLY);

	if (variant->no_echo) {
		close(fd);
		return;		/* nothing is asked for */
	}
	ASSERT_LE(0, fd);
	fmap_file_layout(self->s, self->plain, &l);
	ASSERT_EQ(0, fmap_fill_devices(&l, 3));
	EXPECT_EQ(0, fmap_try_open(self->s, "plain", O_RDONLY));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	close(fd);

	self->plain->open_flags = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "plain", 100, 3));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	self->plain->open_flags = FOPEN_PASSTHROUGH;
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "plain", O_RDONLY));
}

TEST_F(passthrough, refused_for_a_mapped_inode)
{
	struct fmap_file *f = &self->s->file[0];
	int fd;

	if (variant->no_echo)
		return;		/* no inode is mapped */
	ASSERT_EQ(0, fmap_fill_devices(&one, 2));
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);

	f->backing_id = self->backing;
	f->open_flags = FOPEN_PASSTHROUGH;
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "file", O_RDWR));
	f->open_flags = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", one.size, 2));
	close(fd);
}

FMAP_TEST_MAIN
