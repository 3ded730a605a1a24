// SPDX-License-Identifier: GPL-2.0
/*
 * What a message means and whether it is valid, told a second time
 */
#include <stdlib.h>
#include <string.h>

#include <linux/mm.h>

#include "oracle.h"

#define RECORD		sizeof(struct fuse_famfs_simple_ext)
#define MOST_BYTES	((wide)INT64_MAX & ~(wide)(PAGE_SIZE - 1))

/* The records of the message that were not looked at yet */
struct reader {
	struct oracle *oracle;
	const u8 *next;
	const u8 *end;
};

static bool aligned(wide x)
{
	return x % PAGE_SIZE == 0;
}

static wide page_rounded(wide x)
{
	while (x % PAGE_SIZE)
		x += PAGE_SIZE - x % PAGE_SIZE;
	return x;
}

static bool read_record(struct reader *reader, void *to)
{
	if ((size_t)(reader->end - reader->next) < RECORD) {
		reader->oracle->wrong |= ORACLE_INVALID;
		return false;
	}
	memcpy(to, reader->next, RECORD);
	reader->next += RECORD;
	return true;
}

static void require(struct oracle *oracle, bool rule)
{
	if (!rule)
		oracle->wrong |= ORACLE_INVALID;
}

static bool read_strip(struct reader *reader)
{
	struct oracle *oracle = reader->oracle;
	struct fuse_famfs_simple_ext *strip = &oracle->strips[oracle->nr_strips];

	if (!read_record(reader, strip))
		return false;
	oracle->nr_strips++;
	if (strip->se_devindex >= FUSE_FMAP_MAX_DEVS)
		oracle->wrong |= ORACLE_NODEV;
	require(oracle, strip->reserved == 0);
	require(oracle, aligned(strip->se_offset));
	require(oracle, aligned(strip->se_len));
	require(oracle, (wide)strip->se_offset + strip->se_len <= MOST_BYTES);
	return true;
}

static void add_extent(struct oracle *oracle, const struct oracle_extent *ext)
{
	/* All that came before it must have ended at the end of a page */
	require(oracle, aligned(oracle->bytes));
	require(oracle, ext->bytes != 0);
	oracle->extents[oracle->nr_extents++] = *ext;
	oracle->bytes += ext->bytes;
}

static bool read_simple(struct reader *reader)
{
	struct oracle *oracle = reader->oracle;
	struct oracle_extent ext = {
		.start = oracle->start + oracle->bytes,
		.first = oracle->nr_strips,
		.nstrips = 1,
	};

	if (!read_strip(reader))
		return false;
	ext.bytes = oracle->strips[ext.first].se_len;
	ext.chunk = ext.bytes;
	add_extent(oracle, &ext);
	return true;
}

/* What a strip must hold: chunk c lies on strip c % nstrips */
static wide strip_share(const struct oracle_extent *ext, u32 strip)
{
	wide bytes = page_rounded(ext->bytes);
	wide nr_chunks = (bytes + ext->chunk - 1) / ext->chunk;
	wide here, last;

	if (nr_chunks <= strip)
		return 0;
	here = (nr_chunks - strip + ext->nstrips - 1) / ext->nstrips;
	last = nr_chunks - 1;
	if (last % ext->nstrips != strip)
		return here * ext->chunk;
	return (here - 1) * ext->chunk + (bytes - last * ext->chunk);
}

static bool read_interleaved(struct reader *reader)
{
	struct oracle *oracle = reader->oracle;
	struct fuse_famfs_iext iext;
	struct oracle_extent ext;

	if (!read_record(reader, &iext))
		return false;
	ext = (struct oracle_extent) {
		.start = oracle->start + oracle->bytes,
		.bytes = iext.ie_nbytes,
		.chunk = iext.ie_chunk_size,
		.first = oracle->nr_strips,
		.nstrips = iext.ie_nstrips,
	};
	require(oracle, iext.reserved == 0);
	require(oracle, iext.ie_nstrips != 0);
	require(oracle, iext.ie_chunk_size != 0);
	require(oracle, aligned(iext.ie_chunk_size));
	add_extent(oracle, &ext);
	for (u32 i = 0; i < iext.ie_nstrips; i++) {
		if (!read_strip(reader))
			return false;
		require(oracle, !ext.chunk ||
			oracle->strips[ext.first + i].se_len >=
			strip_share(&ext, i));
	}
	return true;
}

static bool overlap(const struct fuse_famfs_simple_ext *a,
		    const struct fuse_famfs_simple_ext *b)
{
	return a->se_devindex == b->se_devindex && a->se_len && b->se_len &&
	       a->se_offset < b->se_offset + b->se_len &&
	       b->se_offset < a->se_offset + a->se_len;
}

/* Whether the next page begins where this one ends, or the map ends here */
static void check_next(struct oracle *oracle)
{
	wide end = oracle->start + oracle->bytes;

	if (!oracle->next) {
		/* Nothing at all, inside the file: it points to byte 0 */
		oracle->back = !oracle->nr_extents && oracle->start &&
			       end < oracle->file_size;
		require(oracle, oracle->back || end >= oracle->file_size);
		return;
	}
	oracle->back = !oracle->nr_extents;
	require(oracle, aligned(oracle->next));
	/* A tail is for the last extent of the map */
	require(oracle, aligned(end));
	if (oracle->nr_extents ? oracle->next != end :
				 oracle->next >= oracle->start)
		oracle->wrong |= ORACLE_UNFIT;
}

