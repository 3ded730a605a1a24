# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with run, which sources this
#
# The memory of the machine: its RAM, and what becomes DAX devices in the guest,
# but for CXL (cxl.sh). A function add_KIND SPEC INDEX appends to qemu_args[] and
# machine[] (of -machine), and adds a line to backing[]:
#
#   KIND INDEX WHERE FILE     the device's memory is FILE, or - where it is no one
#                             file's. WHERE helps the guest to find it: its
#                             physical address, or the serial numbers of its CXL
#                             devices, or - where INDEX is enough

SHM=/dev/shm
nvdimms=0 nvdimm_bytes=0	# plugged in
nodes=0 node_bytes=0		# NUMA nodes beside the one of the RAM

to_bytes()
{
	numfmt --from=iec -- "${1%B}" 2>/dev/null ||
		die "'$1' is no size: say for example 512M or 2G"
}

# Prints the file of "SIZE[:FILE]", made or checked to be of that size. Without
# a name it lives in memory, in a folder that run removes.
backing_file()
{
	local spec=$1 name=$2 size file

	size=$(to_bytes "${spec%%:*}")
	file=$shm_dir/$name
	[[ $spec == *:* ]] && file=${spec#*:}
	[[ -e $file ]] || truncate -s "$size" "$file" ||
		die "cannot make $file of $size bytes"
	[[ $(stat -L -c %s "$file") -eq $size ]] ||
		die "$file exists with another size than ${spec%%:*}: remove it, or say its size"
	realpath "$file"
}

# The same for "SIZE[/ALIGN][:FILE]", formatted as a devdax namespace.
namespace_file()
{
	local spec=$1 name=$2 size align file

	size=${spec%%:*}
	align=2M
	[[ $size == */* ]] && align=${size#*/}
	[[ $align =~ ^(4K|2M|1G)$ ]] ||
		die "the alignment of $size is 4K, 2M or 1G, not '$align'"
	file=$(backing_file "${size%/*}${spec#"$size"}" "$name") || exit
	"$here/info-block" "$file" "$(to_bytes "$align")" || exit "$NO_SETUP"
	printf '%s' "$file"
}

# A value in a QEMU option: its commas are doubled.
quoted()
{
	printf '%s' "${1//,/,,}"
}

# QEMU plugs the first NVDIMM in at a multiple of 1 GiB, and each behind the one
# before. The kernel names region N after the handle N + 1, hence the explicit slot.
add_nvdimm()
{
	local spec=$1 i=$2 file size

	[[ ${spec%%:*} != */1G || $((nvdimm_bytes % (1 << 30))) -eq 0 ]] ||
		die "--nvdimm ${spec%%:*}: NVDIMMs aligned to 1G come first"
	file=$(namespace_file "$spec" "nvdimm$i") || exit
	size=$(stat -L -c %s "$file")
	nvdimm_bytes=$((nvdimm_bytes + size))
	nvdimms=$((nvdimms + 1))
	qemu_args+=(-object "memory-backend-file,id=nv$i,share=on,mem-path=$(quoted "$file"),size=$size"
		-device "nvdimm,id=nvdimm$i,memdev=nv$i,slot=$i")
	backing+=("nvdimm $i - $file")
}

# The RAM of the machine, where other nodes follow it: these begin above 4 GiB, all
# of them, as firmware keeps its tables at the end of the RAM below.
add_first_node()
{
	local low=$ram_bytes

	((low <= 2 << 30)) || low=$((2 << 30))
	node_start=$(((4 << 30) + ram_bytes - low))
	machine+=("max-ram-below-4g=$low")
	qemu_args+=(-object "memory-backend-ram,id=ram0,size=$ram_bytes"
		-numa "node,nodeid=0,memdev=ram0,cpus=0-$((cpus - 1))")
}

# A NUMA node whose RAM the command line turns into something else; what that is,
# the caller adds. Sets start and size.
add_node()
{
	local kind=$1 i=$2 file=$3

	((nodes++)) || add_first_node
	size=$(stat -L -c %s "$file")
	start=$((node_start + node_bytes))
	node_bytes=$((node_bytes + size))
	qemu_args+=(-object "memory-backend-file,id=$kind$i,share=on,mem-path=$(quoted "$file"),size=$size"
		-numa "node,nodeid=$nodes,memdev=$kind$i")
	backing+=("$kind $i $start $file")
}

# Soft-reserved, "specific purpose" memory.
add_hmem()
{
	local spec=$1 i=$2 kind=${3:-hmem} file start size

	file=$(backing_file "$spec" "$kind$i") || exit
	add_node "$kind" "$i" "$file"
	[[ $((size % (128 << 20))) -eq 0 ]] ||
		die "--$kind ${spec%%:*}: hot-pluggable memory comes in multiples of 128M"
	kernel_args+=("memmap=$size%$start-1+0xefffffff")
}

add_hmem_cut()
{
	[[ $(($(to_bytes "${1%%:*}") % (512 << 20))) -eq 0 ]] ||
		die "--hmem-cut ${1%%:*}: each quarter must be a multiple of 128M"
	add_hmem "$1" "$2" hmem-cut
}

# The way of old for memory that survives a reboot, and has no other description.
add_memmap()
{
	local spec=$1 i=$2 file start size

	file=$(namespace_file "$spec" "memmap$i") || exit
	add_node memmap "$i" "$file"
	kernel_args+=("memmap=$size!$start")
}

# Last, when all devices are known: -m, with room to plug in the NVDIMMs.
add_ram()
{
	local m=$((ram_bytes + node_bytes))

	if ((nvdimms)); then
		machine+=(nvdimm=on)
		qemu_args+=(-m "size=${m}B,slots=$nvdimms,maxmem=$((m + nvdimm_bytes + (nvdimms << 30)))B")
	else
		qemu_args+=(-m "size=${m}B")
	fi
}
