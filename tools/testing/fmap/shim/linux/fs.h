/* SPDX-License-Identifier: GPL-2.0 */
/* User space stand-in: as on a machine of 64 bits */
#ifndef _SHIM_LINUX_FS_H
#define _SHIM_LINUX_FS_H

#include <limits.h>
#include <linux/types.h>

#define MAX_LFS_FILESIZE	((long long)LLONG_MAX)

#endif /* _SHIM_LINUX_FS_H */
