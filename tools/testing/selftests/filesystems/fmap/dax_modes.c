// SPDX-License-Identifier: GPL-2.0
/*
 * A devdax device that goes from driver to driver: for file systems (fsdev_dax),
 * for one program that maps it (device_dax), and for memory of the system (kmem).
 * What is on it is lost in the last case only.
 *
 * The device is the first one that FAMFS_DAXDEVS names. What is on it is
 * overwritten. It takes root, and for the last driver one whole block of memory
 * that can be added and removed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include "../../kselftest_harness.h"
#include "dax_node.h"

#define CYCLES		100
#define DRIVERS		"/sys/bus/dax/drivers/"
#define BLOCKS		"/sys/devices/system/memory/"
#define POLICY		BLOCKS "auto_online_blocks"

/* Where data is looked at: in pages of a size that device_dax may insist on */
#define PLACES		4
#define PIECE		(2 * MIB)
#define SAMPLE		(4 * KIB)

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return errno;
	err = ERR(write(fd, text, strlen(text)));
	close(fd);
	return err;
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

struct dev {
	char node[64];
	const char *name;
	const char *driver;	/* that has the device, NULL if none has */
	char policy[32];
	uint64_t start;		/* physical address */
	uint64_t size;
	uint64_t block;		/* bytes of a block of memory */
	uint8_t *want;
};

FIXTURE(modes) {
	struct dev dev;
};

static uint64_t device_number(const char *name, const char *attr)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/%s", name, attr);
	return read_text(path, text, sizeof(text)) ? strtoull(text, NULL, 0) : 0;
}

static int tell_driver(struct dev *d, const char *driver,
		       const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVERS "%s/%s", driver, what);
	return write_text(path, d->name);
}

/* Does the device have a link to this driver? */
static bool is_bound(struct dev *d, const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVERS "%s/%s", driver, d->name);
	return !access(path, F_OK);
}

/* A driver binds what is named to it at once, and only that: so it stays free */
static int bind_to(struct dev *d, const char *driver)
{
	int err = tell_driver(d, driver, "new_id");

	if (!err && !is_bound(d, driver))
		err = ENODEV;
	if (!err)
		d->driver = driver;
	return err;
}

/* Each block of memory that lies in the device as a whole: 0, or the errno */
static int each_block(struct dev *d, const char *state)
{
	uint64_t at = (d->start + d->block - 1) / d->block;
	char path[128], now[32];
	int err = 0;

	for (; (at + 1) * d->block <= d->start + d->size; at++) {
		snprintf(path, sizeof(path), BLOCKS "memory%lu/state", at);
		if (!read_text(path, now, sizeof(now)))
			err = err ?: ENOENT;
		else if (strcmp(now, state))
			err = err ?: write_text(path, state);
	}
	return err;
}

/* Memory that is online when its driver leaves would be lost until a reboot */
static int unbind(struct dev *d)
{
	const char *driver = d->driver;
	int err;

	if (!driver)
		return 0;
	err = strcmp(driver, "kmem") ? 0 : each_block(d, "offline");
	err = err ?: tell_driver(d, driver, "unbind");
	if (err)
		return err;
	d->driver = NULL;
	tell_driver(d, driver, "remove_id");
	return is_bound(d, driver) ? EBUSY : 0;
}

FIXTURE_SETUP(modes)
{
	char text[32];

	ASSERT_TRUE(device_name(self->dev.node, sizeof(self->dev.node)))
		TH_LOG("set FAMFS_DAXDEVS, for example to /dev/dax0.0");
	self->dev.name = strrchr(self->dev.node, '/') + 1;
	self->dev.driver = "fsdev_dax";
	self->dev.start = device_number(self->dev.name, "resource");
	self->dev.size = device_number(self->dev.name, "size");
	ASSERT_LE(PLACES * PIECE, self->dev.size);
	self->dev.want = malloc(SAMPLE);
	ASSERT_NE(NULL, self->dev.want);

	ASSERT_TRUE(read_text(POLICY, self->dev.policy, sizeof(self->dev.policy)));
	ASSERT_TRUE(read_text(BLOCKS "block_size_bytes", text, sizeof(text)));
	self->dev.block = strtoull(text, NULL, 16);
	/* So that the kernel puts nothing there that it cannot move */
	ASSERT_EQ(0, write_text(POLICY, "online_movable"));
}

FIXTURE_TEARDOWN(modes)
{
	EXPECT_EQ(0, unbind(&self->dev));
	EXPECT_EQ(0, bind_to(&self->dev, "fsdev_dax"));
	EXPECT_EQ(0, write_text(POLICY, self->dev.policy));
	free(self->dev.want);
}

/* One place lies at the end of the device */
static off_t place(struct dev *d, int i)
{
	return i * ((d->size - PIECE) / (PLACES - 1) / PIECE * PIECE);
}

static uint64_t seed_of(int cycle, int i)
{
	return cycle * PLACES + i + 1;
}

/* By the node: what the last driver has left is there, and goes */
static const char *use_fs_mode(struct dev *d, int expect, int write)
{
	int fd = open(d->node, O_RDWR | O_CLOEXEC), i;
	const char *failed = NULL;
	uint8_t *got = malloc(SAMPLE);

	if (fd < 0)
		failed = "open";
	for (i = 0; i < PLACES && !failed; i++) {
		fill(d->want, SAMPLE, seed_of(expect, i));
		if (pread(fd, got, SAMPLE, place(d, i)) != SAMPLE)
			failed = "read";
		else if (expect >= 0 && memcmp(got, d->want, SAMPLE))
			failed = "other data";
		fill(d->want, SAMPLE, seed_of(write, i));
		if (pwrite(fd, d->want, SAMPLE, place(d, i)) != SAMPLE)
			failed = "write";
	}
	if (!failed && mmap(NULL, PIECE, PROT_READ, MAP_SHARED, fd, 0) !=
	    MAP_FAILED)
		failed = "it can be mapped";
	free(got);
	close(fd);
	return failed;
}

