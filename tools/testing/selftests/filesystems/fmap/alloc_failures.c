// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of a first open fails once
 *
 * The kernel lets the Nth allocation of a thread fail, if it is told so
 * (Documentation/fault-injection). The open must then fail with ENOMEM or get
 * along, and leave nothing behind: no byte taken, no device, no map.
 */
#include <string.h>
#include <sys/mount.h>

#include "fmap_test.h"

#define SIZE		(8 * PG)
#define ATTEMPTS	300

static const struct fmap_ext ext[] = {
	FMAP_STRIPED(2, PG, SIZE, { DEV0, 0, 4 * PG }, { DEV1, 0, 4 * PG }),
};

static const struct fmap_layout layout =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, ext);

FIXTURE(alloc_failures)
{
	struct fmap_server *s;
	int nth;	/* this thread's file of the Nth failure */
};

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

/* The folder of one kind of failure, which a test sees in its own namespace */
static int set_attr(const char *kind, const char *attr, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, attr);
	return write_file(path, value);
}

static int set_failures(bool on)
{
	int ret = set_attr("failslab", "ignore-gfp-wait", on ? "N" : "Y");

	if (!ret)
		ret = set_attr("failslab", "verbose", on ? "0" : "2");
	if (!ret)
		ret = set_attr("fail_page_alloc", "ignore-gfp-wait",
			       on ? "N" : "Y");
	if (!ret)
		ret = set_attr("fail_page_alloc", "verbose", on ? "0" : "2");

	/* Copies from and to users fail, too, if the kernel has that */
	set_attr("fail_usercopy", "verbose", on ? "0" : "2");
	return ret;
}

/* Let the Nth allocation from now on fail; 0 is none */
static int fail_nth(int nth, int n)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", n);
	return pwrite(nth, value, strlen(value), 0) < 0 ? -errno : 0;
}

/* Has it failed meanwhile? If this read is what fails it has not, before. */
static bool has_failed(int nth)
{
	char value[16] = "";

	return pread(nth, value, sizeof(value) - 1, 0) > 0 && !atoi(value);
}

static bool is_expected(int ret)
{
	return !ret || ret == -ENOMEM || ret == -EFAULT;
}

FIXTURE_SETUP(alloc_failures)
{
	ASSERT_EQ(0, fmap_test_begin());
	if (access("/sys/kernel/debug/failslab", F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (set_failures(true))
		SKIP(return, "needs FAILSLAB, FAIL_PAGE_ALLOC and their debugfs files");
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "file", &layout);
	fmap_server_mapped(self->s, "same", &layout);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
}

FIXTURE_TEARDOWN(alloc_failures)
{
	fail_nth(self->nth, 0);
	close(self->nth);
	set_failures(false);
	fmap_server_free(self->s);
}

/* Open "file" while the Nth allocation fails: 0 or -errno */
static int open_failing(struct fmap_server *s, int nth, int n, bool *failed)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/file", s->dir);
	fail_nth(nth, n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = fd < 0 ? -errno : 0;
	*failed = has_failed(nth);
	fail_nth(nth, 0);
	if (fd >= 0)
		close(fd);

	return ret;
}

/* Another file gets the same bytes, unless the first has kept some */
static bool left_nothing(struct fmap_server *s)
{
	return !fmap_try_open_freed(s, "same", O_RDWR) &&
	       !fmap_check_file(s, "same", SIZE, 1) &&
	       fmap_forget(s, &s->file[1]);
}

TEST_F_TIMEOUT(alloc_failures, of_an_open, 120)
{
	int n, ret, refused = 0;
	bool failed = true;

	for (n = 1; n < ATTEMPTS && failed; n++) {
		ret = open_failing(self->s, self->nth, n, &failed);
		ASSERT_TRUE(is_expected(ret)) TH_LOG("%d: %d", n, ret);
		refused += !!ret;
		/* It has no inode at all if already its look-up failed */
		if (!ret)
			ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
		ASSERT_TRUE(left_nothing(self->s)) TH_LOG("%d: %d", n, ret);
	}
	EXPECT_FALSE(failed);
	EXPECT_LT(5, refused);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* The first use of the devices, too: each attempt has a mount of its own */
TEST_F_TIMEOUT(alloc_failures, of_the_first_open_of_a_mount, 120)
{
	bool failed = true;
	int n, ret;

	for (n = 1; n < ATTEMPTS && failed; n++) {
		ret = open_failing(self->s, self->nth, n, &failed);
		ASSERT_TRUE(is_expected(ret)) TH_LOG("%d: %d", n, ret);
		ASSERT_EQ(0, fmap_server_umount(self->s, 0));
		fmap_server_kill(self->s);
		ASSERT_EQ(0, fmap_server_mount(self->s));
	}
	EXPECT_FALSE(failed);
	EXPECT_TRUE(left_nothing(self->s));
}

TEST_F(alloc_failures, of_a_write_and_a_read)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char buf[3 * PG];
	bool failed = true;
	ssize_t ret;
	int n;

	ASSERT_LE(0, fd);
	fmap_fill(buf, sizeof(buf), 1, PG);
	for (n = 1; n < ATTEMPTS && failed; n++) {
		ASSERT_EQ(0, fail_nth(self->nth, n));
		ret = pwrite(fd, buf, sizeof(buf), PG);
		if (ret >= 0)
			ret = pread(fd, buf, sizeof(buf), PG);
		ret = ret < 0 ? -errno : 0;
		failed = has_failed(self->nth);
		fail_nth(self->nth, 0);
		EXPECT_TRUE(is_expected(ret)) TH_LOG("%d: %zd", n, ret);
		EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	}
	EXPECT_FALSE(failed);
	close(fd);
}

FMAP_TEST_MAIN
