// SPDX-License-Identifier: GPL-2.0
/*
 * A map that is cut into pages, each decoded by itself, against the whole
 */
#include <errno.h>
#include <string.h>

#include <linux/minmax.h>
#include <linux/slab.h>

#include "check.h"
#include "test.h"

#define MOST_PAGES	32

struct pages {
	struct fmap_piece *piece[MOST_PAGES];
	u32 nr;
};

/* The extent at @record: tells its bytes, and how much of the message it has */
static size_t skip(const struct message *msg, const u8 *record, u64 *bytes)
{
	struct fuse_famfs_simple_ext simple;
	struct fuse_famfs_iext iext;

	if (message_head(msg)->ext_type == FUSE_FAMFS_EXT_SIMPLE) {
		memcpy(&simple, record, sizeof(simple));
		*bytes = simple.se_len;
		return sizeof(simple);
	}
	memcpy(&iext, record, sizeof(iext));
	*bytes = iext.ie_nbytes;
	return sizeof(iext) + iext.ie_nstrips * sizeof(simple);
}

/*
 * Takes some extents of @whole, from @record on, for a page that begins where
 * the last one ended; tells what was taken of the message.
 */
static size_t cut(struct message *page, const struct message *whole,
		  const u8 *record, u32 *nr_left, struct random *random)
{
	const struct fuse_famfs_fmap_header *head = message_head(whole);
	u32 nr = 1 + random_below(random, min(*nr_left, 6U));
	size_t len = 0;
	u64 end = page->start, bytes;

	*nr_left -= nr;
	message_start(page, head->ext_type);
	page->start = end;
	for (u32 i = 0; i < nr; i++) {
		len += skip(whole, record + len, &bytes);
		end += bytes;
	}
	message_add(page, record, len);
	message_head(page)->nextents = nr;
	message_head(page)->next_offset = *nr_left ? end : head->next_offset;
	message_finish(page, head->file_size);
	return len;
}

static bool decode_pages(struct pages *pages, const struct message *whole,
			 struct random *random)
{
	const u8 *record = whole->bytes + sizeof(struct fuse_famfs_fmap_header);
	u32 left = message_head(whole)->nextents;
	struct message page = { .start = whole->start };
	struct fmap_message got;

	while (left) {
		CHECK(pages->nr < MOST_PAGES);
		record += cut(&page, whole, record, &left, random);
		CHECK(decode(&page, &got) == 0);
		pages->piece[pages->nr++] = got.piece;
		CHECK(got.piece->start == page.start);
		CHECK(got.next == message_head(&page)->next_offset);
		CHECK(!left || got.next == got.piece->end);
		CHECK(got.file_size == message_head(whole)->file_size);
		message_free(&page);
		page.start = got.piece->end;
	}
	return true;
}

/* Every page of the file is in the page of the map, and lies where it should */
static bool check_piece(const struct fmap_piece *piece,
			const struct oracle *oracle)
{
	struct fmap_loc loc;
	u32 dev;

	for (u64 pos = piece->start; pos < piece->end; pos += PAGE_SIZE) {
		CHECK(fmap_resolve(piece, pos, PAGE_SIZE, &loc));
		CHECK(loc.off == oracle_where(oracle, pos, &dev));
		CHECK(loc.dev == dev);
		CHECK(loc.len == PAGE_SIZE);
	}
	return true;
}

/* The pages of a map claim all that it claims, and nothing twice */
static bool check_claims(const struct pages *pages,
			 const struct oracle *oracle)
{
	struct fmap_claim_index index[FUSE_FMAP_MAX_DEVS] = {};
	wide named = 0, have = 0;

	for (u32 i = 0; i < oracle->nr_strips; i++)
		named += oracle->strips[i].se_len;
	for (u32 i = 0; i < pages->nr; i++) {
		const struct fmap_piece *piece = pages->piece[i];

		for (u32 k = 0; k < piece->nr_claims; k++) {
			struct fmap_claim *claim = piece->claims[k];

			for (u32 r = 0; r < claim->nr_ranges; r++)
				have += claim->ranges[r].end -
					claim->ranges[r].start;
			CHECK(!fmap_claim_conflict(&index[claim->dev], claim,
						   NULL));
			fmap_claim_insert(&index[claim->dev], claim);
		}
	}
	CHECK(named == have);
	return true;
}

static bool check_pages(const struct pages *pages, const struct message *whole)
{
	u64 end = whole->start;
	struct oracle oracle;
	bool ok = true;

	oracle_read(&oracle, whole->bytes, whole->len, whole->start);
	for (u32 i = 0; ok && i < pages->nr; i++) {
		ok = pages->piece[i]->start == end &&
		     check_piece(pages->piece[i], &oracle);
		end = pages->piece[i]->end;
	}
	ok = ok && end == oracle_end(&oracle) && check_claims(pages, &oracle);
	oracle_free(&oracle);
	CHECK(ok);
	return true;
}

static bool one_map(struct random *random)
{
	struct pages pages = {};
	struct message msg;
	bool ok;

	message_random(&msg, random);
	ok = decode_pages(&pages, &msg, random) && check_pages(&pages, &msg);
	while (pages.nr)
		fmap_piece_free(pages.piece[--pages.nr]);
	message_free(&msg);
	CHECK(ok);
	CHECK(shim_memory.objects == 0);
	return true;
}

bool test_pages(void)
{
	return repeat(one_map, 1500, 60);
}
