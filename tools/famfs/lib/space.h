/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free ranges of one device. One structure answers both questions about
 * memory: is this range still free (replay), and where is one (allocation).
 */
#ifndef FAMFS_SPACE_H
#define FAMFS_SPACE_H

#include <stddef.h>
#include <stdint.h>

struct famfs_range {
	uint64_t start;
	uint64_t end;			/* the first byte behind it */
};

struct famfs_space {
	void *tree;			/* tsearch(3) of free famfs_range */
	uint64_t free;			/* bytes */
	uint64_t size;			/* bytes there were at the start */
};

/* All of @start to @end is free. Return: 0 or -ENOMEM. */
int famfs_space_init(struct famfs_space *s, uint64_t start, uint64_t end);
void famfs_space_fini(struct famfs_space *s);

/**
 * famfs_space_take - make a range used
 * @s: the device's space
 * @start: where it begins
 * @len: bytes, at least one
 *
 * Return: 0, -EEXIST if a part of it is not free, or -ENOMEM.
 */
int famfs_space_take(struct famfs_space *s, uint64_t start, uint64_t len);

/* Give back what was taken. Return: 0 or -ENOMEM (the range stays used). */
int famfs_space_give(struct famfs_space *s, uint64_t start, uint64_t len);

/**
 * famfs_space_fit - the smallest free range that holds @len bytes
 * @s: the device's space
 * @len: bytes
 * @fit: filled in
 *
 * Return: 0 or -ENOSPC.
 */
int famfs_space_fit(const struct famfs_space *s, uint64_t len,
		    struct famfs_range *fit);

/* The largest free range; empty if there is none. */
struct famfs_range famfs_space_largest(const struct famfs_space *s);

#endif /* FAMFS_SPACE_H */
