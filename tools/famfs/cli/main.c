// SPDX-License-Identifier: Apache-2.0
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&cmd_mkdir, &cmd_creat, &cmd_cp, &cmd_map, &cmd_info, &cmd_stats,
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *to)
{
	size_t i;

	fputs("Usage: famfs COMMAND [options] ...\n"
	      "Make and look at files on a mounted famfs.\n\n", to);
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name,
			commands[i]->what);
	fputs("\nfamfs COMMAND --help tells the options; famfs --version the version.\n",
	      to);
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") ||
			    !strcmp(argv[1], "-h"));
}

static bool asks_for_version(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--version") ||
			    !strcmp(argv[1], "-V"));
}

int main(int argc, char **argv)
{
	struct famfs_error e = { "" };
	const struct command *c;
	int status;

	if (asks_for_help(argc, argv)) {
		print_usage(stdout);
		return 0;
	}
	if (asks_for_version(argc, argv) ||
	    asks_for_version(argc - 1, argv + 1)) {
		puts("famfs " FAMFS_VERSION);
		return 0;
	}
	c = argc > 1 ? find(argv[1]) : NULL;
	if (!c) {
		if (argc > 1)
			fprintf(stderr, "famfs: '%s' is no command\n", argv[1]);
		print_usage(stderr);
		return 2;
	}
	if (asks_for_help(argc - 1, argv + 1)) {
		fputs(c->usage, stdout);
		return 0;
	}
	status = c->run(argc - 1, argv + 1, &e);
	if (e.text[0])
		fprintf(stderr, "famfs %s: %s\n", c->name, e.text);
	return status;
}
