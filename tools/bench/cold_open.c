// SPDX-License-Identifier: Apache-2.0
/*
 * cold_open FILE...: what it takes to look up, open for the first time and open
 * once more files that this mount has not seen yet. Prints nanoseconds a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

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

static void measure(const char *what, int (*act)(const char *path),
		    char **paths, int n)
{
	uint64_t start = now();
	int i;

	for (i = 0; i < n; i++) {
		if (act(paths[i])) {
			fprintf(stderr, "cold_open: %s: %s\n", paths[i],
				strerror(errno));
			exit(1);
		}
	}
	printf("%s %ju\n", what, (uintmax_t)((now() - start) / n));
}

int main(int argc, char **argv)
{
	char **paths = argv + 1;
	int n = argc - 1;

	if (n < 1) {
		fputs("Usage: cold_open FILE...\n", stderr);
		return 2;
	}
	measure("lookup", look_up, paths, n);
	measure("cold", open_close, paths, n);
	measure("warm", open_close, paths, n);
	return 0;
}
