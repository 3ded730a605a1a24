// SPDX-License-Identifier: Apache-2.0
/*
 * What a log may say and what not: every field of every entry broken once.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"

struct broken {
	const char *name;
	void (*spoil)(struct famfs_entry *entry);
	int err;
	const char *words;
};

#define SPOIL(name, statement) \
	static void name(struct famfs_entry *entry) { statement; }

SPOIL(type_delete, entry->type = FAMFS_ENTRY_DELETE)
SPOIL(type_unknown, entry->type = 4)
SPOIL(path_none, entry->file.path[0] = '\0')
SPOIL(path_absolute, strcpy(entry->file.path, "/etc"))
SPOIL(path_up, strcpy(entry->file.path, "../x"))
SPOIL(path_endless, memset(entry->file.path, 'x', FAMFS_PATH_MAX))
SPOIL(path_orphan, strcpy(entry->file.path, "nowhere/x"))
SPOIL(path_below_file, strcpy(entry->file.path, "old/x"))
SPOIL(path_taken, strcpy(entry->file.path, "old"))
SPOIL(path_meta, strcpy(entry->file.path, ".meta/.log"))
SPOIL(mode_type, entry->file.mode = S_IFBLK | 0644)
SPOIL(mode_bits, entry->file.mode = 0x80000000 | 0644)
SPOIL(flags, entry->file.flags = 4)
SPOIL(size_huge, entry->file.size = UINT64_MAX)
SPOIL(size_over, entry->file.size = UNIT + 1)
SPOIL(map_type, entry->file.map.ext_type = 2)
SPOIL(map_none, entry->file.map.count = 0)
SPOIL(map_many, entry->file.map.count = 17)
SPOIL(ext_dev, entry->file.map.se[0].devindex = 1)
SPOIL(ext_dev_huge, entry->file.map.se[0].devindex = UINT64_MAX)
SPOIL(ext_len_zero, entry->file.map.se[0].len = 0)
SPOIL(ext_len_odd, entry->file.map.se[0].len = UNIT + 4096)
SPOIL(ext_off_odd, entry->file.map.se[0].offset += 4096)
SPOIL(ext_super, entry->file.map.se[0].offset = 0)
SPOIL(ext_log, entry->file.map.se[0].offset = FAMFS_LOG_OFFSET + 3 * UNIT)
SPOIL(ext_beyond, entry->file.map.se[0].offset = 64 * MIB)
SPOIL(ext_over_end, entry->file.map.se[0].offset = 62 * MIB;
	entry->file.map.se[0].len = 4 * MIB)
SPOIL(ext_wrap, entry->file.map.se[0].offset = -UNIT;
	entry->file.map.se[0].len = 2 * UNIT)
SPOIL(ext_taken, entry->file.map.se[0].offset = DATA)
SPOIL(ext_itself, entry->file.map.count = 2;
	entry->file.map.se[1] = entry->file.map.se[0])
SPOIL(sum_wraps, entry->file.map.count = 3;
	entry->file.map.se[1] = entry->file.map.se[0];
	entry->file.map.se[1].offset = 0;
	entry->file.map.se[1].len = -UNIT;
	entry->file.map.se[2] = entry->file.map.se[1])

static const struct broken broken_files[] = {
	{ "a delete entry", type_delete, -EPROTONOSUPPORT, "type 2" },
	{ "an unknown type", type_unknown, -EPROTONOSUPPORT, "type 4" },
	{ "no path", path_none, -EINVAL, "path" },
	{ "an absolute path", path_absolute, -EINVAL, "path" },
	{ "a path that climbs", path_up, -EINVAL, "path" },
	{ "a path without an end", path_endless, -EINVAL, "no end" },
	{ "a directory that is not there", path_orphan, -ENOENT, "nowhere" },
	{ "a path below a file", path_below_file, -ENOTDIR, "no directory" },
	{ "a name that is taken", path_taken, -EEXIST, "taken" },
	{ "a name of ours", path_meta, -EEXIST, "taken" },
	{ "a file that is a block device", mode_type, -EINVAL, "mode" },
	{ "a mode of other bits", mode_bits, -EINVAL, "mode" },
	{ "an unknown flag", flags, -EINVAL, "flags" },
	{ "a size beyond files", size_huge, -EINVAL, "beyond all" },
	{ "a size beyond its extents", size_over, -EINVAL, "hold" },
	{ "an unknown map", map_type, -EINVAL, "type 2 is unknown" },
	{ "no extents for its size", map_none, -EINVAL, "hold 0" },
	{ "too many extents", map_many, -EINVAL, "17 extents" },
	{ "a device that is not there", ext_dev, -EINVAL, "device 1" },
	{ "a device of all bits", ext_dev_huge, -EINVAL, "device 184467" },
	{ "an extent of nothing", ext_len_zero, -EINVAL, "units" },
	{ "an extent of half a unit", ext_len_odd, -EINVAL, "units" },
	{ "an extent off the units", ext_off_odd, -EINVAL, "units" },
	{ "the superblock as data", ext_super, -EEXIST, "used by" },
	{ "the log as data", ext_log, -EEXIST, "used by" },
	{ "an extent behind the device", ext_beyond, -EEXIST, "beyond" },
	{ "an extent over the end", ext_over_end, -EEXIST, "beyond" },
	{ "an extent that goes round", ext_wrap, -EINVAL, "round" },
	{ "another file's memory", ext_taken, -EEXIST, "used by" },
	{ "its own memory twice", ext_itself, -EEXIST, "used by" },
	{ "lengths that add up past the end", sum_wraps, -EINVAL, "" },
};

SPOIL(two_maps, entry->file.map.count = 2)
SPOIL(no_strips, entry->file.map.ie.nstrips = 0)
SPOIL(many_strips, entry->file.map.ie.nstrips = 17)
SPOIL(all_strips, entry->file.map.ie.nstrips = UINT64_MAX)
SPOIL(no_chunk, entry->file.map.ie.chunk_size = 0)
SPOIL(odd_chunk, entry->file.map.ie.chunk_size = 4097)
SPOIL(huge_chunk, entry->file.map.ie.chunk_size = 1UL << 32)
SPOIL(short_strip, entry->file.size = 2 * UNIT + 1)
SPOIL(strip_twice, entry->file.map.ie.strips[1] = entry->file.map.ie.strips[0])

static const struct broken broken_strips[] = {
	{ "two interleaved extents", two_maps, -EINVAL, "one is possible" },
	{ "no strips", no_strips, -EINVAL, "0 strips" },
	{ "too many strips", many_strips, -EINVAL, "17 strips" },
	{ "strips of all bits", all_strips, -EINVAL, "184467" },
	{ "no chunk", no_chunk, -EINVAL, "chunk" },
	{ "a chunk off the pages", odd_chunk, -EINVAL, "chunk" },
	{ "a chunk beyond the wire", huge_chunk, -EINVAL, "chunk" },
	{ "a strip without room for its share", short_strip, -EINVAL,
	  "strip 0 holds" },
	{ "a strip twice", strip_twice, -EEXIST, "used by" },
};

SPOIL(mkdir_mode, entry->mkdir.mode = S_IFREG | 0755)
SPOIL(mkdir_taken, strcpy(entry->mkdir.path, "old"))
SPOIL(mkdir_up, strcpy(entry->mkdir.path, "a/../b"))

static const struct broken broken_dirs[] = {
	{ "a directory that is a file", mkdir_mode, -EINVAL, "mode" },
	{ "a directory's name taken", mkdir_taken, -EEXIST, "taken" },
	{ "a directory's path that climbs", mkdir_up, -EINVAL, "path" },
};

SPOIL(dev_gap, entry->device.index = 2)
SPOIL(dev_zero, entry->device.index = 0)
SPOIL(dev_small, entry->device.size = FAMFS_SUPER_REGION)
SPOIL(dev_huge, entry->device.size = UINT64_MAX)

static const struct broken broken_devs[] = {
	{ "a device out of turn", dev_gap, -EINVAL, "where 1 is due" },
	{ "another primary", dev_zero, -EINVAL, "where 1 is due" },
	{ "a device without room", dev_small, -EINVAL, "size" },
	{ "a device of all bits", dev_huge, -EINVAL, "size" },
};

static struct famfs_entry strips_entry(void)
{
	struct famfs_entry entry = file_entry("new", 0, 2 * UNIT);
	struct famfs_map map = {
		.ext_type = FAMFS_MAP_INTERLEAVE,
		.count = 1,
		.ie = {
			.nstrips = 2,
			.chunk_size = 4096,
			.strips = { { 0, DATA + 2 * UNIT, UNIT },
				    { 0, DATA + 4 * UNIT, UNIT } },
		},
	};

	entry.file.map = map;
	return entry;
}

static struct famfs_entry device_entry(void)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_DEVICE,
		.device = { .size = 8 * MIB, .index = 1, .uuid = "u" },
	};

	return entry;
}

/* The entry is refused, changes nothing, and is taken when it is whole. */
static void test_one(struct famfs_entry good, const struct broken *b)
{
	struct famfs_entry old = file_entry("old", DATA, UNIT), bad = good;
	struct famfs_error e = { "" };
	struct famfs_volume v;
	struct image im;
	uint64_t free;
	int err;

	image_make(&im, 64 * MIB);
	image_append(&im, &old);
	if (famfs_volume_open(&v, im.path, O_RDWR, &e)) {
		ok(false, "%s: %s", b->name, e.text);
		image_drop(&im);
		return;
	}
	free = v.space[0].free;
	b->spoil(&bad);
	err = famfs_replay_entry(&bad, &v, &e);
	refused(err, b->err, &e, b->words, b->name);
	if (v.space[0].free != free || v.replayed != 1 || v.tree.nnodes != 5 ||
	    v.geometry.ndevs != 1)
		ok(false, "%s changes nothing", b->name);
	if (famfs_replay_entry(&good, &v, &e))
		ok(false, "%s: whole, it is taken: %s", b->name, e.text);
	famfs_volume_close(&v);
	image_drop(&im);
}

