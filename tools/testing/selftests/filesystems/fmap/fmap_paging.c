// SPDX-License-Identifier: GPL-2.0
/* Maps that a server tells page by page */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fmap_paging.h"
#include "fmap_server.h"

static uint64_t stripe_bytes(const struct fmap_ext *e)
{
	return (uint64_t)e->nstrips * e->chunk;
}

/* Take @n bytes away in front, or as many as can be; returns what is left of @n */
static uint64_t cut_front(struct fmap_ext *e, uint64_t n)
{
	uint64_t rows = e->nstrips ? n / stripe_bytes(e) : 0;
	uint32_t i;

	if (!e->nstrips) {
		e->run[0].off += n;
		e->run[0].len -= n;
		return 0;
	}
	for (i = 0; i < e->nstrips; i++) {
		e->run[i].off += rows * e->chunk;
		e->run[i].len -= rows * e->chunk;
	}
	e->nbytes -= rows * stripe_bytes(e);

	return n - rows * stripe_bytes(e);
}

/* Leave @n bytes, or somewhat more if it cannot be cut there */
static void cut_back(struct fmap_ext *e, uint64_t n)
{
	uint64_t rows;
	uint32_t i;

	if (!e->nstrips) {
		e->run[0].len = n;
		return;
	}
	rows = (n + stripe_bytes(e) - 1) / stripe_bytes(e);
	if (rows * stripe_bytes(e) >= e->nbytes)
		return;
	for (i = 0; i < e->nstrips; i++)
		e->run[i].len = rows * e->chunk;
	e->nbytes = rows * stripe_bytes(e);
}

/* How much of the file may be in a page */
static uint64_t most_bytes(const struct fmap_paging *p,
			   const struct fuse_get_fmap_in *in)
{
	uint64_t most = p->max_bytes ?: p->bytes;

	if (p->heeds_length && in->length && in->length < most)
		most = in->length;

	return most;
}

/* A page that begins with extent @i, of which the front is gone already */
struct page {
	struct fmap_ext *ext;
	uint32_t nr;
	uint64_t bytes;
};

static void fill_page(const struct fmap_paging *p,
		      const struct fuse_get_fmap_in *in, struct page *page,
		      uint32_t i, struct fmap_ext e)
{
	size_t left = (in->size - sizeof(struct fuse_famfs_fmap_header)) /
		      sizeof(struct fuse_famfs_simple_ext);
	uint64_t most = most_bytes(p, in);

	while (left > e.nstrips) {
		if (fmap_ext_bytes(&e) > most - page->bytes)
			cut_back(&e, most - page->bytes);
		page->ext[page->nr++] = e;
		page->bytes += fmap_ext_bytes(&e);
		left -= 1 + e.nstrips;
		if (page->nr == p->max_exts || page->bytes >= most ||
		    ++i == p->l.nextents)
			break;
		fmap_get_ext(&p->l, i, &e);
	}
}

/* The message as the published rules want it, or NULL */
static struct fuse_famfs_fmap_header *
encode_page(const struct fmap_paging *p, const struct fuse_get_fmap_in *in,
	    size_t *len)
{
	struct page page = { malloc(in->size * sizeof(*page.ext) / 24) };
	struct fuse_famfs_fmap_header *map;
	struct fmap_layout l = p->l;
	uint64_t rel = in->offset, next;
	struct fmap_ext e;
	uint32_t i;

	if (!page.ext)
		return NULL;
	i = fmap_find_ext(&p->l, &rel, &e);
	if (!p->keeps_whole)
		rel = cut_front(&e, rel);
	next = in->offset - rel;
	if (!rel)
		fill_page(p, in, &page, i, e);
	next += page.bytes;

	l.ext = page.ext;
	l.nextents = page.nr;
	map = fmap_encode(&l, len);
	if (map)
		map->next_offset = next == p->bytes ? 0 : next;
	free(page.ext);

	return map;
}

/* All that can be said of what lies behind the end */
static struct fuse_famfs_fmap_header *encode_end(const struct fmap_paging *p,
						 size_t *len)
{
	struct fmap_layout l = p->l;

	l.nextents = 0;
	return fmap_encode(&l, len);
}

static void note(struct fmap_paging *p, const struct fuse_get_fmap_in *in,
		 uint64_t next)
{
	unsigned int i = p->nr_asked++ % FMAP_ASKED;

	p->asked[i] = (struct fmap_asked) { .in = *in, .next = next };
}

void fmap_answer_page(struct fmap_req *r, struct fmap_paging *p)
{
	struct fmap_page page = { .in = r->arg };
	void *room;

	if (page.in->offset >= p->bytes)
		page.map = encode_end(p, &page.len);
	else if (page.in->size > sizeof(*page.map))
		page.map = encode_page(p, page.in, &page.len);
	note(p, page.in, page.map ? page.map->next_offset : 0);
	room = page.map ? realloc(page.map, page.len + FMAP_SPOIL) : NULL;
	if (!room) {
		free(page.map);
		fmap_reply_errno(r, EINVAL);
		return;
	}
	page.map = room;
	memset((char *)room + page.len, 0, FMAP_SPOIL);

	if (p->spoil)
		p->spoil(&page, p->spoil_arg);
	if (page.error)
		fmap_reply_errno(r, page.error);
	else
		fmap_reply(r, page.map, page.len);
	free(page.map);
}

static uint64_t all_bytes(const struct fmap_layout *l)
{
	uint64_t bytes = 0;
	struct fmap_ext e;
	uint32_t i;

	if (!l->ext)
		return l->nextents * l->each;
	for (i = 0; i < l->nextents; i++) {
		fmap_get_ext(l, i, &e);
		bytes += fmap_ext_bytes(&e);
	}

	return bytes;
}

struct fmap_paging *fmap_server_paged(struct fmap_server *s, const char *name,
				      const struct fmap_layout *l)
{
	struct fmap_paging *p = fmap_take_room(s, sizeof(*p));
	struct fmap_file *f;
	size_t len = l->nextents * sizeof(*l->ext);

	memset(p, 0, sizeof(*p));
	p->l = *l;
	if (l->ext)
		p->l.ext = memcpy(fmap_take_room(s, len), l->ext, len);
	p->bytes = all_bytes(l);

	f = fmap_server_file(s, name, l->size);
	f->paging = p;
	f->fmap_error = 0;

	return p;
}

const struct fmap_asked *fmap_last_asked(const struct fmap_paging *p,
					 unsigned int back)
{
	return &p->asked[(p->nr_asked - 1 - back) % FMAP_ASKED];
}

int fmap_fetch_rest(const struct fmap_paging *p, int fd)
{
	unsigned int before = p->nr_asked;
	uint64_t next;
	char c;

	for (;;) {
		next = fmap_last_asked(p, 0)->next;
		if (!next || next >= p->l.size)
			return p->nr_asked - before;
		if (pread(fd, &c, 1, next) != 1)
			return errno ? -errno : -EIO;
		if (fmap_last_asked(p, 0)->next == next)
			return -EILSEQ;
	}
}
