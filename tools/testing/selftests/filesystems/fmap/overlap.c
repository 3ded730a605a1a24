// SPDX-License-Identifier: GPL-2.0
/* A byte of a device belongs to at most one file of all mounts */
#include <sys/mount.h>

#include "fmap_test.h"

#define LAYOUT(t, ...)							\
	(&(struct fmap_layout) {					\
		.type = (t), .size = 1,					\
		.nextents = sizeof((struct fmap_ext[]) { __VA_ARGS__ }) / \
			    sizeof(struct fmap_ext),			\
		.ext = (struct fmap_ext[]) { __VA_ARGS__ },		\
	})

#define SIMPLE_LAYOUT(...)	LAYOUT(FUSE_FAMFS_EXT_SIMPLE, __VA_ARGS__)
#define STRIPED_LAYOUT(...)	LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, __VA_ARGS__)

/* Add a file of these extents to the test's server and open it */
#define OPEN_SIMPLE(name, ...) \
	open_as(self->s, name, SIMPLE_LAYOUT(__VA_ARGS__))
#define OPEN_STRIPED(name, ...) \
	open_as(self->s, name, STRIPED_LAYOUT(__VA_ARGS__))

/* What the file "first" has, alone or striped with another device */
#define FIRST	(8 * PG)
#define LEN	(4 * PG)

FIXTURE(overlap)
{
	struct fmap_server *s;
	struct fmap_server *other;
};

FIXTURE_SETUP(overlap)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "first",
				  SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST, LEN)));
	ASSERT_NE(NULL, self->s);
}

FIXTURE_TEARDOWN(overlap)
{
	fmap_server_free(self->other);
	fmap_server_free(self->s);
}

static int open_as(struct fmap_server *s, const char *name,
		   const struct fmap_layout *l)
{
	fmap_server_mapped(s, name, l);
	return fmap_try_open(s, name, O_RDWR);
}

TEST_F(overlap, within_a_simple_map)
{
	EXPECT_EQ(-EINVAL, OPEN_SIMPLE("same",
				       FMAP_SIMPLE(DEV0, 0, PG),
				       FMAP_SIMPLE(DEV0, 0, PG)));
	EXPECT_EQ(-EINVAL, OPEN_SIMPLE("inside",
				       FMAP_SIMPLE(DEV0, 2 * PG, PG),
				       FMAP_SIMPLE(DEV1, 0, PG),
				       FMAP_SIMPLE(DEV0, 0, 4 * PG)));
	EXPECT_EQ(-EINVAL, OPEN_SIMPLE("by-a-page",
				       FMAP_SIMPLE(DEV1, 0, 3 * PG),
				       FMAP_SIMPLE(DEV1, 2 * PG, 2 * PG)));
	EXPECT_EQ(0, OPEN_SIMPLE("other-device",
				 FMAP_SIMPLE(DEV0, 0, PG),
				 FMAP_SIMPLE(DEV1, 0, PG)));
}

TEST_F(overlap, within_an_interleaved_map)
{
	EXPECT_EQ(-EINVAL, OPEN_STRIPED("strips",
					FMAP_STRIPED(2, PG, 4 * PG,
						     { DEV1, 0, 2 * PG },
						     { DEV1, PG, 2 * PG })));
	EXPECT_EQ(-EINVAL, OPEN_STRIPED("extents",
					FMAP_STRIPED(1, PG, PG,
						     { DEV1, 0, PG }),
					FMAP_STRIPED(1, PG, PG,
						     { DEV1, 0, PG })));
	/* What a strip has beyond its share is the file's as well */
	EXPECT_EQ(-EINVAL, OPEN_STRIPED("spare",
					FMAP_STRIPED(2, PG, 2 * PG,
						     { DEV1, 0, 2 * PG },
						     { DEV1, PG, PG })));
	EXPECT_EQ(0, OPEN_STRIPED("apart",
				  FMAP_STRIPED(2, PG, 2 * PG,
					       { DEV1, 0, PG },
					       { DEV1, PG, PG })));
}

TEST_F(overlap, between_files)
{
	int fd = fmap_open(self->s, "first", O_RDONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, OPEN_SIMPLE("same",
				      FMAP_SIMPLE(DEV0, FIRST, LEN)));
	EXPECT_EQ(-EBUSY, OPEN_SIMPLE("first-page",
				      FMAP_SIMPLE(DEV0, FIRST - PG, 2 * PG)));
	EXPECT_EQ(-EBUSY, OPEN_SIMPLE("last-page",
				      FMAP_SIMPLE(DEV1, 0, PG),
				      FMAP_SIMPLE(DEV0, FIRST + LEN - PG, PG)));
	EXPECT_EQ(-EBUSY, OPEN_STRIPED("strip",
				       FMAP_STRIPED(2, PG, 2 * PG,
						    { DEV1, 0, PG },
						    { DEV0, FIRST + PG, PG })));
	close(fd);
}

