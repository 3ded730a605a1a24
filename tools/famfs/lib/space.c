// SPDX-License-Identifier: Apache-2.0
#include "space.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

/*
 * The tree's ranges never overlap, so "equal" can mean "overlaps": a search
 * with any range finds one that touches it. Ranges may shrink and grow in
 * place, since that does not change their order.
 */
static int order(const void *a, const void *b)
{
	const struct famfs_range *x = a, *y = b;

	if (x->end <= y->start)
		return -1;
	return x->start >= y->end;
}

static struct famfs_range *find(const struct famfs_space *s, uint64_t start,
				uint64_t end)
{
	struct famfs_range key = { start, end };
	struct famfs_range **found = tfind(&key, &s->tree, order);

	return found ? *found : NULL;
}

static int add(struct famfs_space *s, uint64_t start, uint64_t end)
{
	struct famfs_range *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct famfs_range){ start, end };
	if (tsearch(r, &s->tree, order))
		return 0;
	free(r);
	return -ENOMEM;
}

static void drop(struct famfs_space *s, struct famfs_range *r)
{
	tdelete(r, &s->tree, order);
	free(r);
}

int famfs_space_init(struct famfs_space *s, uint64_t start, uint64_t end)
{
	*s = (struct famfs_space){ 0 };
	if (start >= end)
		return 0;
	s->free = end - start;
	s->size = s->free;
	return add(s, start, end);
}

void famfs_space_fini(struct famfs_space *s)
{
	tdestroy(s->tree, free);
	*s = (struct famfs_space){ 0 };
}

int famfs_space_take(struct famfs_space *s, uint64_t start, uint64_t len)
{
	uint64_t end = start + len, tail;
	struct famfs_range *r;

	if (!len || end < start)
		return -EEXIST;
	r = find(s, start, end);
	if (!r || r->start > start || r->end < end)
		return -EEXIST;

	if (r->start == start && r->end == end) {
		drop(s, r);
	} else if (r->start == start) {
		r->start = end;
	} else {
		tail = r->end;
		r->end = start;
		if (end < tail && add(s, end, tail)) {
			r->end = tail;
			return -ENOMEM;
		}
	}
	s->free -= len;
	return 0;
}

int famfs_space_give(struct famfs_space *s, uint64_t start, uint64_t len)
{
	uint64_t end = start + len;
	struct famfs_range *left = start ? find(s, start - 1, start) : NULL;
	struct famfs_range *right = find(s, end, end + 1);

	if (left && right) {
		end = right->end;
		drop(s, right);
		left->end = end;
	} else if (left) {
		left->end = end;
	} else if (right) {
		right->start = start;
	} else if (add(s, start, end)) {
		return -ENOMEM;
	}
	s->free += len;
	return 0;
}

struct fit {
	uint64_t want;
	struct famfs_range best;
};

static uint64_t length(const struct famfs_range *r)
{
	return r->end - r->start;
}

static void look_smallest(const void *node, VISIT which, void *arg)
{
	const struct famfs_range *r = *(struct famfs_range *const *)node;
	struct fit *f = arg;

	if (which != postorder && which != leaf)
		return;
	if (length(r) < f->want)
		return;
	if (!length(&f->best) || length(r) < length(&f->best))
		f->best = *r;
}

int famfs_space_fit(const struct famfs_space *s, uint64_t len,
		    struct famfs_range *fit)
{
	struct fit f = { .want = len };

	twalk_r(s->tree, look_smallest, &f);
	*fit = f.best;
	return length(&f.best) ? 0 : -ENOSPC;
}

static void look_largest(const void *node, VISIT which, void *arg)
{
	const struct famfs_range *r = *(struct famfs_range *const *)node;
	struct famfs_range *best = arg;

	if ((which == postorder || which == leaf) && length(r) > length(best))
		*best = *r;
}

struct famfs_range famfs_space_largest(const struct famfs_space *s)
{
	struct famfs_range best = { 0 };

	twalk_r(s->tree, look_largest, &best);
	return best;
}
