// SPDX-License-Identifier: GPL-2.0
/* Answers to requests for extended attributes, if the server is to have them */
#include <errno.h>
#include <string.h>

#include "fmap_server.h"

static struct fmap_xattr *find(struct fmap_req *r, const char *name)
{
	unsigned int i;

	for (i = 0; i < FMAP_XATTRS; i++) {
		struct fmap_xattr *x = &r->s->xattr[i];

		if (x->nodeid == r->in->nodeid && !strcmp(x->name, name))
			return x;
	}

	return NULL;
}

static struct fmap_xattr *find_unused(struct fmap_server *s)
{
	unsigned int i;

	for (i = 0; i < FMAP_XATTRS; i++)
		if (!s->xattr[i].nodeid)
			return &s->xattr[i];

	return NULL;
}

static int set(struct fmap_req *r)
{
	const struct fuse_setxattr_in *in = r->arg;
	const char *name = (char *)r->arg + FUSE_COMPAT_SETXATTR_IN_SIZE;
	struct fmap_xattr *x = find(r, name);

	if (!x)
		x = find_unused(r->s);
	if (!x || strlen(name) >= sizeof(x->name) ||
	    in->size > sizeof(x->value))
		return -ENOSPC;
	memcpy(x->name, name, strlen(name) + 1);
	memcpy(x->value, name + strlen(name) + 1, in->size);
	x->size = in->size;
	x->nodeid = r->in->nodeid;

	return 0;
}

/* A size of 0 asks for the size */
static void reply_bytes(struct fmap_req *r, uint32_t room, const void *data,
			size_t len)
{
	struct fuse_getxattr_out out = { .size = len };

	if (!room)
		fmap_reply(r, &out, sizeof(out));
	else if (len > room)
		fmap_reply_errno(r, ERANGE);
	else
		fmap_reply(r, data, len);
}

static void get(struct fmap_req *r)
{
	const struct fuse_getxattr_in *in = r->arg;
	struct fmap_xattr *x = find(r, (const char *)(in + 1));

	if (x)
		reply_bytes(r, in->size, x->value, x->size);
	else
		fmap_reply_errno(r, ENODATA);
}

static void list(struct fmap_req *r)
{
	const struct fuse_getxattr_in *in = r->arg;
	char names[FMAP_XATTRS * sizeof(r->s->xattr[0].name)];
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < FMAP_XATTRS; i++) {
		const struct fmap_xattr *x = &r->s->xattr[i];

		if (x->nodeid != r->in->nodeid)
			continue;
		memcpy(names + len, x->name, strlen(x->name) + 1);
		len += strlen(x->name) + 1;
	}
	reply_bytes(r, in->size, names, len);
}

static int drop(struct fmap_req *r)
{
	struct fmap_xattr *x = find(r, r->arg);

	if (!x)
		return -ENODATA;
	x->nodeid = 0;

	return 0;
}

void fmap_answer_xattr(struct fmap_req *r)
{
	if (!r->s->cfg.xattrs)
		fmap_reply_errno(r, ENOSYS);
	else if (r->in->opcode == FUSE_SETXATTR)
		fmap_reply_errno(r, -set(r));
	else if (r->in->opcode == FUSE_GETXATTR)
		get(r);
	else if (r->in->opcode == FUSE_LISTXATTR)
		list(r);
	else
		fmap_reply_errno(r, -drop(r));
}
