# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Modules that are loaded and unloaded, below a mount and without one. Not among the
# numbered files, as it wants a kernel that has them: tools/testing/guest/modules
# runs it.

fsdev=/sys/bus/dax/drivers/fsdev_dax

# A driver that is loaded has forgotten which devices it was to have, and a device that
# turns up is device_dax's.
load()
{
	local name sysfs

	modprobe -a "${@:-fsdev_dax}"
	for name in "${dev##*/}" "${dev2##*/}"; do
		sysfs=/sys/bus/dax/devices/$name
		until [[ -e $sysfs ]]; do sleep 0.1; done
		[[ ! $sysfs/driver -ef $fsdev ]] || continue
		[[ ! -e $sysfs/driver ]] || echo "$name" >"$sysfs/driver/unbind"
		echo "$name" >"$fsdev/new_id"
	done
}

make_files()
{
	random_file "$work/src" 2500001
	famfs cp -D 0 "$work/src" "$mnt/on-0"
	famfs cp -i -c 64K "$work/src" "$mnt/strips"
}

files_work()
{
	cmp "$work/src" "$mnt/on-0"
	cmp "$work/src" "$mnt/strips"
}

is_loaded()
{
	[[ -e /sys/module/$1 ]]
}

t_the_driver_goes_below_a_mount_and_its_files_come_back_with_it()
{
	make_files
	rmmod fsdev_dax
	fails is_loaded fsdev_dax
	refuses "Input/output error" cmp "$work/src" "$mnt/on-0"
	refuses "Input/output error" cmp "$work/src" "$mnt/strips"
	load
	files_work
}

t_the_driver_stays_while_a_node_is_open()
{
	local node

	make_files
	exec {node}<"$dev2"
	refuses "is in use" rmmod fsdev_dax
	files_work
	exec {node}<&-
	rmmod fsdev_dax
	load
}

t_a_mapping_gets_a_signal_when_the_driver_goes()
{
	local pid

	famfs creat -s 8M -i -c 64K "$mnt/f"
	fio --name=f --ioengine=mmap --filename="$mnt/f" --size=8M --bs=4k --rw=randrw \
		--time_based --runtime=100 --allow_file_create=0 --fallocate=none \
		>"$work/fio" 2>&1 &
	pid=$!
	sleep 3
	kill -0 "$pid"
	rmmod fsdev_dax
	fails wait "$pid"
	load
}

# Data on memory that stays is there after each of them, and so is what is new.
t_the_driver_loads_and_unloads_twenty_times()
{
	local i

	make_files
	unmount
	for ((i = 0; i < 20; i++)); do
		rmmod fsdev_dax
		load
		mount_famfs -o rw
		files_work
		((i == 0)) || grep -qx "$((i - 1))" "$mnt/new-$((i - 1))"
		echo "$i" >"$work/new"
		famfs cp "$work/new" "$mnt/new-$i"
		unmount
	done
}

# Whoever reads has the node, or does not get it.
t_the_driver_goes_while_its_nodes_are_read()
{
	local reader gone=0 i

	while :; do dd if="$dev" of=/dev/null bs=1M count=8 status=none || :; done 2>"$work/dd" &
	reader=$!
	for ((i = 0; i < 200 && gone < 5; i++)); do
		! rmmod fsdev_dax 2>>"$work/rmmod" || gone=$((gone + 1))
		load
	done
	kill "$reader"
	wait "$reader" || true
	((gone == 5))
	fails grep -v "is in use" "$work/rmmod"
}

t_the_memory_goes_below_a_mount_with_its_module()
{
	make_files
	rmmod fsdev_dax
	rmmod dax_pmem
	[[ ! -e /sys/bus/dax/devices/${dev##*/} ]]
	refuses "Input/output error" cmp "$work/src" "$mnt/on-0"
	load dax_pmem fsdev_dax
	files_work
}

t_the_memory_goes_while_its_driver_stays()
{
	make_files
	rmmod dax_pmem
	refuses "Input/output error" cmp "$work/src" "$mnt/strips"
	load dax_pmem
	files_work
}

t_daxctl_loads_the_driver()
{
	unmount
	rmmod fsdev_dax
	daxctl reconfigure-device -m famfs "${dev##*/}"
	daxctl reconfigure-device -m famfs "${dev2##*/}"
	is_loaded fsdev_dax
	mount_famfs
}

t_fuse_stays_while_it_is_mounted_and_can_go_then()
{
	local i

	make_files
	refuses "is in use" rmmod fuse
	files_work
	for ((i = 0; i < 5; i++)); do
		unmount
		rmmod fuse
		fails is_loaded fuse
		modprobe fuse
		mount_famfs
		files_work
	done
}
