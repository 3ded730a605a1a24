// SPDX-License-Identifier: Apache-2.0
/*
 * A file system as a whole: what is made is there after it is opened again,
 * other hosts see it, and no log can make the accounts wrong.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "map.h"
#include "tap.h"

static const struct famfs_owner owner = { .uid = 7, .gid = 8, .mode = 0640 };

static struct famfs_node *root_of(struct famfs_volume *v)
{
	return famfs_tree_get(&v->tree, FAMFS_ROOT_INO);
}

static int make_file(struct famfs_volume *v, struct famfs_node *dir,
		     const char *name, uint64_t size, uint32_t nstrips,
		     struct famfs_error *e)
{
	struct famfs_want w = { .size = size, .nstrips = nstrips };
	struct famfs_node *node;

	w.chunk = nstrips ? UNIT : 0;
	return famfs_volume_create(v, dir, name, &owner, &w, &node, e);
}

static bool same_node(const struct famfs_node *a, const struct famfs_node *b)
{
	return a->kind == b->kind && a->size == b->size &&
		a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
		a->flags == b->flags && !strcmp(a->name, b->name) &&
		a->parent->ino == b->parent->ino &&
		!memcmp(&a->map, &b->map, sizeof(a->map));
}

static bool same(const struct famfs_volume *a, const struct famfs_volume *b)
{
	uint64_t i;

	if (a->tree.nnodes != b->tree.nnodes ||
	    a->space[0].free != b->space[0].free)
		return false;
	for (i = 0; i < a->tree.nnodes; i++)
		if (!same_node(a->tree.node[i], b->tree.node[i]))
			return false;
	return true;
}

/* Free and named memory are all there is. */
static bool accounts_hold(const struct famfs_volume *v)
{
	uint64_t sum = v->space[0].free, i;
	const struct famfs_extent *x;
	uint32_t n;

	for (i = 0; i < v->tree.nnodes; i++) {
		if (v->tree.node[i]->kind != FAMFS_NODE_FILE)
			continue;
		x = famfs_map_extents(&v->tree.node[i]->map, &n);
		while (n--)
			if (x[n].devindex == 0)
				sum += x[n].len;
	}
	return sum == v->space[0].size;
}

static void test_make(void)
{
	struct famfs_volume v, again;
	struct famfs_error e = { "" };
	struct famfs_node *dir;
	char name[16];
	struct image im;
	int i, err;

	image_make(&im, 1024 * MIB);
	err = famfs_volume_open(&v, im.path, O_RDWR, &e);
	ok(!err && v.tree.nnodes == 4, "an empty file system %s", e.text);
	err = famfs_volume_mkdir(&v, root_of(&v), "d", &owner, &dir, &e);
	for (i = 0; !err && i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		err = make_file(&v, i % 3 ? dir : root_of(&v), name,
				rnd(4 * UNIT), rnd(4), &e);
	}
	ok(!err && v.tree.nfiles == 100, "a directory and 100 files %s", e.text);
	ok(accounts_hold(&v), "all memory is accounted for");
	err = famfs_volume_open(&again, im.path, O_RDONLY, &e);
	ok(!err && same(&v, &again), "the same after it is opened again %s",
	   e.text);
	err = make_file(&v, dir, "f1", UNIT, 0, &e);
	refused(err, -EEXIST, &e, "there already", "a name twice");
	err = make_file(&v, dir, "x", 2048 * MIB, 0, &e);
	refused(err, -ENOSPC, &e, "are free", "more than there is");
	err = make_file(&v, dir, "a/b", UNIT, 0, &e);
	refused(err, -EINVAL, &e, "not a file name", "a path for a name");
	ok(same(&v, &again), "what is refused changes nothing");
	famfs_volume_close(&again);
	famfs_volume_close(&v);
	image_drop(&im);
}

