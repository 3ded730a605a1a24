// SPDX-License-Identifier: GPL-2.0
/*
 * Read and write on the node of a devdax device in fs-dax mode.
 *
 * The device is the first one that FAMFS_DAXDEVS names, a list of nodes with
 * blanks between them. What is on it is overwritten. It takes root.
 *
 * Data is checked against a copy in ordinary memory. Offsets and lengths are
 * odd on purpose: the kernel copies byte-wise, but translates by page and
 * holds the device for one piece of a copy at a time.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include "../../kselftest_harness.h"
#include "dax_node.h"

#define LARGE		((ssize_t)(64 * MIB))

static uint64_t rnd_state;

/* xorshift64: the same numbers in each run, so that a failure repeats */
static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

/* What the bus tells of the device, which is not the code under test */
static long long sysfs_number(const char *node, const char *what)
{
	const char *slash = strrchr(node, '/');
	char path[128];
	long long n;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/%s",
		 slash ? slash + 1 : node, what);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%lli", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Where the memory range of this number begins in the device, or -1 */
static off_t range_start(const char *node, int nr)
{
	char what[64];
	off_t page;

	snprintf(what, sizeof(what), "mapping%d/page_offset", nr);
	page = sysfs_number(node, what);
	return page < 0 ? -1 : page * getpagesize();
}

FIXTURE(node) {
	char name[64];
	off_t size;
	uint8_t *buf, *want;
	int fd;
};

FIXTURE_SETUP(node)
{
	ASSERT_TRUE(device_name(self->name, sizeof(self->name)))
		TH_LOG("set FAMFS_DAXDEVS, for example to /dev/dax0.0");
	self->fd = open(self->name, O_RDWR);
	ASSERT_GE(self->fd, 0)
		TH_LOG("%s: %s", self->name, strerror(errno));
	self->size = lseek(self->fd, 0, SEEK_END);
	ASSERT_GE(self->size, (off_t)(2 * LARGE))
		TH_LOG("%s: %lld bytes, is it bound to fsdev_dax?", self->name,
		       (long long)self->size);
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));

	self->buf = malloc(LARGE);
	self->want = malloc(LARGE);
	ASSERT_TRUE(self->buf && self->want);
	rnd_state = 0x9e3779b97f4a7c15ULL;
}

FIXTURE_TEARDOWN(node)
{
	free(self->buf);
	free(self->want);
	close(self->fd);
}

TEST_F(node, the_end_is_the_size_of_the_device)
{
	EXPECT_EQ(sysfs_number(self->name, "size"), self->size);
}

TEST_F(node, seeks_within_the_device)
{
	off_t size = self->size;

	EXPECT_EQ(4097, lseek(self->fd, 4097, SEEK_SET));
	EXPECT_EQ(4099, lseek(self->fd, 2, SEEK_CUR));
	EXPECT_EQ(size - 1, lseek(self->fd, -1, SEEK_END));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, -1, SEEK_SET)));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, 1, SEEK_END)));
	EXPECT_EQ(EINVAL, ERR(lseek(self->fd, 0, SEEK_DATA)));
	EXPECT_EQ(size - 1, lseek(self->fd, 0, SEEK_CUR));
}

