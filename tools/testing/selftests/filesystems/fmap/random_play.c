// SPDX-License-Identifier: GPL-2.0
/* A random play: begin and end, choices, complaints */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_play.h"

/* splitmix64 */
static uint64_t next(struct play *p)
{
	uint64_t z = p->rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;

	return z ^ z >> 31;
}

uint64_t play_below(struct play *p, uint64_t n)
{
	return next(p) % n;
}

bool play_one_in(struct play *p, unsigned int n)
{
	return !play_below(p, n);
}

/* A little before or behind a place where something changes */
static uint64_t near_edge(struct play *p)
{
	uint64_t off = play_below(p, p->l->size);

	switch (play_below(p, 4)) {
	case 0:
		off += fmap_to_edge(p->l, off);
		break;
	case 1:
		off = p->l->size;
		break;
	case 2:
		off -= off % HUGE_PG;
		break;
	default:
		off -= off % PG;
	}
	off += play_below(p, 20);

	return off < 10 ? 0 : off - 10;
}

/* A place in the file, or its end */
uint64_t play_place(struct play *p)
{
	uint64_t off;

	off = play_one_in(p, 3) ? near_edge(p) : play_below(p, p->l->size);

	return off < p->l->size ? off : p->l->size;
}

/* Mostly short, so that many operations are done */
size_t play_len(struct play *p)
{
	switch (play_below(p, 64)) {
	case 0:
		return 1 + play_below(p, 128 * KB);
	case 1:
	case 2:
		return 1 + play_below(p, 32 * KB);
	case 3 ... 20:
		return 1 + play_below(p, 3 * PG);
	default:
		return 1 + play_below(p, 300);
	}
}

/* Bytes that no other write has, but by chance */
const char *play_data(struct play *p, size_t len)
{
	return p->pool + play_below(p, PLAY_POOL - len);
}

/* Bytes of [off, off + len) that the file has */
size_t play_clamp(const struct play *p, uint64_t off, size_t len)
{
	if (off >= p->l->size)
		return 0;

	return len < p->l->size - off ? len : p->l->size - off;
}

void play_say(struct play *p, const char *fmt, ...)
{
	va_list args;

	if (!p->log)
		return;
	printf("# %u: %s ", p->nr, p->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

bool play_wrong(struct play *p, const char *fmt, ...)
{
	va_list args;

	printf("# operation %u, %s: ", p->nr, p->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);

	return false;
}

bool play_is(struct play *p, const char *what, long got, long want, int error)
{
	if (got == want && (got != -1 || errno == error))
		return true;
	if (got == -1)
		return play_wrong(p, "%s: %m, wanted %ld (%s)", what, want,
				  want == -1 ? strerror(error) : "success");

	return play_wrong(p, "%s: %ld, wanted %ld", what, got, want);
}

bool play_compare_all(struct play *p)
{
	size_t size = p->l->size;

	if (!play_is(p, "reading all", pread(p->fd, p->buf, size + 1, 0),
		     size, 0))
		return false;
	if (memcmp(p->buf, p->shadow, size))
		return play_wrong(p, "the file is not what was written");
	if (!fmap_on_devices(p->l, 0, p->shadow, size))
		return play_wrong(p, "the devices hold something else");

	return true;
}

/* Shared, so that a child's stores are ours, and that fork() need not copy it */
static void *shared(size_t len)
{
	void *m = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED) {
		perror("# mmap of memory");
		exit(1);
	}

	return m;
}

bool play_begin(struct play *p, struct fmap_server *s,
		const struct fmap_layout *l, uint64_t seed)
{
	size_t room = l->size + HUGE_PG;
	unsigned int i;
	char *pool;

	*p = (struct play) { .s = s, .l = l, .rng = seed, .name = "begin" };
	p->fd = fmap_open(s, "file", O_RDWR);
	if (p->fd < 0)
		return play_wrong(p, "open: %s", strerror(-p->fd));

	p->log = getenv("FMAP_LOG");
	p->shadow = shared(room);
	p->buf = shared(room);
	pool = shared(PLAY_POOL);
	for (i = 0; i < PLAY_POOL; i += 8)
		memcpy(pool + i, &(uint64_t) { next(p) }, 8);
	p->pool = pool;
	for (i = 0; i < PLAY_PRIVATE; i++) {
		p->view[i].copy = shared(room);
		p->view[i].copied = shared(room / PG);
	}

	fmap_fill(p->shadow, l->size, seed, 0);
	return play_is(p, "filling it", pwrite(p->fd, p->shadow, l->size, 0),
		       l->size, 0);
}

/* What was mapped goes with the process */
void play_end(struct play *p)
{
	unsigned int i;

	for (i = 0; i < PLAY_VIEWS; i++)
		if (p->view[i].p)
			munmap(p->view[i].p, p->view[i].len);
	if (p->fd >= 0)
		close(p->fd);
}
