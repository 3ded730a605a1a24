/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that stand in files of their own; true is passed
 */
#ifndef _FMAP_TEST_H
#define _FMAP_TEST_H

#include <linux/types.h>

/* test_large.c */
bool test_largest_simple(void);
bool test_largest_merged(void);
bool test_largest_striped(void);
bool test_largest_stripes(void);

/* test_claim.c */
bool test_claims(void);
bool test_claims_walk(void);
bool test_claims_long(void);

#endif /* _FMAP_TEST_H */
