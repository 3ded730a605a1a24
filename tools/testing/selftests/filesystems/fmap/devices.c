// SPDX-License-Identifier: GPL-2.0
/* Devices that the kernel asks for by index, and the names it is told */
#include <string.h>

#include "fmap_test.h"

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV1, 0, PG),
	FMAP_SIMPLE(DEV0, 0, PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     2 * PG, ext);

FIXTURE(devices)
{
	struct fmap_server *s;
	struct fuse_daxdev_out *out;	/* what is said of DEV0 */
};

FIXTURE_SETUP(devices)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->out = &self->s->dev[DEV0].out;
}

/* Whatever was said, the file opens as soon as the truth is told */
FIXTURE_TEARDOWN(devices)
{
	fmap_server_dev(self->s, DEV0, fmap_dax_node(0));
	EXPECT_EQ(0, fmap_fill_devices(&layout, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", layout.size, 1));
	fmap_server_free(self->s);
}

static int open_with_name(struct fmap_server *s, const char *name)
{
	fmap_server_dev(s, DEV0, name);
	return fmap_try_open(s, "file", O_RDWR);
}

TEST_F(devices, names_that_are_none)
{
	static const char * const names[] = {
		"", "/", "/dev/", "dax", "dax0", "dax0.", "dax.0", "dax0.0.0",
		"dax-1.0", "dax0.0 ", " dax0.0", "dax0.0\n", "dax0.0/",
		"dax0.0/..", "daxA.B", "dax0x0.0", "pmem0", "/dev/pmem0",
		"/dev/mem", "/dev/zero", "/etc/passwd", "../dax0.0",
		"/dev/../dev/dax0.0", "/dev//dax0.0", "./dax0.0",
		"/dev/dev/dax0.0", "dev/dax0.0", "/dax0.0", "DAX0.0",
		"/sys/bus/dax/devices/dax0.0", "%s%n",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-EINVAL, open_with_name(self->s, names[i]))
			TH_LOG("name '%s'", names[i]);
	}
}

TEST_F(devices, names_of_no_device)
{
	static const char * const names[] = {
		"dax987.654", "/dev/dax987.654", "dax99999999999.0",
		"dax0.18446744073709551616", "dax000000.000000",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-ENODEV, open_with_name(self->s, names[i]))
			TH_LOG("name '%s'", names[i]);
	}
}

TEST_F(devices, name_without_end)
{
	memset(self->out->name, '0', sizeof(self->out->name));
	memcpy(self->out->name, "dax0.0", 6);
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	fmap_server_dev(self->s, DEV0, fmap_dax_name(0));
	memset(self->out->name + 200, 'x', sizeof(self->out->name) - 200);
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
}

TEST_F(devices, name_without_folder)
{
	EXPECT_EQ(0, open_with_name(self->s, fmap_dax_name(0)));
}

TEST_F(devices, index_and_reserved_fields)
{
	self->out->index = DEV1;
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	self->out->index = DEV0;
	self->out->reserved = 1;
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	self->out->reserved = 0;
	self->out->reserved2 = 1;
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	self->out->reserved2 = 0;
	self->out->reserved3 = 1;
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	self->out->reserved3 = 0;
	self->out->reserved4 = 1ULL << 63;
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	self->out->reserved4 = 0;
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
}

/* Too short, too long: no reply at all */
TEST_F(devices, replies_of_a_wrong_length)
{
	static const size_t lens[] = { 0, 1, 24, sizeof(*self->out) - 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		self->s->dev[DEV0].len = lens[i];
		EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "file", O_RDWR))
			TH_LOG("%zu bytes", lens[i]);
	}
}

TEST_F(devices, errors_of_the_server)
{
	static const int errors[] = { ENOENT, ENODEV, EIO, ENOSYS, EACCES };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		self->s->dev[DEV0].error = errors[i];
		EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "file", O_RDWR))
			TH_LOG("errno %d", errors[i]);
	}
}

TEST_F(devices, asked_for_once)
{
	static const struct fmap_ext more_ext[] = {
		FMAP_SIMPLE(DEV0, PG, PG), FMAP_SIMPLE(DEV1, PG, PG),
	};
	static const struct fmap_layout more =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, more_ext);

	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	fmap_server_mapped(self->s, "more", &more);
	EXPECT_EQ(0, fmap_try_open(self->s, "more", O_RDWR));
	EXPECT_EQ(2, self->s->count[FUSE_GET_DAXDEV]);
}

/* The bytes are one file's, by whatever index */
TEST_F(devices, one_device_by_two_indices)
{
	static const struct fmap_ext twice_ext[] = {
		FMAP_SIMPLE(5, PG, PG), FMAP_SIMPLE(63, PG, PG),
	};
	static const struct fmap_layout twice =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, twice_ext);
	static const struct fmap_ext other_ext[] = { FMAP_SIMPLE(5, 0, PG) };
	static const struct fmap_layout other =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, other_ext);
	int ret;

	fmap_server_dev(self->s, 5, fmap_dax_node(0));
	fmap_server_dev(self->s, 63, fmap_dax_node(0));
	fmap_server_mapped(self->s, "twice", &twice);
	fmap_server_mapped(self->s, "other", &other);

	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	ret = fmap_try_open(self->s, "twice", O_RDWR);
	EXPECT_TRUE(ret == -EBUSY || ret == -EINVAL) TH_LOG("%d", ret);
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "other", O_RDWR));
}

/* All the indices there are, for one device or the other */
TEST_F(devices, sixty_four_indices)
{
	struct fmap_ext many_ext[FUSE_FMAP_MAX_DEVS];
	struct fmap_layout many = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
					      64 * PG, many_ext);
	unsigned int i;

	for (i = 0; i < FUSE_FMAP_MAX_DEVS; i++) {
		fmap_server_dev(self->s, i, fmap_dax_node(i % 2));
		many_ext[i] = (struct fmap_ext)
			FMAP_SIMPLE(i, (200 - 2 * i) * PG, PG);
	}
	fmap_server_mapped(self->s, "many", &many);
	EXPECT_EQ(0, fmap_try_open(self->s, "many", O_RDWR));
	EXPECT_EQ(FUSE_FMAP_MAX_DEVS, self->s->count[FUSE_GET_DAXDEV]);
}

FMAP_TEST_MAIN
