// SPDX-License-Identifier: GPL-2.0
/* Mounts that are not offered maps: on a block device, or of several parts */
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fmap_test.h"

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 0, 4 * PG) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     4 * PG, ext);

FIXTURE(not_offered)
{
	struct fmap_server *s;
	char loop[32];		/* "" if there is none */
};

FIXTURE_SETUP(not_offered)
{
	ASSERT_EQ(0, fmap_test_begin());
}

FIXTURE_TEARDOWN(not_offered)
{
	int fd;

	fmap_server_free(self->s);
	if (!self->loop[0])
		return;
	fd = open(self->loop, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(0, ioctl(fd, LOOP_CLR_FD, 0));
	close(fd);
}

/*
 * A loop device of 1 MiB: 0 or -errno. Its descriptor goes, as who has it open
 * for writing is in the way of a mount.
 */
static int make_loop(char *path, size_t size)
{
	int ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int nr = ioctl(ctl, LOOP_CTL_GET_FREE);
	int mem = memfd_create("loop", MFD_CLOEXEC);
	int fd, ret = 0;

	close(ctl);
	snprintf(path, size, "/dev/loop%d", nr);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (nr < 0 || fd < 0 || ftruncate(mem, MB) ||
	    ioctl(fd, LOOP_SET_FD, mem))
		ret = -errno;
	close(mem);
	close(fd);

	return ret;
}

static bool is_plain(struct fmap_server *s)
{
	int fd = fmap_open(s, "file", O_RDWR);
	unsigned char c = 0;
	bool plain;

	plain = fd >= 0 && pread(fd, &c, 1, 77) == 1 && c == 77 &&
		s->count[FUSE_READ] == 1 && !s->count[FUSE_GET_FMAP];
	close(fd);

	return plain;
}

TEST_F(not_offered, mount_of_a_block_device)
{
	struct fmap_config cfg = {
		.fstype = "fuseblk",
		.source = self->loop,
		.options = ",blksize=4096",
	};

	ASSERT_EQ(0, make_loop(self->loop, sizeof(self->loop)));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	EXPECT_FALSE(self->s->offered & FUSE_DAX_FMAP);
	EXPECT_TRUE(is_plain(self->s));
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

/* Submounts are virtiofs's: one is not made, and maps do not suffer from it */
TEST_F(not_offered, submounts_where_maps_are)
{
	struct fmap_config cfg = { .init_flags = FUSE_SUBMOUNTS };

	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	EXPECT_TRUE(self->s->offered & FUSE_DAX_FMAP);
	EXPECT_FALSE(self->s->offered & FUSE_SUBMOUNTS);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", layout.size, 1));
}

/* DAX of the other kind is no mount option here */
TEST_F(not_offered, mount_option_dax)
{
	struct fmap_config cfg = { .options = ",dax=always" };

	self->s = fmap_test_server(&cfg);
	ASSERT_NE(NULL, self->s);
	EXPECT_EQ(-EINVAL, fmap_server_mount(self->s));
}

FMAP_TEST_MAIN
