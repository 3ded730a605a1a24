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
#                                   the INDEXth option --KIND of "run" names; it
#                                   is - where that is no one file
#
# A node of several ranges has a line for each: BYTES and OFFSET are the range's. It
# exports FAMFS_DAXDEVS, the nodes in the same order.

dax_bus=/sys/bus/dax
table=/run/famfs/devices

# Prints the name of the DAX device that lies below $1 in the tree of devices, at the
# physical address $2 if that is given. The kernel probes beside the boot; ten
# seconds are far too many.
find_dax()
{
	local below=$1 start=${2:-} device i

	for ((i = 0; i < 200; i++)); do
		for device in "$dax_bus"/devices/dax*; do
			[[ $(readlink "$device") == *"/$below"*/dax* ]] || continue
			[[ ! $start || $(<"$device/resource") -eq $start ]] || continue
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

# What backs the device begins at the physical address $4, or is no one file: -.
add_device()
{
	local name=$1 kind=$2 index=$3 start=$4 sysfs=$dax_bus/devices/$1
	local range first last offset=-

	case $dax_mode in
	famfs)	dax_bind "$name" fsdev_dax || return ;;
	devdax)	dax_bind "$name" device_dax || return ;;
	esac
	for range in "$sysfs"/mapping[0-9]*; do
		first=$(<"$range/start") last=$(<"$range/end")
		[[ $start == - ]] || offset=$((first - start))
		printf '/dev/%s %d %s %d %s\n' "$name" $((last - first + 1)) "$kind" \
			"$index" "$offset" >>"$table"
	done
	FAMFS_DAXDEVS+=" /dev/$name"
}

# Region of the NVDIMM in slot $1: its memory device has the handle $1 + 1.
nvdimm_region()
{
	local slot=$1 region mapping

	for region in /sys/bus/nd/devices/region*; do
		[[ -e $region/mapping0 ]] || continue
		mapping=$(<"$region/mapping0")
		(($(<"/sys/bus/nd/devices/${mapping%%,*}/nfit/handle") == slot + 1)) || continue
		printf '%s' "$region"
		return
	done
	return 1
}

# Region that begins at the physical address $1, which is all that is known of it.
memmap_region()
{
	local start=$1 region

	for region in /sys/bus/nd/devices/region*; do
		(($(<"$region/resource") == start)) || continue
		printf '%s' "$region"
		return
	done
	return 1
}

# The namespace is there, as info-block made it.
namespace_device()
{
	local region=$1 kind=$2 index=$3 name

	name=$(find_dax "${region##*/}/") || return
	add_device "$name" "$kind" "$index" "$(<"$region/resource")"
}

nvdimm_device()
{
	local index=$1 region

	region=$(nvdimm_region "$index") || return
	namespace_device "$region" nvdimm "$index"
}

memmap_device()
{
	local index=$1 start=$2 region

	region=$(memmap_region "$start") || return
	namespace_device "$region" memmap "$index"
}

hmem_device()
{
	local index=$1 start=$2 name

	name=$(find_dax hmem. "$start") || return
	add_device "$name" hmem "$index" "$start"
}

# Shrunk, the device leaves room, of which another one takes the first half; when it
# grows again, what it gets is a second range.
hmem_cut_device()
{
	local index=$1 start=$2 name region other devices quarter

	name=$(find_dax hmem. "$start") || return
	devices=$(dirname "$(readlink -f "$dax_bus/devices/$name")")
	region=$devices/dax_region
	quarter=$(($(<"$devices/$name/size") / 4))
	dax_unbind "$name" || return
	echo "$quarter" >"$devices/$name/size" && echo 1 >"$region/create" || return
	other=$(<"$region/create")
	echo "$quarter" >"$devices/$other/size" &&
		echo $((3 * quarter)) >"$devices/$name/size" || return
	add_device "$name" hmem-cut "$index" "$start" &&
		add_device "$other" hmem-cut "$index" "$start"
}

# shellcheck source=tools/testing/qemu/guest/cxl.sh
. "$here/cxl.sh"

set_up_devices()
{
	local kind index where file dax_mode

	dax_mode=$(<"$vm/dax-mode")
	FAMFS_DAXDEVS=
	: >"$table"
	while read -r kind index where file; do
		"${kind//-/_}_device" "$index" "$where" || {
			printf 'famfs: no DAX device for --%s, %s\n' "$kind" "$file" >/dev/console
			return 1
		}
	done <"$vm/backing"
	export FAMFS_DAXDEVS=${FAMFS_DAXDEVS# }
}
