// SPDX-License-Identifier: GPL-2.0
/* Devices that the server takes back: FUSE_DEV_IOC_DAXDEV_CLOSE */
#include <linux/capability.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB)

static const struct fmap_ext here_ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_layout here = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, here_ext);

static const struct fmap_ext both_ext[] = {
	FMAP_SIMPLE(DEV1, 4 * MB, SIZE / 2), FMAP_SIMPLE(DEV0, 0, SIZE / 2),
};

static const struct fmap_layout both = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, both_ext);

FIXTURE(devices_close)
{
	struct fmap_server *s;
	struct fmap_server *other;
	int dev;	/* the server's /dev/fuse */
	int dax[2];
};

FIXTURE_SETUP(devices_close)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&here, 1));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "here", &here);
	ASSERT_NE(NULL, self->s);
	self->dev = fmap_server_fd(self->s);
	self->dax[0] = open(fmap_dax_node(0), O_RDWR | O_CLOEXEC);
	self->dax[1] = open(fmap_dax_node(1), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	ASSERT_LE(0, self->dax[0]);
	ASSERT_LE(0, self->dax[1]);
}

FIXTURE_TEARDOWN(devices_close)
{
	close(self->dev);
	close(self->dax[0]);
	close(self->dax[1]);
	fmap_server_free(self->other);
	fmap_server_free(self->s);
}

/* What the ioctls return, or -errno */
static int open_dev(int dev, uint32_t index, int fd)
{
	struct fuse_backing_map map = { .fd = fd, .padding = index };
	int ret = ioctl(dev, FUSE_DEV_IOC_DAXDEV_OPEN, &map);

	return ret < 0 ? -errno : ret;
}

static int close_dev(int dev, uint32_t index)
{
	int ret = ioctl(dev, FUSE_DEV_IOC_DAXDEV_CLOSE, &index);

	return ret < 0 ? -errno : ret;
}

/* The same, but a file that is forgotten may still have its bytes */
static int close_freed_dev(int dev, uint32_t index)
{
	int i, ret;

	for (i = 0; i < 500; i++) {
		ret = close_dev(dev, index);
		if (ret != -EBUSY)
			break;
		usleep(10000);
	}

	return ret;
}

TEST_F(devices_close, number_is_as_published)
{
	EXPECT_EQ(0x4004e505, FUSE_DEV_IOC_DAXDEV_CLOSE);
}

TEST_F(devices_close, index_may_mean_another_device_then)
{
	EXPECT_EQ(1, open_dev(self->dev, DEV0, self->dax[1]));
	EXPECT_EQ(-EEXIST, open_dev(self->dev, DEV0, self->dax[0]));
	EXPECT_EQ(0, close_dev(self->dev, DEV0));
	EXPECT_EQ(1, open_dev(self->dev, DEV0, self->dax[0]));
	EXPECT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1));
	EXPECT_EQ(0, self->s->count[FUSE_GET_DAXDEV]);
}

TEST_F(devices_close, index_that_means_nothing)
{
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 0));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 63));
	EXPECT_EQ(1, open_dev(self->dev, 63, self->dax[0]));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 62));
	EXPECT_EQ(0, close_dev(self->dev, 63));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 63));
}

TEST_F(devices_close, index_that_there_is_not)
{
	EXPECT_EQ(-EINVAL, close_dev(self->dev, 64));
	EXPECT_EQ(-EINVAL, close_dev(self->dev, 1U << 31));
	EXPECT_EQ(-EINVAL, close_dev(self->dev, ~0U));
	EXPECT_EQ(-1, ioctl(self->dev, FUSE_DEV_IOC_DAXDEV_CLOSE, NULL));
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

TEST_F(devices_close, needs_the_capability)
{
	ASSERT_EQ(1, open_dev(self->dev, DEV0, self->dax[0]));
	ASSERT_EQ(0, set_rawio(false));
	EXPECT_EQ(-EPERM, close_dev(self->dev, DEV0));
	EXPECT_EQ(-EPERM, close_dev(self->dev, 5));
	ASSERT_EQ(0, set_rawio(true));
	EXPECT_EQ(0, close_dev(self->dev, DEV0));
}

/* Open or not: as long as the kernel knows where the file lies */
TEST_F(devices_close, busy_as_long_as_a_map_names_it)
{
	char *p;
	int fd = fmap_open(self->s, "here", O_RDWR);

	p = fmap_map(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV0));
	close(fd);
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV0));
	EXPECT_TRUE(fmap_on_devices(&here, 0, p, SIZE));
	munmap(p, SIZE);
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV0));
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	EXPECT_EQ(0, close_freed_dev(self->dev, DEV0));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, DEV0));
	EXPECT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1));
}

