// SPDX-License-Identifier: GPL-2.0
/* read, write and mmap of a file are one memory, and it is the device's */
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 3 * PG + 100)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB),
	FMAP_SIMPLE(DEV1, 5 * PG, 4 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(coherence)
{
	struct fmap_server *s;
	int fd;
	char *p;	/* all of the file, shared */
};

FIXTURE_SETUP(coherence)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(coherence)
{
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* One place in each extent, across the edge, and at the end of the file */
static const uint64_t places[] = {
	0, 5 * PG - 4, 2 * MB - 4, 2 * MB, 2 * MB + PG + 1, SIZE - 8,
};

TEST_F(coherence, write_shows_in_mapping_and_device)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		char *p = self->p + places[i];

		EXPECT_EQ(8, pwrite(self->fd, "untouchd", 8, places[i]));
		EXPECT_EQ(0, memcmp(p, "untouchd", 8));
		EXPECT_EQ(8, pwrite(self->fd, "faulted!", 8, places[i]));
		EXPECT_EQ(0, memcmp(p, "faulted!", 8));
		EXPECT_TRUE(fmap_on_devices(&layout, places[i], "faulted!", 8));
	}
}

TEST_F(coherence, store_shows_in_read_and_device)
{
	unsigned int i;
	char buf[8];

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		memcpy(self->p + places[i], "stored!!", 8);
		EXPECT_EQ(8, pread(self->fd, buf, 8, places[i]));
		EXPECT_EQ(0, memcmp(buf, "stored!!", 8));
		EXPECT_TRUE(fmap_on_devices(&layout, places[i], buf, 8));
	}
}

TEST_F(coherence, device_shows_in_read_and_mapping)
{
	struct fmap_place at = fmap_locate(&layout, 2 * MB + 17);
	char buf[8];

	EXPECT_NE(0, memcmp(self->p + 2 * MB + 17, "by-node!", 8));
	EXPECT_EQ(0, fmap_dax_write(at.dev, at.off, "by-node!", 8));
	EXPECT_EQ(0, memcmp(self->p + 2 * MB + 17, "by-node!", 8));
	EXPECT_EQ(8, pread(self->fd, buf, 8, 2 * MB + 17));
	EXPECT_EQ(0, memcmp(buf, "by-node!", 8));
}

TEST_F(coherence, mappings_of_two_opens_are_one)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char *q;

	ASSERT_LE(0, fd);
	q = fmap_map(fd, SIZE, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(self->p[PG], q[PG]);
	self->p[PG] ^= 0x55;
	EXPECT_EQ(self->p[PG], q[PG]);
	munmap(q, SIZE);
	close(fd);
}

/* The first store of each page makes a copy; up to then it is the file */
TEST_F(coherence, private_mapping_copies_on_write)
{
	char was = self->p[100], *q;

	q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(was, q[100]);
	self->p[100] = was ^ 1;
	EXPECT_EQ(was ^ 1, q[100]);

	q[100] = was ^ 2;
	EXPECT_EQ(was ^ 1, self->p[100]);
	self->p[101] ^= 3;
	EXPECT_NE(self->p[101], q[101]);
	self->p[PG] ^= 3;
	EXPECT_EQ(self->p[PG], q[PG]);

	/* Not read before, and in the other extent */
	q[2 * MB + 5] = self->p[2 * MB + 5] ^ 1;
	EXPECT_NE(self->p[2 * MB + 5], q[2 * MB + 5]);
	munmap(q, SIZE);
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->p, SIZE));
}

TEST_F(coherence, read_only_open_maps_private_writable)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char was = self->p[7], *q;

	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, fmap_map(fd, PG, RW, MAP_SHARED));
	EXPECT_EQ(EACCES, errno);
	q = fmap_map(fd, PG, RW, MAP_PRIVATE);
	ASSERT_NE(MAP_FAILED, q);
	q[7] = was ^ 1;
	EXPECT_EQ(was, self->p[7]);
	munmap(q, PG);
	close(fd);
}

/* What lies between the end of the file and that of its page is no file */
TEST_F(coherence, access_behind_the_end)
{
	char *p = fmap_map(self->fd, SIZE + 2 * PG, RW, MAP_SHARED);
	char c;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_FALSE(fmap_sigbus(p + SIZE - 1, true));
	EXPECT_FALSE(fmap_sigbus(p + SIZE, true));
	EXPECT_EQ(0, pread(self->fd, &c, 1, SIZE));
	EXPECT_TRUE(fmap_sigbus(p + SIZE + PG, false));
	EXPECT_TRUE(fmap_sigbus(p + SIZE + PG, true));
	munmap(p, SIZE + 2 * PG);
}

static int store_in_child(struct fmap_server *s, uint64_t at, char c)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int fd = fmap_open(s, "file", O_RDWR);
		char *p = fmap_map(fd, SIZE, RW, MAP_SHARED);

		if (p == MAP_FAILED)
			_exit(1);
		p[at] = c;
		_exit(0);
	}

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

TEST_F(coherence, store_of_another_process)
{
	char c = self->p[MB] ^ 0x3c, buf;

	EXPECT_EQ(0, store_in_child(self->s, MB, c));
	EXPECT_EQ(c, self->p[MB]);
	EXPECT_EQ(1, pread(self->fd, &buf, 1, MB));
	EXPECT_EQ(c, buf);
}

/* Nothing of it was in a cache: a mount made anew finds all of it */
TEST_F(coherence, bytes_survive_the_mount)
{
	fmap_fill(self->p, SIZE, 9, 0);
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_kill(self->s);

	ASSERT_EQ(0, fmap_server_mount(self->s));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 9));
}

/* The kernel reads the program's head, and maps the rest of it */
TEST_F(coherence, file_can_be_a_program)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), status;
	char path[128];
	pid_t pid;

	ASSERT_LE(0, from);
	ASSERT_LT(0, read(from, self->p, SIZE));
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	ASSERT_EQ(0, chmod(path, 0755));

	pid = fork();
	if (!pid) {
		dup2(from, STDERR_FILENO);	/* its usage goes nowhere */
		execl(path, path, "-h", NULL);
		_exit(99);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(KSFT_SKIP, WEXITSTATUS(status));
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	close(from);
}

TEST_F(coherence, stat_tells_that_it_is_dax)
{
	struct statx stx;

	ASSERT_EQ(0, statx(self->fd, "", AT_EMPTY_PATH, STATX_ALL, &stx));
	EXPECT_NE(0, stx.stx_attributes & STATX_ATTR_DAX);
}

/* From one mapped file to another, and to itself, by splice */
TEST_F(coherence, copy_file_range_copies)
{
	loff_t from = 10, to = MB + 1;
	char buf[8 * PG];

	EXPECT_EQ(sizeof(buf), copy_file_range(self->fd, &from, self->fd, &to,
					       sizeof(buf), 0));
	EXPECT_EQ(sizeof(buf), pread(self->fd, buf, sizeof(buf), MB + 1));
	EXPECT_EQ(0, memcmp(self->p + 10, buf, sizeof(buf)));
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
}

FMAP_TEST_MAIN
