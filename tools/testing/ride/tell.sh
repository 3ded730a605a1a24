# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# How the ride speaks: everything for the reader goes through here, to stdout.
#
#   title TEXT          the head
#   step TEXT           begins the next numbered step
#   tell TEXT...        plain words, filled to lines
#   shown WHERE COMMAND what is typed, and on which machine
#   result              quotes its input: what a command printed
#   held TEXT           a claim that held; remembered for the summary
#   summary             all of them
#   waiting SECONDS     shows on a terminal that something takes its time
#   fail TEXT [FILE]    the step did not hold: says so, shows the end of FILE, and
#                       ends the ride
#
# shellcheck disable=SC2154 # set by ride: log

step_number=0 step_name='set-up' claims=() waited=0
bold='' dim='' good='' bad='' plain='' terminal=''
exec {voice}>&1
[[ ! -t 1 ]] || terminal=yes
if [[ $terminal && ! ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' plain=$'\e[0m'
fi

title()
{
	printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

step()
{
	step_name=$*
	printf '\n%s%2d  %s%s\n' "$bold" $((++step_number)) "$*" "$plain"
}

tell()
{
	fold -s -w 72 <<<"$*" | sed -e 's/ *$//' -e 's/^/    /'
}

shown()
{
	printf '    %s%s%s %s%s%s\n' "$dim" "$1" "$plain" "$bold" "$2" "$plain"
}

result()
{
	sed -e "s/^/      $dim/" -e "s/\$/$plain/"
}

held()
{
	claims+=("$*")
	fold -s -w 68 <<<"$*" |
		sed -e 's/ *$//' -e "1s/^/    ${good}ok$plain  /" -e '2,$s/^/        /'
}

summary()
{
	local claim

	title "All of it held:"
	for claim in "${claims[@]}"; do
		fold -s -w 72 <<<"$claim" | sed -e 's/ *$//' -e '1s/^/  - /' -e '2,$s/^/    /'
	done
}

# Goes past whatever stdout is at the moment; 0 wipes it away.
waiting()
{
	[[ $terminal && $1 -ne $waited ]] || return 0
	waited=$1
	if (($1)); then
		printf '\r      %s... %d s%s' "$dim" "$1" "$plain" >&"$voice"
	else
		printf '\r\e[K' >&"$voice"
	fi
}

fail()
{
	waiting 0
	exec 1>&2
	printf '\n%sThis did not hold, in step %d (%s):%s\n' \
		"$bad" "$step_number" "$step_name" "$plain"
	tell "$1"
	[[ ! -s ${2:-} ]] || tail -n 20 "$2" | result
	tell "All that the machines said is in $log"
	exit 1
}
