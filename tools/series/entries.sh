# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The table of commits: patches/series names the folders patches/NN-name in
# order; each holds
#
#	message		subject, empty line, body; then a line 'Adds: PATH' for
#			each whole file of the checkout that the commit carries
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

# Whole files that the commit carries.
entry_adds()
{
	local file

	file=$(entry_message_file "$1")
	sed -n 's/^Adds:[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*$/\1/p' "$file"
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
