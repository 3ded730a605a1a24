/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes as people write them: 4096, 64K, 8M, 2G, 1T; also 8MiB.
 */
#ifndef FAMFS_SIZE_H
#define FAMFS_SIZE_H

#include <stdint.h>

#define FAMFS_SIZE_TEXT	16

/* Return: 0, -EINVAL for what is no size, -ERANGE for too much. */
int famfs_size_parse(const char *text, uint64_t *size);

/* The shortest exact text, or one with a decimal: "2M", "1.4G". */
const char *famfs_size_text(uint64_t size, char text[FAMFS_SIZE_TEXT]);

#endif /* FAMFS_SIZE_H */
