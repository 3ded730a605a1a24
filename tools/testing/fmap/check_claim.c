// SPDX-License-Identifier: GPL-2.0
/*
 * The claims of a piece against the oracle, and what both cost
 */
#include <stdlib.h>

#include <linux/bitops.h>

#include "check.h"

/* Bytes of either kind for each record of a message, and for the piece */
#define MOST_PER_RECORD	24
#define MOST_PER_PIECE	128

/**
 * check_bytes - memory is in proportion to the message, byte by byte
 * @piece: a piece
 * @nr_records: extents and strips in the message that it was made from
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_bytes(const struct fmap_piece *piece, size_t nr_records)
{
	CHECK(fmap_piece_bytes(piece) <=
	      MOST_PER_RECORD * nr_records + MOST_PER_PIECE);
	CHECK(fmap_claim_bytes(piece) <=
	      MOST_PER_RECORD * nr_records +
	      piece->nr_claims * sizeof(struct fmap_claim));
	return true;
}

/* The ranges of a claim are in order, and its node spans them */
static bool check_ranges(const struct fmap_claim *claim)
{
	CHECK(claim->nr_ranges > 0);
	CHECK(claim->node.start == claim->ranges[0].start >> PAGE_SHIFT);
	CHECK(claim->node.last == (fmap_claim_end(claim) - 1) >> PAGE_SHIFT);
	CHECK(RB_EMPTY_NODE(&claim->node.rb));
	CHECK(!claim->inode);
	for (u32 i = 0; i < claim->nr_ranges; i++) {
		const struct fmap_range *range = &claim->ranges[i];

		CHECK(PAGE_ALIGNED(range->start | range->end));
		CHECK(range->start < range->end);
		CHECK(!i || claim->ranges[i - 1].end <= range->start);
	}
	return true;
}

/* All claims by themselves; tells how many bytes they hold */
static bool check_each(const struct fmap_piece *piece, wide *bytes)
{
	*bytes = 0;
	CHECK(piece->nr_claims <= hweight64(piece->devs));
	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		CHECK(!i || piece->claims[i - 1]->dev < claim->dev);
		CHECK(check_ranges(claim));
		for (u32 k = 0; k < claim->nr_ranges; k++)
			*bytes += claim->ranges[k].end - claim->ranges[k].start;
	}
	return true;
}

static bool claimed(const struct fmap_piece *piece, u32 dev, u64 start, u64 end)
{
	const struct fmap_claim *claim = NULL;

	for (u32 i = 0; i < piece->nr_claims; i++) {
		if (piece->claims[i]->dev == dev)
			claim = piece->claims[i];
	}
	for (u32 i = 0; claim && i < claim->nr_ranges; i++) {
		if (claim->ranges[i].start <= start &&
		    end <= claim->ranges[i].end)
			return true;
	}
	return false;
}

/**
 * check_claims_named - all that a message names is claimed, and no byte more
 * @piece: made from the message
 * @oracle: the message
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_claims_named(const struct fmap_piece *piece,
			const struct oracle *oracle)
{
	wide named = 0, have;
	u64 devs = 0;

	for (u32 i = 0; i < oracle->nr_strips; i++) {
		const struct fuse_famfs_simple_ext *strip = &oracle->strips[i];

		devs |= 1ULL << strip->se_devindex;
		if (!strip->se_len)
			continue;
		named += strip->se_len;
		CHECK(claimed(piece, strip->se_devindex, strip->se_offset,
			      strip->se_offset + strip->se_len));
	}
	CHECK(piece->devs == devs);
	CHECK(check_each(piece, &have));
	CHECK(named == have);
	return true;
}

/* A page of a device */
struct page_at {
	u32 dev;
	u64 off;
};

static int compare(const void *a, const void *b)
{
	const struct page_at *left = a, *right = b;

	if (left->dev != right->dev)
		return left->dev < right->dev ? -1 : 1;
	return left->off < right->off ? -1 : left->off > right->off;
}

/* The claims, in their order, page by page, are just @pages */
static bool check_pages(const struct fmap_piece *piece,
			const struct page_at *pages)
{
	u64 devs = 0;

	for (u32 i = 0; i < piece->nr_claims; i++) {
		const struct fmap_claim *claim = piece->claims[i];

		devs |= 1ULL << claim->dev;
		for (u32 k = 0; k < claim->nr_ranges; k++) {
			u64 at = claim->ranges[k].start;

			for (; at < claim->ranges[k].end; at += PAGE_SIZE) {
				CHECK(pages->dev == claim->dev);
				CHECK(pages->off == at);
				pages++;
			}
		}
	}
	CHECK(piece->devs == devs);
	return true;
}

/**
 * check_claims_used - what the pages of a slice lie on is claimed, and no more
 * @piece: the slice, not too large: each of its pages is looked at
 * @oracle: the message that the whole was made from
 *
 * Return: whether all is well; if not, the reason was printed.
 */
bool check_claims_used(const struct fmap_piece *piece,
		       const struct oracle *oracle)
{
	u64 nr = (piece->end - piece->start) >> PAGE_SHIFT;
	struct page_at *pages = malloc(nr * sizeof(*pages));
	wide have;
	bool ok;

	CHECK(pages);
	for (u64 i = 0; i < nr; i++)
		pages[i].off = oracle_where(oracle,
					    piece->start + i * PAGE_SIZE,
					    &pages[i].dev);
	qsort(pages, nr, sizeof(*pages), compare);
	/* As many pages here as there, so neither list is left too early */
	ok = check_each(piece, &have) && have == (wide)nr * PAGE_SIZE &&
	     check_pages(piece, pages);
	free(pages);
	CHECK(ok);
	return true;
}
