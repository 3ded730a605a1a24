// SPDX-License-Identifier: Apache-2.0
/*
 * scan EXTENTS: what it takes to find a place in a list of extents that is searched from
 * its start, as a message has it: with lengths only.
 */
#include "bench.h"

#define SAMPLES	9

/* 24 bytes, as an extent has in a message */
struct extent {
	uint64_t device;
	uint64_t offset;
	uint64_t length;
};

static uint64_t find(const struct extent *list, uint64_t pos)
{
	while (pos >= list->length)
		pos -= list++->length;
	return list->offset + pos;
}

static uint64_t search(const struct extent *list, size_t nr, size_t count)
{
	static volatile uint64_t found;
	uint64_t state = 1, start = bench_now();

	while (count--)
		found = find(list, bench_random(&state) % nr * PAGE);
	(void)found;
	return bench_now() - start;
}

int main(int argc, char **argv)
{
	uint64_t samples[SAMPLES];
	struct extent *list;
	size_t nr, i, count;

	nr = argc == 2 ? bench_size(argv[1]) : 0;
	if (!nr) {
		fputs("Usage: scan EXTENTS\n", stderr);
		return 2;
	}
	list = calloc(nr, sizeof(*list));
	if (!list)
		bench_die("no memory");
	for (i = 0; i < nr; i++)
		list[i] = (struct extent){ 0, i * 2 * PAGE, PAGE };
	count = 1000000 / nr + 100;
	for (i = 0; i < SAMPLES; i++)
		samples[i] = search(list, nr, count);
	bench_say("search", bench_median(samples, SAMPLES), count);
	free(list);
	return 0;
}
