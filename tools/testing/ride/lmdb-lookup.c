// SPDX-License-Identifier: Apache-2.0
/*
 * lmdb-lookup FILE [KEY...]: prints the values of KEYs, or all keys and values.
 *
 * The tools that come with LMDB want to write a lock file beside the database.
 * Nobody writes here, so none is needed: MDB_RDONLY and MDB_NOLOCK say so.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *what, int err)
{
	if (!err)
		return;
	fprintf(stderr, "lmdb-lookup: %s: %s\n", what, mdb_strerror(err));
	exit(1);
}

static void print(const MDB_val *key, const MDB_val *value)
{
	printf("%.*s %.*s\n", (int)key->mv_size, (const char *)key->mv_data,
	       (int)value->mv_size, (const char *)value->mv_data);
}

static void print_one(MDB_txn *txn, MDB_dbi dbi, char *name)
{
	MDB_val key = { strlen(name), name }, value;

	check(name, mdb_get(txn, dbi, &key, &value));
	print(&key, &value);
}

static void print_all(MDB_txn *txn, MDB_dbi dbi)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int err;

	check("cursor", mdb_cursor_open(txn, dbi, &cursor));
	while (!(err = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		print(&key, &value);
	if (err != MDB_NOTFOUND)
		check("walk", err);
	mdb_cursor_close(cursor);
}

int main(int argc, char **argv)
{
	const unsigned int flags = MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int i;

	if (argc < 2) {
		fputs("Usage: lmdb-lookup FILE [KEY...]\n", stderr);
		return 2;
	}
	check("environment", mdb_env_create(&env));
	check(argv[1], mdb_env_open(env, argv[1], flags, 0));
	check("transaction", mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
	check("database", mdb_dbi_open(txn, NULL, 0, &dbi));
	for (i = 2; i < argc; i++)
		print_one(txn, dbi, argv[i]);
	if (argc == 2)
		print_all(txn, dbi);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return fflush(stdout) || ferror(stdout);
}