TEST_F(node, read_and_write_move_the_position)
{
	fill(self->want, 300, 1);
	ASSERT_EQ(1000, lseek(self->fd, 1000, SEEK_SET));
	EXPECT_EQ(100, write(self->fd, self->want, 100));
	EXPECT_EQ(200, write(self->fd, self->want + 100, 200));
	EXPECT_EQ(1300, lseek(self->fd, 0, SEEK_CUR));

	ASSERT_EQ(1000, lseek(self->fd, 1000, SEEK_SET));
	EXPECT_EQ(250, read(self->fd, self->buf, 250));
	EXPECT_EQ(50, read(self->fd, self->buf + 250, 50));
	EXPECT_EQ(1300, lseek(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(0, memcmp(self->buf, self->want, 300));
}

/* Random writes into a window, each followed by a random read of it */
TEST_F_TIMEOUT(node, any_offset_and_length, TIMEOUT)
{
	const ssize_t window = 4 * MIB;
	const off_t base = 3 * MIB - 17;

	fill(self->want, window, 2);
	ASSERT_EQ(window, pwrite(self->fd, self->want, window, base));

	for (int i = 0; i < 200; i++) {
		size_t max = i % 4 ? 9000 : 2 * MIB + 1;
		size_t woff = rnd() % (window - max);
		size_t roff = rnd() % (window - max);
		ssize_t wlen = 1 + rnd() % max, rlen = 1 + rnd() % max;

		fill(self->want + woff, wlen, rnd());
		ASSERT_EQ(wlen, pwrite(self->fd, self->want + woff, wlen,
				       base + woff));
		ASSERT_EQ(rlen, pread(self->fd, self->buf, rlen, base + roff));
		ASSERT_EQ(0, memcmp(self->buf, self->want + roff, rlen))
			TH_LOG("round %d: wrote %zu+%zd, read %zu+%zd", i, woff,
			       wlen, roff, rlen);
	}
	ASSERT_EQ(window, pread(self->fd, self->buf, window, base));
	EXPECT_EQ(0, memcmp(self->buf, self->want, window));
}

/* Its neighbours stay what they were */
TEST_F(node, one_byte_is_one_byte)
{
	const off_t places[] = { 0, 1, 63, 64, 4095, 4096, 2 * MIB - 1,
				 2 * MIB, self->size - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		off_t from = places[i] < 100 ? 0 : places[i] - 100;
		size_t at = places[i] - from;
		ssize_t len;

		memset(self->buf, 0x55, 200);
		len = pwrite(self->fd, self->buf, 200, from);
		ASSERT_GT(len, (ssize_t)at);
		ASSERT_EQ(1, pwrite(self->fd, "x", 1, places[i]));
		self->buf[at] = 'x';
		ASSERT_EQ(len, pread(self->fd, self->want, 200, from));
		EXPECT_EQ(0, memcmp(self->buf, self->want, len))
			TH_LOG("byte at %lld", (long long)places[i]);
	}
}

TEST_F(node, reads_end_at_the_end)
{
	off_t size = self->size;

	EXPECT_EQ(1, pread(self->fd, self->buf, 1, size - 1));
	EXPECT_EQ(7, pread(self->fd, self->buf, 4096, size - 7));
	EXPECT_EQ(0, pread(self->fd, self->buf, 1, size));
	EXPECT_EQ(0, pread(self->fd, self->buf, 4096, size + 4095));
	EXPECT_EQ(0, pread(self->fd, self->buf, 1, INT64_MAX - 1));
}

TEST_F(node, writes_end_at_the_end)
{
	off_t size = self->size;

	fill(self->want, 4096, 3);
	EXPECT_EQ(7, pwrite(self->fd, self->want, 4096, size - 7));
	EXPECT_EQ(7, pread(self->fd, self->buf, 7, size - 7));
	EXPECT_EQ(0, memcmp(self->buf, self->want, 7));

	EXPECT_EQ(ENOSPC, ERR(pwrite(self->fd, self->want, 1, size)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(self->fd, self->want, 1, size + 4096)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(self->fd, self->want, 1, INT64_MAX - 1)));
	EXPECT_EQ(0, pwrite(self->fd, self->want, 0, size));
}

TEST_F(node, offsets_are_not_negative)
{
	struct iovec iov = { self->buf, 8 };

	EXPECT_EQ(EINVAL, ERR(pread(self->fd, self->buf, 8, -1)));
	EXPECT_EQ(EINVAL, ERR(pwrite(self->fd, self->buf, 8, -1)));
	EXPECT_EQ(EINVAL, ERR(pread(self->fd, self->buf, 8, INT64_MIN)));
	EXPECT_EQ(EINVAL, ERR(preadv(self->fd, &iov, 1, -4096)));
	EXPECT_EQ(EINVAL, ERR(pwritev(self->fd, &iov, 1, -4096)));
}

TEST_F_TIMEOUT(node, vectors, TIMEOUT)
{
	const size_t lens[] = { 1, 4095, 0, 8192, 13, MIB + 1, 3 };
	struct iovec in[ARRAY_SIZE(lens)], out[ARRAY_SIZE(lens)];
	ssize_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		out[i] = (struct iovec){ self->want + sum, lens[i] };
		/* Read back in other pieces */
		in[ARRAY_SIZE(lens) - 1 - i].iov_len = lens[i];
		sum += lens[i];
	}
	for (size_t i = 0, at = 0; i < ARRAY_SIZE(lens); i++) {
		in[i].iov_base = self->buf + at;
		at += in[i].iov_len;
	}

	fill(self->want, sum, 4);
	ASSERT_EQ(sum, pwritev(self->fd, out, ARRAY_SIZE(lens), 8191));
	ASSERT_EQ(sum, preadv(self->fd, in, ARRAY_SIZE(lens), 8191));
	EXPECT_EQ(0, memcmp(self->buf, self->want, sum));
}

TEST_F_TIMEOUT(node, one_large_transfer, TIMEOUT)
{
	const off_t base = self->size - LARGE - 4096 - 1;

	fill(self->want, LARGE, 5);
	ASSERT_EQ(LARGE, pwrite(self->fd, self->want, LARGE, base));
	ASSERT_EQ(LARGE, pread(self->fd, self->buf, LARGE, base));
	EXPECT_EQ(0, memcmp(self->buf, self->want, LARGE));
}

/* A device with one range has none of them: dax_node_ranges.sh makes one of two */
TEST_F_TIMEOUT(node, across_the_seams_of_ranges, TIMEOUT)
{
	const ssize_t len = 8 * MIB + 1;
	off_t seam;

	for (int nr = 1; (seam = range_start(self->name, nr)) > 0; nr++) {
		off_t base = seam - 4 * MIB - 13;

		TH_LOG("a range begins at %#llx", (long long)seam);
		fill(self->want, len, nr);
		ASSERT_EQ(len, pwrite(self->fd, self->want, len, base));
		ASSERT_EQ(len, pread(self->fd, self->buf, len, base));
		EXPECT_EQ(0, memcmp(self->buf, self->want, len));
		/* And the bytes on both sides by themselves */
		ASSERT_EQ(1, pread(self->fd, self->buf, 1, seam - 1));
		ASSERT_EQ(1, pread(self->fd, self->buf + 1, 1, seam));
		EXPECT_EQ(0, memcmp(self->buf, self->want + (seam - 1 - base), 2));
	}
}

TEST_F(node, another_descriptor_sees_it_at_once)
{
	int fd = open(self->name, O_RDONLY);

	ASSERT_GE(fd, 0);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t seen = ~i;

		ASSERT_EQ(8, pwrite(self->fd, &i, 8, 12345));
		ASSERT_EQ(8, pread(fd, &seen, 8, 12345));
		ASSERT_EQ(i, seen);
	}
	EXPECT_EQ(EBADF, ERR(pwrite(fd, self->buf, 8, 12345)));
	close(fd);
}

