// SPDX-License-Identifier: GPL-2.0
/*
 * A server moves the bytes of a file while it is read, written and mapped
 *
 * It takes a part back, copies its bytes, and answers with the new place from then
 * on. The old place is filled with what nobody may ever see, and nothing that was
 * written may be lost.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

#include "fmap_check.h"
#include "fmap_counter.h"
#include "fmap_paging.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(4 * MB)
#define TAIL_LEN	(64 * KB)
#define SIZE		(TAIL + TAIL_LEN)
#define PAGES		(SIZE / PG)
#define MOVES		45
#define PIECE		(64 * KB)
#define UNSEEN		99	/* seed of what nobody may see */

enum { UNITS = 3, LARGE = 6, SMALL = 3 };

/* Where a large unit or the tail may lie; one place has no large pages */
static const struct fmap_run large[LARGE] = {
	{ DEV0, 4 * MB, 2 * MB }, { DEV1, 4 * MB, 2 * MB },
	{ DEV0, 8 * MB, 2 * MB }, { DEV1, 8 * MB, 2 * MB },
	{ DEV0, 12 * MB, 2 * MB }, { DEV1, 12 * MB + PG, 2 * MB },
};

static const struct fmap_run small[SMALL] = {
	{ DEV0, MB, TAIL_LEN }, { DEV1, MB, TAIL_LEN }, { DEV0, 0, TAIL_LEN },
};

/* Shared by the test, the server and all who use the file */
static struct world {
	struct fmap_server *s;
	struct fmap_layout l;
	struct fmap_ext ext[UNITS];
	uint64_t nodeid;
	bool stores;		/* the server tells the new place unasked */
	unsigned int next;	/* moves so far */
	int error;		/* of a move: -errno */
	atomic_bool stop;
	atomic_uint accesses;
} *w;

static bool in_use(const struct fmap_run *run)
{
	unsigned int i;

	for (i = 0; i < UNITS; i++)
		if (w->ext[i].run[0].dev == run->dev &&
		    w->ext[i].run[0].off == run->off)
			return true;

	return false;
}

/* A free place for a unit, never the same for long */
static struct fmap_run choose(unsigned int unit)
{
	const struct fmap_run *runs = unit < 2 ? large : small;
	unsigned int n = unit < 2 ? LARGE : SMALL;
	unsigned int i = w->next;

	while (in_use(&runs[i % n]))
		i++;

	return runs[i % n];
}

static int copy(const struct fmap_run *from, const struct fmap_run *to)
{
	char buf[PIECE];
	uint64_t off;

	for (off = 0; off < from->len; off += PIECE)
		if (fmap_dax_read(from->dev, from->off + off, buf, PIECE) ||
		    fmap_dax_write(to->dev, to->off + off, buf, PIECE))
			return -EIO;

	return 0;
}

static int spoil(const struct fmap_run *run)
{
	char buf[PIECE];
	uint64_t off;

	fmap_fill(buf, PIECE, UNSEEN, 0);
	for (off = 0; off < run->len; off += PIECE)
		if (fmap_dax_write(run->dev, run->off + off, buf, PIECE))
			return -EIO;

	return 0;
}

/* The server's table, and the kernel if it is to be told */
static int publish(unsigned int unit)
{
	struct fmap_layout part = {
		.type = FUSE_FAMFS_EXT_SIMPLE, .size = SIZE,
		.nextents = 1, .ext = &w->ext[unit],
	};

	if (!w->s->file[0].paging)
		fmap_file_layout(w->s, &w->s->file[0], &w->l);
	if (!w->stores)
		return 0;
	if (unit == UNITS - 1)
		return fmap_store(w->s, w->nodeid, unit * 2 * MB, &part);
	return fmap_store_page(w->s, w->nodeid, unit * 2 * MB, &part);
}

static int move_unit(unsigned int unit)
{
	struct fmap_run from = w->ext[unit].run[0], to = choose(unit);
	int ret;

	ret = fmap_inval_wait(w->s, w->nodeid, unit * 2 * MB, from.len);
	if (!ret)
		ret = copy(&from, &to);
	w->ext[unit].run[0] = to;
	if (!ret)
		ret = publish(unit);
	if (!ret)
		ret = spoil(&from);

	return ret;
}

