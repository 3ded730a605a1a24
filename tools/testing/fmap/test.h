/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that stand in files of their own; true is passed
 */
#ifndef _FMAP_TEST_H
#define _FMAP_TEST_H

#include <linux/types.h>

#include "random.h"

/* test.c: one case after the other, each with a seed of its own */
bool repeat(bool (*one)(struct random *random), u64 nr, double seconds);

/* test_pages.c */
bool test_pages(void);

/* test_slice.c */
bool test_all_slices(void);
bool test_slices_without_memory(void);
bool test_large_slices(void);

/* test_large.c */
bool test_largest_simple(void);
bool test_largest_merged(void);
bool test_largest_striped(void);
bool test_largest_stripes(void);
bool test_million(void);
bool test_pairs(void);

/* test_claim.c */
bool test_claims(void);
bool test_claims_walk(void);
bool test_claims_long(void);

#endif /* _FMAP_TEST_H */
