/* SPDX-License-Identifier: GPL-2.0 */
/* User space stand-in: one allocator for all */
#ifndef _SHIM_LINUX_VMALLOC_H
#define _SHIM_LINUX_VMALLOC_H

#include <linux/slab.h>

#define __vmalloc(size, gfp)	shim_alloc(size, false)

#endif /* _SHIM_LINUX_VMALLOC_H */
