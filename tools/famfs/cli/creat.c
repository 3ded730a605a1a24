// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <getopt.h>

#include "size.h"

static const char usage[] =
"Usage: famfs creat -s SIZE [options] FILE...\n"
"Make files of SIZE bytes; their memory is allocated now and holds what it held.\n"
"\n"
"  -s, --size SIZE      bytes, or with K, M, G or T\n"
LAYOUT_USAGE;

static int make(const struct layout *l, const char *path, uint64_t size,
		struct famfs_error *e)
{
	struct place p;
	int err = place_open(&p, path, e);

	if (err)
		return err;
	err = layout_create(l, &p, size, path, e);
	place_close(&p);
	return err;
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "size", required_argument, NULL, 's' },
		LAYOUT_LONG,
		{ 0 },
	};
	struct layout l = { .mode = 0666 & ~current_umask() };
	uint64_t size = UINT64_MAX;
	int c;

	while ((c = getopt_long(argc, argv, "s:" LAYOUT_SHORT, longs,
				NULL)) != -1) {
		if (c == 's') {
			if (!famfs_size_parse(optarg, &size))
				continue;
			famfs_fail(e, -EINVAL, "'%s' is not a size", optarg);
			return 2;
		}
		if (layout_option(&l, c, optarg, e))
			return 2;
	}
	if (size == UINT64_MAX || optind == argc) {
		famfs_fail(e, -EINVAL, "a size and a file are needed; try --help");
		return 2;
	}
	for (; optind < argc; optind++)
		if (make(&l, argv[optind], size, e))
			return 1;
	return 0;
}

const struct command cmd_creat = {
	"creat", "make a file of a given size", usage, run,
};
