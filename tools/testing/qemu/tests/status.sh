#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The machine tells how its command ended, and never calls a failure a success.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"

status_is()
{
	local name=$1 want=$2

	shift 2
	in_machine "$@"
	expect "$name" "$got" "$want"
}

status_is 'true is 0' 0 -- true
status_is 'false is 1' 1 -- false
status_is 'a status passes through' 57 -- sh -c 'exit 57'
status_is 'a missing command is 127' 127 -- /no/such/command
status_is 'death by a signal is 128 and its number' 143 -- sh -c 'kill $$'
status_is 'a command without an end is 124' 124 --timeout 25 -- sleep 1000
status_is 'a panic is 126' 126 -- sh -c 'echo c >/proc/sysrq-trigger'
status_is 'a set-up that fails is 125' 125 --share /usr:/proc/nowhere -- true
status_is 'a kernel that finds no root is 126' 126 --append root=/dev/nothing -- true
status_is 'an option that is none is 125' 125 --no-such-option 1 -- true
status_is 'a leftover process does not hold the machine' 0 -- \
	sh -c 'sleep 1000 & sleep 1000 2>&1 | cat & exit 0'
tap_done
