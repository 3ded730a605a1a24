# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

sqlite_queries="
	PRAGMA integrity_check;
	SELECT count(*), sum(length(text)), min(name), max(name) FROM thing;
	SELECT name FROM thing WHERE text LIKE '%ABC%' ORDER BY name;
	SELECT id, name, text FROM thing WHERE id % 50 = 7;"

make_sqlite()
{
	sqlite3 "$1" "
		CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, text TEXT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 8000)
			INSERT INTO thing SELECT i, hex(randomblob(8)), hex(randomblob(70))
			FROM n;
		CREATE INDEX by_name ON thing(name);"
}

# The mapping is asked for, and used: sqlite3 says how long it may be.
ask_sqlite()
{
	sqlite3 -cmd 'PRAGMA mmap_size=268435456' "file:$1?immutable=1" \
		"$sqlite_queries"
}

t_sqlite_reads_what_it_wrote()
{
	make_sqlite "$work/db"
	famfs cp "$work/db" "$mnt/db"
	ask_sqlite "$work/db" >"$work/want"
	ask_sqlite "$mnt/db" | cmp - "$work/want"
	grep -qx ok "$work/want"
	(($(wc -l <"$work/want") > 160))
}

t_sqlite_asks_the_daemon_nothing()
{
	make_sqlite "$work/db"
	famfs cp "$work/db" "$mnt/db"
	ask_sqlite "$work/db" >"$work/want"

	mkfifo "$work/in"
	sqlite3 "file:$mnt/db?immutable=1" <"$work/in" >"$work/out" &
	exec 9>"$work/in"
	echo "PRAGMA mmap_size=268435456; SELECT 'o'||'pen' FROM sqlite_schema;" >&9
	until grep -q open "$work/out"; do sleep 0.1; done

	printf '%s\n.print done\n' "$sqlite_queries" >"$work/queries"
	[[ $(requests any bash -c "cat '$work/queries' >&9
		until grep -qx done '$work/out'; do sleep 0.1; done") == 0 ]]
	exec 9>&-
	wait $!
	sed '/^open$/d; /^done$/d' "$work/out" | cmp - "$work/want"
}

# make_lmdb DIR ENTRIES
make_lmdb()
{
	mkdir "$1"
	{
		printf '%s\n' VERSION=3 format=print type=btree mapsize=16777216 \
			maxreaders=8 HEADER=END
		awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++)
			printf " key%07d\n value %d of %d, %s\n", i, i * 7919 % n, n,
				"and what else there is to say about this one" }'
		echo DATA=END
	} | mdb_load "$1"
}

put_lmdb()
{
	famfs mkdir "$2"
	famfs cp "$1/data.mdb" "$2/data.mdb"
}

same_lmdb()
{
	mdb_dump -a "$1" | cmp - <(mdb_dump -a "$2")
	mdb_stat -a "$1" | cmp - <(mdb_stat -a "$2")
}

# Where no file can be made LMDB does without its lock file.
t_lmdb_reads_on_a_read_only_mount()
{
	make_lmdb "$work/db" 10000
	put_lmdb "$work/db" "$mnt/db"
	unmount
	mount_famfs -o ro
	same_lmdb "$mnt/db" "$work/db"
	(($(mdb_dump "$mnt/db" | wc -l) > 20000))
}

# The lock file holds mutexes and a table of readers, mapped and shared.
t_lmdb_reads_beside_its_lock_file()
{
	make_lmdb "$work/db" 10000
	put_lmdb "$work/db" "$mnt/db"
	famfs creat -s 8K "$mnt/db/lock.mdb"
	same_lmdb "$mnt/db" "$work/db"
}

# Opening it is all that the daemon sees, however much is read. What the first
# user of a device causes has happened before.
t_lmdb_asks_the_daemon_nothing()
{
	local few

	make_lmdb "$work/few" 1
	make_lmdb "$work/many" 10000
	put_lmdb "$work/few" "$mnt/few"
	put_lmdb "$work/many" "$mnt/many"
	famfs creat -s 4M -i -c 64K "$mnt/both-devices"
	unmount
	mount_famfs -o ro
	cat "$mnt/both-devices" >/dev/null
	few=$(requests any mdb_dump "$mnt/few")
	((few > 0))
	[[ $(requests any mdb_dump "$mnt/many") == "$few" ]]
	[[ $(requests READ mdb_dump "$mnt/many") == 0 ]]
}
