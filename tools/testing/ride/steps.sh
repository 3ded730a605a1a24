# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The steps of the ride that one machine takes alone.
# Each shows what is typed, checks what it claims, and ends the ride otherwise.
#
# shellcheck disable=SC2154 # set by ride: here, data, memory, meet, log

MNT=/mnt/famfs
SQLITE="sqlite3 -cmd 'PRAGMA mmap_size=1073741824' 'file:$MNT/kernel.db?immutable=1'"
LMDB="lmdb-lookup $MNT/names.mdb"

step_boot()
{
	step "Start a machine that has two devices of memory"
	tell "It is a virtual one, and runs the new kernel. Two files of this" \
		"computer are plugged into it as memory (NVDIMMs): memory that" \
		"stays, and that other machines can be given as well."
	boot first
	on first "uname -sr"
	on first "ls -l /dev/dax*"
	ask first "cat /run/famfs/devices" >"$log/devices"
	[[ $(wc -l <"$log/devices") -eq ${#DEVICES[@]} ]] ||
		fail "The machine should have ${#DEVICES[@]} devices, and has:" "$log/devices"
	held "the machine runs, with two DAX devices: memory to be used in place"
}

step_format()
{
	step "Make a file system in that memory, and mount it"
	on first "mkfs.famfs /dev/dax0.0 /dev/dax1.0"
	on first "mount -t fuse.famfs /dev/dax0.0 $MNT"
	tell "A daemon (mount.fuse.famfs) now answers for names and places. It" \
		"will never see a byte of the files themselves."
	on first "famfs info $MNT"
	held "one famfs lies over both devices, and is mounted"
}

step_copy()
{
	step "Copy real data in"
	tell "The kernel's source, made into two databases: kernel.db for SQLite" \
		"($(megabytes "$data/kernel.db") MB, its text and every definition) and names.mdb for LMDB" \
		"($(megabytes "$data/names.mdb") MB). The first is spread over both devices in turns of 2 MiB" \
		"(-i), the second lies in one piece on the second device (-D)."
	on first "famfs cp -i /data/kernel.db $MNT"
	on first "famfs cp -D dax1.0 /data/names.mdb $MNT"
	on first "famfs map $MNT/kernel.db $MNT/names.mdb"
	tell "Unmounted and mounted again, as nothing must depend on what the" \
		"kernel or the daemon remember:"
	on first "umount $MNT"
	on first "mount -t fuse.famfs /dev/dax0.0 $MNT"
	on first "ls -l $MNT"
	[[ $(ask first "cd $MNT && stat -c '%n %s' kernel.db names.mdb") == \
		$(cd "$data" && stat -c '%n %s' kernel.db names.mdb) ]] ||
		fail "The files have not the sizes of those that were copied."
	held "$(megabytes "$data"/kernel.db "$data"/names.mdb) MB of files are there, also after mounting again"
}

# Leaves in $log/TAG what the command said, asked for, and caused (see guest/watch),
# and the daemon's count of requests. (Exported, as its quotes must survive.)
observe()
{
	local tag=$1 command=$2 job

	shown 'first#' "$command"
	post first "observe() { watch /ride/first/$tag $command; }
		export -f observe
		famfs stats $MNT -- bash -c observe"
	await "$job" || fail "On the first machine this failed: $command" "$job.out"
	mv "$meet/first/$tag" "$log/$tag"
	cp "$job.out" "$log/$tag/requests"
}

step_sqlite()
{
	local queries=/src/tools/testing/ride/queries.sql

	step "Ask SQLite"
	tell "It is told to map the database instead of reading it (mmap_size)," \
		"and that nobody writes meanwhile (immutable)."
	observe sqlite "$SQLITE <$queries"
	tail -n +2 "$log/sqlite/answer" | result
	sqlite3 -cmd 'PRAGMA mmap_size=1073741824' "file:$data/kernel.db?immutable=1" \
		<"$here/queries.sql" >"$log/sqlite.wanted"
	cmp -s "$log/sqlite/answer" "$log/sqlite.wanted" ||
		fail "SQLite answers otherwise on the original: compare $log/sqlite/answer with" "$log/sqlite.wanted"
	held "SQLite on this computer says the same of the original"
	check_calls SQLite "$data/kernel.db"
}

step_lmdb()
{
	step "Ask LMDB"
	tell "It works on mapped files by design. Opened with MDB_RDONLY and" \
		"MDB_NOLOCK, as nobody writes. Where are two functions defined, and" \
		"what is in all of it?"
	observe lmdb "$LMDB"
	printf '(%d lines)\n' "$(wc -l <"$log/lmdb/answer")" | result
	on first "$LMDB dax_iomap_rw iomap_iter"
	cmp -s "$log/lmdb/answer" "$data/names.txt" ||
		fail "LMDB does not say what was put in: compare $log/lmdb/answer with $data/names.txt"
	held "LMDB gives back every name and place that was put in"
	check_calls LMDB "$data/names.mdb"
}

# A database that is used through its mapping is hardly read: its head, at most.
check_calls()
{
	local name=$1 tag=${1,,} reads bytes mapped size

	reads=$(sed -n 's/^reads //p' "$log/$tag/calls")
	bytes=$(sed -n 's/^bytes //p' "$log/$tag/calls")
	mapped=$(sed -n 's/^mapped //p' "$log/$tag/calls")
	size=$(stat -c %s "$2")
	((mapped >= size)) || fail "$name mapped $mapped of $size bytes only."
	((bytes <= 65536)) || fail "$name read $bytes bytes by system calls, instead of through its mapping."
	held "$name mapped all of its file; to read it asked the kernel for $bytes bytes only ($reads calls)"
}

# What the requests mean, for who sees them for the first time.
meaning()
{
	case $1 in
	LOOKUP)		echo "what is this name?" ;;
	GETATTR)	echo "its size, owner, mode?" ;;
	OPEN)		echo "may it be opened?" ;;
	GET_FMAP)	echo "on which bytes of which devices does it lie?" ;;
	GET_DAXDEV)	echo "what is the name of this device?" ;;
	STATFS)		echo "what kind of file system is this?" ;;
	FLUSH|RELEASE)	echo "it is closed" ;;
	esac
}

