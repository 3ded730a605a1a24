// SPDX-License-Identifier: GPL-2.0
/* What mappings see of a map that is taken back: new faults, and right bytes */
#include <string.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_pages.h"
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

FIXTURE(inval_mappings)
{
	struct fmap_server *s;
	uint64_t nodeid;
	int fd;
	char *p;	/* all of the file, shared and touched */
};

FIXTURE_SETUP(inval_mappings)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &old);
	ASSERT_NE(NULL, self->s);
	self->nodeid = self->s->file[0].nodeid;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(1, fmap_seed_of(self->p, SIZE, 0));
	fmap_file_layout(self->s, &self->s->file[0], &new);
}

FIXTURE_TEARDOWN(inval_mappings)
{
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
	munmap(self->p, SIZE);
	close(self->fd);
	fmap_server_free(self->s);
}

/* The seed of this part of the shared mapping */
static int seed_at(const char *p, uint64_t off, size_t len)
{
	return fmap_seed_of(p + off, len, off);
}

#define SEED(off, len)	seed_at(self->p, off, len)

static long present(char *p, size_t len)
{
	return fmap_pages(p, len, PAGE_IS_PRESENT);
}

TEST_F(inval_mappings, page_of_a_huge_page)
{
	EXPECT_TRUE(fmap_all_huge(self->p, 2 * HUGE_PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 5 * PG, PG));
	EXPECT_EQ(0, present(self->p + 5 * PG, PG));
	EXPECT_EQ(512, present(self->p + HUGE_PG, HUGE_PG));
	EXPECT_EQ(4, present(self->p + TAIL, 4 * PG));

	/*
	 * Who touches other pages of it first tries to map 2 MiB, and so asks;
	 * other pages of 2 MiB are asked of nobody.
	 */
	EXPECT_EQ(1, SEED(HUGE_PG, SIZE - HUGE_PG));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(1, SEED(0, 5 * PG));
	EXPECT_EQ(1, SEED(6 * PG, HUGE_PG - 6 * PG));
	EXPECT_EQ(2, SEED(5 * PG, PG));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
}

/* The seed of what lies beside the part; -1 if not all of it has the same */
static int look_beside(void *arg)
{
	FIXTURE_DATA(inval_mappings) * self = arg;
	int seed = SEED(HUGE_PG, SIZE - HUGE_PG);

	if (fmap_read_seed(self->fd, 0, 5 * PG) != seed ||
	    fmap_read_seed(self->fd, 6 * PG, MB) != seed)
		return -1;

	return seed;
}

/* Nor does anybody wait for the server who needs the neighbours and no more */
TEST_F(inval_mappings, neighbours_while_the_server_sleeps)
{
	pid_t pid;

	madvise(self->p, SIZE, MADV_DOFORK);
	self->s->hook[FUSE_GET_FMAP].hold = 1;
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 5 * PG, PG));
	pid = fmap_start(look_beside, self);
	EXPECT_EQ(1, fmap_exit_soon(pid));
	self->s->hook[FUSE_GET_FMAP].hold = 0;
	EXPECT_EQ(2, SEED(5 * PG, PG));
}

/* Two places may not be one page of 2 MiB, nor be cut out of one */
TEST_F(inval_mappings, no_huge_page_of_two_places)
{
	char *q;

	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, MB, PG));
	EXPECT_EQ(2, SEED(MB, PG));
	fmap_touch(self->p, HUGE_PG, PG, false);
	EXPECT_TRUE(fmap_none_huge(self->p, HUGE_PG));
	EXPECT_EQ(1, SEED(0, MB));
	EXPECT_EQ(2, SEED(MB, PG));
	EXPECT_EQ(1, SEED(MB + PG, MB - PG));

	/* As a whole it can be one again */
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, HUGE_PG));
	EXPECT_EQ(0, present(self->p, HUGE_PG));
	EXPECT_EQ(2, SEED(0, HUGE_PG));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, HUGE_PG));
	/* In another mapping: this one has a table of small pages there */
	q = fmap_map_aligned(self->fd, HUGE_PG, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, q);
	EXPECT_EQ(2, fmap_seed_of(q, HUGE_PG, 0));
	EXPECT_TRUE(fmap_all_huge(q, HUGE_PG));
	munmap(q, HUGE_PG);
}

/* The server changes its mind: what it tells for the second time is no other part */
TEST_F(inval_mappings, told_again_where_it_was)
{
	fmap_file_layout(self->s, &self->s->file[0], &old);
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 5 * PG, PG));
	EXPECT_EQ(1, SEED(5 * PG, PG));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_all_huge(self->p, 2 * HUGE_PG));
	EXPECT_EQ(1, SEED(0, SIZE));
}

TEST_F(inval_mappings, all_of_it)
{
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(0, present(self->p, SIZE));
	EXPECT_EQ(2, SEED(0, SIZE));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_FALSE(fmap_sigbus(self->p, true));
	EXPECT_TRUE(fmap_on_devices(&new, 0, self->p, SIZE));
}

/* The fault by which a page becomes writable is one like any */
TEST_F(inval_mappings, store_where_a_load_was)
{
	char was[8], got[8];

	ASSERT_EQ(0, fmap_dax_read(DEV0, 4 * MB + 8, was, 8));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, HUGE_PG));
	memcpy(self->p + 8, "stored!!", 8);
	EXPECT_TRUE(fmap_on_devices(&new, 8, "stored!!", 8));
	ASSERT_EQ(0, fmap_dax_read(DEV0, 4 * MB + 8, got, 8));
	EXPECT_EQ(0, memcmp(was, got, 8));
}

