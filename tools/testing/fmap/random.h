/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that look random, the same for the same seed everywhere
 */
#ifndef _FMAP_RANDOM_H
#define _FMAP_RANDOM_H

#include <linux/types.h>

struct random {
	u64 state;
};

/* splitmix64 */
static inline u64 random_u64(struct random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* A number from 0 to @n - 1 */
static inline u64 random_below(struct random *random, u64 n)
{
	return random_u64(random) % n;
}

/* True once in @n times */
static inline bool random_once_in(struct random *random, u64 n)
{
	return !random_below(random, n);
}

#endif /* _FMAP_RANDOM_H */
