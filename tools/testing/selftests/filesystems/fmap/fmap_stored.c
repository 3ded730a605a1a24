// SPDX-License-Identifier: GPL-2.0
/*
 * fmap_stored even|uneven|strips NUMBER COMMAND [ARG]...: run a command beside a mount
 * with one file, $FMAP_DIR/file of $FMAP_BYTES bytes, whose map was stored ahead
 *
 *	even	NUMBER extents of a page, one behind the other with a page between them
 *	uneven	NUMBER extents of a page or two, scattered: the ranges that a message
 *		claims lie between those of all others, which have to be compared
 *	strips	one extent, interleaved over NUMBER strips by 2 MiB
 *
 * They are on the first device that FAMFS_DAXDEVS names, and take 8 KB of it each, a
 * strip 4 MiB.
 *
 * Besides what the command says it prints for each extent or strip: "store", the
 * nanoseconds that the kernel took to store it; "memory", the bytes that this took, if
 * they are enough to be told from others; and, after the command, "forget", nanoseconds
 * again. The status is the command's, or 125: something failed here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmap_command.h"
#include "fmap_util.h"

#define MESSAGE		2700U	/* extents, as many as a notification has room for */
#define STRIDE		7919U	/* a prime: the order in memory, if scattered */
#define MAX_EXTENTS	10000000U
#define MAX_STRIPS	32U
#define STRIP		(4 * MB)
#define TELLING		(1 * MB)	/* below that, memory is lost in noise */

struct job {
	uint32_t nr;
	bool uneven;
	bool strips;
	uint64_t bytes;		/* of the file */
	uint64_t stored;	/* nanoseconds */
	uint64_t memory;
};

/* What the kernel has allocated; free pages would say less, as each CPU has a stock */
static uint64_t kernel_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	unsigned long long kb, all = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %llu", &kb) == 1 ||
		    sscanf(line, "VmallocUsed: %llu", &kb) == 1)
			all += kb;
	if (f)
		fclose(f);

	return all * KB;
}

/* A bit of a multiplicative hash, after Knuth, is as good as a coin */
static uint64_t extent_bytes(const struct job *job, uint32_t i)
{
	return job->uneven ? PG + (i * 2654435761U >> 31) * PG : PG;
}

static uint64_t extent_at(const struct job *job, uint32_t i)
{
	uint64_t place = job->uneven ? (uint64_t)i * STRIDE % job->nr : i;

	return place * 2 * PG;
}

static uint64_t file_bytes(const struct job *job)
{
	uint64_t bytes = 0;
	uint32_t i;

	if (job->strips)
		return job->nr * STRIP;
	for (i = 0; i < job->nr; i++)
		bytes += extent_bytes(job, i);

	return bytes;
}

/* 0 or -errno */
static int timed_send(struct fmap_server *s, const struct fmap_notice *n,
		      uint64_t *time)
{
	uint64_t start = fmap_now();
	int ret = fmap_notice_send(s, n);

	*time += fmap_now() - start;

	return ret;
}

/* Extents from @first on, which begin at @off of the file */
static int store_message(struct fmap_server *s, struct job *job,
			 uint64_t nodeid, uint32_t first, uint64_t *off)
{
	static struct fmap_ext ext[MESSAGE];
	static struct fmap_notice n;
	struct fmap_layout l = { .size = job->bytes, .ext = ext };
	uint64_t start = *off;
	uint32_t i;

	for (i = first; i < job->nr && l.nextents < MESSAGE; i++) {
		ext[l.nextents++] = (struct fmap_ext)
			FMAP_SIMPLE(DEV0, extent_at(job, i), extent_bytes(job, i));
		*off += extent_bytes(job, i);
	}
	if (i < job->nr)
		fmap_notice_store_page(&n, nodeid, start, &l);
	else
		fmap_notice_store(&n, nodeid, start, &l);

	return timed_send(s, &n, &job->stored);
}

/* More strips than struct fmap_ext has room for */
static int store_strips(struct fmap_server *s, struct job *job, uint64_t nodeid)
{
	struct fuse_famfs_simple_ext strip[MAX_STRIPS] = { };
	size_t len = job->nr * sizeof(*strip);
	struct fuse_famfs_iext ie = {
		.ie_nstrips = job->nr,
		.ie_chunk_size = 2 * MB,
		.ie_nbytes = job->bytes,
	};
	struct fmap_notice n = {
		.code = FUSE_NOTIFY_STORE_FMAP,
		.len = sizeof(n.fmap) + sizeof(n.map) + sizeof(ie) + len,
		.fmap.nodeid = nodeid,
		.map = {
			.fmap_version = FUSE_FAMFS_FMAP_VERSION,
			.ext_type = FUSE_FAMFS_EXT_INTERLEAVE,
			.nextents = 1,
			.fmap_size = sizeof(n.map) + sizeof(ie) + len,
			.file_size = job->bytes,
		},
	};
	uint32_t i;

	for (i = 0; i < job->nr; i++)
		strip[i] = (struct fuse_famfs_simple_ext) {
			.se_offset = (job->nr - 1 - i) * STRIP, .se_len = STRIP,
		};
	memcpy(n.body + sizeof(n.fmap) + sizeof(n.map), &ie, sizeof(ie));
	memcpy(n.body + sizeof(n.fmap) + sizeof(n.map) + sizeof(ie), strip, len);

	return timed_send(s, &n, &job->stored);
}

