# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The data set: what the kernel's own source holds, as an SQLite database (its
# text, and where each name is defined) and an LMDB database (name -> places).
# It is made once and kept.
#
#   make_data     makes $data/kernel.db, $data/names.mdb, and $data/names.txt,
#                 which is what names.mdb must say
#
# It sets $data.
#
# shellcheck disable=SC2154 # set by ride: here, checkout

# LMDB maps this much, whatever the size of its file.
LMDB_ROOM=$((256 << 20))

# The recipe and the source that it is applied to.
data_key()
{
	local source=$1

	{
		printf '%s\n' "$source"
		sed -n 1,5p "$source/Makefile"
		cat "$here/index-source" "$here/data.sh"
	} | sha256sum | cut -c 1-16
}

names()
{
	sqlite3 -readonly "$1" "SELECT name || ' ' || group_concat(path || ':' || line, ' ')
		FROM (SELECT name, path, line FROM symbol JOIN file ON file = id
			ORDER BY name, path, line)
		GROUP BY name ORDER BY name"
}

# In memory: mdb_load waits for the disk after every hundred entries.
load_names()
{
	local text=$1 to=$2 temp

	temp=$(mktemp -d /dev/shm/famfs-ride.XXXXXX)
	{
		printf '%s\n' VERSION=3 format=print type=btree "mapsize=$LMDB_ROOM" HEADER=END
		sed -e 's/^/ /' -e 's/\([^ ]\) /\1\n /' "$text"
		echo DATA=END
	} | mdb_load -n "$temp/names.mdb" && cp "$temp/names.mdb" "$to"
	rm -rf "$temp"
	[[ -s $to ]] || die "mdb_load made no database"
}

build_data()
{
	local source=$1 new=$data.new

	rm -rf "$FAMFS_CACHE"/ride/data-*
	mkdir -p "$new"
	say "data: making databases of the kernel's source (once)"
	"$here/index-source" "$source" "$new/kernel.db"
	names "$new/kernel.db" >"$new/names.txt"
	load_names "$new/names.txt" "$new/names.mdb"
	mv "$new" "$data"
}

make_data()
{
	local source

	source=$("$checkout/tools/series/series" fetch "$BASE")
	data=$FAMFS_CACHE/ride/data-$(data_key "$source")
	[[ -e $data ]] || build_data "$source"
}
