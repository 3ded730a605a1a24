# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The table of commits: patches/series names the folders patches/NN-name in
# order; each holds
#
#	message		subject, empty line, body; then a line 'Adds: PATH' for
#			each whole file of the checkout that the commit carries;
#			'Adds: PATH (BASE)' where it does on that base only
#	BASE.diff	changes of files that the base has (may be missing)

entries()
{
	[[ -f $TOP/patches/series ]] || die "there is no patches/series"
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$TOP/patches/series"
}

entry_file()
{
	printf '%s\n' "$TOP/patches/$1/$2"
}

entry_message_file()
{
	local file=$TOP/patches/$1/message

	[[ -f $file ]] || die "patches/$1 (named by patches/series) has no message"
	printf '%s\n' "$file"
}

# Whole files that the commit carries on BASE; without BASE: on any.
entry_adds()
{
	local file base=${2:-}

	file=$(entry_message_file "$1") || return
	awk -v base="$base" '/^Adds:/ { only = $3; gsub(/[()]/, "", only)
		if (base == "" || only == "" || only == base) print $2 }' "$file"
}

# Is the commit one for other bases?
entry_is_elsewhere()
{
	compgen -G "$TOP/patches/$1/*.diff" >/dev/null || [[ $(entry_adds "$1") ]]
}

# The entries that make a commit on BASE, in order.
base_entries()
{
	local base=$1 entry list

	list=$(entries)
	for entry in $list; do
		[[ ! -f $TOP/patches/$entry/$base.diff && ! $(entry_adds "$entry" "$base") ]] ||
			printf '%s\n' "$entry"
	done
}

# The message as it is committed: without its Adds: lines.
entry_message()
{
	local file

	file=$(entry_message_file "$1")
	sed '/^Adds:/d' "$file"
}

# Paths that a diff changes. git quotes odd names; the kernel has none.
diff_paths()
{
	# from outside: in a folder of a git, apply passes over what lies elsewhere
	git_plain -C / apply --numstat "$1" | cut -f 3
}

# Paths that the diffs of the whole series change on a base.
series_diff_paths()
{
	local base=$1 entry list

	list=$(entries)
	for entry in $list; do
		[[ ! -f $TOP/patches/$entry/$base.diff ]] ||
			diff_paths "$TOP/patches/$entry/$base.diff"
	done | sort -u
}

series_adds()
{
	local entry list

	list=$(entries)
	for entry in $list; do
		entry_adds "$entry"
	done
}