TEST_F(devices_close, two_indices_of_one_device)
{
	ASSERT_EQ(0, fmap_try_open(self->s, "here", O_RDWR));
	ASSERT_EQ(1, open_dev(self->dev, 7, self->dax[0]));
	EXPECT_EQ(0, close_dev(self->dev, 7));
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV0));
	EXPECT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1));
}

/* A strip that holds none of the file's bytes is named as well */
TEST_F(devices_close, busy_though_no_byte_is_there)
{
	static const struct fmap_ext ext[] = {
		FMAP_STRIPED(2, 64 * KB, PG, { DEV0, MB, 64 * KB },
			     { DEV1, MB, 0 }),
	};
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, PG, ext);

	fmap_server_mapped(self->s, "striped", &l);
	ASSERT_EQ(0, fmap_try_open(self->s, "striped", O_RDWR));
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV1));
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV0));
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[1]));
	EXPECT_EQ(0, close_freed_dev(self->dev, DEV1));
	EXPECT_EQ(0, close_freed_dev(self->dev, DEV0));
}

/* The kernel asks again what an index means, and gets another answer */
TEST_F(devices_close, devices_that_were_asked_for)
{
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV1, 8 * MB, SIZE) };
	static const struct fmap_layout there =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext);
	static const struct fmap_ext later_ext[] = {
		FMAP_SIMPLE(DEV0, 8 * MB, SIZE),
	};
	static const struct fmap_layout later =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, later_ext);

	ASSERT_EQ(0, fmap_fill_devices(&there, 2));
	ASSERT_EQ(0, fmap_fill_devices(&later, 3));
	fmap_server_mapped(self->s, "there", &there);
	ASSERT_EQ(0, fmap_check_file(self->s, "there", SIZE, 2));
	ASSERT_EQ(1, self->s->count[FUSE_GET_DAXDEV]);
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[1]));
	EXPECT_EQ(0, close_freed_dev(self->dev, DEV1));

	fmap_server_dev(self->s, DEV1, fmap_dax_node(0));
	EXPECT_EQ(0, fmap_check_file(self->s, "there", SIZE, 3));
	EXPECT_EQ(2, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_EQ(-EBUSY, close_dev(self->dev, DEV1));
}

TEST_F(devices_close, failed_registration_leaves_the_index_free)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ro = open(fmap_dax_node(0), O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(-EINVAL, open_dev(self->dev, 9, null));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 9));
	EXPECT_EQ(-EACCES, open_dev(self->dev, 9, ro));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 9));
	EXPECT_EQ(-EBADF, open_dev(self->dev, 9, -1));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, 9));

	/* By name as well: what the server named was no device */
	fmap_server_dev(self->s, DEV0, "dax987.654");
	EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "here", O_RDWR));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, DEV0));
	EXPECT_EQ(1, open_dev(self->dev, DEV0, self->dax[0]));
	EXPECT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1));
	close(null);
	close(ro);
}

/* An open that fails keeps none of the devices that it has attached */
TEST_F(devices_close, failed_open_names_nothing)
{
	fmap_server_mapped(self->s, "both", &both);
	fmap_server_dev(self->s, DEV0, "dax987.654");
	EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "both", O_RDWR));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, DEV0));
	close_dev(self->dev, DEV1);
	EXPECT_EQ(1, open_dev(self->dev, DEV1, self->dax[0]));
	EXPECT_EQ(0, close_dev(self->dev, DEV1));
}

