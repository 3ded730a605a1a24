// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a mapped file, against a copy in memory
 *
 * In the environment: FMAP_OPS is the number of operations for each layout,
 * FMAP_SEED decides which they are, and with FMAP_LOG each one is told. A
 * failure names the seed and the operation, which is the same the next time.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmap_test.h"
#include "random_play.h"

#define OPS		1000
#define COMPARE_EACH	20000

static const struct fmap_ext simple_ext[] = {
	FMAP_SIMPLE(DEV0, 2 * MB, 6 * MB),
};

static const struct fmap_ext misaligned_ext[] = {
	FMAP_SIMPLE(DEV0, 4 * MB + 3 * PG, 3 * MB),
	FMAP_SIMPLE(DEV1, PG, 9 * PG),
	FMAP_SIMPLE(DEV0, 2 * PG, MB),
};

static const struct fmap_ext small_chunks_ext[] = {
	FMAP_STRIPED(2, PG, MB, { DEV0, 0, 512 * KB }, { DEV1, MB, 512 * KB }),
	FMAP_STRIPED(3, 64 * KB, 2 * MB + 5 * PG, { DEV1, 4 * MB, MB },
		     { DEV0, 8 * MB, MB }, { DEV1, 6 * MB, MB }),
};

static const struct fmap_ext huge_chunks_ext[] = {
	FMAP_STRIPED(2, 2 * MB, 6 * MB, { DEV0, 2 * MB, 4 * MB },
		     { DEV1, 4 * MB, 2 * MB }),
};

/* Two huge pages, then chunks, the last of which is a piece of one */
static const struct fmap_ext odd_tail_ext[] = {
	FMAP_STRIPED(2, 2 * MB, 4 * MB, { DEV1, 8 * MB, 2 * MB },
		     { DEV0, 10 * MB, 2 * MB }),
	FMAP_STRIPED(3, 3 * PG, 40 * PG + 77, { DEV1, 4 * MB, 15 * PG },
		     { DEV0, 8 * MB, 14 * PG }, { DEV1, 6 * MB, 12 * PG }),
};

FIXTURE(random)
{
	struct fmap_server *s;
	uint64_t seed;
	unsigned long ops;
};

FIXTURE_VARIANT(random)
{
	struct fmap_layout l;
};

FIXTURE_VARIANT_ADD(random, simple) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 6 * MB, simple_ext),
};

FIXTURE_VARIANT_ADD(random, misaligned) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, 4 * MB + 7 * PG,
			 misaligned_ext),
};

FIXTURE_VARIANT_ADD(random, small_chunks) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 3 * MB + 5 * PG,
			 small_chunks_ext),
};

FIXTURE_VARIANT_ADD(random, huge_chunks) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 5 * MB + 4095,
			 huge_chunks_ext),
};

FIXTURE_VARIANT_ADD(random, odd_tail) {
	.l = FMAP_LAYOUT(FUSE_FAMFS_EXT_INTERLEAVE, 4 * MB + 40 * PG + 77,
			 odd_tail_ext),
};

static unsigned long number_from(const char *name, unsigned long fallback)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 0) : fallback;
}

FIXTURE_SETUP(random)
{
	ASSERT_EQ(0, fmap_test_begin());
	self->s = fmap_test_serve(&(struct fmap_config) { }, "file",
				  &variant->l);
	ASSERT_NE(NULL, self->s);
	/* Each child's exit would send one: this ends that, and saves time */
	self->s->hook[FUSE_FLUSH].error = ENOSYS;
	self->seed = number_from("FMAP_SEED", 1);
	self->ops = number_from("FMAP_OPS", OPS);
}

FIXTURE_TEARDOWN(random)
{
	fmap_server_free(self->s);
}

/* How often each one is done, of a thousand */
static const struct {
	const char *name;
	play_op *play;
	unsigned int often;
} ops[] = {
	{ "write", play_write, 200 },
	{ "read", play_read, 190 },
	{ "store", play_store, 200 },
	{ "load", play_load, 190 },
	{ "write from a mapping", play_write_mapped, 30 },
	{ "read into a mapping", play_read_mapped, 30 },
	{ "copy_file_range", play_copy_range, 10 },
	{ "zero range", play_zero_range, 20 },
	{ "reserve", play_reserve, 8 },
	{ "change the size", play_refused, 6 },
	{ "append", play_append, 4 },
	{ "sync", play_sync, 20 },
	{ "direct", play_direct, 6 },
	{ "reopen", play_reopen, 1 },
	{ "map", play_map, 20 },
	{ "unmap", play_unmap, 10 },
	{ "remap", play_remap, 12 },
	{ "protect", play_protect, 12 },
	{ "advise", play_advise, 19 },
	{ "msync", play_msync, 10 },
	{ "fork", play_fork, 2 },
};

static unsigned int choose(struct play *p)
{
	int left = play_below(p, 1000);
	unsigned int i = 0;

	while ((left -= ops[i].often) >= 0)
		i++;

	return i;
}

static sigjmp_buf killed;

static void on_killer(int sig)
{
	siglongjmp(killed, sig);
}

static void catch_killers(void)
{
	struct sigaction act = {
		.sa_handler = on_killer,
		.sa_flags = SA_NODEFER,
	};

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
}

static bool play_operations(struct play *p, unsigned long nr)
{
	unsigned int i;

	for (p->nr = 1; p->nr <= nr; p->nr++) {
		i = choose(p);
		p->name = ops[i].name;
		if (!ops[i].play(p))
			return false;
		p->name = "comparing all";
		if (p->nr % COMPARE_EACH == 0 && !play_compare_all(p))
			return false;
	}

	return play_compare_all(p);
}

/* A compiler inlines nothing that calls setjmp(): no variable is lost */
static bool play_or_die(struct play *p, unsigned long nr)
{
	int sig = sigsetjmp(killed, 1);

	if (sig)
		return play_wrong(p, "signal %d (%s)", sig, strsignal(sig));

	return play_operations(p, nr);
}

/* A million of them takes a minute or two, or much longer in a debug kernel */
TEST_F_TIMEOUT(random, operations, 1200)
{
	static struct play p;

	ASSERT_TRUE(play_begin(&p, self->s, &variant->l, self->seed));
	catch_killers();
	EXPECT_TRUE(play_or_die(&p, self->ops)) {
		TH_LOG("again: FMAP_SEED=%lu FMAP_OPS=%u random_ops, with -v and this layout",
		       self->seed, p.nr);
	}
	play_end(&p);
}

FMAP_TEST_MAIN
