// SPDX-License-Identifier: GPL-2.0
/*
 * A piece of the kernel's against the oracle
 */
#include <errno.h>

#include <linux/slab.h>

#include "check.h"

/* Extents, stripes and strips after merging, as the oracle sees it */
static bool check_counts(const struct fmap_piece *piece,
			 const struct oracle *oracle)
{
	u32 nr_extents = 0, nr_stripes = 0, nr_strips = 0;

	for (u32 i = 0; i < oracle->nr_extents; i++) {
		const struct oracle_extent *ext = &oracle->extents[i];

		if (i && oracle_continues(oracle, i))
			continue;
		CHECK(piece->nr_extents > nr_extents);
		CHECK(piece->extents[nr_extents].start == ext->start);
		nr_extents++;
		if (ext->nstrips > 1) {
			nr_stripes++;
			nr_strips += ext->nstrips;
		}
	}
	CHECK(piece->nr_extents == nr_extents);
	CHECK(piece->nr_stripes == nr_stripes);
	CHECK(piece->nr_strips == nr_strips);
	return true;
}

/* A piece with the message that it was made from, without looking anything up */
static bool check_piece(const struct fmap_piece *piece,
			const struct oracle *oracle)
{
	CHECK(piece->start == oracle->start);
	CHECK(piece->end == oracle_end(oracle));
	CHECK(check_counts(piece, oracle));
	CHECK(check_claims_named(piece, oracle));
	return true;
}

/* Whether a run may end before @pos: the device goes elsewhere, or a chunk ends */
static bool may_end(const struct oracle *oracle, u64 pos)
{
	const struct oracle_extent *ext;
	u32 dev, before;

	if (pos == oracle_end(oracle))
		return true;
	ext = oracle_find(oracle, pos);
	if (ext->nstrips > 1 && (pos - ext->start) % ext->chunk == 0)
		return true;
	if (oracle_where(oracle, pos, &dev) !=
	    oracle_where(oracle, pos - 1, &before) + 1 || dev != before)
		return true;
	/* From or to a striped extent, or room left: goes on by chance only */
	return pos == ext->start &&
	       !oracle_continues(oracle, ext - oracle->extents);
}

/**
 * check_position - look a position up
 * @piece: the piece
 * @oracle: the same
 * @pos: position, may be outside
 * @len: bytes wanted
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_position(const struct fmap_piece *piece,
		    const struct oracle *oracle, u64 pos, u64 len)
{
	struct fmap_loc loc = {};
	u32 dev;

	if (pos < oracle->start || pos >= oracle_end(oracle) || !len) {
		CHECK(!fmap_resolve(piece, pos, len, &loc));
		return true;
	}
	CHECK(fmap_resolve(piece, pos, len, &loc));
	CHECK(loc.len > 0 && loc.len <= len);
	CHECK(loc.len <= oracle_end(oracle) - pos);
	CHECK(loc.len == len || may_end(oracle, pos + loc.len));

	CHECK(oracle_where(oracle, pos, &dev) == loc.off && dev == loc.dev);
	CHECK(oracle_where(oracle, pos + loc.len - 1, &dev) ==
	      loc.off + loc.len - 1 && dev == loc.dev);
	/* Not too many between the ends, should they be far apart */
	for (u64 at = PAGE_SIZE; at < loc.len && at < 64 * PAGE_SIZE;
	     at += PAGE_SIZE)
		CHECK(oracle_where(oracle, pos + at, &dev) == loc.off + at &&
		      dev == loc.dev);
	return true;
}

/* Around a position: the bytes before, at and behind it, short and long */
static bool check_around(const struct fmap_piece *piece,
			 const struct oracle *oracle, u64 pos)
{
	for (u64 at = pos ? pos - 1 : 0; at <= pos + 1; at++) {
		CHECK(check_position(piece, oracle, at, 1));
		CHECK(check_position(piece, oracle, at, PAGE_SIZE));
		CHECK(check_position(piece, oracle, at, U64_MAX));
	}
	return true;
}

