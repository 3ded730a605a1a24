# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every tool here needs: where the cache is, and how to say things.
# Source it; it has no effect but to set variables and define functions.
#
#   FAMFS_CACHE        folder for everything that is downloaded or built
#   CCACHE_*           what ccache looks at, if it is used
#   say TEXT...        progress, on stderr
#   die TEXT...        error, on stderr, then exit 1
#   need COMMAND...    dies with a helpful line when a command is missing
#   as_root COMMAND... runs COMMAND as root, by sudo where that is needed
#   locked FILE COMMAND...  runs COMMAND while holding a lock on FILE
#   made_in_run DIR    was DIR made by the run of tests that this is a part of?
#   note_run DIR       says so of DIR

FAMFS_CACHE=${FAMFS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/famfs}
export FAMFS_CACHE
# The compiler tells which headers it has read: no file is preprocessed for that first,
# which would be a fifth of a build.
export CCACHE_DIR=$FAMFS_CACHE/ccache CCACHE_DEPEND=1

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

need()
{
	local cmd

	for cmd; do
		command -v "$cmd" >/dev/null ||
			die "the command '$cmd' is missing: run 'make deps' first"
	done
}

as_root()
{
	if [[ $EUID -eq 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "this needs root, and there is no sudo; as root, run: $*"
	fi
}

# The lock is on a descriptor of a subshell: it ends with the command, however
# that ends, and functions can be locked as well as programs.
locked()
{
	local file=$1

	shift
	mkdir -p "${file%/*}"
	(
		exec {fd}>"$file"
		flock "$fd"
		"$@"
	)
}

# To find out that nothing is to be made takes ten seconds each time, and a run of tests
# asks fifty times. It says by FAMFS_RUN what it is called; nobody edits what it tests.
# Who makes DIR anew removes the note, which may be another's.
made_in_run()
{
	[[ ${FAMFS_RUN:-} && $(cat "$1/run" 2>/dev/null) == "$FAMFS_RUN" ]]
}

note_run()
{
	printf '%s\n' "${FAMFS_RUN:-none}" >"$1/run"
}