static void move_next(void)
{
	int ret = move_unit(w->next % UNITS);

	w->next++;
	if (ret)
		w->error = ret;
}

/* STATFS is the sign for a server with one thread to move something */
static bool answer(struct fmap_req *r)
{
	if (r->in->opcode == FUSE_STATFS)
		move_next();

	return false;
}

FIXTURE(relocate)
{
	struct fmap_server *s;
	int fd;
};

FIXTURE_VARIANT(relocate)
{
	struct fmap_config cfg;
	bool pages;
	bool stores;
};

/* The test is the mover, and what the kernel asks meanwhile must wait */
FIXTURE_VARIANT_ADD(relocate, by_one_who_holds_requests) {
	.cfg = { .threads = 4 },
};

FIXTURE_VARIANT_ADD(relocate, by_one_thread) {
	.cfg = { .threads = 1, .answer = answer },
};

FIXTURE_VARIANT_ADD(relocate, by_one_thread_with_pages) {
	.cfg = { .threads = 1, .answer = answer }, .pages = true,
};

FIXTURE_VARIANT_ADD(relocate, by_one_thread_that_stores) {
	.cfg = { .threads = 1, .answer = answer }, .pages = true,
	.stores = true,
};

/* A page for each unit, and they are in the table that the mover changes */
static void make_paged(struct fmap_server *s)
{
	struct fmap_paging *p = fmap_server_paged(s, "file", &w->l);

	p->l.ext = w->ext;
	p->max_exts = 1;
}

FIXTURE_SETUP(relocate)
{
	w = mmap(NULL, sizeof(*w), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, w);
	w->ext[0].run[0] = large[0];
	w->ext[1].run[0] = large[1];
	w->ext[2].run[0] = small[0];
	w->l = (struct fmap_layout) {
		.type = FUSE_FAMFS_EXT_SIMPLE, .size = SIZE,
		.nextents = UNITS, .ext = w->ext,
	};
	w->stores = variant->stores;

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&w->l, 1));
	self->s = fmap_test_server(&variant->cfg);
	ASSERT_NE(NULL, self->s);
	w->s = self->s;
	if (variant->pages)
		make_paged(self->s);
	else
		fmap_server_mapped(self->s, "file", &w->l);
	w->nodeid = self->s->file[0].nodeid;
	ASSERT_EQ(0, fmap_server_mount(self->s));
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(relocate)
{
	close(self->fd);
	fmap_server_free(self->s);
	munmap(w, sizeof(*w));
}

/* Two pages of eight have an owner, who writes to them; the rest stays as it is */
enum { BY_CALL, BY_STORE, NOBODY };

static int owner(uint64_t page)
{
	return page % 8 < NOBODY ? page % 8 : NOBODY;
}

/* Each unit as often as the others */
static uint64_t some_page(unsigned int *state)
{
	uint64_t unit = rand_r(state) % UNITS;

	return unit * (2 * MB / PG) +
	       rand_r(state) % (w->ext[unit].run[0].len / PG);
}

/* Accesses of one process: by read, and by load of this mapping if it has one */
struct user {
	int fd;
	char *p;
	uint64_t first;		/* page that is accessed by the mapping */
	int owns;
	unsigned int state;
	unsigned int round[PAGES];	/* of the pages that it owns */
};

/* What the page holds now; pages of others change while one looks at them */
static bool page_is_right(struct user *u, uint64_t page)
{
	char want[PG], got[PG];

	if (owner(page) != NOBODY && owner(page) != u->owns)
		return true;
	fmap_fill(want, PG, u->round[page] ? 100 + u->round[page] : 1,
		  page * PG);
	if (pread(u->fd, got, PG, page * PG) != PG || memcmp(got, want, PG))
		return false;

	return !u->p || page < u->first ||
	       !memcmp(u->p + page * PG, want, PG);
}