TEST_F(overlap, neighbours_are_none)
{
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(0, OPEN_SIMPLE("before",
				 FMAP_SIMPLE(DEV0, FIRST - PG, PG)));
	EXPECT_EQ(0, OPEN_SIMPLE("behind",
				 FMAP_SIMPLE(DEV0, FIRST + LEN, PG)));
	EXPECT_EQ(0, OPEN_SIMPLE("other-device",
				 FMAP_SIMPLE(DEV1, FIRST, LEN)));
}

/* Between the ranges of one file there may be those of another */
TEST_F(overlap, ranges_may_be_interwoven)
{
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(0, OPEN_SIMPLE("around",
				 FMAP_SIMPLE(DEV0, FIRST - PG, PG),
				 FMAP_SIMPLE(DEV0, FIRST + LEN, PG)));
	EXPECT_EQ(-EBUSY, OPEN_SIMPLE("gap-and-more",
				      FMAP_SIMPLE(DEV0, FIRST + LEN + 2 * PG, PG),
				      FMAP_SIMPLE(DEV0, FIRST + LEN, PG)));
}

TEST_F(overlap, failed_open_changes_nothing)
{
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(-EBUSY, OPEN_SIMPLE("fails",
				      FMAP_SIMPLE(DEV1, 0, PG),
				      FMAP_SIMPLE(DEV0, 0, PG),
				      FMAP_SIMPLE(DEV0, FIRST, PG)));
	EXPECT_EQ(0, OPEN_SIMPLE("takes-the-rest",
				 FMAP_SIMPLE(DEV1, 0, PG),
				 FMAP_SIMPLE(DEV0, 0, PG)));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "fails", O_RDONLY));
}

TEST_F(overlap, freed_when_the_first_is_unlinked)
{
	fmap_server_mapped(self->s, "second",
			   SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST, LEN)));
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "second", O_RDONLY));
	EXPECT_TRUE(fmap_forget(self->s, &self->s->file[0]));
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "second", O_RDONLY));
}

/* An unlinked file keeps its bytes as long as it is open or mapped */
TEST_F(overlap, held_by_an_open_unlinked_file)
{
	int fd = fmap_open(self->s, "first", O_RDWR);
	char *p;

	ASSERT_LE(0, fd);
	p = fmap_map(fd, PG, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, fmap_unlink(self->s, "first"));
	fmap_server_mapped(self->s, "second",
			   SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST, LEN)));

	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "second", O_RDONLY));
	EXPECT_EQ(0, p[0] & 0);
	close(fd);
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "second", O_RDONLY));
	munmap(p, PG);
	EXPECT_EQ(0, fmap_try_open_freed(self->s, "second", O_RDONLY));
}

/*
 * Lets the kernel forget what it does not use, and opens "second", which wants the
 * bytes of "first". More than once: RELEASE may not have been answered yet.
 */
static int open_second(struct fmap_server *s)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	int i, ret = -EBUSY;

	if (fd < 0)
		return -errno;
	for (i = 0; i < 10 && ret == -EBUSY; i++) {
		if (pwrite(fd, "2", 1, 0) != 1)
			break;
		usleep(10000);
		ret = fmap_try_open(s, "second", O_RDONLY);
	}
	close(fd);
	return ret;
}

/* Under memory pressure, or when the kernel is told so */
TEST_F(overlap, freed_when_the_inode_is_forgotten)
{
	fmap_server_mapped(self->s, "second",
			   SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST, LEN)));
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->s, "second", O_RDONLY));
	EXPECT_EQ(0, open_second(self->s));
}

/* What was stored through a mapping is in place: it must not keep the inode */
TEST_F(overlap, freed_after_a_store_to_a_mapping)
{
	int fd = fmap_open(self->s, "first", O_RDWR);
	char *p;

	ASSERT_LE(0, fd);
	fmap_server_mapped(self->s, "second",
			   SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST, LEN)));
	p = fmap_map(fd, PG, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);
	p[0] = 1;
	sync();
	p[0] = 2;
	munmap(p, PG);
	sync();
	EXPECT_EQ(0, open_second(self->s));
}

TEST_F(overlap, between_mounts)
{
	self->other = fmap_test_serve(&(struct fmap_config) { }, "second",
				      SIMPLE_LAYOUT(FMAP_SIMPLE(DEV0, FIRST,
								LEN)));
	ASSERT_NE(NULL, self->other);
	EXPECT_EQ(0, fmap_try_open(self->s, "first", O_RDONLY));
	EXPECT_EQ(-EBUSY, fmap_try_open(self->other, "second", O_RDONLY));

	ASSERT_EQ(0, fmap_server_umount(self->s, 0));
	EXPECT_EQ(0, fmap_try_open(self->other, "second", O_RDONLY));
}

FMAP_TEST_MAIN
