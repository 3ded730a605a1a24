# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Devices that are taken from their driver below a mount, and given back. A case
# that fails may leave one without it: the next one's mkfs binds it again.

fsdev=/sys/bus/dax/drivers/fsdev_dax

take()
{
	echo "${1##*/}" >"$fsdev/unbind"
}

# Nobody has the node open: else this would be refused.
give_back()
{
	echo "${1##*/}" >"$fsdev/bind"
}

# A file on either device, and one on both.
make_files()
{
	random_file "$work/src" 5000001
	famfs cp -D 0 "$work/src" "$mnt/on-0"
	famfs cp -D 1 "$work/src" "$mnt/on-1"
	famfs cp -i -c 64K "$work/src" "$mnt/strips"
}

all_work()
{
	local file

	for file in "$mnt"/{on-0,on-1,strips}; do
		cmp "$work/src" "$file" || return
	done
}

# In the background: holds a file mapped, and at the end finds it as it was.
hold()
{
	rm -f "$work/hold"
	mkfifo "$work/hold"
	mapio hold "$1" <"$work/hold" >"$work/held" &
	holder=$!
	exec {hold}>"$work/hold"
	until grep -q ready "$work/held"; do sleep 0.1; done
}

held()
{
	exec {hold}>&-
	wait "$holder"
}

t_files_fail_without_their_device_and_others_work()
{
	make_files
	take "$dev2"
	refuses "Input/output error" cmp "$work/src" "$mnt/on-1"
	refuses "Input/output error" cmp "$work/src" "$mnt/strips"
	cmp "$work/src" "$mnt/on-0"
	famfs cp -D 0 "$work/src" "$mnt/new-0"
	cmp "$work/src" "$mnt/new-0"
	unmount
	give_back "$dev2"
}

t_files_work_again_when_their_device_is_back()
{
	make_files
	take "$dev2"
	refuses "Input/output error" cmp "$work/src" "$mnt/on-1"
	give_back "$dev2"
	all_work
}

t_files_work_again_when_the_primary_is_back()
{
	local hold holder

	make_files
	hold "$mnt/on-0"
	take "$dev"
	refuses "Input/output error" cmp "$work/src" "$mnt/on-0"
	give_back "$dev"
	all_work
	held
	famfs cp -D 0 "$work/src" "$mnt/new-0"
	cmp "$work/src" "$mnt/new-0"
	unmount
	mount_famfs
	all_work
	cmp "$work/src" "$mnt/new-0"
}

t_mappings_get_a_signal_and_work_again_when_they_are_made_anew()
{
	local hold holder

	make_files
	hold "$mnt/strips"
	take "$dev2"
	fails held
	give_back "$dev2"
	hold "$mnt/strips"
	held
}

t_nothing_is_made_while_the_primary_is_away()
{
	take "$dev"
	refuses "$dev" famfs creat -s 2M "$mnt/f"
	[[ ! -e $mnt/f ]]
	give_back "$dev"
	famfs creat -s 2M "$mnt/f"
	unmount
	mount_famfs
	[[ $(stat -c %s "$mnt/f") == $((2 << 20)) ]]
}

t_it_is_still_mounted_for_mkfs_while_a_device_is_away()
{
	take "$dev"
	give_back "$dev"
	refuses "is mounted on this host" mkfs.famfs -f "$dev"
	refuses "mounted on this host already" \
		mount -t fuse.famfs "$dev" "$mnt2"
}

t_daxctl_switches_modes_below_a_mount()
{
	make_files
	daxctl reconfigure-device -m devdax "${dev2##*/}"
	refuses "Input/output error" cmp "$work/src" "$mnt/on-1"
	daxctl reconfigure-device -m famfs "${dev2##*/}"
	all_work
	daxctl reconfigure-device -m devdax "${dev##*/}"
	refuses "Input/output error" cmp "$work/src" "$mnt/on-0"
	daxctl reconfigure-device -m famfs "${dev##*/}"
	all_work
}

# What another program has left there is not shown as the files that were there.
t_a_device_that_comes_back_with_other_content_is_refused()
{
	make_files
	take "$dev2"
	give_back "$dev2"
	head -c 4096 /dev/urandom | dd of="$dev2" bs=4096 conv=notrunc status=none
	refuses "Input/output error" cmp "$work/src" "$mnt/on-1"
	refuses "Input/output error" cmp "$work/src" "$mnt/strips"
	cmp "$work/src" "$mnt/on-0"
}

t_a_client_finds_new_files_after_the_primary_was_away()
{
	mount -t fuse.famfs -o client "$dev" "$mnt2"
	take "$dev"
	refuses "No such file" cat "$mnt2/new"
	give_back "$dev"
	random_file "$work/src" 100001
	famfs cp "$work/src" "$mnt/new"
	unmount
	cmp "$work/src" "$mnt2/new"
}

# They end by an error or by SIGBUS, and the unbinding does not wait for them.
t_fio_is_ended_by_the_removal()
{
	local engine pids=() pid

	famfs creat -s 16M -i -c 64K "$mnt/f"
	for engine in psync mmap libaio io_uring; do
		fio --name="$engine" --ioengine="$engine" --filename="$mnt/f" \
			--size=16M --bs=4k --rw=randrw --time_based --runtime=100 \
			--iodepth=4 --allow_file_create=0 --fallocate=none \
			>"$work/$engine" 2>&1 &
		pids+=($!)
	done
	sleep 3
	timeout 30 bash -c "echo ${dev2##*/} >$fsdev/unbind"
	for pid in "${pids[@]}"; do
		fails wait "$pid"
	done
	give_back "$dev2"
	fio --name=again --ioengine=mmap --filename="$mnt/f" --size=16M --bs=64k \
		--rw=write --verify=crc32c --do_verify=1 --allow_file_create=0 \
		--fallocate=none --verify_state_save=0
}
