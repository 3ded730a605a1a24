// SPDX-License-Identifier: Apache-2.0
/*
 * fault FILE OFFSET LENGTH 4k|2m read|write: what a page fault takes, when the part
 * of the file is mapped for the first time, and when it had been mapped before. For
 * the first figure to be one, nobody may have touched the part since its file
 * system was mounted.
 *
 * A fault can map pages around it as well; the figure is for the fault. It is the
 * median of samples.
 */
#include <fcntl.h>
#include <unistd.h>

#include "bench_map.h"

/* Page faults whose time is taken together; less than what tmpfs maps at once */
#define SAMPLE	16

struct part {
	int fd;
	uint64_t offset;
	size_t len;
	bool small;
	bool write;
};

/* Pages that are mapped small are looked for, since their faults cost less each */
static void check_large(char *p, size_t len)
{
	uint64_t before = bench_faults();
	size_t i;

	for (i = 0; i < len; i += PAGE)
		bench_touch(p + i, false);
	if (bench_faults() != before)
		bench_die("pages of 2 MiB were not to be had");
}

/* Touches the next pages of a sample: nanoseconds for each fault */
static uint64_t touch(char *p, size_t step, bool write)
{
	uint64_t faults = bench_faults(), start = bench_now(), time;
	int i;

	for (i = 0; i < SAMPLE; i++)
		bench_touch(p + i * step, write);
	time = bench_now() - start;
	faults = bench_faults() - faults;
	if (!faults)
		bench_die("nothing had to be mapped");
	return time / faults;
}

static void measure(const char *what, const struct part *part)
{
	size_t step = part->small ? PAGE : HUGE_PAGE;
	int prot = part->write ? PROT_READ | PROT_WRITE : PROT_READ;
	size_t i, nr = part->len / step / SAMPLE;
	uint64_t *samples = calloc(nr, sizeof(*samples));
	char *p;

	if (!samples)
		bench_die("no memory, or no LENGTH");
	p = bench_map(part->fd, part->offset, part->len, prot, part->small, 0);
	for (i = 0; i < nr; i++)
		samples[i] = touch(p + i * step * SAMPLE, step, part->write);
	bench_say(what, bench_median(samples, nr), 1);
	if (!part->small)
		check_large(p, part->len);
	munmap(p, part->len);
	free(samples);
}

int main(int argc, char **argv)
{
	struct part part;

	if (argc != 6) {
		fputs("Usage: fault FILE OFFSET LENGTH 4k|2m read|write\n", stderr);
		return 2;
	}
	part.offset = bench_size(argv[2]);
	part.len = bench_size(argv[3]);
	part.small = bench_choose(argv[4], "2m", "4k");
	part.write = bench_choose(argv[5], "read", "write");
	if (part.len % (SAMPLE * HUGE_PAGE) && !part.small)
		bench_die("the length is not a multiple of %lu", SAMPLE * HUGE_PAGE);
	part.fd = open(argv[1], part.write ? O_RDWR : O_RDONLY);
	if (part.fd < 0)
		bench_die("%s: %s", argv[1], strerror(errno));
	measure("first", &part);
	measure("repeated", &part);
	return 0;
}
