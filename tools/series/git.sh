# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The series as a throw-away git: one commit with the pristine files that the
# series changes, then one commit for each entry. It holds only touched files,
# so it is made in a second, and yet its patches fit a full tree.

# git without the user's and the system's settings (signing, hooks, line ends,
# diff options) and without a repository that happens to lie above.
git_plain()
{
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=/ \
		git -c core.quotePath=false -c core.autocrlf=false \
		-c core.hooksPath=/dev/null -c gc.auto=0 -c advice.detachedHead=false "$@"
}

# Commits carry the developer's name, or the project's where git knows none, and
# the date of the checkout's last commit, so that the same series is the same mail.
commit_identity()
{
	local name mail date

	name=$(git -C "$TOP" config user.name || echo 'famfs developers')
	mail=$(git -C "$TOP" config user.email || echo 'famfs@localhost')
	date=$(git -C "$TOP" log -1 --format=%cI 2>/dev/null || true)
	export GIT_AUTHOR_NAME=$name GIT_COMMITTER_NAME=$name
	export GIT_AUTHOR_EMAIL=$mail GIT_COMMITTER_EMAIL=$mail
	export GIT_AUTHOR_DATE=${date:-$(date -Is)}
	export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
}

# copy_into DIR PATH FROM: puts FROM/PATH at DIR/PATH.
copy_into()
{
	mkdir -p "$(dirname "$1/$2")"
	cp --remove-destination --preserve=mode "$3/$2" "$1/$2"
}

# First commit: the files of the pristine source that the series will change,
# and those in SEED_PATHS.
commit_pristine()
{
	local base=$1 dir=$2 path paths

	paths=$(series_diff_paths "$base")
	for path in $paths ${SEED_PATHS:-}; do
		[[ ! -e $PRISTINE/$path ]] || copy_into "$dir" "$path" "$PRISTINE"
	done
	git_plain -C "$dir" add -A -f
	git_plain -C "$dir" commit -q --allow-empty \
		-m "linux $(tree_version "$PRISTINE")"
	git_plain -C "$dir" tag pristine
}

apply_diff()
{
	local dir=$1 diff=$2 log

	if ! log=$(git_plain -C "$dir" apply -v --whitespace=nowarn "$diff" 2>&1); then
		printf '%s\n' "$log" | grep -E '^error:' >&2 || printf '%s\n' "$log" >&2
		die "${diff#"$TOP/"} does not apply to linux $(tree_version "$PRISTINE")" \
			"(offsets are accepted, fuzz never)"
	fi
	grep '^Hunk .*(offset' <<<"$log" |
		sed "s|^|note: ${diff#"$TOP/"}: |" >&2 || true
}

commit_entry()
{
	local base=$1 dir=$2 entry=$3 trailer=$4 path adds
	local diff=$TOP/patches/$entry/$base.diff

	adds=$(entry_adds "$entry" "$base")
	for path in $adds; do
		[[ -f $TOP/$path ]] ||
			die "patches/$entry adds $path, which is not in the checkout"
		[[ ! -e $PRISTINE/$path ]] ||
			die "patches/$entry adds $path, which linux" \
				"$(tree_version "$PRISTINE") has already"
		copy_into "$dir" "$path" "$TOP"
	done
	[[ ! -f $diff ]] || apply_diff "$dir" "$diff"
	git_plain -C "$dir" add -A -f
	if git_plain -C "$dir" diff --cached --quiet; then
		entry_is_elsewhere "$entry" ||
			say "note: patches/$entry changes nothing on base $base: left out"
		return
	fi
	{
		entry_message "$entry"
		[[ $trailer == no ]] || printf '\nSeries-entry: %s\n' "$entry"
	} | git_plain -C "$dir" commit -q --cleanup=whitespace -F -
	git_plain -C "$dir" tag "entry/$entry"
}

# make_git BASE DIR TRAILER: TRAILER yes marks each commit with its entry's name,
# for refresh to know it again after a rebase. DIR must be empty or new. Sets
# PRISTINE, the path of the source below the series.
make_git()
{
	local base=$1 dir=$2 trailer=$3 entry list

	PRISTINE=$(base_fetch "$base")
	list=$(entries)
	commit_identity
	mkdir -p "$dir"
	git_plain -c init.defaultBranch=series init -q "$dir"
	commit_pristine "$base" "$dir"
	for entry in $list; do
		commit_entry "$base" "$dir" "$entry" "$trailer"
	done
}

# A folder for one call, removed when the tool ends.
scratch()
{
	if [[ -z ${SCRATCH:-} ]]; then
		mkdir -p "$FAMFS_CACHE/tmp"
		SCRATCH=$(mktemp -d "$FAMFS_CACHE/tmp/series.XXXXXX")
		trap 'rm -rf "$SCRATCH"' EXIT
	fi
}

scratch_git()
{
	scratch
	rm -rf "$SCRATCH/git"
	make_git "$1" "$SCRATCH/git" "${2:-no}"
}
