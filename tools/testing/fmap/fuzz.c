// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: any bytes as a GET_FMAP reply, judged by the oracle
 *
 * With clang's libFuzzer it is steered by coverage.  Without, the program
 * judges the files named on its command line, as it does in "make test" with
 * the corpus; "-o DIRECTORY" makes a corpus of valid messages.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	struct random random = { .state = len };
	struct fmap *map;
	size_t room;

	/* The oracle compares all pairs of strips */
	if (len > 16384)
		return -1;
	room = fmap_famfs_room(bytes, len);
	if (room && (room <= len || !fmap_famfs_decode(bytes, len, &map)))
		abort();
	if (!check_message(bytes, len, &random))
		abort();
	return 0;
}

#ifndef LIBFUZZER
static void judge(const char *name)
{
	struct message msg = {};
	u8 part[4096];
	size_t got;
	FILE *file = fopen(name, "rb");

	if (!file) {
		perror(name);
		exit(1);
	}
	while ((got = fread(part, 1, sizeof(part), file)))
		message_add(&msg, part, got);
	fclose(file);
	printf("# %s: %zu bytes\n", name, msg.len);
	LLVMFuzzerTestOneInput(msg.bytes, msg.len);
	message_free(&msg);
}

static void write_corpus(const char *directory)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct random random = { .state = i };
		struct message msg;
		char name[4096];
		FILE *file;

		message_random(&msg, &random);
		snprintf(name, sizeof(name), "%s/valid-%02u", directory, i);
		file = fopen(name, "wb");
		if (!file || fwrite(msg.bytes, msg.len, 1, file) != 1 ||
		    fclose(file)) {
			perror(name);
			exit(1);
		}
		message_free(&msg);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-o")) {
		write_corpus(argv[2]);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		judge(argv[i]);
	printf("1..1\nok 1 - corpus of %d messages is judged as by the oracle\n",
	       argc - 1);
	return argc < 2;
}
#endif /* LIBFUZZER */
