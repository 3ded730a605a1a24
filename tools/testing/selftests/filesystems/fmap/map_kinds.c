// SPDX-License-Identifier: GPL-2.0
/* Each kind of server, and each kind of map, tells where the bytes are */
#include <stdlib.h>
#include <string.h>

#include "fmap_test.h"

#define SIMPLE		FUSE_FAMFS_EXT_SIMPLE
#define INTERLEAVE	FUSE_FAMFS_EXT_INTERLEAVE

static const struct fmap_ext one_ext[] = { FMAP_SIMPLE(DEV0, 0, 4 * PG) };

static const struct fmap_ext mixed_ext[] = {
	FMAP_SIMPLE(DEV1, 3 * PG, PG),
	FMAP_SIMPLE(DEV0, 64 * PG, 5 * PG),
	FMAP_SIMPLE(DEV0, 69 * PG, 2 * PG),	/* goes on where that ended */
	FMAP_SIMPLE(DEV1, 0, 2 * PG),		/* before what came first */
};

static const struct fmap_ext striped_ext[] = {
	FMAP_STRIPED(2, 2 * PG, 17 * PG + 100,
		     { DEV0, 128 * PG, 10 * PG }, { DEV1, 128 * PG, 8 * PG }),
};

static const struct fmap_ext same_dev_ext[] = {
	FMAP_STRIPED(3, PG, 9 * PG, { DEV1, 200 * PG, 3 * PG },
		     { DEV1, 160 * PG, 3 * PG }, { DEV1, 180 * PG, 4 * PG }),
};

/* Chunks that are no power of two, strips of several extents, one strip */
static const struct fmap_ext stripes_ext[] = {
	FMAP_STRIPED(2, 3 * PG, 6 * PG,
		     { DEV0, 256 * PG, 3 * PG }, { DEV1, 256 * PG, 3 * PG }),
	FMAP_STRIPED(4, PG, 7 * PG,
		     { DEV1, 300 * PG, 2 * PG }, { DEV0, 300 * PG, 2 * PG },
		     { DEV1, 310 * PG, 2 * PG }, { DEV0, 310 * PG, PG }),
	FMAP_STRIPED(1, PG, 2 * PG + 7, { DEV0, 320 * PG, 3 * PG }),
};

/* Not one byte of them is in two */
static const struct fmap_layout layouts[] = {
	FMAP_LAYOUT(SIMPLE, 4 * PG, one_ext),
	FMAP_LAYOUT(SIMPLE, 10 * PG - 3, mixed_ext),
	FMAP_LAYOUT(INTERLEAVE, 17 * PG + 100, striped_ext),
	FMAP_LAYOUT(INTERLEAVE, 8 * PG + 1, same_dev_ext),
	FMAP_LAYOUT(INTERLEAVE, 15 * PG + 7, stripes_ext),
};

FIXTURE(map_kinds)
{
	struct fmap_server *s;
};

FIXTURE_VARIANT(map_kinds)
{
	enum fmap_kind kind;
};

FIXTURE_VARIANT_ADD(map_kinds, pull_without_size) { .kind = FMAP_NOSIZE };
FIXTURE_VARIANT_ADD(map_kinds, pull_with_probe) { .kind = FMAP_PROBE };
FIXTURE_VARIANT_ADD(map_kinds, push_by_descriptor) { .kind = FMAP_PUSH };

FIXTURE_SETUP(map_kinds)
{
	char name[] = "file0";
	unsigned int i;

	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_server(&(struct fmap_config) {
		.kind = variant->kind,
	});
	ASSERT_NE(NULL, self->s);
	for (i = 0; i < ARRAY_SIZE(layouts); i++, name[4]++)
		fmap_server_mapped(self->s, name, &layouts[i]);
	ASSERT_EQ(0, fmap_server_mount(self->s));
}

FIXTURE_TEARDOWN(map_kinds)
{
	fmap_server_free(self->s);
}

