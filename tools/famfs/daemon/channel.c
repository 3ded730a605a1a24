// SPDX-License-Identifier: Apache-2.0
/*
 * Stock libfuse knows nothing of file maps. These two functions stand between
 * it and /dev/fuse: requests that it does not know are answered here and never
 * reach it, and the one bit that asks the kernel for maps is put into its
 * INIT reply.
 */
#include "daemon.h"

#include <linux/fuse.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void count(struct famfsd *d, uint32_t opcode)
{
	if (opcode >= FAMFS_IOC_OPCODES)
		opcode = 0;
	atomic_fetch_add_explicit(&d->count[opcode], 1, memory_order_relaxed);
}

/* Does the kernel offer file maps on this mount. */
static bool offers_maps(const struct fuse_in_header *in)
{
	const struct fuse_init_in *init = (const void *)(in + 1);
	size_t need = sizeof(*in) + offsetof(struct fuse_init_in, unused);

	return in->len >= need && init->flags & FUSE_INIT_EXT &&
		init->flags2 & FAMFS_INIT_DAX_FMAP2;
}

static void see_init(struct famfsd *d, const struct fuse_in_header *in)
{
	d->init_unique = in->unique;
	d->offered = offers_maps(in);
	/* A mount without maps would be one whose files cannot be read. */
	if (!d->offered)
		fuse_session_exit(d->se);
}

static ssize_t channel_read(int fd, void *buf, size_t len, void *userdata)
{
	const struct fuse_in_header *in = buf;
	struct famfsd *d = userdata;
	ssize_t n;

	for (;;) {
		n = read(fd, buf, len);
		if (n < (ssize_t)sizeof(*in) || in->len != n)
			return n;
		count(d, in->opcode);
		if (in->opcode == FUSE_INIT)
			see_init(d, in);
		if (!famfsd_answer(d, fd, in))
			return n;
	}
}

static ssize_t channel_writev(int fd, struct iovec *iov, int n, void *userdata)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	struct fuse_init_out *init;
	struct famfsd *d = userdata;
	ssize_t ret;

	if (d->up || out->unique != d->init_unique)
		return writev(fd, iov, n);

	if (!out->error && n > 1 && iov[1].iov_len >= sizeof(*init)) {
		init = iov[1].iov_base;
		init->flags |= FUSE_INIT_EXT;
		init->flags2 |= FAMFS_INIT_DAX_FMAP2;
	}
	ret = writev(fd, iov, n);
	d->up = ret > 0 && !out->error;
	return ret;
}

const struct fuse_custom_io famfsd_channel = {
	.read = channel_read,
	.writev = channel_writev,
};
