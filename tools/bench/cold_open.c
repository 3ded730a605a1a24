// SPDX-License-Identifier: Apache-2.0
/*
 * cold_open FILE...: what it takes to look up, open for the first time, open once
 * more and look at files that this mount has not seen yet. Prints nanoseconds a file.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS	5	/* of what can be done again */

static int look_up(const char *path)
{
	struct stat st;

	return stat(path, &st);
}

static int open_close(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fd : close(fd);
}

/* The median of rounds: in one of them something else may have gone on as well */
static void measure(const char *what, int (*act)(const char *path),
		    char **paths, int n, size_t rounds)
{
	uint64_t samples[ROUNDS], start;
	size_t round;
	int i;

	for (round = 0; round < rounds; round++) {
		start = bench_now();
		for (i = 0; i < n; i++) {
			if (act(paths[i]))
				bench_die("%s: %s", paths[i], strerror(errno));
		}
		samples[round] = bench_now() - start;
	}
	bench_say(what, bench_median(samples, rounds), n);
}

int main(int argc, char **argv)
{
	char **paths = argv + 1;
	int n = argc - 1;

	if (n < 1) {
		fputs("Usage: cold_open FILE...\n", stderr);
		return 2;
	}
	measure("lookup", look_up, paths, n, 1);
	measure("cold", open_close, paths, n, 1);
	measure("warm", open_close, paths, n, ROUNDS);
	measure("stat", look_up, paths, n, ROUNDS);
	return 0;
}
