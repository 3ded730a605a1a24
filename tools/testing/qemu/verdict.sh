# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, timeout, log and shell are set by run
#
# How a machine ended. Sourced by run.

TIMED_OUT=124
NO_SETUP=125
KERNEL_FAILED=126

# What a kernel says when something is wrong. Not all of it ends in a panic:
# lockdep, sleeping in atomic context and kmemleak only print.
KERNEL_COMPLAINTS='Kernel panic|^(\[[^]]*\] *)?(WARNING: |BUG: |UBSAN: |Oops: |Internal error|general protection fault)|KASAN:|possible (circular|recursive|irq lock)|INFO: task .* blocked|suspicious RCU usage|held lock freed|bad unlock balance|new suspected memory leaks'

complained()
{
	grep -E -q "$KERNEL_COMPLAINTS" "$work/console"
}

explain()
{
	local lines=$1

	shift
	say "run: $*"
	[[ ! -s $work/qemu.err ]] || sed 's/^/  qemu: /' "$work/qemu.err" >&2
	tail -n "$lines" "$work/console" | tr -d '\r' | sed 's/^/  /' >&2
}

# From the first complaint on: what comes before seldom helps.
explain_complaint()
{
	say "run: the kernel complained:"
	tr -d '\r' <"$work/console" | grep -E -A 60 "$KERNEL_COMPLAINTS" |
		head -n 100 | sed 's/^/  /' >&2
}

# Exits with the status of the machine; $1 is that of QEMU.
verdict()
{
	local ended=$1

	[[ ! $log ]] || tr -d '\r' <"$work/console" >"$log"
	if complained; then
		explain_complaint
		exit "$KERNEL_FAILED"
	elif [[ $ended -eq $TIMED_OUT && -e $work/started ]]; then
		explain 100 "no end after $timeout seconds"
		exit "$TIMED_OUT"
	elif [[ ! -e $work/started ]]; then
		explain 25 "the machine did not get as far as the command$(failure)"
		exit "$NO_SETUP"
	elif [[ $shell && ! -s $work/status ]]; then
		exit 0	# its user killed the machine
	elif [[ ! -s $work/status ]]; then
		explain 25 "the machine ended before the command did"
		exit "$NO_SETUP"
	fi
	exit "$(<"$work/status")"
}

failure()
{
	[[ ! -s $work/failure ]] || printf ': %s' "$(<"$work/failure")"
}
