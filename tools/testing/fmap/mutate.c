// SPDX-License-Identifier: GPL-2.0
/*
 * Damage to a message, as a hostile server would do it: one field, one record,
 * the length, or the place in the file, with the rest left alone, so that it
 * gets past the checks that come before
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define RECORD	sizeof(struct fuse_famfs_simple_ext)

static u64 interesting(struct random *random)
{
	static const u64 values[] = {
		0, 1, 2, 63, 64, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1,
		3 * PAGE_SIZE, 1 << 20, INT32_MAX, 1ULL << 31, UINT32_MAX,
		UINT32_MAX & PAGE_MASK, 1ULL << 32, INT64_MAX,
		INT64_MAX & PAGE_MASK, 1ULL << 63, UINT64_MAX,
		UINT64_MAX & PAGE_MASK,
	};
	u64 value = values[random_below(random, 20)];

	if (random_once_in(random, 4))
		value = random_u64(random) & PAGE_MASK;
	return value;
}

/* A place in the message where a field of @size bytes may stand */
static u8 *random_field(struct message *msg, struct random *random, size_t size)
{
	if (msg->len < size)
		return NULL;
	return msg->bytes + random_below(random, msg->len / size) * size;
}

static void set_u32(struct message *msg, struct random *random)
{
	u8 *field = random_field(msg, random, sizeof(u32));
	u32 value = interesting(random);

	if (field)
		memcpy(field, &value, sizeof(value));
}

static void set_u64(struct message *msg, struct random *random)
{
	u8 *field = random_field(msg, random, sizeof(u64));
	u64 value = interesting(random);

	if (field)
		memcpy(field, &value, sizeof(value));
}

/* Most likely to leave a message valid, or to break just one rule */
static void nudge_u64(struct message *msg, struct random *random)
{
	u8 *field = random_field(msg, random, sizeof(u64));
	u64 value;

	if (!field)
		return;
	memcpy(&value, field, sizeof(value));
	value += (random_below(random, 9) - 4) *
		 (random_once_in(random, 4) ? 1 : PAGE_SIZE);
	memcpy(field, &value, sizeof(value));
}

static void flip_bit(struct message *msg, struct random *random)
{
	u8 *byte = random_field(msg, random, 1);

	if (byte)
		*byte ^= 1 << random_below(random, 8);
}

static void copy_record(struct message *msg, struct random *random)
{
	size_t head = sizeof(struct fuse_famfs_fmap_header);
	u64 nr = msg->len < head ? 0 : (msg->len - head) / RECORD;

	if (nr)
		memmove(msg->bytes + head + random_below(random, nr) * RECORD,
			msg->bytes + head + random_below(random, nr) * RECORD,
			RECORD);
}

static void change_length(struct message *msg, struct random *random)
{
	if (random_once_in(random, 2))
		message_resize(msg, random_below(random, msg->len + 1));
	else
		message_resize(msg, msg->len + random_below(random, 64));
}

static void change_count(struct message *msg, struct random *random)
{
	if (msg->len >= sizeof(struct fuse_famfs_fmap_header))
		message_head(msg)->nextents += random_below(random, 5) - 2;
}

/* Another place in the file, by a page or far away */
static void change_start(struct message *msg, struct random *random)
{
	if (random_once_in(random, 2))
		msg->start += (random_below(random, 3) - 1) * PAGE_SIZE;
	else
		msg->start = interesting(random) & PAGE_MASK;
}

/* Another next page: a little before, a little behind, in a page, or anywhere */
static void change_next(struct message *msg, struct random *random)
{
	struct fuse_famfs_fmap_header *head = message_head(msg);

	if (msg->len < sizeof(*head))
		return;
	if (random_once_in(random, 4))
		head->next_offset = interesting(random);
	else if (random_once_in(random, 2))
		head->next_offset = msg->start;
	head->next_offset += (random_below(random, 5) - 2) *
			     (random_once_in(random, 4) ? 1 : PAGE_SIZE);
}

/* Another file, a little smaller or larger */
static void change_size(struct message *msg, struct random *random)
{
	if (msg->len >= sizeof(struct fuse_famfs_fmap_header))
		message_head(msg)->file_size += random_below(random, 5) - 2;
}

/* The header agrees with the length again */
static void repair_size(struct message *msg, struct random *random)
{
	if (msg->len < sizeof(struct fuse_famfs_fmap_header))
		return;
	message_head(msg)->fmap_size = random_once_in(random, 4) ? 0 : msg->len;
}

/**
 * message_mutate - damage a message
 * @msg: the message; may be valid afterwards all the same
 * @random: source of every choice
 */
void message_mutate(struct message *msg, struct random *random)
{
	static void (*const mutations[])(struct message *, struct random *) = {
		set_u32, set_u64, nudge_u64, nudge_u64, nudge_u64, flip_bit,
		copy_record, change_length, change_count, repair_size,
		change_start, change_next, change_size,
	};
	u64 nr = 1 + random_below(random, 3);

	while (nr--)
		mutations[random_below(random, 13)](msg, random);
	if (!random_once_in(random, 4))
		repair_size(msg, random);
}
