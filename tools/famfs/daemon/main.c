// SPDX-License-Identifier: Apache-2.0
/*
 * Start and end: the command comes back when the mount works, or says why
 * there is none; the daemon stays until it is unmounted.
 */
#include "daemon.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "bind.h"
#include "find.h"
#include "hostid.h"

#define MOUNT_FAILED	32		/* as mount(8) has it */

static void log_libfuse(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char text[FAMFS_ERROR_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	famfsd_notice((int)level, "%s", text);
}

/* Is this host the master, and is the log free for this daemon to write. */
static int take_role(struct famfsd *d, struct famfs_error *e)
{
	uint8_t host[16];
	int err;

	err = famfs_hostid(FAMFS_HOSTID_PATH, host, e);
	if (err)
		return err;
	d->home = !d->opt.client &&
		!memcmp(host, d->vol.super.system_uuid, sizeof(host));
	d->master = d->home && !d->opt.read_only;
	if (!d->master)
		return 0;
	err = famfs_dev_use(&d->vol.primary, FAMFS_USE_WRITE_LOG);
	if (err == -EBUSY)
		return famfs_fail(e, err, "%s is mounted on this host already; -o client or -o ro mounts it once more",
				  d->opt.device);
	if (err)
		return famfs_fail(e, err, "cannot lock %s: %s", d->opt.device,
				  strerror(-err));
	/* Whoever wrote it until now may have done so after our first look. */
	err = famfs_volume_refresh(&d->vol, e);
	return err < 0 ? err : 0;
}

static int open_volume(struct famfsd *d, struct famfs_error *e)
{
	bool write = !d->opt.read_only && !d->opt.client;
	int err;

	err = famfs_bind(d->opt.device, d->opt.bind, e);
	if (err < 0)
		return err;
	err = famfs_volume_open(&d->vol, d->opt.device,
				write ? O_RDWR : O_RDONLY, e);
	if (err)
		return err;
	err = 0;
	if (!d->vol.primary.is_dax)
		err = famfs_fail(e, -EINVAL, "%s is an image; only the memory of a DAX device can be mapped",
				 d->opt.device);
	if (!err)
		err = take_role(d, e);
	if (!err)
		err = famfs_find_devices(&d->vol, d->opt.given, d->opt.bind,
					 e);
	if (err)
		famfs_volume_close(&d->vol);
	return err;
}

static int new_session(struct famfsd *d, struct famfs_error *e)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char name[FAMFS_DEVPATH_MAX + 8];
	int err = 0;

	snprintf(name, sizeof(name), "fsname=/dev/%s", d->vol.primary.name);
	if (fuse_opt_add_arg(&args, "mount.fuse.famfs") ||
	    fuse_opt_add_opt_escaped(&d->opt.kernel_opts, name) ||
	    fuse_opt_add_opt(&d->opt.kernel_opts,
			     "subtype=famfs,allow_other,default_permissions") ||
	    fuse_opt_add_arg(&args, "-o") ||
	    fuse_opt_add_arg(&args, d->opt.kernel_opts) ||
	    (d->opt.debug && fuse_opt_add_arg(&args, "-d"))) {
		err = famfs_fail(e, -ENOMEM, "out of memory");
	} else {
		d->se = fuse_session_new(&args, &famfsd_ops,
					 sizeof(famfsd_ops), d);
		if (!d->se)
			err = famfs_fail(e, -EINVAL, "there is no mount with these options");
	}
	fuse_opt_free_args(&args);
	return err;
}

/* Serve the first request alone: with its answer the mount stands. */
static int wait_until_up(struct famfsd *d, struct famfs_error *e)
{
	struct fuse_buf buf = { .mem = NULL };
	int n;

	while (!d->up && !fuse_session_exited(d->se)) {
		n = fuse_session_receive_buf(d->se, &buf);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		fuse_session_process_buf(d->se, &buf);
	}
	free(buf.mem);
	if (d->up)
		return 0;
	if (d->init_unique && !d->offered)
		return famfs_fail(e, -EOPNOTSUPP, "this kernel has no file maps (FUSE_DAX_FMAP) to offer: boot a kernel with the famfs series and CONFIG_FUSE_DAX_FMAP=y, and mount as root (CAP_SYS_RAWIO) outside containers");
	return famfs_fail(e, -EIO, "the mount ended before it began");
}

static int start(struct famfsd *d, struct famfs_error *e)
{
	int err;

	err = new_session(d, e);
	if (err)
		return err;
	d->store = d->opt.store;
	if (fuse_set_signal_handlers(d->se))
		return famfs_fail(e, -EIO, "cannot handle signals");
	if (fuse_session_mount(d->se, d->opt.mountpoint))
		return famfs_fail(e, -EIO, "cannot mount %s on %s",
				  d->opt.device, d->opt.mountpoint);
	if (fuse_session_custom_io(d->se, &famfsd_channel,
				   fuse_session_fd(d->se)))
		err = famfs_fail(e, -EIO, "this libfuse cannot share its channel");
	else
		err = wait_until_up(d, e);
	if (err)
		fuse_session_unmount(d->se);
	else
		famfsd_hand_over(d);
	return err;
}

static void stop(struct famfsd *d)
{
	if (!d->se)
		return;
	fuse_remove_signal_handlers(d->se);
	fuse_session_destroy(d->se);
	d->se = NULL;
}

static int serve(struct famfsd *d)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int ret;

	ret = config ? fuse_session_loop_mt(d->se, config) : -ENOMEM;
	if (ret < 0)
		famfsd_notice(LOG_ERR, "cannot go on: %s", strerror(-ret));
	fuse_loop_cfg_destroy(config);
	fuse_session_unmount(d->se);
	return ret < 0 ? 1 : 0;
}

/* The parent waits here for the word of the child, and ends with it. */
static void wait_for_child(int fd)
{
	char status;

	_exit(read(fd, &status, 1) == 1 ? status : MOUNT_FAILED);
}

static int fork_daemon(int *ready, struct famfs_error *e)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return famfs_fail(e, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		return famfs_fail(e, -errno, "fork: %s", strerror(errno));
	if (pid) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	*ready = fds[1];
	setsid();
	return 0;
}

static void detach(int ready)
{
	int null = open("/dev/null", O_RDWR);
	char status = 0;

	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		if (null > 2)
			close(null);
	}
	famfsd_notice_detach();
	if (chdir("/") || write(ready, &status, 1) != 1)
		famfsd_notice(LOG_WARNING, "detaching: %s", strerror(errno));
	close(ready);
}

static int run(struct famfsd *d, int argc, char **argv, struct famfs_error *e)
{
	int ready = -1, err;

	err = famfsd_parse(&d->opt, argc, argv, e);
	if (!err && geteuid())
		err = famfs_fail(e, -EPERM, "only root can mount device memory");
	if (!err && !d->opt.foreground)
		err = fork_daemon(&ready, e);
	if (!err)
		err = open_volume(d, e);
	if (err)
		return err;

	err = start(d, e);
	if (!err) {
		if (ready >= 0)
			detach(ready);
		err = serve(d);
	}
	stop(d);
	famfs_volume_close(&d->vol);
	return err;
}

int main(int argc, char **argv)
{
	static struct famfsd d = { .lock = PTHREAD_RWLOCK_INITIALIZER };
	struct famfs_error e = { "" };
	int err;

	fuse_set_log_func(log_libfuse);
	err = run(&d, argc, argv, &e);
	if (e.text[0])
		famfsd_notice(LOG_ERR, "%s", e.text);
	famfsd_options_free(&d.opt);
	return err ? MOUNT_FAILED : 0;
}
