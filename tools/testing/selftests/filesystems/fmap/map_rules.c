// SPDX-License-Identifier: GPL-2.0
/*
 * Every rule of a valid map, broken once
 *
 * A valid map is patched at one place. The open must fail with the errno that
 * fuse_fmap.h tells; after that another file opens and reads right, and so does
 * the same file once its map is whole again.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fmap_test.h"

/* Where things stand in the two maps that are patched */
#define HDR(field)	offsetof(struct fuse_famfs_fmap_header, field)
#define EXT(n, field)	(32 + 24 * (n) + \
			 offsetof(struct fuse_famfs_simple_ext, field))
#define IEXT(n, field)	(32 + 24 * (n) + offsetof(struct fuse_famfs_iext, field))

/* Bytes 32 and on: ext 0, ext 1 */
static const struct fmap_ext simple_ext[] = {
	FMAP_SIMPLE(DEV0, 8 * MB, 2 * PG),
	FMAP_SIMPLE(DEV1, 0, 2 * PG),
};

/* Bytes 32 and on: iext 0, strip 1, strip 2, iext 3, strip 4 */
static const struct fmap_ext striped_ext[] = {
	FMAP_STRIPED(2, PG, 4 * PG, { DEV0, 8 * MB, 2 * PG },
		     { DEV1, 0, 2 * PG }),
	FMAP_STRIPED(1, 2 * PG, PG + 100, { DEV0, 9 * MB, 2 * PG }),
};

static const struct fmap_layout bases[] = {
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 3 * PG + 100, simple_ext),
	FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 5 * PG + 100, striped_ext),
};

enum { SIMPLE, STRIPED };

struct rule {
	const char *name;
	int base;
	size_t at;
	size_t width;
	uint64_t value;
	int error;
};

