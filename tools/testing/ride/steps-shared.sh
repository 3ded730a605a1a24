# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The steps of the ride that a second machine takes part in, and the last one.
#
# shellcheck disable=SC2154 # set by ride: here, data, memory, meet, log

step_second()
{
	local queries=/src/tools/testing/ride/queries.sql

	step "A second machine on the same memory"
	tell "It is given the same two files as its memory, while the first" \
		"goes on."
	boot second
	on second "mount -t fuse.famfs /dev/dax0.0 $MNT"
	shown 'second#' "sha256sum $MNT/kernel.db $MNT/names.mdb"
	ask second "sha256sum $MNT/kernel.db $MNT/names.mdb" >"$log/sums"
	result <"$log/sums"
	check_sums "$log/sums"
	ask second "$SQLITE <$queries" >"$log/sqlite.second"
	cmp -s "$log/sqlite.second" "$log/sqlite.wanted" ||
		fail "SQLite answers otherwise on the second machine:" "$log/sqlite.second"
	held "the second machine has the same files, checksum by checksum, and SQLite the same answers"
}

check_sums()
{
	local sum file

	while read -r sum file; do
		[[ $sum == "$(sha256sum <"$data/${file##*/}" | cut -d ' ' -f 1)" ]] ||
			fail "$file on the second machine differs from $data/${file##*/}"
	done <"$1"
}

# Has NAME wait, with the file mapped, until TEXT is in it.
expect()
{
	local name=$1 text=$2 flag=$meet/$1/mapped job

	rm -f "$flag"
	shown "$name#" "slate $MNT/slate expect '$text'"
	post "$name" "slate $MNT/slate expect '$text' /ride/$name/mapped"
	waiting[$name]=$job
	wait_for "$name" "$flag"
}

seen()
{
	local name=$1

	await "${waiting[$name]}" ||
		fail "The $name machine does not see it:" "${waiting[$name]}.out"
	printf '%s sees: %s\n' "$name" "$(<"${waiting[$name]}.out")" | result
}

step_write()
{
	local -A waiting
	local hello="greetings from the first machine" answer="and from the second"

	step "What one writes, the others see"
	tell "A new file, which all machines may write (-w, and mode 666). Each" \
		"maps it, and waits for the other's words to appear in its memory."
	on first "famfs creat -s 4K -w -m 666 $MNT/slate"
	expect second "$hello"
	on first "slate $MNT/slate say '$hello'"
	seen second
	expect first "$answer"
	on second "slate $MNT/slate say '$answer'"
	seen first
	held "what a machine stores in a mapped file the other sees in its own mapping, both ways"
	host_writes "this computer was here"
}

# Neither machine has a part in this: only the map says where to write.
host_writes()
{
	local text=$1

	tell "Now this computer writes, from outside, to where the map says."
	ask first "famfs map --json $MNT/slate" >"$log/slate.map"
	expect first "$text"
	expect second "$text"
	shown 'host$' "host-memory slate.map devices memory write '$text'"
	"$here/host-memory" "$log/slate.map" "$log/devices" "$memory" write "$text" | result
	seen first
	seen second
	held "both machines see what is written to the device's memory behind their backs"
}

# The daemon goes with its mount.
unmount_on()
{
	local name=$1

	on "$name" "umount $MNT"
	ask "$name" "! grep ' $MNT ' /proc/self/mounts" >/dev/null
	ask "$name" "for i in {1..50}; do pgrep -f mount.fuse.famf[s] >/dev/null || exit 0; sleep 0.1; done; exit 1"
}

step_unmount()
{
	local name

	step "Unmount"
	for name in second first; do
		unmount_on "$name"
	done
	for name in second first; do
		shut_down "$name" ||
			fail "The $name machine did not end well:" "$log/$name.machine"
	done
	held "both machines unmounted and ended without a warning from their kernels"
}
