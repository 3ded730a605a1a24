// SPDX-License-Identifier: GPL-2.0
/*
 * A server with one thread notifies while somebody waits for it
 *
 * Whatever a process does with a file, and whatever it holds meanwhile, nothing
 * that the server says may wait for it: nobody else could end that.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define TAIL		(2 * MB)
#define SIZE		(TAIL + 4 * PG)
#define LEN		(4 * PG)

/* Where the file lies, with seed 1, and where it goes, with seed 2 */
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

/* What the server sends; ALL is one after the other */
enum { INVAL, STORE, INODE, ENTRY, ALL, KINDS };

struct op;

FIXTURE(one_thread)
{
	struct fmap_server *s;
	struct fmap_file *f;
	int fd;
	int plain;		/* ordinary files */
	int direct;
	unsigned char *bytes;	/* of the latter */
	char *p;
	const struct op *op;
	struct fmap_notice n;
	atomic_int done;
	int ret;
};

/* What a process does, and the request that makes it wait */
struct op {
	uint32_t opcode;
	bool known;		/* the map is known before it */
	bool pins;
	bool locks_folder;	/* so it must not be told about names */
	int (*fn)(FIXTURE_DATA(one_thread) * self);
};

FIXTURE_VARIANT(one_thread)
{
	enum fmap_moment moment;
};

FIXTURE_VARIANT_ADD(one_thread, unread) { .moment = FMAP_UNREAD };
FIXTURE_VARIANT_ADD(one_thread, unanswered) { .moment = FMAP_UNANSWERED };
FIXTURE_VARIANT_ADD(one_thread, answered) { .moment = FMAP_ANSWERED };

static int add_plain(struct fmap_server *s, const char *name, uint32_t flags,
		     unsigned int seed)
{
	struct fmap_file *f = fmap_server_file(s, name, LEN);

	fmap_file_data(s, f, LEN);
	fmap_fill(f->data, LEN, seed, 0);
	f->open_flags = flags;

	return fmap_open(s, name, O_RDWR);
}

FIXTURE_SETUP(one_thread)
{
	struct fmap_config cfg = { .threads = 1, .polls = true };

	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&cfg, "file", &old);
	ASSERT_NE(NULL, self->s);
	self->f = &self->s->file[0];
	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->plain = add_plain(self->s, "plain", FOPEN_KEEP_CACHE, 2);
	ASSERT_LE(0, self->plain);
	self->direct = add_plain(self->s, "direct", FOPEN_DIRECT_IO, 1);
	ASSERT_LE(0, self->direct);
	self->bytes = self->s->file[2].data;
	/* What else a first write asks for, it asks for now */
	ASSERT_EQ(LEN, pwrite(self->direct, self->bytes, LEN, 0));
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
}

FIXTURE_TEARDOWN(one_thread)
{
	munmap(self->p, SIZE);
	close(self->direct);
	close(self->plain);
	close(self->fd);
	fmap_server_free(self->s);
}

static void make_notice(FIXTURE_DATA(one_thread) * self, int kind)
{
	uint64_t nodeid = self->f->nodeid;

	switch (kind) {
	case INVAL:
		fmap_notice_inval(&self->n, nodeid, 0, 0);
		break;
	case STORE:
		fmap_notice_store(&self->n, nodeid, 0, &new);
		break;
	case INODE:
		fmap_notice_inval_inode(&self->n, nodeid, 0, 0);
		break;
	case ENTRY:
		fmap_notice_inval_entry(&self->n, self->f->name);
		break;
	}
}

static void arm(FIXTURE_DATA(one_thread) * self, enum fmap_moment moment,
		int kind)
{
	int i, last = kind == ALL ? ENTRY : kind;
	struct fmap_armed *a;

	fmap_disarm(self->s);
	for (i = kind == ALL ? INVAL : kind; i <= last; i++) {
		if (i == ENTRY && self->op->locks_folder)
			continue;
		make_notice(self, i);
		a = fmap_arm(self->s, moment, self->op->opcode, &self->n);
		a->retry = moment == FMAP_ANSWERED;
	}
}

