// SPDX-License-Identifier: GPL-2.0
/* Files that have no map: ordinary ones, and those whose server fails */
#include <string.h>

#include "fmap_test.h"

static const struct fmap_ext mapped_ext[] = { FMAP_SIMPLE(DEV0, 0, 4 * PG) };
static const struct fmap_layout mapped =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 3 * PG + 5, mapped_ext);

FIXTURE(nomap)
{
	struct fmap_server *s;
	struct fmap_file *plain;
};

FIXTURE_SETUP(nomap)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "mapped",
				  &mapped);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&mapped, 1));
	self->plain = fmap_server_file(self->s, "plain", 3 * PG);
}

/* A file without map does not disturb one that has a map */
FIXTURE_TEARDOWN(nomap)
{
	unsigned int reads = self->s->count[FUSE_READ];

	if (!self->s->file[0].fmap_error)
		EXPECT_EQ(0, fmap_check_file(self->s, "mapped", mapped.size, 1));
	EXPECT_EQ(reads, self->s->count[FUSE_READ]);
	fmap_server_free(self->s);
}

/* Read the server's pattern, by a request */
static bool reads_by_request(struct fmap_server *s, const char *name)
{
	unsigned int before = s->count[FUSE_READ];
	int fd = fmap_open(s, name, O_RDWR | O_DIRECT);
	unsigned char buf[16] = "";
	bool right;

	if (fd < 0)
		return false;
	right = pread(fd, buf, sizeof(buf), 0) == sizeof(buf) && buf[9] == 9 &&
		s->count[FUSE_READ] == before + 1;
	close(fd);

	return right;
}

TEST_F(nomap, enodata_is_an_ordinary_file)
{
	int fd = fmap_open(self->s, "plain", O_RDWR);
	unsigned char *p;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(4, pwrite(fd, "four", 4, 5 * PG));
	EXPECT_EQ(1, self->s->count[FUSE_WRITE]);
	EXPECT_EQ(0, ftruncate(fd, 2 * PG));
	EXPECT_EQ(2 * PG, self->plain->size);

	p = fmap_map(fd, PG, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(33, p[33]);
	EXPECT_EQ(1, self->s->count[FUSE_READ]);
	munmap(p, PG);
	close(fd);
}

TEST_F(nomap, every_read_is_a_request)
{
	EXPECT_TRUE(reads_by_request(self->s, "plain"));
	EXPECT_TRUE(reads_by_request(self->s, "plain"));
}

/* An inode that was ordinary does not keep a new one from its map */
TEST_F(nomap, forgotten_inode_begins_anew)
{
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV1, 0, 4 * PG) };
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 2 * PG, ext);

	EXPECT_TRUE(reads_by_request(self->s, "plain"));
	ASSERT_TRUE(fmap_forget(self->s, self->plain));
	fmap_file_layout(self->s, self->plain, &l);
	ASSERT_EQ(0, fmap_fill_devices(&l, 2));
	EXPECT_EQ(0, fmap_check_file(self->s, "plain", l.size, 2));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
}

TEST_F(nomap, mapped_and_ordinary_side_by_side)
{
	int fd = fmap_open(self->s, "mapped", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(reads_by_request(self->s, "plain"));
	EXPECT_TRUE(fmap_file_holds(fd, mapped.size, 1));
	EXPECT_EQ(1, self->s->count[FUSE_READ]);
	close(fd);
}

TEST_F(nomap, created_file_without_map)
{
	int fd;

	self->plain->linked = false;
	fd = fmap_open(self->s, "plain", O_RDWR | O_CREAT | O_EXCL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4, write(fd, "four", 4));
	EXPECT_EQ(1, self->s->count[FUSE_WRITE]);
	close(fd);
}

TEST_F(nomap, enosys_is_never_asked_again)
{
	self->plain->fmap_error = ENOSYS;
	self->s->file[0].fmap_error = ENOSYS;

	EXPECT_TRUE(reads_by_request(self->s, "plain"));
	EXPECT_TRUE(reads_by_request(self->s, "mapped"));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

/* A file that was mapped before stays so */
TEST_F(nomap, enosys_leaves_mapped_files_alone)
{
	int fd = fmap_open(self->s, "mapped", O_RDWR);

	ASSERT_LE(0, fd);
	self->plain->fmap_error = ENOSYS;
	EXPECT_TRUE(reads_by_request(self->s, "plain"));
	EXPECT_TRUE(fmap_file_holds(fd, mapped.size, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "mapped", mapped.size, 1));
	close(fd);
}

TEST_F(nomap, any_other_error_fails_the_open)
{
	static const int errors[] = {
		EIO, EACCES, EPERM, ENOENT, ENOMEM, EINVAL, EAGAIN,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		self->plain->fmap_error = errors[i];
		EXPECT_EQ(-errors[i], fmap_try_open(self->s, "plain", O_RDWR));
		EXPECT_EQ(i + 1, self->s->count[FUSE_GET_FMAP]);
	}
	self->plain->fmap_error = ENODATA;
	EXPECT_TRUE(reads_by_request(self->s, "plain"));
}

/* The server has opened it and must learn that it is not open */
TEST_F(nomap, failed_open_is_released)
{
	self->plain->fmap_error = EIO;
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "plain", O_RDWR));
	EXPECT_TRUE(fmap_wait_nonzero((atomic_int *)
				      &self->s->count[FUSE_RELEASE]));

	self->plain->linked = false;
	EXPECT_GT(0, fmap_try_open(self->s, "plain", O_RDWR | O_CREAT | O_EXCL));
}

/* Neither directories nor mere look-ups have maps */
TEST_F(nomap, only_opened_files_are_asked_for)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/mapped", self->s->dir);
	EXPECT_EQ(0, access(path, R_OK));
	EXPECT_EQ(0, fmap_try_open(self->s, ".", O_RDONLY | O_DIRECTORY));
	EXPECT_EQ(0, fmap_try_open(self->s, "mapped", O_PATH));
	EXPECT_EQ(0, self->s->count[FUSE_GET_FMAP]);
}

FMAP_TEST_MAIN
