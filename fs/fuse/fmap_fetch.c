// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: to fetch a part of a map from the server
 *
 * A fetch belongs to the map.  Whoever needs it leads it on, one task at a time:
 * sends what is to be sent, waits, and puts the reply into the map.  If a signal
 * ends the wait, the request stays where it is, and the next one takes the lead
 * where the last one has left it: so nothing is asked for twice, and nobody has
 * to wait because others do.
 *
 * Requests that follow one another, as of a program that reads the file, get more
 * room each time, as readahead does.
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/sizes.h>
#include <linux/slab.h>

#include "fmap_trace.h"

/*
 * Room for the first reply in bytes.  Servers that do not look at the size
 * offered answer with at most this much.
 */
#define FMAP_FIRST_ROOM		4096

/*
 * Room where it is not the start that is asked for: the map is long, then.  The
 * smaller its pieces, the longer it takes to find one, and to hold a new one
 * against all others.
 */
#define FMAP_AMID_ROOM		SZ_16K

/* Room at most, by itself: 43689 extents.  A server may say that it needs more */
#define FMAP_LARGE_ROOM		SZ_1M

/* How fast it grows */
#define FMAP_ROOM_FACTOR	4

/**
 * struct fmap_fetch - something that the server is being asked for
 * @list: entry in fmap.fetches as long as it is not done; guarded by fmap.lock
 * @count: references: of the list, and of each task that needs it
 * @lock: guards all below; held by the task that leads, also while it waits for
 *	  the server
 * @wanted: byte of the file that is needed; constant
 * @offset: byte that is asked for: @wanted, or before it if the server says so
 * @length: bytes from there on, 0 for all to the end
 * @room: for the reply, in bytes
 * @asked_again: the server has asked for more room
 * @pointed_back: the server has named another offset
 * @generation: of the map, when the request was sent
 * @req: the request in flight, or NULL
 * @index: of the device that it asks for, if there is a message already
 * @got: there is a message
 * @msg: the message
 * @done: it has come to an end
 * @error: which
 */
struct fmap_fetch {
	struct list_head list;
	refcount_t count;
	struct mutex lock;
	u64 wanted;
	u64 offset;
	u64 length;
	size_t room;
	bool asked_again;
	bool pointed_back;
	u64 generation;
	struct fmap_request *req;
	u32 index;
	bool got;
	struct fmap_message msg;
	bool done;
	int error;
};

/**
 * fmap_fetch_put - let go of a fetch, done or not
 * @fetch: the fetch
 */
void fmap_fetch_put(struct fmap_fetch *fetch)
{
	if (!refcount_dec_and_test(&fetch->count))
		return;
	fmap_request_put(fetch->req);
	if (fetch->got)
		fmap_piece_free(fetch->msg.piece);
	mutex_destroy(&fetch->lock);
	kfree(fetch);
}

/**
 * fmap_fetches_free - forget the requests of a map that goes away
 * @map: the map; nobody needs it
 *
 * What is in flight ends without anybody.
 */
void fmap_fetches_free(struct fmap *map)
{
	struct fmap_fetch *fetch, *next;

	list_for_each_entry_safe(fetch, next, &map->fetches, list)
		fmap_fetch_put(fetch);
}

/* Room for the reply to what is asked for next, at @offset */
static size_t fmap_fetch_room(struct inode *inode, u64 offset)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	size_t room = offset ? FMAP_AMID_ROOM : FMAP_FIRST_ROOM;

	if (map->room && offset && offset == map->ahead)
		room = min_t(size_t, map->room * FMAP_ROOM_FACTOR,
			     FMAP_LARGE_ROOM);
	map->room = min(room, fmap_request_room(inode));
	return map->room;
}

static struct fmap_fetch *fmap_fetch_new(struct inode *inode, u64 offset,
					 u64 length)
{
	struct fmap_fetch *fetch = kzalloc_obj(*fetch, GFP_KERNEL_ACCOUNT);

	if (!fetch)
		return NULL;
	refcount_set(&fetch->count, 1);
	mutex_init(&fetch->lock);
	fetch->wanted = offset;
	fetch->offset = offset;
	fetch->length = length;
	fetch->room = fmap_fetch_room(inode, offset);
	list_add(&fetch->list, &get_fuse_inode(inode)->fmap->fetches);
	return fetch;
}

