# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The target tree's own checkpatch over each patch, or over files. What it may
# say without harm is listed with a reason in tools/check/checkpatch.ignore.

CHECKPATCH_IGNORE=$HERE/../check/checkpatch.ignore

checkpatch_ignored()
{
	awk '/^#/ || NF == 0 { next }
		NF < 2 { print "no reason given for " $1 > "/dev/stderr"; exit 1 }
		{ print $1 }' "$CHECKPATCH_IGNORE" | paste -s -d ,
}

# checkpatch_run TREE ARGUMENT...: the arguments are checkpatch's.
checkpatch_run()
{
	local tree=$1 ignored

	shift
	ignored=$(checkpatch_ignored)
	(cd "$tree" && perl scripts/checkpatch.pl --strict --show-types \
		--no-summary --quiet --color=never ${ignored:+--ignore "$ignored"} "$@")
}

# checkpatch BASE
series_checkpatch()
{
	local base=$1 mail tree

	need perl
	scratch
	emit_mail "$base" "$SCRATCH/mail"
	tree=$(series_assemble "$base")
	for mail in "$SCRATCH"/mail/*.patch; do
		tap_is "checkpatch: ${mail##*/}" checkpatch_run "$tree" "$mail"
	done
	tap_done
}
