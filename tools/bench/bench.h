/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs share: a clock, a line of results, an end with a message.
 *
 * A line is "WHAT NUMBER": nanoseconds for one operation. In a machine that counts
 * ("tools/testing/qemu/run --icount") that is instructions.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define PAGE		4096UL
#define HUGE_PAGE	(2UL << 20)

static inline uint64_t bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/*
 * Where "profile" begins and ends to count: an instruction that does nothing, which
 * count/count.c knows.
 */
static inline void bench_mark(bool begins)
{
#ifdef __x86_64__
	if (begins)
		asm volatile(".byte 0x0f, 0x1f, 0x80, 0xf5, 0xa3, 0xf5, 1" ::: "memory");
	else
		asm volatile(".byte 0x0f, 0x1f, 0x80, 0xf5, 0xa3, 0xf5, 0" ::: "memory");
#endif
}

/* Page faults of this process so far */
static inline uint64_t bench_faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_minflt + r.ru_majflt;
}

__attribute__((format(printf, 1, 2), noreturn))
static inline void bench_die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static inline void bench_say(const char *what, uint64_t total, uint64_t count)
{
	printf("%s %ju\n", what, (uintmax_t)((total + count / 2) / count));
}

static inline int bench_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of an interrupt's time in some of the samples nothing is seen */
static inline uint64_t bench_median(uint64_t *samples, size_t nr)
{
	qsort(samples, nr, sizeof(*samples), bench_compare);
	return samples[nr / 2];
}

/* Is it @yes?  What is neither ends the program. */
static inline bool bench_choose(const char *word, const char *no,
				const char *yes)
{
	if (strcmp(word, no) && strcmp(word, yes))
		bench_die("'%s' is neither %s nor %s", word, no, yes);
	return !strcmp(word, yes);
}

/* A number with a suffix as dd has it */
static inline uint64_t bench_size(const char *text)
{
	static const char units[] = "KMG";
	char *end;
	uint64_t n = strtoull(text, &end, 0);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (unit && end != text) {
		n <<= 10 * (unit - units + 1);
		end++;
	}
	if (*end || end == text)
		bench_die("'%s' is no size", text);
	return n;
}

/* The same numbers in each run; Knuth's multiplier for 64 bits (MMIX) */
static inline uint64_t bench_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

#endif /* BENCH_H */
