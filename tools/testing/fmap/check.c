// SPDX-License-Identifier: GPL-2.0
/*
 * A map of the kernel's against the oracle
 */
#include <errno.h>

#include <linux/bitops.h>
#include <linux/slab.h>

#include "check.h"

/* Extents, stripes and strips after merging, as the oracle sees it */
static bool check_counts(const struct fmap *map, const struct oracle *oracle)
{
	u32 nr_extents = 0, nr_stripes = 0, nr_strips = 0;

	for (u32 i = 0; i < oracle->nr_extents; i++) {
		const struct oracle_extent *ext = &oracle->extents[i];

		if (i && oracle_continues(oracle, i))
			continue;
		CHECK(map->nr_extents > nr_extents);
		CHECK(map->extents[nr_extents].start == ext->start);
		nr_extents++;
		if (ext->nstrips > 1) {
			nr_stripes++;
			nr_strips += ext->nstrips;
		}
	}
	CHECK(map->nr_extents == nr_extents);
	CHECK(map->nr_stripes == nr_stripes);
	CHECK(map->nr_strips == nr_strips);
	return true;
}

/* The ranges of a claim are in order, and say to whom they belong */
static bool check_ranges(const struct fmap *map, const struct fmap_claim *claim)
{
	CHECK(claim->nr_ranges > 0);
	CHECK(claim->node.start == claim->ranges[0].start >> PAGE_SHIFT);
	CHECK(claim->node.last == (fmap_claim_end(claim) - 1) >> PAGE_SHIFT);
	for (u32 i = 0; i < claim->nr_ranges; i++) {
		const struct fmap_range *range = &claim->ranges[i];
		const struct fmap_extent *ext = &map->extents[range->extent];

		CHECK(range->start < range->end);
		CHECK(!i || claim->ranges[i - 1].end <= range->start);
		CHECK(range->extent < map->nr_extents);
		if (ext->dev != FMAP_STRIPED) {
			CHECK(ext->dev == claim->dev);
			CHECK(ext->dev_off == range->start);
			continue;
		}
		CHECK(range->strip - map->stripes[ext->stripe].first <
		      map->stripes[ext->stripe].nr_strips);
		CHECK(map->strips[range->strip].dev == claim->dev);
		CHECK(map->strips[range->strip].dev_off == range->start);
	}
	return true;
}

static const struct fmap_claim *claim_of(const struct fmap *map, u32 dev)
{
	for (u32 i = 0; i < map->nr_claims; i++) {
		if (map->claims[i]->dev == dev)
			return map->claims[i];
	}
	return NULL;
}

static bool claimed(const struct fmap_claim *claim, u64 start, u64 end)
{
	for (u32 i = 0; claim && i < claim->nr_ranges; i++) {
		if (claim->ranges[i].start <= start &&
		    end <= claim->ranges[i].end)
			return true;
	}
	return false;
}

/* All that is named is claimed, and no byte more */
static bool check_claims(const struct fmap *map, const struct oracle *oracle)
{
	wide named = 0, have = 0;
	u64 devs = 0;

	for (u32 i = 0; i < oracle->nr_strips; i++) {
		const struct fuse_famfs_simple_ext *strip = &oracle->strips[i];

		devs |= 1ULL << strip->se_devindex;
		if (!strip->se_len)
			continue;
		named += strip->se_len;
		CHECK(claimed(claim_of(map, strip->se_devindex),
			      strip->se_offset,
			      strip->se_offset + strip->se_len));
	}
	CHECK(map->devs == devs);
	CHECK(map->nr_claims <= hweight64(devs));

	for (u32 i = 0; i < map->nr_claims; i++) {
		const struct fmap_claim *claim = map->claims[i];

		CHECK(!i || map->claims[i - 1]->dev < claim->dev);
		CHECK(check_ranges(map, claim));
		for (u32 k = 0; k < claim->nr_ranges; k++)
			have += claim->ranges[k].end - claim->ranges[k].start;
	}
	CHECK(named == have);
	return true;
}

