// SPDX-License-Identifier: GPL-2.0
/*
 * A part that is taken back while somebody has pages of it pinned
 *
 * The pins are those of a pipe: pages that vmsplice(2) put there. See
 * pins_direct.c for those of direct I/O.
 */
#include <signal.h>
#include <string.h>
#include <sys/uio.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define SIZE		(TAIL + 4 * PG)

/* Where the file lies, with seed 1, and where it may go, with seed 2 */
static const struct fmap_ext old_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, TAIL), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_ext new_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, TAIL), FMAP_SIMPLE(DEV0, 0, 4 * PG),
};

static const struct fmap_layout old = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, old_ext);
static const struct fmap_layout new = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, new_ext);
static const struct fmap_layout same = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, old_ext);

static const struct fmap_ext third_ext[] = { FMAP_SIMPLE(DEV0, 16 * MB, HUGE_PG) };
static const struct fmap_layout third = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    SIZE, third_ext);

FIXTURE(pins)
{
	struct fmap_server *s;
	uint64_t nodeid;
	int fd;
	char *p;	/* all of the file, shared */
	int pipe[2];	/* holds the pin */
};

/* The part that goes, and the page of it that is pinned */
FIXTURE_VARIANT(pins)
{
	uint64_t off;
	uint64_t len;
	uint64_t pin;
};

FIXTURE_VARIANT_ADD(pins, huge) {
	.off = HUGE_PG, .len = HUGE_PG, .pin = HUGE_PG + 7 * PG,
};

FIXTURE_VARIANT_ADD(pins, small) {
	.off = TAIL + PG, .len = 2 * PG, .pin = TAIL + 2 * PG,
};

FIXTURE_SETUP(pins)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &old);
	ASSERT_NE(NULL, self->s);
	self->nodeid = self->s->file[0].nodeid;
	fmap_server_mapped(self->s, "same", &same);
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(1, fmap_seed_of(self->p, SIZE, 0));
	fmap_file_layout(self->s, &self->s->file[0], &new);

	ASSERT_EQ(0, pipe(self->pipe));
	ASSERT_EQ(PG, vmsplice(self->pipe[1],
			       &(struct iovec) { self->p + variant->pin, PG },
			       1, 0));
}

FIXTURE_TEARDOWN(pins)
{
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	munmap(self->p, SIZE);
	close(self->fd);
	close(self->pipe[0]);
	close(self->pipe[1]);
	fmap_server_free(self->s);
}

/* Take the page out of the pipe: the seed of the bytes that it had */
static int unpin(FIXTURE_DATA(pins) * self, uint64_t off)
{
	char page[PG];

	if (read(self->pipe[0], page, PG) != PG)
		return -errno;

	return fmap_seed_of(page, PG, off);
}

#define INVAL()		fmap_inval(self->s, self->nodeid, variant->off, \
				   variant->len)
#define UNPIN()		unpin(self, variant->pin)

/* What a child does to the part, and what it sees there */
struct access {
	struct fmap_server *s;
	int fd;
	uint64_t off;
	bool write;
};

#define ACCESS(w)							\
	(&(struct access) { self->s, self->fd, variant->pin, (w) })

static int by_call(void *arg)
{
	struct access *a = arg;
	char page[PG];

	fmap_fill(page, PG, 3, a->off);
	if (a->write)
		return pwrite(a->fd, page, PG, a->off) == PG ? 0 : -errno;

	return fmap_read_seed(a->fd, a->off, PG);
}

static int by_fault(void *arg)
{
	struct access *a = arg;
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED, a->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	if (a->write)
		fmap_fill(p + a->off, PG, 3, a->off);

	return a->write ? 0 : fmap_seed_of(p + a->off, PG, a->off);
}

TEST_F(pins, busy_until_they_are_gone)
{
	EXPECT_EQ(-EBUSY, INVAL());
	EXPECT_EQ(-EBUSY, INVAL());
	EXPECT_EQ(-EBUSY, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(-EBUSY, fmap_inval_inode(self->s, self->nodeid, variant->off,
					   variant->len));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, INVAL());
	EXPECT_EQ(2, fmap_read_seed(self->fd, variant->off, variant->len));
	EXPECT_EQ(2, fmap_seed_of(self->p + variant->off, variant->len,
				  variant->off));
}

TEST_F(pins, elsewhere_nobody_is_disturbed)
{
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, HUGE_PG));
	EXPECT_EQ(2, fmap_read_seed(self->fd, 0, HUGE_PG));
	EXPECT_EQ(-EBUSY, INVAL());
	EXPECT_EQ(2, fmap_seed_of(self->p, HUGE_PG, 0));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, HUGE_PG));
	EXPECT_EQ(2, fmap_read_seed(self->fd, 0, HUGE_PG));
	EXPECT_EQ(0, fmap_store_page(self->s, self->nodeid, 0, &third));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, INVAL());
}

