// SPDX-License-Identifier: Apache-2.0
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "KMGT";

int famfs_size_parse(const char *text, uint64_t *size)
{
	unsigned int shift = 0;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*size = strtoull(text, &end, 0);
	if (errno)
		return -ERANGE;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit)
			return -EINVAL;
		shift = 10 * (unit - units + 1);
		end++;
		if (!strcasecmp(end, "iB") || !strcasecmp(end, "B"))
			end += strlen(end);
	}
	if (*end)
		return -EINVAL;
	if (*size > UINT64_MAX >> shift)
		return -ERANGE;
	*size <<= shift;
	return 0;
}

const char *famfs_size_text(uint64_t size, char text[FAMFS_SIZE_TEXT])
{
	uint64_t whole = size, rest = 0;
	int unit = -1;

	while (whole >= 1024 && units[unit + 1]) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(text, FAMFS_SIZE_TEXT, "%u", (unsigned int)whole);
	else if (!rest)
		snprintf(text, FAMFS_SIZE_TEXT, "%u%c", (unsigned int)whole,
			 units[unit]);
	else
		snprintf(text, FAMFS_SIZE_TEXT, "%u.%u%c",
			 (unsigned int)whole, (unsigned int)(rest * 10 / 1024),
			 units[unit]);
	return text;
}
