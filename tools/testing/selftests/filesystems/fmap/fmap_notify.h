/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notifications: what a server tells the kernel unasked
 *
 * A test sends them itself, by the server's descriptor, or arms the server, which
 * then sends them by the thread that has a request in its hands. With one thread
 * that is the hard case: nobody is left to answer what a notification waits for.
 */
#ifndef FMAP_NOTIFY_H
#define FMAP_NOTIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fuse.h>

#include "fmap_layout.h"

#define FMAP_NOTICE_ROOM	(64 * KB)
#define FMAP_ARMED		4

struct fmap_server;

/* A notification, ready to be sent or to be spoilt */
struct fmap_notice {
	int code;
	size_t len;		/* bytes of the body */
	union {
		struct {
			struct fuse_notify_fmap_out fmap;
			struct fuse_famfs_fmap_header map;	/* of a store */
		};
		struct fuse_notify_inval_inode_out inode;
		struct fuse_notify_inval_entry_out entry;
		unsigned char body[FMAP_NOTICE_ROOM];
	};
};

/* When the server's thread sends what it is armed with */
enum fmap_moment {
	FMAP_UNREAD,		/* a request has come, nobody has read it */
	FMAP_UNANSWERED,	/* it was read */
	FMAP_ANSWERED,
};

struct fmap_armed {
	bool used;		/* the test has armed it, sent or not */
	enum fmap_moment moment;
	uint32_t opcode;	/* nobody knows it at FMAP_UNREAD */
	bool retry;		/* again, as long as it is EBUSY: ten seconds */
	atomic_int left;	/* that many times */
	atomic_int sent;
	int ret;		/* of the last: 0 or -errno */
	struct fmap_notice notice;
};

void fmap_notice_inval(struct fmap_notice *n, uint64_t nodeid, uint64_t off,
		       uint64_t len);
void fmap_notice_inval_inode(struct fmap_notice *n, uint64_t nodeid,
			     int64_t off, int64_t len);
void fmap_notice_inval_entry(struct fmap_notice *n, const char *name);

/* The extents of @l lie at @off of the file; where they end is the map's end */
void fmap_notice_store(struct fmap_notice *n, uint64_t nodeid, uint64_t off,
		       const struct fmap_layout *l);

/* The same, but another page follows it */
void fmap_notice_store_page(struct fmap_notice *n, uint64_t nodeid,
			    uint64_t off, const struct fmap_layout *l);

/* Send at once, from any process: 0 or -errno */
int fmap_notice_send(struct fmap_server *s, const struct fmap_notice *n);
int fmap_notify(struct fmap_server *s, int code, const void *body, size_t len);
int fmap_inval(struct fmap_server *s, uint64_t nodeid, uint64_t off,
	       uint64_t len);
int fmap_inval_inode(struct fmap_server *s, uint64_t nodeid, int64_t off,
		     int64_t len);
int fmap_inval_entry(struct fmap_server *s, const char *name);
int fmap_store(struct fmap_server *s, uint64_t nodeid, uint64_t off,
	       const struct fmap_layout *l);
int fmap_store_page(struct fmap_server *s, uint64_t nodeid, uint64_t off,
		    const struct fmap_layout *l);

/* The same notification again as long as it is EBUSY, ten seconds at most */
int fmap_inval_wait(struct fmap_server *s, uint64_t nodeid, uint64_t off,
		    uint64_t len);

/*
 * Let the server's thread send it, once. Only a server with cfg.polls sees
 * requests that are not read yet.
 */
struct fmap_armed *fmap_arm(struct fmap_server *s, enum fmap_moment moment,
			    uint32_t opcode, const struct fmap_notice *n);
void fmap_disarm(struct fmap_server *s);

/* For the server's loop */
void fmap_armed_fire(struct fmap_server *s, enum fmap_moment moment,
		     uint32_t opcode);
void fmap_armed_poll(struct fmap_server *s);

#endif /* FMAP_NOTIFY_H */
