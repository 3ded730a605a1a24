/* SPDX-License-Identifier: GPL-2.0 */
/* What tools/include lacks */
#ifndef _SHIM_LINUX_OVERFLOW_H
#define _SHIM_LINUX_OVERFLOW_H

#include_next <linux/overflow.h>
#include <stdint.h>

static inline size_t __must_check size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

#endif /* _SHIM_LINUX_OVERFLOW_H */
