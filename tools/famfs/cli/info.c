// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "size.h"

static const char usage[] =
"Usage: famfs info [DIRECTORY]\n"
"Show the file system that DIRECTORY (default: .) is on: its devices and space.\n";

static void print(const struct famfs_ioc_info *info)
{
	char a[FAMFS_SIZE_TEXT], b[FAMFS_SIZE_TEXT], c[FAMFS_SIZE_TEXT];
	char uuid[37];
	uint32_t i;

	uuid_unparse_lower(info->fs_uuid, uuid);
	printf("file system  %s\n", uuid);
	uuid_unparse_lower(info->system_uuid, uuid);
	printf("master host  %s%s\n", uuid,
	       info->master ? " (this mount can make files)" : "");
	printf("log          %" PRIu64 " of %" PRIu64 " entries\n",
	       info->log_used, info->log_slots);
	printf("holds        %" PRIu64 " files, %" PRIu64 " directories\n",
	       info->nfiles, info->ndirs);
	printf("\n%5s %-12s %8s %8s %14s\n", "index", "device", "size", "free",
	       "in one piece");
	for (i = 0; i < info->ndevs; i++)
		printf("%5u %-12s %8s %8s %14s\n", i,
		       info->dev[i].name[0] ? info->dev[i].name : "(missing)",
		       famfs_size_text(info->dev[i].size, a),
		       famfs_size_text(info->dev[i].free, b),
		       famfs_size_text(info->dev[i].largest, c));
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	struct famfs_ioc_info info;
	int fd;

	if (argc > 2) {
		famfs_fail(e, -EINVAL, "one directory; try --help");
		return 2;
	}
	fd = mount_open(argc == 2 ? argv[1] : ".", &info, e);
	if (fd < 0)
		return 1;
	close(fd);
	print(&info);
	return 0;
}

const struct command cmd_info = {
	"info", "show devices and free space", usage, run,
};
