// SPDX-License-Identifier: GPL-2.0
/*
 * vfs_serve COMMAND [ARG]...: run a command beside two mapped files
 *
 * They are $VFS_FILE and $VFS_FILE.other, of 8 MiB each, on the first device;
 * their server keeps attributes and names, as one does that has a disk.  No
 * command may make the kernel ask the server about their bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fmap_command.h"
#include "fmap_util.h"

#define SIZE		(8 * MB)

static const struct fmap_ext first[] = { FMAP_SIMPLE(DEV0, 2 * MB, SIZE) };
static const struct fmap_ext second[] = { FMAP_SIMPLE(DEV0, 16 * MB, SIZE) };
static const struct fmap_layout files[] = {
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, first),
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, second),
};

static const struct fmap_config config = {
	.init_flags = FUSE_EXPORT_SUPPORT | FUSE_POSIX_ACL,
	.xattrs = true,
};

static struct fmap_server *serve(void)
{
	struct fmap_server *s = fmap_server_new(&config);

	if (!s)
		return NULL;
	fmap_server_dev(s, DEV0, fmap_dax_node(0));
	fmap_server_mapped(s, "file", &files[0]);
	fmap_server_mapped(s, "file.other", &files[1]);
	errno = -fmap_server_mount(s);
	if (errno) {
		perror("mount");
		fmap_server_free(s);
		return NULL;
	}

	return s;
}

int main(int argc, char **argv)
{
	struct fmap_server *s;
	unsigned int asked;
	char path[128];
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: vfs_serve COMMAND [ARG]...\n");
		return 2;
	}
	if (!fmap_dax_find()) {
		fprintf(stderr, "set FAMFS_DAXDEVS to a DAX node, of 64 MiB\n");
		return 1;
	}
	errno = -fmap_test_begin();
	if (errno) {
		perror("a mount namespace");
		return 1;
	}
	s = serve();
	if (!s)
		return 1;
	snprintf(path, sizeof(path), "%s/file", s->dir);
	setenv("VFS_FILE", path, 1);
	status = fmap_command_run(argv + 1);
	asked = fmap_server_data_requests(s);
	if (asked) {
		fprintf(stderr, "vfs_serve: %u requests for data\n", asked);
		status = 1;
	}
	fmap_server_free(s);

	return status;
}
