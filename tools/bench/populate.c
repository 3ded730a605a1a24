// SPDX-License-Identifier: Apache-2.0
/*
 * populate FILE LENGTH: what it takes to map the first LENGTH bytes of a file all at
 * once (MADV_POPULATE_READ), for each 2 MiB; for the first time, and once more.
 */
#include <fcntl.h>
#include <unistd.h>

#include "bench_map.h"

static void measure(const char *what, int fd, size_t len)
{
	char *p = bench_map(fd, 0, len, PROT_READ, false, 0);
	uint64_t start = bench_now();

	if (madvise(p, len, MADV_POPULATE_READ))
		bench_die("MADV_POPULATE_READ: %s", strerror(errno));
	bench_say(what, bench_now() - start, len / HUGE_PAGE);
	munmap(p, len);
}

int main(int argc, char **argv)
{
	size_t len;
	int fd;

	if (argc != 3) {
		fputs("Usage: populate FILE LENGTH\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY);
	if (fd < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	len = bench_size(argv[2]);
	measure("first", fd, len);
	measure("repeated", fd, len);
	return 0;
}
