# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154

t_files_of_any_size_have_it()
{
	local size

	for size in 0 1 4095 4096 2M 2097153 5M; do
		famfs creat -s "$size" "$mnt/s$size"
	done
	[[ $(stat -c %s "$mnt/s0") == 0 ]]
	[[ $(stat -c %s "$mnt/s1") == 1 ]]
	[[ $(stat -c %s "$mnt/s2097153") == 2097153 ]]
	[[ $(wc -c <"$mnt/s2097153") == 2097153 ]]
	[[ ! -s $mnt/s0 && -z $(cat "$mnt/s0") ]]
}

t_cp_copies_every_byte()
{
	local size

	for size in 1 4096 2097153 5000003; do
		random_file "$work/$size" "$size"
		famfs cp "$work/$size" "$mnt/"
		cmp "$work/$size" "$mnt/$size"
	done
}

t_cp_copies_trees()
{
	mkdir -p "$work/t/a/b"
	random_file "$work/t/x" 100000
	random_file "$work/t/a/b/y" 300000
	refuses "-r copies it" famfs cp "$work/t" "$mnt/"
	famfs cp -r "$work/t" "$mnt/"
	diff -r "$work/t" "$mnt/t"
}

t_cp_writes_over_only_what_has_the_same_size()
{
	random_file "$work/a" 50000
	random_file "$work/b" 50000
	random_file "$work/c" 50001
	famfs cp "$work/a" "$mnt/f"
	refuses "is there already" famfs cp "$work/b" "$mnt/f"
	refuses "size cannot change" famfs cp -f "$work/c" "$mnt/f"
	cmp "$work/a" "$mnt/f"
	famfs cp -f "$work/b" "$mnt/f"
	cmp "$work/b" "$mnt/f"
}

t_cp_that_is_stopped_says_what_is_left()
{
	truncate -s 16900000 "$work/src"
	head -c 100000 /dev/urandom >>"$work/src"
	# Interrupted where it reads the source for the third time.
	fails strace -o /dev/null -P "$work/src" -e trace=read \
		-e inject=read:signal=INT:when=3 \
		famfs cp "$work/src" "$mnt/f" 2>"$work/said"
	grep -q "is unfinished (12M of 16.2M; .*completes it): interrupted" \
		"$work/said"
	famfs cp -f "$work/src" "$mnt/f"
	cmp "$work/src" "$mnt/f"
}

t_mkdir_makes_parents()
{
	famfs mkdir "$mnt/a"
	refuses "File exists" famfs mkdir "$mnt/a"
	refuses "No such file" famfs mkdir "$mnt/b/c"
	famfs mkdir -p -m 700 "$mnt/b/c/d"
	famfs mkdir -p "$mnt/b/c/d"
	[[ $(stat -c %a "$mnt/b/c/d") == 700 ]]
	mkdir "$mnt/plain"
}

t_no_room_says_how_much_is_free()
{
	refuses "are free" famfs creat -s 100G "$mnt/big"
	[[ ! -e $mnt/big ]]
	df -h "$mnt"
	famfs info "$mnt"
}

t_names_that_do_not_fit_are_refused()
{
	local long

	long=$(printf 'x%.0s' {1..80})
	refuses "79 bytes" famfs creat -s 1 "$mnt/$long"
	refuses "File name too long" mkdir "$mnt/$long"
	famfs creat -s 1 "$mnt/${long:1}"
	refuses "is there already" famfs creat -s 1 "$mnt/${long:1}"
}

t_files_without_a_size_are_refused()
{
	refuses "not supported" touch "$mnt/x"
	refuses "not supported" cp /etc/passwd "$mnt/x"
	refuses "not supported" tee "$mnt/x"
	[[ ! -e $mnt/x ]]
}

t_what_media_cannot_hold_is_refused_and_the_file_stays()
{
	random_file "$work/a" 3000000
	famfs cp "$work/a" "$mnt/f"
	refuses "not permitted" truncate -s 1 "$mnt/f"
	refuses "not permitted" truncate -s 5M "$mnt/f"
	refuses "not permitted" rm "$mnt/f"
	refuses "not permitted" mv "$mnt/f" "$mnt/g"
	refuses "not permitted" ln "$mnt/f" "$mnt/g"
	refuses "not permitted" ln -s f "$mnt/g"
	refuses "not permitted" chmod 600 "$mnt/f"
	refuses "not permitted" chown 1 "$mnt/f"
	refuses "not permitted" mkfifo "$mnt/p"
	touch -d 2001-02-03 "$mnt/f"
	[[ $(stat -c %y "$mnt/f") == 2001-02-03* ]]
	cmp "$work/a" "$mnt/f"
}

t_other_users_are_held_to_modes()
{
	famfs mkdir -m 755 "$mnt/root"
	(umask 077 && famfs mkdir -m 1777 "$mnt/all")
	(umask 077 && famfs creat -s 1 "$mnt/masked")
	[[ $(stat -c %a "$mnt/all" "$mnt/masked") == $'1777\n600' ]]
	famfs creat -s 1M -m 600 "$mnt/secret"
	as_nobody refuses "Permission denied" famfs creat -s 1M "$mnt/root/x"
	as_nobody famfs creat -s 1M -m 640 "$mnt/all/x"
	[[ $(stat -c %u:%a "$mnt/all/x") == 65534:640 ]]
	as_nobody refuses "Permission denied" cat "$mnt/secret"
}

t_the_command_knows_where_it_is()
{
	refuses "not on a mounted famfs" famfs creat -s 1M /tmp/x
	refuses "not on a mounted famfs" famfs map /etc/passwd
	refuses "not on a mounted famfs" famfs info /
	refuses "is no command" famfs remove x
	refuses "No such file" famfs map "$mnt/nothing"
}

as_nobody()
{
	# Functions come along; mount points and tools are readable for all.
	export -f refuses
	export PATH mnt
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		bash -c '"$@"' bash "$@"
}
