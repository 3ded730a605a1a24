// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a copy: read straight into the mapped memory, one piece after
 * the other, each out of the cache before the next.
 */
#include "cli.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flush.h"

#define PIECE	(4UL << 20)

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	interrupted = sig;
}

void copy_catch_interrupt(void)
{
	struct sigaction sa = { .sa_handler = interrupt };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

static int copy_piece(struct copy *c, int src, char *map,
		      struct famfs_error *e)
{
	size_t len = c->size - c->done < PIECE ? c->size - c->done : PIECE;
	ssize_t n;
	int err;

	if (interrupted)
		return famfs_fail(e, -EINTR, "interrupted");
	n = read(src, map + c->done, len);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return famfs_fail(e, -errno, "reading %s: %s", c->from,
				  strerror(errno));
	if (!n)
		return famfs_fail(e, -EIO, "%s became shorter while it was copied",
				  c->from);
	err = famfs_flush(map + c->done, n);
	if (err)
		return famfs_fail(e, err, "writing %s: %s", c->to,
				  strerror(-err));
	c->done += n;
	return 0;
}

int copy_bytes(struct copy *c, int src, int dst, struct famfs_error *e)
{
	int err = 0;
	char *map;

	c->done = 0;
	if (!c->size)
		return 0;
	map = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, dst, 0);
	if (map == MAP_FAILED)
		return famfs_fail(e, -errno, "cannot map %s: %s", c->to,
				  strerror(errno));
	while (!err && c->done < c->size) {
		progress_show(c);
		err = copy_piece(c, src, map, e);
	}
	progress_end(c);
	munmap(map, c->size);
	return err;
}
