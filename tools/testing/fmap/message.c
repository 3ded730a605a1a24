// SPDX-License-Identifier: GPL-2.0
/*
 * GET_FMAP replies, made piece by piece
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"

void message_resize(struct message *msg, size_t len)
{
	u8 *bytes = realloc(msg->bytes, len ? len : 1);

	if (!bytes)
		abort();
	if (len > msg->len)
		memset(bytes + msg->len, 0, len - msg->len);
	msg->bytes = bytes;
	msg->len = len;
}

void message_add(struct message *msg, const void *bytes, size_t len)
{
	size_t at = msg->len;

	message_resize(msg, at + len);
	memcpy(msg->bytes + at, bytes, len);
}

struct fuse_famfs_fmap_header *message_head(const struct message *msg)
{
	return (struct fuse_famfs_fmap_header *)msg->bytes;
}

void message_start(struct message *msg, u32 ext_type)
{
	struct fuse_famfs_fmap_header head = {
		.file_type = FUSE_FAMFS_FILE_REG,
		.fmap_version = FUSE_FAMFS_FMAP_VERSION,
		.ext_type = ext_type,
	};

	*msg = (struct message) {};
	message_add(msg, &head, sizeof(head));
}

void message_strip(struct message *msg, u32 dev, u64 offset, u64 len)
{
	struct fuse_famfs_simple_ext ext = {
		.se_devindex = dev,
		.se_offset = offset,
		.se_len = len,
	};

	message_add(msg, &ext, sizeof(ext));
}

void message_extent(struct message *msg, u32 dev, u64 offset, u64 len)
{
	message_strip(msg, dev, offset, len);
	message_head(msg)->nextents++;
}

/* The strips are to be added behind it */
void message_iext(struct message *msg, u32 nstrips, u32 chunk, u64 nbytes)
{
	struct fuse_famfs_iext iext = {
		.ie_nstrips = nstrips,
		.ie_chunk_size = chunk,
		.ie_nbytes = nbytes,
	};

	message_add(msg, &iext, sizeof(iext));
	message_head(msg)->nextents++;
}

void message_finish(struct message *msg, u64 file_size)
{
	message_head(msg)->file_size = file_size;
	message_head(msg)->fmap_size = msg->len;
}

void message_free(struct message *msg)
{
	free(msg->bytes);
	*msg = (struct message) {};
}
