# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # vm is set by guest/init
#
# DAX devices of the guest: waits for them, binds their driver, and tells which
# piece of which backing file each one is. Reads $vm/backing (see memory.sh) and
# $vm/dax-mode: famfs (driver fsdev_dax), devdax (device_dax) or none (as the
# kernel left them). Writes /run/famfs/devices, a line a device:
#
#   NODE BYTES KIND INDEX OFFSET    byte 0 of NODE is byte OFFSET of the file that
#                                   the INDEXth option --KIND of "run" names
#
# and exports FAMFS_DAXDEVS, the nodes in the same order.

dax_bus=/sys/bus/dax
table=/run/famfs/devices

# Prints the name of the DAX device that lies below $1 in the tree of devices. The
# kernel probes beside the boot; ten seconds are far too many.
find_dax()
{
	local below=$1 device i

	for ((i = 0; i < 200; i++)); do
		for device in "$dax_bus"/devices/dax*; do
			[[ $(readlink "$device") == *"/$below"*/dax* ]] || continue
			printf '%s' "${device##*/}"
			return
		done
		sleep 0.05
	done
	printf 'famfs: there is no DAX device below %s\n' "$below" >/dev/console
	return 1
}

# Frees the device from the driver that has it; one that was bound by name would
# take it back, hence remove_id.
dax_unbind()
{
	local name=$1 driver

	driver=$(readlink "$dax_bus/devices/$name/driver") || return 0
	driver=$dax_bus/drivers/${driver##*/}
	printf '%s' "$name" >"$driver/unbind" || return
	printf '%s' "$name" >"$driver/remove_id" 2>/dev/null
	return 0
}

# new_id binds at once; plain bind refuses a device whose type asks for another.
dax_bind()
{
	local name=$1 driver=$2

	[[ $dax_bus/devices/$name/driver -ef $dax_bus/drivers/$driver ]] && return
	dax_unbind "$name" || return
	printf '%s' "$name" >"$dax_bus/drivers/$driver/new_id"
}

# Region of the NVDIMM in slot $1: its memory device has the handle $1 + 1.
nvdimm_region()
{
	local slot=$1 region mapping

	for region in /sys/bus/nd/devices/region*; do
		mapping=$(<"$region/mapping0")
		(($(<"/sys/bus/nd/devices/${mapping%%,*}/nfit/handle") == slot + 1)) || continue
		printf '%s' "$region"
		return
	done
	return 1
}

# What backs the device begins at the physical address $4.
add_device()
{
	local name=$1 kind=$2 index=$3 start=$4 sysfs=$dax_bus/devices/$1

	case $dax_mode in
	famfs)	dax_bind "$name" fsdev_dax || return ;;
	devdax)	dax_bind "$name" device_dax || return ;;
	esac
	printf '/dev/%s %d %s %d %d\n' "$name" "$(<"$sysfs/size")" "$kind" \
		"$index" $(($(<"$sysfs/resource") - start)) >>"$table"
	FAMFS_DAXDEVS+=" /dev/$name"
}

nvdimm_device()
{
	local index=$1 region name

	region=$(nvdimm_region "$index") || return
	name=$(find_dax "${region##*/}/") || return
	add_device "$name" nvdimm "$index" "$(<"$region/resource")"
}

cxl_device()
{
	local index=$1 region=/sys/bus/cxl/devices/region0 name output

	output=$(cxl create-region -m -d decoder0.0 -t ram -w 1 mem0 2>&1) || {
		printf 'famfs: cxl create-region: %s\n' "$output" >/dev/console
		return 1
	}
	name=$(find_dax region0/dax_region) || return
	add_device "$name" cxl "$index" "$(<"$region/resource")"
}

hmem_device()
{
	local index=$1 start=$2 name

	name=$(find_dax hmem.) || return
	add_device "$name" hmem "$index" "$start"
}

set_up_devices()
{
	local kind index start file dax_mode

	dax_mode=$(<"$vm/dax-mode")
	FAMFS_DAXDEVS=
	: >"$table"
	while read -r kind index start file; do
		"${kind}_device" "$index" "$start" || {
			printf 'famfs: no DAX device for %s\n' "$file" >/dev/console
			return 1
		}
	done <"$vm/backing"
	export FAMFS_DAXDEVS=${FAMFS_DAXDEVS# }
}