static const struct rule rules[] = {
	{ "version 0", SIMPLE, HDR(fmap_version), 2, 0, EINVAL },
	{ "version 2", SIMPLE, HDR(fmap_version), 2, 2, EINVAL },
	{ "file type", SIMPLE, HDR(file_type), 1, 3, EINVAL },
	{ "extent type", SIMPLE, HDR(ext_type), 4, 2, EINVAL },
	{ "other extent type", SIMPLE, HDR(ext_type), 4, 1, EINVAL },
	{ "header reserved", SIMPLE, HDR(reserved), 1, 1, EINVAL },
	{ "next page odd", SIMPLE, HDR(next_offset), 8, 4 * PG + 1, EINVAL },
	{ "next page sector", SIMPLE, HDR(next_offset), 8, 512, EINVAL },
	{ "next page most", SIMPLE, HDR(next_offset), 8, ~0ULL, EINVAL },
	{ "next page inside", SIMPLE, HDR(next_offset), 8, PG, EIO },
	{ "next page behind", SIMPLE, HDR(next_offset), 8, 5 * PG, EIO },
	{ "next page sign", SIMPLE, HDR(next_offset), 8, 1ULL << 63, EIO },
	{ "page ends odd", STRIPED, HDR(next_offset), 8, 5 * PG + 100, EINVAL },
	{ "page ends early", STRIPED, HDR(next_offset), 8, 6 * PG, EIO },
	{ "fewer extents", SIMPLE, HDR(nextents), 4, 1, EINVAL },
	{ "more extents", SIMPLE, HDR(nextents), 4, 3, EINVAL },
	{ "most extents", SIMPLE, HDR(nextents), 4, ~0U, EINVAL },
	{ "no extents", SIMPLE, HDR(nextents), 4, 0, EINVAL },
	{ "message size less", SIMPLE, HDR(fmap_size), 4, 79, EINVAL },
	{ "message size more", SIMPLE, HDR(fmap_size), 4, 81, EINVAL },
	{ "file size", SIMPLE, HDR(file_size), 8, 4 * PG + 1, EINVAL },
	{ "file size sign", SIMPLE, HDR(file_size), 8, 1ULL << 63, EINVAL },
	{ "file size most", SIMPLE, HDR(file_size), 8, ~0ULL, EINVAL },
	{ "extent reserved", SIMPLE, EXT(0, reserved), 4, 1, EINVAL },
	{ "last reserved", SIMPLE, EXT(1, reserved), 4, 1, EINVAL },
	{ "offset odd", SIMPLE, EXT(0, se_offset), 8, 8 * MB + 1, EINVAL },
	{ "offset sector", SIMPLE, EXT(1, se_offset), 8, 512, EINVAL },
	{ "length odd", SIMPLE, EXT(0, se_len), 8, 2 * PG + 1, EINVAL },
	{ "length sector", SIMPLE, EXT(1, se_len), 8, 2 * PG + 512, EINVAL },
	{ "length 0", SIMPLE, EXT(0, se_len), 8, 0, EINVAL },
	{ "last length 0", SIMPLE, EXT(1, se_len), 8, 0, EINVAL },
	{ "length short", SIMPLE, EXT(1, se_len), 8, PG, EINVAL },
	{ "length overflows", SIMPLE, EXT(0, se_len), 8, -PG, EINVAL },
	{ "length huge", SIMPLE, EXT(0, se_len), 8, 1ULL << 62, EINVAL },
	{ "offset overflows", SIMPLE, EXT(0, se_offset), 8, -PG, EINVAL },
	{ "offset beyond", SIMPLE, EXT(0, se_offset), 8, 1ULL << 44, EINVAL },
	{ "device unknown", SIMPLE, EXT(1, se_devindex), 4, 63, ENODEV },
	{ "device 64", SIMPLE, EXT(0, se_devindex), 4, 64, ENODEV },
	{ "device most", SIMPLE, EXT(0, se_devindex), 4, ~0U, ENODEV },

	{ "no strips", STRIPED, IEXT(0, ie_nstrips), 4, 0, EINVAL },
	{ "fewer strips", STRIPED, IEXT(0, ie_nstrips), 4, 1, EINVAL },
	{ "most strips", STRIPED, IEXT(0, ie_nstrips), 4, ~0U, EINVAL },
	{ "last has most", STRIPED, IEXT(3, ie_nstrips), 4, ~0U, EINVAL },
	{ "chunk 0", STRIPED, IEXT(0, ie_chunk_size), 4, 0, EINVAL },
	{ "chunk 1", STRIPED, IEXT(0, ie_chunk_size), 4, 1, EINVAL },
	{ "chunk odd", STRIPED, IEXT(0, ie_chunk_size), 4, PG + 1, EINVAL },
	{ "chunk sector", STRIPED, IEXT(0, ie_chunk_size), 4, 512, EINVAL },
	{ "chunk large", STRIPED, IEXT(0, ie_chunk_size), 4, -PG, EINVAL },
	{ "bytes 0", STRIPED, IEXT(0, ie_nbytes), 8, 0, EINVAL },
	{ "last bytes 0", STRIPED, IEXT(3, ie_nbytes), 8, 0, EINVAL },
	{ "bytes odd", STRIPED, IEXT(0, ie_nbytes), 8, 4 * PG - 1, EINVAL },
	{ "bytes more", STRIPED, IEXT(0, ie_nbytes), 8, 4 * PG + PG, EINVAL },
	{ "bytes most", STRIPED, IEXT(0, ie_nbytes), 8, ~0ULL, EINVAL },
	{ "last bytes less", STRIPED, IEXT(3, ie_nbytes), 8, PG, EINVAL },
	{ "last bytes more", STRIPED, IEXT(3, ie_nbytes), 8, 2 * PG + 1, EINVAL },
	{ "iext reserved", STRIPED, IEXT(0, reserved), 8, 1, EINVAL },
	{ "iext reserved high", STRIPED, IEXT(3, reserved), 8, 1ULL << 63,
	  EINVAL },
	{ "strip reserved", STRIPED, EXT(2, reserved), 4, 1, EINVAL },
	{ "strip offset odd", STRIPED, EXT(1, se_offset), 8, 8 * MB + 8,
	  EINVAL },
	{ "strip length odd", STRIPED, EXT(2, se_len), 8, 3 * PG - 8, EINVAL },
	{ "strip too short", STRIPED, EXT(2, se_len), 8, PG, EINVAL },
	{ "last strip too short", STRIPED, EXT(4, se_len), 8, PG, EINVAL },
	{ "strip overflows", STRIPED, EXT(1, se_offset), 8, -PG, EINVAL },
	{ "strip beyond", STRIPED, EXT(2, se_offset), 8, 1ULL << 44, EINVAL },
	{ "strip unknown", STRIPED, EXT(2, se_devindex), 4, 2, ENODEV },
	{ "strip device most", STRIPED, EXT(4, se_devindex), 4, ~0U, ENODEV },

	/* What a valid map may have: the table must be able to tell */
	{ "one device", SIMPLE, EXT(1, se_devindex), 4, DEV0, 0 },
	{ "superblock", SIMPLE, HDR(file_type), 1, 1, 0 },
	{ "log", SIMPLE, HDR(file_type), 1, 2, 0 },
	{ "no message size", SIMPLE, HDR(fmap_size), 4, 0, 0 },
	{ "file size all", SIMPLE, HDR(file_size), 8, 4 * PG, 0 },
	{ "file size 0", SIMPLE, HDR(file_size), 8, 0, 0 },
	{ "page behind the size", SIMPLE, HDR(next_offset), 8, 4 * PG, 0 },
	{ "strip longer", STRIPED, EXT(2, se_len), 8, 3 * PG, 0 },
	{ "last bytes to a page", STRIPED, IEXT(3, ie_nbytes), 8, 2 * PG, 0 },
};

static const struct fmap_ext good_ext[] = { FMAP_SIMPLE(DEV1, MB, 3 * PG) };
static const struct fmap_layout good = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE,
						   2 * PG + 9, good_ext);