/* The same by a mapping */
static const char *use_device_mode(struct dev *d, int expect,
				   int write)
{
	int fd = open(d->node, O_RDWR | O_CLOEXEC), i;
	const char *failed = NULL;
	uint8_t *p;

	if (fd < 0)
		return "open";
	for (i = 0; i < PLACES && !failed; i++) {
		p = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 place(d, i));
		if (p == MAP_FAILED) {
			failed = "mmap";
			break;
		}
		fill(d->want, SAMPLE, seed_of(expect, i));
		if (memcmp(p, d->want, SAMPLE))
			failed = "other data";
		fill(p, SAMPLE, seed_of(write, i));
		munmap(p, PIECE);
	}
	close(fd);
	return failed;
}

/*
 * By a program that knows nothing of it. Movable memory is taken first, so what
 * is allocated now comes to lie there; and when the memory goes, elsewhere.
 */
static const char *use_as_memory(struct dev *d, int cycle)
{
	size_t len = MIB, i;
	const char *failed = NULL;
	uint8_t *p;
	int err;

	err = each_block(d, "online");
	if (err)
		return "it is not online";
	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return "mmap";
	for (i = 0; i < len; i += 4 * KIB)
		fill(p + i, 64, seed_of(cycle, 0) + i);
	if (each_block(d, "offline"))
		failed = "it does not go offline";
	for (i = 0; i < len && !failed; i += 4 * KIB) {
		fill(d->want, 64, seed_of(cycle, 0) + i);
		if (memcmp(p + i, d->want, 64))
			failed = "memory has changed";
	}
	munmap(p, len);
	return failed;
}

/* Memory of the system it is every second time, which takes longest */
TEST_F_TIMEOUT(modes, fs_device_and_memory, TIMEOUT)
{
	int expect = -1;	/* what it holds does not matter after kmem */

	for (int i = 0; i < CYCLES; i++) {
		EXPECT_STREQ("", use_fs_mode(&self->dev, expect, 2 * i) ?: "");
		ASSERT_EQ(0, unbind(&self->dev));
		ASSERT_EQ(0, bind_to(&self->dev, "device_dax"));
		expect = 2 * i + 1;
		EXPECT_STREQ("", use_device_mode(&self->dev, 2 * i, expect) ?: "");
		ASSERT_EQ(0, unbind(&self->dev));
		if (i % 2) {
			ASSERT_EQ(0, bind_to(&self->dev, "kmem"));
			EXPECT_STREQ("", use_as_memory(&self->dev, i) ?: "");
			ASSERT_EQ(0, unbind(&self->dev));
			expect = -1;
		}
		ASSERT_EQ(0, bind_to(&self->dev, "fsdev_dax"));
		ASSERT_TRUE(_metadata->exit_code == KSFT_PASS)
			TH_LOG("cycle %d", i);
	}
}

/* The next driver gets the device as it is, whether or not a file was left open */
TEST_F_TIMEOUT(modes, node_that_is_still_open, TIMEOUT)
{
	char byte;
	int fd = open(self->dev.node, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_STREQ("", use_fs_mode(&self->dev, -1, 1) ?: "");
	ASSERT_EQ(0, unbind(&self->dev));
	EXPECT_EQ(ENXIO, ERR(pread(fd, &byte, 1, 0)));
	EXPECT_NE(0, bind_to(&self->dev, "fsdev_dax"));
	tell_driver(&self->dev, "fsdev_dax", "remove_id");
	EXPECT_NE(0, bind_to(&self->dev, "device_dax"));
	tell_driver(&self->dev, "device_dax", "remove_id");
	EXPECT_EQ(NULL, self->dev.driver);
	close(fd);
	ASSERT_EQ(0, bind_to(&self->dev, "device_dax"));
	EXPECT_STREQ("", use_device_mode(&self->dev, 1, 2) ?: "");
	ASSERT_EQ(0, unbind(&self->dev));
	ASSERT_EQ(0, bind_to(&self->dev, "fsdev_dax"));
	EXPECT_STREQ("", use_fs_mode(&self->dev, 2, 0) ?: "");
}

/* Mapped by device_dax: users get SIGBUS, and the next driver clean memory */
static void touch_until_sigbus(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);
	uint8_t *p = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  0);

	close(fd);
	if (p == MAP_FAILED)
		_exit(1);
	for (;;)
		__atomic_fetch_add(&p[17], 1, __ATOMIC_RELAXED);
}

TEST_F_TIMEOUT(modes, mapped_in_device_mode, TIMEOUT)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, unbind(&self->dev));
	ASSERT_EQ(0, bind_to(&self->dev, "device_dax"));
	pid = fork();
	if (!pid)
		touch_until_sigbus(self->dev.node);
	usleep(300000);
	ASSERT_EQ(0, unbind(&self->dev));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	ASSERT_EQ(0, bind_to(&self->dev, "fsdev_dax"));
	EXPECT_STREQ("", use_fs_mode(&self->dev, -1, 0) ?: "");
}

TEST_HARNESS_MAIN