static void test_refresh(void)
{
	struct famfs_entry bad = file_entry("bad", 0, UNIT);
	struct famfs_volume master, client;
	struct famfs_error e = { "" };
	struct image im;
	int err;

	image_make(&im, 64 * MIB);
	err = famfs_volume_open(&master, im.path, O_RDWR, &e);
	err |= famfs_volume_open(&client, im.path, O_RDONLY, &e);
	ok(!err && !famfs_volume_refresh(&client, &e), "nothing is new");
	err = make_file(&master, root_of(&master), "a", UNIT + 1, 0, &e);
	ok(!err && famfs_volume_refresh(&client, &e) == 1 &&
	   same(&master, &client), "a client sees a new file %s", e.text);

	im.log = master.log;
	image_append(&im, &bad);
	err = famfs_volume_refresh(&client, &e);
	refused(err, -EEXIST, &e, "log entry 1", "a bad entry is told");
	ok(client.tree.nfiles == 1, "and what was known stays");
	famfs_volume_close(&master);

	image_put_header(&im, &(struct famfs_log_header){
		FAMFS_LOG_MAGIC, FAMFS_LOG_LEN_MIN,
		famfs_log_slots(FAMFS_LOG_LEN_MIN) - 1, 0, 0, 0 });
	err = famfs_volume_refresh(&client, &e);
	refused(err, -ESTALE, &e, "formatted", "a new file system below it");
	famfs_volume_close(&client);
	image_drop(&im);
}

static void test_in_use(void)
{
	struct famfs_volume a;
	struct famfs_error e = { "" };
	struct image im;
	int err;

	image_make(&im, 64 * MIB);
	err = famfs_volume_open(&a, im.path, O_RDWR, &e);
	ok(!err && famfs_dev_use(&im.dev, FAMFS_USE_FORMAT) == -EBUSY,
	   "no mkfs while it is open");
	ok(!famfs_dev_use(&a.primary, FAMFS_USE_WRITE_LOG) &&
	   famfs_dev_use(&im.dev, FAMFS_USE_WRITE_LOG) == -EBUSY,
	   "one writer of the log");
	famfs_volume_close(&a);
	ok(!famfs_dev_use(&im.dev, FAMFS_USE_FORMAT), "mkfs when it is closed");
	err = famfs_volume_open(&a, im.path, O_RDWR, &e);
	refused(err, -EBUSY, &e, "mkfs", "no mount meanwhile");
	image_drop(&im);
}

/*
 * Whole checksums over spoilt bytes: whatever the entries say, the log is
 * taken with right accounts, or refused with a sentence.
 */
static void spoil(struct famfs_entry *entry)
{
	uint8_t *bytes = (uint8_t *)entry;
	int n = rnd(4);

	while (n--)
		bytes[8 + rnd(rnd(2) ? 200 : sizeof(*entry) - 16)] =
			rnd(3) ? rnd(256) : 0;
}

static void fuzz_round(struct image *im, int *taken, int *wrong)
{
	struct famfs_error e = { "" };
	struct famfs_entry entry;
	struct famfs_volume v;
	char name[16];
	int i;

	famfs_log_make(&im->log, FAMFS_LOG_LEN_MIN);
	for (i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "n%lu", (unsigned long)rnd(20));
		entry = rnd(4) ? file_entry(name, DATA + rnd(24) * UNIT,
					    (1 + rnd(3)) * UNIT) :
			mkdir_entry(name);
		if (!rnd(4))
			spoil(&entry);
		image_append(im, &entry);
	}
	if (!famfs_volume_open(&v, im->path, O_RDONLY, &e)) {
		++*taken;
		*wrong += !accounts_hold(&v);
		famfs_volume_close(&v);
	} else {
		*wrong += !e.text[0];
	}
}

static void test_fuzz(void)
{
	int rounds = getenv("FAMFS_FUZZ") ? atoi(getenv("FAMFS_FUZZ")) : 2000;
	int i, taken = 0, wrong = 0;
	struct image im;

	image_make(&im, 64 * MIB);
	for (i = 0; i < rounds; i++)
		fuzz_round(&im, &taken, &wrong);
	ok(!wrong && taken && taken < rounds,
	   "%d spoilt logs, %d of them taken, no account wrong", rounds, taken);
	image_drop(&im);
}

/* Not even checksums: a superblock and a log of noise. */
static void test_noise(void)
{
	uint8_t noise[4096];
	struct famfs_volume v;
	struct image im;
	int i, taken = 0;
	size_t k;

	image_make(&im, 64 * MIB);
	for (i = 0; i < 200; i++) {
		for (k = 0; k < sizeof(noise); k++)
			noise[k] = rnd(256);
		if (pwrite(im.dev.fd, noise, sizeof(noise),
			   i & 1 ? 0 : FAMFS_LOG_OFFSET) < 0)
			break;
		if (!famfs_volume_open(&v, im.path, O_RDONLY, NULL)) {
			taken++;
			famfs_volume_close(&v);
		}
	}
	ok(i == 200 && !taken, "noise is never a file system");
	image_drop(&im);
}

int main(void)
{
	test_make();
	test_refresh();
	test_in_use();
	test_fuzz();
	test_noise();
	return done();
}