print_order()
{
	local what a b

	while read -r what a b; do
		case $what in
		request)	printf '%-11s %s\n' "$a" "$(meaning "$a")" ;;
		map)		printf '%-11s %s\n' "(told)" "and it lies here: a map of $a $( ((a == 1)) && echo extent || echo extents)" ;;
		faults)		printf '%-11s %s\n' "(none)" "and $((a + b)) page faults: $a of 2 MiB, $b of 4 KiB" ;;
		esac
	done
}

# After the first page fault nothing but the close, and never one for data.
check_order()
{
	local tag=$1

	awk '
	/^faults/	{ used = 1; next }
	/^lost/ || / (READ|WRITE)$/ { bad = 1 }
	used && !/^request (RELEASE|FLUSH)$/ { bad = 1 }
	END		{ exit bad || !used }' "$log/$tag/order" ||
		fail "Requests were sent while $tag used its file, or no page fault was seen, or events were lost:" \
			"$log/$tag/order"
	! grep -Eq '^(READ|WRITE) ' "$log/$tag/requests" ||
		fail "The daemon was asked to read or write:" "$log/$tag/requests"
}

step_requests()
{
	local tag

	step "What did the daemon have to do for that?"
	tell "The kernel's own tracer watched. These requests it sent to the" \
		"daemon, in this order. Where the file lies the daemon tells with its" \
		"answer to the first open, unasked. (A page fault: a program touches what is" \
		"not mapped yet, and the kernel maps it. What is left at the end" \
		"of a file and fills no 2 MiB is mapped in pages of 4 KiB.)"
	for tag in sqlite lmdb; do
		printf '    %s\n' "$tag"
		print_order <"$log/$tag/order" | result
		check_order "$tag"
	done
	tell "And the daemon's own count, while SQLite ran:"
	result <"$log/sqlite/requests"
	held "using a file takes no request at all, from its first byte to its last: the kernel knows where they are"
}

step_bytes()
{
	local file

	step "The bytes of the files are the bytes of the devices"
	tell "This computer looks into the memory from outside. It has nothing" \
		"but the map, and puts the files together:"
	for file in kernel.db names.mdb; do
		ask first "famfs map --json $MNT/$file" >"$log/$file.map"
		shown 'host$' "host-memory $file.map devices memory compare $file"
		"$here/host-memory" "$log/$file.map" "$log/devices" "$memory" \
			compare "$data/$file" >"$log/compare" 2>&1 ||
			fail "$file is not in the memory where its map says:" "$log/compare"
		result <"$log/compare"
	done
	held "all bytes of both files are in the memory, where their maps say"
}

megabytes()
{
	cat "$@" | wc -c | awk '{ printf "%d", $1 / 1000000 }'
}
