/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A raw FUSE server for tests of file maps
 *
 * It speaks to /dev/fuse without a library, so that it can send anything. It
 * runs as a process of its own, since a test must be able to kill it, and a
 * test that waits for it must not keep its descriptor open. All of its state
 * lies in memory that it shares with the test: what it answers can be changed,
 * and what it was asked can be read, while it runs.
 */
#ifndef FMAP_SERVER_H
#define FMAP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/fuse.h>

#include "fmap_layout.h"
#include "fmap_notify.h"

#define FMAP_OPS	64
#define FMAP_FILES	64
#define FMAP_XATTRS	16
#define FMAP_ARENA	(40 << 20)

/* How a server tells maps and devices: see "Kinds of servers" in fuse-fmap-wire.rst */
enum fmap_kind {
	FMAP_PROBE,	/* pull; a map that does not fit is answered by its size */
	FMAP_NOSIZE,	/* pull; at most 4096 bytes, fmap_size is 0 */
	FMAP_PUSH,	/* like FMAP_PROBE, devices handed over by descriptor */
};

struct fmap_req;

struct fmap_config {
	enum fmap_kind kind;
	unsigned int threads;	/* 0 means 4 */
	uint64_t init_flags;	/* added to what INIT answers */
	bool no_echo;		/* leave FUSE_DAX_FMAP out of that */
	bool no_cache;		/* names and attributes are valid for 0 s */
	bool cache_dir;		/* names of a folder may be cached */
	bool no_rawio;		/* mount without CAP_SYS_RAWIO */
	unsigned int user_id;	/* mount option */
	const char *options;	/* further ones, with a comma before each */
	const char *fstype;	/* NULL means "fuse" */
	const char *source;	/* NULL: a name that means nothing */
	bool xattrs;		/* it knows extended attributes */
	bool polls;		/* waits for a request before it reads it */
	bool (*answer)(struct fmap_req *r);	/* asked first; true: it has */
};

/* What happens to requests of one opcode before they are answered */
struct fmap_hook {
	atomic_int hold;	/* they wait as long as this is not 0 */
	atomic_int held;	/* number that has waited or waits */
	atomic_int drop;	/* they are never answered */
	atomic_int die;		/* the server exits */
	atomic_int error;	/* they are answered with this errno */
	atomic_int delay_ms;	/* they are answered that much later */
};

struct fmap_file {
	char name[64];
	uint64_t nodeid;
	uint64_t generation;
	uint64_t size;
	uint32_t mode;
	uint32_t open_flags;	/* of the OPEN reply */
	int32_t backing_id;
	atomic_bool linked;	/* LOOKUP finds it */
	atomic_int fmap_error;	/* GET_FMAP is answered with this errno */
	atomic_bool raw;	/* the map goes out as it is, whatever the room */
	size_t map_len;
	const void *map;	/* in the arena */
	struct fmap_paging *paging;	/* likewise; NULL if it knows no pages */
	uint64_t setattr_size;	/* size of the last SETATTR that had one */
	uint32_t uid;
	uint32_t gid;
	uint64_t blocks;
	uint64_t atime;		/* in seconds */
	uint64_t mtime;
	uint64_t ctime;
	atomic_uint setattr_valid;	/* FATTR_* of all SETATTRs so far */
	unsigned char *data;	/* bytes of an ordinary file, in the arena */
	size_t data_room;
};

/* One of a file's extended attributes; unused if its nodeid is 0 */
struct fmap_xattr {
	uint64_t nodeid;
	char name[64];
	uint32_t size;
	unsigned char value[256];
};

struct fmap_dev {
	bool known;
	int error;		/* GET_DAXDEV is answered with this errno */
	size_t len;		/* bytes of @out that are sent */
	struct fuse_daxdev_out out;
	int push_result;	/* of the ioctl, or -errno */
};

