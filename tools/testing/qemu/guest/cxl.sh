# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with devices.sh, which sources this
#
# CXL devices of the guest: makes a region of them, and what the region needs to
# become a DAX device. A type-3 device is known by its serial number.

# Prints the names (mem0 ...) of the devices with the serial numbers "1,2,...".
cxl_memdevs()
{
	local serial device

	for serial in ${1//,/ }; do
		for device in /sys/bus/cxl/devices/mem*; do
			(($(<"$device/serial") != serial)) || printf '%s ' "${device##*/}"
		done
	done
}

# Makes a region of TYPE (ram or pmem) of these devices, prints its name.
cxl_region()
{
	local type=$1 serials=$2 names output

	read -ra names <<<"$(cxl_memdevs "$serials")"
	output=$(cxl create-region -m -d decoder0.0 -t "$type" -w "${#names[@]}" \
		"${names[@]}" 2>&1) || {
		printf 'famfs: cxl create-region: %s\n' "$output" >/dev/console
		return 1
	}
	grep -o '"region":"[^"]*' <<<"$output" | sed 's/.*"//'
}

cxl_device()
{
	local index=$1 serials=$2 region name

	region=$(cxl_region ram "$serials") || return
	name=$(find_dax "$region/dax_region") || return
	add_device "$name" cxl "$index" "$(<"/sys/bus/cxl/devices/$region/resource")"
}

cxl_x2_device()
{
	local index=$1 serials=$2 region name

	region=$(cxl_region ram "$serials") || return
	name=$(find_dax "$region/dax_region") || return
	add_device "$name" cxl-x2 "$index" -
}

cxl_pmem_device()
{
	local index=$1 serials=$2 region name output

	region=$(cxl_region pmem "$serials") || return
	output=$(ndctl create-namespace -m devdax -M mem -r "$region" 2>&1) || {
		printf 'famfs: ndctl create-namespace: %s\n' "$output" >/dev/console
		return 1
	}
	name=$(find_dax "$region/") || return
	add_device "$name" cxl-pmem "$index" "$(<"/sys/bus/cxl/devices/$region/resource")"
}
