// SPDX-License-Identifier: GPL-2.0
/*
 * MAP_SYNC, and the default of write_cache, which depend on the devices
 *
 * One device is enough here. With two, of which one is persistent memory and
 * the other is not, every case is seen.
 */
#include <stdlib.h>
#include <string.h>

#include "fmap_pages.h"
#include "fmap_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define SYNC		(MAP_SHARED_VALIDATE | MAP_SYNC)
#define SIZE		(2 * HUGE_PG)

static unsigned int nr_devices;

static const struct fmap_ext ext0[] = { FMAP_SIMPLE(DEV0, 4 * MB, SIZE) };
static const struct fmap_ext ext1[] = { FMAP_SIMPLE(DEV1, 4 * MB, SIZE) };
static const struct fmap_ext both_ext[] = {
	FMAP_SIMPLE(DEV0, 8 * MB, HUGE_PG), FMAP_SIMPLE(DEV1, 8 * MB, HUGE_PG),
};

/* Files on the first device, on the second, on both */
static const struct fmap_layout layouts[] = {
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext0),
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, ext1),
	FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, SIZE, both_ext),
};

static const char * const names[] = { "first", "second", "both" };

FIXTURE(map_sync)
{
	struct fmap_server *s;
	unsigned int nr;	/* files that can be */
	int fd[3];
	bool persistent[3];	/* are all devices of that file? */
};

FIXTURE_SETUP(map_sync)
{
	unsigned int i;

	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_server(&(struct fmap_config) { });
	ASSERT_NE(NULL, self->s);
	self->nr = nr_devices < 2 ? 1 : 3;
	for (i = 0; i < self->nr; i++)
		fmap_server_mapped(self->s, names[i], &layouts[i]);
	ASSERT_EQ(0, fmap_server_mount(self->s));

	self->persistent[0] = fmap_dax_persistent(0);
	if (self->nr == 3)
		self->persistent[1] = fmap_dax_persistent(1);
	self->persistent[2] = self->persistent[0] && self->persistent[1];
	for (i = 0; i < self->nr; i++) {
		self->fd[i] = fmap_open(self->s, names[i], O_RDWR);
		ASSERT_LE(0, self->fd[i]);
	}
}

FIXTURE_TEARDOWN(map_sync)
{
	unsigned int i;

	for (i = 0; i < self->nr; i++)
		close(self->fd[i]);
	fmap_server_free(self->s);
}

/* Has the mapping at @p the flag VM_SYNC? */
static bool is_sync(void *p)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool found = false, sync = false;
	unsigned long start, end;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			found = start <= (uintptr_t)p && (uintptr_t)p < end;
		else if (found && !strncmp(line, "VmFlags:", 8))
			sync = strstr(line, " sf");
	}
	if (f)
		fclose(f);

	return sync;
}

TEST_F(map_sync, on_persistent_memory_only)
{
	unsigned int i;
	char *p;

	for (i = 0; i < self->nr; i++) {
		p = fmap_map_aligned(self->fd[i], SIZE, RW, SYNC);
		if (!self->persistent[i]) {
			EXPECT_EQ(MAP_FAILED, p) TH_LOG("%s", names[i]);
			EXPECT_EQ(EOPNOTSUPP, errno);
			continue;
		}
		ASSERT_NE(MAP_FAILED, p) TH_LOG("%s", names[i]);
		EXPECT_TRUE(is_sync(p));
		EXPECT_EQ(2, fmap_touch(p, SIZE, PG, true).minor);
		EXPECT_TRUE(fmap_all_huge(p, SIZE));
		memcpy(p + HUGE_PG, "safe", 4);
		EXPECT_TRUE(fmap_on_devices(&layouts[i], HUGE_PG, "safe", 4));
		EXPECT_EQ(0, msync(p, SIZE, MS_SYNC));
		munmap(p, SIZE);
	}
}

/* Readers ask for it, too: they may store after mprotect */
TEST_F(map_sync, for_reading)
{
	unsigned int i;
	char *p;

	for (i = 0; i < self->nr; i++) {
		p = mmap(NULL, SIZE, PROT_READ, SYNC, self->fd[i], 0);
		EXPECT_EQ(self->persistent[i], p != MAP_FAILED)
			TH_LOG("%s", names[i]);
		if (p == MAP_FAILED)
			continue;
		EXPECT_EQ(0, mprotect(p, SIZE, RW));
		p[0] = 'm';
		EXPECT_TRUE(fmap_on_devices(&layouts[i], 0, "m", 1));
		munmap(p, SIZE);
	}
}

/*
 * The older kinds of mappings overlook flags that they do not know, but this
 * one counts for them, too
 */
TEST_F(map_sync, counts_without_validation)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };
	unsigned int i;
	char *p;

	for (i = 0; i < 2 * self->nr; i++) {
		p = mmap(NULL, SIZE, RW, kinds[i % 2] | MAP_SYNC,
			 self->fd[i / 2], 0);
		EXPECT_EQ(self->persistent[i / 2], p != MAP_FAILED)
			TH_LOG("%s, kind %d", names[i / 2], kinds[i % 2]);
		if (p == MAP_FAILED) {
			EXPECT_EQ(EOPNOTSUPP, errno);
			continue;
		}
		EXPECT_TRUE(is_sync(p));
		munmap(p, SIZE);
	}
}

/* Other new flags are still refused */
TEST_F(map_sync, unknown_flags_are_refused)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, SYNC | 0x1000000,
				   self->fd[0], 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* Where a flush makes data safe, it is asked for; the admin may do so, too */
TEST_F(map_sync, write_cache_where_it_helps)
{
	unsigned int i;

	for (i = 0; i < nr_devices && i < 2; i++) {
		EXPECT_EQ(fmap_dax_persistent(i),
			  fmap_dax_attr(i, "write_cache"))
			TH_LOG("%s", fmap_dax_name(i));
	}
}

/* More than FMAP_TEST_MAIN would accept */
int main(int argc, char **argv)
{
	nr_devices = fmap_dax_find();
	if (!nr_devices)
		ksft_exit_skip("set FAMFS_DAXDEVS to DAX nodes in fs-dax mode\n");

	return test_harness_run(argc, argv);
}
