// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that come back under a mount: what it takes until their files work
 * again. They fail until the server has said what the index means now: it hands
 * the device over, or is asked for its name when somebody opens a file.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "fmap_check.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SIZE		(4 * MB)

/* Two files that lie apart, and two on both devices; seeds tell them apart */
static const struct fmap_ext here_ext[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_ext there_ext[] = { FMAP_SIMPLE(DEV1, 2 * MB, SIZE) };
static const struct fmap_ext other_ext[] = { FMAP_SIMPLE(DEV0, 8 * MB, SIZE) };
static const struct fmap_ext nine_ext[] = { FMAP_SIMPLE(9, 8 * MB, SIZE) };
static const struct fmap_ext both_ext[] = {
	FMAP_SIMPLE(DEV0, 0, 2 * MB), FMAP_SIMPLE(DEV1, 0, 2 * MB),
};

static const struct fmap_ext striped_ext[] = {
	FMAP_STRIPED(2, 64 * KB, 4 * MB, { DEV0, 16 * MB, 2 * MB },
		     { DEV1, 16 * MB, 2 * MB }),
};

#define LAYOUT(type, ext)						\
	FMAP_LAYOUT(FUSE_FAMFS_EXT_ ## type, SIZE, ext)

static const struct fmap_layout here = LAYOUT(SIMPLE, here_ext);
static const struct fmap_layout there = LAYOUT(SIMPLE, there_ext);
static const struct fmap_layout other = LAYOUT(SIMPLE, other_ext);
static const struct fmap_layout nine = LAYOUT(SIMPLE, nine_ext);
static const struct fmap_layout both = LAYOUT(SIMPLE, both_ext);
static const struct fmap_layout striped = LAYOUT(INTERLEAVE, striped_ext);

FIXTURE(rebind)
{
	struct fmap_server *s;
	struct fmap_server *second;
	int dev;	/* the server's /dev/fuse */
	int here;
	char *p;	/* all of "here" */
};

FIXTURE_SETUP(rebind)
{
	ASSERT_EQ(0, fmap_test_begin());
	ASSERT_EQ(0, fmap_fill_devices(&here, 1));
	ASSERT_EQ(0, fmap_fill_devices(&there, 2));
	ASSERT_EQ(0, fmap_fill_devices(&other, 3));
	ASSERT_EQ(0, fmap_fill_devices(&both, 4));
	ASSERT_EQ(0, fmap_fill_devices(&striped, 2));
	self->s = fmap_test_serve(&(struct fmap_config) { }, "here", &here);
	ASSERT_NE(NULL, self->s);
	fmap_server_mapped(self->s, "there", &there);
	fmap_server_mapped(self->s, "both", &both);
	fmap_server_mapped(self->s, "striped", &striped);
	self->dev = fmap_server_fd(self->s);
	ASSERT_LE(0, self->dev);

	self->here = fmap_open(self->s, "here", O_RDWR);
	ASSERT_LE(0, self->here);
	self->p = fmap_map_aligned(self->here, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(1, fmap_seed_of(self->p, SIZE, 0));
}

/* Whatever happened, the devices are as they were for the next test */
FIXTURE_TEARDOWN(rebind)
{
	close(self->dev);
	fmap_server_free(self->second);
	fmap_server_free(self->s);
	EXPECT_EQ(0, fmap_dax_to_fs_mode(0));
}

/* Let the index mean the device: what the ioctl returns, or -errno */
static int hand_over(int dev, uint32_t index, unsigned int device)
{
	struct fuse_backing_map map = { .padding = index };
	int ret;

	map.fd = open(fmap_dax_node(device), O_RDWR | O_CLOEXEC);
	if (map.fd < 0)
		return -errno;
	ret = ioctl(dev, FUSE_DEV_IOC_DAXDEV_OPEN, &map);
	if (ret < 0)
		ret = -errno;
	close(map.fd);

	return ret;
}

static int take_and_give_back(void)
{
	return fmap_dax_unbind(0) ?: fmap_dax_bind(0);
}

static bool is_lost(int fd, char *p)
{
	char c;

	return fmap_sigbus(p, false) && fmap_sigbus(p, true) &&
	       pread(fd, &c, 1, 0) == -1 && errno == EIO;
}

/* By mapping, in one large page as before, and by read(2); and it can be written */
static bool holds(int fd, char *p, int seed)
{
	if (fmap_sigbus(p, false))
		return false;

	if (fmap_seed_of(p, SIZE, 0) != seed ||
	    fmap_read_seed(fd, 0, SIZE) != seed)
		return false;
	__atomic_fetch_or(p, 0, __ATOMIC_SEQ_CST);

	return pwrite(fd, p, PG, 0) == PG;
}

/* Failing accesses ask nobody, whether or not the device could be had again */
TEST_F(rebind, nothing_comes_back_by_itself)
{
	unsigned int before;

	ASSERT_EQ(0, fmap_dax_unbind(0));
	before = fmap_server_requests(self->s);
	EXPECT_TRUE(is_lost(self->here, self->p));
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_TRUE(is_lost(self->here, self->p));
	EXPECT_EQ(before, fmap_server_requests(self->s));
}

/* The mappings and descriptors that others have work again as well */
TEST_F(rebind, by_name_at_the_next_open)
{
	ASSERT_EQ(1, self->s->count[FUSE_GET_DAXDEV]);
	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(0, fmap_try_open(self->s, "here", O_RDONLY));
	EXPECT_EQ(2, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_TRUE(holds(self->here, self->p, 1));
	EXPECT_EQ(0, fmap_check_file(self->s, "both", SIZE, 4));
	EXPECT_EQ(3, self->s->count[FUSE_GET_DAXDEV]);
}

/* Another file there will do, also one that was not open before */
TEST_F(rebind, by_name_at_the_open_of_another_file)
{
	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(0, fmap_check_file(self->s, "there", SIZE, 2));
	EXPECT_TRUE(is_lost(self->here, self->p));
	EXPECT_EQ(0, fmap_check_file(self->s, "striped", SIZE, 2));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

TEST_F(rebind, by_descriptor_without_any_open)
{
	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	EXPECT_TRUE(holds(self->here, self->p, 1));
	EXPECT_EQ(1, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

/* Only if it is there: an attempt before that changes nothing */
TEST_F(rebind, not_before_it_is_back)
{
	unsigned int asked = self->s->count[FUSE_GET_DAXDEV];
	int old = open(fmap_dax_node(0), O_RDWR | O_CLOEXEC), fd;

	ASSERT_EQ(0, fmap_dax_unbind(0));
	fd = fmap_open(self->s, "here", O_RDWR);
	EXPECT_LE(0, fd);
	EXPECT_LT(asked, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_TRUE(is_lost(fd, self->p));
	close(fd);
	EXPECT_EQ(-ENODEV, fmap_try_open(self->s, "both", O_RDWR));
	EXPECT_GT(0, hand_over(self->dev, DEV0, 0));
	EXPECT_EQ(-ENODEV, ioctl(self->dev, FUSE_DEV_IOC_DAXDEV_OPEN,
				 &(struct fuse_backing_map) { .fd = old }) ?
			   -errno : 0);
	EXPECT_TRUE(is_lost(self->here, self->p));
	close(old);

	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(0, fmap_check_file(self->s, "both", SIZE, 4));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

/* The map is asked for anew: it need not be what it was */
TEST_F(rebind, files_may_lie_elsewhere_then)
{
	ASSERT_EQ(0, take_and_give_back());
	fmap_file_layout(self->s, &self->s->file[0], &other);
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	EXPECT_TRUE(holds(self->here, self->p, 3));
}

/* An index whose device is gone is free for any; one that is there is not */
TEST_F(rebind, another_device_in_its_place)
{
	EXPECT_EQ(-EEXIST, hand_over(self->dev, DEV0, 1));
	ASSERT_EQ(0, fmap_dax_unbind(0));
	fmap_server_dev(self->s, DEV0, fmap_dax_node(1));
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 1));
	EXPECT_TRUE(holds(self->here, self->p, 2));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "there", O_RDWR));
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(-EEXIST, hand_over(self->dev, DEV0, 0));
	EXPECT_TRUE(holds(self->here, self->p, 2));
}

/* Then the server takes the map back itself, as when it moves a file */
TEST_F(rebind, under_another_index)
{
	uint64_t nodeid = self->s->file[0].nodeid;
	uint32_t dev0 = DEV0;

	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(1, hand_over(self->dev, 9, 0));
	EXPECT_TRUE(is_lost(self->here, self->p));
	EXPECT_EQ(-1, ioctl(self->dev, FUSE_DEV_IOC_DAXDEV_CLOSE, &dev0));
	EXPECT_EQ(EBUSY, errno);

	fmap_file_layout(self->s, &self->s->file[0], &nine);
	EXPECT_EQ(0, fmap_inval(self->s, nodeid, 0, 0));
	EXPECT_TRUE(holds(self->here, self->p, 3));
	EXPECT_EQ(0, ioctl(self->dev, FUSE_DEV_IOC_DAXDEV_CLOSE, &dev0));
}

/* Parts that lie elsewhere never fail, and cost nothing but the map */
TEST_F(rebind, file_on_two_devices)
{
	int fd = fmap_open(self->s, "both", O_RDWR);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(4, fmap_seed_of(p, SIZE, 0));
	ASSERT_EQ(0, fmap_dax_unbind(0));
	EXPECT_EQ(0, fsync(fd));
	EXPECT_EQ(0, msync(p, SIZE, MS_SYNC));
	EXPECT_TRUE(is_lost(fd, p));
	EXPECT_EQ(4, fmap_seed_of(p + 2 * MB, 2 * MB, 2 * MB));
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	EXPECT_EQ(4, fmap_seed_of(p + 2 * MB, 2 * MB, 2 * MB));
	EXPECT_TRUE(holds(fd, p, 4));
	munmap(p, SIZE);
	close(fd);
}

/* Its map could not be forgotten: the server has to come again */
TEST_F(rebind, waits_for_pins_on_the_other_device)
{
	int fd = fmap_open(self->s, "both", O_RDWR), pipes[2], i, ret;
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	struct iovec iov = { p + 2 * MB, PG };

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, fmap_dax_unbind(0));
	fmap_touch(p + 2 * MB, PG, PG, false);
	ASSERT_EQ(PG, vmsplice(pipes[1], &iov, 1, 0));
	ASSERT_EQ(0, fmap_dax_bind(0));
	EXPECT_EQ(-EBUSY, hand_over(self->dev, DEV0, 0));
	EXPECT_EQ(0, fmap_try_open(self->s, "here", O_RDWR));
	close(pipes[0]);
	close(pipes[1]);
	for (i = 0; i < 500; i++) {
		ret = hand_over(self->dev, DEV0, 0);
		if (ret != -EBUSY)
			break;
		usleep(10000);
	}
	EXPECT_EQ(1, ret);
	EXPECT_TRUE(holds(fd, p, 4));
	EXPECT_TRUE(holds(self->here, self->p, 1));
	munmap(p, SIZE);
	close(fd);
}

/* A strip that holds none of the file's bytes is forgotten as well */
TEST_F(rebind, named_without_a_byte)
{
	static const struct fmap_ext ext[] = {
		FMAP_STRIPED(2, 64 * KB, PG, { DEV1, MB + 16 * MB, 64 * KB },
			     { DEV0, MB + 16 * MB, 0 }),
	};
	static const struct fmap_layout l =
		FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, PG, ext);
	int fd;
	char c;

	fmap_server_mapped(self->s, "byteless", &l);
	fd = fmap_open(self->s, "byteless", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	EXPECT_EQ(1, pread(fd, &c, 1, 0));
	EXPECT_TRUE(holds(self->here, self->p, 1));
	close(fd);
}

/* Each mount has to be told; and who comes first has the bytes */
TEST_F(rebind, two_mounts)
{
	int fd;
	char *p;

	self->second = fmap_test_serve(&(struct fmap_config) { }, "other",
				       &other);
	ASSERT_NE(NULL, self->second);
	fmap_server_mapped(self->second, "mine", &here);
	fd = fmap_open(self->second, "other", O_RDWR);
	p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(3, fmap_seed_of(p, SIZE, 0));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->second, "mine", O_RDWR));

	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(0, fmap_check_file(self->second, "mine", SIZE, 1));
	EXPECT_TRUE(holds(fd, p, 3));
	EXPECT_TRUE(is_lost(self->here, self->p));
	EXPECT_EQ(0, fmap_try_open(self->s, "here", O_RDWR));
	EXPECT_TRUE(is_lost(self->here, self->p));
	munmap(p, SIZE);
	close(fd);
	ASSERT_EQ(0, fmap_server_umount(self->second, 0));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

/* What was told before the device came back is not used, but asked for again */
TEST_F(rebind, while_a_map_is_asked_for)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_FMAP];
	pid_t pid;

	hook->hold = 1;
	pid = fork();
	if (!pid)
		_exit(fmap_check_file(self->s, "both", SIZE, 4) ? 1 : 0);
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	ASSERT_EQ(0, take_and_give_back());
	EXPECT_EQ(1, hand_over(self->dev, DEV0, 0));
	hook->hold = 0;
	EXPECT_EQ(0, fmap_exit_soon(pid));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

/* Somebody who opens waits for the server as always, and can be killed */
TEST_F(rebind, while_the_server_hangs)
{
	struct fmap_hook *hook = &self->s->hook[FUSE_GET_DAXDEV];
	pid_t pid;

	ASSERT_EQ(0, take_and_give_back());
	hook->hold = 1;
	pid = fork();
	if (!pid)
		_exit(fmap_try_open(self->s, "here", O_RDWR) ? 1 : 0);
	ASSERT_TRUE(fmap_wait_nonzero(&hook->held));
	EXPECT_TRUE(is_lost(self->here, self->p));
	EXPECT_TRUE(fmap_still_waits(pid));
	kill(pid, SIGKILL);
	EXPECT_EQ(FMAP_KILLED + SIGKILL, fmap_exit_soon(pid));
	hook->hold = 0;
	EXPECT_EQ(0, fmap_try_open(self->s, "here", O_RDWR));
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

static sigjmp_buf lost;

static void on_sigbus(int sig)
{
	siglongjmp(lost, sig);
}

/* Write what is there already, by the mapping and by the descriptor */
static bool write_again(int fd, char *p, uint64_t off, int seed)
{
	char page[PG];
	ssize_t ret;

	if (!sigsetjmp(lost, 1))
		__atomic_fetch_or(p + off, 0, __ATOMIC_SEQ_CST);
	fmap_fill(page, PG, seed, off);
	ret = pwrite(fd, page, PG, off);

	return ret == PG || (ret < 0 && errno == EIO);
}

/* What the children that use files share with the test */
struct use {
	atomic_int begun;
	atomic_bool stop;
};

/* In a child: use a file, lost or not, until it is said to stop */
static void use(struct fmap_server *s, const char *name, int seed,
		struct use *u)
{
	int fd = fmap_open(s, name, O_RDWR);
	char *p = fmap_map_aligned(fd, SIZE, RW, MAP_SHARED);
	unsigned int i;
	int got;

	signal(SIGBUS, on_sigbus);
	u->begun++;
	for (i = 0; !u->stop; i++) {
		uint64_t off = i * 7 * PG % (SIZE - PG);

		got = fmap_read_seed(fd, off, PG);
		if ((got != seed && got != -EIO) ||
		    !write_again(fd, p, off, seed))
			_exit(1);
		if (i % 16 == 0)
			madvise(p, SIZE, MADV_DONTNEED);
	}
	if (i < 10)
		_exit(2);
	_exit(holds(fd, p, seed) ? 0 : 3);
}

/* The children see the device go and come, under all ways to use its files */
TEST_F_TIMEOUT(rebind, again_and_again_in_heavy_use, 120)
{
	static const char * const names[] = { "here", "both", "striped" };
	static const int seeds[] = { 1, 4, 2 };
	unsigned int i;
	struct use *u;
	pid_t pid[3];

	u = mmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, u);
	for (i = 0; i < ARRAY_SIZE(pid); i++) {
		pid[i] = fork();
		if (!pid[i])
			use(self->s, names[i], seeds[i], u);
	}
	while (u->begun < (int)ARRAY_SIZE(pid))
		usleep(1000);
	for (i = 0; i < 8; i++) {
		usleep(50000);
		ASSERT_EQ(0, take_and_give_back()) TH_LOG("round %u", i);
		if (i % 2)
			hand_over(self->dev, DEV0, 0);
		else
			fmap_try_open(self->s, names[i % 3], O_RDWR);
	}
	/* It is refused while a map that was in use is being let go */
	for (i = 0; i < 500 && hand_over(self->dev, DEV0, 0) != 1; i++)
		usleep(10000);
	u->stop = true;
	for (i = 0; i < ARRAY_SIZE(pid); i++)
		EXPECT_EQ(0, fmap_exit_soon(pid[i])) TH_LOG("%u", i);
	EXPECT_TRUE(holds(self->here, self->p, 1));
}

FMAP_TEST_MAIN
