// SPDX-License-Identifier: GPL-2.0
/* Answers to the requests that any FUSE server gets */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fmap_server.h"

static struct fmap_file *by_name(struct fmap_server *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->nr_files; i++)
		if (!strcmp(s->file[i].name, name))
			return &s->file[i];

	return NULL;
}

static void fill_entry(struct fmap_req *r, struct fmap_file *f,
		       struct fuse_entry_out *out)
{
	out->nodeid = f->nodeid;
	out->generation = f->generation;
	out->entry_valid = r->s->cfg.no_cache ? 0 : 3600;
	out->attr_valid = out->entry_valid;
	fmap_fill_attr(r->s, f->nodeid, &out->attr);
}

static void fill_open(struct fmap_file *f, struct fuse_open_out *out)
{
	out->fh = f ? f->nodeid : 0;
	out->open_flags = f ? f->open_flags : 0;
	out->backing_id = f ? f->backing_id : 0;
}

static void answer_init(struct fmap_req *r)
{
	const struct fuse_init_in *in = r->arg;
	uint64_t flags = FUSE_INIT_EXT | FUSE_MAX_PAGES | FUSE_BIG_WRITES;
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.max_background = 16,
		.congestion_threshold = 12,
		.max_write = 128 * KB,
		.time_gran = 1,
		.max_pages = 32,
	};

	flags |= r->s->cfg.init_flags;
	if (!r->s->cfg.no_echo)
		flags |= FUSE_DAX_FMAP;
	if (flags & FUSE_PASSTHROUGH)
		out.max_stack_depth = 1;
	out.flags = flags;
	out.flags2 = flags >> 32;

	r->s->offered = in->flags | (uint64_t)in->flags2 << 32;
	fmap_reply(r, &out, sizeof(out));
	if (r->s->offered & flags & FUSE_OVER_IO_URING)
		fmap_uring_start(r->s);
	r->s->ready = true;
}

static void answer_lookup(struct fmap_req *r)
{
	struct fmap_file *f = by_name(r->s, r->arg);
	struct fuse_entry_out out = { };

	/* A handle is decoded by looking up "." in the file itself */
	if (!strcmp(r->arg, "."))
		f = fmap_by_nodeid(r->s, r->in->nodeid);
	if (!f || !f->linked) {
		fmap_reply_errno(r, ENOENT);
		return;
	}
	fill_entry(r, f, &out);
	fmap_reply(r, &out, sizeof(out));
}

/* Only names that the test has put into the table can be made */
static void answer_create(struct fmap_req *r)
{
	const struct fuse_create_in *in = r->arg;
	struct fmap_file *f = by_name(r->s, (const char *)(in + 1));
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = { };

	if (!f) {
		fmap_reply_errno(r, EPERM);
		return;
	}
	f->linked = true;
	fill_entry(r, f, &out.entry);
	fill_open(f, &out.open);
	fmap_reply(r, &out, sizeof(out));
}

static void answer_mknod(struct fmap_req *r)
{
	const struct fuse_mknod_in *in = r->arg;
	struct fmap_file *f = by_name(r->s, (const char *)(in + 1));
	struct fuse_entry_out out = { };

	if (!f) {
		fmap_reply_errno(r, EPERM);
		return;
	}
	f->linked = true;
	fill_entry(r, f, &out);
	fmap_reply(r, &out, sizeof(out));
}

static void answer_unlink(struct fmap_req *r)
{
	struct fmap_file *f = by_name(r->s, r->arg);

	if (f)
		f->linked = false;
	fmap_reply_errno(r, f ? 0 : ENOENT);
}

static void rename_file(struct fmap_req *r, const char *from)
{
	const char *to = from + strlen(from) + 1;
	struct fmap_file *f = by_name(r->s, from);
	struct fmap_file *old = by_name(r->s, to);

	if (!f) {
		fmap_reply_errno(r, ENOENT);
		return;
	}
	if (old && old != f) {
		old->linked = false;
		old->name[0] = '\0';
	}
	snprintf(f->name, sizeof(f->name), "%s", to);
	fmap_reply_errno(r, 0);
}

static void answer_open(struct fmap_req *r)
{
	struct fuse_open_out out = { };

	fill_open(fmap_by_nodeid(r->s, r->in->nodeid), &out);
	if (r->in->opcode == FUSE_OPENDIR && r->s->cfg.cache_dir)
		out.open_flags = FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE;
	fmap_reply(r, &out, sizeof(out));
}

static void answer_statfs(struct fmap_req *r)
{
	struct fuse_statfs_out out = {
		.st = { .bsize = PG, .frsize = PG, .namelen = 63 },
	};

	fmap_reply(r, &out, sizeof(out));
}

/* One name a call, which is enough for a test */
static void answer_readdir(struct fmap_req *r)
{
	const struct fuse_read_in *in = r->arg;
	uint64_t room[16] = { };
	struct fuse_dirent *d = (void *)room;
	struct fmap_file *f;

	if (in->offset >= r->s->nr_files) {
		fmap_reply_errno(r, 0);
		return;
	}
	f = &r->s->file[in->offset];
	d->ino = f->nodeid;
	d->off = in->offset + 1;
	d->type = S_IFREG >> 12;
	d->namelen = strlen(f->name);
	memcpy(d->name, f->name, d->namelen);
	fmap_reply(r, d, FUSE_DIRENT_SIZE(d));
}

void fmap_answer(struct fmap_req *r)
{
	switch (r->in->opcode) {
	case FUSE_INIT:
		answer_init(r);
		break;
	case FUSE_LOOKUP:
		answer_lookup(r);
		break;
	case FUSE_GETATTR:
		fmap_answer_getattr(r);
		break;
	case FUSE_SETATTR:
		fmap_answer_setattr(r);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer_open(r);
		break;
	case FUSE_CREATE:
		answer_create(r);
		break;
	case FUSE_MKNOD:
		answer_mknod(r);
		break;
	case FUSE_UNLINK:
		answer_unlink(r);
		break;
	case FUSE_READ:
		fmap_answer_read(r);
		break;
	case FUSE_WRITE:
		fmap_answer_write(r);
		break;
	case FUSE_STATFS:
		answer_statfs(r);
		break;
	case FUSE_READDIR:
		answer_readdir(r);
		break;
	case FUSE_GET_FMAP:
		fmap_answer_get_fmap(r);
		break;
	case FUSE_GET_DAXDEV:
		fmap_answer_get_daxdev(r);
		break;
	case FUSE_RENAME:
		rename_file(r, (char *)r->arg +
			    sizeof(struct fuse_rename_in));
		break;
	case FUSE_RENAME2:
		rename_file(r, (char *)r->arg +
			    sizeof(struct fuse_rename2_in));
		break;
	case FUSE_SETXATTR:
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
	case FUSE_REMOVEXATTR:
		fmap_answer_xattr(r);
		break;
	case FUSE_GETLK:
		fmap_answer_getlk(r);
		break;
	case FUSE_SETLK:
	case FUSE_SETLKW:
		fmap_answer_setlk(r);
		break;
	case FUSE_FLUSH:
		fmap_lock_flush(r);
		fmap_reply_errno(r, 0);
		break;
	case FUSE_RELEASE:
		fmap_lock_release(r);
		fmap_reply_errno(r, 0);
		break;
	case FUSE_FSYNC:
	case FUSE_FALLOCATE:
	case FUSE_RELEASEDIR:
		fmap_reply_errno(r, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;	/* not answered */
	default:
		fmap_reply_errno(r, ENOSYS);
	}
}
