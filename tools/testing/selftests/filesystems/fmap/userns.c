// SPDX-License-Identifier: GPL-2.0
/* User namespaces: none of their mounts has maps, their processes use files */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 7)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(userns)
{
	struct fmap_server *s;
};

FIXTURE_SETUP(userns)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
}

FIXTURE_TEARDOWN(userns)
{
	fmap_server_free(self->s);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

/* Move the caller to a user namespace in which it is root: 0 or -errno */
static int enter_userns(void)
{
	char map[32];
	uid_t uid = getuid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);

	return put("/proc/self/setgroups", "deny") ?:
	       put("/proc/self/uid_map", map) ?:
	       put("/proc/self/gid_map", map);
}

/* Its root is not the computer's: it must not say what memory a file is */
TEST_F(userns, mount_inside_is_not_offered_maps)
{
	unsigned char buf[16];
	int fd;

	ASSERT_EQ(0, enter_userns());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	EXPECT_FALSE(self->s->offered & FUSE_DAX_FMAP);
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(16, pread(fd, buf, 16, 32));
	EXPECT_EQ(32, buf[0]);
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(1, self->s->count[FUSE_READ]);
	close(fd);
}

/* 0 or the number of the step that failed */
static int use_file(struct fmap_server *s, int flags)
{
	int fd = fmap_open(s, "file", flags);
	char *p;

	if (fd < 0)
		return 1;
	if (!fmap_file_holds(fd, SIZE, 1))
		return 2;
	p = fmap_map_aligned(fd, SIZE, flags == O_RDWR ? RW : PROT_READ,
			     MAP_SHARED);
	if (p == MAP_FAILED)
		return 3;
	if (fmap_touch(p, 2 * MB, PG, flags == O_RDWR).minor != 1)
		return 4;
	if (flags == O_RDWR && pwrite(fd, "abc", 3, MB) != 3)
		return 5;

	return flags == O_RDWR && memcmp(p + MB, "abc", 3) ? 6 : 0;
}

static int in_child(struct fmap_server *s, uid_t uid, int flags)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		/* Who was root before may not see its own /proc, unless asked */
		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ||
		    prctl(PR_SET_DUMPABLE, 1))
			_exit(100);
		_exit(enter_userns() ? 101 : use_file(s, flags));
	}

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
	       ? WEXITSTATUS(status) : -1;
}

TEST_F(userns, processes_inside_use_mapped_files)
{
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	EXPECT_EQ(0, in_child(self->s, 0, O_RDWR));
	EXPECT_EQ(0, fmap_fill_devices(&layout, 1));
	EXPECT_EQ(0, in_child(self->s, 1000, O_RDONLY));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
}

/* The first open is from inside, and permissions hold as everywhere */
TEST_F(userns, first_open_from_inside)
{
	struct fmap_config cfg = { .options = ",default_permissions" };

	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	EXPECT_EQ(1, in_child(self->s, 1000, O_RDWR));	/* 0644 of root */
	EXPECT_EQ(0, in_child(self->s, 1000, O_RDONLY));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

FMAP_TEST_MAIN
