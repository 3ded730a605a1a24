// SPDX-License-Identifier: GPL-2.0
/*
 * A file that becomes mapped while all that touches a page cache goes on
 *
 * Threads open, read, write and map the file, truncate it, look at it, and send
 * notifications about it, while the server now and then has a map for it. Each
 * of its contents tells what it is, so that a reader sees one of two truths.
 */
#include <linux/fuse.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(8 * PG)
#define SECONDS		3
#define MOST_SECONDS	60

static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(race)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int dev;		/* the server's /dev/fuse */
	char path[128];
	atomic_bool stop;
	atomic_bool pause;	/* nobody is to open it now */
	atomic_uint users;	/* that have it open or are about to */
	atomic_uint mapped;	/* opens that found it so */
	atomic_uint ordinary;
	atomic_uint wrong;	/* reads that saw neither truth */
	atomic_uint blunders;	/* things that should not fail, and did */
};

FIXTURE_VARIANT(race)
{
	uint64_t flags;
	uint32_t open_flags;
};

FIXTURE_VARIANT_ADD(race, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(race, writeback) { .flags = FUSE_WRITEBACK_CACHE };
FIXTURE_VARIANT_ADD(race, keep_cache) { .open_flags = FOPEN_KEEP_CACHE };
FIXTURE_VARIANT_ADD(race, direct_io) { .open_flags = FOPEN_DIRECT_IO };
FIXTURE_VARIANT_ADD(race, auto_inval) { .flags = FUSE_AUTO_INVAL_DATA };

FIXTURE_SETUP(race)
{
	struct fmap_config cfg = {
		.init_flags = variant->flags,
		.threads = 6,
	};
	char buf[SIZE];

	ASSERT_EQ(0, fmap_test_begin());
	memset(buf, 'm', SIZE);
	ASSERT_EQ(0, fmap_dax_write(0, 2 * MB, buf, SIZE));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	fmap_file_data(self->s, self->f, 2 * SIZE);
	memset(self->f->data, 'o', 2 * SIZE);
	self->f->open_flags = variant->open_flags;
	self->dev = fmap_server_fd(self->s);
	ASSERT_LE(0, self->dev);
	snprintf(self->path, sizeof(self->path), "%s/file", self->s->dir);
}

FIXTURE_TEARDOWN(race)
{
	close(self->dev);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	fmap_server_free(self->s);
}

static int notify(FIXTURE_DATA(race) * self, int code, void *arg, size_t len,
		  const void *data, size_t data_len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len + data_len,
		.error = code,
	};
	struct iovec iov[3] = {
		{ &out, sizeof(out) }, { arg, len },
		{ (void *)data, data_len },
	};

	return writev(self->dev, iov, 3) < 0 ? -errno : 0;
}

static void inval_data(FIXTURE_DATA(race) * self)
{
	struct fuse_notify_inval_inode_out arg = {
		.ino = self->f->nodeid, .len = 2 * PG,
	};

	notify(self, FUSE_NOTIFY_INVAL_INODE, &arg, sizeof(arg), NULL, 0);
}

static void store_page(FIXTURE_DATA(race) * self)
{
	struct fuse_notify_store_out arg = {
		.nodeid = self->f->nodeid, .offset = PG, .size = PG,
	};
	char page[PG];

	memset(page, 'o', PG);
	notify(self, FUSE_NOTIFY_STORE, &arg, sizeof(arg), page, PG);
}

/* The inode dies with its only name, and with it what it was */
static void forget_name(FIXTURE_DATA(race) * self)
{
	struct {
		struct fuse_notify_inval_entry_out out;
		char name[5];
	} arg = {
		.out = { .parent = FUSE_ROOT_ID, .namelen = 4 },
		.name = "file",
	};

	notify(self, FUSE_NOTIFY_INVAL_ENTRY, &arg.out, sizeof(arg.out),
	       arg.name, 5);
}

/*
 * The map comes and goes. It does so when nobody has the file open, to let all
 * race for what it becomes; where an inode has its map, a new one has to begin.
 */
