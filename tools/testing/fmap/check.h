/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A map of the kernel's against the oracle, and how a test says no
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

bool check_map(const struct fmap *map, const struct oracle *oracle);
bool check_position(const struct fmap *map, const struct oracle *oracle,
		    u64 pos, u64 len);
bool check_look_up(const struct fmap *map, const struct oracle *oracle,
		   struct random *random);
bool check_message(const u8 *msg, size_t len, struct random *random);

#endif /* _FMAP_CHECK_H */
