/* SPDX-License-Identifier: GPL-2.0 */
/* User space stand-in: GFP_KERNEL is in tools/include already */
#ifndef _SHIM_LINUX_GFP_H
#define _SHIM_LINUX_GFP_H

#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT	GFP_KERNEL

#endif /* _SHIM_LINUX_GFP_H */
