// SPDX-License-Identifier: GPL-2.0
/*
 * The node of a devdax device under concurrent use: readers and writers beside
 * each other, and removal of the device under both.
 *
 * The device is the first one that FAMFS_DAXDEVS names. What is on it is
 * overwritten, and it is unbound from its driver and bound again. It takes root.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include "../../kselftest_harness.h"
#include "dax_node.h"

#define NTHREADS	4
#define NROUNDS		20
#define NREMOVALS	6
#define TRANSFER	(4 * MIB)
#define DRIVER		"/sys/bus/dax/drivers/fsdev_dax/"

/* Write the device's name to a file of the driver: 0, or the errno */
static int driver_write(const char *what, const char *node)
{
	const char *slash = strrchr(node, '/');
	const char *name = slash ? slash + 1 : node;
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), DRIVER "%s", what);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	err = ERR(write(fd, name, strlen(name)));
	close(fd);
	return err;
}

FIXTURE(race) {
	char name[64];
};

FIXTURE_SETUP(race)
{
	ASSERT_TRUE(device_name(self->name, sizeof(self->name)))
		TH_LOG("set FAMFS_DAXDEVS, for example to /dev/dax0.0");
}

/* Whatever happened, the next test finds the device bound */
FIXTURE_TEARDOWN(race)
{
	driver_write("bind", self->name);
}

struct worker {
	pthread_t thread;
	const char *name;
	off_t base;
	uint64_t seed;
	const char *failed;
};

#define STRIPE	((ssize_t)(300 * KIB + 7))

/* Own bytes stay what they are although neighbours write the next byte */
static const char *work(struct worker *w, int fd, uint8_t *out, uint8_t *in)
{
	for (int i = 0; i < NROUNDS; i++) {
		fill(out, STRIPE, w->seed + i);
		if (pwrite(fd, out, STRIPE, w->base) != STRIPE)
			return "short write";
		if (pread(fd, in, STRIPE, w->base) != STRIPE)
			return "short read";
		if (memcmp(out, in, STRIPE))
			return "other data";
	}
	return NULL;
}

static void *worker(void *arg)
{
	uint8_t *out = malloc(STRIPE), *in = malloc(STRIPE);
	struct worker *w = arg;
	int fd = open(w->name, O_RDWR);

	w->failed = "cannot start";
	if (fd >= 0 && out && in)
		w->failed = work(w, fd, out, in);
	if (fd >= 0)
		close(fd);
	free(out);
	free(in);
	return NULL;
}

struct reader {
	pthread_t thread;
	const char *name;
	atomic_bool stop;
	unsigned long rounds;
	bool failed;
};

/* Reads across all workers: the data is theirs, the length must be right */
static void *reader(void *arg)
{
	const ssize_t len = NTHREADS * STRIPE;
	uint8_t *in = malloc(len);
	struct reader *r = arg;
	int fd = open(r->name, O_RDONLY);

	r->failed = fd < 0 || !in;
	while (!r->failed && !r->stop) {
		r->failed = pread(fd, in, len, 0) != len;
		r->rounds++;
	}
	if (fd >= 0)
		close(fd);
	free(in);
	return NULL;
}

TEST_F_TIMEOUT(race, readers_and_writers, TIMEOUT)
{
	struct worker workers[NTHREADS] = {};
	struct reader r = { .name = self->name };

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, reader, &r));
	for (int i = 0; i < NTHREADS; i++) {
		workers[i].name = self->name;
		workers[i].base = i * STRIPE;
		workers[i].seed = 1000 * (i + 1);
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, worker,
					    &workers[i]));
	}
	for (int i = 0; i < NTHREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_EQ(NULL, workers[i].failed)
			TH_LOG("thread %d: %s", i, workers[i].failed);
	}
	r.stop = true;
	pthread_join(r.thread, NULL);
	EXPECT_FALSE(r.failed);
	EXPECT_GT(r.rounds, 0UL);
}

/* The file that was open has no device any more, and gets none by binding it */
TEST_F_TIMEOUT(race, removal_ends_open_files, TIMEOUT)
{
	int fd = open(self->name, O_RDWR);
	char byte;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, pread(fd, &byte, 1, 0));
	ASSERT_EQ(0, driver_write("unbind", self->name));
	EXPECT_EQ(ENXIO, ERR(pread(fd, &byte, 1, 0)));
	EXPECT_EQ(ENXIO, ERR(pwrite(fd, &byte, 1, 0)));
	EXPECT_EQ(ENXIO, ERR(lseek(fd, 0, SEEK_END)));
	EXPECT_EQ(ENXIO, ERR(open(self->name, O_RDWR)));

	EXPECT_EQ(EBUSY, driver_write("bind", self->name));
	close(fd);
	EXPECT_EQ(0, driver_write("bind", self->name));
	fd = open(self->name, O_RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	close(fd);
}

struct user {
	pthread_t thread;
	const char *name;
	bool writes;
	atomic_ulong rounds;
	int err;
};

/* Transfers of several pieces, until one fails */
static void *user(void *arg)
{
	struct user *u = arg;
	char *buf = calloc(1, TRANSFER);
	int fd = open(u->name, O_RDWR);
	ssize_t n;

	do {
		n = u->writes ? pwrite(fd, buf, TRANSFER, 0) :
				pread(fd, buf, TRANSFER, 0);
		u->err = n < 0 ? errno : 0;
		u->rounds++;
	} while (n > 0);
	close(fd);
	free(buf);
	return NULL;
}

static bool all_at_work(struct user *users)
{
	for (int i = 0; i < NTHREADS; i++)
		if (!users[i].rounds)
			return false;
	return true;
}

TEST_F_TIMEOUT(race, removal_under_transfers, TIMEOUT)
{
	for (int round = 0; round < NREMOVALS; round++) {
		struct user users[NTHREADS] = {};

		for (int i = 0; i < NTHREADS; i++) {
			users[i].name = self->name;
			users[i].writes = i % 2;
			ASSERT_EQ(0, pthread_create(&users[i].thread, NULL,
						    user, &users[i]));
		}
		while (!all_at_work(users))
			usleep(10000);
		ASSERT_EQ(0, driver_write("unbind", self->name));
		for (int i = 0; i < NTHREADS; i++) {
			pthread_join(users[i].thread, NULL);
			EXPECT_EQ(ENXIO, users[i].err);
		}
		ASSERT_EQ(0, driver_write("bind", self->name));
	}
}

TEST_HARNESS_MAIN
