# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_mkfs_does_not_overwrite_a_famfs()
{
	unmount
	refuses "-f overwrites it" mkfs.famfs "$dev"
	refuses "-f overwrites it" mkfs.famfs "$dev2"
	mkfs.famfs --force "$dev"
}

t_mkfs_does_not_touch_a_mounted_famfs()
{
	refuses "is mounted on this host" mkfs.famfs -f "$dev"
	touch "$mnt"
	famfs creat -s 1M "$mnt/still-here"
}

t_a_dry_run_writes_nothing()
{
	unmount
	device_bytes "$dev" 0 4194304 | sha256sum >"$work/before"
	mkfs.famfs -f --dry-run -l 16M "$dev" "$dev2"
	device_bytes "$dev" 0 4194304 | sha256sum | cmp - "$work/before"
}

t_the_log_gets_the_length_that_is_asked_for()
{
	unmount
	refuses "power of two" mkfs.famfs -f -l 12M "$dev"
	mkfs.famfs -f --loglen 16M "$dev"
	mount_famfs
	[[ $(stat -c %s "$mnt/.meta/.log") == $((16 << 20)) ]]
}

t_a_device_cannot_be_named_twice()
{
	unmount
	refuses "named twice" mkfs.famfs -f "$dev" "$dev"
}

t_superblock_and_log_lie_where_the_format_says()
{
	unmount
	device_bytes "$dev" 0 8 | od -An -tx8 | grep -q 0000000087b282ff
	device_bytes "$dev" 0x200000 8 | od -An -tx8 | grep -q 00000badcafef00d
	device_bytes "$dev2" 104 4 | od -An -tu4 | grep -qw 2
}

t_the_host_gets_a_uuid()
{
	unmount
	rm -f "$host_id"
	mkfs.famfs -f "$dev"
	[[ $(cat "$host_id") =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]
	[[ $(stat -c %s "$host_id") == 36 ]]
}
