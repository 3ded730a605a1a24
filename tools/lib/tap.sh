# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Test results in TAP, for tests that are shell scripts.
#
#   tap_ok NAME, tap_not_ok NAME [DETAIL...]
#                         one result; the details follow as comments
#   tap_is NAME COMMAND...   ok when COMMAND succeeds; its output is the detail
#   tap_shown NAME COMMAND...   the same, but its standard error is shown as it
#                         comes, for what takes long
#   tap_fails NAME PATTERN COMMAND...
#                         ok when COMMAND fails with PATTERN in its output
#   tap_done              prints the plan; status 1 when anything failed

TAP_COUNT=0
TAP_FAILED=0

tap_ok()
{
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s\n' "$TAP_COUNT" "$1"
}

tap_not_ok()
{
	TAP_COUNT=$((TAP_COUNT + 1))
	TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_COUNT" "$1"
	shift
	[[ $# -eq 0 ]] || printf '%s\n' "$@" | sed 's/^/# /'
}

tap_is()
{
	local name=$1 log status

	shift
	# In an 'if', bash would ignore set -e in all that COMMAND does.
	set +e
	log=$(set -e; "$@" 2>&1)
	status=$?
	set -e
	if [[ $status -eq 0 ]]; then
		tap_ok "$name"
	else
		tap_not_ok "$name" "$log"
	fi
}

tap_shown()
{
	local name=$1

	shift
	if "$@" >/dev/null; then
		tap_ok "$name"
	else
		tap_not_ok "$name"
	fi
}

tap_fails()
{
	local name=$1 pattern=$2 log status

	shift 2
	set +e
	log=$(set -e; "$@" 2>&1)
	status=$?
	set -e
	if [[ $status -eq 0 ]]; then
		tap_not_ok "$name" "succeeded, and should have failed" "$log"
	elif grep -q -e "$pattern" <<<"$log"; then
		tap_ok "$name"
	else
		tap_not_ok "$name" "its message lacks '$pattern'" "$log"
	fi
}

tap_done()
{
	printf '1..%d\n' "$TAP_COUNT"
	[[ $TAP_FAILED -eq 0 ]]
}