/* What was stored before it is where it was stored, and not lost */
TEST_F(inval_mappings, stores_before_and_after)
{
	memcpy(self->p + PG, "before", 6);
	memcpy(self->p + TAIL, "before", 6);
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_TRUE(fmap_on_devices(&old, PG, "before", 6));
	EXPECT_TRUE(fmap_on_devices(&old, TAIL, "before", 6));
	memcpy(self->p + PG, "behind", 6);
	memcpy(self->p + TAIL, "behind", 6);
	EXPECT_TRUE(fmap_on_devices(&old, PG, "before", 6));
	EXPECT_TRUE(fmap_on_devices(&new, PG, "behind", 6));
	EXPECT_TRUE(fmap_on_devices(&new, TAIL, "behind", 6));
}

TEST_F(inval_mappings, private_copies_stay)
{
	char *q = fmap_map_aligned(self->fd, SIZE, RW, MAP_PRIVATE);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(1, fmap_seed_of(q, SIZE, 0));
	q[7] = 'c';
	q[TAIL + 7] = 'c';
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ('c', q[7]);
	EXPECT_EQ('c', q[TAIL + 7]);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(1, fmap_seed_of(q + 8, PG - 8, 8));
	EXPECT_EQ(2, fmap_seed_of(q + PG, TAIL - PG, PG));
	EXPECT_EQ(2, fmap_seed_of(q + TAIL + PG, 3 * PG, TAIL + PG));
	munmap(q, SIZE);
}

/* A child that looks, and once more when it is told to, and says what it sees */
struct child {
	char *p;
	int ready[2];
	int go[2];
};

static int look(void *arg)
{
	struct child *c = arg;
	char byte;

	if (fmap_seed_of(c->p, SIZE, 0) != 1)
		return -EINVAL;
	if (write(c->ready[1], "r", 1) != 1 || read(c->go[0], &byte, 1) != 1)
		return -EIO;

	return fmap_seed_of(c->p, SIZE, 0);
}

TEST_F(inval_mappings, child_of_a_fork)
{
	struct child c = { .p = self->p };
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe(c.go) | pipe(c.ready));
	madvise(self->p, SIZE, MADV_DOFORK);
	fmap_touch(self->p, SIZE, PG, false);
	pid = fmap_start(look, &c);
	EXPECT_EQ(1, read(c.ready[0], &byte, 1));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(1, write(c.go[1], "g", 1));
	EXPECT_EQ(2, fmap_exit_soon(pid));
	EXPECT_EQ(2, SEED(0, SIZE));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	close(c.go[0]);
	close(c.go[1]);
	close(c.ready[0]);
	close(c.ready[1]);
}

TEST_F(inval_mappings, two_opens_and_two_mappings)
{
	int fd = fmap_open(self->s, "file", O_RDONLY);
	char *q = fmap_map(fd, SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(1, fmap_seed_of(q, SIZE, 0));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, TAIL, 0));
	EXPECT_EQ(2, fmap_seed_of(q + TAIL, 4 * PG, TAIL));
	EXPECT_EQ(2, SEED(TAIL, 4 * PG));
	EXPECT_EQ(2, fmap_read_seed(fd, TAIL, 4 * PG));
	EXPECT_EQ(2, fmap_read_seed(self->fd, TAIL, 4 * PG));
	EXPECT_EQ(1, fmap_seed_of(q, TAIL, 0));
	EXPECT_EQ(1, fmap_read_seed(fd, 0, TAIL));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	munmap(q, SIZE);
	close(fd);
}

/* The mapping is all that keeps the file: its faults ask as well */
TEST_F(inval_mappings, closed_and_still_mapped)
{
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, fmap_unlink(self->s, "file"));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(2, SEED(0, SIZE));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
}

TEST_F(inval_mappings, locked_in_memory)
{
	ASSERT_EQ(0, mlock(self->p, SIZE));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(2, SEED(0, SIZE));
	EXPECT_EQ(0, munlock(self->p, SIZE));
}

TEST_F(inval_mappings, populated_anew)
{
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_POPULATE_READ));
	EXPECT_EQ(SIZE / PG, present(self->p, SIZE));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(0, madvise(self->p, SIZE, MADV_POPULATE_WRITE));
	EXPECT_EQ(2, SEED(0, SIZE));
}

/* The buffer of a read and of a write is a part that must be asked for */
TEST_F(inval_mappings, buffers_of_the_same_file)
{
	char page[PG];

	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(PG, pwrite(self->fd, self->p, PG, TAIL));
	EXPECT_EQ(2, fmap_seed_of(self->p + TAIL, PG, 0));
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(PG, pread(self->fd, self->p + MB, PG, TAIL));
	EXPECT_EQ(2, fmap_seed_of(self->p + MB, PG, 0));
	fmap_fill(page, PG, 2, 0);
	EXPECT_TRUE(fmap_on_devices(&new, TAIL, page, PG));
	EXPECT_TRUE(fmap_on_devices(&new, MB, page, PG));
}

/* Moved, cut and merged mappings find the new bytes at their new addresses */
TEST_F(inval_mappings, moved_in_the_address_space)
{
	char *q = mremap(self->p, TAIL, TAIL, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);

	if (q == MAP_FAILED)
		q = mmap(NULL, TAIL, RW, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, q);
	fmap_touch(q, TAIL, PG, false);
	munmap(q + MB, PG);
	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(2, fmap_seed_of(q, MB, 0));
	EXPECT_EQ(2, fmap_seed_of(q + MB + PG, TAIL - MB - PG, MB + PG));
	EXPECT_EQ(2, SEED(0, SIZE));
	munmap(q, TAIL);
}

FMAP_TEST_MAIN
