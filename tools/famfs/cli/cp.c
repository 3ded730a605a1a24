// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "size.h"

static const char usage[] =
"Usage: famfs cp [options] SOURCE... DESTINATION\n"
"Copy files into a famfs: each is made with the size of its source.\n"
"\n"
"  -r, --recursive      also directories\n"
"  -f, --force          write over a file that is there and has the same size\n"
LAYOUT_USAGE;

struct cp {
	struct layout layout;
	bool recursive;
	bool force;
};

static int copy_any(const struct cp *cp, const char *from, const char *to,
		    struct famfs_error *e);

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Open the file that is to be written over, if that is allowed. */
static int open_old(const struct cp *cp, const struct place *p,
		    const struct copy *c, struct famfs_error *e)
{
	struct stat st;
	int fd;

	if (!cp->force)
		return famfs_fail(e, -EEXIST, "%s is there already; -f writes over it",
				  c->to);
	fd = openat(p->dir, p->name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		famfs_fail(e, -errno, "%s: %s", c->to, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != c->size) {
		errno = EEXIST;
		famfs_fail(e, -EEXIST, "%s has %" PRIu64 " bytes, %s %" PRIu64
			   "; a file's size cannot change", c->to,
			   (uint64_t)st.st_size, c->from, c->size);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -EEXIST;
}

static int open_new(const struct cp *cp, struct place *p, const struct copy *c,
		    uint32_t mode, struct famfs_error *e)
{
	struct layout l = cp->layout;
	int fd, err;

	if (!l.mode_given)
		l.mode = mode & 0777 & ~current_umask();
	err = layout_create(&l, p, c->size, c->to, e);
	if (err)
		return err;
	fd = openat(p->dir, p->name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return famfs_fail(e, -errno, "%s was made, but cannot be opened: %s",
				  c->to, strerror(errno));
	return fd;
}

/* Names cannot be removed: a copy that stops is told of, with what to do. */
static int say_unfinished(const struct copy *c, int err, struct famfs_error *e)
{
	char done[FAMFS_SIZE_TEXT], size[FAMFS_SIZE_TEXT];

	famfs_wrap(e, err, "%s is unfinished (%s of %s; famfs cp -f '%s' '%s' completes it)",
		   c->to, famfs_size_text(c->done, done),
		   famfs_size_text(c->size, size), c->from, c->to);
	return err;
}

static int copy_into(const struct cp *cp, struct place *p, struct copy *c,
		     int src, uint32_t mode, struct famfs_error *e)
{
	int dst, err;

	if (faccessat(p->dir, p->name, F_OK, AT_SYMLINK_NOFOLLOW))
		dst = open_new(cp, p, c, mode, e);
	else
		dst = open_old(cp, p, c, e);
	if (dst < 0)
		return dst;
	err = copy_bytes(c, src, dst, e);
	close(dst);
	return err ? say_unfinished(c, err, e) : 0;
}

static int copy_file(const struct cp *cp, const char *from, const char *to,
		     struct famfs_error *e)
{
	struct copy c = { .from = from, .to = to };
	struct place p;
	struct stat st;
	int src, err;

	src = open(from, O_RDONLY | O_CLOEXEC);
	if (src < 0 || fstat(src, &st)) {
		err = famfs_fail(e, -errno, "%s: %s", from, strerror(errno));
		if (src >= 0)
			close(src);
		return err;
	}
	c.size = st.st_size;
	err = place_open(&p, to, e);
	if (!err) {
		err = copy_into(cp, &p, &c, src, st.st_mode, e);
		place_close(&p);
	}
	close(src);
	return err;
}

static int make_dir(const char *path, uint32_t mode, struct famfs_error *e)
{
	struct place p;
	int err;

	if (is_dir(path))
		return 0;
	err = place_open(&p, path, e);
	if (err)
		return err;
	if (mkdirat(p.dir, p.name, mode & 0777)) {
		err = -errno;
		if (err == -EROFS)
			say_read_only(path, &p.info, e);
		else
			famfs_fail(e, err, "%s: %s", path, strerror(-err));
	}
	place_close(&p);
	return err;
}

static int copy_child(const struct cp *cp, const char *from, const char *to,
		      const char *name, struct famfs_error *e)
{
	char *a = NULL, *b = NULL;
	int err;

	if (asprintf(&a, "%s/%s", from, name) < 0 ||
	    asprintf(&b, "%s/%s", to, name) < 0)
		err = famfs_fail(e, -ENOMEM, "out of memory");
	else
		err = copy_any(cp, a, b, e);
	free(a);
	free(b);
	return err;
}

static int copy_dir(const struct cp *cp, const char *from, uint32_t mode,
		    const char *to, struct famfs_error *e)
{
	struct dirent **list;
	int i, n, err;

	if (!cp->recursive)
		return famfs_fail(e, -EISDIR, "%s is a directory; -r copies it",
				  from);
	n = scandir(from, &list, NULL, alphasort);
	if (n < 0)
		return famfs_fail(e, -errno, "%s: %s", from, strerror(errno));
	err = make_dir(to, mode, e);
	for (i = 0; i < n; i++) {
		if (!err && strcmp(list[i]->d_name, ".") &&
		    strcmp(list[i]->d_name, ".."))
			err = copy_child(cp, from, to, list[i]->d_name, e);
		free(list[i]);
	}
	free(list);
	return err;
}

static int copy_any(const struct cp *cp, const char *from, const char *to,
		    struct famfs_error *e)
{
	struct stat st;

	if (stat(from, &st))
		return famfs_fail(e, -errno, "%s: %s", from, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return copy_dir(cp, from, st.st_mode, to, e);
	if (S_ISREG(st.st_mode))
		return copy_file(cp, from, to, e);
	return famfs_fail(e, -EINVAL, "%s is neither a file nor a directory",
			  from);
}

static int copy_to(const struct cp *cp, char *from, const char *to,
		   struct famfs_error *e)
{
	char *base, *path, *end = from + strlen(from);
	int err;

	if (!is_dir(to))
		return copy_any(cp, from, to, e);
	while (end > from + 1 && end[-1] == '/')
		*--end = '\0';
	base = strrchr(from, '/');
	if (asprintf(&path, "%s/%s", to, base ? base + 1 : from) < 0)
		return famfs_fail(e, -ENOMEM, "out of memory");
	err = copy_any(cp, from, path, e);
	free(path);
	return err;
}

static int run(int argc, char **argv, struct famfs_error *e)
{
	static const struct option longs[] = {
		{ "recursive", no_argument, NULL, 'r' },
		{ "force", no_argument, NULL, 'f' },
		LAYOUT_LONG,
		{ 0 },
	};
	struct cp cp = { 0 };
	const char *to;
	int c, err = 0;

	while ((c = getopt_long(argc, argv, "rf" LAYOUT_SHORT, longs,
				NULL)) != -1) {
		if (c == 'r')
			cp.recursive = true;
		else if (c == 'f')
			cp.force = true;
		else if (layout_option(&cp.layout, c, optarg, e))
			return 2;
	}
	if (argc - optind < 2) {
		famfs_fail(e, -EINVAL, "a source and a destination are needed; try --help");
		return 2;
	}
	to = argv[--argc];
	if (argc - optind > 1 && !is_dir(to)) {
		famfs_fail(e, -ENOTDIR, "%s is not a directory", to);
		return 2;
	}
	copy_catch_interrupt();
	for (; !err && optind < argc; optind++)
		err = copy_to(&cp, argv[optind], to, e);
	return err ? 1 : 0;
}

const struct command cmd_cp = {
	"cp", "copy files into a famfs", usage, run,
};
