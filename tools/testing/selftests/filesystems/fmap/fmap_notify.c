// SPDX-License-Identifier: GPL-2.0
/* Notifications: what a server tells the kernel unasked */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fmap_server.h"

/* Tries, 10 ms apart, of what is busy */
#define TRIES		1000

void fmap_notice_inval(struct fmap_notice *n, uint64_t nodeid, uint64_t off,
		       uint64_t len)
{
	n->code = FUSE_NOTIFY_INVAL_FMAP;
	n->len = sizeof(n->fmap);
	n->fmap = (struct fuse_notify_fmap_out) {
		.nodeid = nodeid, .offset = off, .length = len,
	};
}

void fmap_notice_inval_inode(struct fmap_notice *n, uint64_t nodeid,
			     int64_t off, int64_t len)
{
	n->code = FUSE_NOTIFY_INVAL_INODE;
	n->len = sizeof(n->inode);
	n->inode = (struct fuse_notify_inval_inode_out) {
		.ino = nodeid, .off = off, .len = len,
	};
}

void fmap_notice_inval_entry(struct fmap_notice *n, const char *name)
{
	size_t len = strlen(name);

	n->code = FUSE_NOTIFY_INVAL_ENTRY;
	n->len = sizeof(n->entry) + len + 1;
	n->entry = (struct fuse_notify_inval_entry_out) {
		.parent = FUSE_ROOT_ID, .namelen = len,
	};
	memcpy(n->body + sizeof(n->entry), name, len + 1);
}

static uint64_t layout_bytes(const struct fmap_layout *l)
{
	uint64_t bytes = 0;
	struct fmap_ext e;
	uint32_t i;

	for (i = 0; i < l->nextents; i++) {
		fmap_get_ext(l, i, &e);
		bytes += fmap_ext_bytes(&e);
	}

	return bytes;
}

void fmap_notice_store(struct fmap_notice *n, uint64_t nodeid, uint64_t off,
		       const struct fmap_layout *l)
{
	size_t len;
	void *map = fmap_encode(l, &len);

	if (!map || len > sizeof(n->body) - sizeof(n->fmap)) {
		fprintf(stderr, "# no room for this notification\n");
		abort();
	}
	n->code = FUSE_NOTIFY_STORE_FMAP;
	n->len = sizeof(n->fmap) + len;
	n->fmap = (struct fuse_notify_fmap_out) {
		.nodeid = nodeid, .offset = off,
	};
	memcpy(n->body + sizeof(n->fmap), map, len);
	free(map);
}

void fmap_notice_store_page(struct fmap_notice *n, uint64_t nodeid,
			    uint64_t off, const struct fmap_layout *l)
{
	fmap_notice_store(n, nodeid, off, l);
	n->fmap.length = layout_bytes(l);
	n->map.next_offset = off + n->fmap.length;
}

/* By the descriptor of this process; 0 or -errno */
static int send_by(int fd, int code, const void *body, size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len,
		.error = code,
	};
	struct iovec iov[2] = { { &out, sizeof(out) }, { (void *)body, len } };

	return writev(fd, iov, 2) < 0 ? -errno : 0;
}

int fmap_notify(struct fmap_server *s, int code, const void *body, size_t len)
{
	int fd = fmap_server_fd(s);
	int ret;

	if (fd < 0)
		return -errno;
	ret = send_by(fd, code, body, len);
	close(fd);

	return ret;
}

int fmap_notice_send(struct fmap_server *s, const struct fmap_notice *n)
{
	return fmap_notify(s, n->code, n->body, n->len);
}

int fmap_inval(struct fmap_server *s, uint64_t nodeid, uint64_t off,
	       uint64_t len)
{
	struct fmap_notice n;

	fmap_notice_inval(&n, nodeid, off, len);
	return fmap_notice_send(s, &n);
}

int fmap_inval_inode(struct fmap_server *s, uint64_t nodeid, int64_t off,
		     int64_t len)
{
	struct fmap_notice n;

	fmap_notice_inval_inode(&n, nodeid, off, len);
	return fmap_notice_send(s, &n);
}

int fmap_inval_entry(struct fmap_server *s, const char *name)
{
	struct fmap_notice n;

	fmap_notice_inval_entry(&n, name);
	return fmap_notice_send(s, &n);
}

int fmap_store(struct fmap_server *s, uint64_t nodeid, uint64_t off,
	       const struct fmap_layout *l)
{
	struct fmap_notice n;

	fmap_notice_store(&n, nodeid, off, l);
	return fmap_notice_send(s, &n);
}

int fmap_store_page(struct fmap_server *s, uint64_t nodeid, uint64_t off,
		    const struct fmap_layout *l)
{
	struct fmap_notice n;

	fmap_notice_store_page(&n, nodeid, off, l);
	return fmap_notice_send(s, &n);
}

int fmap_inval_wait(struct fmap_server *s, uint64_t nodeid, uint64_t off,
		    uint64_t len)
{
	int i, ret = -EBUSY;

	for (i = 0; i < TRIES && ret == -EBUSY; i++) {
		if (i)
			usleep(10000);
		ret = fmap_inval(s, nodeid, off, len);
	}

	return ret;
}

struct fmap_armed *fmap_arm(struct fmap_server *s, enum fmap_moment moment,
			    uint32_t opcode, const struct fmap_notice *n)
{
	struct fmap_armed *a = s->armed;

	while (a->used)
		if (++a == s->armed + FMAP_ARMED)
			abort();
	a->used = true;
	a->moment = moment;
	a->opcode = opcode;
	a->retry = false;
	a->ret = 0;
	a->notice.code = n->code;
	a->notice.len = n->len;
	memcpy(a->notice.body, n->body, n->len);
	a->left = 1;

	return a;
}

void fmap_disarm(struct fmap_server *s)
{
	unsigned int i;

	for (i = 0; i < FMAP_ARMED; i++) {
		s->armed[i].used = false;
		s->armed[i].left = 0;
		s->armed[i].sent = 0;
	}
}

/* Several threads may want it: is it this one's turn? */
static bool take_turn(struct fmap_armed *a)
{
	int left = a->left;

	while (left > 0)
		if (atomic_compare_exchange_weak(&a->left, &left, left - 1))
			return true;

	return false;
}

static void send_armed(struct fmap_server *s, struct fmap_armed *a)
{
	int i, ret = -EBUSY;

	for (i = 0; i < TRIES && ret == -EBUSY; i++) {
		if (i)
			usleep(10000);
		ret = send_by(s->fd, a->notice.code, a->notice.body,
			      a->notice.len);
		if (!a->retry)
			break;
	}
	a->ret = ret;
	a->sent++;
}

void fmap_armed_fire(struct fmap_server *s, enum fmap_moment moment,
		     uint32_t opcode)
{
	struct fmap_armed *a;

	for (a = s->armed; a < s->armed + FMAP_ARMED; a++) {
		if (a->left && a->moment == moment &&
		    (moment == FMAP_UNREAD || a->opcode == opcode) &&
		    take_turn(a))
			send_armed(s, a);
	}
}

/* Wait for a request, but leave it where it is */
void fmap_armed_poll(struct fmap_server *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	if (poll(&p, 1, -1) == 1 && (p.revents & POLLIN))
		fmap_armed_fire(s, FMAP_UNREAD, 0);
}
