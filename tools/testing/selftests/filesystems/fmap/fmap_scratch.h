/* SPDX-License-Identifier: GPL-2.0 */
/* A small file system of another kind: ext2 on a loop device, in memory */
#ifndef FMAP_SCRATCH_H
#define FMAP_SCRATCH_H

#include <stdbool.h>

struct fmap_scratch {
	char dir[32];		/* where it is mounted; "" if it is not */
	char image[48];
	int loop;
};

/* For as long as the caller's mount namespace lives: 0 or -errno */
int fmap_scratch_mount(struct fmap_scratch *s);
void fmap_scratch_umount(struct fmap_scratch *s);

/* A new file there: descriptor or -errno */
int fmap_scratch_open(const struct fmap_scratch *s, const char *name,
		      int flags);

#endif /* FMAP_SCRATCH_H */
