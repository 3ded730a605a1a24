# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# What must work on DAX devices of every kind, with few processes and files of FILE_BYTES
# bytes, as some are slow. Not among the numbered files: tools/testing/guest/routes
# runs it with each kind.

bytes=${FILE_BYTES:-2500001}

t_files_on_both_devices_hold_what_was_copied_and_stored()
{
	random_file "$work/src" "$bytes"
	famfs cp -D 0 "$work/src" "$mnt/on-0"
	famfs cp -D 1 "$work/src" "$mnt/on-1"
	famfs creat -i -c 64K -s "$bytes" "$mnt/strips"
	mapio put "$mnt/strips" 0 <"$work/src"
	all_are "$work/src" "$mnt"/{on-0,on-1,strips}
	unmount
	mount_famfs
	all_are "$work/src" "$mnt"/{on-0,on-1,strips}
}

# By read and through a mapping.
all_are()
{
	local src=$1 sum file

	shift
	sum=$(sha256sum <"$src")
	[[ $(sha256sum "$@" | cut -d ' ' -f 1 | sort -u) == "${sum%% *}" ]]
	for file; do
		[[ $(mapio get "$file" 0 "$bytes" | sha256sum) == "$sum" ]]
	done
}
