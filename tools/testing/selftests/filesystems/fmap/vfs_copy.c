// SPDX-License-Identifier: GPL-2.0
/* Operations of vfs_ops: copies that the kernel makes */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "vfs_ops.h"

#define OFF		(MB + 77)
#define LEN		(3 * PG + 5)

static alignas(4096) unsigned char buf[8 * PG];

/* A pipe that holds the bytes that are to be written */
static void full_pipe(int fds[2])
{
	vfs_set_up(pipe(fds));
	vfs_set_up(fcntl(fds[1], F_SETPIPE_SZ, 64 * KB));
	vfs_set_up(write(fds[1], vfs_bytes, LEN));
}

static const char *splice_out(long flags)
{
	loff_t off = OFF;
	int fds[2];
	long n;

	vfs_set_up(pipe(fds));
	vfs_set_up(fcntl(fds[1], F_SETPIPE_SZ, 64 * KB));
	n = splice(vfs.fd, &off, fds[1], NULL, LEN, flags);
	if (n == LEN)
		vfs_set_up(read(fds[0], buf, LEN));

	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

static const char *splice_in(long off)
{
	loff_t pos = off;
	int fds[2];
	long n;

	full_pipe(fds);
	n = splice(fds[0], NULL, vfs.fd, &pos, LEN, 0);

	return vfs_holds(vfs_count(n, LEN), off, vfs_bytes, LEN);
}

static const char *sendfile_out(long arg)
{
	int disk = vfs_open_disk(O_RDWR);
	off_t off = OFF;
	long n = sendfile(disk, vfs.fd, &off, LEN);

	vfs_set_up(pread(disk, buf, LEN, 0));
	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

/* A disk's file that begins with the bytes to be written */
static int full_disk(void)
{
	int disk = vfs_open_disk(O_RDWR);

	vfs_set_up(pwrite(disk, vfs_bytes, sizeof(vfs_bytes), 0));
	return disk;
}

static const char *sendfile_in(long off)
{
	off_t from = 0;
	int disk = full_disk();
	long n;

	vfs_set_up(lseek(vfs.fd, off, SEEK_SET));
	n = sendfile(vfs.fd, disk, &from, LEN);

	return vfs_holds(vfs_count(n, LEN), off, vfs_bytes, LEN);
}

static const char *copy_within(long arg)
{
	loff_t from = OFF, to = 3 * MB;
	long n = copy_file_range(vfs.fd, &from, vfs.fd, &to, LEN, 0);

	return vfs_holds(vfs_count(n, LEN), 3 * MB, vfs.image + OFF, LEN);
}

static const char *copy_overlap(long arg)
{
	loff_t from = OFF, to = OFF + 1;

	return vfs_count(copy_file_range(vfs.fd, &from, vfs.fd, &to, LEN, 0),
			 LEN);
}

static const char *copy_over_end(long arg)
{
	loff_t from = OFF, to = VFS_SIZE - 100;

	return vfs_count(copy_file_range(vfs.fd, &from, vfs.fd, &to, LEN, 0),
			 LEN);
}

static const char *copy_from_other(long arg)
{
	loff_t from = 2 * MB, to = OFF;
	int other = vfs_open_other(O_RDONLY);
	long n = copy_file_range(other, &from, vfs.fd, &to, LEN, 0);

	return vfs_holds(vfs_count(n, LEN), OFF, vfs.image + 2 * MB, LEN);
}

static const char *copy_to_other(long arg)
{
	int other = vfs_open_other(O_RDWR);
	loff_t from = OFF, to = 2 * MB;
	long n = copy_file_range(vfs.fd, &from, other, &to, LEN, 0);

	vfs_set_up(pread(other, buf, LEN, 2 * MB));
	vfs_set_up(pwrite(other, vfs.image + 2 * MB, LEN, 2 * MB));

	return vfs_same(vfs_count(n, LEN), buf, vfs.image + OFF, LEN);
}

static const char *copy_from_disk(long arg)
{
	loff_t from = 0, to = OFF;
	int disk = full_disk();
	long n = copy_file_range(disk, &from, vfs.fd, &to, LEN, 0);

	return vfs_holds(vfs_count(n, LEN), OFF, vfs_bytes, LEN);
}

static const char *copy_to_disk(long arg)
{
	int disk = vfs_open_disk(O_RDWR);
	loff_t from = OFF, to = 0;

	return vfs_count(copy_file_range(vfs.fd, &from, disk, &to, LEN, 0),
			 LEN);
}

static const char *clone_file(long arg)
{
	int other = vfs_open_other(O_RDWR);

	return vfs_ret(ioctl(vfs.fd, FICLONE, other));
}

static const char *clone_range(long arg)
{
	struct file_clone_range range = {
		.src_fd = vfs.fd, .src_length = PG, .dest_offset = MB,
	};

	return vfs_ret(ioctl(vfs.fd, FICLONERANGE, &range));
}

/* The two ranges hold the same bytes */
static const char *dedupe_range(long arg)
{
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info;
	} range = { { .src_length = PG, .dest_count = 1 } };
	long ret;

	range.info.dest_fd = vfs_open_other(O_RDWR);
	ret = ioctl(vfs.fd, FIDEDUPERANGE, &range);
	if (ret < 0 || range.info.status == FILE_DEDUPE_RANGE_SAME)
		return vfs_ret(ret);
	errno = -range.info.status;

	return vfs_ret(-1);
}

const struct vfs_op vfs_copy_ops[] = {
	{ "splice to a pipe", splice_out, 0 },
	{ "splice to a pipe, SPLICE_F_NONBLOCK", splice_out,
	  SPLICE_F_NONBLOCK },
	{ "splice from a pipe", splice_in, OFF },
	{ "splice from a pipe over the end", splice_in, VFS_SIZE - 100 },
	{ "splice from a pipe at the end", splice_in, VFS_SIZE },
	{ "sendfile to another file system", sendfile_out },
	{ "sendfile from another file system", sendfile_in, OFF },
	{ "sendfile over the end", sendfile_in, VFS_SIZE - 100 },
	{ "copy_file_range within the file", copy_within },
	{ "copy_file_range, ranges overlap", copy_overlap },
	{ "copy_file_range over the end", copy_over_end },
	{ "copy_file_range from a file beside it", copy_from_other },
	{ "copy_file_range to a file beside it", copy_to_other },
	{ "copy_file_range from another file system", copy_from_disk },
	{ "copy_file_range to another file system", copy_to_disk },
	{ "FICLONE", clone_file },
	{ "FICLONERANGE", clone_range },
	{ "FIDEDUPERANGE", dedupe_range },
	{ }
};
