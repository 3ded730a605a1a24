# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

# extents FILE: of each extent a line "offset in the file, on the device, length"
extents()
{
	filefrag -b1 -v "$1" | sed 's/[.:]/ /g' |
		awk '$1 ~ /^[0-9]+$/ && NF >= 6 { print $2, $4, $6 }'
}

t_filefrag_shows_what_the_map_shows()
{
	local at length rest

	random_file "$work/src" 3000001
	famfs cp "$work/src" "$mnt/f"
	read -r rest at length < <(extents "$mnt/f")
	[[ $rest == 0 && $at == "$(($(piece "$mnt/f" 0 offset)))" ]]
	((length >= 3000001))
	device_bytes "/dev/$(piece "$mnt/f" 0 device)" "$at" 3000001 |
		cmp - "$work/src"
	filefrag "$mnt/f" | grep -q "1 extent found"
}

t_filefrag_shows_each_chunk_of_strips_on_one_device()
{
	local i row from at length start=() chunk=65536

	famfs creat -s 1M -N 2 -c 64K -D 1 "$mnt/f"
	start=("$(piece "$mnt/f" 0 offset)" "$(piece "$mnt/f" 1 offset)")
	extents "$mnt/f" >"$work/extents"
	[[ $(wc -l <"$work/extents") == 16 ]]
	for i in {0..15}; do
		read -r from at length
		((from == i * chunk && length == chunk))
		row=$((i / 2))
		((at == start[i % 2] + row * chunk))
	done <"$work/extents"
}

t_filefrag_cannot_show_a_file_on_two_devices()
{
	famfs creat -s 1M -N 2 "$mnt/f"
	[[ $(piece "$mnt/f" 0 device) != "$(piece "$mnt/f" 1 device)" ]]
	refuses "supported" filefrag -v "$mnt/f"
}

# stat and du know what a file occupies, which is what its pieces hold
t_blocks_are_those_of_the_pieces()
{
	famfs creat -s 3000001 "$mnt/f"
	[[ $(stat -c %s "$mnt/f") == 3000001 ]]
	mapio get "$mnt/f" 0 1 >/dev/null
	(($(stat -c %b "$mnt/f") * 512 >= 3000001))
	(($(stat -c %b "$mnt/f") * 512 <= 4194304))
}
