// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of fsdev_poison.c, which includes this file, and of dax_zero_page_range()
 *
 * Ordinary pages play the device's memory.  Which of them are bad is what the
 * test says, and so is whether the platform makes them good.
 */
#include <kunit/test.h>

#define POISON_PAGES		8
#define POISON_PAGES_ORDER	order_base_2(POISON_PAGES)

static struct poison_state {
	struct dev_dax *dev_dax;
	struct dev_dax_range range;
	char *mem;
	unsigned long pfn;
	long clears;		/* what clear_poison() returns; 0: its length */
	unsigned int nr_clear;	/* how often it was called */
	phys_addr_t phys;	/* the last time with these */
	unsigned int len;
	pgoff_t zeroed[POISON_PAGES];
	unsigned int nr_zeroed;
	pgoff_t no_zero;	/* zeroing this page fails */
} poison_state;

static long poison_clear(struct device *parent, phys_addr_t phys,
			 unsigned int len)
{
	struct poison_state *state = &poison_state;

	state->nr_clear++;
	state->phys = phys;
	state->len = len;
	return state->clears ?: len;
}

static int poison_zero(struct dax_device *dax_dev, pgoff_t pgoff,
		       size_t nr_pages)
{
	struct poison_state *state = &poison_state;

	if (nr_pages != 1 || state->nr_zeroed == POISON_PAGES)
		return -EINVAL;
	if (pgoff == state->no_zero)
		return -EHWPOISON;
	state->zeroed[state->nr_zeroed++] = pgoff;
	return 0;
}

static const struct dax_operations poison_ops = {
	.zero_page_range = poison_zero,
};

static int poison_test_init(struct kunit *test)
{
	struct poison_state *state = &poison_state;
	struct dev_dax *dev_dax;
	struct page *pages;

	memset(state, 0, sizeof(*state));
	state->no_zero = ULONG_MAX;
	dev_dax = kunit_kzalloc(test, sizeof(*dev_dax), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev_dax);
	xa_init(&dev_dax->poison);
	pages = alloc_pages(GFP_KERNEL, POISON_PAGES_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, pages);
	dev_dax->dax_dev = alloc_dax(dev_dax, &poison_ops);
	if (IS_ERR(dev_dax->dax_dev)) {
		__free_pages(pages, POISON_PAGES_ORDER);
		return PTR_ERR(dev_dax->dax_dev);
	}
	state->mem = page_address(pages);
	state->pfn = page_to_pfn(pages);
	state->dev_dax = dev_dax;
	state->range.range.start = PFN_PHYS(state->pfn);
	state->range.range.end = PFN_PHYS(state->pfn + POISON_PAGES) - 1;
	dev_dax->ranges = &state->range;
	dev_dax->nr_range = 1;
	memset(state->mem, 'm', PFN_PHYS(POISON_PAGES));
	return 0;
}

static void poison_test_exit(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	if (!state->dev_dax)
		return;
	fsdev_poison_stop(state->dev_dax);
	kill_dax(state->dev_dax->dax_dev);
	put_dax(state->dev_dax->dax_dev);
	free_pages((unsigned long)state->mem, POISON_PAGES_ORDER);
}

static bool poison_is_bad(unsigned long page)
{
	struct poison_state *state = &poison_state;
	unsigned long bad;

	return fsdev_poisoned(state->dev_dax, state->pfn + page, 1, &bad);
}

struct poison_clip {
	const char *name;
	unsigned int from;
	unsigned int nr;
	bool recovery;
	bool can_clear;
	long want;
};

/* Pages 2, 3 and 6 of 8 are bad */
static const struct poison_clip poison_clips[] = {
	{ "before", 0, 2, false, false, 2 },
	{ "up to the first", 0, 8, false, true, 2 },
	{ "at the first", 2, 6, false, true, -EHWPOISON },
	{ "at one alone", 2, 1, false, true, -EHWPOISON },
	{ "between", 4, 2, false, false, 2 },
	{ "up to the last", 4, 4, false, false, 2 },
	{ "behind", 7, 1, false, false, 1 },
	{ "nothing", 2, 0, false, false, 0 },
	{ "write of a bad one", 2, 6, true, true, 1 },
	{ "write that repairs nothing", 2, 6, true, false, -EHWPOISON },
	{ "write before a bad one", 0, 8, true, true, 2 },
	{ "write of a good one", 4, 1, true, false, 1 },
};

