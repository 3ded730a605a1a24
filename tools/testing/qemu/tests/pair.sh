#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two machines on one memory file see each other's bytes, through the node.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"

in_pair()
{
	got=0
	"$qemu_dir/pair" --kernel "${TEST_KERNEL:-plain}" --timeout 180 "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
}

# Each writes its half, then reads the other's; 4 MiB, so that a lost or stale
# part would show.
# shellcheck disable=SC2016 # expanded in the machines
exchange='set -e
dev=$FAMFS_DAXDEVS other=$((3 - FAMFS_HOST))
dd if=/data/$FAMFS_HOST of=$dev bs=1M seek=$((FAMFS_HOST * 8)) conv=notrunc status=none
meet written
dd if=$dev bs=1M skip=$((other * 8)) count=4 status=none | cmp - /data/$other
echo "machine $FAMFS_HOST read what $other wrote"'

exchange_over()
{
	local name=$1 option=$2 size=$3

	rm -f "$tmp/memory"
	in_pair "$option" "$size:$tmp/memory" --share "$tmp/data:/data:ro" -- \
		bash -c "$exchange"
	expect "$name: both succeed" "$got" 0
	expect "$name: each read the other's bytes" "$(sort "$tmp/out")" \
		$'# 2: machine 2 read what 1 wrote\nmachine 1 read what 2 wrote'
}

mkdir "$tmp/data"
head -c 4M /dev/urandom >"$tmp/data/1"
head -c 4M /dev/urandom >"$tmp/data/2"
exchange_over NVDIMM --nvdimm 64M
exchange_over CXL --cxl 256M
# shellcheck disable=SC2016 # expanded in the machines
in_pair -- sh -c 'test $FAMFS_HOST = 1 || exit 9'
expect "a failure of machine 2 is one of the pair" "$got" 9
# shellcheck disable=SC2016 # expanded in the machines
in_pair -- sh -c 'test $FAMFS_HOST = 1 || meet nowhere 3'
expect 'a meeting to which nobody comes fails' "$got" 1
tap_done
