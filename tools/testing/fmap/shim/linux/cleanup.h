/* SPDX-License-Identifier: GPL-2.0 */
/* User space stand-in: what is freed when its name goes out of scope */
#ifndef _SHIM_LINUX_CLEANUP_H
#define _SHIM_LINUX_CLEANUP_H

#define DEFINE_FREE(name, type, free)					\
static inline void __free_##name(void *p)				\
{									\
	type _T = *(type *)p;						\
									\
	free;								\
}

#define __free(name)	__attribute__((__cleanup__(__free_##name)))

#endif /* _SHIM_LINUX_CLEANUP_H */