TEST_F(node, sendfile_and_splice)
{
	int mem = memfd_create("copy", 0), pipes[2];
	loff_t at = 4099;
	off_t from = 4099;

	ASSERT_GE(mem, 0);
	ASSERT_EQ(0, pipe(pipes));
	fill(self->want, 20000, 6);
	ASSERT_EQ(20000, pwrite(self->fd, self->want, 20000, 4099));
	for (size_t left = 20000; left;) {
		ssize_t n = sendfile(mem, self->fd, &from, left);

		ASSERT_GT(n, 0);
		left -= n;
	}
	ASSERT_EQ(20000, pread(mem, self->buf, 20000, 0));
	EXPECT_EQ(0, memcmp(self->buf, self->want, 20000));

	fill(self->want, 4000, 7);
	ASSERT_EQ(4000, write(pipes[1], self->want, 4000));
	ASSERT_EQ(4000, splice(pipes[0], NULL, self->fd, &at, 4000, 0));
	ASSERT_EQ(4000, pread(self->fd, self->buf, 4000, 4099));
	EXPECT_EQ(0, memcmp(self->buf, self->want, 4000));
	close(mem);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(node, fsync_has_nothing_to_do)
{
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fdatasync(self->fd));
}

TEST_F(node, appending_is_refused)
{
	struct iovec iov = { "yyyy", 4 };
	int fd = open(self->name, O_RDWR | O_APPEND);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(4, pwrite(self->fd, "xxxx", 4, 0));
	EXPECT_EQ(EINVAL, ERR(write(fd, "yyyy", 4)));
	EXPECT_EQ(EINVAL, ERR(pwrite(fd, "yyyy", 4, 0)));
	EXPECT_EQ(EINVAL, ERR(pwritev2(self->fd, &iov, 1, 0, RWF_APPEND)));
	ASSERT_EQ(4, pread(fd, self->buf, 4, 0));
	EXPECT_EQ(0, memcmp(self->buf, "xxxx", 4));
	close(fd);
}

