// SPDX-License-Identifier: GPL-2.0
/*
 * vfs_ops FILE FOLDER: do to a file all that can be done to a file
 *
 * FILE is one that memory backs (by DAX, or by a file map), FILE.other a second
 * one beside it, both of 8 MiB. FOLDER lies on a disk. A line for each operation
 * tells its name and, after a tab, what became of it. Comparing the lines of two
 * file systems tells how they differ; vfs_table.sh does so with XFS.
 *
 * Each operation has a process of its own, and finds the file as it always is:
 * what the one before has changed is put right.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vfs_ops.h"

/* Seconds that an operation may take in a slow machine */
#define PATIENCE	150

static const struct {
	const char *name;
	const struct vfs_op *ops;
} subjects[] = {
	{ "Reads", vfs_read_ops },
	{ "Writes", vfs_write_ops },
	{ "What a write does besides", vfs_limit_ops },
	{ "Asynchronous reads and writes", vfs_async_ops },
	{ "Copies", vfs_copy_ops },
	{ "Mappings", vfs_map_ops },
	{ "Size of pages", vfs_page_ops },
	{ "Advice", vfs_advice_ops },
	{ "Userfaultfd", vfs_uffd_ops },
	{ "Pages in the hands of others", vfs_pin_ops },
	{ "Persistence", vfs_sync_ops },
	{ "Size", vfs_size_ops },
	{ "Space", vfs_space_ops },
	{ "Attributes", vfs_attr_ops },
	{ "Locks and watches", vfs_lock_ops },
	{ "Names", vfs_name_ops },
	{ "Memory failure", vfs_last_ops },
};

/* Where an operation leaves its answer */
static char *answer_page;
static blkcnt_t blocks;

void vfs_end(const char *answer)
{
	snprintf(answer_page, PG, "%s", answer);
	_exit(0);
}

static void __noreturn die(const char *what)
{
	perror(what);
	exit(1);
}

static void put_all(int fd)
{
	size_t done = 0;
	ssize_t n;

	while (done < VFS_SIZE) {
		n = pwrite(fd, vfs.image + done, VFS_SIZE - done, done);
		if (n <= 0)
			die("write the file");
		done += n;
	}
}

static bool is_right(int fd)
{
	static unsigned char buf[MB];
	off_t off;

	for (off = 0; off < VFS_SIZE; off += MB)
		if (pread(fd, buf, MB, off) != (ssize_t)MB ||
		    memcmp(buf, vfs.image + off, MB))
			return false;

	return true;
}

/* What has no map is made anew where it has lost or gained bytes or blocks */
void vfs_restore(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0 || fchmod(fd, 0644) || fchown(fd, 0, 0) || fstat(fd, &st))
		die(path);
	if (st.st_size != VFS_SIZE || (blocks && st.st_blocks != blocks)) {
		if (st.st_size && ftruncate(fd, 0))
			die("empty the file");
		put_all(fd);
	} else if (!is_right(fd)) {
		put_all(fd);
	}
	close(fd);
}

static void note_blocks(void)
{
	struct stat st;

	if (stat(vfs.path, &st))
		die(vfs.path);
	blocks = st.st_blocks;
}

static void __noreturn run_op(const struct vfs_op *op)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE);
	vfs.fd = open(vfs.path, O_RDWR | O_CLOEXEC);
	if (vfs.fd < 0)
		vfs_end("no set-up: the file cannot be opened");
	vfs_end(op->run(op->arg));
}

static void tell(const struct vfs_op *op, int status)
{
	char died[32] = "died";

	if (WIFSIGNALED(status))
		snprintf(died, sizeof(died), "SIG%s",
			 sigabbrev_np(WTERMSIG(status)));
	printf("%s\t%s\n", op->name, *answer_page ? answer_page : died);
	fflush(stdout);
}

static void do_op(const struct vfs_op *op, bool last)
{
	int status;
	pid_t pid;

	*answer_page = '\0';
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		run_op(op);
	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	tell(op, status);
	if (!last)
		vfs_restore(vfs.path);
}

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 3; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;

	return argc <= 3;
}

static void set_up(char **argv)
{
	vfs.path = argv[1];
	snprintf(vfs.other, sizeof(vfs.other), "%s.other", argv[1]);
	snprintf(vfs.disk_dir, sizeof(vfs.disk_dir), "%s", argv[2]);
	snprintf(vfs.disk, sizeof(vfs.disk), "%s/vfs_ops.data", argv[2]);
	vfs.image = mmap(NULL, VFS_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	answer_page = mmap(NULL, PG, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vfs.image == MAP_FAILED || answer_page == MAP_FAILED)
		die("memory");
	fmap_fill(vfs.image, VFS_SIZE, VFS_SEED, 0);
	fmap_fill(vfs_bytes, sizeof(vfs_bytes), VFS_SEED + 1, 0);
	close(open(vfs.disk, O_RDWR | O_CREAT, 0644));
	if (truncate(vfs.disk, MB))
		die(vfs.disk);
	vfs_restore(vfs.path);
	vfs_restore(vfs.other);
	note_blocks();
}

int main(int argc, char **argv)
{
	const struct vfs_op *op;
	unsigned int i;

	if (argc < 3) {
		fprintf(stderr, "usage: vfs_ops FILE FOLDER [WORD]...\n");
		return 2;
	}
	set_up(argv);
	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		printf("# %s\n", subjects[i].name);
		for (op = subjects[i].ops; op->name; op++)
			if (wanted(op->name, argc, argv))
				do_op(op, subjects[i].ops == vfs_last_ops);
	}

	return 0;
}