static bool write_page(struct user *u, uint64_t page)
{
	char buf[PG];

	fmap_fill(buf, PG, 100 + ++u->round[page], page * PG);
	if (u->owns == BY_CALL)
		return pwrite(u->fd, buf, PG, page * PG) == PG;
	memcpy(u->p + page * PG, buf, PG);

	return true;
}

static int use_file(struct user *u)
{
	uint64_t page;

	while (!w->stop) {
		page = some_page(&u->state);
		if (!page_is_right(u, page))
			return 1;
		page = page / 8 * 8 + u->owns;
		if (u->owns != NOBODY && page < PAGES &&
		    (!page_is_right(u, page) || !write_page(u, page) ||
		     !page_is_right(u, page)))
			return 2;
		w->accesses++;
	}
	for (page = 0; page < PAGES; page++)
		if (!page_is_right(u, page))
			return 3;

	return 0;
}

static struct user user;

static int read_it(void *fd)
{
	user.fd = *(int *)fd;
	user.owns = NOBODY;
	user.state = 1;

	return use_file(&user);
}

/*
 * Where its pages cannot be large ones. It leaves the first unit alone: nobody else
 * could map any of it by a large page after that.
 */
static int load_small(void *fd)
{
	char *p = fmap_map_aligned(*(int *)fd, SIZE + HUGE_PG, PROT_READ,
				   MAP_SHARED);

	user.p = mmap(p + PG, SIZE, PROT_READ, MAP_SHARED | MAP_FIXED,
		      *(int *)fd, 0);
	user.first = 2 * MB / PG;

	return user.p == MAP_FAILED ? 10 : read_it(fd);
}

static int load_large(void *fd)
{
	user.p = fmap_map_aligned(*(int *)fd, SIZE, PROT_READ, MAP_SHARED);

	return user.p == MAP_FAILED ? 10 : read_it(fd);
}

static int write_it(void *fd)
{
	user.fd = *(int *)fd;
	user.owns = BY_CALL;
	user.state = 2;

	return use_file(&user);
}

static int store_it(void *fd)
{
	user.fd = *(int *)fd;
	user.p = fmap_map_aligned(user.fd, SIZE, RW, MAP_SHARED);
	user.owns = BY_STORE;
	user.state = 3;

	return user.p == MAP_FAILED ? 10 : use_file(&user);
}

static void move_by_test(struct fmap_server *s)
{
	struct fmap_hook *hook = &s->hook[FUSE_GET_FMAP];

	hook->hold = 1;
	move_next();
	hook->hold = 0;
}

static void move_by_server(struct fmap_server *s)
{
	struct statfs st;

	statfs(s->dir, &st);
}

/* Some accesses between two moves, so that most parts are in use again */
static void let_them_work(void)
{
	unsigned int until = w->accesses + 20;
	int i;

	for (i = 0; i < 2000 && w->accesses < until; i++)
		usleep(1000);
}

TEST_F_TIMEOUT(relocate, under_load, 300)
{
	static int (* const users[])(void *fd) = {
		read_it, load_small, load_large, write_it, store_it,
	};
	pid_t pid[ARRAY_SIZE(users)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(users); i++)
		pid[i] = fmap_start(users[i], &self->fd);
	while (w->next < MOVES && !w->error) {
		let_them_work();
		if (variant->cfg.answer)
			move_by_server(self->s);
		else
			move_by_test(self->s);
	}
	w->stop = true;
	for (i = 0; i < ARRAY_SIZE(users); i++) {
		EXPECT_EQ(0, fmap_exit_soon(pid[i]))
			TH_LOG("user %u", i);
	}
	EXPECT_EQ(0, w->error);
	EXPECT_EQ(MOVES, w->next);
	if (!variant->stores)
		EXPECT_LT(MOVES / 2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_LT(0, fmap_counter(self->s, "faults_2m"));
	EXPECT_LT(0, fmap_counter(self->s, "faults_4k"));
	EXPECT_EQ(0, fmap_server_data_requests(self->s));
}

FMAP_TEST_MAIN
