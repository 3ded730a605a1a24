/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User space stand-in: as much of KUnit as the suites in fs/fuse/tests use, so
 * that they run under sanitizers in a second as well
 */
#ifndef _SHIM_KUNIT_TEST_H
#define _SHIM_KUNIT_TEST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/slab.h>

struct kunit_memory;

/**
 * struct kunit - a running test case
 * @priv: for the suite
 * @param_value: the parameter, if it has any
 * @memory: what is freed behind it
 * @failures: expectations that did not hold
 * @stop: where an assertion that does not hold goes
 */
struct kunit {
	void *priv;
	const void *param_value;
	struct kunit_memory *memory;
	unsigned long failures;
	jmp_buf stop;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(struct kunit *test, const void *prev,
				       char *desc);
};

/**
 * struct kunit_suite - cases that belong together
 * @next: registered before; the kernel's does not have it
 */
struct kunit_suite {
	const char *name;
	int (*suite_init)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

#define KUNIT_PARAM_DESC_SIZE	128

#define KUNIT_CASE(test)		{ .run_case = test, .name = #test }
#define KUNIT_CASE_SLOW(test)		KUNIT_CASE(test)
#define KUNIT_CASE_PARAM(test, gen) \
	{ .run_case = test, .name = #test, .generate_params = gen }

#define KUNIT_ARRAY_PARAM_DESC(name, array, member)			\
static const void *name##_gen_params(struct kunit *test, const void *prev, \
				     char *desc)			\
{									\
	typeof((array)[0]) *next = prev;				\
									\
	next = prev ? next + 1 : (array);				\
	if (next == (array) + ARRAY_SIZE(array))			\
		return NULL;						\
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s", next->member);	\
	return next;							\
}

#define kunit_test_suite(suite)						\
static void __attribute__((constructor)) suite##_register(void)	\
{									\
	kunit_register(&(suite));					\
}

void kunit_register(struct kunit_suite *suite);
void *kunit_kcalloc(struct kunit *test, size_t nr, size_t size, int gfp);
void kunit_fail(struct kunit *test, const char *file, int line,
		const char *text, unsigned long long left,
		unsigned long long right);
void kunit_stop(struct kunit *test);

#define kunit_kzalloc(test, size, gfp)	kunit_kcalloc(test, 1, size, gfp)
#define kvzalloc(size, gfp)		shim_alloc(size, true)

#define KUNIT_CHECK(test, left, op, right, otherwise)			\
do {									\
	typeof(left) __left = (left);					\
	typeof(right) __right = (right);				\
									\
	if (!(__left op __right)) {					\
		kunit_fail(test, __FILE__, __LINE__,			\
			   #left " " #op " " #right,			\
			   (unsigned long long)__left,			\
			   (unsigned long long)__right);		\
		otherwise;						\
	}								\
} while (0)

#define KUNIT_EXPECT(test, left, op, right) \
	KUNIT_CHECK(test, left, op, right, )
#define KUNIT_ASSERT(test, left, op, right) \
	KUNIT_CHECK(test, left, op, right, kunit_stop(test))

#define KUNIT_EXPECT_EQ(test, left, right)	KUNIT_EXPECT(test, left, ==, right)
#define KUNIT_EXPECT_EQ_MSG(test, left, right, ...) \
	KUNIT_EXPECT(test, left, ==, right)
#define KUNIT_EXPECT_GE(test, left, right)	KUNIT_EXPECT(test, left, >=, right)
#define KUNIT_EXPECT_TRUE(test, cond)		KUNIT_EXPECT(test, cond, ==, true)
#define KUNIT_EXPECT_FALSE(test, cond)		KUNIT_EXPECT(test, cond, ==, false)
#define KUNIT_EXPECT_NULL(test, ptr) \
	KUNIT_EXPECT(test, (unsigned long)(ptr), ==, 0UL)
#define KUNIT_EXPECT_NOT_NULL(test, ptr) \
	KUNIT_EXPECT(test, (unsigned long)(ptr), !=, 0UL)
#define KUNIT_EXPECT_PTR_EQ(test, left, right) \
	KUNIT_EXPECT(test, (unsigned long)(left), ==, (unsigned long)(right))
#define KUNIT_ASSERT_EQ(test, left, right)	KUNIT_ASSERT(test, left, ==, right)
#define KUNIT_ASSERT_LE(test, left, right)	KUNIT_ASSERT(test, left, <=, right)
#define KUNIT_ASSERT_TRUE(test, cond)		KUNIT_ASSERT(test, cond, ==, true)
#define KUNIT_ASSERT_NOT_NULL(test, ptr) \
	KUNIT_ASSERT(test, (unsigned long)(ptr), !=, 0UL)
#define KUNIT_ASSERT_PTR_EQ(test, left, right) \
	KUNIT_ASSERT(test, (unsigned long)(left), ==, (unsigned long)(right))
#define KUNIT_FAIL(test, fmt, ...) \
	kunit_fail(test, __FILE__, __LINE__, fmt, 0, 0)

#define KUNIT_FAIL_AND_ABORT(test, fmt, ...)				\
do {									\
	KUNIT_FAIL(test, fmt);						\
	kunit_stop(test);						\
} while (0)

#endif /* _SHIM_KUNIT_TEST_H */
