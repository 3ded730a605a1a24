// SPDX-License-Identifier: GPL-2.0
/* Whatever else a server negotiates or answers, its mapped files are the same */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 5)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(options)
{
	struct fmap_server *s;
	struct fmap_file *f;
};

FIXTURE_VARIANT(options)
{
	uint64_t flags;
	int open_error;
};

FIXTURE_VARIANT_ADD(options, none) { .flags = 0 };
FIXTURE_VARIANT_ADD(options, writeback) { .flags = FUSE_WRITEBACK_CACHE };
FIXTURE_VARIANT_ADD(options, passthrough) { .flags = FUSE_PASSTHROUGH };
FIXTURE_VARIANT_ADD(options, killpriv) { .flags = FUSE_HANDLE_KILLPRIV };
FIXTURE_VARIANT_ADD(options, killpriv_v2) { .flags = FUSE_HANDLE_KILLPRIV_V2 };
FIXTURE_VARIANT_ADD(options, open_unknown) { .open_error = ENOSYS };
FIXTURE_VARIANT_ADD(options, many) {
	.flags = FUSE_ASYNC_READ | FUSE_ASYNC_DIO | FUSE_AUTO_INVAL_DATA |
		 FUSE_PARALLEL_DIROPS | FUSE_POSIX_ACL | FUSE_ATOMIC_O_TRUNC |
		 FUSE_DIRECT_IO_ALLOW_MMAP | FUSE_DO_READDIRPLUS,
};

FIXTURE_SETUP(options)
{
	struct fmap_config cfg = { .init_flags = variant->flags };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->s->hook[FUSE_OPEN].error = variant->open_error;
	self->f = &self->s->file[0];
}

FIXTURE_TEARDOWN(options)
{
	fmap_server_free(self->s);
}

/* All ways to the bytes, and the size that nobody changes */
static bool is_mapped(struct fmap_server *s, int fd)
{
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	bool same;

	if (p == MAP_FAILED || fmap_touch(p, 2 * MB, PG, true).minor != 1)
		return false;
	same = pwrite(fd, "abc", 4, MB) == 4 && !memcmp(p + MB, "abc", 4) &&
	       ftruncate(fd, 5) == -1 && errno == EPERM &&
	       fmap_on_devices(&layout, 0, p, SIZE);
	fmap_fill(p, SIZE, 1, 0);
	munmap(p, SIZE);

	return same && fmap_file_holds(fd, SIZE, 1) &&
	       !(s->count[FUSE_READ] + s->count[FUSE_WRITE]);
}

TEST_F(options, of_the_connection)
{
	struct statx stx;
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_mapped(self->s, fd));
	EXPECT_EQ(0, statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
			   STATX_ALL, &stx));
	EXPECT_EQ(SIZE, stx.stx_size);
	EXPECT_EQ(0, fsync(fd));
	close(fd);
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
}

TEST_F(options, of_the_open_file)
{
	static const uint32_t flags[] = {
		FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH,
		FOPEN_CACHE_DIR, FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
	};
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		self->f->open_flags = flags[i];
		fd = fmap_open(self->s, "file", O_RDWR);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(is_mapped(self->s, fd)) TH_LOG("%x", flags[i]);
		close(fd);
	}
}

static int write_as_user(int fd)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(setresuid(1000, 1000, 1000) || pwrite(fd, "u", 1, 0) != 1);

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/*
 * The server sees no WRITE, so it cannot do what it might have promised: to
 * take the set-uid bit from a file that somebody else writes to.
 */
TEST_F(options, write_takes_setuid_away)
{
	int fd;

	self->f->mode = S_IFREG | 06777;
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pwrite(fd, "r", 1, 0));	/* root may */
	EXPECT_EQ(06777, self->f->mode & 07777);

	EXPECT_EQ(0, write_as_user(fd));
	EXPECT_EQ(0777, self->f->mode & 07777);
	EXPECT_EQ(0, write_as_user(fd));

	/* Nor does the kernel rely on what it found then */
	EXPECT_EQ(0, fchmod(fd, 04755));
	EXPECT_EQ(0, write_as_user(fd));
	EXPECT_EQ(0755, self->f->mode & 07777);
	close(fd);
}

FMAP_TEST_MAIN
