// SPDX-License-Identifier: Apache-2.0
/*
 * parallel PROCESSES LENGTH 4k|2m read|write first|repeated FILE...: what a page fault
 * takes while other processes have theirs, each on a CPU of its own, in a part of
 * LENGTH of the file that is its own, or, with as many files as processes, each in a
 * file of its own. For first figures to be ones, nobody may have touched the files
 * since their file system was mounted.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_map.h"

struct work {
	int processes;
	size_t len;
	bool small;
	bool write;
	bool repeated;
	char **files;
	int nr_files;
};

/* What tells the others that somebody is ready, and all to begin */
static int ready[2], go[2];

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("CPU %d: %s", cpu, strerror(errno));
}

static void wait_for(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		bench_die("the others are gone");
}

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		bench_die("pipe: %s", strerror(errno));
}

static void touch_all(char *p, const struct work *work)
{
	size_t i, step = work->small ? PAGE : HUGE_PAGE;

	for (i = 0; i < work->len; i += step)
		bench_touch(p + i, work->write);
}

static char *map_part(int fd, const struct work *work, uint64_t offset)
{
	int prot = work->write ? PROT_READ | PROT_WRITE : PROT_READ;

	return bench_map(fd, offset, work->len, prot, work->small, 0);
}

/* Faults that are counted come between "go" and the second "ready". */
static void be_process(int index, const struct work *work)
{
	bool own = work->nr_files > 1;
	const char *path = work->files[own ? index : 0];
	uint64_t offset = own ? 0 : index * work->len, faults;
	int fd = open(path, work->write ? O_RDWR : O_RDONLY);
	size_t wanted = work->len / (work->small ? PAGE : HUGE_PAGE);
	char *p;

	if (fd < 0)
		bench_die("%s: %s", path, strerror(errno));
	pin(index);
	if (work->repeated) {
		p = map_part(fd, work, offset);
		touch_all(p, work);
		munmap(p, work->len);
	}
	p = map_part(fd, work, offset);
	tell(ready[1]);
	wait_for(go[0]);
	faults = bench_faults();
	touch_all(p, work);
	faults = bench_faults() - faults;
	tell(ready[1]);
	if (faults < wanted || faults > wanted + 16)
		bench_die("%ju faults instead of %zu", (uintmax_t)faults, wanted);
	wait_for(go[0]);
	exit(0);
}

/* Who dies before the end has said why; nobody is to wait for it */
static void on_death(int sig)
{
	(void)sig;
	_exit(1);
}

static void start(const struct work *work)
{
	int i;

	signal(SIGCHLD, on_death);
	if (pipe(ready) || pipe(go))
		bench_die("pipe: %s", strerror(errno));
	for (i = 0; i < work->processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			bench_die("fork: %s", strerror(errno));
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_process(i, work);
	}
	for (i = 0; i < work->processes; i++)
		wait_for(ready[0]);
}

static void measure(const struct work *work)
{
	size_t nr = work->len / (work->small ? PAGE : HUGE_PAGE);
	uint64_t time;
	int i, status;

	start(work);
	bench_mark(true);
	time = bench_now();
	for (i = 0; i < work->processes; i++)
		tell(go[1]);
	for (i = 0; i < work->processes; i++)
		wait_for(ready[0]);
	time = bench_now() - time;
	bench_mark(false);
	signal(SIGCHLD, SIG_DFL);
	for (i = 0; i < work->processes; i++)
		tell(go[1]);
	for (i = 0; i < work->processes; i++)
		if (wait(&status) < 0 || status)
			exit(1);
	bench_say("fault", time, nr);
}

int main(int argc, char **argv)
{
	struct work work;

	if (argc < 7) {
		fputs("Usage: parallel PROCESSES LENGTH 4k|2m read|write first|repeated FILE...\n",
		      stderr);
		return 2;
	}
	work.processes = bench_size(argv[1]);
	work.len = bench_size(argv[2]);
	work.small = bench_choose(argv[3], "2m", "4k");
	work.write = bench_choose(argv[4], "read", "write");
	work.repeated = bench_choose(argv[5], "first", "repeated");
	work.files = argv + 6;
	work.nr_files = argc - 6;
	if (work.nr_files != 1 && work.nr_files != work.processes)
		bench_die("one file, or one for each process");
	if (!work.processes || !work.len || work.len % HUGE_PAGE)
		bench_die("no process, or LENGTH is not a multiple of 2M");
	measure(&work);
	return 0;
}
