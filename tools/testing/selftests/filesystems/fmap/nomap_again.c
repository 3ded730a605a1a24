// SPDX-License-Identifier: GPL-2.0
/* A file without map is asked about again when nobody else has it open */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 8 * PG) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     6 * PG + 5, ext);

/* "file" is ordinary with 3 pages of data, until get_map() */
FIXTURE(again)
{
	struct fmap_server *s;
	struct fmap_file *f;
	unsigned int asked;	/* GET_FMAP requests at get_map() */
};

FIXTURE_VARIANT(again)
{
	uint64_t flags;
};

FIXTURE_VARIANT_ADD(again, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(again, writeback) { .flags = FUSE_WRITEBACK_CACHE };

FIXTURE_SETUP(again)
{
	struct fmap_config cfg = { .init_flags = variant->flags };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_server(&cfg);
	ASSERT_NE(NULL, self->s);
	self->f = fmap_server_file(self->s, "file", 3 * PG);
	fmap_file_data(self->s, self->f, 8 * PG);
	memset(self->f->data, 'o', 3 * PG);
	ASSERT_EQ(0, fmap_server_mount(self->s));
}

FIXTURE_TEARDOWN(again)
{
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

/* From now on the server has a map for the file */
static void get_map(FIXTURE_DATA(again) * self)
{
	self->asked = self->s->count[FUSE_GET_FMAP];
	fmap_file_layout(self->s, self->f, &layout);
}

static unsigned int asked(FIXTURE_DATA(again) * self)
{
	return self->s->count[FUSE_GET_FMAP] - self->asked;
}

static bool is_ordinary(int fd)
{
	char c = 0;

	return pread(fd, &c, 1, PG + 7) == 1 && c == 'o';
}

static bool is_mapped(FIXTURE_DATA(again) * self, int fd)
{
	unsigned int before = self->s->count[FUSE_READ];
	struct stat st;

	return !fstat(fd, &st) && (uint64_t)st.st_size == layout.size &&
	       fmap_file_holds(fd, layout.size, 1) &&
	       self->s->count[FUSE_READ] == before;
}

static bool opens_mapped(FIXTURE_DATA(again) * self)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	bool mapped = fd >= 0 && is_mapped(self, fd);

	close(fd);
	return mapped;
}

static bool opens_ordinary(FIXTURE_DATA(again) * self)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	bool ordinary = fd >= 0 && is_ordinary(fd);

	close(fd);
	return ordinary;
}

TEST_F(again, by_each_open_that_is_alone)
{
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(3, self->s->count[FUSE_GET_FMAP]);
	get_map(self);
	EXPECT_TRUE(opens_mapped(self));
	EXPECT_EQ(1, asked(self));
}

TEST_F(again, not_while_it_is_open)
{
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_TRUE(is_ordinary(fd));
	get_map(self);
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(0, asked(self));
	EXPECT_TRUE(is_ordinary(fd));
	close(fd);
	EXPECT_TRUE(opens_mapped(self));
	EXPECT_EQ(1, asked(self));
}

/* Nor in another process, nor if the server has it bypass the page cache */
TEST_F(again, not_while_another_process_has_it)
{
	int status, fd, end[2];
	char c;
	pid_t pid;

	self->f->open_flags = FOPEN_DIRECT_IO;
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(end));
	pid = fork();
	if (!pid) {
		close(end[1]);
		_exit(read(end[0], &c, 1) || !is_ordinary(fd));
	}
	close(end[0]);
	close(fd);
	get_map(self);
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(0, asked(self));

	close(end[1]);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(opens_mapped(self));
}

TEST_F(again, not_while_it_is_mapped_into_memory)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map(fd, 3 * PG, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	get_map(self);
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ('o', p[2 * PG]);
	p[0] = 'd';
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(0, asked(self));
	munmap(p, 3 * PG);
	EXPECT_TRUE(opens_mapped(self));
	EXPECT_EQ('d', self->f->data[0]);
}

struct opener {
	struct fmap_server *s;
	int flags;
	int fd;
};

static void *open_it(void *arg)
{
	struct opener *o = arg;

	o->fd = fmap_open(o->s, "file", o->flags);
	return NULL;
}

/* What was stored through a mapping is the server's before it is asked */
TEST_F(again, after_dirty_data_was_written)
{
	struct opener o = { .s = self->s, .flags = O_RDWR };
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map(fd, 3 * PG, RW, MAP_SHARED);
	pthread_t thread;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(3, pwrite(fd, "abc", 3, 2 * PG));
	close(fd);
	p[PG + 1] = 'd';
	munmap(p, 3 * PG);

	get_map(self);
	self->s->hook[FUSE_GET_FMAP].hold = 1;
	ASSERT_EQ(0, pthread_create(&thread, NULL, open_it, &o));
	EXPECT_TRUE(fmap_wait_nonzero(&self->s->hook[FUSE_GET_FMAP].held));
	EXPECT_EQ('d', self->f->data[PG + 1]);
	EXPECT_EQ(0, memcmp(self->f->data + 2 * PG, "abc", 3));
	self->s->hook[FUSE_GET_FMAP].hold = 0;
	pthread_join(thread, NULL);
	EXPECT_TRUE(is_mapped(self, o.fd));
	close(o.fd);
}

