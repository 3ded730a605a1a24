# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The series for others: as a git to work on, and as mail.

empty_dir()
{
	[[ ! -e $1 || (-d $1 && ! $(ls -A "$1")) ]] ||
		die "$1 is there and not empty: remove it, or name another folder"
}

# commits BASE DIR
series_commits()
{
	empty_dir "$2"
	make_git "$1" "$(realpath -m "$2")" yes
	say "$2: change it with git (git rebase -i pristine), then" \
		"'series refresh $1 --from $2' brings the change back"
}

# patches/cover-letter: subject, empty line, text.
cover_letter()
{
	[[ -f $TOP/patches/cover-letter ]] || return 0
	git_plain -C "$1" config branch.series.description \
		"$(cat "$TOP/patches/cover-letter")"
	echo --cover-letter --cover-from-description=subject
}

# The series as DIR/NNNN-subject.patch. The cover letter gets another ending,
# as 'git am DIR/*.patch' would stumble over a mail without a patch, and
# 'git send-email DIR' takes every file.
emit_mail()
{
	local base=$1 dir=$2 cover
	local options=(--no-signature --no-renames --full-index -q)

	scratch_git "$base"
	cover=$(cover_letter "$SCRATCH/git")
	# shellcheck disable=SC2086 # two words or none
	git_plain -C "$SCRATCH/git" format-patch "${options[@]}" -o "$dir" $cover pristine
	[[ ! $cover ]] || mv "$dir/0000-cover-letter.patch" "$dir/0000-cover-letter.mail"
}

# emit BASE DIR: what an earlier emit left in DIR is replaced.
series_emit()
{
	local base=$1 dir

	dir=$(realpath -m "$2")
	[[ ! -d $dir ]] || rm -f "$dir"/[0-9][0-9][0-9][0-9]-*.{patch,mail}
	empty_dir "$dir"
	emit_mail "$base" "$dir"
	say "series: $(find "$dir" -name '*.patch' | wc -l) patches for linux" \
		"$(tree_version "$PRISTINE"); there: git am $dir/*.patch"
}
