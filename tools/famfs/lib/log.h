/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: a header and a table of entries that only ever grows. Here it is
 * read and appended to; what an entry means is the business of replay.
 */
#ifndef FAMFS_LOG_H
#define FAMFS_LOG_H

#include "dev.h"
#include "error.h"
#include "famfs_media.h"

/* Is this a length that a log may have. Return: 0 or -EINVAL. */
int famfs_log_len_check(uint64_t len, struct famfs_error *e);

/* How many entries a log of this length holds. */
uint64_t famfs_log_slots(uint64_t len);

/* An empty log's header. */
void famfs_log_make(struct famfs_log_header *h, uint64_t len);

/**
 * famfs_log_check - is every field of a header right
 * @h: what was read
 * @len: the log's length as the superblock says
 * @e: the reason of a failure
 *
 * Return: 0 or -EINVAL.
 */
int famfs_log_check(const struct famfs_log_header *h, uint64_t len,
		    struct famfs_error *e);

/* Is the entry whole, and the one that belongs at @index. */
int famfs_log_check_entry(const struct famfs_entry *entry, uint64_t index,
			  struct famfs_error *e);

/* Fill in the fields that make an entry whole. */
void famfs_log_seal_entry(struct famfs_entry *entry, uint64_t index);

/* Read and check the header. */
int famfs_log_read_header(struct famfs_dev *dev, const struct famfs_super *sb,
			  struct famfs_log_header *h, struct famfs_error *e);
int famfs_log_write_header(struct famfs_dev *dev, const struct famfs_super *sb,
			   const struct famfs_log_header *h,
			   struct famfs_error *e);

/**
 * famfs_log_walk - read and check a range of entries
 * @dev: the primary
 * @sb: its superblock
 * @from: the first index
 * @to: the first index not wanted
 * @fn: called for each entry; what it returns ends the walk unless 0
 * @arg: handed to @fn
 * @e: the reason of a failure
 *
 * Return: 0, what @fn returned, or a negative errno.
 */
int famfs_log_walk(struct famfs_dev *dev, const struct famfs_super *sb,
		   uint64_t from, uint64_t to,
		   int (*fn)(const struct famfs_entry *entry, void *arg,
			     struct famfs_error *e),
		   void *arg, struct famfs_error *e);

/**
 * famfs_log_append - add an entry
 * @dev: the primary, open for writing
 * @sb: its superblock
 * @h: the header as it is on the media; updated on success
 * @entry: type and payload are filled in; the rest is done here
 * @e: the reason of a failure
 *
 * The entry is on the media before the header that makes it count. A writer
 * that dies in between leaves the log as it was.
 *
 * Return: 0 or a negative errno.
 */
int famfs_log_append(struct famfs_dev *dev, const struct famfs_super *sb,
		     struct famfs_log_header *h, struct famfs_entry *entry,
		     struct famfs_error *e);

#endif /* FAMFS_LOG_H */
