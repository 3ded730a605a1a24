// SPDX-License-Identifier: GPL-2.0
/* The DAX devices that the tests use */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fmap_dax.h"

#define DRIVERS		"/sys/bus/dax/drivers"
#define DEVICES		"/sys/bus/dax/devices"
#define MAX_NODES	8

static char nodes[MAX_NODES][64];
static unsigned int nr_nodes;

static int write_path(const char *path, const char *value)
{
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);

	return ret;
}

static int write_sysfs(const char *driver, const char *attr, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVERS "/%s/%s", driver, attr);
	return write_path(path, value);
}

static uint64_t node_size(const char *node)
{
	int fd = open(node, O_RDONLY | O_CLOEXEC);
	off_t size = -1;

	if (fd >= 0) {
		size = lseek(fd, 0, SEEK_END);
		close(fd);
	}

	return size < 0 ? 0 : size;
}

static void add_node(const char *node)
{
	if (nr_nodes == MAX_NODES || strlen(node) >= sizeof(nodes[0]))
		return;
	if (node_size(node) < FMAP_DAX_SIZE) {
		printf("# %s: not in fs-dax mode or too small, left out\n",
		       node);
		return;
	}
	memcpy(nodes[nr_nodes++], node, strlen(node) + 1);
}

static void add_bound(void)
{
	DIR *dir = opendir(DRIVERS "/fsdev_dax");
	char node[300];
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, "dax", 3))
			continue;
		snprintf(node, sizeof(node), "/dev/%s", d->d_name);
		add_node(node);
	}
	if (dir)
		closedir(dir);
}

unsigned int fmap_dax_find(void)
{
	const char *env = getenv("FAMFS_DAXDEVS");
	char *list, *node, *rest;

	nr_nodes = 0;
	if (!env || !*env) {
		add_bound();
		return nr_nodes;
	}

	list = strdup(env);
	for (node = strtok_r(list, " ", &rest); node;
	     node = strtok_r(NULL, " ", &rest))
		add_node(node);
	free(list);

	return nr_nodes;
}

const char *fmap_dax_node(unsigned int i)
{
	return nodes[i];
}

const char *fmap_dax_name(unsigned int i)
{
	return strrchr(nodes[i], '/') + 1;
}

uint64_t fmap_dax_size(unsigned int i)
{
	return node_size(nodes[i]);
}

uint64_t fmap_dax_attr(unsigned int i, const char *attr)
{
	unsigned long long value = 0;
	char path[192];
	FILE *f;

	snprintf(path, sizeof(path), DEVICES "/%s/%s", fmap_dax_name(i), attr);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lli", &value) != 1)
		value = 0;
	fclose(f);

	return value;
}

int fmap_dax_set_attr(unsigned int i, const char *attr, const char *value)
{
	char path[192];

	snprintf(path, sizeof(path), DEVICES "/%s/%s", fmap_dax_name(i), attr);
	return write_path(path, value);
}

/* The path of the device that ends with its nvdimm bus, or false */
static bool ndbus_path(unsigned int i, char real[PATH_MAX])
{
	char path[128], *bus;

	snprintf(path, sizeof(path), DEVICES "/%s", fmap_dax_name(i));
	bus = realpath(path, real) ? strstr(real, "/ndbus") : NULL;
	if (!bus)
		return false;
	bus[strcspn(bus + 1, "/") + 1] = '\0';

	return true;
}

bool fmap_dax_persistent(unsigned int i)
{
	char bus[PATH_MAX];

	return ndbus_path(i, bus);
}

/* Does this file below the bus have the word? */
static bool ndbus_has(const char *bus, const char *attr, const char *word)
{
	char path[PATH_MAX + 16], text[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", bus, attr);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);

	return strstr(text, word);
}

bool fmap_dax_repairs(unsigned int i)
{
	char bus[PATH_MAX];

	return ndbus_path(i, bus) && (ndbus_has(bus, "provider", "e820") ||
				      ndbus_has(bus, "commands", "clear_error"));
}

int fmap_dax_read(unsigned int i, uint64_t off, void *buf, size_t len)
{
	int fd = open(nodes[i], O_RDONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = pread(fd, buf, len, off);
	close(fd);

	return ret == (ssize_t)len ? 0 : -1;
}

int fmap_dax_write(unsigned int i, uint64_t off, const void *buf, size_t len)
{
	int fd = open(nodes[i], O_RDWR | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = pwrite(fd, buf, len, off);
	close(fd);

	return ret == (ssize_t)len ? 0 : -1;
}

int fmap_dax_unbind(unsigned int i)
{
	return write_sysfs("fsdev_dax", "unbind", fmap_dax_name(i));
}

/* The driver attaches to what is named to it; nothing else makes it match */
int fmap_dax_bind(unsigned int i)
{
	return write_sysfs("fsdev_dax", "new_id", fmap_dax_name(i));
}

int fmap_dax_to_device_mode(unsigned int i)
{
	int ret = fmap_dax_unbind(i);

	if (!ret)
		ret = write_sysfs("fsdev_dax", "remove_id", fmap_dax_name(i));
	if (!ret)
		ret = write_sysfs("device_dax", "new_id", fmap_dax_name(i));

	return ret;
}

int fmap_dax_to_fs_mode(unsigned int i)
{
	write_sysfs("device_dax", "unbind", fmap_dax_name(i));
	write_sysfs("device_dax", "remove_id", fmap_dax_name(i));

	return fmap_dax_bind(i);
}
