// SPDX-License-Identifier: GPL-2.0
/* Other views of a mount: bound elsewhere, read-only, with other owners */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fmap_test.h"

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP	0x00100000
#endif

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 7)
#define SHIFT		1000	/* owner 0 of the server is 1000 there */

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(mounts)
{
	struct fmap_server *s;
	char dir[64];		/* the other view */
	char path[96];
};

FIXTURE_SETUP(mounts)
{
	struct fmap_config cfg = {
		.init_flags = FUSE_ALLOW_IDMAP,
		.options = ",default_permissions",
	};

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	snprintf(self->dir, sizeof(self->dir), "/tmp/fmap.view.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->path, sizeof(self->path), "%s/file", self->dir);
}

FIXTURE_TEARDOWN(mounts)
{
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	umount2(self->dir, MNT_DETACH);
	rmdir(self->dir);
	fmap_server_free(self->s);
}

static bool works(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	bool ok;

	if (fd < 0 || p == MAP_FAILED)
		return false;
	ok = fmap_file_holds(fd, SIZE, 1) &&
	     fmap_touch(p, 2 * MB, PG, false).minor == 1 &&
	     pwrite(fd, p + MB, 100, MB) == 100 &&
	     fmap_on_devices(&layout, 0, p, SIZE);
	munmap(p, SIZE);
	close(fd);

	return ok;
}

TEST_F(mounts, bound_elsewhere)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mount(self->s->dir, self->dir, NULL, MS_BIND, NULL));
	EXPECT_TRUE(works(self->path));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	ASSERT_EQ(0, umount2(self->s->dir, MNT_DETACH));
	EXPECT_TRUE(works(self->path));
	p[SIZE - 1] = 5;
	EXPECT_TRUE(fmap_on_devices(&layout, SIZE - 1, p + SIZE - 1, 1));
	munmap(p, SIZE);
	close(fd);
}

/* By the view alone, or the file system as a whole */
static void check_read_only(struct __test_metadata *_metadata,
			    const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *p = fmap_map(fd, SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, p, SIZE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PG, RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(p, PG, RW));
	EXPECT_EQ(-1, open(path, O_RDWR));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, truncate(path, 0));
	EXPECT_EQ(EROFS, errno);
	EXPECT_EQ(-1, chmod(path, 0600));
	EXPECT_EQ(EROFS, errno);
	munmap(p, SIZE);
	close(fd);
}

TEST_F(mounts, read_only_view)
{
	ASSERT_EQ(0, mount(self->s->dir, self->dir, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, self->dir, NULL,
			   MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	check_read_only(_metadata, self->path);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
}

TEST_F(mounts, read_only_file_system)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char path[96];

	ASSERT_LE(0, fd);
	/* Who has it open for writing is in the way */
	EXPECT_EQ(-1, mount(NULL, self->s->dir, NULL, MS_REMOUNT | MS_RDONLY,
			    NULL));
	EXPECT_EQ(EBUSY, errno);
	close(fd);
	ASSERT_EQ(0, mount(NULL, self->s->dir, NULL, MS_REMOUNT | MS_RDONLY,
			   NULL));
	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	check_read_only(_metadata, path);

	ASSERT_EQ(0, mount(NULL, self->s->dir, NULL, MS_REMOUNT, NULL));
	EXPECT_TRUE(works(path));
}

static int write_id_map(pid_t pid, const char *which)
{
	char path[64], map[32];
	int fd, len, ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	len = snprintf(map, sizeof(map), "0 %d 1000", SHIFT);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, map, len) == len ? 0 : -errno;
	close(fd);

	return ret;
}

/* A user namespace in which all owners are others: a descriptor, or -errno */
static int shifted_userns(void)
{
	char path[64];
	pid_t pid;
	int fd;

	pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL);
	if (pid < 0)
		return -errno;
	if (!pid) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = write_id_map(pid, "uid_map") ?: write_id_map(pid, "gid_map") ?:
	     open(path, O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	return fd;
}

/* Show @from at @to with other owners: 0 or -errno */
static int mount_idmapped(const char *from, const char *to)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int ns = shifted_userns();
	int tree, ret = 0;

	if (ns < 0)
		return ns;
	attr.userns_fd = ns;
	tree = syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE);
	if (tree < 0 ||
	    syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr,
		    sizeof(attr)) ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, to,
		    MOVE_MOUNT_F_EMPTY_PATH))
		ret = -errno;
	close(tree);
	close(ns);

	return ret;
}

/* In a child that is this user: true if @path works for it */
static bool works_as(uid_t uid, const char *path)
{
	pid_t pid = fork();
	int status, fd;

	if (!pid) {
		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(2);
		fd = open(path, O_RDWR);
		_exit(fd < 0 || pwrite(fd, "u", 1, 3) != 1 ||
		      mmap(NULL, PG, RW, MAP_SHARED, fd, 0) == MAP_FAILED);
	}

	return waitpid(pid, &status, 0) == pid && !status;
}

TEST_F(mounts, with_other_owners)
{
	struct fmap_file *f = &self->s->file[0];
	char own[96];
	struct stat st;

	f->mode = S_IFREG | 0600;
	f->uid = 5;
	f->gid = 6;
	if (!(self->s->offered & FUSE_ALLOW_IDMAP))
		SKIP(return, "the kernel has no idmapped FUSE mounts");
	ASSERT_EQ(0, mount_idmapped(self->s->dir, self->dir));
	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(SHIFT + 5, st.st_uid);
	EXPECT_EQ(SHIFT + 6, st.st_gid);

	EXPECT_TRUE(works_as(SHIFT + 5, self->path));
	EXPECT_FALSE(works_as(5, self->path));
	snprintf(own, sizeof(own), "%s/file", self->s->dir);
	EXPECT_TRUE(works_as(5, own));
	EXPECT_FALSE(works_as(SHIFT + 5, own));
	EXPECT_TRUE(fmap_on_devices(&layout, 3, "u", 1));
}

/* Who may change the owner may do so in terms of the view */
TEST_F(mounts, owner_changed_by_a_view_with_other_owners)
{
	struct fmap_file *f = &self->s->file[0];

	ASSERT_EQ(0, mount_idmapped(self->s->dir, self->dir));
	EXPECT_EQ(0, chown(self->path, SHIFT + 7, SHIFT + 8));
	EXPECT_EQ(7, f->uid);
	EXPECT_EQ(8, f->gid);
	EXPECT_TRUE(works(self->path));
	EXPECT_EQ(-1, truncate(self->path, 1));
	EXPECT_EQ(EPERM, errno);
}

FMAP_TEST_MAIN
