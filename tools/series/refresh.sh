# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Back from an edited tree, or an edited git, to this checkout: whole files are
# copied, diffs are made anew against the exact base (so offsets go away).
#
# Both ways meet in a git whose commits carry a Series-entry: line. Edits of the
# tree are first laid into such a git, as fixups of the commits they belong to.

# Files of the base or the series that are not as 'assemble' left them. New files
# are born in the checkout, so others in the tree are only mentioned.
tree_changes()
{
	local tree=$1 path

	tree_edited "$tree" "$tree/.series/files"
	find "$tree" -path "$tree/.series" -prune -o -type f \
		-newer "$tree/.series/pristine" -printf '%P\n' | sort |
		comm -23 - <(cut -f 2 "$tree/.series/files" | sort) |
		while read -r path; do
			if [[ ! -e $PRISTINE/$path ]]; then
				say "note: left alone, as neither linux nor a commit has it: $path"
			elif ! cmp -s "$tree/$path" "$PRISTINE/$path"; then
				printf '%s\n' "$path"
			fi
		done
}

# The entry that takes a change of PATH: the only one that touches the file;
# INTO, where there are several or none.
change_owner()
{
	local git=$1 path=$2 into=$3 owners

	owners=$(git_plain -C "$git" log pristine.. \
		--format='%(trailers:key=Series-entry,valueonly,separator=)' -- "$path")
	if [[ $owners && $owners != *$'\n'* ]]; then
		printf '%s\n' "$owners"
	elif [[ $into ]]; then
		printf '%s\n' "$into"
	elif [[ $owners ]]; then
		die "several commits touch $path (${owners//$'\n'/ }):" \
			"name the one that takes the change, by --into ENTRY"
	else
		die "no commit touches $path: name the one that shall, by --into ENTRY"
	fi
}

fixup_file()
{
	local git=$1 tree=$2 path=$3 into=$4 owner

	owner=$(change_owner "$git" "$path" "$into")
	git_plain -C "$git" rev-parse -q --verify "entry/$owner" >/dev/null ||
		die "no commit '$owner': see patches/series"
	copy_into "$git" "$path" "$tree"
	git_plain -C "$git" add -A -f
	git_plain -C "$git" commit -q --fixup="entry/$owner"
	say "series: $path: taken into $owner"
}

# Makes $SCRATCH/git with the tree's edits in the commits they belong to.
git_from_tree()
{
	local base=$1 tree=$2 into=$3 path changes log

	PRISTINE=$(base_fetch "$base")
	[[ -d $tree/.series ]] || die "there is no tree $tree: see 'series assemble'"
	changes=$(tree_changes "$tree" | sort -u)
	[[ $changes ]] || say "series: nothing is edited in $tree"
	SEED_PATHS=$changes scratch_git "$base" yes
	for path in $changes; do
		fixup_file "$SCRATCH/git" "$tree" "$path" "$into"
	done
	log=$(GIT_SEQUENCE_EDITOR=true git_plain -C "$SCRATCH/git" \
		rebase -q -i --autosquash pristine 2>&1) ||
		die "a change does not go below the commits after it: make it in a" \
			"git of 'series commits' and use --from. git says: $log"
}

write_if_new()
{
	local file=$1 text=$2

	[[ -f $file && $(cat "$file") == "$text" ]] && return
	mkdir -p "${file%/*}"
	printf '%s\n' "$text" >"$file"
	say "series: wrote ${file#"$TOP/"}"
}

# The tree below COMMIT with the whole files of ENTRY as the checkout has them:
# what the entry's diff applies to.
tree_below_diff()
{
	local git=$1 commit=$2 path mode blob

	shift 2
	export GIT_INDEX_FILE=$SCRATCH/index
	git_plain -C "$git" read-tree "$commit^"
	for path; do
		blob=$(git_plain -C "$git" hash-object -w --no-filters "$TOP/$path")
		mode=$(git_plain -C "$git" ls-tree --format='%(objectmode)' "$commit" "$path")
		git_plain -C "$git" update-index --add --cacheinfo "$mode,$blob,$path"
	done
	git_plain -C "$git" write-tree
	unset GIT_INDEX_FILE
}

