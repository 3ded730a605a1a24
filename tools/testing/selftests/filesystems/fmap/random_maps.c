// SPDX-License-Identifier: GPL-2.0
/* A random play: operations by mappings */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "random_play.h"

#define RW		(PROT_READ | PROT_WRITE)

/* A part of a view */
struct part {
	struct play_view *v;
	char *p;
	uint64_t off;		/* in the file */
	size_t len;
};

static bool is_private(const struct play_view *v)
{
	return v->copied;
}

static uint64_t file_pages(const struct play *p)
{
	return (p->l->size + PG - 1) / PG;
}

/* Mostly few pages, sometimes all that there are */
static uint64_t some_pages(struct play *p, uint64_t most)
{
	uint64_t n = 1 + play_below(p, play_one_in(p, 8) ? most : 20);

	return n < most ? n : most;
}

/*
 * An address for a view, free for @len bytes. In half of all cases it lies to
 * multiples of 2 MiB as the place in the file does, which huge pages need.
 */
static char *choose_address(struct play *p, uint64_t off, size_t len)
{
	size_t room = len + 2 * HUGE_PG;
	char *a = mmap(NULL, room, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (a == MAP_FAILED)
		return NULL;
	munmap(a, room);
	a += -(uintptr_t)a & (HUGE_PG - 1);
	if (play_one_in(p, 2))
		return a + off % HUGE_PG;

	return a + play_below(p, HUGE_PG / PG) * PG;
}

/* From here on these pages are what was stored to them */
static void note_copied(struct play *p, struct play_view *v, uint64_t off,
			size_t len)
{
	uint64_t pg;

	for (pg = off / PG; pg * PG < off + len; pg++) {
		if (v->copied[pg])
			continue;
		memcpy(v->copy + pg * PG, p->shadow + pg * PG,
		       play_clamp(p, pg * PG, PG));
		v->copied[pg] = true;
	}
}

/* From here on they are the file's again */
static void forget_copies(struct play_view *v, uint64_t off, size_t len)
{
	if (is_private(v))
		memset(v->copied + off / PG, false, len / PG);
}

static const char *wanted_page(const struct play *p, const struct play_view *v,
			       uint64_t off)
{
	if (is_private(v) && v->copied[off / PG])
		return v->copy + off;

	return p->shadow + off;
}

/* Bytes of a view that belong to the file; a part of no bytes if there are none */
static struct part some_bytes(struct play *p)
{
	struct part a = { .v = &p->view[play_below(p, PLAY_VIEWS)] };
	uint64_t at;

	if (!a.v->p)
		return a;
	at = play_below(p, a.v->len);
	a.len = play_len(p);
	if (a.len > a.v->len - at)
		a.len = a.v->len - at;
	a.p = a.v->p + at;
	a.off = a.v->off + at;
	a.len = play_clamp(p, a.off, a.len);

	return a;
}

/* The same in whole pages */
static struct part some_pages_of_view(struct play *p)
{
	struct part a = { .v = &p->view[play_below(p, PLAY_VIEWS)] };
	uint64_t at;

	if (!a.v->p)
		return a;
	at = play_one_in(p, 4) ? 0 : play_below(p, a.v->len / PG);
	a.len = some_pages(p, a.v->len / PG - at) * PG;
	a.p = a.v->p + at * PG;
	a.off = a.v->off + at * PG;

	return a;
}

static void say_part(struct play *p, const struct part *a)
{
	play_say(p, "view %d%s: %zu bytes at %#lx", (int)(a->v - p->view),
		 is_private(a->v) ? " (private)" : "", a->len, (long)a->off);
}

bool play_map(struct play *p)
{
	struct play_view *v = &p->view[play_below(p, PLAY_VIEWS)];
	uint64_t first = play_below(p, file_pages(p));
	int flags = MAP_FIXED_NOREPLACE;
	char *a;

	if (v->p)
		return true;
	if (play_one_in(p, 3))
		first = 0;
	v->off = first * PG;
	v->len = some_pages(p, file_pages(p) - first) * PG;
	flags |= is_private(v) ? MAP_PRIVATE : MAP_SHARED;
	if (play_one_in(p, 8))
		flags |= MAP_POPULATE;

	play_say(p, "view %d: %zu bytes at %#lx, flags %#x",
		 (int)(v - p->view), v->len, (long)v->off, flags);
	a = mmap(choose_address(p, v->off, v->len), v->len, RW, flags, p->fd,
		 v->off);
	if (a == MAP_FAILED)
		return play_wrong(p, "mmap: %m");
	v->p = a;

	/* To populate what is private and writable is to copy it */
	forget_copies(v, v->off, v->len);
	if (is_private(v) && flags & MAP_POPULATE)
		note_copied(p, v, v->off, v->len);

	return true;
}

/* A hole makes two views, if there is room for another one */
static void cut_out(struct play *p, const struct part *a)
{
	struct play_view *v = a->v;
	size_t head = a->off - v->off, tail = v->len - head - a->len;
	unsigned int i;

	v->len = head;
	for (i = PLAY_PRIVATE; i < PLAY_VIEWS && tail; i++) {
		if (p->view[i].p)
			continue;
		p->view[i].p = a->p + a->len;
		p->view[i].off = a->off + a->len;
		p->view[i].len = tail;
		tail = 0;
	}
	if (tail)
		munmap(a->p + a->len, tail);
}

static bool unmap_part(struct play *p, struct part *a)
{
	struct play_view *v = a->v;

	if (!play_is(p, "munmap", munmap(a->p, a->len), 0, 0))
		return false;
	forget_copies(v, a->off, a->len);
	if (a->off == v->off) {
		v->off += a->len;
		v->p += a->len;
		v->len -= a->len;
		if (!v->len)
			v->p = NULL;
	} else {
		cut_out(p, a);
	}

	return true;
}

/* The rest of a private view cannot be another one: it has its copies */
bool play_unmap(struct play *p)
{
	struct part a = some_pages_of_view(p);

	if (!a.v->p)
		return true;
	if (play_one_in(p, 3))
		a = (struct part) { a.v, a.v->p, a.v->off, a.v->len };
	else if (is_private(a.v) && a.off != a.v->off)
		a.len = a.v->off + a.v->len - a.off;
	say_part(p, &a);

	return unmap_part(p, &a);
}

bool play_load(struct play *p)
{
	struct part a = some_bytes(p);
	size_t n;

	if (a.len)
		say_part(p, &a);
	while (a.len) {
		n = PG - a.off % PG < a.len ? PG - a.off % PG : a.len;
		if (memcmp(a.p, wanted_page(p, a.v, a.off), n))
			return play_wrong(p, "view %d at %#lx is wrong",
					  (int)(a.v - p->view), (long)a.off);
		a.p += n;
		a.off += n;
		a.len -= n;
	}

	return true;
}

static void store(struct play *p, const struct part *a)
{
	const char *data = play_data(p, a->len);

	say_part(p, a);
	memcpy(a->p, data, a->len);
	if (is_private(a->v)) {
		note_copied(p, a->v, a->off, a->len);
		memcpy(a->v->copy + a->off, data, a->len);
	} else {
		memcpy(p->shadow + a->off, data, a->len);
	}
}

bool play_store(struct play *p)
{
	struct part a = some_bytes(p);

	if (a.len)
		store(p, &a);

	return true;
}

/* Elsewhere, and at times with another length */
bool play_remap(struct play *p)
{
	struct play_view *v = &p->view[play_below(p, PLAY_VIEWS)];
	uint64_t most = file_pages(p) - v->off / PG;
	size_t len = v->len;
	char *to;

	if (!v->p)
		return true;
	if (play_one_in(p, 2))
		len = some_pages(p, most) * PG;
	play_say(p, "view %d: from %zu to %zu bytes", (int)(v - p->view),
		 v->len, len);

	if (len <= v->len && play_one_in(p, 2))
		to = mremap(v->p, v->len, len, 0);
	else
		to = mremap(v->p, v->len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
			    choose_address(p, v->off, len));
	if (to == MAP_FAILED)
		return play_wrong(p, "mremap: %m");
	if (len < v->len)
		forget_copies(v, v->off + len, v->len - len);
	v->p = to;
	v->len = len;

	return true;
}

static sigjmp_buf after_fault;

static void on_fault(int sig)
{
	siglongjmp(after_fault, sig);
}

/* Signal that a store of the byte that is there gives, or 0 */
static int store_faults(char *c)
{
	struct sigaction act = { .sa_handler = on_fault }, old;
	int sig;

	sigaction(SIGSEGV, &act, &old);
	sig = sigsetjmp(after_fault, 1);
	if (!sig)
		__atomic_fetch_add(c, 0, __ATOMIC_SEQ_CST);
	sigaction(SIGSEGV, &old, NULL);

	return sig;
}

/* For a moment, since parts of other protection cannot be moved as one */
bool play_protect(struct play *p)
{
	struct part a = some_pages_of_view(p);
	char *c;

	if (!a.v->p)
		return true;
	say_part(p, &a);
	c = a.p + play_below(p, a.len);

	return play_is(p, "mprotect", mprotect(a.p, a.len, PROT_READ), 0, 0) &&
	       play_is(p, "signal", store_faults(c), SIGSEGV, 0) &&
	       play_is(p, "mprotect", mprotect(a.p, a.len, RW), 0, 0);
}

bool play_advise(struct play *p)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_WILLNEED, MADV_REMOVE,
	};
	int advice = advices[play_below(p, 6)], got;
	struct part a = some_pages_of_view(p);

	if (!a.v->p || (is_private(a.v) && advice == MADV_REMOVE))
		return true;
	say_part(p, &a);
	got = madvise(a.p, a.len, advice);
	if (advice == MADV_REMOVE)
		return play_is(p, "MADV_REMOVE", got, -1, EOPNOTSUPP);
	if (advice == MADV_DONTNEED)
		forget_copies(a.v, a.off, a.len);
	if (advice == MADV_POPULATE_WRITE && is_private(a.v))
		note_copied(p, a.v, a.off, a.len);

	return play_is(p, "madvise", got, 0, 0);
}

bool play_msync(struct play *p)
{
	struct part a = some_pages_of_view(p);
	int flags = play_one_in(p, 4) ? MS_ASYNC : MS_SYNC;

	if (!a.v->p)
		return true;
	say_part(p, &a);

	return play_is(p, "msync", msync(a.p, a.len, flags), 0, 0);
}

/* What a child stores to a private view is its own: it does not note that */
static bool child_plays(struct play *p)
{
	unsigned int i;

	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	for (i = 0; i < 4; i++) {
		struct part a = some_bytes(p);

		if (a.len && is_private(a.v))
			memset(a.p, 0, a.len);
		else if (a.len)
			store(p, &a);
	}

	return play_write(p);
}

bool play_fork(struct play *p)
{
	int status;
	pid_t pid;

	play_say(p, " ");
	play_below(p, 2);
	pid = fork();
	if (pid < 0)
		return play_wrong(p, "fork: %m");
	if (!pid)
		_exit(child_plays(p) ? 0 : 1);
	if (waitpid(pid, &status, 0) != pid || status)
		return play_wrong(p, "wait status of the child: %#x", status);

	return true;
}
