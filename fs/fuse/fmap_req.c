// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the requests to the server
 *
 * A request is sent in the background and waited for apart: so who waits can be
 * killed even if the server has read the request and never answers, and the
 * answer is there for the next one who needs it.
 */
#include "dev_uring_i.h"
#include "fmap_i.h"

#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/ctype.h>
#include <linux/dax.h>
#include <linux/slab.h>

static_assert(sizeof(struct fuse_get_fmap_in) == 24);
static_assert(offsetof(struct fuse_get_fmap_in, flags) == 4);
static_assert(offsetof(struct fuse_get_fmap_in, offset) == 8);
static_assert(offsetof(struct fuse_get_fmap_in, length) == 16);

static_assert(sizeof(struct fuse_daxdev_out) == 280);
static_assert(offsetof(struct fuse_daxdev_out, index) == 0);
static_assert(offsetof(struct fuse_daxdev_out, name) == 24);

/* The room that io_uring has for a reply in bytes; without it, any */
static size_t fmap_ring_room(struct fuse_chan *chan)
{
#ifdef CONFIG_FUSE_IO_URING
	if (fuse_uring_ready(chan))
		return chan->ring->max_payload_sz;
#endif
	return SIZE_MAX;
}

/**
 * struct fmap_request - a request to the server, and its reply
 * @count: references: of who has sent it, and of FUSE until it has ended
 * @done: completed when it has ended
 * @args: as FUSE sends it
 * @in: argument of GET_FMAP
 * @error: what the server answered, or why there is no answer
 * @reply: room for the reply
 */
struct fmap_request {
	refcount_t count;
	struct completion done;
	struct fuse_args args;
	struct fuse_get_fmap_in in;
	int error;
	void *reply;
};

static struct fmap_request *fmap_request_new(u32 opcode, u64 nodeid,
					     size_t room)
{
	struct fmap_request *req = kzalloc_obj(*req, GFP_KERNEL_ACCOUNT);

	if (!req)
		return NULL;
	req->reply = kvzalloc(room, GFP_KERNEL_ACCOUNT);
	if (!req->reply) {
		kfree(req);
		return NULL;
	}
	refcount_set(&req->count, 1);
	init_completion(&req->done);
	req->args.opcode = opcode;
	req->args.nodeid = nodeid;
	req->args.out_numargs = 1;
	req->args.out_args[0].size = room;
	req->args.out_args[0].value = req->reply;
	return req;
}

/**
 * fmap_request_put - let go of a request, answered or not
 * @req: the request, or NULL
 */
void fmap_request_put(struct fmap_request *req)
{
	if (!req || !refcount_dec_and_test(&req->count))
		return;
	kvfree(req->reply);
	kfree(req);
}

static void fmap_request_end(struct fuse_args *args, int error)
{
	struct fmap_request *req = container_of(args, struct fmap_request,
						args);

	req->error = error;
	complete_all(&req->done);
	fmap_request_put(req);
}

static struct fmap_request *fmap_request_send(struct inode *inode,
					      struct fmap_request *req)
{
	int err;

	req->args.end = fmap_request_end;
	refcount_inc(&req->count);
	err = fuse_simple_background(get_fuse_mount(inode), &req->args,
				     GFP_KERNEL);
	if (!err)
		return req;
	/* It did not start: there is no end of it */
	fmap_request_put(req);
	fmap_request_put(req);
	return ERR_PTR(err == -EINTR ? -ERESTARTSYS : err);
}

/**
 * fmap_request_map - ask for a part of a map
 * @inode: the file
 * @offset: first byte of the file
 * @length: bytes for which there is nothing yet, 0 for all to the end
 * @room: room for the reply in bytes
 *
 * Context: May sleep; a signal that kills ends the wait for a free place among
 * the requests.
 * Return: the request, to be given back by fmap_request_put(); or an ERR_PTR, if
 * it could not be sent: -ERESTARTSYS after a signal.
 */
