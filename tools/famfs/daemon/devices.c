// SPDX-License-Identifier: Apache-2.0
/*
 * Handing the devices to the kernel by descriptor: it need not ask for their
 * names then, and can take maps that name them before it has asked anything.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <syslog.h>
#include <unistd.h>

/* A descriptor of its own: the volume's may be for reading only. */
static int hand_over(struct famfsd *d, uint32_t index, const char *path)
{
	struct famfs_backing_map map = { .padding = index };
	int err;

	map.fd = open(path, O_RDWR | O_CLOEXEC);
	if (map.fd < 0)
		return errno;
	err = ioctl(fuse_session_fd(d->se), FAMFS_DEV_IOC_DAXDEV_OPEN,
		    &map) < 0 ? errno : 0;
	close(map.fd);
	return err;
}

/*
 * Each device is tried once. Where that fails, the kernel asks for its name
 * when it needs it, and says what is wrong by failing the open.
 */
void famfsd_hand_over(struct famfsd *d)
{
	char path[FAMFS_DEVPATH_MAX];
	uint32_t i;
	int err;

	for (i = 0; i < d->vol.geometry.ndevs; i++) {
		if (d->tried[i] || !d->vol.dev[i].name[0])
			continue;
		d->tried[i] = true;
		snprintf(path, sizeof(path), "/dev/%s", d->vol.dev[i].name);
		err = hand_over(d, i, path);
		if (d->opt.debug)
			famfsd_notice(LOG_DEBUG, "DAXDEV_OPEN, index: %u, %s: %s",
				      i, path, err ? strerror(err) : "taken");
	}
}