TEST_F(map_kinds, reads_what_the_devices_hold)
{
	char name[] = "file0";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++, name[4]++) {
		ASSERT_EQ(0, fmap_fill_devices(&layouts[i], i));
		EXPECT_EQ(0, fmap_check_file(self->s, name, layouts[i].size, i))
			TH_LOG("layout %u", i);
	}
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
}

TEST_F(map_kinds, writes_where_the_map_says)
{
	char name[] = "file0", buf[20 * PG];
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(layouts); i++, name[4]++) {
		const struct fmap_layout *l = &layouts[i];

		fd = fmap_open(self->s, name, O_RDWR);
		ASSERT_LE(0, fd);
		fmap_fill(buf, l->size, 100 + i, 0);
		EXPECT_EQ(l->size, pwrite(fd, buf, l->size, 0));
		EXPECT_TRUE(fmap_on_devices(l, 0, buf, l->size))
			TH_LOG("layout %u", i);
		close(fd);
	}
	EXPECT_EQ(0, self->s->count[FUSE_WRITE]);
}

TEST_F(map_kinds, devices_are_asked_for_only_if_not_pushed)
{
	bool push = variant->kind == FMAP_PUSH;

	ASSERT_EQ(0, fmap_try_open(self->s, "file1", O_RDONLY));
	EXPECT_EQ(push ? 0 : 2, self->s->count[FUSE_GET_DAXDEV]);
	EXPECT_EQ(push ? 1 : 0, self->s->dev[DEV0].push_result);
	EXPECT_EQ(push ? 1 : 0, self->s->dev[DEV1].push_result);
}

TEST_F(map_kinds, map_comes_once_while_the_inode_lives)
{
	int fd = fmap_open(self->s, "file0", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fmap_try_open(self->s, "file0", O_RDWR));
	close(fd);
	EXPECT_EQ(0, fmap_try_open(self->s, "file0", O_RDWR));
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
}

/* A file that is made and opened in one request is mapped as well */
TEST_F(map_kinds, created_file_is_mapped)
{
	int fd;

	self->s->file[0].linked = false;
	ASSERT_EQ(0, fmap_fill_devices(&layouts[0], 9));
	fd = fmap_open(self->s, "file0", O_RDWR | O_CREAT | O_EXCL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->count[FUSE_CREATE]);
	EXPECT_EQ(1, self->s->count[FUSE_GET_FMAP]);
	EXPECT_TRUE(fmap_file_holds(fd, layouts[0].size, 9));
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	close(fd);
}

/* Servers that know no CREATE get MKNOD and OPEN instead */
TEST_F(map_kinds, file_of_two_steps_is_mapped)
{
	int fd;

	self->s->hook[FUSE_CREATE].error = ENOSYS;
	self->s->file[0].linked = false;
	ASSERT_EQ(0, fmap_fill_devices(&layouts[0], 9));
	fd = fmap_open(self->s, "file0", O_RDWR | O_CREAT | O_EXCL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, self->s->count[FUSE_MKNOD]);
	EXPECT_TRUE(fmap_file_holds(fd, layouts[0].size, 9));
	EXPECT_EQ(0, self->s->count[FUSE_READ]);
	close(fd);
}

/* One page here, one there, backwards: nothing can be merged */
static void scatter(struct fmap_ext *ext, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		ext[i] = (struct fmap_ext)
			FMAP_SIMPLE(i % 2, (nr - i / 2) * PG, PG);
}

static bool sample_page(int fd, const struct fmap_layout *l, uint64_t page)
{
	char want[PG], got[PG];
	struct fmap_place at = fmap_locate(l, page * PG);

	fmap_fill(want, PG, 3, page * PG);
	if (fmap_dax_write(at.dev, at.off, want, PG))
		return false;

	return pread(fd, got, PG, page * PG) == PG && !memcmp(want, got, PG);
}

