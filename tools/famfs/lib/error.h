/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that travel as an errno and a sentence for the person who reads it.
 */
#ifndef FAMFS_ERROR_H
#define FAMFS_ERROR_H

#include <errno.h>

#define FAMFS_ERROR_MAX	512

struct famfs_error {
	char text[FAMFS_ERROR_MAX];
};

/**
 * famfs_fail - note what went wrong
 * @e: where the sentence goes; may be NULL
 * @err: negative errno
 * @fmt: the sentence, without a full stop or a newline
 *
 * Return: @err, so that callers can return at once.
 */
int famfs_fail(struct famfs_error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * famfs_wrap - say in front of a sentence what was being done
 * @e: holds the sentence; may be NULL
 * @err: negative errno
 * @fmt: the words to put before it
 *
 * Return: @err.
 */
int famfs_wrap(struct famfs_error *e, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* FAMFS_ERROR_H */