/**
 * check_map - compare a map with the message that it was made from
 * @map: the map
 * @oracle: the message, valid
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_map(const struct fmap *map, const struct oracle *oracle)
{
	CHECK(map->file_size == oracle->file_size);
	CHECK(map->end == oracle_end(oracle));
	CHECK(check_counts(map, oracle));
	CHECK(check_claims(map, oracle));
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
 * @map: the map
 * @oracle: the same
 * @pos: position, may be behind the end
 * @len: bytes wanted
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_position(const struct fmap *map, const struct oracle *oracle,
		    u64 pos, u64 len)
{
	struct fmap_loc loc = {};
	u32 dev;

	if (pos >= oracle_end(oracle) || !len) {
		CHECK(!fmap_resolve(map, pos, len, &loc));
		return true;
	}
	CHECK(fmap_resolve(map, pos, len, &loc));
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
static bool check_around(const struct fmap *map, const struct oracle *oracle,
			 u64 pos)
{
	for (u64 at = pos ? pos - 1 : 0; at <= pos + 1; at++) {
		CHECK(check_position(map, oracle, at, 1));
		CHECK(check_position(map, oracle, at, PAGE_SIZE));
		CHECK(check_position(map, oracle, at, U64_MAX));
	}
	return true;
}

static bool check_chunk_edges(const struct fmap *map,
			      const struct oracle *oracle,
			      const struct oracle_extent *ext)
{
	wide nr = ext->bytes / ext->chunk;

	for (wide c = 0; c <= nr && c < 3 * ext->nstrips; c++) {
		CHECK(check_around(map, oracle, ext->start + c * ext->chunk));
		CHECK(check_around(map, oracle,
				   ext->start + (nr - c) * ext->chunk));
	}
	return true;
}

/**
 * check_look_up - look up all edges of a map, and some positions at random
 * @map: the map
 * @oracle: the same
 * @random: for the positions
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_look_up(const struct fmap *map, const struct oracle *oracle,
		   struct random *random)
{
	u64 end = oracle_end(oracle);

	CHECK(check_around(map, oracle, end));
	CHECK(check_position(map, oracle, U64_MAX, U64_MAX));
	CHECK(check_position(map, oracle, 0, 0));
	for (u32 i = 0; i < oracle->nr_extents; i++) {
		const struct oracle_extent *ext = &oracle->extents[i];

		CHECK(check_around(map, oracle, ext->start));
		if (ext->nstrips > 1)
			CHECK(check_chunk_edges(map, oracle, ext));
	}
	for (u32 i = 0; end && i < 16; i++)
		CHECK(check_position(map, oracle, random_below(random, end),
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
	}
	return false;
}

static bool check_decoded(const struct fmap *map, const struct oracle *oracle,
			  size_t len, struct random *random)
{
	/* Memory is bounded by what was received, whatever it says */
	CHECK(shim_memory.peak <= 4 * len + 16384);
	if (!map)
		return true;
	CHECK(check_map(map, oracle));
	CHECK(check_look_up(map, oracle, random));
	return true;
}

/**
 * check_message - decode a message and compare everything with the oracle
 * @msg: the message, of any kind
 * @len: its length
 * @random: for positions in the file
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_message(const u8 *msg, size_t len, struct random *random)
{
	struct fmap *map = NULL;
	struct oracle oracle;
	bool ok;
	int err;

	oracle_read(&oracle, msg, len);
	shim_memory.peak = 0;
	err = fmap_famfs_decode(msg, len, &map);
	ok = check_errno(&oracle, err) && !err == !!map;
	if (!ok)
		printf("# decoded: %d, oracle: %#x\n", err, oracle.wrong);
	else
		ok = check_decoded(map, &oracle, len, random);
	fmap_free(map);
	oracle_free(&oracle);
	CHECK(shim_memory.objects == 0);
	return ok;
}
