# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# As many machines at once as the host has processors, the next one waits: under
# TCG more of them take longer together than one after the other, since a virtual
# processor that holds a lock is then often not running. A pair counts as one.
#
#   take_slot    returns when there is room; the slot is free again when this
#                process and its children have ended

try_slot()
{
	local i

	for ((i = 0; i < $(nproc); i++)); do
		exec {slot}>"$FAMFS_CACHE/qemu/slot.$i"
		flock -n "$slot" && return
		exec {slot}>&-
	done
	return 1
}

take_slot()
{
	[[ ! ${FAMFS_SLOT:-} ]] || return 0
	mkdir -p "$FAMFS_CACHE/qemu"
	try_slot && return
	say "${0##*/}: waiting for one of $(nproc) machines to end"
	until try_slot; do
		sleep 1
	done
}
