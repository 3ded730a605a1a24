// SPDX-License-Identifier: GPL-2.0
/*
 * Storms of notifications against all that a process can do with a file
 *
 * The file has the same bytes at both of its places, so that they are right
 * wherever the kernel finds them. Each actor does a number of things and ends; one
 * that hangs is killed, and has failed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define SIZE		(TAIL + 16 * PG)
#define PAGES		(SIZE / PG)
#define STORM		100	/* notifications in a row */

static const struct fmap_ext here_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, TAIL), FMAP_SIMPLE(DEV1, 0, 16 * PG),
};

static const struct fmap_ext there_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, TAIL), FMAP_SIMPLE(DEV0, 0, 16 * PG),
};

static const struct fmap_layout here = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   SIZE, here_ext);
static const struct fmap_layout there = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						    SIZE, there_ext);

FIXTURE(storm)
{
	struct fmap_server *s;
	int fd;
	atomic_int *over;	/* the storm: actors may end */
};

/* What blows, and how long the server takes to say where the file is */
FIXTURE_VARIANT(storm)
{
	bool stores;
	bool moves;
	int delay_ms;
	unsigned int threads;
};

FIXTURE_VARIANT_ADD(storm, invalidations) { };
FIXTURE_VARIANT_ADD(storm, invalidations_and_moves) { .moves = true };
FIXTURE_VARIANT_ADD(storm, invalidations_of_fetches) {
	.moves = true, .delay_ms = 3,
};

FIXTURE_VARIANT_ADD(storm, stores) { .stores = true, .moves = true };
FIXTURE_VARIANT_ADD(storm, stores_at_fetches) {
	.stores = true, .moves = true, .delay_ms = 3,
};

FIXTURE_VARIANT_ADD(storm, one_thread) {
	.stores = true, .moves = true, .threads = 1,
};

FIXTURE_SETUP(storm)
{
	struct fmap_config cfg = { .threads = variant->threads };

	self->over = mmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->over);
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&here, 1));
	ASSERT_EQ(0, fmap_fill_devices(&there, 1));
	self->s = fmap_test_serve(&cfg, "file", &here);
	ASSERT_NE(NULL, self->s);
	self->s->hook[FUSE_GET_FMAP].delay_ms = variant->delay_ms;
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(storm)
{
	close(self->fd);
	fmap_server_free(self->s);
}

static unsigned int state = 7;

static uint64_t below(uint64_t n)
{
	return rand_r(&state) % n;
}

/*
 * One gust: 0, or what no notification may end with. Pages that are just being
 * unmapped or copied may look as if they were pinned: but not for long.
 */
static int blow(struct fmap_server *s, const FIXTURE_VARIANT(storm) * variant)
{
	const struct fmap_layout *l = variant->moves && below(2) ? &there : &here;
	uint64_t nodeid = s->file[0].nodeid;
	uint64_t page = below(PAGES);
	int ret;

	fmap_file_layout(s, &s->file[0], l);
	if (variant->stores && below(3) == 0)
		ret = fmap_store(s, nodeid, 0, l);
	else if (below(4) == 0)
		ret = fmap_inval(s, nodeid, 0, 0);
	else if (below(4) == 0)
		ret = fmap_inval_inode(s, nodeid, page * PG, PG);
	else
		ret = fmap_inval(s, nodeid, page * PG,
				 (1 + below(PAGES - page)) * PG);

	return ret == -ENOENT || ret == -EBUSY ? 0 : ret;
}

/* An actor does one thing after the other until the storm is over */
struct actor {
	struct fmap_server *s;
	int fd;
	atomic_int *over;
	bool (*act)(struct actor *a);
};

static int play(void *arg)
{
	struct actor *a = arg;
	int i;

	state = getpid();
	for (i = 0; i < 20 || !*a->over; i++)
		if (!a->act(a))
			return 1;

	return 0;
}

