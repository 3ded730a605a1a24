// SPDX-License-Identifier: GPL-2.0
/*
 * fmap_kinds [-n] COMMAND [ARG]...: run a command beside a mount with files of all
 * kinds, so that they can be measured and compared; with -n the server does not
 * accept maps, and all files are ordinary ones
 *
 * In $FMAP_DIR there are
 *
 *	plain		an ordinary file of 8 MiB, which stays in the page cache
 *	passthrough	one that is opened for passthrough, to a file of tmpfs
 *	mapped		one with a map of one extent
 *	striped		one that is interleaved over four strips
 *	whole		a million pages in one extent
 *	scattered	a million pages in as many extents, told page by page
 *	plain0 ...	ordinary files of one page, up to plain15, to be opened
 *	mapped0 ...	the same with maps
 *
 * They lie on the first device that FAMFS_DAXDEVS names, of 8 GB.  The status is
 * the command's, or 125: something failed here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fmap_command.h"
#include "fmap_paging.h"
#include "fmap_util.h"

#define SIZE		(8 * MB)
#define SMALL_FILES	16
#define PAGES		1000000U
#define STRIDE		7919U	/* has no divisor in common with PAGES */

/* Where they lie */
#define MAPPED_AT	0
#define STRIPED_AT	(MAPPED_AT + SIZE)
#define SMALL_AT	(STRIPED_AT + SIZE)
#define WHOLE_AT	(SMALL_AT + 2 * MB)
#define SCATTERED_AT	(WHOLE_AT + PAGES * PG)

static void make_scattered(uint32_t i, struct fmap_ext *e)
{
	*e = (struct fmap_ext)
		FMAP_SIMPLE(DEV0, SCATTERED_AT +
			    (uint64_t)i * STRIDE % PAGES * PG, PG);
}

static const struct fmap_layout scattered =
	FMAP_MADE(FUSE_FAMFS_EXT_SIMPLE, PAGES * PG, PAGES, PG, make_scattered);

static const struct fmap_ext striped_ext[] = {
	FMAP_STRIPED(4, 2 * MB, SIZE,
		     { DEV0, STRIPED_AT, 2 * MB },
		     { DEV0, STRIPED_AT + 2 * MB, 2 * MB },
		     { DEV0, STRIPED_AT + 4 * MB, 2 * MB },
		     { DEV0, STRIPED_AT + 6 * MB, 2 * MB }),
};

static const struct fmap_layout striped =
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, SIZE, striped_ext);

static void add_extent(struct fmap_server *s, const char *name, uint64_t at,
		       uint64_t size)
{
	struct fmap_ext ext[] = { FMAP_SIMPLE(DEV0, at, size) };
	struct fmap_layout l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, size, ext);

	fmap_server_mapped(s, name, &l);
}

static void add_ordinary(struct fmap_server *s, const char *name,
			 uint64_t size)
{
	struct fmap_file *f = fmap_server_file(s, name, size);

	f->open_flags = FOPEN_KEEP_CACHE;
	fmap_file_data(s, f, size);
}

static void add_small_files(struct fmap_server *s)
{
	char name[32];
	int i;

	for (i = 0; i < SMALL_FILES; i++) {
		snprintf(name, sizeof(name), "plain%d", i);
		add_ordinary(s, name, PG);
		snprintf(name, sizeof(name), "mapped%d", i);
		add_extent(s, name, SMALL_AT + i * PG, PG);
	}
}

static void add_files(struct fmap_server *s)
{
	add_ordinary(s, "plain", SIZE);
	add_extent(s, "mapped", MAPPED_AT, SIZE);
	fmap_server_mapped(s, "striped", &striped);
	add_extent(s, "whole", WHOLE_AT, PAGES * PG);
	fmap_server_paged(s, "scattered", &scattered);
	add_small_files(s);
}

/* The kernel takes files for passthrough once the mount is there: 0 or -1 */
static int add_passthrough(struct fmap_server *s)
{
	struct fuse_backing_map map = { .fd = memfd_create("backing", 0) };
	struct fmap_file *f = fmap_server_file(s, "passthrough", SIZE);
	int dev = fmap_server_fd(s);

	f->open_flags = FOPEN_PASSTHROUGH;
	f->backing_id = -1;
	if (map.fd >= 0 && !ftruncate(map.fd, SIZE))
		f->backing_id = ioctl(dev, FUSE_DEV_IOC_BACKING_OPEN, &map);
	close(dev);
	close(map.fd);

	return f->backing_id < 0 ? -1 : 0;
}

static int serve(struct fmap_server *s, char **command)
{
	fmap_server_dev(s, DEV0, fmap_dax_node(0));
	add_files(s);
	errno = -fmap_server_mount(s);
	if (errno)
		return fmap_command_complain("mount");
	if (add_passthrough(s))
		return fmap_command_complain("passthrough");
	setenv("FMAP_DIR", s->dir, 1);

	return fmap_command_run(command);
}

int main(int argc, char **argv)
{
	struct fmap_config cfg = { .init_flags = FUSE_PASSTHROUGH };
	struct fmap_server *s;
	int status;

	if (argc > 1 && !strcmp(argv[1], "-n")) {
		cfg.no_echo = true;
		argv++;
		argc--;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: fmap_kinds [-n] COMMAND [ARG]...\n");
		return FMAP_COMMAND_FAILED;
	}
	errno = fmap_dax_find() ? 0 : ENODEV;
	if (errno)
		return fmap_command_complain("a DAX node in fs-dax mode, of 8 GB");
	errno = -fmap_test_begin();
	if (errno)
		return fmap_command_complain("a mount namespace");
	s = fmap_server_new(&cfg);
	if (!s)
		return fmap_command_complain("a server");
	status = serve(s, argv + 1);
	fmap_server_free(s);

	return status;
}
