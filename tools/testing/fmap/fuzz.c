// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzz target: any bytes as a GET_FMAP reply, asked for anywhere in a file, and
 * a slice of it, judged by the oracle
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

/**
 * struct fuzz_head - what stands in front of the message
 * @start: page of the file that was asked for; counts from the end of the
 *	   largest file if it is negative
 * @first: first page of a slice, modulo what there is
 * @pages: pages of the slice, likewise
 */
struct fuzz_head {
	s32 start;
	u32 first;
	u32 pages;
};

static u64 start_of(const struct fuzz_head *head)
{
	u64 at = (s64)head->start * (s64)PAGE_SIZE;

	return head->start < 0 ? MESSAGE_MOST + at : at;
}

/* The slice that the input asks for; the others are chosen by its length */
static void slice(const struct message *msg, const struct fuzz_head *head)
{
	struct fmap_message got;
	struct oracle oracle;
	u64 nr, first, pages;

	if (decode(msg, &got) || !got.piece)
		return;
	nr = (got.piece->end - got.piece->start) >> PAGE_SHIFT;
	first = head->first % nr;
	pages = 1 + head->pages % (nr - first);
	oracle_read(&oracle, msg->bytes, msg->len, msg->start);
	if (!check_slice(got.piece, &oracle,
			 got.piece->start + (first << PAGE_SHIFT),
			 got.piece->start + ((first + pages) << PAGE_SHIFT)))
		abort();
	oracle_free(&oracle);
	fmap_piece_free(got.piece);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len);

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	struct random random = { .state = len };
	struct fmap_message got;
	struct message msg = {};
	struct fuzz_head head;
	size_t room;

	/* The oracle compares all pairs of strips */
	if (len < sizeof(head) || len > 16384)
		return -1;
	memcpy(&head, bytes, sizeof(head));
	message_add(&msg, bytes + sizeof(head), len - sizeof(head));
	msg.start = start_of(&head);

	room = fmap_famfs_room(msg.bytes, msg.len);
	if (room && (room <= msg.len || !decode(&msg, &got)))
		abort();
	if (!check_message(&msg, &random))
		abort();
	slice(&msg, &head);
	message_free(&msg);
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
		struct fuzz_head head = { .first = i, .pages = 2 * i };
		struct message msg;
		char name[4096];
		FILE *file;

		message_random(&msg, &random);
		head.start = msg.start >> PAGE_SHIFT;
		snprintf(name, sizeof(name), "%s/valid-%02u", directory, i);
		file = fopen(name, "wb");
		if (!file || fwrite(&head, sizeof(head), 1, file) != 1 ||
		    fwrite(msg.bytes, msg.len, 1, file) != 1 ||
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
