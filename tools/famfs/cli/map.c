// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "map.h"
#include "size.h"

static const char usage[] =
"Usage: famfs map [-j] FILE...\n"
"Show on which bytes of which devices files lie.\n"
"\n"
"  -j, --json   as JSON, a line for each file\n";

static const char *dev_name(const struct famfs_ioc_info *info, uint64_t i)
{
	return i < info->ndevs && info->dev[i].name[0] ?
		info->dev[i].name : "?";
}

/* A file offset for each piece only where the pieces follow each other. */
static void print_text(const char *path, const struct famfs_ioc_map *m,
		       const struct famfs_ioc_info *info)
{
	bool striped = m->map.ext_type == FAMFS_MAP_INTERLEAVE;
	char size[FAMFS_SIZE_TEXT], chunk[FAMFS_SIZE_TEXT];
	uint32_t i, count;
	const struct famfs_extent *x = famfs_map_extents(&m->map, &count);
	uint64_t at = 0;

	printf("%s: %s (%" PRIu64 " bytes), ", path,
	       famfs_size_text(m->size, size), m->size);
	if (striped && count)
		printf("interleaved over %u strip%s in chunks of %s\n", count,
		       count == 1 ? "" : "s",
		       famfs_size_text(m->map.ie.chunk_size, chunk));
	else
		printf("%u extent%s\n", count, count == 1 ? "" : "s");
	if (!count)
		return;
	printf("  %-14s %-12s %-16s %s\n",
	       striped ? "strip" : "file offset", "device", "device offset",
	       "length");
	for (i = 0; i < count; i++) {
		if (striped)
			printf("  %-14u", i);
		else
			printf("  %#-14" PRIx64, at);
		printf(" %-12s %#-16" PRIx64 " %#" PRIx64 "\n",
		       dev_name(info, x[i].devindex), x[i].offset, x[i].len);
		at += x[i].len;
	}
}

static void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json(const char *path, const struct famfs_ioc_map *m,
		       const struct famfs_ioc_info *info)
{
	bool striped = m->map.ext_type == FAMFS_MAP_INTERLEAVE;
	uint32_t i, count;
	const struct famfs_extent *x = famfs_map_extents(&m->map, &count);

	printf("{\"path\":");
	print_string(path);
	printf(",\"size\":%" PRIu64 ",\"type\":\"%s\"", m->size,
	       striped ? "interleave" : "simple");
	if (striped)
		printf(",\"chunk\":%" PRIu64, m->map.ie.chunk_size);
	printf(",\"extents\":[");
	for (i = 0; i < count; i++)
		printf("%s{\"index\":%" PRIu64 ",\"device\":\"%s\",\"offset\":%"
		       PRIu64 ",\"length\":%" PRIu64 "}", i ? "," : "",
		       x[i].devindex, dev_name(info, x[i].devindex),
		       x[i].offset, x[i].len);
	printf("]}\n");
}

static int show(const char *path, bool json, struct famfs_error *e)
{
	struct famfs_ioc_map m = { .size = 0 };
	struct place p;
	int err = place_open(&p, path, e);

	if (err)
		return err;
	memcpy(m.name, p.name, sizeof(m.name));
	if (ioctl(p.dir, FAMFS_IOC_MAP, &m))
		err = famfs_fail(e, -errno, "%s: %s", path, strerror(errno));
	else if (json)
		print_json(path, &m, &p.info);
	else
		print_text(path, &m, &p.info);
	place_close(&p);
	return err;
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "j", longs, NULL)) != -1) {
		if (c != 'j')
			return 2;
		json = true;
	}
	if (optind == argc) {
		famfs_fail(e, -EINVAL, "which file? Try --help");
		return 2;
	}
	for (; optind < argc; optind++)
		if (show(argv[optind], json, e))
			return 1;
	return 0;
}

const struct command cmd_map = {
	"map", "show where a file lies on the devices", usage, run,
};
