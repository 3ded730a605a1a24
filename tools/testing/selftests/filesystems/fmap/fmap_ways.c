// SPDX-License-Identifier: GPL-2.0
/* Ways to touch a byte of a file that was filled with seed 1 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fmap_util.h"
#include "fmap_ways.h"

static char right(uint64_t off)
{
	char c;

	fmap_fill(&c, 1, 1, off);
	return c;
}

/* Where the file ends is known without asking the server */
static char *map_all(int fd, int prot, size_t *len)
{
	*len = lseek(fd, 0, SEEK_END);

	return fmap_map_aligned(fd, *len, prot, MAP_SHARED);
}

int fmap_by_read(int fd, uint64_t off)
{
	char c;

	errno = ENODATA;
	if (pread(fd, &c, 1, off) != 1)
		return errno;

	return c == right(off) ? 0 : EILSEQ;
}

int fmap_by_write(int fd, uint64_t off)
{
	char c = right(off);

	return pwrite(fd, &c, 1, off) == 1 ? 0 : errno;
}

int fmap_by_load(int fd, uint64_t off)
{
	size_t len;
	char *p = map_all(fd, PROT_READ, &len);
	int ret = 0;

	if (p == MAP_FAILED)
		return errno;
	if (fmap_sigbus(p + off, false))
		ret = EFAULT;
	else if (p[off] != right(off))
		ret = EILSEQ;
	munmap(p, len);

	return ret;
}

int fmap_by_store(int fd, uint64_t off)
{
	size_t len;
	char *p = map_all(fd, PROT_READ | PROT_WRITE, &len);
	int ret = 0;

	if (p == MAP_FAILED)
		return errno;
	if (fmap_sigbus(p + off, true))
		ret = EFAULT;
	else
		p[off] = right(off);
	munmap(p, len);

	return ret;
}

int fmap_by_kernel(int fd, uint64_t off)
{
	size_t len;
	char *p = map_all(fd, PROT_READ, &len), c = 0;
	int ret = 0, pipes[2];

	if (p == MAP_FAILED || pipe(pipes))
		return errno;
	if (write(pipes[1], p + off, 1) != 1 || read(pipes[0], &c, 1) != 1)
		ret = errno;
	else if (c != right(off))
		ret = EILSEQ;
	munmap(p, len);
	close(pipes[0]);
	close(pipes[1]);

	return ret;
}
