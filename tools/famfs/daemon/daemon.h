/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount.fuse.famfs: the server of one mounted famfs.
 */
#ifndef FAMFSD_DAEMON_H
#define FAMFSD_DAEMON_H

#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "famfs_ioctl.h"
#include "fmap.h"
#include "volume.h"

struct famfsd_options {
	char *device;
	char *mountpoint;		/* absolute */
	char *kernel_opts;		/* for libfuse, NULL or comma list */
	char *given[FAMFS_MAX_DEVICES + 1]; /* -o device=, NULL at the end */
	bool bind;
	bool client;
	bool read_only;
	bool store;
	bool foreground;
	bool debug;
};

struct famfsd {
	struct famfsd_options opt;
	struct fuse_session *se;
	struct famfs_volume vol;
	/*
	 * Guards @vol. Readers answer requests; writers take in new log
	 * entries or append. Nobody sleeps on anything but the device while
	 * holding it, least of all on a reply that the kernel has to read.
	 */
	pthread_rwlock_t lock;
	char refresh_error[FAMFS_ERROR_MAX]; /* said already; under @lock */
	bool home;			/* on the host that made the files */
	bool master;			/* may append to the log */
	uint64_t init_unique;		/* of the INIT request */
	bool offered;			/* the kernel knows file maps */
	bool up;			/* INIT is answered */
	atomic_bool store;		/* maps unasked: wanted, not refused yet */
	bool tried[FAMFS_MAX_DEVICES];	/* to hand over; under @lock once up */
	atomic_ulong count[FAMFS_IOC_OPCODES];
};

/* options.c */
int famfsd_parse(struct famfsd_options *opt, int argc, char **argv,
		 struct famfs_error *e);
void famfsd_options_free(struct famfsd_options *opt);

/* notice.c: to the terminal until famfsd_notice_detach(), then to syslog */
void famfsd_notice(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void famfsd_notice_detach(void);

/* channel.c: what lies between libfuse and /dev/fuse */
extern const struct fuse_custom_io famfsd_channel;

/**
 * famfsd_answer - answer a request that libfuse does not know
 * @d: the daemon
 * @fd: /dev/fuse
 * @in: the whole request
 *
 * Return: false if it is a request for libfuse.
 */
struct fuse_in_header;
bool famfsd_answer(struct famfsd *d, int fd, const struct fuse_in_header *in);

/* store.c: give the kernel the map of a file that it opens, once in its life */
void famfsd_store(struct famfsd *d, struct famfs_node *node);

/* devices.c: hand over those that are new; under the lock */
void famfsd_hand_over(struct famfsd *d);

/* entry.c: what the kernel looks up and forgets */
void famfsd_reply_entry(fuse_req_t req, struct famfs_node *node,
			const struct fuse_entry_param *entry);
void famfsd_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n);
void famfsd_forget_multi(fuse_req_t req, size_t count,
			 struct fuse_forget_data *forgets);

/* tree.c: nodes, shared by the operations; all under the lock */
struct famfs_node *famfsd_lookup(struct famfsd *d, uint64_t parent,
				 const char *name);
void famfsd_refresh(struct famfsd *d);
void famfsd_stat(const struct famfsd *d, const struct famfs_node *node,
		 struct stat *st);
void famfsd_entry(const struct famfsd *d, const struct famfs_node *node,
		  struct fuse_entry_param *entry);
enum fuse_famfs_file_type famfsd_file_type(const struct famfs_node *node);
bool famfsd_writable(const struct famfsd *d, const struct famfs_node *node);

/* ops.c, ops_dir.c, ioctl.c */
extern const struct fuse_lowlevel_ops famfsd_ops;
void famfsd_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void famfsd_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);
void famfsd_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
			struct fuse_file_info *fi);
void famfsd_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
		  mode_t mode);
void famfsd_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		  struct fuse_file_info *fi, unsigned int flags,
		  const void *in, size_t in_size, size_t out_size);

/* For how long the kernel may keep names and attributes: nothing changes. */
#define FAMFSD_TIMEOUT	86400.0

#endif /* FAMFSD_DAEMON_H */
