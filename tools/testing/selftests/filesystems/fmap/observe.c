// SPDX-License-Identifier: GPL-2.0
/* What an administrator can see: counters in debugfs, and tracepoints */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fmap_test.h"
#include "fmap_trace.h"

#define RW		(PROT_READ | PROT_WRITE)
#define DEBUGFS		"/sys/kernel/debug"
#define SIZE		(2 * MB + 2 * PG)

static const struct fmap_ext ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 2 * MB), FMAP_SIMPLE(DEV1, 0, 2 * PG),
};

static const struct fmap_layout layout = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						     SIZE, ext);

FIXTURE(observe)
{
	struct fmap_server *s;
	struct fmap_trace trace;
	char counters[96];
	char who[48];		/* "dev M:m nodeid N " of the file */
};

FIXTURE_SETUP(observe)
{
	struct stat st;

	ASSERT_EQ(0, fmap_test_begin());
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		ASSERT_EQ(EBUSY, errno);
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file", &layout);
	ASSERT_NE(NULL, self->s);
	fmap_server_file(self->s, "plain", 10);
	ASSERT_EQ(0, stat(self->s->dir, &st));
	snprintf(self->counters, sizeof(self->counters),
		 DEBUGFS "/fuse/%u/fmap", (unsigned int)st.st_dev);
	snprintf(self->who, sizeof(self->who), "dev %u:%u nodeid %u ",
		 major(st.st_dev), minor(st.st_dev),
		 (unsigned int)self->s->file[0].nodeid);
}

FIXTURE_TEARDOWN(observe)
{
	fmap_trace_stop(&self->trace);
	fmap_server_free(self->s);
}

/* A counter by its name, or -1 */
static long counter(FIXTURE_DATA(observe) * self, const char *name)
{
	FILE *f = fopen(self->counters, "re");
	long value = -1, n;
	char line[64];

	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld\n", line, &n) == 2)
		if (!strcmp(line, name))
			value = n;
	fclose(f);

	return value;
}

TEST_F(observe, counters_begin_with_0)
{
	static const char * const names[] = {
		"opens_mapped", "opens_ordinary", "opens_refused", "fetches",
		"fetch_errors", "installs", "evictions", "faults_4k",
		"faults_2m", "fallbacks", "faults_failed", "lookup_misses",
		"reads", "writes", "refusals", "map_bytes", "claim_bytes",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_EQ(0, counter(self, names[i]));
}

TEST_F(observe, counters_of_opens)
{
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(0, fmap_try_open(self->s, "plain", O_RDONLY));
	self->s->file[1].fmap_error = EIO;
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "plain", O_RDONLY));

	EXPECT_EQ(2, counter(self, "opens_mapped"));
	EXPECT_EQ(1, counter(self, "opens_ordinary"));
	EXPECT_EQ(1, counter(self, "opens_refused"));
	EXPECT_EQ(3, counter(self, "fetches"));
	EXPECT_EQ(1, counter(self, "fetch_errors"));
	EXPECT_EQ(1, counter(self, "installs"));
	EXPECT_EQ(0, counter(self, "evictions"));
	ASSERT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	EXPECT_EQ(1, counter(self, "evictions"));
}

TEST_F(observe, counters_of_accesses)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map_aligned(fd, 4 * MB, RW, MAP_SHARED);
	char c;

	ASSERT_NE(MAP_FAILED, p);
	fmap_touch(p, 2 * MB, PG, true);
	EXPECT_EQ(1, counter(self, "faults_2m"));
	EXPECT_EQ(0, counter(self, "faults_4k"));
	fmap_touch(p + 2 * MB, 2 * PG, PG, false);
	EXPECT_EQ(1, counter(self, "faults_2m"));
	EXPECT_EQ(2, counter(self, "faults_4k"));
	EXPECT_EQ(1, counter(self, "fallbacks"));

	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_EQ(1, pread(fd, &c, 1, PG));
	EXPECT_EQ(1, pwrite(fd, &c, 1, 0));
	EXPECT_EQ(2, counter(self, "reads"));
	EXPECT_EQ(1, counter(self, "writes"));
	EXPECT_EQ(0, counter(self, "faults_failed"));
	EXPECT_EQ(0, counter(self, "lookup_misses"));
	munmap(p, 4 * MB);
	close(fd);
}

TEST_F(observe, counters_of_what_is_not_done)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map(fd, 4 * MB, RW, MAP_SHARED);
	long before;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, ftruncate(fd, 1));
	EXPECT_EQ(1, counter(self, "refusals"));
	before = counter(self, "faults_failed");
	EXPECT_TRUE(fmap_sigbus(p + SIZE, false));
	EXPECT_LT(before, counter(self, "faults_failed"));
	munmap(p, 4 * MB);
	close(fd);
}

/* They are for root, and are there as long as the mount */
TEST_F(observe, counters_come_and_go)
{
	struct stat st;

	ASSERT_EQ(0, stat(self->counters, &st));
	EXPECT_EQ(0, st.st_mode & 077);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_EQ(-1, stat(self->counters, &st));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(observe, no_counters_without_maps)
{
	struct fmap_server *s;
	struct stat st;
	char path[96];

	s = fmap_test_serve(&(struct fmap_config) { .no_echo = true }, "file",
			    &layout);
	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, stat(s->dir, &st));
	snprintf(path, sizeof(path), DEBUGFS "/fuse/%u/fmap",
		 (unsigned int)st.st_dev);
	EXPECT_EQ(-1, access(path, F_OK));
	fmap_server_free(s);
}

