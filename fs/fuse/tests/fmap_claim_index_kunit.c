// SPDX-License-Identifier: GPL-2.0
/*
 * More tests of fmap_claim.c, which includes this file behind
 * fmap_claim_kunit.c, whose helpers it uses
 *
 * Whether two claims meet is written down for the edges, and compared with a
 * table that has the owner of every page for many at random.
 */
#include <linux/prandom.h>

static const struct claim_pair {
	const char *name;
	struct claim_pages a[CLAIM_MOST_RANGES];
	struct claim_pages b[CLAIM_MOST_RANGES];
	bool meet;
} claim_pairs[] = {
	{ "apart", {{ 0, 4 }}, {{ 9, 4 }} },
	{ "side by side", {{ 0, 4 }}, {{ 4, 4 }} },
	{ "the same", {{ 3, 4 }}, {{ 3, 4 }}, true },
	{ "one page", {{ 0, 5 }}, {{ 4, 4 }}, true },
	{ "inside", {{ 0, 9 }}, {{ 4, 1 }}, true },
	{ "in a hole", {{ 0, 2 }, { 5, 2 }}, {{ 2, 3 }} },
	{ "in a hole, a page too long", {{ 0, 2 }, { 5, 2 }}, {{ 2, 4 }}, true },
	{ "in a hole, a page too early", {{ 0, 2 }, { 5, 2 }}, {{ 1, 4 }}, true },
	{ "like teeth", {{ 0, 1 }, { 2, 1 }, { 4, 1 }},
	  {{ 1, 1 }, { 3, 1 }, { 5, 1 }} },
	{ "like teeth but the last", {{ 0, 1 }, { 2, 1 }, { 4, 1 }},
	  {{ 1, 1 }, { 3, 1 }, { 4, 1 }}, true },
	{ "not in order", {{ 8, 1 }, { 0, 1 }, { 4, 1 }},
	  {{ 9, 1 }, { 3, 1 }, { 1, 1 }} },
	{ "not in order, one page", {{ 8, 1 }, { 0, 1 }, { 4, 1 }},
	  {{ 9, 1 }, { 4, 1 }, { 1, 1 }}, true },
	{ "all behind", {{ 0, 1 }, { 2, 1 }, { 4, 1 }, { 6, 1 }, { 8, 1 }},
	  {{ 9, 1 }} },
	{ "the last of many", {{ 0, 1 }, { 2, 1 }, { 4, 1 }, { 6, 1 }, { 8, 1 }},
	  {{ 8, 1 }}, true },
};

KUNIT_ARRAY_PARAM_DESC(claim_pair, claim_pairs, name);

static struct inode *claim_inode(unsigned long i)
{
	/* Compared, and never followed */
	return (struct inode *)(0x1000 * (i + 1));
}

/* What meets belongs to @first, so does not count for who excepts its inode */
static void claim_expect_conflict(struct kunit *test, struct fmap_claim *first,
				  struct fmap_claim *second, bool meet)
{
	struct fmap_claim_index index = {};

	first->inode = claim_inode(1);
	KUNIT_EXPECT_NULL(test, fmap_claim_conflict(&index, second, NULL));
	fmap_claim_insert(&index, first);
	KUNIT_EXPECT_PTR_EQ(test, meet ? first : NULL,
			    fmap_claim_conflict(&index, second, NULL));
	KUNIT_EXPECT_PTR_EQ(test, meet ? first : NULL,
			    fmap_claim_conflict(&index, second,
						claim_inode(2)));
	KUNIT_EXPECT_NULL(test, fmap_claim_conflict(&index, second,
						    claim_inode(1)));
	/* To ask changes nothing */
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_NODE(&second->node.rb));
	KUNIT_EXPECT_PTR_EQ(test, first, fmap_claim_next(&index, 0));
	fmap_claim_remove(&index, first);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_NODE(&first->node.rb));
	KUNIT_EXPECT_NULL(test, fmap_claim_conflict(&index, second, NULL));
	/* What is not there is not removed again */
	fmap_claim_remove(&index, first);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&index.root.rb_root));
}

