# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with run, which sources this
#
# CXL memory: type-3 devices, each at a root port of its own, all of them below one
# host bridge and in one window. The guest makes regions of them (guest/cxl.sh);
# it knows a device by its serial number. Conventions are those of memory.sh.

cxl_devices=0 cxl_bytes=0 type3s=()

# One device: its serial number is its number, counted from 1.
add_type3()
{
	local file=$1 memory=$2 size n=$((++cxl_devices))

	size=$(stat -L -c %s "$file")
	[[ $((size % (256 << 20))) -eq 0 ]] ||
		die "CXL memory comes in multiples of 256M a device, not $size bytes"
	cxl_bytes=$((cxl_bytes + size))
	qemu_args+=(-object "memory-backend-file,id=cxlmem$n,share=on,mem-path=$(quoted "$file"),size=$size")
	type3s+=(-device "cxl-rp,port=$n,bus=cxl.1,id=rp$n,chassis=0,slot=$((n + 1))"
		-device "cxl-type3,bus=rp$n,$memory=cxlmem$n,id=cxl-mem$n,sn=$n${3:-}")
}

add_cxl()
{
	local spec=$1 i=$2 file

	file=$(backing_file "$spec" "cxl$i") || exit
	add_type3 "$file" volatile-memdev
	backing+=("cxl $i $cxl_devices $file")
}

# Two devices, whose files hold every other 256 bytes: nothing that a host could use.
add_cxl_x2()
{
	local spec=$1 i=$2 half half_file

	[[ $spec != *:* ]] || die "--cxl-x2 $spec: it lies in no one file"
	half=$(($(to_bytes "$spec") / 2))
	for half_file in a b; do
		half_file=$(backing_file "$half" "cxl-x2-$i$half_file") || exit
		add_type3 "$half_file" volatile-memdev
	done
	backing+=("cxl-x2 $i $((cxl_devices - 1)),$cxl_devices -")
}

# Its labels are in memory of their own: a new machine finds none.
add_cxl_pmem()
{
	local spec=$1 i=$2 file

	file=$(backing_file "$spec" "cxl-pmem$i") || exit
	qemu_args+=(-object "memory-backend-ram,id=lsa$i,size=1M")
	add_type3 "$file" persistent-memdev ",lsa=lsa$i"
	backing+=("cxl-pmem $i $cxl_devices $file")
}

# When all devices are known: the bridge, before what is plugged into it, and a
# window with room for everything.
add_cxl_bus()
{
	((cxl_devices)) || return 0
	machine+=(cxl=on cxl-fmw.0.targets.0=cxl.1
		"cxl-fmw.0.size=$((((cxl_bytes >> 32) + 1) * 4))G")
	qemu_args+=(-device "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1" "${type3s[@]}")
}
