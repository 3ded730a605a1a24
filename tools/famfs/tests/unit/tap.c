// SPDX-License-Identifier: Apache-2.0
#include "tap.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int points, failures;

bool ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", pass ? "" : "not ", ++points);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!pass)
		failures++;
	return pass;
}

void note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

int done(void)
{
	printf("1..%d\n", points);
	return failures || !points;
}

bool refused(int err, int want, const struct famfs_error *e, const char *words,
	     const char *name)
{
	if (ok(err == want && strstr(e->text, words), "%s", name))
		return true;
	note("wanted %d and '%s', got %d and '%s'", want, words, err, e->text);
	return false;
}

uint64_t rnd(uint64_t below)
{
	static uint64_t x = 88172645463325252UL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s\n", what);
	exit(2);
}

void image_make(struct image *im, uint64_t size)
{
	static const uint8_t host[16] = "0123456789abcde";
	struct famfs_error e = { "" };
	int fd;

	/* In memory, where syncing costs nothing, and gone with the process. */
	fd = memfd_create("famfs-test", MFD_CLOEXEC);
	must(fd >= 0 && !ftruncate(fd, size), "no memory file");
	im->memory = fd;
	snprintf(im->path, sizeof(im->path), "/proc/self/fd/%d", fd);
	must(!famfs_dev_open(&im->dev, im->path, O_RDWR, &e), e.text);
	must(!famfs_super_make(&im->super, &im->dev, FAMFS_LOG_LEN_MIN, host,
			       &e), e.text);
	famfs_log_make(&im->log, FAMFS_LOG_LEN_MIN);
	must(!famfs_log_write_header(&im->dev, &im->super, &im->log, &e) &&
	     !famfs_super_write(&im->dev, &im->super, &e), e.text);
}

void image_drop(struct image *im)
{
	famfs_dev_close(&im->dev);
	close(im->memory);
}

void image_append(struct image *im, struct famfs_entry *entry)
{
	struct famfs_error e = { "" };

	must(!famfs_log_append(&im->dev, &im->super, &im->log, entry, &e),
	     e.text);
}

void image_put_header(struct image *im, struct famfs_log_header *h)
{
	h->crc = famfs_crc(h, offsetof(struct famfs_log_header, crc));
	must(pwrite(im->dev.fd, h, sizeof(*h), FAMFS_LOG_OFFSET) == sizeof(*h),
	     "cannot write");
}

struct famfs_entry file_entry(const char *path, uint64_t offset, uint64_t len)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_FILE,
		.file = {
			.size = len,
			.mode = 0644,
			.map = { .count = 1, .se = { { 0, offset, len } } },
		},
	};

	strncpy(entry.file.path, path, sizeof(entry.file.path) - 1);
	return entry;
}

struct famfs_entry mkdir_entry(const char *path)
{
	struct famfs_entry entry = {
		.type = FAMFS_ENTRY_MKDIR,
		.mkdir = { .mode = 0755 },
	};

	strncpy(entry.mkdir.path, path, sizeof(entry.mkdir.path) - 1);
	return entry;
}
