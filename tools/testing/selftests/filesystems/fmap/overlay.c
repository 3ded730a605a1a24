// SPDX-License-Identifier: GPL-2.0
/* overlayfs above: mapped files as its lower layer, not as its upper one */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 7)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(overlay)
{
	struct fmap_server *s;
	char base[64];		/* a tmpfs with upper, work and view */
	char view[96];		/* the file as overlayfs shows it */
};

static int make_dir(const char *base, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return mkdir(path, 0755);
}

/* 0 or -errno */
static int mount_overlay(const char *base, const char *lower,
			 const char *upper, const char *work)
{
	char opts[320], view[96];

	snprintf(opts, sizeof(opts), "lowerdir=%s,upperdir=%s,workdir=%s",
		 lower, upper, work);
	snprintf(view, sizeof(view), "%s/view", base);

	return mount("overlay", view, "overlay", 0, opts) ? -errno : 0;
}

FIXTURE_SETUP(overlay)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	snprintf(self->base, sizeof(self->base), "/tmp/fmap.over.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->base));
	ASSERT_EQ(0, mount("tmpfs", self->base, "tmpfs", 0, NULL));
	ASSERT_EQ(0, make_dir(self->base, "upper"));
	ASSERT_EQ(0, make_dir(self->base, "work"));
	ASSERT_EQ(0, make_dir(self->base, "view"));
	snprintf(self->view, sizeof(self->view), "%s/view/file", self->base);
}

FIXTURE_TEARDOWN(overlay)
{
	char view[96];

	snprintf(view, sizeof(view), "%s/view", self->base);
	umount2(view, MNT_DETACH);
	umount2(self->base, MNT_DETACH);
	rmdir(self->base);
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	fmap_server_free(self->s);
}

/* Our mount below, a tmpfs above */
static int mount_above(const char *base, const char *lower)
{
	char upper[96], work[96];

	snprintf(upper, sizeof(upper), "%s/upper", base);
	snprintf(work, sizeof(work), "%s/work", base);

	return mount_overlay(base, lower, upper, work);
}

TEST_F(overlay, reads_and_maps_the_lower_file)
{
	unsigned int before;
	struct stat st;
	char *p;
	int fd;

	ASSERT_EQ(0, mount_above(self->base, self->s->dir));
	fd = open(self->view, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));

	p = fmap_map_aligned(fd, SIZE, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	before = fmap_server_requests(self->s);
	EXPECT_EQ(1, fmap_touch(p, 2 * MB, PG, false).minor);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, p, SIZE));
	EXPECT_EQ(before, fmap_server_requests(self->s));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	munmap(p, SIZE);
	close(fd);
}

/* A store into a private mapping is nobody else's business */
TEST_F(overlay, private_mapping)
{
	char *p, want;
	int fd;

	ASSERT_EQ(0, mount_above(self->base, self->s->dir));
	fd = open(self->view, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	p = fmap_map(fd, SIZE, RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, p);
	want = p[MB];
	p[MB] = want + 1;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	munmap(p, SIZE);
	close(fd);
}

/* The first write makes a copy above, which is the file from then on */
TEST_F(overlay, write_copies_up)
{
	char got[4] = "", *p;
	int fd, lower;

	ASSERT_EQ(0, mount_above(self->base, self->s->dir));
	fd = open(self->view, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	EXPECT_EQ(3, pwrite(fd, "abc", 3, MB));
	p = fmap_map(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, memcmp(p + MB, "abc", 3));
	p[0] = 'd';
	munmap(p, SIZE);
	/* it is an ordinary file there, with any size */
	EXPECT_EQ(0, ftruncate(fd, 10));
	EXPECT_EQ(1, pread(fd, got, 1, 0));
	EXPECT_EQ('d', got[0]);
	close(fd);

	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	lower = fmap_open(self->s, "file", O_RDWR);
	EXPECT_EQ(-1, ftruncate(lower, 10));
	EXPECT_EQ(EPERM, errno);
	close(lower);
}

TEST_F(overlay, truncating_open_leaves_the_lower_file)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, mount_above(self->base, self->s->dir));
	fd = open(self->view, O_RDWR | O_TRUNC | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	close(fd);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

TEST_F(overlay, removal_leaves_the_lower_file)
{
	ASSERT_EQ(0, mount_above(self->base, self->s->dir));
	EXPECT_EQ(0, unlink(self->view));
	EXPECT_EQ(-1, open(self->view, O_RDONLY));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, self->s->count[FUSE_UNLINK]);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* overlayfs takes no file system that asks a server about names */
TEST_F(overlay, not_as_the_upper_layer)
{
	char lower[96];

	snprintf(lower, sizeof(lower), "%s/upper", self->base);
	EXPECT_EQ(-EINVAL, mount_overlay(self->base, lower, self->s->dir,
					 self->s->dir));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

FMAP_TEST_MAIN
