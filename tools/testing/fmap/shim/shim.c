// SPDX-License-Identifier: GPL-2.0
/*
 * User space stand-ins for what is not a header: memory, memchr_inv()
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>
#include <linux/string.h>

struct shim_memory shim_memory;

void *shim_alloc(size_t size, bool zero)
{
	void *object;

	if (shim_memory.fail_in && !--shim_memory.fail_in)
		return NULL;
	object = malloc(size);
	if (!object)
		return NULL;
	/* Not zero where the kernel promises nothing */
	memset(object, zero ? 0 : 0xa5, size);

	shim_memory.objects++;
	shim_memory.bytes += malloc_usable_size(object);
	if (shim_memory.peak < shim_memory.bytes)
		shim_memory.peak = shim_memory.bytes;
	return object;
}

void shim_free(const void *object)
{
	if (!object)
		return;
	shim_memory.objects--;
	shim_memory.bytes -= malloc_usable_size((void *)object);
	free((void *)object);
}

void *memchr_inv(const void *start, int c, size_t bytes)
{
	const unsigned char *byte = start;

	for (size_t i = 0; i < bytes; i++) {
		if (byte[i] != (unsigned char)c)
			return (void *)(byte + i);
	}
	return NULL;
}