/**
 * fmap_fetch_join - have a part of a map fetched
 * @inode: the file; its fmap.lock is held
 * @offset: first byte of the file
 * @length: bytes for which there is nothing yet, 0 for all to the end
 *
 * Return: the fetch, be it under way already, for fmap_fetch_run() and to be
 * given back by fmap_fetch_put(); or NULL.
 */
struct fmap_fetch *fmap_fetch_join(struct inode *inode, u64 offset,
				   u64 length)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_fetch *fetch;

	lockdep_assert_held(&map->lock);
	list_for_each_entry(fetch, &map->fetches, list)
		if (fetch->wanted == offset)
			goto found;
	fetch = fmap_fetch_new(inode, offset, length);
	if (!fetch)
		return NULL;
found:
	refcount_inc(&fetch->count);
	return fetch;
}

/*
 * End a fetch.  If the server has changed something since it was asked, what it
 * said then means nothing.
 */
static int fmap_fetch_end(struct inode *inode, struct fmap_fetch *fetch,
			  int err)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;

	mutex_lock(&map->lock);
	if (err && map->generation != fetch->generation)
		err = -EBADCOOKIE;
	list_del(&fetch->list);
	mutex_unlock(&map->lock);

	fetch->error = err;
	fetch->done = true;
	fmap_fetch_put(fetch);
	return err;
}

/* Send GET_FMAP.  Return: 0, or why it cannot be sent */
static int fmap_fetch_send(struct inode *inode, struct fmap_fetch *fetch)
{
	struct fmap *map = get_fuse_inode(inode)->fmap;
	struct fmap_request *req;

	mutex_lock(&map->lock);
	fetch->generation = map->generation;
	mutex_unlock(&map->lock);

	/* The ring may have become ready since */
	fetch->room = min(fetch->room, fmap_request_room(inode));
	req = fmap_request_map(inode, fetch->offset, fetch->length,
			       fetch->room);
	if (IS_ERR(req))
		return PTR_ERR(req);
	fmap_count(inode, FMAP_FETCHES);
	fetch->req = req;
	return 0;
}

/* The server wants to send @room bytes.  Return: 0 to ask again, or -errno */
static int fmap_fetch_grow(struct inode *inode, struct fmap_fetch *fetch,
			   size_t room)
{
	if (room > FUSE_FMAP_MAX_MSG)
		return -EFBIG;
	if (fetch->asked_again || room <= fetch->room ||
	    room > fmap_request_room(inode))
		return -EIO;
	fetch->asked_again = true;
	fetch->room = room;
	return 0;
}

/* Is the message about what is needed?  Return: 0 to go on, or -errno */
static int fmap_fetch_check(struct fmap_fetch *fetch)
{
	const struct fmap_message *msg = &fetch->msg;

	if (!msg->back) {
		/* A map may end before what was needed: the file has shrunk */
		if (msg->piece && msg->piece->end <= fetch->wanted && msg->next)
			return -EIO;
		fetch->got = true;
		return 0;
	}
	if (fetch->pointed_back)
		return -EIO;
	fetch->pointed_back = true;
	if (fetch->length)
		fetch->length += fetch->offset - msg->next;
	fetch->offset = msg->next;
	return 0;
}

static int fmap_fetch_decode(struct inode *inode, struct fmap_fetch *fetch,
			     const void *reply, size_t len)
{
	size_t room = fmap_famfs_room(reply, len);
	int err;

	if (room)
		return fmap_fetch_grow(inode, fetch, room);
	err = fmap_famfs_decode(reply, len, fetch->offset, &fetch->msg);
	if (err)
		return err;
	err = fmap_fetch_check(fetch);
	if (err)
		fmap_piece_free(fetch->msg.piece);
	return err;
}

/*
 * The request was answered by an error, or not at all.  Who opens a file learns
 * which; an access to an open one has not asked for anything of the server.
 */
static int fmap_fetch_error(struct inode *inode, int err)
{
	return fuse_fmap_mapped(inode) ? -EIO : err;
}

