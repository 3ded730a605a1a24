/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User space stand-in: memory is counted and can be made to fail
 *
 * Each object is an allocation of its own, so that the address sanitizer sees
 * every byte outside of it.
 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>

/**
 * struct shim_memory - what the allocator did and shall do
 * @objects: objects that are allocated now
 * @bytes: their bytes
 * @peak: the most bytes at a time since it was last set
 * @fail_in: the allocation to fail, counted from 1; 0 is none
 */
struct shim_memory {
	long objects;
	size_t bytes;
	size_t peak;
	long fail_in;
};

extern struct shim_memory shim_memory;

void *shim_alloc(size_t size, bool zero);
void shim_free(const void *object);

#define kfree(p)	shim_free(p)
#define kvfree(p)	shim_free(p)

DEFINE_FREE(kfree, void *, kfree(_T))

#define kmalloc(size, gfp)	shim_alloc(size, false)
#define kzalloc_obj(var, gfp) \
	((typeof(var) *)shim_alloc(sizeof(var), true))
#define kzalloc_objs(var, nr, gfp) \
	((typeof(var) *)shim_alloc(size_mul(sizeof(var), nr), true))

#endif /* _SHIM_LINUX_SLAB_H */
