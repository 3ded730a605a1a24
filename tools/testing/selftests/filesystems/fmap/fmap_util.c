// SPDX-License-Identifier: GPL-2.0
/* What the tests of this folder do often */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fmap_util.h"

/* Bytes that are read from or written to a device at once */
#define PIECE		(64 * KB)

int fmap_test_begin(void)
{
	if (unshare(CLONE_NEWNS))
		return -errno;

	return mount("", "/", "", MS_REC | MS_PRIVATE, "") ? -errno : 0;
}

struct fmap_server *fmap_test_server(const struct fmap_config *cfg)
{
	struct fmap_server *s = fmap_server_new(cfg);

	if (!s)
		return NULL;
	fmap_server_dev(s, DEV0, fmap_dax_node(0));
	fmap_server_dev(s, DEV1, fmap_dax_node(1));

	return s;
}

struct fmap_server *fmap_test_serve(const struct fmap_config *cfg,
				    const char *name,
				    const struct fmap_layout *l)
{
	struct fmap_server *s = fmap_test_server(cfg);

	if (!s)
		return NULL;
	fmap_server_mapped(s, name, l);
	errno = -fmap_server_mount(s);
	if (errno) {
		perror("# mount");
		fmap_server_free(s);
		return NULL;
	}

	return s;
}

static void make_path(char *path, size_t size, struct fmap_server *s,
		      const char *name)
{
	snprintf(path, size, "%s/%s", s->dir, name);
}

