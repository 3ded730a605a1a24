// SPDX-License-Identifier: GPL-2.0
/*
 * A part that is taken back while direct I/O has pages of it pinned
 *
 * It is the I/O of an ordinary file of the same server, which can make it last
 * as long as it likes. So whatever waits for it must not be the server.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(2 * MB + 4 * PG)
#define LEN		(4 * PG)

/* Where the file lies, with seed 1, and where it may go, with seed 2 */
static const struct fmap_ext old_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 4 * PG),
};

static const struct fmap_ext new_ext[] = {
	FMAP_SIMPLE(DEV1, 8 * MB, 2 * MB), FMAP_SIMPLE(DEV0, 0, 4 * PG),
};

static const struct fmap_layout old = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, old_ext);
static const struct fmap_layout new = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						  SIZE, new_ext);

/* An I/O that the server answers when the file has been closed: see answer() */
static struct {
	atomic_bool wanted;
	bool name_goes;		/* before that, by a notification */
	uint32_t opcode;
	atomic_ullong unique;
} *put_off;

static void answer_io(struct fmap_server *s)
{
	static unsigned char bytes[LEN];
	struct fuse_write_out out = { .size = LEN };
	struct fuse_in_header in = { .unique = put_off->unique };
	struct fmap_req r = { .s = s, .in = &in };

	if (put_off->opcode == FUSE_WRITE)
		fmap_reply(&r, &out, sizeof(out));
	else
		fmap_reply(&r, bytes, sizeof(bytes));
}

/* A server with one thread that does things in another order */
static bool answer(struct fmap_req *r)
{
	uint32_t opcode = r->in->opcode;

	if (!put_off->wanted)
		return false;
	if (opcode == FUSE_WRITE || opcode == FUSE_READ) {
		put_off->opcode = opcode;
		put_off->unique = r->in->unique;
		return true;
	}
	if (opcode != FUSE_RELEASE || !put_off->unique)
		return false;
	put_off->wanted = false;
	fmap_answer(r);
	if (put_off->name_goes)
		fmap_inval_entry(r->s, "file");
	answer_io(r->s);

	return true;
}

FIXTURE(pins_direct)
{
	struct fmap_server *s;
	struct fmap_hook *hook;		/* of the I/O */
	uint64_t nodeid;
	struct fmap_file *plain;
	int fd;
	int out;
	char *p;
	uint64_t at;
	bool is_write;
	atomic_int done;
};

/* The part is read from or written to, in large or small pages */
FIXTURE_VARIANT(pins_direct)
{
	bool is_write;
	uint64_t at;
};

FIXTURE_VARIANT_ADD(pins_direct, write_huge) { .is_write = true, .at = MB };
FIXTURE_VARIANT_ADD(pins_direct, write_small) {
	.is_write = true, .at = 2 * MB,
};

FIXTURE_VARIANT_ADD(pins_direct, read_huge) { .at = MB };
FIXTURE_VARIANT_ADD(pins_direct, read_small) { .at = 2 * MB };

FIXTURE_SETUP(pins_direct)
{
	struct fmap_config cfg = { .threads = 1, .answer = answer };

	put_off = mmap(NULL, sizeof(*put_off), RW, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, put_off);
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&old, 1));
	ASSERT_EQ(0, fmap_fill_devices(&new, 2));
	self->s = fmap_test_serve(&cfg, "file", &old);
	ASSERT_NE(NULL, self->s);
	self->nodeid = self->s->file[0].nodeid;
	self->plain = fmap_server_file(self->s, "plain", LEN);
	fmap_file_data(self->s, self->plain, LEN);
	fmap_fill(self->plain->data, LEN, 3, variant->at);
	self->plain->open_flags = FOPEN_DIRECT_IO;
	self->at = variant->at;
	self->is_write = variant->is_write;
	self->hook = &self->s->hook[variant->is_write ? FUSE_WRITE : FUSE_READ];

	self->fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = fmap_map_aligned(self->fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(1, fmap_seed_of(self->p, SIZE, 0));
	self->out = fmap_open(self->s, "plain", O_RDWR | O_DIRECT);
	ASSERT_LE(0, self->out);
	fmap_file_layout(self->s, &self->s->file[0], &new);
}

FIXTURE_TEARDOWN(pins_direct)
{
	munmap(self->p, SIZE);
	close(self->out);
	close(self->fd);
	fmap_server_free(self->s);
}

