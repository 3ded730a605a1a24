// SPDX-License-Identifier: Apache-2.0
/*
 * Free space and the allocator against an oracle that knows every unit: a
 * table of bytes for each device.
 */
#include "alloc.h"
#include "tap.h"

#define NDEVS	3
#define NUNITS	64			/* of each device; the first is not free */
#define NFILES	64

static struct famfs_space space[NDEVS];
static uint8_t used[NDEVS][NUNITS];
static const struct famfs_geometry g = {
	.alloc_unit = UNIT, .ndevs = NDEVS, .space = space,
};

static void set_up(void)
{
	int i;

	memset(used, 0, sizeof(used));
	for (i = 0; i < NDEVS; i++) {
		used[i][0] = 1;
		famfs_space_init(&space[i], UNIT, NUNITS * UNIT);
	}
}

static void tear_down(void)
{
	int i;

	for (i = 0; i < NDEVS; i++)
		famfs_space_fini(&space[i]);
}

/* Mark a map's units. Return: false if one was marked so already. */
static bool mark(const struct famfs_map *map, int value)
{
	uint32_t i, count;
	const struct famfs_extent *x = famfs_map_extents(map, &count);
	uint64_t u;

	for (i = 0; i < count; i++) {
		for (u = x[i].offset / UNIT;
		     u < (x[i].offset + x[i].len) / UNIT; u++) {
			if (u >= NUNITS || used[x[i].devindex][u] == value)
				return false;
			used[x[i].devindex][u] = value;
		}
	}
	return true;
}

/* The longest run of free units on a device, and how many there are. */
static uint64_t longest(int dev, uint64_t *free)
{
	uint64_t run = 0, best = 0;
	int u;

	*free = 0;
	for (u = 0; u < NUNITS; u++) {
		run = used[dev][u] ? 0 : run + 1;
		*free += !used[dev][u];
		if (run > best)
			best = run;
	}
	return best;
}

static bool space_agrees(void)
{
	struct famfs_range r;
	uint64_t free, best;
	int i;

	for (i = 0; i < NDEVS; i++) {
		best = longest(i, &free);
		r = famfs_space_largest(&space[i]);
		if (space[i].free != free * UNIT ||
		    r.end - r.start != best * UNIT)
			return false;
	}
	return true;
}

/* Could this be had in one piece on one of the devices that are wanted? */
static bool fits_whole(const struct famfs_want *w)
{
	uint64_t units = (w->size + UNIT - 1) / UNIT, free;
	uint32_t i;

	for (i = 0; i < (w->ndevs ? w->ndevs : NDEVS); i++)
		if (longest(w->ndevs ? w->dev[i] : i, &free) >= units)
			return true;
	return false;
}

static bool devices_right(const struct famfs_want *w,
			  const struct famfs_map *map)
{
	uint32_t i, k, count;
	const struct famfs_extent *x = famfs_map_extents(map, &count);

	if (!w->ndevs)
		return true;
	for (i = 0; i < count; i++) {
		for (k = 0; k < w->ndevs; k++)
			if (w->dev[k] == x[i].devindex)
				break;
		if (k == w->ndevs)
			return false;
		if (w->nstrips && w->dev[i % w->ndevs] != x[i].devindex)
			return false;
	}
	return true;
}

static struct famfs_want random_want(void)
{
	struct famfs_want w = { .size = rnd(12 * UNIT) + 1 };
	uint32_t first = rnd(NDEVS);

	if (rnd(2)) {
		w.nstrips = 1 + rnd(6);
		w.chunk = 4096UL << rnd(10);
	}
	if (rnd(2)) {
		w.ndevs = 1 + rnd(2);
		w.dev[0] = first;
		w.dev[1] = (first + 1) % NDEVS;
	}
	return w;
}

static bool try_one(const struct famfs_want *w, struct famfs_map *map)
{
	bool whole = !w->nstrips && fits_whole(w);
	int err = famfs_alloc(w, &g, map, NULL);

	if (err)
		return err == -ENOSPC && !whole;
	if (famfs_map_check(map, w->size, &g, NULL) || !devices_right(w, map))
		return false;
	if (w->nstrips && map->ie.nstrips != w->nstrips)
		return false;
	if (whole && map->count != 1)
		return false;
	return mark(map, 1);
}

