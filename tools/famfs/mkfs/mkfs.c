// SPDX-License-Identifier: Apache-2.0
/*
 * mkfs.famfs - make a famfs on one or several DAX devices
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "bind.h"
#include "dev.h"
#include "hostid.h"
#include "log.h"
#include "size.h"
#include "super.h"

struct mkfs {
	bool force;
	bool dry_run;
	uint64_t log_len;
	int ndevs;
	struct famfs_dev dev[FAMFS_MAX_DEVICES];
	struct famfs_super super[FAMFS_MAX_DEVICES];
};

static const char usage[] =
"Usage: mkfs.famfs [options] DEVICE [DEVICE...]\n"
"Make a famfs on DAX devices (or image files); the first is the primary.\n"
"\n"
"  -f, --force          overwrite a famfs that is there\n"
"  -l, --loglen SIZE    length of the log, a power of two from 8M (default) to 1G\n"
"  -n, --dry-run        check everything, write nothing\n"
"  -h, --help           this text\n"
"  -V, --version        the version\n"
"\n"
"This host becomes the file system's master: it alone makes files.\n";

static int parse_options(struct mkfs *m, int argc, char **argv,
			 struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "loglen", required_argument, NULL, 'l' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	m->log_len = FAMFS_LOG_LEN_MIN;
	while ((c = getopt_long(argc, argv, "fl:nhV", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			m->force = true;
			break;
		case 'l':
			if (famfs_size_parse(optarg, &m->log_len))
				return famfs_fail(e, -EINVAL,
						  "'%s' is not a size", optarg);
			break;
		case 'n':
			m->dry_run = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("mkfs.famfs " FAMFS_VERSION);
			exit(0);
		default:
			return famfs_fail(e, -EINVAL, "try mkfs.famfs --help");
		}
	}
	if (optind == argc)
		return famfs_fail(e, -EINVAL, "which device? Try mkfs.famfs --help");
	if (argc - optind > FAMFS_MAX_DEVICES)
		return famfs_fail(e, -EINVAL, "at most %d devices",
				  FAMFS_MAX_DEVICES);
	return famfs_log_len_check(m->log_len, e);
}

static int refuse_old(struct mkfs *m, struct famfs_dev *dev,
		      struct famfs_error *e)
{
	struct famfs_super old;
	char uuid[37];
	int err;

	err = famfs_dev_read(dev, &old, sizeof(old), 0, e);
	if (err || m->force || !famfs_super_present(&old))
		return err;
	uuid_unparse_lower(old.fs_uuid, uuid);
	return famfs_fail(e, -EEXIST, "%s holds a famfs (uuid %s); -f overwrites it and all its files",
			  dev->path, uuid);
}

static int open_device(struct mkfs *m, const char *path, struct famfs_error *e)
{
	struct famfs_dev *dev = &m->dev[m->ndevs];
	int err;

	/* Binding is a change of the system too. */
	err = famfs_bind(path, !m->dry_run, e);
	if (err < 0)
		return err;
	err = famfs_dev_open(dev, path, O_RDWR, e);
	if (err)
		return err;
	m->ndevs++;
	err = famfs_dev_use(dev, FAMFS_USE_FORMAT);
	if (err == -EBUSY)
		return famfs_fail(e, err, "%s is mounted on this host, or named twice",
				  path);
	if (err)
		return famfs_fail(e, err, "cannot lock %s: %s", path,
				  strerror(-err));
	return refuse_old(m, dev, e);
}

static int plan(struct mkfs *m, struct famfs_error *e)
{
	uint8_t host[16] = { 0 };
	int i, err;

	if (!m->dry_run) {
		err = famfs_hostid(FAMFS_HOSTID_PATH, host, e);
		if (err)
			return err;
	}
	err = famfs_super_make(&m->super[0], &m->dev[0], m->log_len, host, e);
	for (i = 1; !err && i < m->ndevs; i++) {
		if (m->dev[i].size < FAMFS_SUPER_REGION + FAMFS_ALLOC_UNIT)
			err = famfs_fail(e, -ENOSPC, "%s is too small",
					 m->dev[i].path);
		famfs_super_make_secondary(&m->super[i], &m->super[0],
					   &m->dev[i]);
	}
	return err;
}

static int add_device(struct mkfs *m, struct famfs_log_header *log, int i,
		      struct famfs_error *e)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_DEVICE,
		.device = { .size = m->dev[i].size, .index = i },
	};
	int err;

	memcpy(entry.device.uuid, m->super[i].dev_uuid, 16);
	err = famfs_super_write(&m->dev[i], &m->super[i], e);
	if (err)
		return err;
	return famfs_log_append(&m->dev[0], &m->super[0], log, &entry, e);
}

/*
 * The primary's superblock goes first and comes last: whoever looks in
 * between, or after a crash, finds no file system.
 */
static int write_all(struct mkfs *m, struct famfs_error *e)
{
	static const struct famfs_super none;
	struct famfs_log_header log;
	int i, err;

	famfs_log_make(&log, m->log_len);
	err = famfs_super_write(&m->dev[0], &none, e);
	if (!err)
		err = famfs_log_write_header(&m->dev[0], &m->super[0], &log, e);
	for (i = 1; !err && i < m->ndevs; i++)
		err = add_device(m, &log, i, e);
	return err ? err : famfs_super_write(&m->dev[0], &m->super[0], e);
}

static void report(const struct mkfs *m)
{
	char size[FAMFS_SIZE_TEXT], log[FAMFS_SIZE_TEXT], uuid[37];
	int i;

	uuid_unparse_lower(m->super[0].fs_uuid, uuid);
	printf("%sfamfs %s, log %s (%" PRIu64 " entries)\n",
	       m->dry_run ? "would make " : "", uuid,
	       famfs_size_text(m->log_len, log), famfs_log_slots(m->log_len));
	for (i = 0; i < m->ndevs; i++)
		printf("  device %d: %s, %s%s\n", i, m->dev[i].path,
		       famfs_size_text(m->dev[i].size, size),
		       i ? "" : ", primary");
}

static int run(struct mkfs *m, int argc, char **argv, struct famfs_error *e)
{
	int err = parse_options(m, argc, argv, e);

	while (!err && optind < argc)
		err = open_device(m, argv[optind++], e);
	if (!err)
		err = plan(m, e);
	if (!err && !m->dry_run)
		err = write_all(m, e);
	return err;
}

int main(int argc, char **argv)
{
	struct famfs_error e = { "" };
	struct mkfs m = { 0 };
	int err;

	err = run(&m, argc, argv, &e);
	if (err)
		fprintf(stderr, "mkfs.famfs: %s\n", e.text);
	else
		report(&m);
	while (m.ndevs)
		famfs_dev_close(&m.dev[--m.ndevs]);
	return err ? 1 : 0;
}
