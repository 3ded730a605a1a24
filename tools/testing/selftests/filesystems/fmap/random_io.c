// SPDX-License-Identifier: GPL-2.0
/* A random play: operations by system calls on the descriptor */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "random_play.h"

/* What a write of @len bytes at @off gives: it stops at the end of the file */
static bool write_ended(struct play *p, long got, uint64_t off, size_t len)
{
	size_t n = play_clamp(p, off, len);

	if (!n)
		return play_is(p, "write at the end", got, -1, ENOSPC);

	return play_is(p, "write", got, n, 0);
}

static ssize_t write_somehow(struct play *p, const char *data, size_t len,
			     uint64_t off)
{
	size_t cut = play_below(p, len + 1);
	struct iovec iov[3] = {
		{ (void *)data, cut }, { NULL, 0 },
		{ (void *)(data + cut), len - cut },
	};

	switch (play_below(p, 4)) {
	case 0:
		if (lseek(p->fd, off, SEEK_SET) != (off_t)off)
			return -1;
		return writev(p->fd, iov, 3);
	case 1:
		return pwritev2(p->fd, iov, 3, off, RWF_DSYNC);
	default:
		return pwrite(p->fd, data, len, off);
	}
}

bool play_write(struct play *p)
{
	uint64_t off = play_place(p);
	size_t len = play_len(p);
	const char *data = play_data(p, len);
	ssize_t got;

	play_say(p, "%zu bytes at %#lx", len, (long)off);
	got = write_somehow(p, data, len, off);
	memcpy(p->shadow + off, data, play_clamp(p, off, len));

	return write_ended(p, got, off, len);
}

/* There is nothing behind the end */
bool play_append(struct play *p)
{
	int flags = fcntl(p->fd, F_GETFL);
	ssize_t got;

	play_say(p, "refused");
	fcntl(p->fd, F_SETFL, flags | O_APPEND);
	got = write(p->fd, p->pool, 1 + play_below(p, PG));
	if (!play_is(p, "append", got, -1, ENOSPC))
		return false;

	return play_is(p, "fcntl", fcntl(p->fd, F_SETFL, flags), 0, 0);
}

static ssize_t read_somehow(struct play *p, size_t len, uint64_t off)
{
	size_t cut = play_below(p, len + 1);
	struct iovec iov[2] = { { p->buf, cut }, { p->buf + cut, len - cut } };

	switch (play_below(p, 4)) {
	case 0:
		if (lseek(p->fd, off, SEEK_SET) != (off_t)off)
			return -1;
		return read(p->fd, p->buf, len);
	case 1:
		return preadv(p->fd, iov, 2, off);
	default:
		return pread(p->fd, p->buf, len, off);
	}
}

bool play_read(struct play *p)
{
	uint64_t off = play_place(p);
	size_t len = play_len(p), n = play_clamp(p, off, len);

	play_say(p, "%zu bytes at %#lx", len, (long)off);
	if (!play_is(p, "read", read_somehow(p, len, off), n, 0))
		return false;
	if (memcmp(p->buf, p->shadow + off, n))
		return play_wrong(p, "%zu bytes at %#lx are wrong", n,
				  (long)off);

	return true;
}

/*
 * Two ranges of equal length, apart from each other: @from is a place in the
 * file, @at is inside a shared view. A length of 0 means that there are none.
 */
struct two_ranges {
	const struct play_view *v;
	uint64_t at;
	uint64_t from;
	size_t len;
};

static struct two_ranges mapped_and_other(struct play *p)
{
	struct two_ranges r = { .from = play_place(p), .len = play_len(p) };
	unsigned int i;

	i = PLAY_PRIVATE + play_below(p, PLAY_VIEWS - PLAY_PRIVATE);
	r.v = &p->view[i];
	if (!r.v->p)
		return (struct two_ranges) { };

	r.at = play_below(p, r.v->len);
	if (r.len > r.v->len - r.at)
		r.len = r.v->len - r.at;
	r.at += r.v->off;
	r.len = play_clamp(p, r.at, r.len);
	r.len = play_clamp(p, r.from, r.len);
	if (r.at < r.from + r.len && r.from < r.at + r.len)
		r.len = 0;

	return r;
}

