/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the operations of vfs_ops share
 *
 * An operation runs in a process of its own and answers by a short stable word:
 * "ok", the name of an errno or of a signal, or what it was about.
 */
#ifndef VFS_OPS_H
#define VFS_OPS_H

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fmap_util.h"
#include "kselftest.h"

/* The file's size; all of its bytes are fmap_fill(VFS_SEED) before each one */
#define VFS_SIZE	(8 * MB)
#define VFS_SEED	7

/* Offset whose 4 MiB only those use who look at the size of pages */
#define VFS_HUGE	(2 * MB)

struct vfs_op {
	const char *name;
	const char *(*run)(long arg);
	long arg;
};

/* One table a subject, ended by an empty entry */
extern const struct vfs_op vfs_read_ops[];
extern const struct vfs_op vfs_write_ops[];
extern const struct vfs_op vfs_limit_ops[];
extern const struct vfs_op vfs_async_ops[];
extern const struct vfs_op vfs_copy_ops[];
extern const struct vfs_op vfs_map_ops[];
extern const struct vfs_op vfs_page_ops[];
extern const struct vfs_op vfs_advice_ops[];
extern const struct vfs_op vfs_uffd_ops[];
extern const struct vfs_op vfs_pin_ops[];
extern const struct vfs_op vfs_sync_ops[];
extern const struct vfs_op vfs_size_ops[];
extern const struct vfs_op vfs_space_ops[];
extern const struct vfs_op vfs_attr_ops[];
extern const struct vfs_op vfs_lock_ops[];
extern const struct vfs_op vfs_name_ops[];
extern const struct vfs_op vfs_last_ops[];

struct vfs {
	const char *path;	/* the file */
	char other[256];	/* a second one beside it */
	char disk[256];		/* a file of another file system, on a disk */
	char disk_dir[256];	/* the folder of that */
	int fd;			/* of the file, for reading and writing */
	unsigned char *image;	/* its bytes */
};

extern struct vfs vfs;

/* End the operation with this answer */
void __noreturn vfs_end(const char *answer);

static inline bool vfs_ok(const char *answer)
{
	return !strcmp(answer, "ok");
}

/* Make a file what it was, and make it if it is not there */
void vfs_restore(const char *path);

/* "ok" or the errno */
const char *vfs_ret(long ret);

/* "ok" if all was done, "short", "0" or the errno */
const char *vfs_count(long ret, size_t want);

/* End the operation if this failed, which only prepares it; else what it gave */
long vfs_need(long ret, const char *what);
#define vfs_set_up(call)	vfs_need((call), #call)

/* The file opened anew, or a second file, or the file of the disk */
int vfs_open(int flags);
int vfs_open_other(int flags);
int vfs_open_disk(int flags);

/* A part of the file, mapped; at a multiple of 2 MiB plus @shift */
char *vfs_map(off_t off, size_t len, int prot, int flags);
char *vfs_map_at(size_t shift, off_t off, size_t len, int prot, int flags);

/* @answer, but "wrong data" if it is "ok" and the bytes are others */
const char *vfs_same(const char *answer, const void *got, const void *want,
		     size_t len);

/* The same for bytes of the file, which are read(2) */
const char *vfs_holds(const char *answer, off_t off, const void *want,
		      size_t len);

/* "2 MiB", "4 KiB" or the number of faults when 2 MiB are touched */
const char *vfs_page_size(char *p, bool write);

/* Other bytes than the file's, to be written into it */
extern unsigned char vfs_bytes[64 * 1024];

#endif /* VFS_OPS_H */