/* A reply to GET_FMAP has come.  Return: 0 to go on, or -errno of the fetch */
static int fmap_fetch_take_map(struct inode *inode, struct fmap_fetch *fetch)
{
	const void *reply;
	ssize_t ret = fmap_request_result(fetch->req, &reply);

	trace_fmap_fetch(inode, fetch->offset, fetch->room, ret);
	if (ret >= 0)
		ret = fmap_fetch_decode(inode, fetch, reply, ret);
	else
		ret = fmap_fetch_error(inode, ret);
	fmap_request_put(fetch->req);
	fetch->req = NULL;
	return ret;
}

/* Did a request end without an answer of the server's? */
static bool fmap_unanswered(int err)
{
	return err == -EINTR || err == -ENOMEM || err == -ENOTCONN ||
	       err == -ECONNABORTED;
}

/* Whatever the server's reason not to tell: the device is not known */
static int fmap_fetch_take_dev(struct inode *inode, struct fmap_fetch *fetch)
{
	const void *reply;
	ssize_t ret = fmap_request_result(fetch->req, &reply);

	if (ret >= 0)
		ret = fmap_attach_named(inode, fetch->index, reply);
	else
		ret = fmap_fetch_error(inode, fmap_unanswered(ret) ? ret :
					      -ENODEV);
	fmap_request_put(fetch->req);
	fetch->req = NULL;
	return ret;
}

/* Ask for the first device of the message that is not there, if there is one */
static int fmap_fetch_send_dev(struct inode *inode, struct fmap_fetch *fetch)
{
	u64 devs = fetch->msg.piece ? fetch->msg.piece->devs : 0;

	for (; devs; devs &= devs - 1) {
		struct fmap_request *req;

		fetch->index = __ffs64(devs);
		if (fmap_conn_has(get_fuse_conn(inode), fetch->index))
			continue;
		req = fmap_request_dev(inode, fetch->index);
		if (IS_ERR(req))
			return PTR_ERR(req);
		fetch->req = req;
		break;
	}
	return 0;
}

/* Send what is to be sent next, if anything.  Return: 0, or why it cannot be */
static int fmap_fetch_send_next(struct inode *inode, struct fmap_fetch *fetch)
{
	if (fetch->req)
		return 0;
	return fetch->got ? fmap_fetch_send_dev(inode, fetch) :
			    fmap_fetch_send(inode, fetch);
}

/*
 * Take a reply, or, when all is there, install the message.
 * Return: 1 to go on; 0 or a negative errno: how the fetch ends.
 */
static int fmap_fetch_take(struct inode *inode, struct fmap_fetch *fetch)
{
	int err;

	if (fetch->req) {
		err = fetch->got ? fmap_fetch_take_dev(inode, fetch) :
				   fmap_fetch_take_map(inode, fetch);
		return err ?: 1;
	}
	err = fmap_install(inode, &fetch->msg, fetch->offset,
			   fetch->generation);
	/* A device has been closed again meanwhile: ask for it again */
	return err == -EAGAIN ? 1 : err;
}

/*
 * Lead a fetch to its end.  What goes wrong for this task only, a signal or that
 * it cannot send, leaves it to the next one.
 */
static int fmap_fetch_lead(struct inode *inode, struct fmap_fetch *fetch,
			   bool interruptible)
{
	int err;

	while (!fetch->done) {
		err = fmap_fetch_send_next(inode, fetch);
		if (!err && fetch->req)
			err = fmap_request_wait(fetch->req, interruptible);
		if (err)
			return err;
		err = fmap_fetch_take(inode, fetch);
		if (err <= 0)
			fmap_fetch_end(inode, fetch, err);
	}
	return fetch->error;
}

/**
 * fmap_fetch_run - lead a fetch to its end, or wait until others have
 * @inode: the file
 * @fetch: the fetch
 * @interruptible: any signal ends the wait, not only one that kills
 *
 * Context: May sleep and wait for the server.  Takes fmap_fetch.lock.
 * Return: 0 if it has come to a good end; -ERESTARTSYS; -EBADCOOKIE if the server
 * has stored or invalidated something since it was asked; or as fmap_need().
 */
int fmap_fetch_run(struct inode *inode, struct fmap_fetch *fetch,
		   bool interruptible)
{
	int err;

	if (interruptible)
		err = mutex_lock_interruptible(&fetch->lock);
	else
		err = mutex_lock_killable(&fetch->lock);
	if (err)
		return -ERESTARTSYS;
	err = fmap_fetch_lead(inode, fetch, interruptible);
	mutex_unlock(&fetch->lock);
	return err;
}
