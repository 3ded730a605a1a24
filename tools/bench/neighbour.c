// SPDX-License-Identifier: Apache-2.0
/*
 * neighbour FILE OFFSET: what a write of 4 KiB takes into 2 MiB at OFFSET of a file
 * that nobody maps, and then when another process has mapped and touched them; and
 * how many times in a hundred that process faults at its next touch.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_map.h"

#define ROUNDS	100

static void write_page(int fd, uint64_t offset)
{
	static char page[PAGE];

	if (pwrite(fd, page, PAGE, offset) != PAGE)
		bench_die("write: %s", strerror(errno));
}

/* A mapper that touches its page whenever it is sent a byte, and answers faults */
static void mapper(int fd, uint64_t offset, int in, int out)
{
	char *p = bench_map(fd, offset, HUGE_PAGE, PROT_READ, false, 0);
	char byte;

	bench_touch(p, false);
	while (read(in, &byte, 1) == 1) {
		uint64_t before = bench_faults();

		bench_touch(p + HUGE_PAGE / 2, false);
		byte = bench_faults() - before;
		if (write(out, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static unsigned int ask(int to, int from)
{
	char byte = 0;

	if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
		bench_die("the other process is gone");
	return byte;
}

int main(int argc, char **argv)
{
	uint64_t offset, start, time = 0, faults = 0;
	int fd, to[2], from[2], i;

	if (argc != 3) {
		fputs("Usage: neighbour FILE OFFSET\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || pipe(to) || pipe(from))
		bench_die("%s: %s", argv[1], strerror(errno));
	offset = bench_size(argv[2]);

	write_page(fd, offset);
	start = bench_now();
	for (i = 0; i < ROUNDS; i++)
		write_page(fd, offset);
	bench_say("unmapped", bench_now() - start, ROUNDS);

	if (!fork()) {
		close(to[1]);
		close(from[0]);
		mapper(fd, offset, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	ask(to[1], from[0]);
	for (i = 0; i < ROUNDS; i++) {
		start = bench_now();
		write_page(fd, offset);
		time += bench_now() - start;
		faults += ask(to[1], from[0]);
	}
	bench_say("mapped", time, ROUNDS);
	bench_say("refaults", faults * 100, ROUNDS);
	close(to[1]);
	wait(NULL);
	return 0;
}
