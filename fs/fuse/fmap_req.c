// SPDX-License-Identifier: GPL-2.0
/*
 * File maps of FUSE: the requests to the server
 *
 * Context of all functions here: may sleep and wait for the server, so none of
 * the locks that a notification takes may be held (see fmap_i.h).
 */
#include "fmap_i.h"
#include "fmap_stats.h"

#include <linux/ctype.h>
#include <linux/dax.h>
#include <linux/slab.h>

#include "fmap_trace.h"

/*
 * Room for the first reply in bytes.  Servers that do not look at the size
 * offered answer with at most this much; it holds 169 simple extents.
 */
#define FMAP_FIRST_ROOM	4096

static ssize_t fmap_send_get_fmap(struct inode *inode, void *reply, u32 room)
{
	FUSE_ARGS(args);
	struct fuse_get_fmap_in in = { .size = room };

	args.opcode = FUSE_GET_FMAP;
	args.nodeid = get_node_id(inode);
	args.in_numargs = 1;
	args.in_args[0].size = sizeof(in);
	args.in_args[0].value = &in;
	args.out_argvar = true;
	args.out_numargs = 1;
	args.out_args[0].size = room;
	args.out_args[0].value = reply;
	return fuse_simple_request(get_fuse_mount(inode), &args);
}

/*
 * Ask once with the room given.
 * Return: 0 with *@mapp set, the room that is needed, or a negative errno.
 */
static ssize_t fmap_fetch_once(struct inode *inode, size_t room,
			       struct fmap **mapp)
{
	void *reply = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	ssize_t ret, len;

	if (!reply)
		return -ENOMEM;
	len = fmap_send_get_fmap(inode, reply, room);
	fmap_count(inode, FMAP_FETCHES);
	trace_fmap_fetch(inode, room, len);
	if (len < 0)
		ret = len;
	else
		ret = fmap_famfs_room(reply, len);
	if (!ret)
		ret = fmap_famfs_decode(reply, len, mapp);
	kvfree(reply);
	return ret;
}

/**
 * fmap_fetch - fetch a file's map from the server
 * @inode: the file
 * @mapp: where to put the map, to be freed with fmap_free()
 *
 * A server that finds the room too small says how much it needs, and is asked
 * once more.
 *
 * Return: 0, an error of the server's, -EIO if the reply does not fit its room,
 * -EFBIG if it needs more than FUSE_FMAP_MAX_MSG, or an error of
 * fmap_famfs_decode().
 */
int fmap_fetch(struct inode *inode, struct fmap **mapp)
{
	ssize_t room = FMAP_FIRST_ROOM;
	ssize_t ret;

	ret = fmap_fetch_once(inode, room, mapp);
	if (ret <= 0)
		return ret;
	if (ret > FUSE_FMAP_MAX_MSG)
		return -EFBIG;
	if (ret <= room)
		return -EIO;

	ret = fmap_fetch_once(inode, ret, mapp);
	return ret > 0 ? -EIO : ret;
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

static int fmap_send_get_daxdev(struct inode *inode, u32 index,
				struct fuse_daxdev_out *out)
{
	FUSE_ARGS(args);

	args.opcode = FUSE_GET_DAXDEV;
	args.nodeid = index;
	args.out_numargs = 1;
	args.out_args[0].size = sizeof(*out);
	args.out_args[0].value = out;
	return fuse_simple_request(get_fuse_mount(inode), &args);
}

/* Did a request end without an answer of the server's? */
static bool fmap_unanswered(int err)
{
	return err == -EINTR || err == -ENOMEM || err == -ENOTCONN ||
	       err == -ECONNABORTED;
}

/* Whatever the server's reason not to tell: the device is not known */
static int fmap_fetch_dev(struct inode *inode, u32 index)
{
	struct fuse_daxdev_out *out __free(kfree) = NULL;
	struct dax_device *dax_dev;
	const char *name;
	int err;

	out = kzalloc_obj(*out);
	if (!out)
		return -ENOMEM;
	err = fmap_send_get_daxdev(inode, index, out);
	if (err)
		return fmap_unanswered(err) ? err : -ENODEV;
	name = fmap_daxdev_name(out, index);
	if (!name)
		return -EINVAL;
	dax_dev = fs_dax_find_by_name(name);
	if (!dax_dev)
		return -ENODEV;

	err = fmap_conn_attach(get_fuse_conn(inode), index, dax_dev);
	if (err)
		pr_debug("device %u is %s: %d\n", index, name, err);
	put_dax(dax_dev);
	return err;
}

/**
 * fmap_fetch_devs - attach the devices of a map that are not attached yet
 * @inode: the file
 * @map: its map, not published
 *
 * Return: 0, -EINVAL if a reply is malformed, -ENODEV if the server or the
 * kernel does not know a device, or an error of fmap_conn_attach().
 */
int fmap_fetch_devs(struct inode *inode, const struct fmap *map)
{
	struct fuse_conn *fc = get_fuse_conn(inode);

	for (u64 left = map->devs; left; left &= left - 1) {
		u32 index = __ffs64(left);
		int err;

		if (fmap_conn_dev(fc, index))
			continue;
		err = fmap_fetch_dev(inode, index);
		if (err)
			return err;
	}
	return 0;
}
