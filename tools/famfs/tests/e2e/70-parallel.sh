# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_files_made_at_once_share_no_byte()
{
	local i

	for i in {1..24}; do
		famfs creat -s $((i * 300000)) -N $((i % 3 + 1)) "$mnt/f$i" &
	done
	wait
	for i in {1..24}; do
		famfs map -j "$mnt/f$i" | grep -o '"index":[^}]*' |
			tr -c '0-9\n' ' '
	done | awk '{ print $1, $(NF - 1), $NF }' | sort -k1,1n -k2,2n >"$work/all"
	[[ $(wc -l <"$work/all") -ge 24 ]]
	awk '$1 == dev && $2 < end { bad = 1 }
		{ dev = $1; end = $2 + $3 } END { exit bad }' "$work/all"
}

t_copies_made_at_once_hold_their_own_bytes()
{
	local i

	for i in {1..8}; do
		random_file "$work/$i" $((i * 100000))
		famfs cp "$work/$i" "$mnt/$i" &
	done
	wait
	for i in {1..8}; do
		cmp "$work/$i" "$mnt/$i"
	done
}

t_one_name_is_given_once()
{
	local i made=0

	for i in {1..8}; do
		famfs creat -s 1M "$mnt/same" 2>/dev/null && echo "$i" >>"$work/made" &
	done
	wait
	made=$(wc -l <"$work/made")
	((made == 1))
}

t_many_files_can_be_listed()
{
	local i

	famfs mkdir "$mnt/d"
	for i in {1..60}; do
		echo "$mnt/d/a-rather-long-name-to-fill-the-buffer-$i"
	done | xargs famfs creat -s 0
	[[ $(find "$mnt/d" -type f | wc -l) == 60 ]]
	unmount
	mount_famfs
	[[ $(find "$mnt/d" -type f | wc -l) == 60 ]]
}
