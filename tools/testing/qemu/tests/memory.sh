#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Emulated memory: the devices asked for are there, bound to the driver asked
# for, and their bytes are the bytes of the host's files that the table names.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"

M=$((1 << 20))

# put NODE OFFSET TEXT, for use inside the machine
# shellcheck disable=SC2016
PUT='put() { printf %s "$3" | dd of="$1" oflag=seek_bytes seek="$2" conv=notrunc status=none; }'

file_has()
{
	local name=$1 file=$2 offset=$3 text=$4

	expect "$name" "$(dd if="$file" iflag=skip_bytes,count_bytes skip="$offset" \
		count="${#text}" status=none | tr -d '\0')" "$text"
}

nvdimms()
{
	in_machine --nvdimm "64M:$tmp/a" --nvdimm "192M:$tmp/b" -- bash -c "$PUT
		cat /run/famfs/devices
		put /dev/dax0.0 0 first; put /dev/dax1.0 $((100 * M + 5)) second"
	expect 'two NVDIMMs have their sizes and places' "$(<"$tmp/out")" \
		"$(printf '/dev/dax%d.0 %d nvdimm %d %d\n' \
			0 $((62 * M)) 0 $((2 * M)) 1 $((190 * M)) 1 $((2 * M)))"
	file_has 'byte 0 of a device is where the table says' "$tmp/a" $((2 * M)) first
	file_has 'and so is byte 100 MiB + 5 of the other' "$tmp/b" $((102 * M + 5)) second
}

same_again()
{
	in_machine --nvdimm "64M:$tmp/a" -- head -c 5 /dev/dax0.0
	expect 'the bytes are there after another boot' "$(<"$tmp/out")" first
	head -c 64M /dev/urandom >"$tmp/odd"
	in_machine --nvdimm "64M:$tmp/odd" -- true
	expect 'a file of something else is refused' "$got" 125
	in_machine --nvdimm "128M:$tmp/a" -- true
	expect 'a file of another size is refused' "$got" 125
}

# The kernel's own tools must see the namespace as one of theirs.
as_ndctl_sees_it()
{
	in_machine --nvdimm 64M -- sh -c "ndctl list -N | tr -d ' \n'"
	expect 'ndctl finds a devdax namespace, map mem, align 2M' \
		"$(grep -oE '"(mode|map|size|align)":[^,}]*' "$tmp/out" | tr '\n' ' ')" \
		"\"mode\":\"devdax\" \"map\":\"mem\" \"size\":$((62 * M)) \"align\":$((2 * M)) "
}

every_kind()
{
	in_machine --nvdimm 64M --cxl "256M:$tmp/c" --hmem "128M:$tmp/h" -- bash -c "$PUT
		cut -d ' ' -f 2- /run/famfs/devices
		for dev in \$FAMFS_DAXDEVS; do
			readlink /sys/bus/dax/devices/\${dev#/dev/}/driver
			put \$dev 12345 \"of \$dev\"
		done | sed 's,.*/,,'
		echo \$FAMFS_DAXDEVS >&2"
	expect 'NVDIMM, CXL and soft-reserved memory side by side' "$(<"$tmp/out")" \
"$((62 * M)) nvdimm 0 $((2 * M))
$((256 * M)) cxl 0 0
$((128 * M)) hmem 0 0
fsdev_dax
fsdev_dax
fsdev_dax"
	read -r _ cxl hmem <"$tmp/err"
	file_has 'CXL memory is its file' "$tmp/c" 12345 "of $cxl"
	file_has 'soft-reserved memory is its file' "$tmp/h" 12345 "of $hmem"
}

other_modes()
{
	local driver='readlink -f /sys/bus/dax/devices/*/driver | sed s,.*/,,'

	in_machine --dax-mode devdax --nvdimm 64M --cxl 256M -- sh -c "$driver"
	expect '--dax-mode devdax' "$(<"$tmp/out")" $'device_dax\ndevice_dax'
	in_machine --dax-mode none --nvdimm 64M --cxl 256M -- sh -c "$driver | sort"
	expect '--dax-mode none leaves what the kernel does' "$(<"$tmp/out")" \
		$'device_dax\nkmem'
}

# What a user would type, with the packaged tool.
by_daxctl()
{
	# shellcheck disable=SC2016 # expanded in the machine
	in_machine --nvdimm 64M -- sh -c '
		for mode in devdax famfs; do
			daxctl reconfigure-device -m $mode dax0.0 >/dev/null || exit
			readlink /sys/bus/dax/devices/dax0.0/driver
		done | sed s,.*/,,'
	expect 'daxctl changes the mode, there and back' "$(<"$tmp/out")" \
		$'device_dax\nfsdev_dax'
}

nvdimms
same_again
as_ndctl_sees_it
every_kind
other_modes
by_daxctl
tap_done
