// SPDX-License-Identifier: Apache-2.0
#include "hostid.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#define TEXT_LEN	36

static int make_folder(const char *path)
{
	char copy[PATH_MAX];
	char *folder;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	folder = dirname(copy);
	return mkdir(folder, 0755) && errno != EEXIST ? -errno : 0;
}

/*
 * Written aside and linked into place, so that two programs that come here
 * first at the same time agree on one uuid.
 */
static int make(const char *path, struct famfs_error *e)
{
	char temp[PATH_MAX], text[TEXT_LEN + 1];
	uuid_t uuid;
	int fd, err;

	err = make_folder(path);
	if (err)
		return famfs_fail(e, err, "cannot make the folder of %s: %s",
				  path, strerror(-err));
	snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return famfs_fail(e, -errno, "cannot make %s: %s", path,
				  strerror(errno));
	uuid_generate(uuid);
	uuid_unparse_lower(uuid, text);
	err = 0;
	if (write(fd, text, TEXT_LEN) != TEXT_LEN ||
	    fchmod(fd, 0644) || fsync(fd) ||
	    (link(temp, path) && errno != EEXIST))
		err = famfs_fail(e, errno ? -errno : -EIO,
				 "cannot make %s: %s", path, strerror(errno));
	close(fd);
	unlink(temp);
	return err;
}

static int parse(const char *path, int fd, uint8_t uuid[16],
		 struct famfs_error *e)
{
	char text[TEXT_LEN + 1] = "";

	if (read(fd, text, TEXT_LEN) != TEXT_LEN || uuid_parse(text, uuid))
		return famfs_fail(e, -EINVAL, "%s does not hold a uuid", path);
	return 0;
}

int famfs_hostid(const char *path, uint8_t uuid[16], struct famfs_error *e)
{
	int fd, err;

	if (access(path, F_OK)) {
		err = make(path, e);
		if (err)
			return err;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return famfs_fail(e, -errno, "cannot read %s: %s", path,
				  strerror(errno));
	err = parse(path, fd, uuid, e);
	close(fd);
	return err;
}
