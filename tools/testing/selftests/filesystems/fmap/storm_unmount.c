// SPDX-License-Identifier: GPL-2.0
/* A mount goes while the server invalidates and stores, and others use files */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)
#define PAGES		(SIZE / PG)
#define ROUNDS		10

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 4 * MB, 2 * MB),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

/* Shared by the test and those who race it */
struct race {
	atomic_int over;
	atomic_int sent;
};

FIXTURE(storm_unmount)
{
	struct fmap_server *s;
	struct race *race;
	int fd;
};

FIXTURE_VARIANT(storm_unmount)
{
	unsigned int threads;
	bool stores;
};

FIXTURE_VARIANT_ADD(storm_unmount, invalidations) { .threads = 4 };
FIXTURE_VARIANT_ADD(storm_unmount, one_thread) { .threads = 1 };
FIXTURE_VARIANT_ADD(storm_unmount, stores) { .threads = 4, .stores = true };

FIXTURE_SETUP(storm_unmount)
{
	struct fmap_config cfg = { .threads = variant->threads };

	self->race = mmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->race);
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
	self->s = fmap_test_serve(&cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
}

FIXTURE_TEARDOWN(storm_unmount)
{
	fmap_server_free(self->s);
	munmap(self->race, PG);
}

/* The descriptor of the server stays open when the server has gone */
static int send_by(int dev, const struct fmap_notice *n)
{
	struct fuse_out_header head = {
		.len = sizeof(head) + n->len, .error = n->code,
	};
	struct iovec iov[] = { { &head, sizeof(head) },
			       { (void *)n->body, n->len } };

	return writev(dev, iov, 2) < 0 ? -errno : 0;
}

struct blower {
	struct fmap_server *s;
	struct race *race;
	bool stores;
	int fd;		/* a copy of which would keep the mount busy */
};

/*
 * One notification after the other. The inode may be gone, a page may be on its
 * way out, and FUSE takes none when it is not connected any more (EINVAL).
 */
static int blow(void *arg)
{
	struct blower *b = arg;
	int dev = fmap_server_fd(b->s);
	uint64_t nodeid = b->s->file[0].nodeid;
	unsigned int state = 1;
	struct fmap_notice n;

	close(b->fd);
	while (!b->race->over) {
		int ret;

		if (b->stores)
			fmap_notice_store(&n, nodeid, 0, &layout);
		else
			fmap_notice_inval(&n, nodeid,
					  rand_r(&state) % PAGES * PG, 0);
		ret = send_by(dev, &n);
		if (ret && ret != -ENOENT && ret != -EBUSY && ret != -EINVAL)
			return -ret;
		if (!ret)
			b->race->sent++;
	}

	return 0;
}

/* Reads and faults until it is killed */
static int use(void *arg)
{
	int fd = *(int *)arg;
	char *p = fmap_map(fd, SIZE, PROT_READ, MAP_SHARED);
	unsigned int state = 2;

	while (p != MAP_FAILED) {
		uint64_t off = rand_r(&state) % PAGES * PG;

		if (fmap_read_seed(fd, off, PG) != 1 ||
		    fmap_seed_of(p + off, PG, off) != 1)
			break;
	}

	return 1;
}

TEST_F_TIMEOUT(storm_unmount, in_the_midst_of_it, 120)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct blower b = { self->s, self->race, variant->stores };
		pid_t user, blower;

		*self->race = (struct race) { };
		self->fd = fmap_open(self->s, "file", O_RDWR);
		ASSERT_LE(0, self->fd);
		b.fd = self->fd;
		user = fmap_start(use, &self->fd);
		blower = fmap_start(blow, &b);
		EXPECT_TRUE(fmap_wait_nonzero(&self->race->sent));
		usleep(1000 * i);
		kill(user, SIGKILL);
		EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(user));
		close(self->fd);
		EXPECT_EQ(0, fmap_server_umount(self->s, 0));
		self->race->over = 1;
		EXPECT_EQ(0, fmap_exit_soon(blower));
		fmap_server_kill(self->s);
		ASSERT_EQ(0, fmap_server_mount(self->s));
		EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	}
}

FMAP_TEST_MAIN
