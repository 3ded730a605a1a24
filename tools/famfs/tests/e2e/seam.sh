# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# A file over the seam of two ranges of memory that are one device, the first one of
# FAMFS_DAXDEVS. Not among the numbered files: tools/testing/guest/routes has such a
# device.

t_a_file_over_the_seam_of_two_ranges_is_one_file()
{
	local seam at

	seam=$(($(<"/sys/bus/dax/devices/${dev##*/}/mapping1/page_offset") * 4096))
	famfs creat -D 0 -s $((seam + 8388608)) "$mnt/f"
	at=$((seam - $(piece "$mnt/f" 0 offset)))
	((at > 0 && $(piece "$mnt/f" 0 length) > at))
	written_there $((at - 2097152)) 4194304
	written_there $((at - 4096)) 8192
	stored_there $((at - 4097)) 9001
	device_bytes "$dev" $((seam - 4097)) 9001 | cmp - "$work/src"
	unmount
	mount_famfs
	mapio get "$mnt/f" $((at - 4097)) 9001 | cmp - "$work/src"
}

written_there()
{
	random_file "$work/src" "$2"
	dd if="$work/src" of="$mnt/f" bs=4M oflag=seek_bytes seek="$1" conv=notrunc
	[[ $(mapio get "$mnt/f" "$1" "$2" | sha256sum) == "$(sha256sum <"$work/src")" ]]
}

stored_there()
{
	random_file "$work/src" "$2"
	mapio put "$mnt/f" "$1" <"$work/src"
	[[ $(device_bytes "$mnt/f" "$1" "$2" | sha256sum) == "$(sha256sum <"$work/src")" ]]
}
