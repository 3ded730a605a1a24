// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
"Usage: famfs mkdir [-p] [-m MODE] DIRECTORY...\n"
"Make directories.\n"
"\n"
"  -p, --parents     also the directories above, if they are not there\n"
"  -m, --mode MODE   with these permissions, in octal, whatever the umask\n";

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int make(const char *path, uint32_t mode, struct famfs_error *e)
{
	struct place p;
	int err = place_open(&p, path, e);

	if (err)
		return err;
	if (mkdirat(p.dir, p.name, mode)) {
		err = -errno;
		if (err == -EROFS)
			say_read_only(path, &p.info, e);
		else
			famfs_fail(e, err, "%s: %s", path, strerror(-err));
	}
	place_close(&p);
	return err;
}

static int make_parents(const char *path, uint32_t mode, mode_t mask,
			struct famfs_error *e)
{
	char *copy = strdup(path), *slash;
	int err = copy ? 0 : famfs_fail(e, -ENOMEM, "out of memory");

	/* A leading slash is not between two names. */
	slash = err ? NULL : strchr(copy + strspn(copy, "/"), '/');
	for (; !err && slash; slash = strchr(slash, '/')) {
		*slash = '\0';
		if (!is_dir(copy))
			err = make(copy, 0777 & ~mask, e);
		*slash = '/';
		slash += strspn(slash, "/");
	}
	free(copy);
	if (err || is_dir(path))
		return err;
	return make(path, mode, e);
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "parents", no_argument, NULL, 'p' },
		{ "mode", required_argument, NULL, 'm' },
		{ 0 },
	};
	mode_t mask = umask(0);	/* applied here, and not to -m */
	uint32_t mode = 0777 & ~mask;
	bool parents = false;
	int c, err = 0;

	while ((c = getopt_long(argc, argv, "pm:", longs, NULL)) != -1) {
		if (c == 'p')
			parents = true;
		else if (c != 'm' || parse_mode(optarg, &mode, e))
			return 2;
	}
	if (optind == argc) {
		famfs_fail(e, -EINVAL, "which directory? Try --help");
		return 2;
	}
	for (; !err && optind < argc; optind++)
		err = parents ? make_parents(argv[optind], mode, mask, e) :
			make(argv[optind], mode, e);
	return err ? 1 : 0;
}

const struct command cmd_mkdir = {
	"mkdir", "make directories", usage, run,
};
