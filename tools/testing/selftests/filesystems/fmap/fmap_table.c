// SPDX-License-Identifier: GPL-2.0
/* What a server knows and has seen */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmap_server.h"

struct fmap_file *fmap_server_file(struct fmap_server *s, const char *name,
				   uint64_t size)
{
	struct fmap_file *f;

	if (s->nr_files == FMAP_FILES) {
		fprintf(stderr, "# the server's table of files is full\n");
		abort();
	}

	f = &s->file[s->nr_files];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->nodeid = FUSE_ROOT_ID + 1 + s->nr_files;
	f->size = size;
	f->mode = S_IFREG | 0644;
	f->linked = true;
	f->fmap_error = ENODATA;
	s->nr_files++;

	return f;
}

void *fmap_take_room(struct fmap_server *s, size_t len)
{
	unsigned char *room = s->arena + s->arena_used;

	if (len > FMAP_ARENA - s->arena_used) {
		fprintf(stderr, "# the server's arena is full\n");
		abort();
	}
	s->arena_used += (len + 7) & ~7UL;

	return room;
}

void fmap_file_map(struct fmap_server *s, struct fmap_file *f,
		   const void *map, size_t len)
{
	f->map = memcpy(fmap_take_room(s, len), map, len);
	f->map_len = len;
	f->fmap_error = 0;
}

/* Let the server keep what is written to an ordinary file, up to @room bytes */
void fmap_file_data(struct fmap_server *s, struct fmap_file *f, size_t room)
{
	f->data = fmap_take_room(s, room);
	f->data_room = room;
}

void fmap_file_layout(struct fmap_server *s, struct fmap_file *f,
		      const struct fmap_layout *l)
{
	size_t len;
	void *map = fmap_encode(l, &len);

	if (!map)
		abort();
	fmap_file_map(s, f, map, len);
	free(map);
}

struct fmap_file *fmap_server_mapped(struct fmap_server *s, const char *name,
				     const struct fmap_layout *l)
{
	struct fmap_file *f = fmap_server_file(s, name, l->size);

	fmap_file_layout(s, f, l);
	return f;
}

void fmap_server_dev(struct fmap_server *s, unsigned int index,
		     const char *name)
{
	struct fmap_dev *d = &s->dev[index];

	memset(d, 0, sizeof(*d));
	d->out.index = index;
	snprintf(d->out.name, sizeof(d->out.name), "%s", name);
	d->len = sizeof(d->out);
	d->known = true;
}

/* Those that follow a close or an eviction come whenever they like */
static bool is_late(unsigned int opcode)
{
	return opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET ||
	       opcode == FUSE_RELEASE || opcode == FUSE_RELEASEDIR ||
	       opcode == FUSE_INTERRUPT;
}

unsigned int fmap_server_requests(struct fmap_server *s)
{
	unsigned int i, sum = 0;

	for (i = 0; i < FMAP_OPS; i++)
		sum += is_late(i) ? 0 : s->count[i];

	return sum;
}

unsigned int fmap_server_data_requests(struct fmap_server *s)
{
	return s->count[FUSE_READ] + s->count[FUSE_WRITE] +
	       s->count[FUSE_FSYNC] + s->count[FUSE_FALLOCATE] +
	       s->count[FUSE_LSEEK] + s->count[FUSE_COPY_FILE_RANGE];
}

/* Give what another thread or process does about ten seconds */
bool fmap_wait_nonzero(atomic_int *value)
{
	int i;

	for (i = 0; i < 10000 && !*value; i++)
		usleep(1000);

	return *value;
}