struct fmap_request *fmap_request_map(struct inode *inode, u64 offset,
				      u64 length, size_t room)
{
	struct fmap_request *req = fmap_request_new(FUSE_GET_FMAP,
						    get_node_id(inode), room);

	if (!req)
		return ERR_PTR(-ENOMEM);
	req->in.size = room;
	req->in.offset = offset;
	req->in.length = length;
	req->args.in_numargs = 1;
	req->args.in_args[0].size = sizeof(req->in);
	req->args.in_args[0].value = &req->in;
	req->args.out_argvar = true;
	return fmap_request_send(inode, req);
}

/**
 * fmap_request_dev - ask what device an index means
 * @inode: any file of the connection
 * @index: the index
 *
 * Context: As fmap_request_map().
 * Return: As fmap_request_map().
 */
struct fmap_request *fmap_request_dev(struct inode *inode, u32 index)
{
	struct fmap_request *req;

	req = fmap_request_new(FUSE_GET_DAXDEV, index,
			       sizeof(struct fuse_daxdev_out));
	return req ? fmap_request_send(inode, req) : ERR_PTR(-ENOMEM);
}

/**
 * fmap_request_wait - wait until a request has ended
 * @req: the request
 * @interruptible: any signal ends the wait, not only one that kills
 *
 * Context: May wait for the server for ever.
 * Return: 0, or -ERESTARTSYS.
 */
int fmap_request_wait(struct fmap_request *req, bool interruptible)
{
	if (interruptible)
		return wait_for_completion_interruptible(&req->done);
	return wait_for_completion_killable(&req->done);
}

/**
 * fmap_request_result - look at what the server answered
 * @req: a request that has ended
 * @reply: set to the reply, which stays as long as the request
 *
 * Return: length of the reply in bytes, or the negative errno that was answered
 * or because of which there is no answer.
 */
ssize_t fmap_request_result(struct fmap_request *req, const void **reply)
{
	*reply = req->reply;
	return req->error ?: (ssize_t)req->args.out_args[0].size;
}

/**
 * fmap_request_room - tell how much room a reply can be offered
 * @inode: a file of the connection
 *
 * Return: bytes: FUSE_FMAP_MAX_MSG, or what fits the ring if the connection uses
 * io_uring.
 */
size_t fmap_request_room(struct inode *inode)
{
	return min_t(size_t, fmap_ring_room(get_fuse_conn(inode)->chan),
		     FUSE_FMAP_MAX_MSG);
}

/* Is @name "dax", a number, a dot and a number? */
static bool fmap_is_dax_name(const char *name)
{
	if (!str_has_prefix(name, "dax"))
		return false;
	name += strlen("dax");
	if (!isdigit(*name))
		return false;
	while (isdigit(*name))
		name++;
	if (*name++ != '.' || !isdigit(*name))
		return false;
	while (isdigit(*name))
		name++;
	return !*name;
}

/* The name on the dax bus in a valid reply, else NULL */
static const char *fmap_daxdev_name(const struct fuse_daxdev_out *out,
				    u32 index)
{
	const char *name = out->name;

	if (out->index != index || out->reserved || out->reserved2 ||
	    out->reserved3 || out->reserved4)
		return NULL;
	if (strnlen(name, sizeof(out->name)) == sizeof(out->name))
		return NULL;
	if (str_has_prefix(name, "/dev/"))
		name += strlen("/dev/");
	return fmap_is_dax_name(name) ? name : NULL;
}

/**
 * fmap_attach_named - attach the device that the server has named
 * @inode: any file of the connection
 * @index: the index that was asked for
 * @reply: what the server answered, a whole struct fuse_daxdev_out
 *
 * Context: May sleep; does not wait for the server.
 * Return: 0, -EINVAL if the reply is malformed, -ENODEV if there is no such
 * device, or an error of fmap_conn_attach().
 */
int fmap_attach_named(struct inode *inode, u32 index, const void *reply)
{
	const char *name = fmap_daxdev_name(reply, index);
	struct dax_device *dax_dev;
	int err;

	if (!name)
		return -EINVAL;
	dax_dev = fs_dax_find_by_name(name);
	if (!dax_dev)
		return -ENODEV;

	err = fmap_conn_attach(inode->i_sb, index, dax_dev);
	if (err)
		pr_debug("device %u is %s: %d\n", index, name, err);
	put_dax(dax_dev);
	return err;
}
