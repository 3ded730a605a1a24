// SPDX-License-Identifier: GPL-2.0
/* A raw FUSE server for tests of file maps: its life and its loop */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fmap_server.h"

#define REQUEST_ROOM	(128 * 1024 + 4096)

static void send_reply(struct fmap_req *r, int error, const void *data,
		       size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len,
		.error = -error,
		.unique = r->in->unique,
	};
	struct iovec iov[2] = { { &out, sizeof(out) }, { (void *)data, len } };

	if (r->queue) {
		fmap_uring_reply(r->queue, &out, data, len);
		return;
	}
	/* Fails if the requester has gone, or if the test meant it to */
	if (writev(r->s->fd, iov, len ? 2 : 1) < 0)
		return;
}

void fmap_reply(struct fmap_req *r, const void *data, size_t len)
{
	send_reply(r, 0, data, len);
}

void fmap_reply_errno(struct fmap_req *r, int error)
{
	send_reply(r, error, NULL, 0);
}

/* Do what the test wants for this opcode; false if the request ends here */
static bool pass_hook(struct fmap_req *r, struct fmap_hook *hook)
{
	if (hook->die)
		_exit(0);
	if (hook->hold) {
		hook->held++;
		while (hook->hold)
			usleep(1000);
	}
	if (hook->delay_ms)
		usleep(hook->delay_ms * 1000);
	if (hook->drop)
		return false;
	if (hook->error) {
		fmap_reply_errno(r, hook->error);
		return false;
	}

	return true;
}

void fmap_serve_one(struct fmap_server *s, const void *buf, size_t len,
		    struct fmap_queue *queue)
{
	struct fmap_req r = {
		.s = s,
		.in = buf,
		.arg = (const char *)buf + sizeof(*r.in),
		.queue = queue,
	};

	if (len < sizeof(*r.in) || r.in->opcode >= FMAP_OPS)
		return;

	s->count[r.in->opcode]++;
	fmap_armed_fire(s, FMAP_UNANSWERED, r.in->opcode);
	if (pass_hook(&r, &s->hook[r.in->opcode]) &&
	    (!s->cfg.answer || !s->cfg.answer(&r)))
		fmap_answer(&r);
	fmap_armed_fire(s, FMAP_ANSWERED, r.in->opcode);
}

static void *serve(void *arg)
{
	struct fmap_server *s = arg;
	void *buf = malloc(REQUEST_ROOM);
	ssize_t len;

	while (buf) {
		if (s->cfg.polls)
			fmap_armed_poll(s);
		len = read(s->fd, buf, REQUEST_ROOM);
		if (len >= 0)
			fmap_serve_one(s, buf, len, NULL);
		else if (errno == ENODEV || errno == EBADF)
			break;	/* unmounted */
	}
	free(buf);

	return NULL;
}

static int drop_rawio(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &hdr, data))
		return -1;
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	data[0].permitted &= ~(1U << CAP_SYS_RAWIO);

	return syscall(SYS_capset, &hdr, data);
}

static int mount_fuse(struct fmap_server *s)
{
	const char *source = s->cfg.source ?: "fmap-test";
	const char *fstype = s->cfg.fstype ?: "fuse";
	char opts[256];

	if (s->cfg.no_rawio && drop_rawio())
		return errno;
	s->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (s->fd < 0)
		return errno;

	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=0,allow_other%s",
		 s->fd, s->cfg.user_id, s->cfg.options ?: "");
	if (mount(source, s->dir, fstype, MS_NOSUID | MS_NODEV, opts))
		return errno;

	return 0;
}

/*
 * The server keeps its descriptor after an unmount, until it is killed: a
 * connection must let go of its devices without that.
 */
static void server_main(struct fmap_server *s)
{
	pthread_t thread;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(3, ~0U, 0);

	s->mount_error = mount_fuse(s);
	if (s->mount_error) {
		s->ready = true;
		_exit(1);
	}

	for (i = 1; i < s->cfg.threads; i++)
		if (pthread_create(&thread, NULL, serve, s))
			_exit(1);
	serve(s);
	for (;;)
		pause();
}

struct fmap_server *fmap_server_new(const struct fmap_config *cfg)
{
	struct fmap_server *s;

	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s == MAP_FAILED)
		return NULL;

	s->cfg = *cfg;
	if (!s->cfg.threads)
		s->cfg.threads = 4;
	snprintf(s->dir, sizeof(s->dir), "/tmp/fmap.XXXXXX");
	if (!mkdtemp(s->dir)) {
		munmap(s, sizeof(*s));
		return NULL;
	}

	return s;
}

int fmap_server_mount(struct fmap_server *s)
{
	pid_t pid;
	int i;

	s->ready = false;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		server_main(s);

	s->pid = pid;
	for (i = 0; i < 10000 && !s->ready; i++)
		usleep(1000);

	return s->ready ? -s->mount_error : -ETIMEDOUT;
}

int fmap_server_umount(struct fmap_server *s, int flags)
{
	return umount2(s->dir, flags) ? -errno : 0;
}

void fmap_server_kill(struct fmap_server *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

/* Killed first: what holds the mount busy might wait for the server */
void fmap_server_free(struct fmap_server *s)
{
	if (!s)
		return;
	fmap_server_kill(s);
	umount2(s->dir, MNT_DETACH);
	rmdir(s->dir);
	munmap(s, sizeof(*s));
}

/* The server's /dev/fuse, to be closed soon: it keeps the connection up */
int fmap_server_fd(struct fmap_server *s)
{
	int pidfd = syscall(SYS_pidfd_open, s->pid, 0);
	int fd;

	if (pidfd < 0)
		return -1;
	fd = syscall(SYS_pidfd_getfd, pidfd, s->fd, 0);
	close(pidfd);

	return fd;
}
