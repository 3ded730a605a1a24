# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_the_mount_shows_its_device_and_belongs_to_root()
{
	findmnt -no SOURCE,FSTYPE,OPTIONS "$mnt" | tee "$work/m"
	grep -qE "^$dev +fuse.famfs +" "$work/m"
	grep -q 'user_id=0' "$work/m"
	grep -q 'allow_other' "$work/m"
	[[ $(daemons "$mnt" | wc -l) == 1 ]]
}

t_umount_ends_the_daemon()
{
	local pid

	pid=$(daemons "$mnt")
	umount "$mnt"
	no_daemon "$mnt"
	[[ $pid && ! -d /proc/$pid ]]
}

t_fusermount_ends_the_daemon()
{
	fusermount3 -u "$mnt"
	no_daemon "$mnt"
}

t_a_signal_ends_the_daemon_and_the_mount()
{
	kill "$(daemons "$mnt")"
	no_daemon "$mnt"
	! is_mounted "$mnt"
}

t_what_was_made_is_there_after_a_remount()
{
	famfs mkdir -p "$mnt/a/b"
	famfs creat -s 5M "$mnt/a/b/file"
	random_file "$work/src" 3000001
	famfs cp "$work/src" "$mnt/a/copy"
	(cd "$mnt" && find . -printf '%i %m %s %p\n' | sort) >"$work/before"
	unmount
	mount_famfs
	(cd "$mnt" && find . -printf '%i %m %s %p\n' | sort) | diff "$work/before" -
	cmp "$work/src" "$mnt/a/copy"
}

t_it_can_be_mounted_again_and_again()
{
	local i

	for i in {1..10}; do
		unmount
		mount_famfs
		famfs creat -s 4K "$mnt/f$i"
	done
	[[ $(find "$mnt" -name 'f*' | wc -l) == 10 ]]
}

t_a_second_mount_is_refused_with_the_way_out()
{
	refuses "mounted on this host already" \
		mount -t fuse.famfs "$dev" "$mnt2"
	! is_mounted "$mnt2"
}

t_a_device_in_devdax_mode_is_bound_by_mount()
{
	local name=${dev##*/}

	unmount
	to_devdax "$name"
	mount_famfs
	readlink "/sys/bus/dax/devices/$name/driver" | grep -q fsdev_dax
}

t_nobind_says_which_command_to_type()
{
	unmount
	to_devdax "${dev##*/}"
	refuses "daxctl reconfigure-device -m famfs ${dev##*/}" \
		mount -t fuse.famfs -o nobind "$dev" "$mnt"
	mount_famfs
}

t_a_secondary_device_in_devdax_mode_is_found_and_bound()
{
	unmount
	to_devdax "${dev2##*/}"
	mount_famfs
	readlink "/sys/bus/dax/devices/${dev2##*/}/driver" | grep -q fsdev_dax
}

t_a_secondary_device_cannot_be_mounted()
{
	refuses "name its primary" mount -t fuse.famfs "$dev2" "$mnt2"
}

t_a_missing_device_is_named_by_its_uuid()
{
	unmount
	head -c 4096 /dev/zero | dd of="$dev2" bs=4096 status=none
	refuses "is not among this host's DAX devices" \
		mount -t fuse.famfs "$dev" "$mnt"
}

t_wrong_devices_are_refused_with_a_reason()
{
	unmount
	head -c 4096 /dev/zero | dd of="$dev" bs=4096 status=none
	refuses "no famfs here" mount -t fuse.famfs "$dev" "$mnt"
	refuses "is not a DAX device" mount.fuse.famfs /dev/null "$mnt"
	truncate -s 64M "$work/image"
	mkfs.famfs "$work/image"
	refuses "is an image" mount.fuse.famfs "$work/image" "$mnt"
}

t_a_broken_log_is_refused_with_its_entry()
{
	famfs creat -s 2M "$mnt/f"
	unmount
	# A byte of entry 1; entry 0 adds the second device.
	printf '\377' | dd of="$dev" bs=1 seek=$((0x200000 + 48 + 544 + 30)) \
		status=none conv=notrunc
	refuses "log entry 1: its checksum" mount -t fuse.famfs "$dev" "$mnt"
}

t_a_read_only_mount_makes_nothing()
{
	famfs creat -s 2M "$mnt/f"
	unmount
	mount_famfs -o ro
	refuses "this mount cannot make files" famfs creat -s 2M "$mnt/g"
	refuses "Read-only file system" mkdir "$mnt/d"
	refuses "Read-only file system" dd if=/dev/zero of="$mnt/f" conv=notrunc \
		count=1
	cat "$mnt/f" >/dev/null
}

to_devdax()
{
	echo "$1" >/sys/bus/dax/drivers/fsdev_dax/remove_id || true
	echo "$1" >/sys/bus/dax/drivers/fsdev_dax/unbind
	echo "$1" >/sys/bus/dax/drivers/device_dax/new_id ||
		echo "$1" >/sys/bus/dax/drivers/device_dax/bind
	readlink "/sys/bus/dax/devices/$1/driver" | grep -q device_dax
}
