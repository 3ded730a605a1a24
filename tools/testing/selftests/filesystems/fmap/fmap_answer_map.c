// SPDX-License-Identifier: GPL-2.0
/* Answers to requests for maps and devices, as each kind of server gives them */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fmap_server.h"

/* Largest message of a server that does not look at the room it is offered */
#define NOSIZE_ROOM	4096

static void push_dev(struct fmap_server *s, unsigned int index)
{
	struct fmap_dev *d = &s->dev[index];
	struct fuse_backing_map arg = { .padding = index };

	arg.fd = open(d->out.name, O_RDWR | O_CLOEXEC);
	if (arg.fd < 0) {
		d->push_result = -errno;
		return;
	}
	d->push_result = ioctl(s->fd, FUSE_DEV_IOC_DAXDEV_OPEN, &arg);
	if (d->push_result < 0)
		d->push_result = -errno;
	close(arg.fd);
}

static void push_new_devs(struct fmap_server *s)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < FUSE_FMAP_MAX_DEVS; i++)
		if (s->dev[i].known && !s->dev[i].push_result)
			push_dev(s, i);
	pthread_mutex_unlock(&lock);
}

static void reply_map(struct fmap_req *r, const struct fmap_file *f,
		      size_t len, uint32_t fmap_size)
{
	struct fuse_famfs_fmap_header *hdr = malloc(len);

	if (!hdr) {
		fmap_reply_errno(r, ENOMEM);
		return;
	}
	memcpy(hdr, f->map, len);
	hdr->fmap_size = fmap_size;
	fmap_reply(r, hdr, len);
	free(hdr);
}

static void reply_by_kind(struct fmap_req *r, const struct fmap_file *f)
{
	const struct fuse_get_fmap_in *in = r->arg;

	if (r->s->cfg.kind == FMAP_PUSH)
		push_new_devs(r->s);

	if (r->s->cfg.kind == FMAP_NOSIZE && f->map_len > NOSIZE_ROOM)
		fmap_reply_errno(r, E2BIG);
	else if (r->s->cfg.kind == FMAP_NOSIZE)
		reply_map(r, f, f->map_len, 0);
	else if (f->map_len > in->size)
		reply_map(r, f, sizeof(struct fuse_famfs_fmap_header),
			  f->map_len);
	else
		reply_map(r, f, f->map_len, f->map_len);
}

void fmap_answer_get_fmap(struct fmap_req *r)
{
	uint64_t i = r->in->nodeid - FUSE_ROOT_ID - 1;
	const struct fmap_file *f = &r->s->file[i];

	memcpy(&r->s->fmap_in, r->arg, sizeof(r->s->fmap_in));
	if (i >= r->s->nr_files)
		fmap_reply_errno(r, ESTALE);
	else if (f->fmap_error)
		fmap_reply_errno(r, f->fmap_error);
	else if (f->raw)
		fmap_reply(r, f->map, f->map_len);
	else if (f->paging)
		fmap_answer_page(r, f->paging);
	else
		reply_by_kind(r, f);
}

void fmap_answer_get_daxdev(struct fmap_req *r)
{
	struct fmap_dev *d = &r->s->dev[r->in->nodeid];

	if (r->in->nodeid >= FUSE_FMAP_MAX_DEVS || !d->known)
		fmap_reply_errno(r, ENOENT);
	else if (d->error)
		fmap_reply_errno(r, d->error);
	else
		fmap_reply(r, &d->out, d->len);
}
