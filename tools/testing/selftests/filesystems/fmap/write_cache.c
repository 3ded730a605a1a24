// SPDX-License-Identifier: GPL-2.0
/* The attribute write_cache of a device, which lives as long as its binding */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fmap_test.h"

FIXTURE(write_cache)
{
	char path[96];
	uint64_t was;
};

static uint64_t value(void)
{
	return fmap_dax_attr(0, "write_cache");
}

static int set(const char *to)
{
	return fmap_dax_set_attr(0, "write_cache", to);
}

FIXTURE_SETUP(write_cache)
{
	snprintf(self->path, sizeof(self->path),
		 "/sys/bus/dax/devices/%s/write_cache", fmap_dax_name(0));
	ASSERT_EQ(0, access(self->path, F_OK));
	self->was = value();
}

FIXTURE_TEARDOWN(write_cache)
{
	fmap_dax_to_fs_mode(0);
	EXPECT_EQ(0, set(self->was ? "1" : "0"));
}

TEST_F(write_cache, is_one_number_in_a_line)
{
	char buf[16] = "";
	FILE *f = fopen(self->path, "re");

	ASSERT_NE(NULL, f);
	EXPECT_EQ(2, fread(buf, 1, sizeof(buf), f));
	EXPECT_STREQ(self->was ? "1\n" : "0\n", buf);
	fclose(f);
}

TEST_F(write_cache, can_be_set)
{
	EXPECT_EQ(0, set("0"));
	EXPECT_EQ(0, value());
	EXPECT_EQ(0, set("1\n"));
	EXPECT_EQ(1, value());
	EXPECT_EQ(0, set("0\n"));
	EXPECT_EQ(0, value());
}

TEST_F(write_cache, bad_values_change_nothing)
{
	static const char * const bad[] = {
		"2", "-1", "", " ", "x", "\n", "7 1",
	};
	unsigned int i;

	ASSERT_EQ(0, set("1"));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* Writing no bytes is not even a call */
		EXPECT_EQ(bad[i][0] ? -EINVAL : 0, set(bad[i]))
			TH_LOG("value '%s'", bad[i]);
		EXPECT_EQ(1, value());
	}
}

TEST_F(write_cache, is_for_others_to_read)
{
	struct stat st;
	int status;
	pid_t pid;

	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534))
			_exit(1);
		if (access(self->path, R_OK))
			_exit(2);
		_exit(set("0") == -EACCES ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(self->was, value());
}

TEST_F(write_cache, lives_as_long_as_the_binding)
{
	ASSERT_EQ(0, set(self->was ? "0" : "1"));
	ASSERT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(-1, access(self->path, F_OK));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(0, access(self->path, R_OK | W_OK));
	EXPECT_EQ(fmap_dax_persistent(0), value());
}

/* Files of the other driver have no fsync that could ask for it */
TEST_F(write_cache, is_not_there_in_device_mode)
{
	ASSERT_EQ(0, fmap_dax_to_device_mode(0));
	EXPECT_EQ(-1, access(self->path, F_OK));
	ASSERT_EQ(0, fmap_dax_to_fs_mode(0));
	EXPECT_EQ(0, access(self->path, F_OK));
}

/* A file that is open meanwhile holds nobody up */
TEST_F(write_cache, survives_its_file)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(-1, write(fd, "1", 1));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
	ASSERT_EQ(0, fmap_dax_bind(0));
}

FMAP_TEST_MAIN