static void poison_clip_desc(const struct poison_clip *clip, char *desc)
{
	strscpy(desc, clip->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(poison_clip, poison_clips, poison_clip_desc);

static void poison_test_clip(struct kunit *test)
{
	struct poison_state *state = &poison_state;
	const struct poison_clip *clip = test->param_value;
	struct dev_dax *dev_dax = state->dev_dax;

	dev_dax->clear_poison = clip->can_clear ? poison_clear : NULL;
	fsdev_poison_add(dev_dax, state->pfn + 2, 2);
	fsdev_poison_add(dev_dax, state->pfn + 6, 1);
	KUNIT_EXPECT_EQ(test, clip->want,
			fsdev_poison_clip(dev_dax, state->pfn + clip->from,
					  clip->nr, clip->recovery ?
					  DAX_RECOVERY_WRITE : DAX_ACCESS));
	KUNIT_EXPECT_EQ(test, 0, state->nr_clear);
}

/* Who maps by heart is told; the end of the binding ends that */
static void poison_test_is_told(struct kunit *test)
{
	struct poison_state *state = &poison_state;
	struct dev_dax *dev_dax = state->dev_dax;

	KUNIT_EXPECT_FALSE(test, dax_has_poison(dev_dax->dax_dev));
	fsdev_poison_add(dev_dax, state->pfn, 1);
	KUNIT_EXPECT_TRUE(test, dax_has_poison(dev_dax->dax_dev));
	fsdev_poison_stop(dev_dax);
	KUNIT_EXPECT_FALSE(test, dax_has_poison(dev_dax->dax_dev));
	KUNIT_EXPECT_FALSE(test, poison_is_bad(0));
}

/* Write @have bytes where @bytes are asked for, at a byte of the device */
static size_t poison_write(struct kunit *test, size_t at, size_t bytes,
			   size_t have)
{
	struct poison_state *state = &poison_state;
	struct kvec vec = { .iov_len = have };
	struct iov_iter iter;
	size_t ret;
	int id;

	vec.iov_base = kunit_kzalloc(test, have, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vec.iov_base);
	memset(vec.iov_base, 'w', have);
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, have);
	id = dax_read_lock();
	ret = fsdev_recovery_write(state->dev_dax->dax_dev, PHYS_PFN(at),
				   state->mem + at, bytes, &iter);
	dax_read_unlock(id);
	return ret;
}

static void poison_expect_bytes(struct kunit *test, size_t at, size_t len,
				char want)
{
	KUNIT_EXPECT_NULL(test, memchr_inv(poison_state.mem + at, want, len));
}

static void poison_test_write(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	state->dev_dax->clear_poison = poison_clear;
	fsdev_poison_add(state->dev_dax, state->pfn + 2, 2);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE,
			poison_write(test, 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 1, state->nr_clear);
	KUNIT_EXPECT_EQ(test, PFN_PHYS(state->pfn + 2), state->phys);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, state->len);
	KUNIT_EXPECT_FALSE(test, poison_is_bad(2));
	KUNIT_EXPECT_TRUE(test, poison_is_bad(3));
	poison_expect_bytes(test, 0, 2 * PAGE_SIZE, 'm');
	poison_expect_bytes(test, 2 * PAGE_SIZE, PAGE_SIZE, 'w');
	poison_expect_bytes(test, 3 * PAGE_SIZE, PAGE_SIZE, 'm');
}

/* Where nothing is bad any piece may be written, and nobody is asked */
static void poison_test_write_good(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	fsdev_poison_add(state->dev_dax, state->pfn + 2, 1);
	KUNIT_EXPECT_EQ(test, 100, poison_write(test, PAGE_SIZE + 7, 100, 100));
	poison_expect_bytes(test, PAGE_SIZE + 7, 100, 'w');
	KUNIT_EXPECT_EQ(test, 0, state->nr_clear);
}

/* Neither end of the page may be left as it is */
static void poison_test_write_part(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	state->dev_dax->clear_poison = poison_clear;
	fsdev_poison_add(state->dev_dax, state->pfn + 2, 1);
	KUNIT_EXPECT_EQ(test, 0, poison_write(test, 2 * PAGE_SIZE, 100, 100));
	KUNIT_EXPECT_EQ(test, 0, poison_write(test, 3 * PAGE_SIZE - 9, 9, 9));
	KUNIT_EXPECT_EQ(test, 0, poison_write(test, PAGE_SIZE + 9, PAGE_SIZE,
					      PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, state->nr_clear);
	KUNIT_EXPECT_TRUE(test, poison_is_bad(2));
	poison_expect_bytes(test, 0, PFN_PHYS(POISON_PAGES), 'm');
}

/* The data ends within the page */
static void poison_test_write_short(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	state->dev_dax->clear_poison = poison_clear;
	fsdev_poison_add(state->dev_dax, state->pfn + 2, 2);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE + 100,
			poison_write(test, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
				     PAGE_SIZE + 100));
	KUNIT_EXPECT_FALSE(test, poison_is_bad(2));
	KUNIT_EXPECT_TRUE(test, poison_is_bad(3));
}

