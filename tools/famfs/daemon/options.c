// SPDX-License-Identifier: Apache-2.0
/*
 * The command line, as mount(8) calls its helpers and as people type it.
 */
#include "daemon.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
"Usage: mount.fuse.famfs DEVICE DIRECTORY [-o option,...]\n"
"   or: mount -t fuse.famfs DEVICE DIRECTORY [-o option,...]\n"
"Mount the famfs whose primary device is DEVICE.\n"
"\n"
"  -o device=PATH  look here for the further devices (again for each);\n"
"                  default: all DAX devices\n"
"  -o nobind       do not bind devices to the fs-dax driver\n"
"  -o client       never write the log, even on the master\n"
"  -o no_store     let the kernel ask for the map of a file that is opened,\n"
"                  instead of giving it unasked (-o store, the default)\n"
"  -o ro, ...      as for every mount\n"
"  -f              stay in the foreground\n"
"  -d, -o debug    print every request; implies -f\n"
"  -h, -V          this text; the version\n";

/* For mount(8) and fstab, or about times, which are not kept. */
static const char * const passed_over[] = {
	"defaults", "auto", "noauto", "nofail", "_netdev", "user", "users",
	"nouser", "owner", "group", "rw", "relatime", "norelatime",
	"strictatime", "nostrictatime", "lazytime", "nolazytime",
	"nodiratime", "diratime", "allow_other", "default_permissions",
};

static bool pass_over(const char *opt)
{
	size_t i;

	if (!*opt || !strncmp(opt, "x-", 2) || !strncmp(opt, "comment=", 8))
		return true;
	for (i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++)
		if (!strcmp(opt, passed_over[i]))
			return true;
	return false;
}

static int add_given(struct famfsd_options *opt, const char *path,
		     struct famfs_error *e)
{
	int i = 0;

	while (opt->given[i])
		i++;
	if (i == FAMFS_MAX_DEVICES)
		return famfs_fail(e, -EINVAL, "too many devices");
	opt->given[i] = realpath(path, NULL);
	/* A device without a driver has no node yet. */
	if (!opt->given[i])
		opt->given[i] = strdup(path);
	return opt->given[i] ? 0 : famfs_fail(e, -ENOMEM, "out of memory");
}

/* One option of -o: ours, nobody's, or libfuse's. */
static int take_option(struct famfsd_options *opt, const char *o,
		       struct famfs_error *e)
{
	if (!strncmp(o, "device=", 7))
		return add_given(opt, o + 7, e);
	if (!strcmp(o, "remount"))
		return famfs_fail(e, -EINVAL, "cannot remount; unmount and mount again");
	if (!strcmp(o, "nobind"))
		opt->bind = false;
	else if (!strcmp(o, "client"))
		opt->client = true;
	else if (!strcmp(o, "store"))
		opt->store = true;
	else if (!strcmp(o, "no_store"))
		opt->store = false;
	else if (!strcmp(o, "debug"))
		opt->debug = true;
	else if (!pass_over(o) && fuse_opt_add_opt_escaped(&opt->kernel_opts, o))
		return famfs_fail(e, -ENOMEM, "out of memory");
	if (!strcmp(o, "ro"))
		opt->read_only = true;
	return 0;
}

static int take_list(struct famfsd_options *opt, const char *list,
		     struct famfs_error *e)
{
	char *copy = strdup(list), *rest = copy, *o;
	int err = copy ? 0 : famfs_fail(e, -ENOMEM, "out of memory");

	while (!err && (o = strsep(&rest, ",")))
		err = take_option(opt, o, e);
	free(copy);
	return err;
}

static int take_places(struct famfsd_options *opt, char **argv, int n,
		       struct famfs_error *e)
{
	if (n != 2)
		return famfs_fail(e, -EINVAL, "a device and a directory are needed; try --help");
	opt->device = strdup(argv[0]);
	if (!opt->device)
		return famfs_fail(e, -ENOMEM, "out of memory");
	/* The daemon leaves the folder that a relative path is told from. */
	opt->mountpoint = realpath(argv[1], NULL);
	if (!opt->mountpoint)
		return famfs_fail(e, -errno, "mount point %s: %s", argv[1],
				  strerror(errno));
	return 0;
}

int famfsd_parse(struct famfsd_options *opt, int argc, char **argv,
		 struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c, err = 0;

	memset(opt, 0, sizeof(*opt));
	opt->bind = true;
	opt->store = true;
	while (!err && (c = getopt_long(argc, argv, "o:N:t:vnsrwfdhV", longs,
					NULL)) != -1) {
		switch (c) {
		case 'o':
			err = take_list(opt, optarg, e);
			break;
		case 'r':
			err = take_option(opt, "ro", e);
			break;
		case 'f':
			opt->foreground = true;
			break;
		case 'd':
			opt->debug = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("mount.fuse.famfs " FAMFS_VERSION);
			exit(0);
		case '?':
			return famfs_fail(e, -EINVAL, "try --help");
		}
	}
	if (opt->debug)
		opt->foreground = true;
	return err ? err : take_places(opt, argv + optind, argc - optind, e);
}

void famfsd_options_free(struct famfsd_options *opt)
{
	int i;

	for (i = 0; opt->given[i]; i++)
		free(opt->given[i]);
	free(opt->kernel_opts);
	free(opt->mountpoint);
	free(opt->device);
}