static void claim_expect_pair(struct kunit *test, const struct claim_pages *a,
			      const struct claim_pages *b, bool meet)
{
	struct fmap_piece *first = claim_pages(test, 2, a);
	struct fmap_piece *second = claim_pages(test, 2, b);

	KUNIT_EXPECT_EQ(test, fmap_claims_finish(first), 0);
	KUNIT_EXPECT_EQ(test, fmap_claims_finish(second), 0);
	KUNIT_EXPECT_EQ(test, first->nr_claims, 1);
	KUNIT_EXPECT_EQ(test, second->nr_claims, 1);
	claim_expect_conflict(test, first->claims[0], second->claims[0], meet);
	fmap_claims_free(first);
	fmap_claims_free(second);
}

static void claim_test_pairs(struct kunit *test)
{
	const struct claim_pair *pair = test->param_value;

	claim_expect_pair(test, pair->a, pair->b, pair->meet);
	claim_expect_pair(test, pair->b, pair->a, pair->meet);
}

/* A claim of the inode that is excepted does not hide another's behind it */
static void claim_test_except(struct kunit *test)
{
	struct claim_pages own[CLAIM_MOST_RANGES] = {{ 0, 4 }, { 8, 4 }};
	struct claim_pages other[CLAIM_MOST_RANGES] = {{ 4, 4 }};
	struct claim_pages all[CLAIM_MOST_RANGES] = {{ 2, 3 }};
	struct fmap_piece *first = claim_pages(test, 0, own);
	struct fmap_piece *second = claim_pages(test, 0, other);
	struct fmap_piece *wanted = claim_pages(test, 0, all);
	struct fmap_claim_index index = {};

	KUNIT_EXPECT_EQ(test, fmap_claims_finish(first), 0);
	KUNIT_EXPECT_EQ(test, fmap_claims_finish(second), 0);
	KUNIT_EXPECT_EQ(test, fmap_claims_finish(wanted), 0);
	first->claims[0]->inode = claim_inode(1);
	second->claims[0]->inode = claim_inode(2);
	fmap_claim_insert(&index, first->claims[0]);
	KUNIT_EXPECT_NULL(test, fmap_claim_conflict(&index, wanted->claims[0],
						    claim_inode(1)));
	fmap_claim_insert(&index, second->claims[0]);
	KUNIT_EXPECT_PTR_EQ(test, second->claims[0],
			    fmap_claim_conflict(&index, wanted->claims[0],
						claim_inode(1)));
	KUNIT_EXPECT_PTR_EQ(test, first->claims[0],
			    fmap_claim_conflict(&index, wanted->claims[0],
						claim_inode(2)));
	KUNIT_EXPECT_NOT_NULL(test, fmap_claim_conflict(&index,
							wanted->claims[0],
							NULL));
	fmap_claims_free(first);
	fmap_claims_free(second);
	fmap_claims_free(wanted);
}

#define CLAIM_DEVICE_PAGES	120
#define CLAIM_PIECES		20

/* Walks the index; it must have just who owns a page, by their first pages */
static void claim_expect_owners(struct kunit *test,
				struct fmap_claim_index *index,
				struct fmap_claim **owners)
{
	struct fmap_claim *claim = fmap_claim_next(index, 0);
	struct fmap_claim *seen[CLAIM_PIECES];
	u32 nr = 0;

	for (u32 page = 0; page < CLAIM_DEVICE_PAGES; page++) {
		u32 i = 0;

		while (i < nr && seen[i] != owners[page])
			i++;
		if (!owners[page] || i < nr)
			continue;
		seen[nr++] = owners[page];
		KUNIT_ASSERT_PTR_EQ(test, claim, owners[page]);
		KUNIT_EXPECT_EQ(test, claim->ranges[0].start, page * P);
		claim = fmap_claim_next(index, page * P + 1);
	}
	KUNIT_EXPECT_NULL(test, claim);
}

static void claim_set_owner(struct fmap_claim **owners,
			    const struct fmap_claim *claim,
			    struct fmap_claim *owner)
{
	for (u32 i = 0; i < claim->nr_ranges; i++) {
		u64 page = claim->ranges[i].start / P;

		for (; page < claim->ranges[i].end / P; page++)
			owners[page] = owner;
	}
}

