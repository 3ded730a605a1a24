# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with bench, which sources this
#
# What is measured: a file on each file system that could be used instead of famfs,
# and a device without one. They want the devices that "bench" gives the machine:
# $FAMFS_DAXDEVS are for famfs, for the kinds of FUSE (of 9 GB), for device DAX by
# 2 MiB, for device DAX by 4 KiB, and for XFS.

read -r famfs_dev kinds_dev large_dev small_dev xfs_dev <<<"$FAMFS_DAXDEVS"
selftests=/build/$BASE-selftests/install/filesystems/fmap
top=/tmp/bench

dax_driver()
{
	local name=${1##*/} bus=/sys/bus/dax

	echo "$name" >"$bus/devices/$name/driver/unbind"
	echo "$name" >"$bus/drivers/fsdev_dax/remove_id"
	echo "$name" >"$bus/drivers/$2/new_id"
}

# XFS has no part of a file mapped by 4 KiB because it lies badly, and zeroes all
# of it before it is measured, which would else be a part of the first faults.
make_xfs()
{
	local name=${xfs_dev##*/} namespace

	namespace=$(readlink -f "/sys/bus/dax/devices/$name/..")
	namespace=namespace${namespace##*/dax}
	echo "$name" >"/sys/bus/dax/devices/$name/driver/unbind"
	ndctl create-namespace -f -e "${namespace%.*}.0" -m fsdax -M mem >"$top/ndctl"
	xfs_block=/dev/$(sed -n 's/.*"blockdev":"\(.*\)".*/\1/p' "$top/ndctl")
	mkfs.xfs -q -f -m reflink=0 -d su=2m,sw=1,agcount=2 "$xfs_block"
	mount_xfs
	xfs_io -c "extsize 2m" "$top/xfs"
	dd if=/dev/zero of="$top/xfs/file" bs=4M count="$((mib / 4))" status=none
}

mount_xfs()
{
	mount -t xfs -o dax=always "$xfs_block" "$top/xfs"
}

# Another one of 4 GiB, where there is room for it
make_xfs_large()
{
	dd if=/dev/zero of="$top/xfs/large" bs=4M count=1024 status=none
	remount xfs
}

make_tmpfs()
{
	local huge=$1

	mount -t tmpfs -o "huge=$huge" tmpfs "$top/tmpfs-$huge"
	dd if=/dev/zero of="$top/tmpfs-$huge/file" bs=4M count="$((mib / 4))" status=none
}

make_famfs()
{
	mkfs.famfs "$famfs_dev" >/dev/null
	mount_famfs
	famfs creat -s "${mib}M" "$top/famfs/file"
	dd if=/dev/zero of="$top/famfs/file" bs=4M count="$((mib / 4))" conv=notrunc status=none
}

# On the device that is not in use yet
make_famfs_large()
{
	mkfs.famfs "$kinds_dev" >/dev/null
	mount.fuse.famfs "$kinds_dev" "$top/famfs-large"
	famfs creat -s 4G "$top/famfs-large/large"
}

mount_famfs()
{
	mount.fuse.famfs "$famfs_dev" "$top/famfs"
}

# A mount whose daemon still ends holds the log.
remount()
{
	local i

	umount "$top/$1"
	for ((i = 0; i < 100; i++)); do
		"mount_$1" 2>/dev/null && return
		sleep 0.1
	done
	"mount_$1"
}

# Files that are only opened
make_small()
{
	local fs i

	for i in {1..64}; do
		famfs creat -s 4K "$top/famfs/small-$i"
		for fs in xfs tmpfs-never tmpfs-always; do
			dd if=/dev/zero of="$top/$fs/small-$i" bs=4K count=1 status=none
		done
	done
}

# Files of mib MiB, as new as after a boot
make_subjects()
{
	mkdir -p "$top"/{famfs,famfs-large,xfs,tmpfs-never,tmpfs-always}
	dax_driver "$large_dev" device_dax
	dax_driver "$small_dev" device_dax
	make_famfs
	make_xfs
	make_tmpfs never
	make_tmpfs always
	remount famfs
	remount xfs
}
