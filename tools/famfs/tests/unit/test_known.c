// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel knows of an inode: its map is told once in its life.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "known.h"
#include "tap.h"

static bool tell(struct famfs_known *k, bool taken)
{
	bool first = famfs_known_begin(k);

	if (first)
		famfs_known_end(k, taken);
	return first;
}

static void test_once(void)
{
	struct famfs_known k = { 0 };

	famfs_known_look(&k, 1);
	ok(tell(&k, true), "the first open tells the map");
	ok(!tell(&k, true), "the second does not");
	famfs_known_look(&k, 5);
	famfs_known_forget(&k, 5);
	ok(!tell(&k, true), "nor one after some lookups are forgotten");
	famfs_known_forget(&k, 1);
	ok(k.lookups == 0, "all are forgotten");
	famfs_known_look(&k, 1);
	ok(tell(&k, true), "the next life is told anew");
}

static void test_refused(void)
{
	struct famfs_known k = { 0 };

	famfs_known_look(&k, 1);
	ok(tell(&k, false) && tell(&k, false),
	   "what was refused is tried at the next open");
	famfs_known_told(&k);
	ok(!tell(&k, true), "but not once the kernel has asked");
	famfs_known_forget(&k, 1);
	famfs_known_look(&k, 1);
	ok(tell(&k, true), "until the inode is forgotten");
}

/* An open that was killed: the inode goes while its map is told. */
static void test_forgotten_meanwhile(void)
{
	struct famfs_known k = { 0 };
	bool first;

	famfs_known_look(&k, 2);
	first = famfs_known_begin(&k);
	famfs_known_told(&k);
	ok(first && k.map == FAMFS_MAP_BEING_TOLD,
	   "a question meanwhile does not let others go on");
	famfs_known_forget(&k, 2);
	famfs_known_end(&k, true);
	famfs_known_look(&k, 1);
	ok(tell(&k, true), "what a forgotten inode was told is gone");
	famfs_known_forget(&k, 2);
	ok(k.lookups == 0, "more forgotten than looked up is all of it");
	famfs_known_told(&k);
	ok(k.map == FAMFS_MAP_UNTOLD, "an inode that is not held has no map");
}

struct race {
	struct famfs_known known;
	atomic_int telling;
	atomic_int told;
	atomic_bool together;
	atomic_bool early;
};

static void *open_file(void *arg)
{
	struct race *r = arg;

	if (famfs_known_begin(&r->known)) {
		if (atomic_fetch_add(&r->telling, 1))
			r->together = true;
		usleep(20000);
		atomic_fetch_sub(&r->telling, 1);
		atomic_fetch_add(&r->told, 1);
		famfs_known_end(&r->known, true);
	}
	if (!r->told)
		r->early = true;
	return NULL;
}

static void test_threads(void)
{
	static struct race r;
	pthread_t thread[8];
	int i;

	famfs_known_look(&r.known, 1);
	for (i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, open_file, &r);
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	ok(r.told == 1 && !r.together, "of eight opens at once one tells it");
	ok(!r.early, "and the others wait until it has");
}

int main(void)
{
	test_once();
	test_refused();
	test_forgotten_meanwhile();
	test_threads();
	return done();
}