TEST_F(observe, counters_of_a_server_that_sleeps)
{
	int op;

	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	for (op = 0; op < FMAP_OPS; op++)
		self->s->hook[op].hold = 1;
	EXPECT_EQ(1, counter(self, "opens_mapped"));
	fmap_server_kill(self->s);
	EXPECT_EQ(1, counter(self, "opens_mapped"));
}

struct reader {
	FIXTURE_DATA(observe) * self;
	atomic_bool stop;
	unsigned int reads;
};

static void *read_counters(void *arg)
{
	struct reader *r = arg;

	while (!r->stop)
		r->reads += counter(r->self, "fetches") >= 0;

	return NULL;
}

TEST_F(observe, counters_while_mounts_come_and_go)
{
	struct reader r = { .self = self };
	struct fmap_server *s;
	pthread_t thread;
	struct stat st;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_counters, &r));
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	for (i = 0; i < 4; i++) {
		s = fmap_test_serve(&(struct fmap_config) { }, "file",
				    &layout);
		ASSERT_NE(NULL, s);
		/* mostly the number is that of the mount before */
		EXPECT_EQ(0, stat(s->dir, &st));
		EXPECT_EQ(0, fmap_try_open(s, "file", O_RDONLY));
		EXPECT_EQ(0, fmap_server_umount(s, 0));
		fmap_server_free(s);
	}
	r.stop = true;
	pthread_join(thread, NULL);
}

/* Lines of the event that tell this of the file */
static int traced(FIXTURE_DATA(observe) * self, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s", self->who, what);
	return fmap_trace_count(&self->trace, text);
}

TEST_F(observe, event_of_an_open)
{
	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_open"));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(1, traced(self, "mapped (1)"));
	EXPECT_EQ(0, fmap_try_open(self->s, "plain", O_RDONLY));
	EXPECT_EQ(1, fmap_trace_count(&self->trace, "ordinary (0)"));
	self->s->file[1].fmap_error = EACCES;
	EXPECT_EQ(-EACCES, fmap_try_open(self->s, "plain", O_RDONLY));
	EXPECT_EQ(1, fmap_trace_count(&self->trace, "error (-13)"));
}

TEST_F(observe, events_of_a_fetch)
{
	char want[80];

	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_fetch"));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	snprintf(want, sizeof(want), "offset 0 room %u ret %u",
		 self->s->fmap_in.size,
		 (unsigned int)self->s->file[0].map_len);
	EXPECT_EQ(1, traced(self, want));
}

TEST_F(observe, event_of_an_install)
{
	struct fmap_file *f = &self->s->file[0];
	char want[80];

	snprintf(want, sizeof(want),
		 "size %llu start 0 next 0 extents 2 ret 0", SIZE);
	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_install"));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDONLY));
	EXPECT_EQ(1, traced(self, want));

	/* A second file with these bytes */
	fmap_server_mapped(self->s, "twin", &layout);
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "twin", O_RDONLY));
	EXPECT_EQ(1, fmap_trace_count(&self->trace, "ret -16"));
	EXPECT_EQ(1, traced(self, "size"));
	EXPECT_LT(0, f->map_len);
}

TEST_F(observe, events_of_faults)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_fault"));
	fmap_touch(p, 1, 1, true);
	EXPECT_EQ(1, traced(self, "pgoff 0x0 order 9 write result NOPAGE"));
	fmap_touch(p + 2 * MB + PG, 1, 1, false);
	EXPECT_EQ(1, traced(self, "pgoff 0x201 order 0 read result NOPAGE"));
	fmap_trace_clear(&self->trace);
	fmap_touch(p, SIZE, 2 * MB, true);
	EXPECT_EQ(0, traced(self, "pgoff 0x0 "));
	munmap(p, SIZE);
	close(fd);
}

TEST_F(observe, event_of_a_refusal)
{
	int fd = fmap_open(self->s, "file", O_RDWR);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_refuse"));
	EXPECT_EQ(-1, ftruncate(fd, 1));
	EXPECT_EQ(1, traced(self, ""));
	EXPECT_EQ(1, fmap_trace_count(&self->trace, "ret -1"));
	EXPECT_EQ(-1, fallocate(fd, 0, SIZE, PG));
	EXPECT_EQ(1, fmap_trace_count(&self->trace, "fallocate ret -28"));
	close(fd);
}

/* The memory behind a file has gone: its look-up leads nowhere */
TEST_F(observe, event_of_a_miss)
{
	int fd = fmap_open(self->s, "file", O_RDWR);
	char c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fmap_trace_start(&self->trace, "fuse_fmap/fmap_miss"));
	ASSERT_EQ(0, fmap_dax_unbind(1));
	EXPECT_EQ(-1, pread(fd, &c, 1, 2 * MB + 5));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(1, traced(self, "pos 2097157 len 1 ret -5"));
	EXPECT_EQ(1, counter(self, "lookup_misses"));
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	close(fd);
	EXPECT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_EQ(0, fmap_dax_bind(1));
}

FMAP_TEST_MAIN
