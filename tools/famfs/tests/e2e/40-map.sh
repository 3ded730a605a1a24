# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_a_file_is_the_bytes_that_its_map_names()
{
	random_file "$work/src" 3000001
	famfs cp "$work/src" "$mnt/f"
	famfs map "$mnt/f"
	device_bytes "/dev/$(piece "$mnt/f" 0 device)" \
		"$(piece "$mnt/f" 0 offset)" 3000001 | cmp - "$work/src"
}

t_strips_lie_chunk_by_chunk_on_both_devices()
{
	local chunk=65536 i n row

	random_file "$work/src" 1000000
	famfs cp -i -c 64K "$work/src" "$mnt/f"
	[[ $(piece "$mnt/f" 0 device) != "$(piece "$mnt/f" 1 device)" ]]
	for i in {0..15}; do
		n=$((i < 15 ? chunk : 1000000 - 15 * chunk))
		row=$((i / 2))
		device_bytes "/dev/$(piece "$mnt/f" $((i % 2)) device)" \
			$(($(piece "$mnt/f" $((i % 2)) offset) + row * chunk)) \
			"$n"
	done | cmp - "$work/src"
}

t_strips_of_every_shape_read_as_they_were_written()
{
	local n chunk

	random_file "$work/src" 2200001
	for n in 1 2 3 16; do
		for chunk in 4K 12K 2M; do
			famfs cp -N "$n" -c "$chunk" "$work/src" "$mnt/$n-$chunk"
			cmp "$work/src" "$mnt/$n-$chunk"
		done
	done
}

t_a_file_can_be_put_on_one_device()
{
	famfs creat -s 4M -D "${dev2##*/}" "$mnt/f"
	[[ $(piece "$mnt/f" 0 device) == "${dev2##*/}" ]]
	famfs creat -s 4M -N 2 -D 1 "$mnt/g"
	[[ $(piece "$mnt/g" 0 index)$(piece "$mnt/g" 1 index) == 11 ]]
	refuses "no device of this file system" famfs creat -s 1 -D 7 "$mnt/h"
}

t_stores_through_a_mapping_are_read_from_device_and_file()
{
	local at=2097140

	famfs creat -s 6M "$mnt/f"
	echo "across two megabytes" | mapio put "$mnt/f" "$at"
	[[ $(dd if="$mnt/f" bs=1 skip=$at count=20 status=none) == \
		"across two megabytes" ]]
	[[ $(device_bytes "/dev/$(piece "$mnt/f" 0 device)" \
		$(($(piece "$mnt/f" 0 offset) + at)) 20) == "across two megabytes" ]]
}

t_writes_are_seen_through_a_mapping()
{
	famfs creat -s 3M "$mnt/f"
	echo hello | dd of="$mnt/f" bs=1 seek=2500000 conv=notrunc status=none
	[[ $(mapio get "$mnt/f" 2500000 5) == hello ]]
}

t_a_file_in_pieces_when_no_piece_is_large_enough()
{
	# More than either device has: the rest lies on the other.
	local room

	room=$(piece_room)
	famfs creat -s $((room + 4194304)) "$mnt/f"
	[[ $(piece "$mnt/f" 0 device) != "$(piece "$mnt/f" 1 device)" ]]
	echo edge | mapio put "$mnt/f" $((room - 2))
	[[ $(mapio get "$mnt/f" $((room - 2)) 4) == edge ]]
}

t_superblock_and_log_are_files()
{
	famfs creat -s 1M "$mnt/a-name-in-the-log"
	grep -aq a-name-in-the-log "$mnt/.meta/.log"
	[[ $(od -An -N8 -tx8 "$mnt/.meta/.superblock") == *87b282ff ]]
	refuses "Read-only" dd if=/dev/zero of="$mnt/.meta/.log" count=1 \
		conv=notrunc
}

t_a_mapping_outlives_the_name_of_the_mount()
{
	famfs creat -s 4M "$mnt/f"
	mkfifo "$work/in"
	mapio hold "$mnt/f" <"$work/in" >"$work/out" &
	exec 9>"$work/in"
	until grep -q ready "$work/out"; do sleep 0.1; done
	refuses "busy" umount "$mnt"
	umount -l "$mnt"
	exec 9>&-
	wait $!
	grep -q same "$work/out"
}

# The largest piece of both devices.
piece_room()
{
	local i largest=0 name size

	for i in 0 1; do
		name=probe$i
		size=$((600 << 20))
		until famfs creat -s "$size" -D "$i" "$mnt/$name" 2>/dev/null; do
			size=$((size - 2097152))
		done
		((size > largest)) && largest=$size
	done
	unmount >&2
	set_up >&2
	echo "$largest"
}