static int store_all(struct fmap_server *s, struct job *job, uint64_t nodeid)
{
	uint64_t before = kernel_memory(), after, off = 0;
	uint32_t i;
	int ret = 0;

	if (job->strips)
		return store_strips(s, job, nodeid);
	for (i = 0; i < job->nr && !ret; i += MESSAGE)
		ret = store_message(s, job, nodeid, i, &off);
	after = kernel_memory();
	job->memory = after > before ? after - before : 0;

	return ret;
}

static void say(const struct job *job, const char *what, uint64_t total)
{
	printf("%s %llu\n", what,
	       (unsigned long long)((total + job->nr / 2) / job->nr));
	fflush(stdout);
}

/* Have the kernel see the file, which then has an inode to store a map in */
static int see(struct fmap_server *s, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);

	return access(path, F_OK) ? -errno : 0;
}

static int store_and_run(struct fmap_server *s, struct job *job,
			 struct fmap_file *f, char **command)
{
	static struct fmap_notice forget;
	uint64_t time = 0;
	char bytes[32];
	int status;

	errno = -(see(s, f->name) ?: store_all(s, job, f->nodeid));
	if (errno)
		return fmap_command_complain("storing the map");
	say(job, "store", job->stored);
	if (job->memory >= TELLING)
		say(job, "memory", job->memory);

	setenv("FMAP_DIR", s->dir, 1);
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)job->bytes);
	setenv("FMAP_BYTES", bytes, 1);
	status = fmap_command_run(command);
	if (status)
		return status;

	fmap_notice_inval(&forget, f->nodeid, 0, 0);
	errno = -timed_send(s, &forget, &time);
	if (errno)
		return fmap_command_complain("taking the map back");
	say(job, "forget", time);

	return 0;
}

/* A device is known to the kernel when a file was opened that names it */
static int serve(struct fmap_server *s, struct job *job, char **command)
{
	struct fmap_ext ext[] = {
		FMAP_SIMPLE(DEV0, fmap_dax_size(0) / PG * PG - PG, PG),
	};
	struct fmap_layout first = FMAP_LAYOUT(FUSE_FAMFS_EXT_SIMPLE, PG, ext);
	struct fmap_file *f;
	int fd, status;

	fmap_server_dev(s, DEV0, fmap_dax_node(0));
	fmap_server_mapped(s, "first", &first);
	f = fmap_server_file(s, "file", job->bytes);
	errno = -fmap_server_mount(s);
	if (errno)
		return fmap_command_complain("mount");
	fd = fmap_open(s, "first", O_RDONLY);
	errno = fd < 0 ? -fd : 0;
	if (errno)
		return fmap_command_complain("a file on the device");
	status = store_and_run(s, job, f, command);
	close(fd);
	if (!status && s->count[FUSE_GET_FMAP] != 1) {
		errno = EPROTO;
		status = fmap_command_complain("the kernel asked for the map");
	}

	return status;
}

static bool parse(struct job *job, char **argv)
{
	char *end;

	job->uneven = !strcmp(argv[1], "uneven");
	job->strips = !strcmp(argv[1], "strips");
	if (!job->uneven && !job->strips && strcmp(argv[1], "even"))
		return false;
	job->nr = strtoul(argv[2], &end, 10);
	if (*end || !job->nr || job->nr > (job->strips ? MAX_STRIPS : MAX_EXTENTS))
		return false;
	job->bytes = file_bytes(job);

	return true;
}

int main(int argc, char **argv)
{
	struct fmap_server *s;
	struct job job = { };
	int status;

	if (argc < 4 || !parse(&job, argv)) {
		fprintf(stderr, "usage: fmap_stored even|uneven|strips NUMBER COMMAND [ARG]...\n");
		return FMAP_COMMAND_FAILED;
	}
	errno = fmap_dax_find() ? 0 : ENODEV;
	if (errno)
		return fmap_command_complain("a DAX node in fs-dax mode");
	errno = -fmap_test_begin();
	if (errno)
		return fmap_command_complain("a mount namespace");
	s = fmap_server_new(&(struct fmap_config) { });
	if (!s)
		return fmap_command_complain("a server");
	status = serve(s, &job, argv + 3);
	fmap_server_free(s);

	return status;
}