TEST_F(map_kinds, map_larger_than_a_page)
{
	enum { NR = 8000 };
	struct fmap_ext *ext = calloc(NR, sizeof(*ext));
	struct fmap_layout l = {
		.type = SIMPLE, .size = NR * PG, .nextents = NR, .ext = ext,
	};
	unsigned int i;
	int fd;

	scatter(ext, NR);
	fmap_server_mapped(self->s, "large", &l);
	fd = fmap_open(self->s, "large", O_RDONLY);
	if (variant->kind == FMAP_NOSIZE) {
		EXPECT_EQ(-E2BIG, fd);	/* this server cannot tell it */
		return;
	}

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	for (i = 0; i < NR && sample_page(fd, &l, i); i += 97)
		;
	EXPECT_LE(NR, i) TH_LOG("page %u", i);
	EXPECT_TRUE(sample_page(fd, &l, NR - 1));
	close(fd);
	free(ext);
}

FIXTURE(misfit)
{
	struct fmap_server *s;
	struct fmap_file *f;
};

FIXTURE_SETUP(misfit)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "good",
				  &layouts[0]);
	ASSERT_NE(NULL, self->s);
	self->f = fmap_server_file(self->s, "misfit", 4 * PG);
	self->f->raw = true;
}

FIXTURE_TEARDOWN(misfit)
{
	/* The mount is healthy after each of them, and so is the file */
	EXPECT_EQ(0, fmap_try_open(self->s, "good", O_RDWR));
	self->f->raw = false;
	fmap_file_layout(self->s, self->f, &layouts[1]);
	EXPECT_EQ(0, fmap_try_open(self->s, "misfit", O_RDWR));
	fmap_server_free(self->s);
}

/* The header alone, which says how large the map would be */
static void tell_size(struct fmap_server *s, struct fmap_file *f,
		      uint32_t size)
{
	struct fuse_famfs_fmap_header hdr = {
		.fmap_version = FUSE_FAMFS_FMAP_VERSION,
		.nextents = (size - sizeof(hdr)) / 24,
		.fmap_size = size,
		.file_size = 4 * PG,
	};

	fmap_file_map(s, f, &hdr, sizeof(hdr));
}

TEST_F(misfit, above_16_mib_is_efbig)
{
	tell_size(self->s, self->f, FUSE_FMAP_MAX_MSG + 8);
	EXPECT_EQ(-EFBIG, fmap_try_open(self->s, "misfit", O_RDONLY));
	tell_size(self->s, self->f, ~0U);
	EXPECT_EQ(-EFBIG, fmap_try_open(self->s, "misfit", O_RDONLY));
}

/* It says 16 MiB, gets the room, and says the same again */
TEST_F(misfit, never_fits_is_eio)
{
	tell_size(self->s, self->f, FUSE_FMAP_MAX_MSG);
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "misfit", O_RDONLY));
	EXPECT_EQ(2, self->s->count[FUSE_GET_FMAP]);
	EXPECT_EQ(FUSE_FMAP_MAX_MSG, self->s->fmap_in.size);
}

TEST_F(misfit, longer_than_the_room_is_eio)
{
	static char big[MB];

	fmap_file_map(self->s, self->f, big, sizeof(big));
	EXPECT_EQ(-EIO, fmap_try_open(self->s, "misfit", O_RDONLY));
}

TEST_F(misfit, request_is_as_published)
{
	fmap_file_layout(self->s, self->f, &layouts[1]);
	ASSERT_EQ(0, fmap_try_open(self->s, "misfit", O_RDONLY));
	EXPECT_LE(PG, self->s->fmap_in.size);
	EXPECT_EQ(0, self->s->fmap_in.flags);
	EXPECT_EQ(0, self->s->fmap_in.offset);
	EXPECT_EQ(0, self->s->fmap_in.length);
}

FMAP_TEST_MAIN
