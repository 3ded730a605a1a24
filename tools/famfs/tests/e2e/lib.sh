# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2120
#
# What the cases share. Sourced by "run", which has set -e.

mnt=/tmp/famfs-e2e/mnt
mnt2=/tmp/famfs-e2e/mnt2
work=/tmp/famfs-e2e/work
host_id=/opt/famfs/system_uuid

bail()
{
	echo "Bail out! $*"
	exit 2
}

check_environment()
{
	local program

	((EUID == 0)) || bail "root is needed"
	read -ra devs <<<"${FAMFS_DAXDEVS:-}"
	((${#devs[@]} >= 2)) || bail "FAMFS_DAXDEVS must name two DAX devices"
	dev=${devs[0]} dev2=${devs[1]}
	for program in famfs mkfs.famfs mount.fuse.famfs mapio; do
		command -v "$program" >/dev/null ||
			bail "$program is not in the PATH; type: make e2e"
	done
	mkdir -p "$mnt" "$mnt2" "$work"
	helper
}

# mount(8) looks for its helper in /sbin and nowhere else.
helper()
{
	local to=/sbin/mount.fuse.famfs from

	from=$(command -v mount.fuse.famfs)
	[[ $from -ef $to ]] || cp "$from" "$to" 2>/dev/null ||
		bail "cannot put mount.fuse.famfs into /sbin"
}

set_up()
{
	mkfs.famfs -f "$dev" "$dev2"
	mount_famfs -o rw
}

mount_famfs()
{
	mount -t fuse.famfs "$@" "$dev" "$mnt"
}

# The daemon ends a moment after the mount; its locks end with it.
unmount()
{
	umount "${1:-$mnt}"
	no_daemon "${1:-$mnt}"
}

no_daemon()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[[ $(daemons "$1") ]] || return 0
		sleep 0.1
	done
	echo "the daemon of $1 still runs"
	return 1
}

# The daemons of a mount point, as process ids. pgrep takes a second for that in a
# debug kernel, and each case asks.
daemons()
{
	local dir name argv

	for dir in /proc/[0-9]*; do
		{ read -r name <"$dir/comm"; } 2>/dev/null || continue
		# as much of it as the kernel keeps
		[[ $name == mount.fuse.famf ]] || continue
		{ mapfile -d '' argv <"$dir/cmdline"; } 2>/dev/null || continue
		[[ " ${argv[*]} " != *" $1 "* ]] || echo "${dir#/proc/}"
	done
}

is_mounted()
{
	local at

	while read -r _ _ _ _ at _; do
		[[ $at != "$1" ]] || return 0
	done </proc/self/mountinfo
	return 1
}

clean_up()
{
	local m

	for m in "$mnt2" "$mnt"; do
		while is_mounted "$m"; do
			umount -l "$m" || return
		done
		no_daemon "$m" || return
	done
	rm -rf "${work:?}"/*
}

# refuses WORDS COMMAND...: the command fails, and says these words.
refuses()
{
	local words=$1 out

	shift
	if out=$("$@" 2>&1); then
		echo "worked, but should not: $*"
		return 1
	fi
	grep -qF -- "$words" <<<"$out" && return 0
	echo "said '$out', not '$words'"
	return 1
}

# The command fails. "!" would not do: what it makes false does not end a case.
fails()
{
	if "$@"; then
		echo "worked, but should not: $*"
		return 1
	fi
}

# A file of SIZE bytes that no other file has the bytes of.
random_file()
{
	head -c "$2" /dev/urandom >"$1"
}

# piece FILE N FIELD: of the Nth extent or strip that "famfs map" tells.
piece()
{
	famfs map -j "$1" | sed 's/},{/}\n{/g' | sed -n "$(($2 + 1))p" |
		grep -o "\"$3\":\"\\?[a-z0-9.]*" | sed 's/.*[:"]//'
}

# device_bytes DEVICE OFFSET LENGTH
device_bytes()
{
	dd if="$1" bs=64K iflag=skip_bytes,count_bytes,fullblock skip=$(($2)) \
		count="$3" status=none
}

# requests KIND COMMAND...: how many of them the command caused. "any" is all but
# those that nobody waits for: they may come late, from what was closed before.
requests()
{
	local kind=$1

	shift
	famfs stats -o "$work/stats" "$mnt" -- "$@" >/dev/null
	awk -v kind="$kind" '
		$1 == kind || (kind == "any" && $1 !~ /^(total|RELEASE|RELEASEDIR|(BATCH_)?FORGET)$/) {
			n += $NF
		}
		END { print n + 0 }' "$work/stats"
}