/* Let actors play while notifications are sent, and see that all come to an end */
static void check_storm(struct __test_metadata *_metadata,
			FIXTURE_DATA(storm) * self,
			const FIXTURE_VARIANT(storm) * variant,
			bool (*first)(struct actor *a),
			bool (*second)(struct actor *a))
{
	struct actor a = { self->s, self->fd, self->over, first };
	pid_t pid[3];
	int i;

	for (i = 0; i < 3; i++) {
		a.act = i == 1 ? second : first;
		pid[i] = fmap_start(play, &a);
	}
	for (i = 0; i < STORM; i++) {
		EXPECT_EQ(0, blow(self->s, variant));
		usleep(below(2000));
	}
	*self->over = 1;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, fmap_exit_soon(pid[i]))
			TH_LOG("actor %d", i);
	}
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(0, fmap_inval(self->s, self->s->file[0].nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
}

static bool right(const char *p, uint64_t page)
{
	return fmap_seed_of(p + page * PG, PG, page * PG) == 1;
}

static bool read_some(struct actor *a)
{
	return fmap_read_seed(a->fd, below(PAGES) * PG, PG) == 1;
}

/* The bytes stay what they are, wherever they go */
static bool write_some(struct actor *a)
{
	uint64_t page = below(PAGES);
	char buf[PG];

	fmap_fill(buf, PG, 1, page * PG);
	return pwrite(a->fd, buf, PG, page * PG) == PG;
}

static bool map_and_load(struct actor *a)
{
	char *p = fmap_map_aligned(a->fd, SIZE, RW, MAP_SHARED);
	bool ok = p != MAP_FAILED;
	int i;

	for (i = 0; ok && i < 5; i++)
		ok = right(p, below(PAGES));
	munmap(p, SIZE);

	return ok;
}

static bool map_and_store(struct actor *a)
{
	uint64_t page = below(PAGES);
	char *p = fmap_map_aligned(a->fd, SIZE, RW, MAP_SHARED);

	if (p == MAP_FAILED)
		return false;
	fmap_fill(p + page * PG, PG, 1, page * PG);
	munmap(p, SIZE);

	return true;
}

static bool private_copy(struct actor *a)
{
	uint64_t page = below(PAGES);
	char *p = fmap_map_aligned(a->fd, SIZE, RW, MAP_PRIVATE);
	bool ok = p != MAP_FAILED && right(p, page);

	if (ok) {
		p[page * PG] ^= 1;
		ok = right(p, (page + 1) % PAGES) && !right(p, page);
	}
	munmap(p, SIZE);

	return ok;
}

static bool fork_and_load(struct actor *a)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED, a->fd, 0);
	uint64_t page = below(PAGES);
	int status = 1;
	pid_t pid;
	bool ok;

	if (p == MAP_FAILED)
		return false;
	ok = right(p, page);
	pid = fork();
	if (!pid)
		_exit(!right(p, page) || !right(p, (page + 9) % PAGES));
	ok = right(p, (page + 5) % PAGES) && ok;
	if (waitpid(pid, &status, 0) != pid)
		status = 1;
	munmap(p, SIZE);

	return ok && !status;
}

