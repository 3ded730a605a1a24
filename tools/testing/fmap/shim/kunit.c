// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the KUnit suites that registered themselves. TAP: a test a case, with
 * all its parameters; what a case allocated and did not free is a failure.
 */
#include <stdlib.h>

#include <kunit/test.h>

/* A test tells this often what is wrong, then only counts */
#define MOST_REASONS	5

struct kunit_memory {
	struct kunit_memory *next;
	max_align_t bytes[];
};

static struct kunit_suite *suites;

void kunit_register(struct kunit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

void *kunit_kcalloc(struct kunit *test, size_t nr, size_t size, int gfp)
{
	struct kunit_memory *memory = calloc(1, sizeof(*memory) + nr * size);

	if (!memory)
		abort();
	memory->next = test->memory;
	test->memory = memory;
	return memory->bytes;
}

void kunit_fail(struct kunit *test, const char *file, int line,
		const char *text, unsigned long long left,
		unsigned long long right)
{
	if (test->failures++ < MOST_REASONS)
		printf("# %s:%d: expected %s, got %#llx and %#llx\n", file,
		       line, text, left, right);
}

void kunit_stop(struct kunit *test)
{
	longjmp(test->stop, 1);
}

/* One case with one parameter; leaves nothing behind */
static bool run_once(struct kunit_suite *suite, struct kunit_case *test_case,
		     const void *param)
{
	struct kunit test = { .param_value = param };

	if (!setjmp(test.stop)) {
		if (suite->init && suite->init(&test))
			kunit_fail(&test, __FILE__, __LINE__, "init", 0, 0);
		else
			test_case->run_case(&test);
	}
	if (suite->exit)
		suite->exit(&test);
	while (test.memory) {
		struct kunit_memory *memory = test.memory;

		test.memory = memory->next;
		free(memory);
	}
	if (shim_memory.objects) {
		printf("# %ld objects were not freed\n", shim_memory.objects);
		shim_memory.objects = 0;
		test.failures++;
	}
	return !test.failures;
}

static bool run_case(struct kunit_suite *suite, struct kunit_case *test_case)
{
	char desc[KUNIT_PARAM_DESC_SIZE];
	const void *param = NULL;
	bool ok = true;

	if (!test_case->generate_params)
		return run_once(suite, test_case, NULL);
	while ((param = test_case->generate_params(NULL, param, desc))) {
		if (!run_once(suite, test_case, param)) {
			printf("# with parameter: %s\n", desc);
			ok = false;
		}
	}
	return ok;
}

int main(void)
{
	unsigned int nr = 0, failed = 0;

	setbuf(stdout, NULL);
	printf("TAP version 13\n");
	for (struct kunit_suite *suite = suites; suite; suite = suite->next) {
		struct kunit_case *test_case = suite->test_cases;

		if (suite->suite_init && suite->suite_init(suite))
			abort();
		for (; test_case->run_case; test_case++) {
			bool ok = run_case(suite, test_case);

			printf("%s %u - KUnit %s: %s\n", ok ? "ok" : "not ok",
			       ++nr, suite->name, test_case->name);
			failed += !ok;
		}
	}
	printf("1..%u\n", nr);
	return failed || !nr;
}