FIXTURE(map_rules)
{
	struct fmap_server *s;
	struct fmap_file *f;
};

FIXTURE_SETUP(map_rules)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "good", &good);
	ASSERT_NE(NULL, self->s);
	ASSERT_EQ(0, fmap_fill_devices(&good, 1));
	ASSERT_EQ(0, fmap_fill_devices(&bases[SIMPLE], 2));
	self->f = fmap_server_file(self->s, "file", 5 * PG);
}

FIXTURE_TEARDOWN(map_rules)
{
	fmap_server_free(self->s);
}

static void set_patched(struct fmap_server *s, struct fmap_file *f,
			const struct rule *rule)
{
	size_t len;
	char *map = fmap_encode(&bases[rule->base], &len);

	memcpy(map + rule->at, &rule->value, rule->width);
	fmap_file_map(s, f, map, len);
	f->raw = true;
	free(map);
}

static bool is_mended(struct fmap_server *s, struct fmap_file *f)
{
	const struct fmap_layout *l = &bases[SIMPLE];

	fmap_file_layout(s, f, l);
	return !fmap_check_file(s, f->name, l->size, 2) && fmap_forget(s, f);
}

static bool is_healthy(struct fmap_server *s)
{
	return !fmap_check_file(s, "good", good.size, 1);
}

TEST_F_TIMEOUT(map_rules, each_broken_once, 120)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];

		set_patched(self->s, self->f, rule);
		EXPECT_EQ(-rule->error, fmap_try_open(self->s, "file", O_RDWR))
			TH_LOG("rule: %s", rule->name);
		EXPECT_TRUE(is_healthy(self->s)) TH_LOG("%s", rule->name);
		if (!rule->error)
			EXPECT_TRUE(fmap_forget(self->s, self->f));
		EXPECT_TRUE(is_mended(self->s, self->f))
			TH_LOG("rule: %s", rule->name);
	}
}

/* Cut off behind each byte, with no size told: nothing stands behind it */
TEST_F_TIMEOUT(map_rules, each_message_cut_off, 120)
{
	size_t len, cut;
	int base;

	for (base = SIMPLE; base <= STRIPED; base++) {
		struct fuse_famfs_fmap_header *map;

		map = fmap_encode(&bases[base], &len);
		map->fmap_size = 0;
		self->f->raw = true;
		for (cut = 0; cut < len; cut++) {
			fmap_file_map(self->s, self->f, map, cut);
			EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", 0))
				TH_LOG("base %d, %zu bytes", base, cut);
		}
		free(map);
	}
	EXPECT_TRUE(is_healthy(self->s));
	EXPECT_TRUE(is_mended(self->s, self->f));
}

TEST_F(map_rules, bytes_behind_the_extents)
{
	char map[200] = "";
	size_t len;
	void *whole = fmap_encode(&bases[SIMPLE], &len);

	memcpy(map, whole, len);
	((struct fuse_famfs_fmap_header *)map)->fmap_size = 0;
	free(whole);
	self->f->raw = true;

	/* A server that tells no size may send all of its zeroed buffer */
	fmap_file_map(self->s, self->f, map, sizeof(map));
	EXPECT_EQ(0, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_TRUE(fmap_forget(self->s, self->f));

	map[sizeof(map) - 1] = 1;
	fmap_file_map(self->s, self->f, map, sizeof(map));
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	EXPECT_TRUE(is_healthy(self->s));
}

TEST_F(map_rules, empty_file_needs_no_extents)
{
	struct fmap_layout empty = { .type = FUSE_FAMFS_EXT_SIMPLE };
	char c;
	int fd;

	fmap_file_layout(self->s, self->f, &empty);
	fd = fmap_open(self->s, "file", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, pread(fd, &c, 1, 0));
	EXPECT_EQ(-1, pwrite(fd, &c, 1, 0));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, self->s->count[FUSE_READ] + self->s->count[FUSE_WRITE]);
	close(fd);
}

/* Up to the very end of a device, and one page more */
TEST_F(map_rules, extents_end_at_the_end_of_the_device)
{
	uint64_t last = fmap_dax_size(0) - PG;
	struct fmap_ext ext = FMAP_SIMPLE(DEV0, last, PG);
	struct fmap_layout l = {
		.type = FUSE_FAMFS_EXT_SIMPLE, .size = PG,
		.nextents = 1, .ext = &ext,
	};

	ext.run[0].len = 2 * PG;
	fmap_file_layout(self->s, self->f, &l);
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));
	ext.run[0].len = PG;
	ext.run[0].off = last + PG;
	fmap_file_layout(self->s, self->f, &l);
	EXPECT_EQ(-EINVAL, fmap_try_open(self->s, "file", O_RDWR));

	ext.run[0].off = last;
	ASSERT_EQ(0, fmap_fill_devices(&l, 4));
	fmap_file_layout(self->s, self->f, &l);
	EXPECT_EQ(0, fmap_check_file(self->s, "file", PG, 4));
}

FMAP_TEST_MAIN
