// SPDX-License-Identifier: Apache-2.0
/*
 * fault_random FILE LENGTH COUNT: what a page fault of 4 KiB takes that touches any
 * of the file's first LENGTH bytes. All pages have been mapped before, in a mapping
 * of which only the page tables are left: the figure has neither their making in it
 * nor what a file system does for a page once.
 */
#include <fcntl.h>
#include <unistd.h>

#include "bench_map.h"

static uint64_t touch_all(char *p, size_t len, size_t count)
{
	uint64_t state = 1, start = bench_now();
	size_t i;

	for (i = 0; i < count; i++)
		bench_touch(p + bench_random(&state) % (len / PAGE) * PAGE, false);
	return bench_now() - start;
}

int main(int argc, char **argv)
{
	uint64_t faults, time;
	size_t len, count;
	char *p;
	int fd;

	if (argc != 4) {
		fputs("Usage: fault_random FILE LENGTH COUNT\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY);
	if (fd < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	len = bench_size(argv[2]);
	count = bench_size(argv[3]);
	p = bench_map(fd, 0, len, PROT_READ, true, 0);
	touch_all(p, len, count);
	if (madvise(p, len, MADV_DONTNEED))
		bench_die("MADV_DONTNEED: %s", strerror(errno));
	faults = bench_faults();
	time = touch_all(p, len, count);
	faults = bench_faults() - faults;
	if (faults < count / 2)
		bench_die("%ju faults only", (uintmax_t)faults);
	bench_say("fault", time, faults);
	return 0;
}