int fmap_open(struct fmap_server *s, const char *name, int flags)
{
	char path[192];
	int fd;

	make_path(path, sizeof(path), s, name);
	fd = open(path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

int fmap_unlink(struct fmap_server *s, const char *name)
{
	char path[192];

	make_path(path, sizeof(path), s, name);
	return unlink(path) ? -errno : 0;
}

int fmap_try_open(struct fmap_server *s, const char *name, int flags)
{
	int fd = fmap_open(s, name, flags);

	if (fd < 0)
		return fd;
	close(fd);

	return 0;
}

static unsigned int forgets(struct fmap_server *s)
{
	return s->count[FUSE_FORGET] + s->count[FUSE_BATCH_FORGET];
}

bool fmap_forget(struct fmap_server *s, struct fmap_file *f)
{
	unsigned int before = forgets(s);
	int i;

	if (fmap_unlink(s, f->name))
		return false;
	for (i = 0; i < 5000 && forgets(s) == before; i++)
		usleep(1000);
	f->linked = true;

	return forgets(s) != before;
}

int fmap_try_open_freed(struct fmap_server *s, const char *name, int flags)
{
	int i, ret;

	for (i = 0; i < 500; i++) {
		ret = fmap_try_open(s, name, flags);
		if (ret != -EBUSY)
			break;
		usleep(10000);
	}

	return ret;
}

void *fmap_map(int fd, size_t len, int prot, int flags)
{
	void *p = mmap(NULL, len, prot, flags, fd, 0);

	if (p != MAP_FAILED)
		madvise(p, len, MADV_DONTFORK);

	return p;
}

void *fmap_map_aligned(int fd, size_t len, int prot, int flags)
{
	char *p = mmap(NULL, len + HUGE_PG, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return p;
	p += -(uintptr_t)p & (HUGE_PG - 1);
	p = mmap(p, len, prot, flags | MAP_FIXED, fd, 0);
	if (p != MAP_FAILED)
		madvise(p, len, MADV_DONTFORK);

	return p;
}

static uint64_t word_at(unsigned int seed, uint64_t off)
{
	return (off / 8 + 1) * 0x9e3779b97f4a7c15ULL +
	       seed * 0x100000001b3ULL;
}

/* Eight bytes at a time where possible, since this runs in emulators */
void fmap_fill(void *buf, size_t len, unsigned int seed, uint64_t off)
{
	unsigned char *p = buf, *end = p + len;

	while (p < end) {
		uint64_t word = word_at(seed, off) >> off % 8 * 8;
		size_t n = 8 - off % 8;

		if (n > (size_t)(end - p))
			n = end - p;
		memcpy(p, &word, n);
		p += n;
		off += n;
	}
}

/* Call @fn for each piece of the range that lies in one piece on a device */
static int each_piece(const struct fmap_layout *l, uint64_t off, void *buf,
		      size_t len,
		      int (*fn)(struct fmap_place at, void *buf, size_t len))
{
	while (len) {
		size_t n = fmap_to_edge(l, off);

		if (n > len)
			n = len;
		if (n > PIECE)
			n = PIECE;
		if (fn(fmap_locate(l, off), buf, n))
			return -1;
		off += n;
		buf = (char *)buf + n;
		len -= n;
	}

	return 0;
}

static int write_place(struct fmap_place at, void *buf, size_t len)
{
	return fmap_dax_write(at.dev, at.off, buf, len);
}

static int compare_place(struct fmap_place at, void *buf, size_t len)
{
	unsigned char piece[PIECE];

	if (fmap_dax_read(at.dev, at.off, piece, len))
		return -1;

	return memcmp(piece, buf, len);
}

int fmap_fill_devices(const struct fmap_layout *l, unsigned int seed)
{
	void *buf = malloc(l->size + 1);
	int ret;

	if (!buf)
		return -1;
	fmap_fill(buf, l->size, seed, 0);
	ret = each_piece(l, 0, buf, l->size, write_place);
	free(buf);

	return ret;
}

bool fmap_on_devices(const struct fmap_layout *l, uint64_t off,
		     const void *buf, size_t len)
{
	return !each_piece(l, off, (void *)buf, len, compare_place);
}

bool fmap_file_holds(int fd, uint64_t size, unsigned int seed)
{
	char want[64 * KB], got[64 * KB];
	uint64_t off;

	for (off = 0; off < size; off += sizeof(want)) {
		size_t n = size - off < sizeof(want) ? size - off
						     : sizeof(want);

		fmap_fill(want, n, seed, off);
		if (pread(fd, got, sizeof(got), off) != (ssize_t)n ||
		    memcmp(got, want, n))
			return false;
	}

	return pread(fd, got, 1, size) == 0;
}

int fmap_check_file(struct fmap_server *s, const char *name, uint64_t size,
		    unsigned int seed)
{
	int fd = fmap_open(s, name, O_RDONLY);
	bool same;

	if (fd < 0)
		return fd;
	same = fmap_file_holds(fd, size, seed);
	close(fd);

	return same ? 0 : -EILSEQ;
}

/* Atomic, so that the compiler does it just so */
static void access_byte(char *p, bool write)
{
	if (write)
		__atomic_store_n(p, 1, __ATOMIC_SEQ_CST);
	else
		__atomic_load_n(p, __ATOMIC_SEQ_CST);
}

struct fmap_faults fmap_touch(char *p, size_t len, size_t step,
			      bool write)
{
	struct rusage before, after;
	size_t i;

	getrusage(RUSAGE_THREAD, &before);	/* its pages are touched now */
	getrusage(RUSAGE_THREAD, &after);
	getrusage(RUSAGE_THREAD, &before);
	for (i = 0; i < len; i += step)
		access_byte(p + i, write);
	getrusage(RUSAGE_THREAD, &after);

	return (struct fmap_faults) {
		.minor = after.ru_minflt - before.ru_minflt,
		.major = after.ru_majflt - before.ru_majflt,
	};
}

static sigjmp_buf after_sigbus;

static void on_sigbus(int sig)
{
	siglongjmp(after_sigbus, sig);
}

bool fmap_sigbus(char *p, bool write)
{
	struct sigaction act = { .sa_handler = on_sigbus }, old;
	bool caught = true;

	sigaction(SIGBUS, &act, &old);
	if (!sigsetjmp(after_sigbus, 1)) {
		access_byte(p, write);
		caught = false;
	}
	sigaction(SIGBUS, &old, NULL);

	return caught;
}
