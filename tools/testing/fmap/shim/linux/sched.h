/* SPDX-License-Identifier: GPL-2.0 */
/* User space stand-in: for lib/sort.c */
#ifndef _SHIM_LINUX_SCHED_H
#define _SHIM_LINUX_SCHED_H

#define cond_resched()	do { } while (0)

#endif /* _SHIM_LINUX_SCHED_H */
