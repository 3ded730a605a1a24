// SPDX-License-Identifier: GPL-2.0
/* Devices that the server hands over by descriptor: FUSE_DEV_IOC_DAXDEV_OPEN */
#include <linux/capability.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "fmap_test.h"

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 0, PG), FMAP_SIMPLE(DEV1, 0, PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     2 * PG, ext);

FIXTURE(push)
{
	struct fmap_server *s;
	int dev;	/* the server's /dev/fuse */
	int dax[2];
};

FIXTURE_SETUP(push)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->dev = fmap_server_fd(self->s);
	self->dax[0] = open(fmap_dax_node(0), O_RDWR);
	self->dax[1] = open(fmap_dax_node(1), O_RDWR);
	ASSERT_LE(0, self->dev);
	ASSERT_LE(0, self->dax[0]);
	ASSERT_LE(0, self->dax[1]);
}

FIXTURE_TEARDOWN(push)
{
	close(self->dev);
	close(self->dax[0]);
	close(self->dax[1]);
	fmap_server_free(self->s);
}

/* What the ioctl returns, or -errno */
static int push(int dev, uint64_t index, int fd, uint32_t flags)
{
	struct fuse_backing_map map = {
		.fd = fd, .flags = flags, .padding = index,
	};
	int ret = ioctl(dev, FUSE_DEV_IOC_DAXDEV_OPEN, &map);

	return ret < 0 ? -errno : ret;
}

TEST_F(push, number_is_as_published)
{
	EXPECT_EQ(0x4010e504, FUSE_DEV_IOC_DAXDEV_OPEN);
}

TEST_F(push, success_is_1)
{
	EXPECT_EQ(1, push(self->dev, 0, self->dax[0], 0));
	EXPECT_EQ(1, push(self->dev, 1, self->dax[1], 0));
	EXPECT_EQ(1, push(self->dev, 0, self->dax[0], 0));
	EXPECT_EQ(1, push(self->dev, 63, self->dax[0], 0));
}

/* The descriptor may go, the device stays */
TEST_F(push, pushed_device_is_not_asked_for)
{
	ASSERT_EQ(1, push(self->dev, 0, self->dax[0], 0));
	ASSERT_EQ(1, push(self->dev, 1, self->dax[1], 0));
	close(self->dax[0]);
	close(self->dax[1]);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", layout.size, 1));
	EXPECT_EQ(0, self->s->count[FUSE_GET_DAXDEV]);
}

TEST_F(push, used_index_is_eexist)
{
	ASSERT_EQ(1, push(self->dev, 0, self->dax[0], 0));
	EXPECT_EQ(-EEXIST, push(self->dev, 0, self->dax[1], 0));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(1, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_EQ(-EEXIST, push(self->dev, 1, self->dax[0], 0));
	EXPECT_EQ(1, push(self->dev, 1, self->dax[1], 0));
}

TEST_F(push, bad_flags_and_indices)
{
	EXPECT_EQ(-EINVAL, push(self->dev, 0, self->dax[0], 1));
	EXPECT_EQ(-EINVAL, push(self->dev, 0, self->dax[0], 1U << 31));
	EXPECT_EQ(-EINVAL, push(self->dev, 64, self->dax[0], 0));
	EXPECT_EQ(-EINVAL, push(self->dev, 1ULL << 32, self->dax[0], 0));
	EXPECT_EQ(-EINVAL, push(self->dev, ~0ULL, self->dax[0], 0));
	EXPECT_EQ(1, push(self->dev, 0, self->dax[0], 0));
}

TEST_F(push, bad_descriptors)
{
	int null = open("/dev/null", O_RDWR);
	int dir = open("/", O_RDONLY | O_DIRECTORY);
	int path = open(fmap_dax_node(0), O_PATH);
	int ro = open(fmap_dax_node(0), O_RDONLY);
	int wo = open(fmap_dax_node(0), O_WRONLY);
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, push(self->dev, 0, -1, 0));
	EXPECT_EQ(-EBADF, push(self->dev, 0, 1000, 0));
	EXPECT_EQ(-EBADF, push(self->dev, 0, path, 0));
	EXPECT_EQ(-EINVAL, push(self->dev, 0, null, 0));
	EXPECT_EQ(-EINVAL, push(self->dev, 0, dir, 0));
	EXPECT_EQ(-EINVAL, push(self->dev, 0, pipes[0], 0));
	EXPECT_EQ(-EINVAL, push(self->dev, 0, self->dev, 0));
	EXPECT_EQ(-EACCES, push(self->dev, 0, ro, 0));
	EXPECT_EQ(-EACCES, push(self->dev, 0, wo, 0));
	EXPECT_EQ(1, push(self->dev, 0, self->dax[0], 0));
}