static void *change_mind(void *arg)
{
	FIXTURE_DATA(race) * self = arg;
	unsigned int i;

	for (i = 0; !self->stop; i++) {
		self->pause = true;
		while (self->users)
			usleep(100);
		self->f->fmap_error = i % 2 ? 0 : ENODATA;
		if (i % 2 == 0)
			forget_name(self);
		self->pause = false;
		usleep(20000);
	}

	return NULL;
}

static void *send_notifications(void *arg)
{
	FIXTURE_DATA(race) * self = arg;
	unsigned int i;

	for (i = 0; !self->stop; i++) {
		inval_data(self);
		if (i % 16 == 0)
			store_page(self);
		if (i % 4 == 0)
			forget_name(self);
		usleep(2000);
	}

	return NULL;
}

/* The server changes its mind about the size, and the kernel asks for it */
static void *change_attributes(void *arg)
{
	FIXTURE_DATA(race) * self = arg;
	struct statx stx;
	unsigned int i;

	for (i = 0; !self->stop; i++) {
		self->f->size = SIZE + i % 3 * PG;
		self->f->mtime = i;
		statx(AT_FDCWD, self->path, AT_STATX_FORCE_SYNC, STATX_ALL,
		      &stx);
		if (i % 5 == 0)
			truncate(self->path, SIZE + PG);
		if (i % 7 == 0)
			chmod(self->path, 0600 | (i & 0777));
		usleep(1000);
	}

	return NULL;
}

/* One truth for as long as the file is open */
static void look(FIXTURE_DATA(race) * self, int fd, const char *p)
{
	char page[PG] = "";

	if (pread(fd, page, PG, 3 * PG) != PG ||
	    (page[0] != 'm' && page[0] != 'o')) {
		self->wrong++;
		return;
	}
	if (page[0] == 'm')
		self->mapped++;
	else
		self->ordinary++;
	if (memcmp(page, page + 1, PG - 1))
		self->wrong++;
	if (p != MAP_FAILED &&
	    __atomic_load_n(p + 2 * PG, __ATOMIC_RELAXED) != page[0])
		self->wrong++;
	/* The map may have been taken back, and the server say there is none */
	if (pwrite(fd, page, 100, PG + 50) != 100)
		self->blunders += errno != EIO || !self->f->fmap_error;
	if (pread(fd, page + 1, 1, 5 * PG) != 1 || page[0] != page[1])
		self->wrong++;
}

static void open_and_look(FIXTURE_DATA(race) * self, bool store)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p;

	if (fd < 0) {
		/* an inode that was forgotten may not have gone yet */
		self->blunders += fd != -EBUSY && fd != -ESTALE;
		return;
	}
	p = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
	look(self, fd, p);
	if (p != MAP_FAILED && store)
		p[6 * PG] = p[2 * PG];
	close(fd);
	if (p != MAP_FAILED)
		munmap(p, SIZE);
}

static void *use(void *arg)
{
	FIXTURE_DATA(race) * self = arg;
	unsigned int i;

	for (i = 0; !self->stop; i++) {
		self->users++;
		if (!self->pause)
			open_and_look(self, i % 2);
		self->users--;
		while (self->pause && !self->stop)
			usleep(100);
	}

	return NULL;
}

/* A while, and longer where little happens in that */
static void let_them(FIXTURE_DATA(race) * self)
{
	int i;

	sleep(SECONDS);
	for (i = 0; i < MOST_SECONDS; i++) {
		if (self->mapped && self->ordinary)
			return;
		sleep(1);
	}
}

TEST_F_TIMEOUT(race, everything_at_once, 120)
{
	void *(*fn[])(void *) = {
		change_mind, send_notifications, change_attributes, use, use,
		use,
	};
	pthread_t thread[ARRAY_SIZE(fn)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fn); i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, fn[i], self));
	let_them(self);
	self->stop = true;
	for (i = 0; i < ARRAY_SIZE(fn); i++)
		pthread_join(thread[i], NULL);

	EXPECT_EQ(0, self->wrong);
	EXPECT_EQ(0, self->blunders);
	EXPECT_LT(0, self->ordinary);
	EXPECT_LT(0, self->mapped);
	TH_LOG("%u opens mapped, %u ordinary, %u maps fetched", self->mapped,
	       self->ordinary, self->s->count[FUSE_GET_FMAP]);
}

FMAP_TEST_MAIN