/* Its index need not mean it for ever */
TEST_F(devices_close, device_that_is_gone)
{
	ASSERT_EQ(1, open_dev(self->dev, DEV1, self->dax[1]));
	ASSERT_EQ(1, open_dev(self->dev, 9, self->dax[1]));
	close(self->dax[1]);
	ASSERT_EQ(0, fmap_dax_unbind(1));
	EXPECT_EQ(0, close_dev(self->dev, DEV1));
	EXPECT_EQ(1, open_dev(self->dev, DEV1, self->dax[0]));
	EXPECT_EQ(0, close_dev(self->dev, DEV1));

	ASSERT_EQ(0, fmap_dax_bind(1));
	EXPECT_EQ(0, close_dev(self->dev, 9));
	self->dax[1] = open(fmap_dax_node(1), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dax[1]);
	EXPECT_EQ(1, open_dev(self->dev, DEV1, self->dax[1]));
	fmap_server_mapped(self->s, "both", &both);
	ASSERT_EQ(0, fmap_fill_devices(&both, 3));
	EXPECT_EQ(0, fmap_check_file(self->s, "both", SIZE, 3));
}

/* What one mount has, no other can lose */
TEST_F(devices_close, two_mounts_of_a_device)
{
	int dev, fd;
	char *p;

	self->other = fmap_test_serve(&(struct fmap_config) { }, "both",
				      &both);
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, fmap_fill_devices(&both, 4));
	fd = fmap_open(self->other, "both", O_RDWR);
	p = fmap_map(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);

	ASSERT_EQ(1, open_dev(self->dev, DEV0, self->dax[0]));
	EXPECT_EQ(0, close_dev(self->dev, DEV0));
	EXPECT_EQ(-ENOENT, close_dev(self->dev, DEV1));
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 4));
	EXPECT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1));
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_TRUE(fmap_on_devices(&both, 0, p, SIZE));
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 4));

	dev = fmap_server_fd(self->other);
	EXPECT_EQ(-EBUSY, close_dev(dev, DEV0));
	close(dev);
	fmap_server_mapped(self->other, "here", &here);
	EXPECT_EQ(0, fmap_check_file(self->other, "here", SIZE, 1));
	munmap(p, SIZE);
	close(fd);
}

TEST_F(devices_close, after_unmount)
{
	int ret;

	ASSERT_EQ(1, open_dev(self->dev, DEV0, self->dax[0]));
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	ret = close_dev(self->dev, DEV0);
	EXPECT_TRUE(ret == -ENOENT || ret == -ENODEV || ret == -ENOTCONN)
		TH_LOG("%d", ret);
}

TEST_F(devices_close, where_maps_are_not_in_force)
{
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	EXPECT_GT(0, close_dev(dev, 0));	/* of no mount */
	close(dev);
	self->other = fmap_test_serve(&(struct fmap_config) {
		.no_echo = true,
	}, "file", &here);
	ASSERT_NE(NULL, self->other);
	dev = fmap_server_fd(self->other);
	EXPECT_EQ(-EOPNOTSUPP, close_dev(dev, 0));
	close(dev);
}

struct closer {
	int dev;
	atomic_bool stop;
	int closed;
	int strange;
};

static void *close_again_and_again(void *arg)
{
	struct closer *c = arg;
	int ret;

	while (!c->stop) {
		ret = close_dev(c->dev, DEV0);
		c->closed += !ret;
		c->strange += ret && ret != -EBUSY && ret != -ENOENT;
	}

	return NULL;
}

/* A map that is on its way in has the device, or asks for it again */
TEST_F_TIMEOUT(devices_close, while_files_are_opened, 120)
{
	struct closer c = { .dev = self->dev };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, close_again_and_again, &c));
	for (i = 0; i < 60; i++) {
		ASSERT_EQ(0, fmap_check_file(self->s, "here", SIZE, 1))
			TH_LOG("open %d", i);
		ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	}
	for (i = 0; i < 1000 && !c.closed; i++)
		usleep(10000);
	c.stop = true;
	pthread_join(thread, NULL);
	EXPECT_LT(0, c.closed);
	EXPECT_EQ(0, c.strange);
}

FMAP_TEST_MAIN
