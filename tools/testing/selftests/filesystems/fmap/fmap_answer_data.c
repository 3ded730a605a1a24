// SPDX-License-Identifier: GPL-2.0
/*
 * Answers to requests for attributes and bytes
 *
 * The bytes of a file without map are a pattern that its offset tells, and what
 * is written is forgotten, since most tests count such requests and nothing
 * else: unless the test gave the file room for data.
 */
#include <string.h>
#include <sys/stat.h>

#include "fmap_server.h"

struct fmap_file *fmap_by_nodeid(struct fmap_server *s, uint64_t nodeid)
{
	if (nodeid <= FUSE_ROOT_ID || nodeid > FUSE_ROOT_ID + s->nr_files)
		return NULL;

	return &s->file[nodeid - FUSE_ROOT_ID - 1];
}

static void fill_file_attr(const struct fmap_file *f, struct fuse_attr *attr)
{
	attr->mode = f->mode;
	attr->uid = f->uid;
	attr->gid = f->gid;
	attr->size = f->size;
	attr->blocks = f->blocks;
	attr->atime = f->atime;
	attr->mtime = f->mtime;
	attr->ctime = f->ctime;
	attr->nlink = f->linked;
}

void fmap_fill_attr(struct fmap_server *s, uint64_t nodeid,
		    struct fuse_attr *attr)
{
	const struct fmap_file *f = fmap_by_nodeid(s, nodeid);

	attr->ino = nodeid;
	attr->mode = S_IFDIR | 0755;
	attr->nlink = 2;
	attr->blksize = PG;
	if (f)
		fill_file_attr(f, attr);
}

void fmap_answer_getattr(struct fmap_req *r)
{
	struct fuse_attr_out out = {
		.attr_valid = r->s->cfg.no_cache ? 0 : 3600,
	};

	fmap_fill_attr(r->s, r->in->nodeid, &out.attr);
	fmap_reply(r, &out, sizeof(out));
}

static void set_attr(struct fmap_file *f, const struct fuse_setattr_in *in)
{
	if (in->valid & FATTR_MODE)
		f->mode = in->mode;
	if (in->valid & FATTR_UID)
		f->uid = in->uid;
	if (in->valid & FATTR_GID)
		f->gid = in->gid;
	if (in->valid & FATTR_ATIME)
		f->atime = in->atime;
	if (in->valid & FATTR_MTIME)
		f->mtime = in->mtime;
	if (in->valid & FATTR_CTIME)
		f->ctime = in->ctime;
	if (in->valid & FATTR_SIZE) {
		f->setattr_size = in->size;
		f->size = in->size;
	}
	f->setattr_valid |= in->valid;
}

void fmap_answer_setattr(struct fmap_req *r)
{
	struct fmap_file *f = fmap_by_nodeid(r->s, r->in->nodeid);

	if (f)
		set_attr(f, r->arg);
	fmap_answer_getattr(r);
}

static void get_bytes(const struct fmap_file *f, unsigned char *buf,
		      uint64_t off, size_t len)
{
	size_t i;

	if (f->data && off + len <= f->data_room) {
		memcpy(buf, f->data + off, len);
		return;
	}
	for (i = 0; i < len; i++)
		buf[i] = off + i;
}

void fmap_answer_read(struct fmap_req *r)
{
	const struct fuse_read_in *in = r->arg;
	struct fmap_file *f = fmap_by_nodeid(r->s, r->in->nodeid);
	unsigned char buf[128 * KB];
	uint64_t left = f && in->offset < f->size ? f->size - in->offset : 0;
	size_t len = in->size < left ? in->size : left;

	if (len > sizeof(buf))
		len = sizeof(buf);
	if (len)
		get_bytes(f, buf, in->offset, len);
	fmap_reply(r, buf, len);
}

void fmap_answer_write(struct fmap_req *r)
{
	const struct fuse_write_in *in = r->arg;
	struct fmap_file *f = fmap_by_nodeid(r->s, r->in->nodeid);
	struct fuse_write_out out = { .size = in->size };

	if (f && f->data && in->offset + in->size <= f->data_room)
		memcpy(f->data + in->offset, in + 1, in->size);
	if (f && in->offset + in->size > f->size)
		f->size = in->offset + in->size;
	fmap_reply(r, &out, sizeof(out));
}
