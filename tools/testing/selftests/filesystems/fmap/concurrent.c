// SPDX-License-Identifier: GPL-2.0
/* Many at once: first opens, waiting openers, a server with one thread */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fmap_test.h"

#define SIZE		MB
#define OPENERS		8

static const struct fmap_ext ext[] = {
	FMAP_STRIPED(2, 64 * KB, SIZE, { DEV0, 0, SIZE / 2 },
		     { DEV1, 0, SIZE / 2 }),
};

static const struct fmap_layout layout =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, ext);

FIXTURE(concurrent)
{
	struct fmap_server *s;
};

FIXTURE_VARIANT(concurrent)
{
	struct fmap_config cfg;
};

FIXTURE_VARIANT_ADD(concurrent, threads) {
	.cfg = { .threads = 8 },
};

FIXTURE_VARIANT_ADD(concurrent, one_thread) {
	.cfg = { .threads = 1 },
};

FIXTURE_VARIANT_ADD(concurrent, one_thread_pushes) {
	.cfg = { .threads = 1, .kind = FMAP_PUSH },
};

FIXTURE_SETUP(concurrent)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&variant->cfg, "file", &layout);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&layout, 1));
}

FIXTURE_TEARDOWN(concurrent)
{
	fmap_server_free(self->s);
}

static struct fmap_hook *get_fmap(struct fmap_server *s)
{
	return &s->hook[FUSE_GET_FMAP];
}

/* A process that opens "file" and exits with 0 if it reads right */
static pid_t start_opener(struct fmap_server *s)
{
	pid_t pid = fork();

	if (!pid)
		_exit(fmap_check_file(s, "file", SIZE, 1) ? 1 : 0);

	return pid;
}

/* Wait status of a process that should be about to end, or -1 */
static int status_soon(pid_t pid)
{
	int i, status;

	for (i = 0; i < 1000; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(10000);
	}

	return -1;
}

static void *open_and_check(void *server)
{
	return (void *)(long)fmap_check_file(server, "file", SIZE, 1);
}

TEST_F(concurrent, first_opens_by_threads)
{
	pthread_t thread[OPENERS];
	void *ret;
	int i;

	get_fmap(self->s)->delay_ms = 200;
	for (i = 0; i < OPENERS; i++) {
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, open_and_check,
					    self->s));
	}
	for (i = 0; i < OPENERS; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &ret));
		EXPECT_EQ(NULL, ret);
	}
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

