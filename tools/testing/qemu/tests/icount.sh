#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine that counts instructions: its time is what it does, not the host's.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"

# The first time round the shell and the kernel still learn.
# shellcheck disable=SC2016 # expanded in the machine
LOOP='for ((n = 0; n < 3; n++)); do
	start=$(date +%s%N)
	for ((i = 0; i < 20000; i++)); do :; done
	echo $(($(date +%s%N) - start))
done'

in_machine --icount --cpus 1 -- bash -c "$LOOP"
mapfile -t took <"$tmp/out"
apart=$((${took[2]:-0} - ${took[1]:-0}))
expect 'the same work takes the same time' \
	"${took[*]}: $((${apart#-} * 20 < ${took[1]:-0}))" "${took[*]}: 1"
in_machine --icount --cpus 1 -- sh -c 'sleep 2000; date -u +%Y'
expect 'it begins on the same day, and idling takes no time of the host' \
	"$got $(<"$tmp/out")" '0 2026'
tap_done
