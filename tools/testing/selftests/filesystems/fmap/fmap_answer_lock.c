// SPDX-License-Identifier: GPL-2.0
/*
 * Answers to requests for locks
 *
 * Simpler than a real lock table in one thing: what overlaps a lock or unlock of
 * the same owner goes as a whole, it is not cut into parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "fmap_server.h"

#define LOCKS	64

struct held_lock {
	bool used;
	bool flock;
	uint64_t nodeid;
	uint64_t owner;
	struct fuse_file_lock lk;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct held_lock table[LOCKS];

static bool overlaps(const struct held_lock *a, const struct held_lock *b)
{
	return a->used && a->flock == b->flock && a->nodeid == b->nodeid &&
	       a->lk.start <= b->lk.end && b->lk.start <= a->lk.end;
}

static struct held_lock *find_conflict(const struct held_lock *want)
{
	struct held_lock *h;

	for (h = table; h < table + LOCKS; h++)
		if (overlaps(h, want) && h->owner != want->owner &&
		    (h->lk.type == F_WRLCK || want->lk.type == F_WRLCK))
			return h;

	return NULL;
}

static bool put_lock(const struct held_lock *want)
{
	struct held_lock *h;

	for (h = table; h < table + LOCKS; h++) {
		if (!h->used) {
			*h = *want;
			return true;
		}
	}

	return false;
}

static void drop_locks(const struct held_lock *what)
{
	struct held_lock *h;

	for (h = table; h < table + LOCKS; h++)
		if (overlaps(h, what) && h->owner == what->owner)
			h->used = false;
}

static struct held_lock wanted(const struct fmap_req *r)
{
	const struct fuse_lk_in *in = r->arg;

	return (struct held_lock) {
		.used = true,
		.flock = in->lk_flags & FUSE_LK_FLOCK,
		.nodeid = r->in->nodeid,
		.owner = in->owner,
		.lk = in->lk,
	};
}

static int try_lock(const struct held_lock *want)
{
	int error = 0;

	pthread_mutex_lock(&table_lock);
	if (want->lk.type != F_UNLCK && find_conflict(want)) {
		error = EAGAIN;
	} else {
		drop_locks(want);
		if (want->lk.type != F_UNLCK && !put_lock(want))
			error = ENOLCK;
	}
	pthread_mutex_unlock(&table_lock);

	return error;
}

/* One that waits keeps a thread of the server busy */
void fmap_answer_setlk(struct fmap_req *r)
{
	struct held_lock want = wanted(r);
	int error = try_lock(&want);

	while (error == EAGAIN && r->in->opcode == FUSE_SETLKW) {
		usleep(1000);
		error = try_lock(&want);
	}
	fmap_reply_errno(r, error);
}

void fmap_answer_getlk(struct fmap_req *r)
{
	struct held_lock want = wanted(r);
	struct fuse_lk_out out = { .lk.type = F_UNLCK };
	const struct held_lock *h;

	pthread_mutex_lock(&table_lock);
	h = find_conflict(&want);
	if (h)
		out.lk = h->lk;
	pthread_mutex_unlock(&table_lock);
	fmap_reply(r, &out, sizeof(out));
}

static void drop_all(uint64_t nodeid, uint64_t owner, bool flock)
{
	struct held_lock all = {
		.flock = flock,
		.nodeid = nodeid,
		.owner = owner,
		.lk = { .end = ~0ULL },
	};

	pthread_mutex_lock(&table_lock);
	drop_locks(&all);
	pthread_mutex_unlock(&table_lock);
}

/* A close ends the process's POSIX locks of the file */
void fmap_lock_flush(struct fmap_req *r)
{
	const struct fuse_flush_in *in = r->arg;

	drop_all(r->in->nodeid, in->lock_owner, false);
}

void fmap_lock_release(struct fmap_req *r)
{
	const struct fuse_release_in *in = r->arg;

	if (in->release_flags & FUSE_RELEASE_FLOCK_UNLOCK)
		drop_all(r->in->nodeid, in->lock_owner, true);
}