static u32 claim_random(struct rnd_state *rnd, u32 below)
{
	return prandom_u32_state(rnd) % below;
}

/* Ranges anywhere; tells whether a page is there twice */
static bool claim_random_pages(struct claim_pages *pages, struct rnd_state *rnd)
{
	bool used[CLAIM_DEVICE_PAGES] = {};
	u32 nr = 1 + claim_random(rnd, CLAIM_MOST_RANGES - 1);
	bool twice = false;

	for (u32 i = 0; i < nr; i++) {
		pages[i].nr = 1 + claim_random(rnd, 3);
		pages[i].page = claim_random(rnd, CLAIM_DEVICE_PAGES -
						  pages[i].nr);
		for (u32 k = 0; k < pages[i].nr; k++) {
			twice |= used[pages[i].page + k];
			used[pages[i].page + k] = true;
		}
	}
	return twice;
}

/* Whether one of the pages has an owner; not counting those of @except */
static bool claim_taken(struct fmap_claim **owners,
			const struct claim_pages *pages,
			const struct inode *except)
{
	for (u32 i = 0; i < CLAIM_MOST_RANGES; i++) {
		for (u32 k = 0; k < pages[i].nr; k++) {
			struct fmap_claim *owner = owners[pages[i].page + k];

			if (owner && owner->inode != except)
				return true;
		}
	}
	return false;
}

/* Adds a piece of some inode if it can be had */
static struct fmap_piece *claim_add(struct kunit *test, struct rnd_state *rnd,
				    struct fmap_claim_index *index,
				    struct fmap_claim **owners)
{
	struct claim_pages pages[CLAIM_MOST_RANGES] = {};
	struct inode *inode = claim_inode(claim_random(rnd, 5));
	bool twice = claim_random_pages(pages, rnd);
	struct fmap_piece *piece = claim_pages(test, 0, pages);
	struct fmap_claim *claim = piece->claims[0];
	int err = fmap_claims_finish(piece);

	KUNIT_EXPECT_EQ(test, err, twice ? -EINVAL : 0);
	if (!err) {
		KUNIT_EXPECT_EQ(test, claim_taken(owners, pages, inode),
				!!fmap_claim_conflict(index, claim, inode));
		KUNIT_EXPECT_EQ(test, claim_taken(owners, pages, NULL),
				!!fmap_claim_conflict(index, claim, NULL));
	}
	if (err || claim_taken(owners, pages, NULL)) {
		fmap_claims_free(piece);
		return NULL;
	}
	claim->inode = inode;
	fmap_claim_insert(index, claim);
	claim_set_owner(owners, claim, claim);
	return piece;
}

static void claim_test_random(struct kunit *test)
{
	struct fmap_piece *pieces[CLAIM_PIECES] = {};
	struct fmap_claim_index index = {};
	struct fmap_claim **owners;
	struct rnd_state rnd;

	owners = kunit_kcalloc(test, CLAIM_DEVICE_PAGES, sizeof(*owners),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, owners);
	prandom_seed_state(&rnd, 4);
	for (u32 i = 0; i < 3000; i++) {
		u32 slot = claim_random(&rnd, CLAIM_PIECES);
		struct fmap_piece *piece = pieces[slot];

		if (piece) {
			fmap_claim_remove(&index, piece->claims[0]);
			claim_set_owner(owners, piece->claims[0], NULL);
			fmap_claims_free(piece);
			pieces[slot] = NULL;
		} else {
			pieces[slot] = claim_add(test, &rnd, &index, owners);
		}
		claim_expect_owners(test, &index, owners);
	}
	for (u32 i = 0; i < CLAIM_PIECES; i++) {
		if (pieces[i])
			fmap_claims_free(pieces[i]);
	}
}

static struct kunit_case claim_index_test_cases[] = {
	KUNIT_CASE_PARAM(claim_test_pairs, claim_pair_gen_params),
	KUNIT_CASE(claim_test_except),
	KUNIT_CASE(claim_test_random),
	{},
};

static struct kunit_suite claim_index_test_suite = {
	.name = "fmap_claim_index",
	.test_cases = claim_index_test_cases,
};

kunit_test_suite(claim_index_test_suite);
