// SPDX-License-Identifier: Apache-2.0
#include "known.h"

#include <pthread.h>

/* One for all inodes: it is held for a few instructions. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

void famfs_known_look(struct famfs_known *k, uint64_t n)
{
	pthread_mutex_lock(&lock);
	k->lookups += n;
	pthread_mutex_unlock(&lock);
}

void famfs_known_forget(struct famfs_known *k, uint64_t n)
{
	pthread_mutex_lock(&lock);
	k->lookups -= n < k->lookups ? n : k->lookups;
	if (!k->lookups && k->map == FAMFS_MAP_TOLD)
		k->map = FAMFS_MAP_UNTOLD;
	pthread_mutex_unlock(&lock);
}

/* An inode that was forgotten meanwhile took what it was told with it. */
static void settle(struct famfs_known *k, bool told)
{
	k->map = told && k->lookups ? FAMFS_MAP_TOLD : FAMFS_MAP_UNTOLD;
}

void famfs_known_told(struct famfs_known *k)
{
	pthread_mutex_lock(&lock);
	if (k->map == FAMFS_MAP_UNTOLD)
		settle(k, true);
	pthread_mutex_unlock(&lock);
}

bool famfs_known_begin(struct famfs_known *k)
{
	bool first;

	pthread_mutex_lock(&lock);
	while (k->map == FAMFS_MAP_BEING_TOLD)
		pthread_cond_wait(&ended, &lock);
	first = k->map == FAMFS_MAP_UNTOLD;
	if (first)
		k->map = FAMFS_MAP_BEING_TOLD;
	pthread_mutex_unlock(&lock);
	return first;
}

void famfs_known_end(struct famfs_known *k, bool told)
{
	pthread_mutex_lock(&lock);
	settle(k, told);
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
}