static void check_whole(struct oracle *oracle)
{
	check_next(oracle);
	require(oracle, oracle->start + page_rounded(oracle->bytes) <=
			MOST_BYTES);
	for (u32 i = 0; i < oracle->nr_strips; i++) {
		for (u32 k = 0; k < i; k++)
			require(oracle, !overlap(&oracle->strips[i],
						 &oracle->strips[k]));
	}
}

static bool all_zero(const u8 *from, const u8 *to)
{
	while (from < to) {
		if (*from++)
			return false;
	}
	return true;
}

static void read_extents(struct reader *reader,
			 const struct fuse_famfs_fmap_header *head)
{
	struct oracle *oracle = reader->oracle;

	for (u32 i = 0; i < head->nextents; i++) {
		if (!(head->ext_type ? read_interleaved(reader) :
				       read_simple(reader)))
			return;
	}
	check_whole(oracle);
	if (head->fmap_size)
		require(oracle, reader->next == reader->end);
	else
		require(oracle, all_zero(reader->next, reader->end));
}

/**
 * oracle_read - read a message
 * @oracle: filled in; to be freed with oracle_free()
 * @msg: the message
 * @len: its length
 * @start: byte of the file at which it begins, page aligned
 */
void oracle_read(struct oracle *oracle, const u8 *msg, size_t len, u64 start)
{
	struct reader reader = { oracle, msg, msg + len };
	struct fuse_famfs_fmap_header head;

	*oracle = (struct oracle) { .start = start };
	if (len > FUSE_FMAP_MAX_MSG)
		oracle->wrong = ORACLE_TOOBIG;
	if (len < sizeof(head))
		oracle->wrong = ORACLE_INVALID;
	require(oracle, start <= MOST_BYTES);
	if (oracle->wrong)
		return;

	memcpy(&head, msg, sizeof(head));
	reader.next += sizeof(head);
	oracle->file_size = head.file_size;
	oracle->next = head.next_offset;
	require(oracle, head.file_size <= MOST_BYTES);
	require(oracle, head.file_type <= 2 && head.ext_type <= 1);
	require(oracle, head.fmap_version == 1);
	require(oracle, !head.reserved);
	require(oracle, !head.fmap_size || head.fmap_size == len);
	if (oracle->wrong)
		return;

	oracle->extents = calloc(len / RECORD + 1, sizeof(*oracle->extents));
	oracle->strips = calloc(len / RECORD + 1, sizeof(*oracle->strips));
	if (!oracle->extents || !oracle->strips)
		abort();
	read_extents(&reader, &head);
}

void oracle_free(struct oracle *oracle)
{
	free(oracle->extents);
	free(oracle->strips);
}

/**
 * oracle_end - tell how far a valid message goes
 * @oracle: a valid message
 *
 * Return: the byte of the file behind the last that is mapped, page aligned
 */
u64 oracle_end(const struct oracle *oracle)
{
	return oracle->start + page_rounded(oracle->bytes);
}

const struct oracle_extent *oracle_find(const struct oracle *oracle, u64 pos)
{
	const struct oracle_extent *ext = oracle->extents;

	while (pos >= ext->start + page_rounded(ext->bytes))
		ext++;
	return ext;
}

static wide place(const struct oracle *oracle, const struct oracle_extent *ext,
		  wide pos, u32 *dev)
{
	wide c = pos / ext->chunk;
	const struct fuse_famfs_simple_ext *strip =
		&oracle->strips[ext->first + (u32)(c % ext->nstrips)];

	*dev = strip->se_devindex;
	return strip->se_offset + (c / ext->nstrips) * ext->chunk +
	       pos % ext->chunk;
}

/**
 * oracle_where - tell where a byte of the file lies
 * @oracle: a valid message
 * @pos: position, from the start of the message to oracle_end()
 * @dev: set to the device
 *
 * Return: the byte of the device
 */
u64 oracle_where(const struct oracle *oracle, u64 pos, u32 *dev)
{
	const struct oracle_extent *ext = oracle_find(oracle, pos);

	return place(oracle, ext, pos - ext->start, dev);
}

/* Whether the strips of an extent are used to the end */
static bool full(const struct oracle *oracle, const struct oracle_extent *ext)
{
	for (u32 i = 0; i < ext->nstrips; i++) {
		if (oracle->strips[ext->first + i].se_len != strip_share(ext, i))
			return false;
	}
	return true;
}

/**
 * oracle_continues - tell whether an extent is to be merged with the last one
 * @oracle: a valid message
 * @i: index of the extent, not 0
 *
 * It is if the extent before, were it longer, would say the same.
 */
bool oracle_continues(const struct oracle *oracle, u32 i)
{
	const struct oracle_extent *a = &oracle->extents[i - 1];
	const struct oracle_extent *b = &oracle->extents[i];
	wide step = b->chunk < a->chunk ? b->chunk : a->chunk;

	if (a->nstrips != b->nstrips || !full(oracle, a))
		return false;
	if (a->nstrips > 1 && (a->chunk != b->chunk ||
			       a->bytes % (a->chunk * a->nstrips)))
		return false;
	/*
	 * With one strip the chunks do not matter.  Strips that hold nothing
	 * yet must be in place as well.
	 */
	for (u32 k = 0; k < 2 * b->nstrips; k++) {
		u32 dev_a, dev_b;
		wide pos = k * step;

		if (place(oracle, a, a->bytes + pos, &dev_a) !=
		    place(oracle, b, pos, &dev_b) || dev_a != dev_b)
			return false;
	}
	return true;
}
