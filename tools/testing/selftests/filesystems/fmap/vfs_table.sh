#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vfs_table.sh [WORD]...: prints how each operation on a file ends on XFS with
# dax=always, and on a file with a map: name, tab, XFS, tab, map. With WORDs only
# the operations whose names have one of them.
#
# It wants root, and in FAMFS_DAXDEVS two DAX devices of NVDIMMs that may be
# overwritten. XFS gets the last one, of 400 MiB or more, which is made a namespace
# for file systems by ndctl; files with maps lie on the first.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
nodes=()
pmem=
loop=

fail()
{
	printf 'vfs_table: %s\n' "$*" >&2
	exit 1
}

clean_up()
{
	mountpoint -q "$work/xfs" && umount "$work/xfs"
	mountpoint -q "$work/disk" && umount "$work/disk"
	[[ ! $loop ]] || losetup -d "$loop"
	rm -rf "$work"
}

# The device disappears, and a block device takes its place.
make_pmem()
{
	local name=${1##*/} namespace

	namespace=$(readlink -f "/sys/bus/dax/devices/$name/..")
	namespace=namespace${namespace##*/dax}
	[[ -e /sys/bus/nd/devices/${namespace%.*}.0 ]] ||
		fail "$1 is not one of an NVDIMM"
	namespace=${namespace%.*}.0
	[[ ! -e /sys/bus/dax/devices/$name/driver ]] ||
		echo "$name" >"/sys/bus/dax/devices/$name/driver/unbind"
	ndctl create-namespace -f -e "$namespace" -m fsdax -M mem >"$work/ndctl"
	pmem=/dev/$(sed -n 's/.*"blockdev":"\(.*\)".*/\1/p' "$work/ndctl")
	[[ -b $pmem ]] || fail "ndctl made no block device: $(<"$work/ndctl")"
}

# Such that files can be mapped by 2 MiB
make_xfs()
{
	mkdir "$work/xfs"
	mkfs.xfs -q -f -m reflink=0 -d su=2m,sw=1,agcount=2 "$pmem" >&2
	mount -t xfs -o dax=always "$pmem" "$work/xfs"
	xfs_io -c "extsize 2m" "$work/xfs"
	export XFS_FILE=$work/xfs/file
}

# Something that pages are written to by direct I/O. mount -o loop would have the
# device open for writing while it mounts it, which not every kernel allows.
make_disk()
{
	mkdir "$work/disk"
	truncate -s 16M "$work/image"
	mkfs.ext2 -q "$work/image"
	loop=$(losetup --find --show "$work/image")
	mount -t ext2 "$loop" "$work/disk"
}

read -r -a nodes <<<"${FAMFS_DAXDEVS:-}" || true
[[ ${#nodes[@]} -ge 2 ]] || fail "set FAMFS_DAXDEVS, as to '/dev/dax0.0 /dev/dax1.0'"
trap clean_up EXIT

make_disk
make_pmem "${nodes[-1]}"
make_xfs
# MADV_HWPOISON comes last, and the memory is bad afterwards
"$here/vfs_ops" "$XFS_FILE" "$work/disk" "$@" >"$work/xfs.txt"
export FAMFS_DAXDEVS=${nodes[0]}
# shellcheck disable=SC2016 # vfs_serve sets the variable
"$here/vfs_serve" bash -c '"$0" "$VFS_FILE" "$@"' "$here/vfs_ops" "$work/disk" "$@" \
	>"$work/map.txt"
join -t $'\t' -a 1 -a 2 -e - -o 0,1.2,2.2 \
	<(grep -v '^#' "$work/xfs.txt" | sort) <(grep -v '^#' "$work/map.txt" | sort)