/* All that was armed was sent, and came to what it should */
static void check_sent(struct __test_metadata *_metadata,
		       FIXTURE_DATA(one_thread) * self, enum fmap_moment moment)
{
	bool busy = self->op->pins && moment != FMAP_ANSWERED;
	struct fmap_armed *a;

	for (a = self->s->armed; a < self->s->armed + FMAP_ARMED; a++) {
		bool entry = a->notice.code == FUSE_NOTIFY_INVAL_ENTRY;

		if (!a->used)
			break;
		ASSERT_TRUE(fmap_wait_nonzero(&a->sent));
		EXPECT_EQ(busy && !entry ? -EBUSY : 0, a->ret)
			TH_LOG("notification %d", a->notice.code);
	}
}

static int look_up(FIXTURE_DATA(one_thread) * self, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", self->s->dir, name);
	return access(path, F_OK) ? -errno : 0;
}

/* The seed of some pages of all extents, by load and by read; -1: not of one */
static int seed_of_file(FIXTURE_DATA(one_thread) * self)
{
	static const uint64_t at[] = { 0, MB, TAIL - PG, TAIL, SIZE - PG };
	int seed = fmap_seed_of(self->p, PG, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		if (fmap_seed_of(self->p + at[i], PG, at[i]) != seed ||
		    fmap_read_seed(self->fd, at[i], PG) != seed)
			return -1;

	return seed;
}

/* All of the map is known, or none of it; what is asked for then is the new one */
static void prepare(struct __test_metadata *_metadata,
		    FIXTURE_DATA(one_thread) * self)
{
	self->f->linked = true;
	ASSERT_EQ(0, look_up(self, "file"));
	fmap_file_layout(self->s, self->f, &old);
	ASSERT_EQ(0, fmap_inval_wait(self->s, self->f->nodeid, 0, 0));
	ASSERT_EQ(1, seed_of_file(self));
	fmap_file_layout(self->s, self->f, &new);
	if (!self->op->known)
		ASSERT_EQ(0, fmap_inval(self->s, self->f->nodeid, 0, 0));
}

static void *run(void *arg)
{
	FIXTURE_DATA(one_thread) * self = arg;

	self->ret = self->op->fn(self);
	self->done = 1;

	return NULL;
}

static void check_kind(struct __test_metadata *_metadata,
		       FIXTURE_DATA(one_thread) * self, enum fmap_moment moment,
		       int kind)
{
	int seed = kind == ENTRY && self->op->known ? 1 : 2;
	pthread_t thread;

	prepare(_metadata, self);
	arm(self, moment, kind);
	self->done = 0;
	ASSERT_EQ(0, pthread_create(&thread, NULL, run, self));
	if (!fmap_wait_nonzero(&self->done))
		fmap_server_kill(self->s);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_NE(0, self->s->pid) TH_LOG("kind %d hangs", kind);
	EXPECT_EQ(0, self->ret) TH_LOG("kind %d gives %d", kind, self->ret);
	check_sent(_metadata, self, moment);
	EXPECT_EQ(seed, seed_of_file(self)) TH_LOG("kind %d", kind);
}

/* The operation is the body of the function; it gives 0 if all is right */
#define OPERATION(name, ...)						\
	static int do_##name(FIXTURE_DATA(one_thread) * self);		\
	static const struct op name##_op = { __VA_ARGS__, .fn = do_##name }; \
	TEST_F_TIMEOUT(one_thread, name, 120)				\
	{								\
		int i;							\
									\
		self->op = &name##_op;					\
		for (i = 0; i < KINDS; i++)				\
			if (i != ENTRY || !self->op->locks_folder)	\
				check_kind(_metadata, self,		\
					   variant->moment, i);		\
	}								\
	static int do_##name(FIXTURE_DATA(one_thread) * self)

OPERATION(load_small, .opcode = FUSE_GET_FMAP)
{
	return fmap_seed_of(self->p + TAIL, PG, TAIL) == 2 ? 0 : -EILSEQ;
}

OPERATION(load_huge, .opcode = FUSE_GET_FMAP)
{
	return fmap_seed_of(self->p, PG, 0) == 2 ? 0 : -EILSEQ;
}

OPERATION(store_small, .opcode = FUSE_GET_FMAP)
{
	__atomic_fetch_or(self->p + TAIL, 0, __ATOMIC_SEQ_CST);
	return 0;
}

OPERATION(store_huge, .opcode = FUSE_GET_FMAP)
{
	__atomic_fetch_or(self->p, 0, __ATOMIC_SEQ_CST);
	return 0;
}

OPERATION(populate, .opcode = FUSE_GET_FMAP)
{
	return madvise(self->p, SIZE, MADV_POPULATE_WRITE) ? -errno : 0;
}

OPERATION(read, .opcode = FUSE_GET_FMAP)
{
	return fmap_read_seed(self->fd, MB, 64 * KB) == 2 ? 0 : -EILSEQ;
}

OPERATION(write, .opcode = FUSE_GET_FMAP)
{
	char page[PG];

	fmap_fill(page, PG, 2, MB);
	return pwrite(self->fd, page, PG, MB) == PG ? 0 : -errno;
}

/* The buffer is a part that nobody knows, of the same file or of another one */
OPERATION(read_into_itself, .opcode = FUSE_GET_FMAP)
{
	return pread(self->fd, self->p, LEN, 0) == LEN ? 0 : -errno;
}

OPERATION(write_from_itself, .opcode = FUSE_GET_FMAP)
{
	return pwrite(self->fd, self->p, LEN, 0) == LEN ? 0 : -errno;
}

OPERATION(read_plain_into_it, .opcode = FUSE_GET_FMAP)
{
	return pread(self->plain, self->p, LEN, 0) == LEN ? 0 : -errno;
}

OPERATION(write_plain_from_it, .opcode = FUSE_GET_FMAP)
{
	if (pwrite(self->plain, self->p, LEN, 0) != LEN)
		return -errno;
	return fmap_seed_of(self->s->file[1].data, LEN, 0) == 2 ? 0 : -EILSEQ;
}

/* The pages are pinned until the server has answered */
OPERATION(direct_write_from_it, .opcode = FUSE_WRITE, .known = true,
	  .pins = true)
{
	if (pwrite(self->direct, self->p, LEN, 0) != LEN)
		return -errno;
	return fmap_seed_of(self->bytes, LEN, 0) == 1 ? 0 : -EILSEQ;
}

OPERATION(direct_read_into_it, .opcode = FUSE_READ, .known = true,
	  .pins = true)
{
	return pread(self->direct, self->p, LEN, 0) == LEN ? 0 : -errno;
}

OPERATION(open, .opcode = FUSE_OPEN, .known = true)
{
	return fmap_try_open(self->s, "file", O_RDWR);
}

OPERATION(open_that_asks, .opcode = FUSE_GET_FMAP)
{
	return fmap_try_open(self->s, "file", O_RDWR);
}

OPERATION(close, .opcode = FUSE_FLUSH, .known = true)
{
	return fmap_try_open(self->s, "file", O_RDONLY);
}

OPERATION(chmod, .opcode = FUSE_SETATTR, .known = true)
{
	return fchmod(self->fd, 0640) ? -errno : 0;
}

OPERATION(stat, .opcode = FUSE_GETATTR, .known = true)
{
	struct statx stx;

	return statx(self->fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
		     STATX_ALL, &stx) ? -errno : 0;
}

OPERATION(fsync, .opcode = FUSE_FSYNC, .known = true)
{
	return fsync(self->fd) || fsync(self->plain) ? -errno : 0;
}

OPERATION(truncate, .opcode = FUSE_SETATTR, .known = true)
{
	return ftruncate(self->plain, LEN) ? -errno : 0;
}

OPERATION(lookup, .opcode = FUSE_LOOKUP, .known = true, .locks_folder = true)
{
	return look_up(self, "nothing") == -ENOENT ? 0 : -EINVAL;
}

OPERATION(unlink, .opcode = FUSE_UNLINK, .known = true, .locks_folder = true)
{
	return fmap_unlink(self->s, "file");
}

FMAP_TEST_MAIN
