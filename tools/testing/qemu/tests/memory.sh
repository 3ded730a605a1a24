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

# As large as they are aligned, and a block for their description.
alignments()
{
	in_machine --nvdimm "2G/1G:$tmp/1G" --nvdimm "64M/4K:$tmp/4K" -- bash -c "$PUT
		cat /run/famfs/devices /sys/bus/dax/devices/dax[01].0/align
		put /dev/dax0.0 12345 first; put /dev/dax1.0 12345 second"
	expect 'NVDIMMs of other alignments' "$(<"$tmp/out")" \
"/dev/dax0.0 $((1024 * M)) nvdimm 0 $((1024 * M))
/dev/dax1.0 $((62 * M)) nvdimm 1 $((2 * M))
$((1024 * M))
4096"
	file_has 'one of 1G is its file' "$tmp/1G" $((1024 * M + 12345)) first
	file_has 'one of 4K is its file' "$tmp/4K" $((2 * M + 12345)) second
	in_machine --nvdimm "64M:$tmp/4K" -- true
	expect 'a namespace of another alignment is refused' "$got" 125
	in_machine --nvdimm 64M --nvdimm 2G/1G -- true
	expect 'one of 1G behind a small one is refused' "$got" 125
}

# Several of each, and each must be found where the file named with it is.
beside_the_ram()
{
	in_machine --memmap "64M:$tmp/p0" --memmap "66M/4K:$tmp/p1" --hmem "128M:$tmp/h0" \
			--hmem "256M:$tmp/h1" -- bash -c "$PUT
		cut -d ' ' -f 2- /run/famfs/devices
		for dev in \$FAMFS_DAXDEVS; do put \$dev 12345 \$((++n)); done"
	expect 'memmap= and soft-reserved memory, two of each' "$(<"$tmp/out")" \
"$((62 * M)) memmap 0 $((2 * M))
$((64 * M)) memmap 1 $((2 * M))
$((128 * M)) hmem 0 0
$((256 * M)) hmem 1 0"
	file_has 'memmap= memory is its file' "$tmp/p0" $((2 * M + 12345)) 1
	file_has 'and so is the second' "$tmp/p1" $((2 * M + 12345)) 2
	file_has 'soft-reserved memory is its file' "$tmp/h0" 12345 3
	file_has 'and so is the second one' "$tmp/h1" 12345 4
}

# The seam of the two ranges is at a quarter: what follows lies a quarter further.
two_ranges()
{
	in_machine --hmem-cut "512M:$tmp/cut" -- bash -c "$PUT
		cut -d ' ' -f 2- /run/famfs/devices
		set -- \$FAMFS_DAXDEVS
		put \$1 $((128 * M - 4)) 'seam of' && put \$2 0 between"
	expect 'a device of two ranges, and one between' "$(<"$tmp/out")" \
"$((128 * M)) hmem-cut 0 0
$((256 * M)) hmem-cut 0 $((256 * M))
$((128 * M)) hmem-cut 0 $((128 * M))"
	file_has 'the end of the first range' "$tmp/cut" $((128 * M - 4)) seam
	file_has 'goes on in the second range' "$tmp/cut" $((256 * M)) ' of'
	file_has 'the other device lies between' "$tmp/cut" $((128 * M)) between
}

cxl_kinds()
{
	in_machine --cxl "256M:$tmp/v0" --cxl "256M:$tmp/v1" --cxl-pmem "256M:$tmp/pm" \
			--cxl-x2 512M -- bash -c "$PUT
		cut -d ' ' -f 2- /run/famfs/devices
		for dev in \$FAMFS_DAXDEVS; do put \$dev 12345 \$((++n)); done
		head -c 12346 \$dev | tail -c 1
		cxl list -R | grep -c '\"interleave_ways\":2'"
	expect 'CXL memory: volatile, persistent, interleaved' "$(<"$tmp/out")" \
"$((256 * M)) cxl 0 0
$((256 * M)) cxl 1 0
$((254 * M)) cxl-pmem 0 $((2 * M))
$((512 * M)) cxl-x2 0 -
41"
	file_has 'the first is its file' "$tmp/v0" 12345 1
	file_has 'the second is its file' "$tmp/v1" 12345 2
	file_has 'the persistent one is its file' "$tmp/pm" $((2 * M + 12345)) 3
	in_machine --cxl-x2 "512M:$tmp/x2" -- true
	expect 'interleaved memory has no file' "$got" 125
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
alignments
beside_the_ram
two_ranges
cxl_kinds
other_modes
by_daxctl
tap_done
