# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A tiny kernel source and a tiny checkout with a series of two commits, for the
# tests of the series tool. Sourced; leaves the shell in an empty folder that is
# removed at the end, with
#
#	linux/		the kernel source, which KSRC names
#	top/		the checkout, which SERIES_TOP names
#	cache/		FAMFS_CACHE

set -euo pipefail
export LC_ALL=C
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tools/lib/tap.sh
. "$here/../../lib/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export FAMFS_CACHE=$work/cache SERIES_TOP=$work/top KSRC=$work/linux
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset FORCE SEED_PATHS

series()
{
	"$here/../series" "$@"
}

not()
{
	! "$@"
}

# lines FIRST LAST: numbered lines, as the text of a file to patch.
lines()
{
	seq -f 'line %g' "$1" "$2"
}

make_linux()
{
	mkdir -p linux/fs/fuse linux/mm
	printf '%s\n' 'VERSION = 7' 'PATCHLEVEL = 3' 'SUBLEVEL = 4' 'NAME = Test' \
		>linux/Makefile
	lines 1 60 >linux/fs/fuse/inode.c
	lines 1 20 >linux/fs/fuse/file.c
	echo 'untouched' >linux/mm/page.c
}

# hook FILE SED: makes a diff of a pristine file on stdout.
hook()
{
	sed "$2" "linux/$1" >edited
	diff -u --label "a/$1" --label "b/$1" "linux/$1" edited |
		sed "1i diff --git a/$1 b/$1" || true
}

make_top()
{
	mkdir -p top/patches/{bases,01-first,02-second} top/fs/fuse
	git init -q top
	printf '%s\n' 'package linux-source-none' 'suite trixie-backports' \
		'from 7.3' 'before 7.4' >top/patches/bases/7.3
	printf '%s\n' '# the table' 01-first '02-second # why not' >top/patches/series
	printf '%s\n' 'fuse: add a first thing' '' 'Because.' '' \
		'Adds: fs/fuse/new.c' >top/patches/01-first/message
	printf '%s\n' 'fuse: add a second thing' '' 'Because, too.' \
		>top/patches/02-second/message
	echo 'a new file' >top/fs/fuse/new.c
	hook fs/fuse/inode.c '10s/$/ first/' >top/patches/01-first/7.3.diff
	hook fs/fuse/inode.c '50s/$/ second/' >top/patches/02-second/7.3.diff
}

make_linux
make_top
# shellcheck disable=SC2034 # for the tests
tree=$FAMFS_CACHE/tree/7.3