/* The data of the write is a mapping of the file */
bool play_write_mapped(struct play *p)
{
	struct two_ranges r = mapped_and_other(p);
	ssize_t got;

	if (!r.len)
		return true;
	play_say(p, "%zu bytes from %#lx to %#lx", r.len, (long)r.at,
		 (long)r.from);
	got = pwrite(p->fd, r.v->p + (r.at - r.v->off), r.len, r.from);
	memcpy(p->shadow + r.from, p->shadow + r.at, r.len);

	return play_is(p, "write", got, r.len, 0);
}

/* What is read goes into a mapping of the file */
bool play_read_mapped(struct play *p)
{
	struct two_ranges r = mapped_and_other(p);
	ssize_t got;

	if (!r.len)
		return true;
	play_say(p, "%zu bytes from %#lx to %#lx", r.len, (long)r.from,
		 (long)r.at);
	got = pread(p->fd, r.v->p + (r.at - r.v->off), r.len, r.from);
	memcpy(p->shadow + r.at, p->shadow + r.from, r.len);

	return play_is(p, "read", got, r.len, 0);
}

/* Overlapping ranges of one file are EINVAL; it may copy less than asked */
bool play_copy_range(struct play *p)
{
	uint64_t from = play_place(p), to = play_place(p);
	size_t len = play_clamp(p, from, play_len(p));
	loff_t in = from, out = to;
	ssize_t got;

	len = play_clamp(p, to, len);
	if (!len || (from < to + len && to < from + len))
		return true;

	play_say(p, "%zu bytes from %#lx to %#lx", len, (long)from, (long)to);
	got = copy_file_range(p->fd, &in, p->fd, &out, len, 0);
	if (got <= 0 || got > (ssize_t)len)
		return play_wrong(p, "%zd of %zu bytes: %m", got, len);
	memcpy(p->shadow + to, p->shadow + from, got);

	return true;
}

bool play_sync(struct play *p)
{
	play_say(p, " ");
	if (play_one_in(p, 2))
		return play_is(p, "fsync", fsync(p->fd), 0, 0);

	return play_is(p, "fdatasync", fdatasync(p->fd), 0, 0);
}

bool play_zero_range(struct play *p)
{
	uint64_t off = play_place(p);
	size_t len = play_len(p);
	int got;

	play_say(p, "%zu bytes at %#lx", len, (long)off);
	got = fallocate(p->fd, FALLOC_FL_ZERO_RANGE, off, len);
	if (off + len > p->l->size)
		return play_is(p, "behind the end", got, -1, ENOSPC);
	memset(p->shadow + off, 0, len);

	return play_is(p, "inside", got, 0, 0);
}

/* There is nothing to reserve, inside of the file */
bool play_reserve(struct play *p)
{
	uint64_t off = play_place(p);
	size_t len = play_len(p);
	int mode = play_one_in(p, 2) ? FALLOC_FL_KEEP_SIZE : 0, got;

	play_say(p, "%zu bytes at %#lx, mode %d", len, (long)off, mode);
	got = fallocate(p->fd, mode, off, len);
	if (off + len > p->l->size)
		return play_is(p, "behind the end", got, -1, ENOSPC);

	return play_is(p, "inside", got, 0, 0);
}

/* What would change the size or give memory back */
bool play_refused(struct play *p)
{
	static const int modes[] = {
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
	};
	uint64_t size = play_below(p, 2 * p->l->size);
	int mode = modes[play_below(p, 3)];

	play_say(p, "size %#lx, fallocate mode %d", (long)size, mode);
	if (size == p->l->size)
		return play_is(p, "same size", ftruncate(p->fd, size), 0, 0);

	return play_is(p, "ftruncate", ftruncate(p->fd, size), -1, EPERM) &&
	       play_is(p, "fallocate", fallocate(p->fd, mode, 0, PG), -1,
		       EOPNOTSUPP);
}

/* Direct I/O is what it always is, and needs no alignment */
bool play_direct(struct play *p)
{
	int flags = fcntl(p->fd, F_GETFL) ^ O_DIRECT;

	play_say(p, "flags %#x", flags);

	return play_is(p, "fcntl", fcntl(p->fd, F_SETFL, flags), 0, 0);
}

/* Mappings stay */
bool play_reopen(struct play *p)
{
	int flags = O_RDWR | (play_one_in(p, 2) ? O_DIRECT : 0);

	play_say(p, "flags %#x", flags);
	close(p->fd);
	p->fd = fmap_open(p->s, "file", flags);

	return p->fd >= 0 || play_wrong(p, "open: %s", strerror(-p->fd));
}
