// SPDX-License-Identifier: Apache-2.0
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int famfs_fail(struct famfs_error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return err;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}

int famfs_wrap(struct famfs_error *e, int err, const char *fmt, ...)
{
	char what[FAMFS_ERROR_MAX];
	size_t len;
	va_list ap;

	if (!e)
		return err;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);

	/* What does not fit is cut from the end of the old sentence. */
	len = strnlen(what, sizeof(what) - 3);
	memmove(e->text + len + 2, e->text, sizeof(e->text) - len - 2);
	memcpy(e->text, what, len);
	memcpy(e->text + len, ": ", 2);
	e->text[sizeof(e->text) - 1] = '\0';
	return err;
}
