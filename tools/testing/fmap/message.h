/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GET_FMAP replies: made piece by piece, at random, and then damaged
 */
#ifndef _FMAP_MESSAGE_H
#define _FMAP_MESSAGE_H

#include <linux/fuse_fmap.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "random.h"

/* No file reaches further */
#define MESSAGE_MOST	((u64)INT64_MAX & PAGE_MASK)

/**
 * struct message - a message in the making
 * @bytes: exactly @len bytes of heap, so that a sanitizer sees the end
 * @len: length of the message
 * @start: byte of the file that it was asked for; its extents begin there
 */
struct message {
	u8 *bytes;
	size_t len;
	u64 start;
};

void message_start(struct message *msg, u32 ext_type);
void message_add(struct message *msg, const void *bytes, size_t len);
void message_resize(struct message *msg, size_t len);
void message_extent(struct message *msg, u32 dev, u64 offset, u64 len);
void message_iext(struct message *msg, u32 nstrips, u32 chunk, u64 nbytes);
void message_strip(struct message *msg, u32 dev, u64 offset, u64 len);
void message_finish(struct message *msg, u64 file_size);
void message_free(struct message *msg);
struct fuse_famfs_fmap_header *message_head(const struct message *msg);

void message_random(struct message *msg, struct random *random);
void message_mutate(struct message *msg, struct random *random);

#endif /* _FMAP_MESSAGE_H */