TEST_F(push, bad_pointer)
{
	EXPECT_EQ(-1, ioctl(self->dev, FUSE_DEV_IOC_DAXDEV_OPEN, NULL));
	EXPECT_EQ(EFAULT, errno);
}

static int set_rawio(bool on)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	uint32_t bit = 1U << CAP_SYS_RAWIO;

	if (syscall(SYS_capget, &hdr, data))
		return -1;
	data[0].effective = on ? data[0].effective | bit
			       : data[0].effective & ~bit;

	return syscall(SYS_capset, &hdr, data);
}

TEST_F(push, needs_the_capability)
{
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_EQ(-EPERM, push(self->dev, 0, self->dax[0], 0));
	ASSERT_EQ(0, set_rawio(true));
	EXPECT_EQ(1, push(self->dev, 0, self->dax[0], 0));
}

TEST_F(push, after_unmount)
{
	int ret;

	ASSERT_EQ(1, push(self->dev, 0, self->dax[0], 0));
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	ret = push(self->dev, 0, self->dax[0], 0);
	EXPECT_TRUE(ret == -ENODEV || ret == -ENOTCONN) TH_LOG("%d", ret);
	ret = push(self->dev, 1, self->dax[1], 0);
	EXPECT_TRUE(ret == -ENODEV || ret == -ENOTCONN) TH_LOG("%d", ret);
}

/* Another descriptor of the same connection does as well */
TEST_F(push, by_a_cloned_descriptor)
{
	int clone = open("/dev/fuse", O_RDWR);

	ASSERT_LE(0, clone);
	ASSERT_EQ(0, ioctl(clone, FUSE_DEV_IOC_CLONE, &self->dev));
	EXPECT_EQ(1, push(clone, 0, self->dax[0], 0));
	EXPECT_EQ(-EEXIST, push(self->dev, 0, self->dax[1], 0));
	close(clone);
	EXPECT_EQ(1, push(self->dev, 1, self->dax[1], 0));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(0, self->s->count[FUSE_GET_DAXDEV]);
}

TEST_F(push, before_mount)
{
	int dev = open("/dev/fuse", O_RDWR);

	ASSERT_LE(0, dev);
	EXPECT_GT(0, push(dev, 0, self->dax[0], 0));
	close(dev);
}

FIXTURE(push_refused)
{
	struct fmap_server *s;
};

FIXTURE_VARIANT(push_refused)
{
	struct fmap_config cfg;
};

FIXTURE_VARIANT_ADD(push_refused, not_echoed) {
	.cfg = { .no_echo = true },
};

FIXTURE_VARIANT_ADD(push_refused, not_offered) {
	.cfg = { .user_id = 1000 },
};

FIXTURE_SETUP(push_refused)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&variant->cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
}

FIXTURE_TEARDOWN(push_refused)
{
	fmap_server_free(self->s);
}

TEST_F(push_refused, where_maps_are_not_in_force)
{
	int dev = fmap_server_fd(self->s);
	int dax = open(fmap_dax_node(0), O_RDWR);

	ASSERT_LE(0, dev);
	ASSERT_LE(0, dax);
	EXPECT_EQ(-EOPNOTSUPP, push(dev, 0, dax, 0));
	close(dax);
	close(dev);
}

FMAP_TEST_MAIN
