# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # got is for the tests
#
# For the tests of the machine: runs it, and compares.
#
#   in_machine ARGUMENT...    calls "run"; sets got, and leaves what came out in
#                             $tmp/out and $tmp/err
#   expect NAME GOT WANT      a result: ok when both are the same
#
# TEST_KERNEL is the kernel to boot: plain unless told otherwise, as what is tested
# is the machine.

qemu_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/lib/tap.sh
. "$qemu_dir/../../lib/tap.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

in_machine()
{
	got=0
	"$qemu_dir/run" --kernel "${TEST_KERNEL:-plain}" --timeout 240 "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	sed -i "/: waiting for one of/d" "$tmp/err"
}

expect()
{
	local name=$1 have=$2 want=$3

	if [[ $have == "$want" ]]; then
		tap_ok "$name"
	else
		tap_not_ok "$name" "got:" "$have" "wanted:" "$want" "stderr:" \
			"$(tail -n 20 "$tmp/err" 2>/dev/null)"
	fi
}
