// SPDX-License-Identifier: GPL-2.0
/* Notifications that a server sends about a mapped file do it no harm */
#include <dirent.h>
#include <string.h>

#include "fmap_test.h"

#define SIZE		(2 * MB + 3 * PG)

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, 3 * MB) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(notify)
{
	struct fmap_server *s;
	uint64_t nodeid;
	int fd;
	char *p;
};

FIXTURE_SETUP(notify)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->nodeid = self->s->file[0].nodeid;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	fmap_touch(self->p, SIZE, PG, false);
}

FIXTURE_TEARDOWN(notify)
{
	EXPECT_TRUE(fmap_file_holds(self->fd, SIZE, 1));
	EXPECT_TRUE(fmap_on_devices(&layout, 0, self->p, SIZE));
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

static int store(struct fmap_server *s, uint64_t nodeid, uint64_t off,
		 const char *data)
{
	struct fuse_notify_store_out arg = {
		.nodeid = nodeid, .offset = off, .size = strlen(data),
	};
	char body[128];

	memcpy(mempcpy(body, &arg, sizeof(arg)), data, arg.size);
	return fmap_notify(s, FUSE_NOTIFY_STORE, body, sizeof(arg) + arg.size);
}

TEST_F(notify, store_into_a_mapped_file_is_refused)
{
	EXPECT_GT(0, store(self->s, self->nodeid, 0, "page cache"));
	EXPECT_GT(0, store(self->s, self->nodeid, 2 * MB, "page cache"));
	EXPECT_GT(0, store(self->s, self->nodeid, SIZE + PG, "longer"));
}

/* Data that came first decides: this file is an ordinary one */
TEST_F(notify, store_before_the_first_open)
{
	struct fmap_file *f = fmap_server_file(self->s, "plain", 10);
	char path[128], buf[10];
	int fd;

	snprintf(path, sizeof(path), "%s/plain", self->s->dir);
	ASSERT_EQ(0, access(path, F_OK));
	EXPECT_EQ(0, store(self->s, f->nodeid, 0, "page cache"));
	f->open_flags = FOPEN_KEEP_CACHE;
	fd = fmap_open(self->s, "plain", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);	/* by "file" */
	EXPECT_EQ(10, read(fd, buf, 10));
	EXPECT_EQ(0, memcmp(buf, "page cache", 10));
	close(fd);
}

/* See invalidate.c for what they do to the map */
TEST_F(notify, invalidations_of_the_inode)
{
	EXPECT_EQ(0, fmap_inval_inode(self->s, self->nodeid, 0, 0));
	EXPECT_FALSE(fmap_sigbus(self->p, false));
	EXPECT_EQ(0, fmap_inval_inode(self->s, self->nodeid, PG, PG));
	EXPECT_EQ(0, fmap_inval_inode(self->s, self->nodeid, 2 * MB - PG,
				      2 * PG));
	EXPECT_EQ(0, fmap_inval_inode(self->s, self->nodeid, -1, 0));
	EXPECT_FALSE(fmap_sigbus(self->p + 2 * MB, false));
	EXPECT_EQ(0, fmap_inval_inode(self->s, FUSE_ROOT_ID, 0, 0));
}

/* Requests that it takes to read the names of the files */
static unsigned int list(struct fmap_server *s)
{
	unsigned int before = s->count[FUSE_READDIR];
	DIR *dir = opendir(s->dir);

	if (!dir)
		return 0;
	while (readdir(dir))
		;
	closedir(dir);
	return s->count[FUSE_READDIR] - before;
}

/* Folders have no maps: their names are cached, and forgotten, as ever */
TEST_F(notify, names_of_a_folder)
{
	self->s->cfg.cache_dir = true;
	EXPECT_NE(0, list(self->s));
	EXPECT_EQ(0, list(self->s));
	EXPECT_EQ(0, fmap_inval_inode(self->s, FUSE_ROOT_ID, 0, 0));
	EXPECT_NE(0, list(self->s));
}

TEST_F(notify, retrieve_gives_no_page_cache)
{
	struct fuse_notify_retrieve_out arg = {
		.nodeid = self->nodeid, .size = 4 * PG,
	};

	fmap_notify(self->s, FUSE_NOTIFY_RETRIEVE, &arg, sizeof(arg));
}

TEST_F(notify, name_goes_and_file_stays)
{
	EXPECT_EQ(0, fmap_inval_entry(self->s, "file"));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

FMAP_TEST_MAIN