/* Its cache is kept, and with it what the file is */
TEST_F(again, not_with_a_cache_to_keep)
{
	unsigned int reads;
	int fd;

	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	self->f->open_flags = FOPEN_KEEP_CACHE;
	reads = self->s->count[FUSE_READ];
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(0, asked(self));
	EXPECT_EQ(reads, self->s->count[FUSE_READ]);

	fd = fmap_open(self->s, "file", O_RDWR);
	EXPECT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	close(fd);
	EXPECT_EQ(0, asked(self));
	EXPECT_TRUE(opens_mapped(self));
	EXPECT_EQ(1, asked(self));
}

TEST_F(again, cache_that_is_not_kept_goes)
{
	self->f->open_flags = FOPEN_KEEP_CACHE;
	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	EXPECT_TRUE(opens_ordinary(self));
	self->f->open_flags = 0;
	EXPECT_TRUE(opens_mapped(self));
}

/* The first that comes asks, and what it learns holds for those that follow */
TEST_F(again, opens_at_once_ask_once)
{
	struct opener o[4];
	pthread_t thread[4];
	int i;

	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	self->s->hook[FUSE_GET_FMAP].hold = 1;
	for (i = 0; i < 4; i++) {
		o[i] = (struct opener) { .s = self->s, .flags = O_RDWR };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, open_it, &o[i]));
	}
	EXPECT_TRUE(fmap_wait_nonzero(&self->s->hook[FUSE_GET_FMAP].held));
	usleep(50000);
	self->s->hook[FUSE_GET_FMAP].hold = 0;
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_TRUE(is_mapped(self, o[i].fd));
		close(o[i].fd);
	}
	EXPECT_EQ(1, asked(self));
}

TEST_F(again, no_map_for_several_at_once)
{
	struct opener o[2];
	pthread_t thread[2];
	int i;

	self->s->hook[FUSE_GET_FMAP].hold = 1;
	for (i = 0; i < 2; i++) {
		o[i] = (struct opener) { .s = self->s, .flags = O_RDWR };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, open_it, &o[i]));
	}
	EXPECT_TRUE(fmap_wait_nonzero(&self->s->hook[FUSE_GET_FMAP].held));
	usleep(50000);
	self->s->hook[FUSE_GET_FMAP].hold = 0;
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_TRUE(is_ordinary(o[i].fd));
	}
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	close(o[0].fd);
	close(o[1].fd);
}

/* The open fails, and the next finds the file as it was */
TEST_F(again, errors_change_nothing)
{
	static const int errors[] = { EIO, EINVAL, EACCES };
	unsigned int i;

	EXPECT_TRUE(opens_ordinary(self));
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		self->f->fmap_error = errors[i];
		EXPECT_EQ(-errors[i], fmap_try_open(self->s, "file", O_RDWR));
	}
	self->f->fmap_error = ENODATA;
	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	EXPECT_TRUE(opens_mapped(self));
}

TEST_F(again, size_is_the_servers_and_then_the_maps)
{
	struct statx stx;
	char path[128];

	snprintf(path, sizeof(path), "%s/file", self->s->dir);
	EXPECT_TRUE(opens_ordinary(self));
	self->f->size = 2 * PG;
	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	ASSERT_EQ(0, statx(AT_FDCWD, path, 0, STATX_ALL, &stx));
	EXPECT_GE(3 * PG, stx.stx_size);
	EXPECT_TRUE(opens_mapped(self));
	ASSERT_EQ(0, statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_ALL,
			   &stx));
	EXPECT_EQ(layout.size, stx.stx_size);
}

/* An O_TRUNC learns in time that there is a map now */
TEST_F(again, truncating_open)
{
	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	EXPECT_EQ(-EPERM, fmap_try_open(self->s, "file", O_RDWR | O_TRUNC));
	EXPECT_EQ(0, self->f->setattr_valid & FATTR_SIZE);
	EXPECT_TRUE(opens_mapped(self));
}

/* The other way is none: it has its map as long as the kernel has it */
TEST_F(again, a_mapped_file_stays_mapped)
{
	get_map(self);
	EXPECT_TRUE(opens_mapped(self));
	self->f->fmap_error = ENODATA;
	EXPECT_TRUE(opens_mapped(self));
	self->f->fmap_error = ENOSYS;
	EXPECT_TRUE(opens_mapped(self));
	EXPECT_EQ(1, asked(self));
}

TEST_F(again, enosys_is_for_ever)
{
	self->f->fmap_error = ENOSYS;
	EXPECT_TRUE(opens_ordinary(self));
	get_map(self);
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_TRUE(opens_ordinary(self));
	EXPECT_EQ(0, asked(self));
}

FMAP_TEST_MAIN
