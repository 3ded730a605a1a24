# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The target tree's own checkpatch, less what is ignored for a reason.
#
#   checkpatch_run TREE IGNORE-FILE... -- ARGUMENT...
#
# An ignore file has lines 'TYPE REASON'. Any other message gives status 1.

checkpatch_ignored()
{
	awk '/^#/ || NF == 0 { next }
		NF < 2 { print FILENAME ": no reason given for " $1; bad = 1; exit 1 }
		{ list = list sep $1; sep = "," }
		END { if (!bad) print list }' "$@"
}

checkpatch_run()
{
	local tree=$1 lists=() ignored status=0

	shift
	while [[ $1 != -- ]]; do
		lists+=("$1")
		shift
	done
	shift
	ignored=$(checkpatch_ignored "${lists[@]}") || { echo "$ignored"; return 1; }
	(cd "$tree" && perl scripts/checkpatch.pl --strict --show-types \
		--no-summary --quiet --color=never --ignore "$ignored" "$@") || status=$?
	# It leaves a list of names there, for its next run.
	rm -f "$tree"/.checkpatch-camelcase.*
	return "$status"
}
