// SPDX-License-Identifier: Apache-2.0
/*
 * Paths, names, and sizes as people write them.
 */
#include "size.h"
#include "sysfs.h"
#include "tap.h"
#include "tree.h"

static const char *const good_paths[] = {
	"a", "a/b", "...", ".a/..b", "a b\n", ".meta2",
};

static const char *const bad_paths[] = {
	"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "../a",
	"a/../b", "./a",
};

static void test_paths(void)
{
	char path[FAMFS_PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(good_paths) / sizeof(good_paths[0]); i++) {
		memset(path, 0, sizeof(path));
		strcpy(path, good_paths[i]);
		ok(!famfs_path_check(path, NULL), "good path %zu", i);
	}
	for (i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++) {
		memset(path, 0, sizeof(path));
		strcpy(path, bad_paths[i]);
		ok(famfs_path_check(path, NULL), "bad path '%s'", bad_paths[i]);
	}
	memset(path, 'a', sizeof(path));
	ok(famfs_path_check(path, NULL), "a path without an end");
	path[FAMFS_PATH_MAX - 1] = '\0';
	ok(!famfs_path_check(path, NULL), "the longest path");
}

static void test_long_names(void)
{
	struct famfs_node dir = { .kind = FAMFS_NODE_DIR, .mode = 0755 };
	char name[FAMFS_PATH_MAX + 1], path[FAMFS_PATH_MAX];
	struct famfs_node *root, *sub;
	struct famfs_tree t;

	ok(!famfs_tree_init(&t), "a tree");
	root = famfs_tree_get(&t, FAMFS_ROOT_INO);
	sub = famfs_tree_add(&t, &dir, root, "sub");
	memset(name, 'x', sizeof(name));
	name[FAMFS_PATH_MAX] = '\0';
	ok(famfs_tree_path(root, name, path) == -ENAMETOOLONG, "80 bytes are too many");
	name[FAMFS_PATH_MAX - 1] = '\0';
	ok(!famfs_tree_path(root, name, path) && !strcmp(path, name),
	   "79 are the most");
	ok(famfs_tree_path(sub, name, path) == -ENAMETOOLONG, "but not in a directory");
	name[75] = '\0';
	ok(!famfs_tree_path(sub, name, path) && strlen(path) == 79 &&
	   !strncmp(path, "sub/x", 5), "where 75 are the most");
	name[76] = '\0';
	ok(famfs_tree_path(sub, "", path) == -EINVAL &&
	   famfs_tree_path(sub, "..", path) == -EINVAL &&
	   famfs_tree_path(sub, "a/b", path) == -EINVAL, "no names at all");
	ok(!famfs_tree_lookup(&t, root, name) &&
	   famfs_tree_lookup(&t, root, "sub") == sub, "look-up");
	ok(!famfs_tree_get(&t, 0) && !famfs_tree_get(&t, 3) &&
	   famfs_tree_get(&t, 2) == sub, "by number");
	famfs_tree_fini(&t);
}

struct size {
	const char *text;
	int err;
	uint64_t value;
};

static const struct size sizes[] = {
	{ "0", 0, 0 }, { "1", 0, 1 }, { "4096", 0, 4096 },
	{ "0x1000", 0, 4096 }, { "1k", 0, 1024 }, { "2M", 0, 2 << 20 },
	{ "2MiB", 0, 2 << 20 }, { "2mb", 0, 2 << 20 }, { "3G", 0, 3UL << 30 },
	{ "16T", 0, 16UL << 40 }, { "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE, 0 }, { "16777216T", -ERANGE, 0 },
	{ "", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "M", -EINVAL, 0 },
	{ "1X", -EINVAL, 0 }, { "1Mx", -EINVAL, 0 }, { " 1", -EINVAL, 0 },
	{ "1M ", -EINVAL, 0 }, { "1.5M", -EINVAL, 0 },
};

static void test_sizes(void)
{
	char text[FAMFS_SIZE_TEXT];
	uint64_t v;
	size_t i;
	int err;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		err = famfs_size_parse(sizes[i].text, &v);
		ok(err == sizes[i].err && (err || v == sizes[i].value),
		   "size '%s'", sizes[i].text);
	}
	ok(!strcmp(famfs_size_text(1023, text), "1023"), "bytes");
	ok(!strcmp(famfs_size_text(2UL << 20, text), "2M"), "a round size");
	ok(!strcmp(famfs_size_text(1536UL << 20, text), "1.5G"), "a half");
	ok(!strcmp(famfs_size_text(UINT64_MAX, text), "16777215.9T"), "all bits");
}

static void test_device_names(void)
{
	ok(famfs_is_dax_name("dax0.0") && famfs_is_dax_name("dax12.34"),
	   "names of DAX devices");
	ok(!famfs_is_dax_name("dax0") && !famfs_is_dax_name("dax0.") &&
	   !famfs_is_dax_name("dax.0") && !famfs_is_dax_name("dax0.0/x") &&
	   !famfs_is_dax_name("pmem0") && !famfs_is_dax_name(""),
	   "no such names");
}

int main(void)
{
	test_paths();
	test_long_names();
	test_sizes();
	test_device_names();
	return done();
}
