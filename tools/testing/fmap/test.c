// SPDX-License-Identifier: GPL-2.0
/*
 * The pure files of fs/fuse/fmap* in user space, under sanitizers: random maps
 * and damaged messages against a naive oracle.  Speaks TAP.
 *
 *	FMAP_SEED	first seed (default 1); a failure tells the seed of its case
 *	FMAP_SECONDS	time for damaged messages (default 8)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/slab.h>

#include "check.h"
#include "test.h"

static u64 number_from_env(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/**
 * repeat - run one case after the other, until one fails
 * @one: the case
 * @nr: how often, at most
 * @seconds: for how long, at most
 *
 * Return: whether all is well; if not, the seed of the case was printed.
 */
bool repeat(bool (*one)(struct random *random), u64 nr, double seconds)
{
	u64 seed = number_from_env("FMAP_SEED", 1);
	double until = now() + seconds;

	for (u64 i = 0; i < nr && now() < until; i++) {
		struct random random = { .state = seed + i };

		if (!one(&random)) {
			printf("# again with FMAP_SEED=%llu\n",
			       (unsigned long long)(seed + i));
			return false;
		}
		if (i + 1 == nr || now() >= until)
			printf("# %llu cases\n", (unsigned long long)(i + 1));
	}
	return true;
}

static bool one_valid(struct random *random)
{
	struct message msg;
	struct oracle oracle;
	bool ok;

	message_random(&msg, random);
	oracle_read(&oracle, msg.bytes, msg.len, msg.start);
	ok = !oracle.wrong;
	oracle_free(&oracle);
	if (!ok)
		printf("# the message made is not valid\n");
	ok = ok && check_message(&msg, random);
	message_free(&msg);
	return ok;
}

static bool test_valid(void)
{
	return repeat(one_valid, 4000, 60);
}

static bool one_damaged(struct random *random)
{
	struct message msg;
	bool ok;

	message_random(&msg, random);
	message_mutate(&msg, random);
	ok = check_message(&msg, random);
	message_free(&msg);
	return ok;
}

static bool test_damaged(void)
{
	return repeat(one_damaged, U64_MAX,
		      number_from_env("FMAP_SECONDS", 8));
}

/* Every length of a good message but its own is refused */
static bool one_truncated(struct random *random)
{
	struct fmap_message got;
	struct message msg;
	bool ok = true;

	message_random(&msg, random);
	message_head(&msg)->fmap_size = msg.len;
	while (ok && msg.len) {
		message_resize(&msg, msg.len - 1);
		ok = decode(&msg, &got) == -EINVAL;
	}
	message_free(&msg);
	CHECK(ok);
	return true;
}

static bool test_truncated(void)
{
	return repeat(one_truncated, 50, 60);
}

/* Each allocation fails once: an error, nothing left behind, no piece */
static bool one_without_memory(struct random *random)
{
	struct fmap_message got;
	struct message msg;
	int err;

	message_random(&msg, random);
	for (long fail_in = 1; ; fail_in++) {
		shim_memory.fail_in = fail_in;
		err = decode(&msg, &got);
		if (shim_memory.fail_in)
			break;
		CHECK(err == -ENOMEM);
		CHECK(!got.piece);
		CHECK(shim_memory.objects == 0);
	}
	shim_memory.fail_in = 0;
	CHECK(!err);
	fmap_piece_free(got.piece);
	message_free(&msg);
	return true;
}

static bool test_without_memory(void)
{
	return repeat(one_without_memory, 300, 60);
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{ "random valid maps are as the oracle says", test_valid },
	{ "no message is accepted when it is cut short", test_truncated },
	{ "each allocation may fail", test_without_memory },
	{ "a map in pages is the same map", test_pages },
	{ "all slices of small maps", test_all_slices },
	{ "each allocation of a slice may fail", test_slices_without_memory },
	{ "slices of very large maps", test_large_slices },
	{ "largest message, no two extents alike", test_largest_simple },
	{ "largest message, one extent after merging", test_largest_merged },
	{ "largest message, one stripe of very many strips",
	  test_largest_striped },
	{ "largest message, very many stripes of two strips",
	  test_largest_stripes },
	{ "a million extents in pages", test_million },
	{ "ten thousand pairs of strips", test_pairs },
	{ "claims that come and go, against owners of pages", test_claims },
	{ "claims walked while they go", test_claims_walk },
	{ "claims of two very long maps side by side", test_claims_long },
	{ "damaged messages are judged as by the oracle", test_damaged },
};

int main(void)
{
	size_t nr = sizeof(tests) / sizeof(tests[0]);
	size_t failed = 0;

	setbuf(stdout, NULL);
	printf("TAP version 13\n1..%zu\n", nr);
	for (size_t i = 0; i < nr; i++) {
		double start = now();
		bool ok = tests[i].run();

		printf("# %.1f s\n", now() - start);
		printf("%s %zu - %s\n", ok ? "ok" : "not ok", i + 1,
		       tests[i].name);
		failed += !ok;
	}
	return failed != 0;
}