struct fmap_server {
	struct fmap_config cfg;
	char dir[64];		/* mount point */
	pid_t pid;
	int fd;			/* /dev/fuse, a number in the server's process */
	int mount_error;
	atomic_bool ready;	/* INIT was answered, or mount_error is set */
	uint64_t offered;	/* INIT flags of the kernel */
	struct fuse_get_fmap_in fmap_in;	/* the last */
	atomic_uint count[FMAP_OPS];
	atomic_uint by_uring[FMAP_OPS];	/* those that came by io_uring */
	struct fmap_hook hook[FMAP_OPS];
	struct fmap_armed armed[FMAP_ARMED];
	struct fmap_file file[FMAP_FILES];
	unsigned int nr_files;
	struct fmap_xattr xattr[FMAP_XATTRS];
	struct fmap_dev dev[FUSE_FMAP_MAX_DEVS];
	size_t arena_used;
	unsigned char arena[FMAP_ARENA];
};

/* A request that is being answered */
struct fmap_req {
	struct fmap_server *s;
	const struct fuse_in_header *in;
	const void *arg;
	struct fmap_queue *queue;	/* NULL if it came by /dev/fuse */
};

/* fmap_server.c: life of a server, for tests */
struct fmap_server *fmap_server_new(const struct fmap_config *cfg);
int fmap_server_mount(struct fmap_server *s);
int fmap_server_umount(struct fmap_server *s, int flags);
void fmap_server_kill(struct fmap_server *s);
void fmap_server_free(struct fmap_server *s);
int fmap_server_fd(struct fmap_server *s);

/* fmap_table.c: what a server knows and has seen, for tests */
struct fmap_file *fmap_server_file(struct fmap_server *s, const char *name,
				   uint64_t size);
void fmap_file_map(struct fmap_server *s, struct fmap_file *f,
		   const void *map, size_t len);
void fmap_file_layout(struct fmap_server *s, struct fmap_file *f,
		      const struct fmap_layout *l);
struct fmap_file *fmap_server_mapped(struct fmap_server *s, const char *name,
				     const struct fmap_layout *l);
void fmap_file_data(struct fmap_server *s, struct fmap_file *f, size_t room);
void *fmap_take_room(struct fmap_server *s, size_t len);
void fmap_server_dev(struct fmap_server *s, unsigned int index,
		     const char *name);
unsigned int fmap_server_requests(struct fmap_server *s);

/* What nobody may ask about the bytes of a mapped file */
unsigned int fmap_server_data_requests(struct fmap_server *s);

bool fmap_wait_nonzero(atomic_int *value);

/* fmap_server.c: for the answering functions */
void fmap_reply(struct fmap_req *r, const void *data, size_t len);
void fmap_reply_errno(struct fmap_req *r, int error);

/* fmap_server.c: a request has come, by @queue if that is not NULL */
void fmap_serve_one(struct fmap_server *s, const void *buf, size_t len,
		    struct fmap_queue *queue);

/* fmap_uring.c: requests by io_uring, once INIT was answered */
void fmap_uring_start(struct fmap_server *s);
void fmap_uring_reply(struct fmap_queue *q, const struct fuse_out_header *out,
		      const void *data, size_t len);

/* fmap_answer.c: requests that any FUSE server gets */
void fmap_answer(struct fmap_req *r);

/* fmap_answer_data.c: requests for attributes and bytes */
struct fmap_file *fmap_by_nodeid(struct fmap_server *s, uint64_t nodeid);
void fmap_fill_attr(struct fmap_server *s, uint64_t nodeid,
		    struct fuse_attr *attr);
void fmap_answer_getattr(struct fmap_req *r);
void fmap_answer_setattr(struct fmap_req *r);
void fmap_answer_read(struct fmap_req *r);
void fmap_answer_write(struct fmap_req *r);

/* fmap_answer_lock.c: requests for locks */
void fmap_answer_getlk(struct fmap_req *r);
void fmap_answer_setlk(struct fmap_req *r);
void fmap_lock_flush(struct fmap_req *r);
void fmap_lock_release(struct fmap_req *r);

/* fmap_answer_xattr.c: requests for extended attributes */
void fmap_answer_xattr(struct fmap_req *r);

/* fmap_answer_map.c: requests for maps and devices */
void fmap_answer_get_fmap(struct fmap_req *r);
void fmap_answer_get_daxdev(struct fmap_req *r);

/* fmap_paging.c: requests for a page of a map */
void fmap_answer_page(struct fmap_req *r, struct fmap_paging *p);

#endif /* FMAP_SERVER_H */