static void test_random(void)
{
	static struct famfs_map file[NFILES];
	struct famfs_want w;
	int i, n;

	set_up();
	memset(file, 0, sizeof(file));
	for (n = 0; n < 20000; n++) {
		i = rnd(NFILES);
		if (file[i].count) {
			famfs_map_release(&file[i], &g);
			if (!mark(&file[i], 0))
				break;
			file[i].count = 0;
		} else {
			w = random_want();
			if (!try_one(&w, &file[i]))
				break;
		}
		if (!space_agrees())
			break;
	}
	ok(n == 20000, "20000 allocations and releases agree with the table (%d)",
	   n);
	for (i = 0; i < NFILES; i++)
		famfs_map_release(&file[i], &g);
	ok(space[0].free == space[0].size && space[2].free == space[2].size,
	   "all of it comes back");
	tear_down();
}

static void test_tightest(void)
{
	struct famfs_want w = { .size = 2 * UNIT };
	struct famfs_map map;

	set_up();
	/* Gaps of 10, 2 and the rest. */
	famfs_space_take(&space[0], 11 * UNIT, UNIT);
	famfs_space_take(&space[0], 14 * UNIT, UNIT);
	ok(!famfs_alloc(&w, &g, &map, NULL) && map.se[0].offset == 12 * UNIT,
	   "the tightest gap is taken");
	w.size = 63 * UNIT;
	ok(!famfs_alloc(&w, &g, &map, NULL) && map.se[0].devindex == 1,
	   "the next device when the first has no such gap");
	w.size = 64 * UNIT;
	ok(!famfs_alloc(&w, &g, &map, NULL) && map.count == 2 &&
	   map.se[0].devindex == 2, "pieces, the largest first");
	tear_down();
}

static void test_sixteen_pieces(void)
{
	struct famfs_want w = { .size = 16 * UNIT, .ndevs = 1 };
	struct famfs_map map;
	int i;

	set_up();
	for (i = 2; i < NUNITS; i += 2)
		famfs_space_take(&space[0], i * UNIT, UNIT);
	ok(!famfs_alloc(&w, &g, &map, NULL) && map.count == 16,
	   "sixteen pieces are put together");
	w.size = 17 * UNIT;
	ok(famfs_alloc(&w, &g, &map, NULL) == -ENOSPC &&
	   space[0].free == 16 * UNIT, "seventeen are refused and given back");
	tear_down();
}

struct bad {
	const char *name;
	struct famfs_want want;
	int err;
	const char *words;
};

static const struct bad bad[] = {
	{ "a size of all bits", { .size = UINT64_MAX }, -EINVAL, "too large" },
	{ "a size beyond files", { .size = INT64_MAX }, -EINVAL, "too large" },
	{ "a device that is not", { .size = 1, .ndevs = 1, .dev = { 3 } },
	  -EINVAL, "no device 3" },
	{ "a device twice", { .size = 1, .ndevs = 2, .dev = { 1, 1 } },
	  -EINVAL, "twice" },
	{ "too many devices", { .size = 1, .ndevs = 65 }, -EINVAL, "many" },
	{ "too many strips", { .size = 1, .nstrips = 17, .chunk = UNIT },
	  -EINVAL, "17 strips" },
	{ "no chunk", { .size = 1, .nstrips = 2 }, -EINVAL, "chunk" },
	{ "an odd chunk", { .size = 1, .nstrips = 2, .chunk = 5000 }, -EINVAL,
	  "chunk" },
	{ "a chunk beyond the wire",
	  { .size = 1, .nstrips = 2, .chunk = 1UL << 32 }, -EINVAL, "chunk" },
	{ "more than there is", { .size = 200 * UNIT }, -ENOSPC,
	  "378M are free, 126M in one piece" },
};

static void test_bad(const struct bad *b)
{
	struct famfs_error e = { "" };
	struct famfs_map map;
	int err;

	set_up();
	err = famfs_alloc(&b->want, &g, &map, &e);
	refused(err, b->err, &e, b->words, b->name);
	if (!space_agrees())
		ok(false, "%s takes nothing", b->name);
	tear_down();
}

/* Where each byte of a striped file lies, counted one chunk at a time. */
static void test_shares(void)
{
	uint64_t size, chunk, n, s, at, share[16];
	int wrong = 0;

	for (chunk = 1; chunk < 5; chunk++) {
		for (n = 1; n < 5; n++) {
			for (size = 0; size < 50; size++) {
				memset(share, 0, sizeof(share));
				for (at = 0; at < size; at++)
					share[at / chunk % n]++;
				for (s = 0; s < n; s++)
					wrong += share[s] !=
						famfs_strip_share(size, chunk,
								  n, s);
			}
		}
	}
	ok(!wrong, "shares of strips");
}

int main(void)
{
	size_t i;

	test_random();
	test_tightest();
	test_sixteen_pieces();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		test_bad(&bad[i]);
	test_shares();
	return done();
}
