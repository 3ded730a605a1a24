/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of TAP that the unit tests need, and media to try things on.
 */
#ifndef FAMFS_TAP_H
#define FAMFS_TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "super.h"
#include "volume.h"

/* One test point. Return: @pass. */
bool ok(bool pass, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A line that explains. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the output. Return: the exit status. */
int done(void);

/* An error was expected, with this errno and these words in its sentence. */
bool refused(int err, int want, const struct famfs_error *e, const char *words,
	     const char *name);

/* Numbers that only look random: every run tries the same. */
uint64_t rnd(uint64_t below);

/**
 * struct image - a device in memory, formatted
 * @dev: open for writing
 * @log: as it is on the media
 */
struct image {
	int memory;
	char path[32];
	struct famfs_dev dev;
	struct famfs_super super;
	struct famfs_log_header log;
};

void image_make(struct image *im, uint64_t size);
void image_drop(struct image *im);

/* Append without any check, as a broken or hostile writer would. */
void image_append(struct image *im, struct famfs_entry *entry);

/* Write a header with a good checksum, whatever it says. */
void image_put_header(struct image *im, struct famfs_log_header *h);

/* A sound file of @len bytes in one extent on device 0. */
struct famfs_entry file_entry(const char *path, uint64_t offset, uint64_t len);
struct famfs_entry mkdir_entry(const char *path);

#define MIB	(1UL << 20)
#define UNIT	FAMFS_ALLOC_UNIT
#define DATA	(FAMFS_LOG_OFFSET + FAMFS_LOG_LEN_MIN)	/* where it begins */

#endif /* FAMFS_TAP_H */