static void poison_test_not_cleared(struct kunit *test)
{
	static const long answers[] = { -EIO, -ENXIO, 512 };
	struct poison_state *state = &poison_state;

	state->dev_dax->clear_poison = poison_clear;
	fsdev_poison_add(state->dev_dax, state->pfn + 2, 1);
	for (int i = 0; i < ARRAY_SIZE(answers); i++) {
		state->clears = answers[i];
		KUNIT_EXPECT_EQ(test, 0, poison_write(test, 2 * PAGE_SIZE,
						      PAGE_SIZE, PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, -EHWPOISON,
				fsdev_zero_pages(state->dev_dax, state->pfn,
						 POISON_PAGES));
	}
	KUNIT_EXPECT_EQ(test, 2 * ARRAY_SIZE(answers), state->nr_clear);
	KUNIT_EXPECT_TRUE(test, poison_is_bad(2));
	poison_expect_bytes(test, 0, PFN_PHYS(POISON_PAGES), 'm');
}

static void poison_test_zero(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	KUNIT_EXPECT_EQ(test, 0, fsdev_zero_pages(state->dev_dax, state->pfn, 1));
	fsdev_poison_add(state->dev_dax, state->pfn + 2, 1);
	KUNIT_EXPECT_EQ(test, -EHWPOISON,
			fsdev_zero_pages(state->dev_dax, state->pfn, 4));
	state->dev_dax->clear_poison = poison_clear;
	KUNIT_EXPECT_EQ(test, 0, fsdev_zero_pages(state->dev_dax, state->pfn, 4));
	KUNIT_EXPECT_FALSE(test, poison_is_bad(2));
	poison_expect_bytes(test, 0, 4 * PAGE_SIZE, 0);
	poison_expect_bytes(test, 4 * PAGE_SIZE, 4 * PAGE_SIZE, 'm');
}

static int poison_zero_range(pgoff_t pgoff, size_t nr_pages)
{
	int id = dax_read_lock();
	int ret;

	ret = dax_zero_page_range(poison_state.dev_dax->dax_dev, pgoff, nr_pages);
	dax_read_unlock(id);
	return ret;
}

/* Whatever the number, a driver is asked for each page */
static void poison_test_zero_any_count(struct kunit *test)
{
	struct poison_state *state = &poison_state;

	KUNIT_EXPECT_EQ(test, 0, poison_zero_range(4, 0));
	KUNIT_EXPECT_EQ(test, 0, state->nr_zeroed);
	KUNIT_EXPECT_EQ(test, 0, poison_zero_range(9, 1));
	KUNIT_EXPECT_EQ(test, 0, poison_zero_range(3, 5));
	KUNIT_EXPECT_EQ(test, 6, state->nr_zeroed);
	for (int i = 1; i < 6; i++)
		KUNIT_EXPECT_EQ(test, i + 2, state->zeroed[i]);

	state->nr_zeroed = 0;
	state->no_zero = 5;
	KUNIT_EXPECT_EQ(test, -EIO, poison_zero_range(3, 5));
	KUNIT_EXPECT_EQ(test, 2, state->nr_zeroed);
}

static struct kunit_case poison_test_cases[] = {
	KUNIT_CASE_PARAM(poison_test_clip, poison_clip_gen_params),
	KUNIT_CASE(poison_test_is_told),
	KUNIT_CASE(poison_test_write),
	KUNIT_CASE(poison_test_write_good),
	KUNIT_CASE(poison_test_write_part),
	KUNIT_CASE(poison_test_write_short),
	KUNIT_CASE(poison_test_not_cleared),
	KUNIT_CASE(poison_test_zero),
	KUNIT_CASE(poison_test_zero_any_count),
	{},
};

static struct kunit_suite poison_test_suite = {
	.name = "fsdev_poison",
	.init = poison_test_init,
	.exit = poison_test_exit,
	.test_cases = poison_test_cases,
};

kunit_test_suite(poison_test_suite);
