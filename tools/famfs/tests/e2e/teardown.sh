# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# The devices themselves go, below a mount that is in use: a namespace is destroyed,
# a CXL region torn down. Not among the numbered files, as nothing can follow:
# tools/testing/guest/routes runs it last on a route.

# What is above the second device goes as a whole, by the tool that made it.
tear_down()
{
	local name=${dev2##*/} path region

	path=$(readlink -f "/sys/bus/dax/devices/$name")
	case $path in
	*/ndbus*)
		# .../region0/dax0.1/dax0.0
		ndctl destroy-namespace -f "$(<"${path%/*}/namespace")"
		[[ ! -e $path ]]
		;;
	*/region*/dax_region*)
		region=${path%%/dax_region*}
		cxl destroy-region -f "${region##*/}"
		[[ ! -e $path ]]
		;;
	*)
		echo "$name" >/sys/bus/dax/drivers/fsdev_dax/unbind
		;;
	esac
}

t_a_device_is_destroyed_below_files_in_use()
{
	local reader

	random_file "$work/src" "${FILE_BYTES:-2500001}"
	famfs cp -D 0 "$work/src" "$mnt/on-0"
	famfs cp -D 1 "$work/src" "$mnt/on-1"
	while mapio get "$mnt/on-1" 0 100000 && cat "$mnt/on-1"; do :; done >/dev/null 2>&1 &
	reader=$!
	sleep 1
	timeout 60 bash -ec "$(declare -f tear_down); dev2=$dev2 tear_down"
	wait "$reader" || true
	[[ ! -e /sys/bus/dax/devices/${dev2##*/}/driver ]]
	refuses "Input/output error" cat "$mnt/on-1"
	cmp "$work/src" "$mnt/on-0"
	unmount
}
