// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char usage[] =
"Usage: famfs stats [-o FILE] DIRECTORY [-- COMMAND...]\n"
"Show how many requests the kernel has sent to the daemon of a mount, by kind;\n"
"with COMMAND, run it and show those that came meanwhile. Exits as COMMAND does.\n"
"\n"
"  -o, --output FILE   write the counts there, away from what COMMAND says\n";

/* As in <linux/fuse.h>, up to the two that carry maps. */
static const char *const names[FAMFS_IOC_OPCODES] = {
	[0] = "other", [1] = "LOOKUP", [2] = "FORGET", [3] = "GETATTR",
	[4] = "SETATTR", [5] = "READLINK", [6] = "SYMLINK", [8] = "MKNOD",
	[9] = "MKDIR", [10] = "UNLINK", [11] = "RMDIR", [12] = "RENAME",
	[13] = "LINK", [14] = "OPEN", [15] = "READ", [16] = "WRITE",
	[17] = "STATFS", [18] = "RELEASE", [20] = "FSYNC", [21] = "SETXATTR",
	[22] = "GETXATTR", [23] = "LISTXATTR", [24] = "REMOVEXATTR",
	[25] = "FLUSH", [26] = "INIT", [27] = "OPENDIR", [28] = "READDIR",
	[29] = "RELEASEDIR", [30] = "FSYNCDIR", [31] = "GETLK",
	[32] = "SETLK", [33] = "SETLKW", [34] = "ACCESS", [35] = "CREATE",
	[36] = "INTERRUPT", [37] = "BMAP", [38] = "DESTROY", [39] = "IOCTL",
	[40] = "POLL", [41] = "NOTIFY_REPLY", [42] = "BATCH_FORGET",
	[43] = "FALLOCATE", [44] = "READDIRPLUS", [45] = "RENAME2",
	[46] = "LSEEK", [47] = "COPY_FILE_RANGE", [48] = "SETUPMAPPING",
	[49] = "REMOVEMAPPING", [50] = "SYNCFS", [51] = "TMPFILE",
	[52] = "STATX", [53] = "COPY_FILE_RANGE_64", [54] = "GET_FMAP",
	[55] = "GET_DAXDEV",
};

static int get(int fd, struct famfs_ioc_stats *s, struct famfs_error *e)
{
	if (!ioctl(fd, FAMFS_IOC_STATS, s))
		return 0;
	return famfs_fail(e, -errno, "no counts: %s", strerror(errno));
}

static void print(FILE *out, const struct famfs_ioc_stats *from,
		  const struct famfs_ioc_stats *to)
{
	uint64_t n, total = 0;
	int i;

	for (i = 0; i < FAMFS_IOC_OPCODES; i++) {
		n = to->count[i] - from->count[i];
		total += n;
		if (!n)
			continue;
		if (names[i])
			fprintf(out, "%-16s %" PRIu64 "\n", names[i], n);
		else
			fprintf(out, "opcode %-9d %" PRIu64 "\n", i, n);
	}
	fprintf(out, "%-16s %" PRIu64 "\n", "total", total);
}

static int run_command(char **argv, struct famfs_error *e)
{
	int err, status;
	pid_t pid;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err) {
		famfs_fail(e, -err, "%s: %s", argv[0], strerror(err));
		return 127;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);
}

static int measure(int fd, FILE *out, char **command, struct famfs_error *e)
{
	struct famfs_ioc_stats before = { 0 }, after;
	int status = 0;

	if (*command && get(fd, &before, e))
		return 1;
	if (*command)
		status = run_command(command, e);
	if (e->text[0])
		return status;
	if (get(fd, &after, e))
		return 1;
	print(out, &before, &after);
	return status;
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ 0 },
	};
	struct famfs_ioc_info info;
	FILE *out = stdout;
	int c, fd, status;

	while ((c = getopt_long(argc, argv, "+o:", longs, NULL)) != -1) {
		if (c != 'o')
			return 2;
		out = fopen(optarg, "we");
		if (!out) {
			famfs_fail(e, -errno, "%s: %s", optarg,
				   strerror(errno));
			return 1;
		}
	}
	argv += optind;
	if (!argv[0] || (argv[1] && strcmp(argv[1], "--"))) {
		famfs_fail(e, -EINVAL, "a directory is needed, then -- and a command; try --help");
		return 2;
	}
	fd = mount_open(argv[0], &info, e);
	if (fd < 0)
		return 1;
	status = measure(fd, out, argv[1] ? argv + 2 : argv + 1, e);
	close(fd);
	if (fclose(out) && !status)
		status = famfs_fail(e, 1, "cannot write the counts");
	return status;
}

const struct command cmd_stats = {
	"stats", "show the requests that reached the daemon", usage, run,
};
