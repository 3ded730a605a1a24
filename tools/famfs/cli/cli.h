/* SPDX-License-Identifier: Apache-2.0 */
/*
 * famfs - make and look at files that are device memory
 */
#ifndef FAMFS_CLI_H
#define FAMFS_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "famfs_ioctl.h"

/* A command; argv[0] is its name. Return: the exit status. */
struct command {
	const char *name;
	const char *what;		/* one line */
	const char *usage;		/* all of --help */
	int (*run)(int argc, char **argv, struct famfs_error *e);
};

extern const struct command cmd_creat, cmd_cp, cmd_mkdir, cmd_map, cmd_info,
			    cmd_stats;

/**
 * struct place - a name in a directory of a mounted famfs
 * @dir: the directory, open
 * @name: the last part of the path
 * @info: the file system
 */
struct place {
	int dir;
	char name[FAMFS_IOC_NAME_MAX];
	struct famfs_ioc_info info;
};

/**
 * place_open - open the directory that a path lies in
 * @p: filled in
 * @path: of something that need not exist
 * @e: the reason of a failure; also that it is not on a famfs
 *
 * Return: 0 or a negative errno.
 */
int place_open(struct place *p, const char *path, struct famfs_error *e);
void place_close(struct place *p);

/* Open a directory of a famfs itself, and get its information. */
int mount_open(const char *path, struct famfs_ioc_info *info,
	       struct famfs_error *e);

/* How a new file is laid out, as options tell. */
struct layout {
	uint64_t chunk;
	uint32_t nstrips;
	bool interleave;
	bool clients_write;
	uint32_t mode;
	bool mode_given;
	const char *devices;		/* NULL, or a list */
};

#define LAYOUT_SHORT	"iN:c:D:m:w"
#define LAYOUT_LONG \
	{ "interleave", no_argument, NULL, 'i' }, \
	{ "strips", required_argument, NULL, 'N' }, \
	{ "chunk", required_argument, NULL, 'c' }, \
	{ "devices", required_argument, NULL, 'D' }, \
	{ "mode", required_argument, NULL, 'm' }, \
	{ "clients-write", no_argument, NULL, 'w' }
#define LAYOUT_USAGE \
"  -i, --interleave     in chunks, round the devices\n" \
"  -N, --strips N       over N strips (default: one a device); implies -i\n" \
"  -c, --chunk SIZE     in chunks of SIZE (default: 2M); implies -i\n" \
"  -D, --devices LIST   on these devices: 0,1 or dax0.0,dax1.0\n" \
"  -m, --mode MODE      with these permissions, in octal\n" \
"  -w, --clients-write  other hosts may write it too; mode must allow others\n"

/* Take one of these options. Return: 0, -ENOENT if @c is none of them. */
int layout_option(struct layout *l, int c, const char *arg,
		  struct famfs_error *e);

/* Make a file. Return: 0 or a negative errno. */
int layout_create(const struct layout *l, struct place *p, uint64_t size,
		  const char *path, struct famfs_error *e);

/* The daemon makes files, so this process's umask is the command's affair. */
mode_t current_umask(void);
int parse_mode(const char *text, uint32_t *mode, struct famfs_error *e);

/* What -EROFS means when a file or directory was to be made. */
int say_read_only(const char *path, const struct famfs_ioc_info *info,
		  struct famfs_error *e);

/* copy.c */
struct copy {
	const char *from;
	const char *to;
	uint64_t size;
	uint64_t done;
};

/* Copy @size bytes of @src into the mapped file @dst. */
int copy_bytes(struct copy *c, int src, int dst, struct famfs_error *e);
void copy_catch_interrupt(void);

/* progress.c: a line on the terminal, if there is one */
void progress_show(const struct copy *c);
void progress_end(const struct copy *c);

#endif /* FAMFS_CLI_H */
