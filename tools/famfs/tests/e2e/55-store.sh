# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Maps that the daemon gives the kernel unasked, devices that it hands over, and
# what happens where the kernel refuses either.

# mount_talking OPTION [VARIABLE=ERRNO...]: a daemon that says to $work/daemon
# what it does; with a variable on a kernel that refuses, see refuse.c.
mount_talking()
{
	local option=$1 refusal=()

	shift
	((! $#)) || refusal=("LD_PRELOAD=$(dirname "$(command -v mapio)")/refuse.so" "$@")
	env "${refusal[@]}" mount.fuse.famfs -d -o "$option" "$dev" "$mnt" \
		>"$work/daemon" 2>&1 &
	until is_mounted "$mnt"; do
		kill -0 $!
		sleep 0.1
	done
}

# How often the daemon said what this pattern matches.
said()
{
	grep -cE -- "$1" "$work/daemon" || true
}

stores()
{
	said "NOTIFY_STORE_FMAP.*: $1\$"
}

# Makes the kernel forget what nobody has open; it spares what was used lately.
drop_inodes()
{
	local before i

	before=$(said FORGET)
	for ((i = 0; i < 5; i++)); do
		echo 2 >/proc/sys/vm/drop_caches
		sleep 0.1
	done
	(($(said FORGET) > before))
}

# A file of each layout, unmounted: no kernel has an inode of them.
make_files()
{
	random_file "$work/src" 3000001
	famfs cp "$work/src" "$mnt/plain"
	famfs cp -i -c 64K "$work/src" "$mnt/strips"
	famfs creat -s 0 "$mnt/empty"
	unmount
}

# A mapping stays open from here to let_go.
hold()
{
	mkfifo "$work/in"
	mapio hold "$1" <"$work/in" >"$work/out" &
	exec 9>"$work/in"
	until grep -q ready "$work/out"; do sleep 0.1; done
}

let_go()
{
	exec 9>&-
	wait $!
	grep -q same "$work/out"
}

# Of this kind, since the mount.
asked()
{
	famfs stats "$mnt" | awk -v kind="$1" '$1 == kind { n = $2 } END { print n + 0 }'
}

t_an_open_costs_no_question_with_store()
{
	make_files
	mount_famfs -o store
	cmp "$work/src" "$mnt/plain"
	cmp "$work/src" "$mnt/strips"
	cmp /dev/null "$mnt/empty"
	cmp -n 4096 "$mnt/.meta/.superblock" "$dev"
	[[ $(head -c 8 "$mnt/.meta/.log" | sha256sum) == \
		$(device_bytes "$dev" 0x200000 8 | sha256sum) ]]
	[[ $(asked OPEN) == 5 && $(asked GET_FMAP) == 0 && $(asked GET_DAXDEV) == 0 ]]
}

t_an_open_costs_one_question_with_no_store()
{
	local file

	make_files
	mount_famfs -o no_store
	for file in plain strips empty; do
		[[ $(requests GET_FMAP cat "$mnt/$file") == 1 ]]
		[[ $(requests GET_FMAP cat "$mnt/$file") == 0 ]]
	done
	cmp "$work/src" "$mnt/plain"
	cmp "$work/src" "$mnt/strips"
	[[ $(asked GET_DAXDEV) == 0 ]]
}

t_what_is_written_to_a_stored_file_stays()
{
	make_files
	mount_famfs -o store
	random_file "$work/new" 3000001
	dd if="$work/new" of="$mnt/plain" bs=1M conv=notrunc status=none
	mapio put "$mnt/strips" 0 <"$work/new"
	[[ $(asked GET_FMAP) == 0 ]]
	unmount
	mount_famfs -o no_store
	cmp "$work/new" "$mnt/plain"
	cmp "$work/new" "$mnt/strips"
}

t_a_file_is_stored_once_while_the_kernel_has_it()
{
	local i pids=()

	make_files
	mount_talking store
	for i in {1..8}; do
		cmp "$work/src" "$mnt/plain" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	hold "$mnt/plain"
	echo 2 >/proc/sys/vm/drop_caches
	cmp "$work/src" "$mnt/plain"
	let_go
	[[ $(said STORE_FMAP) == 1 && $(stores taken) == 1 ]]
	[[ $(asked GET_FMAP) == 0 ]]
}

t_a_file_is_stored_again_when_the_kernel_has_forgotten_it()
{
	make_files
	mount_talking store
	cmp "$work/src" "$mnt/plain"
	drop_inodes
	cmp "$work/src" "$mnt/plain"
	ls -l "$mnt" >/dev/null		# by READDIRPLUS it is looked up as well
	drop_inodes
	cmp "$work/src" "$mnt/plain"
	[[ $(stores taken) == 3 && $(asked GET_FMAP) == 0 ]]
}

t_a_client_stores_new_files()
{
	mount.fuse.famfs -o client,store "$dev" "$mnt2"
	[[ ! -e $mnt2/new ]]
	random_file "$work/src" 3000001
	famfs creat -i -s 3000001 "$mnt/new"
	mapio put "$mnt/new" 0 <"$work/src"
	unmount				# another mount can have the memory
	cmp "$work/src" "$mnt2/new"
	famfs stats "$mnt2" >"$work/all"
	grep -q '^OPEN ' "$work/all"
	! grep -E '^GET_(FMAP|DAXDEV) ' "$work/all"
}

t_memory_that_another_mount_has_is_refused()
{
	make_files
	mount.fuse.famfs -o client "$dev" "$mnt2"
	exec 8<"$mnt2/plain"
	mount_talking store 8<&-
	refuses 'Device or resource busy' cat "$mnt/plain" 8<&-
	[[ $(stores 'Device or resource busy') == 1 ]]
	exec 8<&-
	unmount "$mnt2"
	cmp "$work/src" "$mnt/plain"
	cmp "$work/src" "$mnt/strips"
	[[ $(stores taken) == 1 ]]
}

t_an_older_kernel_is_asked_once_whether_it_stores()
{
	make_files
	mount_talking store REFUSE_STORE=22 REFUSE_DAXDEV=25
	cmp "$work/src" "$mnt/plain"
	cmp "$work/src" "$mnt/strips"
	cmp "$work/src" "$mnt/strips"
	[[ $(said STORE_FMAP) == 1 && $(stores 'Invalid argument') == 1 ]]
	[[ $(asked GET_FMAP) == 2 && $(asked GET_DAXDEV) == 2 ]]
}

t_devices_that_cannot_be_handed_over_are_asked_for()
{
	make_files
	mount_talking store REFUSE_DAXDEV=95
	[[ $(said 'DAXDEV_OPEN.*: Operation not supported') == 2 ]]
	cmp "$work/src" "$mnt/strips"
	[[ $(stores 'No such device') == 1 ]]
	[[ $(asked GET_FMAP) == 1 && $(asked GET_DAXDEV) == 2 ]]
	# From now on they are known, and maps are taken.
	cmp "$work/src" "$mnt/plain"
	[[ $(stores taken) == 1 && $(asked GET_FMAP) == 1 ]]
}