#define ALL(table, entry) do {						\
	for (i = 0; i < sizeof(table) / sizeof((table)[0]); i++)	\
		test_one(entry, &(table)[i]);				\
} while (0)

/* A log with one broken entry is refused as a whole, with its number. */
static void test_open(void)
{
	struct famfs_entry good = file_entry("a", DATA, UNIT);
	struct famfs_entry bad = file_entry("b", DATA, UNIT);
	struct famfs_error e = { "" };
	struct famfs_volume v;
	struct image im;
	int err;

	image_make(&im, 64 * MIB);
	image_append(&im, &good);
	image_append(&im, &bad);
	err = famfs_volume_open(&v, im.path, O_RDONLY, &e);
	refused(err, -EEXIST, &e, "log entry 1: extent 0", "the whole log");
	image_drop(&im);
}

static void test_secondary(void)
{
	struct famfs_error e = { "" };
	struct famfs_super sb;
	struct famfs_volume v;
	struct image im;
	int err;

	image_make(&im, 64 * MIB);
	famfs_super_make_secondary(&sb, &im.super, &im.dev);
	famfs_super_write(&im.dev, &sb, &e);
	err = famfs_volume_open(&v, im.path, O_RDONLY, &e);
	refused(err, -EINVAL, &e, "name its primary", "a secondary device");
	image_drop(&im);
}

int main(void)
{
	struct famfs_entry file = file_entry("new", DATA + 2 * UNIT, UNIT);
	size_t i;

	ALL(broken_files, file);
	ALL(broken_strips, strips_entry());
	ALL(broken_dirs, mkdir_entry("new"));
	ALL(broken_devs, device_entry());
	test_open();
	test_secondary();
	return done();
}
