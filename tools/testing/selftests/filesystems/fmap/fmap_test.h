/* SPDX-License-Identifier: GPL-2.0 */
/* What every test program of this folder begins and ends with */
#ifndef FMAP_TEST_H
#define FMAP_TEST_H

#include "kselftest_harness.h"

#include "fmap_util.h"

/* Nothing can be tested without devices */
static inline int fmap_test_run(int argc, char **argv)
{
	if (fmap_dax_find() < 2)
		ksft_exit_skip("set FAMFS_DAXDEVS to two DAX nodes in fs-dax mode, of 64 MiB\n");

	return test_harness_run(argc, argv);
}

/* In place of TEST_HARNESS_MAIN */
#define FMAP_TEST_MAIN							\
	int main(int argc, char **argv)					\
	{								\
		exit(fmap_test_run(argc, argv));			\
	}

#endif /* FMAP_TEST_H */