# Whole files of a commit, as paths: new ones, whether Adds: names them yet or
# not. One that the entry's diff adapts to the base stays as the checkout has it.
refresh_whole()
{
	local git=$1 commit=$2 adapted=$3 path

	git_plain -C "$git" diff --no-renames --diff-filter=A --name-only "$commit^" "$commit" |
		while read -r path; do
			printf '%s\n' "$path"
			grep -qxF "$path" <<<"$adapted" ||
				cmp -s "$TOP/$path" <(git_plain -C "$git" show "$commit:$path") || {
				# an archive keeps the mode and makes the folders
				git_plain -C "$git" archive "$commit" "$path" | tar -x -m -C "$TOP"
				say "series: wrote $path"
			}
		done
}

refresh_diff()
{
	local git=$1 commit=$2 file=$3 below text

	shift 3
	below=$(tree_below_diff "$git" "$commit" "$@")
	# The blob ids would change with every point release, and nothing reads them.
	text=$(git_plain -C "$git" diff --no-renames "$below" "$commit" | sed '/^index /d')
	if [[ $text ]]; then
		write_if_new "$file" "$text"
	elif [[ -f $file ]]; then
		rm "$file"
		say "series: removed ${file#"$TOP/"}"
	fi
}

refresh_message()
{
	local base=$1 git=$2 commit=$3 entry=$4 text adds

	shift 4
	text=$(git_plain -C "$git" log -1 --format=%B "$commit" | sed '/^Series-entry:/d')
	adds=$(refresh_adds "$base" "$entry" "$@")
	[[ ! $adds ]] || text+=$'\n\n'$adds
	write_if_new "$TOP/patches/$entry/message" "$text"
}

# The lines Adds: of ENTRY: those for other bases as they are, and one for each of
# the paths that the commit carries on BASE, as it was if there was one.
refresh_adds()
{
	local base=$1 entry=$2 file=$TOP/patches/$2/message

	shift 2
	awk -v base="$base" -v paths="$*" 'BEGIN { n = split(paths, path, " ")
			for (i = 1; i <= n; i++) there[path[i]] = 1 }
		/^Adds:/ { only = $3; gsub(/[()]/, "", only)
			if ($2 in there || (only != "" && only != base)) print
			delete there[$2] }
		END { for (i = 1; i <= n; i++) if (path[i] in there) print "Adds: " path[i] }' "$file"
}

refresh_entry()
{
	local base=$1 git=$2 commit=$3 entry=$4 diff adapted='' adds

	diff=$TOP/patches/$entry/$base.diff
	[[ ! -f $diff ]] || adapted=$(comm -12 <(diff_paths "$diff" | sort) <(entry_adds "$entry" "$base" | sort))
	adds=$(refresh_whole "$git" "$commit" "$adapted")
	# shellcheck disable=SC2086 # one word a path
	refresh_diff "$git" "$commit" "$diff" $adds
	# shellcheck disable=SC2086
	refresh_message "$base" "$git" "$commit" "$entry" $adds
}

refresh_from_git()
{
	local base=$1 git=$2 commit commits entry found=''

	commits=$(git_plain -C "$git" rev-list --reverse pristine..)
	for commit in $commits; do
		entry=$(git_plain -C "$git" log -1 "$commit" \
			--format='%(trailers:key=Series-entry,valueonly,separator=)')
		[[ -d $TOP/patches/$entry && $entry && $entry != */* ]] ||
			die "$(git_plain -C "$git" log -1 --format='%h "%s"' "$commit")" \
				"has no line 'Series-entry: NN-name' that names a folder of patches/"
		refresh_entry "$base" "$git" "$commit" "$entry"
		found+=$entry$'\n'
	done
	[[ $found == "$(base_entries "$base")"$'\n' ]] ||
		say "note: the commits are not those of patches/series, in its order:" \
			"${found//$'\n'/ }"
}

# refresh BASE [--into ENTRY] | refresh BASE --from DIR
series_refresh()
{
	local base=$1 into='' from=''

	shift
	while [[ $# -ge 2 ]]; do
		case $1 in
		--into)	into=$2 ;;
		--from)	from=$(realpath "$2") ;;
		*)	break ;;
		esac
		shift 2
	done
	[[ $# -eq 0 ]] || { usage >&2; exit 2; }
	base_load "$base"
	scratch
	if [[ $from ]]; then
		refresh_from_git "$base" "$from"
	else
		git_from_tree "$base" "$FAMFS_CACHE/tree/$base" "$into"
		refresh_from_git "$base" "$SCRATCH/git"
		series_assemble "$base" >/dev/null
	fi
}
