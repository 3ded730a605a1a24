// SPDX-License-Identifier: Apache-2.0
/*
 * mapio - use a file through a mapping
 *
 *   mapio get FILE OFFSET LENGTH     bytes of the mapping to stdout
 *   mapio put FILE OFFSET            bytes of stdin into the mapping, then msync
 *   mapio sync FILE OFFSET           the same with MAP_SYNC, where the program
 *                                    writes back the CPU's caches, not the kernel
 *   mapio flush FILE                 write back and drop the CPU's cache lines of
 *                                    all of it: another host may have stored there
 *   mapio hold FILE                  map all of it, touch each page, say
 *                                    "ready", wait for stdin to end, touch
 *                                    the pages again and say "same"
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	4096
#define LINE	64

#ifndef MAP_SYNC
#define MAP_SYNC		0x080000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE	0x03
#endif

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned char *map_file(const char *path, int write, int flags,
			       size_t *size)
{
	int fd = open(path, write ? O_RDWR : O_RDONLY);
	unsigned char *map;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	*size = st.st_size;
	map = mmap(NULL, *size, write ? PROT_READ | PROT_WRITE : PROT_READ,
		   flags, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	close(fd);
	return map;
}

static unsigned long sum(const unsigned char *map, size_t size)
{
	unsigned long n = 0;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		n = n * 31 + map[i];
	return n;
}

static int hold(const char *path)
{
	unsigned long before;
	size_t size;
	unsigned char *map = map_file(path, 0, MAP_SHARED, &size);

	before = sum(map, size);
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (sum(map, size) != before)
		return 1;
	puts("same");
	return 0;
}

static int get(const char *path, size_t off, size_t len)
{
	size_t size;
	unsigned char *map = map_file(path, 0, MAP_SHARED, &size);

	if (off > size || len > size - off) {
		fprintf(stderr, "%s: has %zu bytes\n", path, size);
		return 1;
	}
	return fwrite(map + off, 1, len, stdout) != len;
}

/* Lines that are written back have left the CPU when the fence is done. */
static void flush_lines(const unsigned char *p, size_t len)
{
	const unsigned char *end = p + len;

	for (p -= (uintptr_t)p % LINE; p < end; p += LINE)
		__builtin_ia32_clflush(p);
	__builtin_ia32_mfence();
}

static int flush(const char *path)
{
	size_t size;
	unsigned char *map = map_file(path, 0, MAP_SHARED, &size);

	__builtin_ia32_mfence();
	flush_lines(map, size);
	return 0;
}

static int put(const char *path, size_t off, int flags)
{
	size_t size, at = off;
	unsigned char *map = map_file(path, 1, flags, &size);
	int c;

	while ((c = getchar()) != EOF) {
		if (at >= size)
			return 1;
		map[at++] = c;
	}
	if (flags & MAP_SYNC)
		flush_lines(map + off, at - off);
	else if (msync(map, size, MS_SYNC))
		die("msync");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "get"))
		return get(argv[2], strtoul(argv[3], NULL, 0),
			   strtoul(argv[4], NULL, 0));
	if (argc == 4 && !strcmp(argv[1], "put"))
		return put(argv[2], strtoul(argv[3], NULL, 0), MAP_SHARED);
	if (argc == 4 && !strcmp(argv[1], "sync"))
		return put(argv[2], strtoul(argv[3], NULL, 0),
			   MAP_SHARED_VALIDATE | MAP_SYNC);
	if (argc == 3 && !strcmp(argv[1], "flush"))
		return flush(argv[2]);
	fputs("usage: mapio get|put|sync|flush|hold FILE ...\n", stderr);
	return 2;
}
