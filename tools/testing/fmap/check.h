/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A piece of the kernel's against the oracle, and how a test says no
 */
#ifndef _FMAP_CHECK_H
#define _FMAP_CHECK_H

#include <stdio.h>

#include "../../../fs/fuse/fmap_map.h"
#include "message.h"
#include "oracle.h"

/* Ends a function that returns whether all was well */
#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			return false; \
		} \
	} while (0)

/* check.c */
int decode(const struct message *msg, struct fmap_message *got);
bool check_position(const struct fmap_piece *piece,
		    const struct oracle *oracle, u64 pos, u64 len);
bool check_message(const struct message *msg, struct random *random);

/* check_claim.c */
bool check_bytes(const struct fmap_piece *piece, size_t nr_records);
bool check_claims_named(const struct fmap_piece *piece,
			const struct oracle *oracle);
bool check_claims_used(const struct fmap_piece *piece,
		       const struct oracle *oracle);

/* check_slice.c */
bool check_slice(const struct fmap_piece *piece, const struct oracle *oracle,
		 u64 start, u64 end);
bool check_slices(const struct fmap_piece *piece, const struct oracle *oracle,
		  struct random *random);

#endif /* _FMAP_CHECK_H */