TEST_F(node, no_mapping)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * MIB, PROT_READ, MAP_SHARED,
				   self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

/* What lies before the bad page is transferred */
TEST_F(node, bad_memory_of_the_caller)
{
	uint8_t *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t n;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, mprotect(map + 4096, 4096, PROT_NONE));
	EXPECT_EQ(EFAULT, ERR(pread(self->fd, map + 4096, 4096, 5000)));
	EXPECT_EQ(EFAULT, ERR(pwrite(self->fd, map + 4096, 4096, 5000)));

	fill(map, 4096, 8);
	memset(self->want, 0, 4096);
	ASSERT_EQ(4096, pwrite(self->fd, self->want, 4096, 5000));
	n = pwrite(self->fd, map, 8192, 5000);
	EXPECT_GT(n, 0);
	EXPECT_LE(n, 4096);
	ASSERT_EQ(4096, pread(self->fd, self->buf, 4096, 5000));
	EXPECT_EQ(0, memcmp(self->buf, map, n));

	memset(map, 0, 4096);
	n = pread(self->fd, map, 8192, 5000);
	EXPECT_GT(n, 0);
	EXPECT_LE(n, 4096);
	EXPECT_EQ(0, memcmp(self->buf, map, n));
	munmap(map, 3 * 4096);
}

TEST_F(node, io_needs_rawio_of_the_opener)
{
	int fd;

	ASSERT_EQ(0, set_rawio(false));
	fd = open(self->name, O_RDWR);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(self->size, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(EPERM, ERR(pread(fd, self->buf, 8, 0)));
	EXPECT_EQ(EPERM, ERR(pwrite(fd, self->buf, 8, 0)));
	EXPECT_EQ(EPERM, ERR(pread(fd, self->buf, 8, self->size)));
	/* A descriptor of somebody privileged is a grant ... */
	EXPECT_EQ(8, pread(self->fd, self->buf, 8, 0));
	EXPECT_EQ(8, pwrite(self->fd, self->buf, 8, 0));

	/* ... and one of somebody unprivileged does not become one */
	ASSERT_EQ(0, set_rawio(true));
	EXPECT_EQ(EPERM, ERR(pread(fd, self->buf, 8, 0)));
	EXPECT_EQ(EPERM, ERR(pwrite(fd, self->buf, 8, 0)));
	close(fd);
}

/* All capabilities in a user namespace of one's own are none here */
TEST_F(node, rawio_of_a_user_namespace_is_not_enough)
{
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWUSER))
		TH_LOG("unshare: %s", strerror(errno));
	fd = open(self->name, O_RDWR);
	ASSERT_GE(fd, 0)
		TH_LOG("%s: %s", self->name, strerror(errno));
	EXPECT_EQ(EPERM, ERR(pread(fd, self->buf, 8, 0)));
	EXPECT_EQ(EPERM, ERR(pwrite(fd, self->buf, 8, 0)));
	close(fd);
}

TEST_HARNESS_MAIN
