// SPDX-License-Identifier: Apache-2.0
/*
 * The superblock: bytes where the format says, and each field broken once.
 */
#include <unistd.h>
#include <zlib.h>

#include "tap.h"

static void test_bytes(struct image *im)
{
	uint8_t b[200];
	uint64_t v;

	ok(pread(im->dev.fd, b, sizeof(b), 0) == sizeof(b), "200 bytes lie at 0");
	memcpy(&v, b, 8);
	ok(v == 0x87b282ff, "magic at 0");
	memcpy(&v, b + 8, 8);
	ok(v == 48, "version at 8");
	memcpy(&v, b + 24, 8);
	ok(v == 8 * MIB, "log length at 24");
	memcpy(&v, b + 96, 8);
	ok(v == crc32(0, b, 96), "zlib's crc32 of the 96 bytes before it");
	ok(b[104] == 1, "primary flag at 104");
	ok(!memcmp(b + 64, b + 112 + 8, 16), "the device's uuid stands twice");
}

struct broken {
	const char *name;
	size_t offset;
	uint64_t value;
	size_t len;
	bool keep_crc;
	int err;
	const char *words;
};

#define FIELD(f)	offsetof(struct famfs_super, f), \
			/* value follows */

static const struct broken table[] = {
	{ "no magic", FIELD(magic) 1, 8, true, -ENODATA, "no famfs here" },
	{ "other version", FIELD(version) 47, 8, true, -EPROTONOSUPPORT,
	  "version is 47" },
	{ "checksum", FIELD(crc) 1, 8, true, -EINVAL, "checksum" },
	{ "a bit flipped under the checksum", FIELD(log_len) 16 * MIB, 8, true,
	  -EINVAL, "checksum" },
	{ "other major", FIELD(omf_major) 3, 4, false, -EPROTONOSUPPORT,
	  "format is 3" },
	{ "no flag", FIELD(flags) 0, 4, false, -EINVAL, "flags" },
	{ "both flags", FIELD(flags) 3, 4, false, -EINVAL, "flags" },
	{ "log elsewhere", FIELD(log_offset) MIB, 8, false, -EINVAL,
	  "log_offset" },
	{ "log of no length", FIELD(log_len) 0, 8, false, -EINVAL, "log_len" },
	{ "log too short", FIELD(log_len) 4 * MIB, 8, false, -EINVAL,
	  "log_len" },
	{ "log no power of two", FIELD(log_len) 9 * MIB, 8, false, -EINVAL,
	  "log_len" },
	{ "log of all bytes", FIELD(log_len) UINT64_MAX, 8, false, -EINVAL,
	  "log_len" },
	{ "log beyond the device", FIELD(log_len) 512 * MIB, 8, false, -EINVAL,
	  "ends beyond" },
	{ "no allocation unit", FIELD(alloc_unit) 0, 8, false, -EINVAL,
	  "alloc_unit" },
	{ "odd allocation unit", FIELD(alloc_unit) 8192, 8, false, -EINVAL,
	  "alloc_unit" },
};

static void test_broken(const struct image *im, const struct broken *b)
{
	struct famfs_super sb = im->super;
	struct famfs_error e = { "" };
	int err;

	memcpy((char *)&sb + b->offset, &b->value, b->len);
	if (!b->keep_crc)
		sb.crc = famfs_crc(&sb, offsetof(struct famfs_super, crc));
	err = famfs_super_check(&sb, im->dev.size, &e);
	refused(err, b->err, &e, b->words, b->name);
}

static void test_limits(struct image *im)
{
	struct famfs_super sb = im->super;
	struct famfs_error e = { "" };
	static const uint8_t host[16];
	int err;

	sb.alloc_unit = 4096;
	sb.crc = famfs_crc(&sb, offsetof(struct famfs_super, crc));
	ok(!famfs_super_check(&sb, im->dev.size, &e), "4096 is a unit, too");
	im->dev.size = 11 * MIB;
	err = famfs_super_make(&sb, &im->dev, 8 * MIB, host, &e);
	refused(err, -ENOSPC, &e, "too small", "a device without room for data");
	im->dev.size = 12 * MIB;
	ok(!famfs_super_make(&sb, &im->dev, 8 * MIB, host, &e),
	   "the smallest device");
}

int main(void)
{
	struct image im;
	size_t i;

	image_make(&im, 64 * MIB);
	test_bytes(&im);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		test_broken(&im, &table[i]);
	test_limits(&im);
	image_drop(&im);
	return done();
}