TEST_F(concurrent, first_opens_by_processes)
{
	pid_t pid[OPENERS];
	int i;

	get_fmap(self->s)->delay_ms = 200;
	for (i = 0; i < OPENERS; i++)
		pid[i] = start_opener(self->s);
	for (i = 0; i < OPENERS; i++)
		EXPECT_EQ(0, status_soon(pid[i]));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

/* The first fetch fails, whoever waits for it must not hang or be mapped */
TEST_F(concurrent, first_opens_that_fail)
{
	pid_t pid[OPENERS];
	int i;

	get_fmap(self->s)->delay_ms = 20;
	self->s->file[0].fmap_error = EIO;
	for (i = 0; i < OPENERS; i++)
		pid[i] = start_opener(self->s);
	for (i = 0; i < OPENERS; i++)
		EXPECT_EQ(1, WEXITSTATUS(status_soon(pid[i])));

	self->s->file[0].fmap_error = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

TEST_F(concurrent, waiting_opener_can_be_killed)
{
	pid_t first, second;

	get_fmap(self->s)->hold = 1;
	first = start_opener(self->s);
	ASSERT_TRUE(fmap_wait_nonzero(&get_fmap(self->s)->held));
	self->s->hook[FUSE_OPEN].delay_ms = 0;
	second = start_opener(self->s);
	usleep(200000);

	kill(second, SIGKILL);
	if (variant->cfg.threads > 1)	/* else it waits for its OPEN */ {
		EXPECT_EQ(SIGKILL, status_soon(second));
	}
	get_fmap(self->s)->hold = 0;
	EXPECT_EQ(0, status_soon(first));
	if (variant->cfg.threads == 1)
		EXPECT_EQ(SIGKILL, status_soon(second));
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* The one who fetches is killed; the one who waits for it goes on */
TEST_F(concurrent, fetching_opener_can_be_killed)
{
	pid_t first, second;

	get_fmap(self->s)->hold = 1;
	first = start_opener(self->s);
	ASSERT_TRUE(fmap_wait_nonzero(&get_fmap(self->s)->held));
	second = start_opener(self->s);
	usleep(100000);

	kill(first, SIGKILL);
	usleep(100000);
	get_fmap(self->s)->hold = 0;
	EXPECT_EQ(SIGKILL, status_soon(first));
	EXPECT_EQ(0, status_soon(second));
}

static void on_signal(int sig)
{
}

/* A signal that does not kill is told to the server, and waits for its answer */
TEST_F(concurrent, fetching_opener_gets_a_signal)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pid_t pid;

	sigaction(SIGUSR1, &act, NULL);
	get_fmap(self->s)->hold = 1;
	pid = start_opener(self->s);
	ASSERT_TRUE(fmap_wait_nonzero(&get_fmap(self->s)->held));
	kill(pid, SIGUSR1);
	usleep(100000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	get_fmap(self->s)->hold = 0;
	EXPECT_EQ(0, status_soon(pid));
}

/* A server may give up then; the next open asks again */
TEST_F(concurrent, interrupted_fetch)
{
	self->s->file[0].fmap_error = EINTR;
	EXPECT_EQ(-EINTR, fmap_try_open(self->s, "file", O_RDWR));
	self->s->file[0].fmap_error = 0;
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* A file is made by one and opened by others */
TEST_F(concurrent, create_and_opens)
{
	pid_t pid[OPENERS];
	int fd, i;

	self->s->file[0].linked = false;
	get_fmap(self->s)->delay_ms = 100;
	fd = fmap_open(self->s, "file", O_RDWR | O_CREAT | O_EXCL);
	for (i = 0; i < OPENERS; i++)
		pid[i] = start_opener(self->s);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(fmap_file_holds(fd, SIZE, 1));
	for (i = 0; i < OPENERS; i++)
		EXPECT_EQ(0, status_soon(pid[i]));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	close(fd);
}

FIXTURE(together)
{
	struct fmap_server *s;
	struct fmap_server *other;
};

FIXTURE_SETUP(together)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
}

FIXTURE_TEARDOWN(together)
{
	fmap_server_free(self->other);
	fmap_server_free(self->s);
}

/* One byte of two files: at any time one of them has it, never both */
static bool compete(struct fmap_server *s, struct fmap_file *f)
{
	int i, ret, fd;

	for (i = 0; i < 60; i++) {
		fd = fmap_open(s, f->name, O_RDWR);
		if (fd < 0 && fd != -EBUSY)
			return false;
		if (fd < 0)
			continue;
		ret = pwrite(fd, f->name, 4, 0);
		if (ret == 4)
			ret = !fmap_sigbus(fmap_map(fd, PG, PROT_READ,
						    MAP_SHARED), false);
		close(fd);
		if (ret != 1 || fmap_unlink(s, f->name))
			return false;
		f->linked = true;
	}

	return true;
}

TEST_F_TIMEOUT(together, evictions_and_opens_of_the_same_bytes, 60)
{
	struct fmap_file *other;
	int status;
	pid_t pid;

	self->other = fmap_test_serve(&(struct fmap_config) { }, "unused",
				      &layout);
	ASSERT_NE(NULL, self->other);
	other = fmap_server_mapped(self->other, "other", &layout);

	pid = fork();
	if (!pid)
		_exit(compete(self->other, other) ? 0 : 1);
	EXPECT_TRUE(compete(self->s, &self->s->file[0]));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

struct part {
	struct fmap_server *s;
	unsigned int nr;
};

/* Write, read and store in every fourth page, by all ways */
static bool use_part(struct part *part)
{
	int fd = fmap_open(part->s, "file", O_RDWR);
	char *p = fmap_map(fd, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
	char buf[PG], got[PG];
	uint64_t off;

	if (p == MAP_FAILED)
		return false;
	for (off = part->nr * PG; off < SIZE; off += 4 * PG) {
		fmap_fill(buf, PG, 1, off);
		if (off / PG % 3)
			memcpy(p + off, buf, PG);
		else if (pwrite(fd, buf, PG, off) != PG)
			return false;
		if (pread(fd, got, PG, off) != PG || memcmp(buf, got, PG) ||
		    memcmp(buf, p + off, PG))
			return false;
	}
	munmap(p, SIZE);
	close(fd);

	return true;
}

static void *use_part_thread(void *part)
{
	return use_part(part) ? NULL : part;
}

TEST_F_TIMEOUT(together, reads_writes_and_stores, 60)
{
	struct part part[4];
	pthread_t thread[4];
	void *failed;
	int i;

	for (i = 0; i < 4; i++) {
		part[i] = (struct part) { self->s, i };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, use_part_thread,
					    &part[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &failed));
		EXPECT_EQ(NULL, failed);
	}
	EXPECT_EQ(0, fmap_check_file(self->s, "file", SIZE, 1));
}

/* Nobody sees half of a write(2), since writers and readers exclude another */
TEST_F_TIMEOUT(together, writes_are_atomic, 60)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char buf[6 * PG];
	int i, status;
	pid_t pid;

	ASSERT_LE(0, fd);
	memset(buf, 'a', sizeof(buf));
	ASSERT_EQ(sizeof(buf), pwrite(fd, buf, sizeof(buf), PG / 2));
	pid = fork();
	for (i = 0; !pid && i < 300; i++) {
		memset(buf, 'a' + i % 26, sizeof(buf));
		if (pwrite(fd, buf, sizeof(buf), PG / 2) != sizeof(buf))
			_exit(1);
	}
	if (!pid)
		_exit(0);

	while (!waitpid(pid, &status, WNOHANG)) {
		ASSERT_EQ(sizeof(buf), pread(fd, buf, sizeof(buf), PG / 2));
		ASSERT_EQ(0, memcmp(buf, buf + 1, sizeof(buf) - 1));
	}
	EXPECT_EQ(0, status);
	close(fd);
}

FMAP_TEST_MAIN