static bool check_chunk_edges(const struct fmap_piece *piece,
			      const struct oracle *oracle,
			      const struct oracle_extent *ext)
{
	wide nr = ext->bytes / ext->chunk;

	for (wide c = 0; c <= nr && c < 3 * ext->nstrips; c++) {
		CHECK(check_around(piece, oracle, ext->start + c * ext->chunk));
		CHECK(check_around(piece, oracle,
				   ext->start + (nr - c) * ext->chunk));
	}
	return true;
}

/* All edges of a piece, and some positions at random */
static bool check_look_up(const struct fmap_piece *piece,
			  const struct oracle *oracle, struct random *random)
{
	u64 end = oracle_end(oracle);

	CHECK(check_around(piece, oracle, oracle->start));
	CHECK(check_around(piece, oracle, end));
	CHECK(check_position(piece, oracle, U64_MAX, U64_MAX));
	CHECK(check_position(piece, oracle, 0, 0));
	for (u32 i = 0; i < oracle->nr_extents; i++) {
		const struct oracle_extent *ext = &oracle->extents[i];

		CHECK(check_around(piece, oracle, ext->start));
		if (ext->nstrips > 1)
			CHECK(check_chunk_edges(piece, oracle, ext));
	}
	for (u32 i = 0; i < 16; i++)
		CHECK(check_position(piece, oracle, oracle->start +
				     random_below(random, end - oracle->start),
				     1 + random_below(random, 1 << 24)));
	return true;
}

/* An errno is right if it names something that is wrong */
static bool check_errno(const struct oracle *oracle, int err)
{
	switch (err) {
	case 0:
		return !oracle->wrong;
	case -EINVAL:
		return oracle->wrong & ORACLE_INVALID;
	case -ENODEV:
		return oracle->wrong & ORACLE_NODEV;
	case -EFBIG:
		return oracle->wrong & ORACLE_TOOBIG;
	case -EIO:
		return oracle->wrong & ORACLE_UNFIT;
	}
	return false;
}

static bool check_decoded(const struct fmap_message *got,
			  const struct oracle *oracle, size_t len,
			  struct random *random)
{
	const struct fmap_piece *piece = got->piece;

	CHECK(got->file_size == oracle->file_size);
	CHECK(got->next == oracle->next);
	CHECK(got->back == oracle->back);
	CHECK(!piece == !oracle->nr_extents);
	if (!piece)
		return true;
	CHECK(check_bytes(piece, len / sizeof(struct fuse_famfs_simple_ext)));
	CHECK(check_piece(piece, oracle));
	CHECK(check_look_up(piece, oracle, random));
	CHECK(check_slices(piece, oracle, random));
	return true;
}

/* What a message that was refused must leave alone */
static bool untouched(const struct fmap_message *got)
{
	return got->file_size == 1 && got->next == 2 && !got->piece;
}

/**
 * decode - decode a message where it was asked for
 * @msg: the message, of any kind
 * @got: set to what it says; on failure it has no piece
 *
 * Return: 0 or an errno.
 */
int decode(const struct message *msg, struct fmap_message *got)
{
	*got = (struct fmap_message) { .file_size = 1, .next = 2 };
	return fmap_famfs_decode(msg->bytes, msg->len, msg->start, got);
}

/**
 * check_message - decode a message and compare everything with the oracle
 * @msg: the message, of any kind
 * @random: for positions in the file, and slices
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_message(const struct message *msg, struct random *random)
{
	struct fmap_message got;
	struct oracle oracle;
	bool ok;
	int err;

	oracle_read(&oracle, msg->bytes, msg->len, msg->start);
	shim_memory.peak = 0;
	err = decode(msg, &got);
	ok = check_errno(&oracle, err) && (!err || untouched(&got));
	if (!ok)
		printf("# decoded: %d, oracle: %#x\n", err, oracle.wrong);
	/* Memory is bounded by what was received, whatever it says */
	if (shim_memory.peak > 2 * msg->len + 16384) {
		printf("# %zu bytes for %zu\n", shim_memory.peak, msg->len);
		ok = false;
	}
	if (ok && !err)
		ok = check_decoded(&got, &oracle, msg->len, random);
	fmap_piece_free(got.piece);
	oracle_free(&oracle);
	CHECK(shim_memory.objects == 0);
	return ok;
}
