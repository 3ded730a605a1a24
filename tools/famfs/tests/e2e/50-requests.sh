# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_reading_and_writing_ask_the_daemon_nothing()
{
	random_file "$work/src" 3000000
	famfs cp "$work/src" "$mnt/f"
	[[ $(requests READ cat "$mnt/f") == 0 ]]
	[[ $(requests WRITE dd if="$work/src" of="$mnt/f" bs=64K conv=notrunc \
		status=none) == 0 ]]
	cmp "$work/src" "$mnt/f"
}

t_a_mapping_asks_the_daemon_nothing()
{
	famfs creat -s 5M "$mnt/f"
	mkfifo "$work/in"
	mapio hold "$mnt/f" <"$work/in" >"$work/out" &
	exec 9>"$work/in"
	until grep -q ready "$work/out"; do sleep 0.1; done
	# It touches every page once more between these two looks.
	[[ $(requests any bash -c "exec 9>&-; sleep 0.3") == 0 ]]
	exec 9>&-
	wait $!
	grep -q same "$work/out"
}

# requests_so_far KIND
requests_so_far()
{
	famfs stats "$mnt" | awk -v kind="$1" '$1 == kind { print $2 }'
}

t_an_open_and_a_close_are_one_request_each()
{
	famfs creat -s 2M "$mnt/f"
	cat "$mnt/f" >/dev/null
	[[ $(requests OPEN cat "$mnt/f") == 1 ]]
	[[ $(requests any cat "$mnt/f") == 1 ]]
	until [[ $(requests_so_far RELEASE) == "$(requests_so_far OPEN)" ]]; do
		sleep 0.1
	done
}

t_stats_exits_as_its_command()
{
	local status=0

	famfs stats "$mnt" -- sh -c 'exit 7' || status=$?
	((status == 7))
	famfs stats "$mnt" | grep -q '^INIT  *1$'
}
