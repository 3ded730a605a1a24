// SPDX-License-Identifier: GPL-2.0
/*
 * fmap_mount [-1] [-s MIB] COMMAND [ARG]...: run a command beside a mount where
 * it can make files
 *
 * $FMAP_DIR is the mount. Each new file has a map and that many MiB, of zeroes,
 * interleaved over two devices, or with -1 on one of them; what is removed gives
 * its bytes back. The status is the command's, or 125: something failed here, or
 * the kernel asked the server to read or write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmap_command.h"
#include "fmap_util.h"
#include "mount_tree.h"

static int serve(struct fmap_server *s, char **command)
{
	unsigned int asked;
	int status;

	fmap_server_dev(s, DEV0, fmap_dax_node(0));
	fmap_server_dev(s, DEV1, fmap_dax_node(1));
	errno = -fmap_server_mount(s);
	if (errno)
		return fmap_command_complain("mount");

	setenv("FMAP_DIR", s->dir, 1);
	status = fmap_command_run(command);
	asked = fmap_server_data_requests(s);
	if (asked) {
		fprintf(stderr, "fmap_mount: %u requests for data\n", asked);
		status = FMAP_COMMAND_FAILED;
	}
	errno = -fmap_server_umount(s, 0);
	if (errno)
		return fmap_command_complain("umount");

	return status;
}

static int mount_and_run(uint64_t mib, bool one, char **command)
{
	struct fmap_config cfg = {
		.options = ",default_permissions",
		.answer = mount_answer,
	};
	struct fmap_server *s;
	int status;

	errno = fmap_dax_find() < 2 ? ENODEV : 0;
	if (errno)
		return fmap_command_complain("two DAX nodes in fs-dax mode, of 64 MiB");
	errno = -tree_begin(mib * MB, one);
	if (errno)
		return fmap_command_complain("files of that size");
	errno = -fmap_test_begin();
	if (errno)
		return fmap_command_complain("a mount namespace");
	s = fmap_server_new(&cfg);
	if (!s)
		return fmap_command_complain("a server");
	status = serve(s, command);
	fmap_server_free(s);

	return status;
}

int main(int argc, char **argv)
{
	uint64_t mib = 1;
	bool one = false, wrong = false;
	int opt;

	while ((opt = getopt(argc, argv, "+1s:")) != -1) {
		if (opt == '1')
			one = true;
		else if (opt == 's')
			mib = strtoul(optarg, NULL, 0);
		else
			wrong = true;
	}
	if (wrong || optind == argc) {
		fprintf(stderr, "usage: fmap_mount [-1] [-s MIB] COMMAND [ARG]...\n");
		return FMAP_COMMAND_FAILED;
	}

	return mount_and_run(mib, one, argv + optind);
}