/* Readers, writers and faults get neither the old bytes nor new ones too early */
static void check_cut_off(struct __test_metadata *_metadata,
			  FIXTURE_DATA(pins) * self,
			  const FIXTURE_VARIANT(pins) * variant,
			  int (*fn)(void *arg), bool write)
{
	unsigned int asked;
	char page[PG];
	pid_t pid;

	EXPECT_EQ(-EBUSY, INVAL());
	asked = self->s->count[FUSE_GET_FMAP];
	pid = fmap_start(fn, ACCESS(write));
	EXPECT_TRUE(fmap_still_waits(pid));
	EXPECT_EQ(asked, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(-EBUSY, INVAL());
	EXPECT_TRUE(fmap_still_waits(pid));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(write ? 0 : 2, fmap_exit_soon(pid));
	EXPECT_LT(asked, self->s->count[FUSE_GET_FMAP]);

	fmap_fill(page, PG, 1, variant->pin);
	EXPECT_TRUE(fmap_on_devices(&old, variant->pin, page, PG));
	fmap_fill(page, PG, write ? 3 : 2, variant->pin);
	EXPECT_TRUE(fmap_on_devices(&new, variant->pin, page, PG));
	EXPECT_EQ(0, INVAL());
}

TEST_F(pins, reader_is_cut_off)
{
	check_cut_off(_metadata, self, variant, by_call, false);
}

TEST_F(pins, writer_is_cut_off)
{
	check_cut_off(_metadata, self, variant, by_call, true);
}

TEST_F(pins, read_fault_is_cut_off)
{
	check_cut_off(_metadata, self, variant, by_fault, false);
}

TEST_F(pins, write_fault_is_cut_off)
{
	check_cut_off(_metadata, self, variant, by_fault, true);
}

TEST_F(pins, bytes_stay_with_the_file)
{
	EXPECT_EQ(-EBUSY, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "same", O_RDWR));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "same", SIZE, 1));
	EXPECT_EQ(2, fmap_read_seed(self->fd, 0, SIZE));
}

TEST_F(pins, who_waits_can_be_killed)
{
	static int (* const fn[])(void *arg) = { by_call, by_fault };
	unsigned int i;
	pid_t pid;

	EXPECT_EQ(-EBUSY, INVAL());
	for (i = 0; i < 2 * ARRAY_SIZE(fn); i++) {
		pid = fmap_start(fn[i / 2], ACCESS(i % 2));
		EXPECT_TRUE(fmap_still_waits(pid));
		kill(pid, SIGKILL);
		EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));
	}
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, INVAL());
	EXPECT_EQ(2, fmap_read_seed(self->fd, variant->off, variant->len));
}

/* The server has nothing to say any more: an error, but no old bytes */
TEST_F(pins, server_dies)
{
	pid_t pid;
	int ret;

	EXPECT_EQ(-EBUSY, INVAL());
	pid = fmap_start(by_call, ACCESS(false));
	EXPECT_TRUE(fmap_still_waits(pid));
	fmap_server_kill(self->s);
	EXPECT_EQ(1, UNPIN());
	ret = fmap_exit_soon(pid);
	EXPECT_GT(0, ret);
	EXPECT_NE(-ETIMEDOUT, ret);
	EXPECT_EQ(1, fmap_read_seed(self->fd, 0, HUGE_PG));
}

TEST_F(pins, store_is_busy_as_well)
{
	EXPECT_EQ(-EBUSY, fmap_store(self->s, self->nodeid, 0, &new));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "same", O_RDWR));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, fmap_store(self->s, self->nodeid, 0, &new));
	self->s->file[0].fmap_error = EIO;	/* nobody is to ask */
	EXPECT_EQ(2, fmap_read_seed(self->fd, 0, SIZE));
	EXPECT_EQ(2, fmap_seed_of(self->p, SIZE, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "same", SIZE, 1));
}

static int evict(void *arg)
{
	struct fmap_server *s = arg;

	return fmap_forget(s, &s->file[0]) ? 0 : -EBUSY;
}

/* It may wait for the pins, but no longer */
TEST_F(pins, evicted_meanwhile)
{
	pid_t pid;

	EXPECT_EQ(-EBUSY, INVAL());
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	pid = fmap_start(evict, self->s);
	fmap_still_waits(pid);
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "same", O_RDWR));
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_EQ(0, fmap_check_file(self->s, "same", SIZE, 1));
}

static int umount_it(void *arg)
{
	return fmap_server_umount(arg, 0);
}

TEST_F(pins, unmounted_meanwhile)
{
	struct fmap_server *s;
	pid_t pid;

	EXPECT_EQ(-EBUSY, INVAL());
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	pid = fmap_start(umount_it, self->s);
	fmap_still_waits(pid);
	EXPECT_EQ(1, UNPIN());
	EXPECT_EQ(0, fmap_exit_soon(pid));
	s = fmap_test_serve(&(struct fmap_config) { }, "file", &old);
	ASSERT_NE(NULL, s);
	EXPECT_EQ(0, fmap_check_file(s, "file", SIZE, 1));
	fmap_server_free(s);
}

FMAP_TEST_MAIN
