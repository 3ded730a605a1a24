// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "super.h"

#define BATCH	1024			/* entries read at once, 544 KiB */

int famfs_log_len_check(uint64_t len, struct famfs_error *e)
{
	if (len >= FAMFS_LOG_LEN_MIN && len <= FAMFS_LOG_LEN_MAX &&
	    !(len & (len - 1)))
		return 0;
	return famfs_fail(e, -EINVAL,
			  "a log's length is a power of two from 8M to 1G, not %" PRIu64,
			  len);
}

uint64_t famfs_log_slots(uint64_t len)
{
	return (len - sizeof(struct famfs_log_header)) /
		sizeof(struct famfs_entry);
}

static uint64_t header_crc(const struct famfs_log_header *h)
{
	return famfs_crc(h, offsetof(struct famfs_log_header, crc));
}

void famfs_log_make(struct famfs_log_header *h, uint64_t len)
{
	memset(h, 0, sizeof(*h));
	h->magic = FAMFS_LOG_MAGIC;
	h->len = len;
	h->last_index = famfs_log_slots(len) - 1;
	h->crc = header_crc(h);
}

static int broken(struct famfs_error *e, const char *what, uint64_t value)
{
	return famfs_fail(e, -EINVAL, "broken log: %s is %#" PRIx64, what,
			  value);
}

int famfs_log_check(const struct famfs_log_header *h, uint64_t len,
		    struct famfs_error *e)
{
	if (h->magic != FAMFS_LOG_MAGIC)
		return broken(e, "its magic", h->magic);
	if (h->crc != header_crc(h))
		return broken(e, "its header's checksum", h->crc);
	if (h->len != len)
		return broken(e, "its length, other than the superblock's,",
			      h->len);
	if (h->last_index != famfs_log_slots(len) - 1)
		return broken(e, "last_index", h->last_index);
	/* The checksum does not cover these two. */
	if (h->next_index > h->last_index + 1)
		return broken(e, "next_index", h->next_index);
	if (h->next_seqnum != h->next_index)
		return broken(e, "next_seqnum", h->next_seqnum);
	return 0;
}

static uint64_t entry_crc(const struct famfs_entry *entry)
{
	return famfs_crc(entry, offsetof(struct famfs_entry, crc));
}

int famfs_log_check_entry(const struct famfs_entry *entry, uint64_t index,
			  struct famfs_error *e)
{
	if (entry->seqnum != index)
		return famfs_fail(e, -EINVAL, "broken log entry %" PRIu64
				  ": its sequence number is %" PRIu64, index,
				  entry->seqnum);
	if (entry->crc != entry_crc(entry))
		return famfs_fail(e, -EINVAL, "broken log entry %" PRIu64
				  ": its checksum is wrong", index);
	return 0;
}

void famfs_log_seal_entry(struct famfs_entry *entry, uint64_t index)
{
	entry->seqnum = index;
	entry->crc = entry_crc(entry);
}

int famfs_log_read_header(struct famfs_dev *dev, const struct famfs_super *sb,
			  struct famfs_log_header *h, struct famfs_error *e)
{
	int err, tries;

	/* The first look may fall between two stores of another host. */
	for (tries = 0; tries < 2; tries++) {
		err = famfs_dev_read(dev, h, sizeof(*h), sb->log_offset, e);
		if (err)
			return err;
		err = famfs_log_check(h, sb->log_len, e);
		if (!err)
			return 0;
	}
	return famfs_wrap(e, err, "%s", dev->path);
}

int famfs_log_write_header(struct famfs_dev *dev, const struct famfs_super *sb,
			   const struct famfs_log_header *h,
			   struct famfs_error *e)
{
	int err = famfs_dev_write(dev, h, sizeof(*h), sb->log_offset, e);

	return err ? err : famfs_dev_sync(dev, e);
}

static uint64_t entry_offset(const struct famfs_super *sb, uint64_t index)
{
	return sb->log_offset + sizeof(struct famfs_log_header) +
		index * sizeof(struct famfs_entry);
}

/*
 * The writer may be another host. An entry that it was just writing looks
 * broken once; the second look decides.
 */
static int check_twice(struct famfs_dev *dev, const struct famfs_super *sb,
		       struct famfs_entry *entry, uint64_t index,
		       struct famfs_error *e)
{
	int err;

	if (!famfs_log_check_entry(entry, index, NULL))
		return 0;
	err = famfs_dev_read(dev, entry, sizeof(*entry),
			     entry_offset(sb, index), e);
	return err ? err : famfs_log_check_entry(entry, index, e);
}

int famfs_log_walk(struct famfs_dev *dev, const struct famfs_super *sb,
		   uint64_t from, uint64_t to,
		   int (*fn)(const struct famfs_entry *entry, void *arg,
			     struct famfs_error *e),
		   void *arg, struct famfs_error *e)
{
	struct famfs_entry *batch;
	uint64_t i, n;
	int err = 0;

	if (to > famfs_log_slots(sb->log_len))
		return broken(e, "an index", to);
	batch = malloc(BATCH * sizeof(*batch));
	if (!batch)
		return famfs_fail(e, -ENOMEM, "out of memory");

	for (; !err && from < to; from += n) {
		n = to - from < BATCH ? to - from : BATCH;
		err = famfs_dev_read(dev, batch, n * sizeof(*batch),
				     entry_offset(sb, from), e);
		for (i = 0; !err && i < n; i++) {
			err = check_twice(dev, sb, &batch[i], from + i, e);
			if (!err)
				err = fn(&batch[i], arg, e);
		}
	}
	free(batch);
	return err;
}

int famfs_log_append(struct famfs_dev *dev, const struct famfs_super *sb,
		     struct famfs_log_header *h, struct famfs_entry *entry,
		     struct famfs_error *e)
{
	struct famfs_log_header next = *h;
	int err;

	if (h->next_index > h->last_index)
		return famfs_fail(e, -ENOSPC, "the log is full: it holds %" PRIu64
				  " entries", h->last_index + 1);
	famfs_log_seal_entry(entry, h->next_index);
	err = famfs_dev_write(dev, entry, sizeof(*entry),
			      entry_offset(sb, h->next_index), e);
	if (!err)
		err = famfs_dev_sync(dev, e);
	if (err)
		return err;

	next.next_index++;
	next.next_seqnum++;
	err = famfs_log_write_header(dev, sb, &next, e);
	if (!err)
		*h = next;
	return err;
}