/* It is moved, cut in two, and protected, and still the same file */
static bool remap(struct actor *a)
{
	char *room = mmap(NULL, 6 * TAIL, PROT_NONE, MAP_PRIVATE |
			  MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p = room + (-(uintptr_t)room & (HUGE_PG - 1)), *q;
	bool ok;

	if (room == MAP_FAILED)
		return false;
	q = mmap(p, SIZE, RW, MAP_SHARED | MAP_FIXED, a->fd, 0);
	ok = q == p && right(p, below(PAGES));
	if (ok)
		q = mremap(p, TAIL, TAIL, MREMAP_MAYMOVE | MREMAP_FIXED,
			   p + 4 * TAIL);
	ok = ok && q != MAP_FAILED && right(q, below(TAIL / PG)) &&
	     !mprotect(q + MB, MB, PROT_READ) && right(q, MB / PG + 3) &&
	     !munmap(q + MB, PG) && right(q, 0) && right(q, MB / PG + 1) &&
	     !madvise(q, MB, MADV_DONTNEED) && right(q, 1);
	munmap(room, 6 * TAIL);

	return ok;
}

static bool open_and_read(struct actor *a)
{
	uint64_t page = below(PAGES);
	int fd = fmap_open(a->s, "file", O_RDONLY);
	bool ok;

	if (fd < 0)
		return fd == -ENOENT;	/* it is unlinked just now */
	ok = fmap_read_seed(fd, page * PG, PG) == 1;
	close(fd);

	return ok;
}

/* Nothing but the mapping keeps the file */
static bool open_map_and_close(struct actor *a)
{
	int fd = fmap_open(a->s, "file", O_RDONLY);
	bool ok;
	char *p;

	if (fd < 0)
		return fd == -ENOENT;
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	ok = p != MAP_FAILED && right(p, below(PAGES));
	munmap(p, SIZE);

	return ok;
}

static bool evict(struct actor *a)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd >= 0 && below(4) == 0)
		ret = pwrite(fd, "2", 1, 0) - 1;
	else
		ret = fmap_unlink(a->s, "file");
	close(fd);
	a->s->file[0].linked = true;
	usleep(1000);

	return !ret || ret == -ENOENT;
}

static bool other_buffer(struct actor *a)
{
	char *p = fmap_map_aligned(a->fd, SIZE, RW, MAP_SHARED);
	uint64_t page = below(PAGES);
	bool ok;

	if (p == MAP_FAILED)
		return false;
	ok = pread(a->fd, p + page * PG, PG, page * PG) == PG &&
	     pwrite(a->fd, p + page * PG, PG, page * PG) == PG &&
	     right(p, page);
	munmap(p, SIZE);

	return ok;
}

#define CHECK(first, second) check_storm(_metadata, self, variant, first, second)

TEST_F_TIMEOUT(storm, reads_and_writes, 120)
{
	CHECK(read_some, write_some);
}

TEST_F_TIMEOUT(storm, loads_and_stores, 120)
{
	CHECK(map_and_load, map_and_store);
}

TEST_F_TIMEOUT(storm, forks_and_copies, 120)
{
	CHECK(fork_and_load, private_copy);
}

TEST_F_TIMEOUT(storm, moves_of_mappings, 120)
{
	CHECK(remap, read_some);
}

TEST_F_TIMEOUT(storm, buffers_of_the_same_file, 120)
{
	CHECK(other_buffer, map_and_load);
}

/* Nobody else may keep the file: then it comes and goes */
TEST_F_TIMEOUT(storm, opens_and_evictions, 120)
{
	close(self->fd);
	self->fd = -1;
	CHECK(open_and_read, evict);
}

TEST_F_TIMEOUT(storm, mappings_and_evictions, 120)
{
	close(self->fd);
	self->fd = -1;
	CHECK(open_map_and_close, evict);
}

static bool split_and_unmap(struct actor *a)
{
	char *p = fmap_map_aligned(a->fd, TAIL, RW, MAP_PRIVATE);

	if (p == MAP_FAILED)
		return false;
	fmap_touch(p, TAIL, HUGE_PG, false);
	fmap_touch(p + PG, TAIL - PG, HUGE_PG, true);

	return !munmap(p, TAIL);
}

/* Large pages that processes split and unmap, as do stores that change nothing */
TEST_F_TIMEOUT(storm, large_pages_that_are_split, 120)
{
	struct actor a = { self->s, self->fd, self->over, split_and_unmap };
	uint64_t nodeid = self->s->file[0].nodeid;
	pid_t pid[2];
	int i, ret;

	for (i = 0; i < 2; i++)
		pid[i] = fmap_start(play, &a);
	for (i = 0; i < 10 * STORM; i++) {
		ret = fmap_store(self->s, nodeid, 0, &here);
		EXPECT_TRUE(!ret || ret == -EBUSY);
	}
	*self->over = 1;
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, fmap_exit_soon(pid[i]));
	EXPECT_EQ(0, fmap_inval(self->s, nodeid, 0, 0));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

FMAP_TEST_MAIN
