/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of this folder do often
 *
 * A test runs in a mount namespace of its own, so that nothing of it stays
 * mounted whatever becomes of it: a dead mount would keep its part of the
 * devices from the tests after it.
 */
#ifndef FMAP_UTIL_H
#define FMAP_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fmap_dax.h"
#include "fmap_layout.h"
#include "fmap_server.h"

#define HUGE_PG		(2 * MB)

/* The first two devices are known to a server by these indices */
#define DEV0		0
#define DEV1		1

/* First call of a test: a mount namespace of its own; 0 or -errno */
int fmap_test_begin(void);

/* A server that knows DEV0 and DEV1, not mounted yet */
struct fmap_server *fmap_test_server(const struct fmap_config *cfg);

/* The same, mounted, with one mapped file */
struct fmap_server *fmap_test_serve(const struct fmap_config *cfg,
				    const char *name,
				    const struct fmap_layout *l);

/* File of a mount: a descriptor, or -errno */
int fmap_open(struct fmap_server *s, const char *name, int flags);
int fmap_unlink(struct fmap_server *s, const char *name);

/* -errno of an open that should fail; a success is closed and gives 0 */
int fmap_try_open(struct fmap_server *s, const char *name, int flags);

/*
 * Unlink a file, wait until the kernel has forgotten its inode, and let the
 * name be found again. A closed file's inode lives until RELEASE is answered.
 */
bool fmap_forget(struct fmap_server *s, struct fmap_file *f);

/* The same as fmap_try_open(), but bytes may still be about to become free */
int fmap_try_open_freed(struct fmap_server *s, const char *name, int flags);

/* Mapping that children of fork() do not get: they would keep it alive */
void *fmap_map(int fd, size_t len, int prot, int flags);

/* A mapping at a multiple of 2 MiB */
void *fmap_map_aligned(int fd, size_t len, int prot, int flags);

/* Bytes that tell their place: a function of @seed and the offset */
void fmap_fill(void *buf, size_t len, unsigned int seed, uint64_t off);

/* Write such bytes over the whole file on the devices, not by the mount */
int fmap_fill_devices(const struct fmap_layout *l, unsigned int seed);

/* Do the devices hold these bytes of the file where its layout says? */
bool fmap_on_devices(const struct fmap_layout *l, uint64_t off,
		     const void *buf, size_t len);

/* Does all of the file hold the bytes of @seed, by read(2)? */
bool fmap_file_holds(int fd, uint64_t size, unsigned int seed);

/* Open, compare all of a file with @seed, close: 0 or -errno (-EILSEQ) */
int fmap_check_file(struct fmap_server *s, const char *name, uint64_t size,
		    unsigned int seed);

/* Minor and major faults that touching these bytes takes */
struct fmap_faults {
	long minor;
	long major;
};

struct fmap_faults fmap_touch(char *p, size_t len, size_t step,
			      bool write);

/* SIGBUS or not, when this byte is read or written */
bool fmap_sigbus(char *p, bool write);

#endif /* FMAP_UTIL_H */
