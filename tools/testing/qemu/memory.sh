# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with run, which sources this
#
# The memory of the machine: its RAM, and what becomes DAX devices in the guest.
# Each function appends to qemu_args[] and machine[] (of -machine); those of
# devices add a line to backing[], which tells where a device's bytes are:
#
#   KIND INDEX START FILE     the device's memory is FILE; START is the physical
#                             address where it lies, or - where the guest knows

SHM=/dev/shm

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

# A value in a QEMU option: its commas are doubled.
quoted()
{
	printf '%s' "${1//,/,,}"
}

# The kernel names region N after the handle N + 1, hence the explicit slot.
add_nvdimm()
{
	local spec=$1 i=$2 file size

	file=$(backing_file "$spec" "nvdimm$i")
	size=$(stat -L -c %s "$file")
	"$here/info-block" "$file" || exit "$NO_SETUP"
	nvdimm_bytes=$((nvdimm_bytes + size))
	qemu_args+=(-object "memory-backend-file,id=nv$i,share=on,mem-path=$(quoted "$file"),size=$size"
		-device "nvdimm,id=nvdimm$i,memdev=nv$i,slot=$i")
	backing+=("nvdimm $i - $file")
}

add_cxl()
{
	local spec=$1 file size

	file=$(backing_file "$spec" cxl0)
	size=$(stat -L -c %s "$file")
	[[ $((size % (256 << 20))) -eq 0 ]] ||
		die "--cxl ${spec%%:*}: CXL memory comes in multiples of 256M"
	machine+=(cxl=on cxl-fmw.0.targets.0=cxl.1
		"cxl-fmw.0.size=$((((size >> 32) + 1) * 4))G")
	qemu_args+=(-object "memory-backend-file,id=cxlmem0,share=on,mem-path=$(quoted "$file"),size=$size"
		-device "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1"
		-device "cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2"
		-device "cxl-type3,bus=rp0,volatile-memdev=cxlmem0,id=cxl-mem0,sn=0x1")
	backing+=("cxl 0 - $file")
}

# Soft-reserved memory: a second NUMA node whose RAM the command line turns into
# "specific purpose" memory. It lies above 4 GiB, all of it: at the end of the RAM
# below, firmware keeps its tables.
add_hmem()
{
	local spec=$1 file size start low=$ram_bytes

	file=$(backing_file "$spec" hmem0)
	size=$(stat -L -c %s "$file")
	[[ $((size % (128 << 20))) -eq 0 ]] ||
		die "--hmem ${spec%%:*}: hot-pluggable memory comes in multiples of 128M"
	((low <= 2 << 30)) || low=$((2 << 30))
	start=$(((4 << 30) + ram_bytes - low))
	hmem_bytes=$size
	machine+=("max-ram-below-4g=$low")
	qemu_args+=(-object "memory-backend-ram,id=ram0,size=$ram_bytes"
		-object "memory-backend-file,id=hmem0,share=on,mem-path=$(quoted "$file"),size=$size"
		-numa "node,nodeid=0,memdev=ram0,cpus=0-$((cpus - 1))"
		-numa "node,nodeid=1,memdev=hmem0")
	kernel_args+=("memmap=$size%$start-1+0xefffffff")
	backing+=("hmem 0 $start $file")
}

# Last, when all devices are known: -m, with room to plug in the NVDIMMs.
add_ram()
{
	local slots=$1 m=$((ram_bytes + hmem_bytes))

	if ((slots)); then
		machine+=(nvdimm=on)
		qemu_args+=(-m "size=${m}B,slots=$slots,maxmem=$((m + nvdimm_bytes + (slots << 30)))B")
	else
		qemu_args+=(-m "size=${m}B")
	fi
}