static void *do_io(void *arg)
{
	FIXTURE_DATA(pins_direct) * self = arg;
	long ret;

	if (self->is_write)
		ret = pwrite(self->out, self->p + self->at, LEN, 0);
	else
		ret = pread(self->out, self->p + self->at, LEN, 0);
	self->done = ret == LEN ? 1 : -errno;

	return NULL;
}

/* The one thread of the server is busy with the I/O, and the test notifies */
TEST_F(pins_direct, busy_until_it_is_done)
{
	char want[LEN];
	pthread_t io;

	self->hook->hold = 1;
	ASSERT_EQ(0, pthread_create(&io, NULL, do_io, self));
	ASSERT_TRUE(fmap_wait_nonzero(&self->hook->held));
	EXPECT_EQ(-EBUSY, fmap_inval(self->s, self->nodeid, self->at, LEN));
	EXPECT_EQ(-EBUSY, fmap_inval_inode(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(-EBUSY, fmap_store(self->s, self->nodeid, 0, &new));
	self->hook->hold = 0;
	ASSERT_TRUE(fmap_wait_nonzero(&self->done));
	EXPECT_EQ(1, self->done);
	pthread_join(io, NULL);
	EXPECT_EQ(0, fmap_inval_wait(self->s, self->nodeid, 0, 0));

	/* Bytes that were read have gone where the file was */
	fmap_fill(want, LEN, self->is_write ? 1 : 3, self->at);
	EXPECT_TRUE(fmap_on_devices(&old, self->at, want, LEN));
	EXPECT_EQ(0, memcmp(want, self->plain->data, LEN));
	EXPECT_EQ(2, fmap_seed_of(self->p, SIZE, 0));
}

/* The buffer itself must be asked for first, by the server that then does it */
TEST_F(pins_direct, buffer_that_is_taken_back)
{
	pthread_t io;

	EXPECT_EQ(0, fmap_inval(self->s, self->nodeid, 0, 0));
	ASSERT_EQ(0, pthread_create(&io, NULL, do_io, self));
	ASSERT_TRUE(fmap_wait_nonzero(&self->done));
	EXPECT_EQ(1, self->done);
	pthread_join(io, NULL);
	EXPECT_EQ(self->is_write ? 2 : 3,
		  fmap_seed_of(self->p + self->at, LEN, self->at));
	EXPECT_EQ(self->is_write ? 2 : 3,
		  fmap_seed_of(self->plain->data, LEN, self->at));
	EXPECT_EQ(0, fmap_inval_wait(self->s, self->nodeid, 0, 0));
}

/* Who does the I/O is killed: the pins stay until the server has answered */
TEST_F(pins_direct, its_process_is_killed)
{
	pid_t pid;

	self->hook->hold = 1;
	madvise(self->p, SIZE, MADV_DOFORK);
	pid = fork();
	if (!pid) {
		do_io(self);
		_exit(0);
	}
	ASSERT_TRUE(fmap_wait_nonzero(&self->hook->held));
	kill(pid, SIGKILL);
	EXPECT_EQ(-EBUSY, fmap_inval(self->s, self->nodeid, 0, 0));
	self->hook->hold = 0;
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));
	EXPECT_EQ(0, fmap_inval_wait(self->s, self->nodeid, 0, 0));
	EXPECT_EQ(2, fmap_read_seed(self->fd, 0, SIZE));
}

static void let_go_of_the_file(FIXTURE_DATA(pins_direct) * self)
{
	munmap(self->p, SIZE);
	self->p = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
}

/*
 * The last reference to the inode goes by what the server does, whose next deed is
 * to answer what the pins wait for: it must not wait for them itself.
 */
static void check_last_reference(struct __test_metadata *_metadata,
				 FIXTURE_DATA(pins_direct) * self)
{
	pthread_t io;
	int i;

	put_off->wanted = true;
	ASSERT_EQ(0, pthread_create(&io, NULL, do_io, self));
	for (i = 0; i < 10000 && !put_off->unique; i++)
		usleep(1000);
	let_go_of_the_file(self);
	EXPECT_TRUE(fmap_wait_nonzero(&self->done));
	EXPECT_EQ(1, self->done);
	if (!self->done)
		fmap_server_kill(self->s);
	pthread_join(io, NULL);
}

TEST_F(pins_direct, last_reference_goes_by_an_answer)
{
	EXPECT_EQ(0, fmap_unlink(self->s, "file"));
	check_last_reference(_metadata, self);
}

TEST_F(pins_direct, last_reference_goes_by_a_notification)
{
	put_off->name_goes = true;
	check_last_reference(_metadata, self);
}

FMAP_TEST_MAIN
