// SPDX-License-Identifier: GPL-2.0
/*
 * fmap_mappings NUMBER: what it takes to take back the map of a file that has NUMBER
 * mappings with a page each, all of them touched: "inval", nanoseconds, and "refault",
 * the same for a mapping's next touch, which asks the server
 *
 * The file is a page of the first of the two devices that FAMFS_DAXDEVS names.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fmap_command.h"
#include "fmap_util.h"

#define MAX_MAPPINGS	50000UL	/* vm.max_map_count is 65530 */

/* 0 or -errno */
static int map_and_touch(int fd, unsigned long nr, char **last)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		*last = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
		if (*last == MAP_FAILED)
			return -errno;
		fmap_touch(*last, PG, PG, false);
	}

	return 0;
}

static int measure(struct fmap_server *s, uint64_t nodeid, int fd,
		   unsigned long nr)
{
	uint64_t start, inval;
	char *last = NULL;

	errno = -map_and_touch(fd, nr, &last);
	if (errno)
		return fmap_command_complain("mapping the file");
	start = fmap_now();
	errno = -fmap_inval(s, nodeid, 0, 0);
	inval = fmap_now() - start;
	if (errno)
		return fmap_command_complain("taking the map back");
	start = fmap_now();
	fmap_touch(last, PG, PG, false);
	printf("inval %llu\nrefault %llu\n", (unsigned long long)inval,
	       (unsigned long long)(fmap_now() - start));
	if (s->count[FUSE_GET_FMAP] == 2)
		return 0;
	errno = EPROTO;

	return fmap_command_complain("the map was not asked for once more");
}

int main(int argc, char **argv)
{
	static const struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, 0, PG) };
	static const struct fmap_layout l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
							PG, ext);
	unsigned long nr = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct fmap_server *s;
	int fd, status;

	if (!nr || nr > MAX_MAPPINGS) {
		fprintf(stderr, "usage: fmap_mappings NUMBER, of %lu at most\n",
			MAX_MAPPINGS);
		return FMAP_COMMAND_FAILED;
	}
	errno = fmap_dax_find() < 2 ? ENODEV : 0;
	if (errno)
		return fmap_command_complain("two DAX nodes in fs-dax mode");
	errno = -fmap_test_begin();
	if (errno)
		return fmap_command_complain("a mount namespace");
	s = fmap_test_serve(&(struct fmap_config) { }, "file", &l);
	if (!s) {
		errno = EIO;
		return fmap_command_complain("a server");
	}
	fd = fmap_open(s, "file", O_RDONLY);
	errno = fd < 0 ? -fd : 0;
	status = fd < 0 ? fmap_command_complain("the file") :
			  measure(s, s->file[0].nodeid, fd, nr);
	close(fd);
	fmap_server_free(s);

	return status;
}
