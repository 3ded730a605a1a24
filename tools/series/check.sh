# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Structural checks of the series, as TAP: table, messages, files, diffs, and
# that the mail on a pristine tree gives the tree that is built.

# Where a file of this checkout is a kernel file.
KERNEL_PATHS=(fs drivers include lib mm Documentation tools/testing/selftests)
SUBJECT_LIMIT=60
HOOK_LIMIT=150

complain()
{
	printf '%s\n' "$*"
	COMPLAINTS=$((${COMPLAINTS:-0} + 1))
}

no_complaints()
{
	[[ ${COMPLAINTS:-0} -eq 0 ]]
}

# Folders and table name the same entries, each once.
check_table()
{
	local name

	for name in $(entries | sort | uniq -d); do
		complain "patches/series names $name twice"
	done
	for name in $(entries); do
		[[ -d $TOP/patches/$name ]] ||
			complain "patches/series names $name, which is no folder"
	done
	for name in "$TOP"/patches/[0-9]*/; do
		name=$(basename "$name")
		entries | grep -qxF "$name" ||
			complain "patches/$name is not in patches/series"
	done
	no_complaints
}

check_message()
{
	local file subject second rest

	file=$(entry_message_file "$1")
	{ IFS= read -r subject; IFS= read -r second; rest=$(sed '/^Adds:/d'); } <"$file" || true
	[[ ${#subject} -le $SUBJECT_LIMIT ]] ||
		complain "subject of ${#subject} characters, $SUBJECT_LIMIT is the limit"
	[[ $subject =~ ^[A-Za-z][^:]*:\ .*[^.]$ ]] ||
		complain "subject is not of the form 'area: verb what', without a full stop"
	[[ ! $second ]] || complain "no empty line after the subject"
	[[ $rest =~ [^[:space:]] ]] || complain "no body that says why"
	! grep -in '^signed-off-by:' "$file" ||
		complain "signed off; who submits the series signs it, by git am -s"
	no_complaints
}

# Kernel files in the checkout, tracked or about to be.
kernel_files()
{
	(cd "$TOP" && git ls-files -co --exclude-standard -- "${KERNEL_PATHS[@]}") |
		while read -r path; do
			[[ ! -f $TOP/$path ]] || printf '%s\n' "$path"
		done | sort -u
}

check_adds()
{
	local path

	while read -r path; do
		complain "added twice: $path"
	done < <(series_adds | sort | uniq -d)
	while read -r path; do
		complain "no commit adds $path"
	done < <(kernel_files | comm -23 - <(series_adds | sort -u))
	while read -r path; do
		complain "not in the checkout: $path"
	done < <(series_adds | sort -u | comm -23 - <(kernel_files))
	no_complaints
}

# Whole files do not hide in diffs, where nobody can grep or compile them.
check_diff()
{
	local base=$1 entry=$2 diff=$TOP/patches/$2/$1.diff

	! grep -n '^new file mode' "$diff" ||
		complain "a new file belongs in the checkout, named by Adds:"
	! grep -niE '^\+.*(signed-off-by:)' "$diff" || complain "signed off"
	[[ $(diff_paths "$diff") ]] || complain "an empty diff"
	no_complaints
}

# Lines that the diffs add to or take from existing files of fs/fuse. Where a diff
# adapts a whole file of the series to its base, that is no hook.
hook_lines()
{
	local base=$1 entry

	for entry in $(entries); do
		cat "$TOP/patches/$entry/$base.diff" 2>/dev/null || true
	done | awk -v whole="$(series_adds | tr '\n' ' ')" '
		BEGIN { n = split(whole, path, " ")
			for (i = 1; i <= n; i++) added["b/" path[i]] = 1
			n = 0 }
		/^diff --git /{ body = 0 } /^@@/{ body = 1 }
		/^\+\+\+ /{ if (!body) hook = $2 ~ /^b\/fs\/fuse\// && !($2 in added) }
		body && /^[+-]/ { n += hook } END { print n + 0 }'
}

check_budget()
{
	local lines

	lines=$(hook_lines "$1")
	[[ $lines -le $HOOK_LIMIT ]] ||
		complain "$lines lines of hooks in existing files of fs/fuse, $HOOK_LIMIT is the limit"
	no_complaints
}

# All paths, relative, where two trees differ. Files of equal size and time are
# taken for equal, which saves reading three gigabytes.
tree_differences()
{
	local a=$1 b=$2 path

	comm -3 <(tree_list "$a") <(tree_list "$b") | sed 's/^\t//; s/ [^ ]* [^ ]*$//' |
		sort -u | while read -r path; do
			cmp -s "$a/$path" "$b/$path" || printf '%s\n' "$path"
		done
}

# Without what tools leave in a tree that they run from.
tree_list()
{
	find "$1" -path "$1/.series" -prune -o -path "$1/.git" -prune -o \
		-name __pycache__ -prune -o -name '.checkpatch-*' -prune -o \
		\( -type f -o -type l \) -printf '%P %s %T@\n' | sort
}

# git am in a tree that is pristine as far as the mail can see it: it holds each
# file that a mail names, if the pristine source has that file.
mail_applied()
{
	local pristine=$1 mail=$2 dir=$3 path

	git_plain init -q "$dir"
	for path in $(cat "$mail"/*.patch | git_plain -C / apply --numstat - | cut -f 3 | sort -u); do
		[[ ! -e $pristine/$path ]] || copy_into "$dir" "$path" "$pristine"
	done
	git_plain -C "$dir" add -A -f
	git_plain -C "$dir" commit -q --allow-empty -m pristine
	git_plain -C "$dir" am -q "$mail"/*.patch
}

check_mail()
{
	local base=$1 tree path

	emit_mail "$base" "$SCRATCH/mail"
	# shellcheck disable=SC2153 # make_git sets it
	mail_applied "$PRISTINE" "$SCRATCH/mail" "$SCRATCH/am"
	tree=$(series_assemble "$base")
	while read -r path; do
		complain "$path differs between the mail and the tree"
	done < <(tree_differences "$PRISTINE" "$tree" | mail_mismatches "$SCRATCH/am" "$tree")
	no_complaints
}

# Reads paths that the tree changes; prints those that the mail does not change
# in the same way, and those that only the mail changes.
mail_mismatches()
{
	local am=$1 tree=$2 path

	sort -u - <(git_plain -C "$am" diff --no-renames --name-only \
			"$(git_plain -C "$am" rev-list --max-parents=0 HEAD)" HEAD) |
		while read -r path; do
			[[ ! -e $am/$path && ! -e $tree/$path ]] ||
				cmp -s "$am/$path" "$tree/$path" || printf '%s\n' "$path"
		done
}

series_check()
{
	local base=$1 entry list

	base_load "$base"
	list=$(entries)
	scratch
	tap_is "series: the table and the folders agree" check_table
	for entry in $list; do
		tap_is "series: message of $entry" check_message "$entry"
		[[ ! -f $TOP/patches/$entry/$base.diff ]] ||
			tap_is "series: $base.diff of $entry" check_diff "$base" "$entry"
	done
	tap_is "series: each kernel file is added by one commit" check_adds
	tap_is "series: hooks in existing files of fs/fuse: $(hook_lines "$base") lines" \
		check_budget "$base"
	tap_is "series: the mail on a pristine tree is the assembled tree" \
		check_mail "$base"
	tap_done
}
