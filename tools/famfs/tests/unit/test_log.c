// SPDX-License-Identifier: Apache-2.0
/*
 * The log's header and entries: bytes, appending, and what is broken.
 */
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "tap.h"

static void test_bytes(void)
{
	struct famfs_entry entry = file_entry("a", DATA, UNIT);
	uint8_t b[544];
	struct image im;
	uint64_t v;

	image_make(&im, 64 * MIB);
	image_append(&im, &entry);
	ok(pread(im.dev.fd, b, 48, 0x200000) == 48, "the header lies at 2 MiB");
	memcpy(&v, b, 8);
	ok(v == 0xbadcafef00d, "its magic");
	memcpy(&v, b + 16, 8);
	ok(v == (8 * MIB - 48) / 544 - 1, "its last index");
	memcpy(&v, b + 24, 8);
	ok(v == crc32(0, b, 24), "its checksum");
	memcpy(&v, b + 40, 8);
	ok(v == 1, "its next index");
	ok(pread(im.dev.fd, b, 544, 0x200000 + 48) == 544, "an entry follows");
	ok(!memcmp(b + 16 + 24, "a", 2), "the path at 24 of its payload");
	memcpy(&v, b + 16 + 104 + 16 + 8, 8);
	ok(v == DATA, "the first extent's offset at 24 of its map");
	memcpy(&v, b + 536, 8);
	ok(v == crc32(0, b, 536), "the entry's checksum");
	image_drop(&im);
}

struct broken {
	const char *name;
	size_t offset;
	uint64_t value;
	bool keep_crc;
	const char *words;
};

#define FIELD(f)	offsetof(struct famfs_log_header, f)
#define LAST		((8 * MIB - 48) / 544 - 1)

static const struct broken table[] = {
	{ "magic", FIELD(magic), 1, false, "magic" },
	{ "checksum", FIELD(crc), 1, true, "checksum" },
	{ "length", FIELD(len), 16 * MIB, false, "length" },
	{ "last index too far", FIELD(last_index), LAST + 1, false,
	  "last_index" },
	{ "last index too near", FIELD(last_index), 1, false, "last_index" },
	{ "next index behind the end", FIELD(next_index), LAST + 2, false,
	  "next_index" },
	{ "next index of all bits", FIELD(next_index), UINT64_MAX, false,
	  "next_index" },
	{ "next numbers that differ", FIELD(next_seqnum), 5, false,
	  "next_seqnum" },
};

static void test_broken(const struct broken *b)
{
	struct famfs_error e = { "" };
	struct famfs_log_header h;
	struct image im;
	int err;

	image_make(&im, 64 * MIB);
	h = im.log;
	memcpy((char *)&h + b->offset, &b->value, 8);
	if (!b->keep_crc)
		h.crc = famfs_crc(&h, FIELD(crc));
	ok(pwrite(im.dev.fd, &h, sizeof(h), FAMFS_LOG_OFFSET) == sizeof(h),
	   "header with a broken field: %s", b->name);
	err = famfs_log_read_header(&im.dev, &im.super, &h, &e);
	refused(err, -EINVAL, &e, b->words, b->name);
	image_drop(&im);
}

static int count_entry(const struct famfs_entry *entry, void *arg,
		       struct famfs_error *e)
{
	uint64_t *n = arg;

	(void)e;
	return entry->seqnum == (*n)++ ? 0 : -EBADMSG;
}

/* More than one batch of the reader, and to the log's very end. */
static void test_fill(void)
{
	struct famfs_entry entry = mkdir_entry("d");
	struct famfs_error e = { "" };
	uint64_t n = 0, slots = famfs_log_slots(8 * MIB);
	struct image im;
	int err = 0;

	image_make(&im, 64 * MIB);
	while (!err && n < slots) {
		err = famfs_log_append(&im.dev, &im.super, &im.log, &entry, &e);
		n++;
	}
	ok(!err, "%lu entries fit", (unsigned long)slots);
	err = famfs_log_append(&im.dev, &im.super, &im.log, &entry, &e);
	refused(err, -ENOSPC, &e, "full", "and no more");
	n = 0;
	err = famfs_log_walk(&im.dev, &im.super, 0, slots, count_entry, &n, &e);
	ok(!err && n == slots, "all of them are read in order");
	n = 2000;
	err = famfs_log_walk(&im.dev, &im.super, 2000, 2001, count_entry, &n,
			     &e);
	ok(!err && n == 2001, "one of them is read");
	err = famfs_log_walk(&im.dev, &im.super, 0, slots + 1, count_entry, &n,
			     &e);
	ok(err == -EINVAL, "none is read behind the end");
	image_drop(&im);
}

static void test_broken_entry(size_t offset, const char *words)
{
	struct famfs_entry entry = mkdir_entry("d");
	struct famfs_error e = { "" };
	uint64_t n = 0;
	uint8_t byte;
	struct image im;
	off_t at;
	int err;

	image_make(&im, 64 * MIB);
	image_append(&im, &entry);
	image_append(&im, &entry);
	at = FAMFS_LOG_OFFSET + 48 + 544 + offset;
	if (pread(im.dev.fd, &byte, 1, at) != 1)
		byte = 0;
	byte ^= 0x10;
	ok(pwrite(im.dev.fd, &byte, 1, at) == 1, "a bit at %zu of entry 1",
	   offset);
	err = famfs_log_walk(&im.dev, &im.super, 0, 2, count_entry, &n, &e);
	refused(err, -EINVAL, &e, words, "is noticed");
	ok(n == 1, "after entry 0 was read");
	image_drop(&im);
}

int main(void)
{
	size_t i;

	test_bytes();
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		test_broken(&table[i]);
	test_fill();
	test_broken_entry(0, "sequence number");
	test_broken_entry(30, "checksum");
	test_broken_entry(540, "checksum");
	return done();
}
