// SPDX-License-Identifier: GPL-2.0
/* Programs that serve files for as long as a command runs */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fmap_command.h"

int fmap_command_complain(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));

	return FMAP_COMMAND_FAILED;
}

int fmap_command_run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		_exit(fmap_command_complain(command[0]));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fmap_command_complain("running the command");
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);

	return WEXITSTATUS(status);
}

uint64_t fmap_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);

	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}
