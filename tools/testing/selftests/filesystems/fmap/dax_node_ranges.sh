#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs dax_node and seam on a device that consists of two ranges of memory, which
# it makes of the first device that FAMFS_DAXDEVS names: shrink it, let another
# device take the room behind it, and grow it again. That needs a device of soft-
# reserved or CXL memory (an NVDIMM's cannot be cut) that has 384 MiB or more, and
# root.
set -euo pipefail

UNIT=$((128 << 20))

fail()
{
	printf '1..1\nnot ok 1 two_ranges # %s\n' "$*"
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
read -r node _ <<<"${FAMFS_DAXDEVS:-}" || true
[[ $node ]] || fail "set FAMFS_DAXDEVS, for example to /dev/dax0.0"
name=${node##*/}
device=$(readlink -f "/sys/bus/dax/devices/$name")
region=$(dirname "$device")/dax_region
drivers=/sys/bus/dax/drivers
other=

resize()
{
	echo "$2" >"$(dirname "$device")/$1/size"
}

unbind()
{
	local driver=/sys/bus/dax/devices/$1/driver

	[[ ! -e $driver ]] || echo "$1" >"$driver/unbind"
}

# As it was: one range, which is all of the memory
restore()
{
	unbind "$name"
	resize "$name" 0
	if [[ $other ]]; then
		unbind "$other"
		echo "$other" >"$drivers/fsdev_dax/remove_id"
		resize "$other" 0
		echo "$other" >"$region/delete"
	fi
	resize "$name" "$size"
	echo "$name" >"$drivers/fsdev_dax/bind"
}

[[ -w $region/create ]] || fail "$name cannot be cut into ranges"
[[ $(basename "$(readlink -f "$device/driver")") == fsdev_dax ]] ||
	fail "bind $name to fsdev_dax first"
size=$(<"$device/size")
((size >= 3 * UNIT)) || fail "$name has only $size bytes"

unbind "$name"
trap restore EXIT
resize "$name" "$UNIT"
echo 1 >"$region/create"
other=$(<"$region/create")
resize "$other" "$UNIT"
resize "$name" $((2 * UNIT))
[[ -e $device/mapping1 ]] || fail "$name has still one range"
echo "$name" >"$drivers/fsdev_dax/bind"
echo "$other" >"$drivers/fsdev_dax/new_id"
status=0
FAMFS_DAXDEVS=$node "$here/dax_node" || status=$?
FAMFS_DAXDEVS="$node /dev/$other" "$here/seam" || status=$?
exit "$status"
