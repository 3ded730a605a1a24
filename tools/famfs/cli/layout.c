// SPDX-License-Identifier: Apache-2.0
/*
 * The options that tell how a new file is laid out, and its making.
 */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "size.h"

mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

int parse_mode(const char *text, uint32_t *mode, struct famfs_error *e)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 8);
	if (!isdigit((unsigned char)*text) || *end || value > 01777)
		return famfs_fail(e, -EINVAL, "'%s' is not an octal mode", text);
	*mode = value;
	return 0;
}

static int parse_strips(const char *text, uint32_t *n, struct famfs_error *e)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || !value ||
	    value > FAMFS_MAX_STRIPS)
		return famfs_fail(e, -EINVAL, "'%s' strips: 1 to %d are possible",
				  text, FAMFS_MAX_STRIPS);
	*n = value;
	return 0;
}

int layout_option(struct layout *l, int c, const char *arg,
		  struct famfs_error *e)
{
	switch (c) {
	case 'i':
		l->interleave = true;
		return 0;
	case 'N':
		l->interleave = true;
		return parse_strips(arg, &l->nstrips, e);
	case 'c':
		l->interleave = true;
		if (famfs_size_parse(arg, &l->chunk))
			return famfs_fail(e, -EINVAL, "'%s' is not a size", arg);
		if (!l->chunk || l->chunk % FAMFS_MEDIA_PAGE)
			return famfs_fail(e, -EINVAL, "a chunk is a multiple of 4K, not '%s'",
					  arg);
		return 0;
	case 'D':
		l->devices = arg;
		return 0;
	case 'm':
		l->mode_given = true;
		return parse_mode(arg, &l->mode, e);
	case 'w':
		l->clients_write = true;
		return 0;
	}
	return famfs_fail(e, -ENOENT, "try --help");
}

static int find_device(const struct famfs_ioc_info *info, const char *word,
		       uint32_t *index)
{
	unsigned long n;
	uint32_t i;
	char *end;

	if (!strncmp(word, "/dev/", 5))
		word += 5;
	n = strtoul(word, &end, 10);
	if (isdigit((unsigned char)*word) && !*end && n < info->ndevs) {
		*index = n;
		return 0;
	}
	for (i = 0; i < info->ndevs; i++) {
		if (strncmp(info->dev[i].name, word, FAMFS_DEVNAME_MAX))
			continue;
		*index = i;
		return 0;
	}
	return -ENODEV;
}

static int take_devices(struct famfs_ioc_create *c, const char *list,
			const struct famfs_ioc_info *info,
			struct famfs_error *e)
{
	char *copy = strdup(list), *rest = copy, *word;
	int err = copy ? 0 : famfs_fail(e, -ENOMEM, "out of memory");

	while (!err && (word = strsep(&rest, ","))) {
		if (c->ndevs == FAMFS_MAX_DEVICES)
			err = famfs_fail(e, -EINVAL, "too many devices");
		else if (find_device(info, word, &c->dev[c->ndevs++]))
			err = famfs_fail(e, -ENODEV, "'%s' is no device of this file system; famfs info lists them",
					 word);
	}
	free(copy);
	return err;
}

/* The daemon knows best; what comes from the kernel is only a number. */
static int say_why(int err, struct famfs_ioc_create *c, const struct place *p,
		   const char *path, struct famfs_error *e)
{
	c->why[sizeof(c->why) - 1] = '\0';
	if (c->why[0])
		return famfs_fail(e, err, "%s: %s", path, c->why);
	if (err == -EROFS)
		return say_read_only(path, &p->info, e);
	return famfs_fail(e, err, "%s: %s", path, strerror(-err));
}

int layout_create(const struct layout *l, struct place *p, uint64_t size,
		  const char *path, struct famfs_error *e)
{
	struct famfs_ioc_create c = {
		.size = size,
		.mode = l->mode,
	};
	int err = 0;

	memcpy(c.name, p->name, sizeof(c.name));
	if (l->devices)
		err = take_devices(&c, l->devices, &p->info, e);
	if (err)
		return err;
	if (l->interleave) {
		c.nstrips = l->nstrips ? l->nstrips :
			c.ndevs ? c.ndevs : p->info.ndevs;
		if (c.nstrips > FAMFS_MAX_STRIPS)
			c.nstrips = FAMFS_MAX_STRIPS;
		c.chunk = l->chunk ? l->chunk : FAMFS_ALLOC_UNIT;
	}
	if (l->clients_write)
		c.flags = FAMFS_FILE_HOSTS_RW;
	if (ioctl(p->dir, FAMFS_IOC_CREATE, &c))
		return say_why(-errno, &c, p, path, e);
	return 0;
}
