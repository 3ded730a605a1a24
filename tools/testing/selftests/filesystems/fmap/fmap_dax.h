/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DAX devices that the tests use, and overwrite
 *
 * They are those that FAMFS_DAXDEVS names (nodes, separated by blanks), else
 * all that are bound to the fs-dax driver.
 */
#ifndef FMAP_DAX_H
#define FMAP_DAX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a test may use of each device: as much as every device must have */
#define FMAP_DAX_SIZE	(64 << 20)

/* Find the devices: how many there are that are large enough */
unsigned int fmap_dax_find(void);

const char *fmap_dax_node(unsigned int i);	/* "/dev/dax0.0" */
const char *fmap_dax_name(unsigned int i);	/* "dax0.0" */
uint64_t fmap_dax_size(unsigned int i);
uint64_t fmap_dax_attr(unsigned int i, const char *attr);

/* Write an attribute in sysfs: 0 or -errno */
int fmap_dax_set_attr(unsigned int i, const char *attr, const char *value);

/* Is it memory that outlives the power? Its place among the devices tells. */
bool fmap_dax_persistent(unsigned int i);

/* Is bad memory of it made good by writing? The bus it is found on tells. */
bool fmap_dax_repairs(unsigned int i);

/* By read and write on the node: 0, or -1 if not all of it was done */
int fmap_dax_read(unsigned int i, uint64_t off, void *buf, size_t len);
int fmap_dax_write(unsigned int i, uint64_t off, const void *buf, size_t len);

/* Take the device from the fs-dax driver, give it back; 0 or -errno */
int fmap_dax_unbind(unsigned int i);
int fmap_dax_bind(unsigned int i);

/* The same for device-dax, which maps the device in place of files of it */
int fmap_dax_to_device_mode(unsigned int i);
int fmap_dax_to_fs_mode(unsigned int i);

#endif /* FMAP_DAX_H */
