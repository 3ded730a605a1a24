/* SPDX-License-Identifier: GPL-2.0 */
/* What the page tables hold of a mapping, by PAGEMAP_SCAN */
#ifndef FMAP_PAGES_H
#define FMAP_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/fs.h>

/* Pages of 4 KiB among these that have all these categories, or -errno */
long fmap_pages(void *p, size_t len, uint64_t categories);

/* Are all of these bytes mapped by pages of 2 MiB? Or none of them? */
bool fmap_all_huge(void *p, size_t len);
bool fmap_none_huge(void *p, size_t len);

/* May this process load or store here? Touches the byte, and stores 0. */
bool fmap_may_load(char *p);
bool fmap_may_store(char *p);

#endif /* FMAP_PAGES_H */
