/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel knows of an inode: how many of its lookups it has not
 * forgotten, and whether it has the map. It needs to be told a map once in an
 * inode's life, which ends when all lookups are forgotten.
 *
 * To be wrong here costs time only: a map that was not told is asked for, and
 * one that is told twice is mapped anew. These functions lock by themselves.
 */
#ifndef FAMFS_KNOWN_H
#define FAMFS_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

enum famfs_map_known {
	FAMFS_MAP_UNTOLD,
	FAMFS_MAP_BEING_TOLD,
	FAMFS_MAP_TOLD,
};

struct famfs_known {
	uint64_t lookups;
	enum famfs_map_known map;
};

/* The kernel gets @n lookups more; or has forgotten so many. */
void famfs_known_look(struct famfs_known *k, uint64_t n);
void famfs_known_forget(struct famfs_known *k, uint64_t n);

/* The kernel has asked for the map and has got it. */
void famfs_known_told(struct famfs_known *k);

/**
 * famfs_known_begin - is this the time to tell the map unasked
 * @k: of the inode
 *
 * Waits while another thread tells it, so that no map is told twice and none
 * who comes second goes on without it.
 *
 * Return: true if so; the caller then calls famfs_known_end().
 */
bool famfs_known_begin(struct famfs_known *k);
void famfs_known_end(struct famfs_known *k, bool told);

#endif /* FAMFS_KNOWN_H */
