#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The debug kernel finds mistakes, and the machine reports them: each of these
# makes one on purpose, by the kernel's lkdtm.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"
TEST_KERNEL=debug

provoke()
{
	local mistake=$1 sign=$2

	in_machine --log "$tmp/log" -- \
		sh -c "echo $mistake >/sys/kernel/debug/provoke-crash/DIRECT"
	expect "$mistake is 126" "$got" 126
	grep -q "$sign" "$tmp/log"
	expect "$mistake: the log says '$sign'" "$?" 0
}

provoke WARNING 'WARNING: .*lkdtm'
provoke READ_AFTER_FREE 'BUG: KASAN: '
provoke ARRAY_BOUNDS 'UBSAN: array-index-out-of-bounds'
in_machine --kmemleak -- true
expect 'a machine that does nothing leaks nothing' "$got" 0
tap_done
