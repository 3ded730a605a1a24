# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# checkpatch over each patch of the series.

# checkpatch BASE
series_checkpatch()
{
	local base=$1 mail tree

	need perl
	scratch
	emit_mail "$base" "$SCRATCH/mail"
	tree=$(series_assemble "$base")
	for mail in "$SCRATCH"/mail/*.patch; do
		tap_is "checkpatch: ${mail##*/}" checkpatch_run "$tree" \
			"$HERE/../check/checkpatch.ignore" -- "$mail"
	done
	tap_done
}
