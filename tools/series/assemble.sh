# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A full kernel tree with the series in it, kept up to date: only files whose
# content changes are written, so that make has little to do. What was written
# is recorded in TREE/.series, so that an edit by hand is noticed, not lost.
#
#	.series/pristine	which source the tree was copied from
#	.series/files		the files of the series: blob id, tab, path

# Reads paths, prints 'id<tab>path' sorted; the id of a missing file is '-'.
tree_hash()
{
	local dir=$1 path there=() gone=()

	while read -r path; do
		if [[ -f $dir/$path ]]; then
			there+=("$path")
		else
			gone+=("$path")
		fi
	done
	{
		[[ ${#gone[@]} -eq 0 ]] || printf -- '-\t%s\n' "${gone[@]}"
		[[ ${#there[@]} -eq 0 ]] ||
			paste <(cd "$dir" && printf '%s\n' "${there[@]}" |
				git_plain hash-object --no-filters --stdin-paths) \
				<(printf '%s\n' "${there[@]}")
	} | sort
}

# Of lines 'id<tab>path' in a file: the paths with other content in the tree.
# A removed file is no edit worth keeping.
tree_edited()
{
	local tree=$1 expected=$2

	cut -f 2 "$expected" | tree_hash "$tree" | sed '/^-/d' |
		comm -23 - <(sort "$expected") | cut -f 2 | sort
}

refuse_edits()
{
	local tree=$1 edited=$2

	[[ ! $edited || ${FORCE:-} ]] ||
		die "edited by hand in $tree: ${edited//$'\n'/ }:" \
			"'series refresh' keeps the edits, FORCE=1 drops them"
}

# Copies the pristine source when there is no tree, or it is of another source.
# $3 is cp's way: a tree that nobody edits may share its files (-l).
tree_copy()
{
	local pristine=$1 tree=$2 how=$3 identity edited

	identity=$(base_identity "$pristine")
	[[ $(cat "$tree/.series/pristine" 2>/dev/null) != "$identity" ]] || return 0
	if [[ -d $tree/.series ]]; then
		edited=$(tree_edited "$tree" "$tree/.series/files")
		refuse_edits "$tree" "$edited"
	elif [[ -d $tree && $(ls -A "$tree") ]]; then
		die "$tree is there, and 'series assemble' did not make it"
	fi
	say "series: copying $pristine to $tree"
	rm -rf "$tree.part" "$tree"
	mkdir -p "${tree%/*}"
	cp -a "$how" "$pristine/." "$tree.part"
	rm -rf "$tree.part/.git" "$tree.part/.series"
	mkdir "$tree.part/.series"
	: >"$tree.part/.series/files"
	printf '%s\n' "$identity" >"$tree.part/.series/pristine"
	mv "$tree.part" "$tree"
}

# One file that differs: as the commit in GIT's work tree has it, which may be
# not at all; or as pristine has it, when the series no longer knows the file.
tree_put()
{
	local pristine=$1 tree=$2 git=$3 path=$4

	if [[ -e $git/$path ]]; then
		copy_into "$tree" "$path" "$git"
	elif [[ -e $pristine/$path ]] &&
	     ! git_plain -C "$git" cat-file -e "pristine:$path" 2>/dev/null; then
		copy_into "$tree" "$path" "$pristine"
	else
		rm -f "$tree/$path"
	fi
}

# Makes the tree hold what GIT's work tree holds, on top of pristine.
tree_sync()
{
	local pristine=$1 tree=$2 git=$3 state=$2/.series path paths todo edited

	git_plain -C "$git" ls-files | tree_hash "$git" >"$state/new"
	paths=$(cut -f 2 "$state/files" "$state/new" | sort -u)
	{
		cat "$state/files"
		comm -13 <(cut -f 2 "$state/files" | sort) <(echo "$paths") |
			tree_hash "$pristine"
	} >"$state/expected"
	todo=$(tree_hash "$tree" <<<"$paths" | comm -23 - "$state/new" | cut -f 2)
	edited=$(tree_edited "$tree" "$state/expected" |
		comm -12 - <(sort <<<"$todo"))
	refuse_edits "$tree" "$edited"
	for path in $todo; do
		tree_put "$pristine" "$tree" "$git" "$path"
	done
	rm "$state/expected"
	mv "$state/new" "$state/files"
}

# assemble BASE [DIR]: prints the path of the tree.
series_assemble()
{
	local base=$1 tree=${2:-$FAMFS_CACHE/tree/$1}

	tree=$(realpath -m "$tree")
	scratch_git "$base"
	locked "$tree.lock" assemble_locked "$tree"
	printf '%s\n' "$tree"
}

assemble_locked()
{
	# shellcheck disable=SC2153 # make_git sets it
	tree_copy "$PRISTINE" "$1" --reflink=auto
	tree_sync "$PRISTINE" "$1" "$SCRATCH/git"
}
