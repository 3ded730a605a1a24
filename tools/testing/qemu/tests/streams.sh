#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes in and out of the machine: arguments, output, variables, folders.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/testing/qemu/tests/common.sh
. "$here/common.sh"

arguments()
{
	in_machine -- printf '[%s]' 'a b' '' "it's" $'two\nlines' "\$HOME" '*'
	expect 'arguments arrive as they are' "$(<"$tmp/out")" \
		"$(printf '[%s]' 'a b' '' "it's" $'two\nlines' "\$HOME" '*')"
}

output()
{
	in_machine -- sh -c 'echo to out; echo to err >&2; echo again >/dev/stdout'
	expect 'standard output comes out alone' "$(<"$tmp/out")" $'to out\nagain'
	expect 'standard error comes out alone' "$(<"$tmp/err")" 'to err'
}

# Each byte must pass as it is, also through a pipe that is full at times.
binary_output()
{
	head -c 8M /dev/urandom >"$tmp/data"
	in_machine --share "$tmp:/data:ro" -- cat /data/data
	expect 'eight million bytes pass unchanged' "$(sha256sum <"$tmp/out")" \
		"$(sha256sum <"$tmp/data")"
}

variables()
{
	# shellcheck disable=SC2016 # expanded in the machine
	in_machine --env 'NAME=two words' -- sh -c 'echo "$NAME"'
	expect 'a variable is set' "$(<"$tmp/out")" 'two words'
}

# The status of a test of writability is the command's last.
folders()
{
	mkdir "$tmp/rw" "$tmp/ro"
	echo from the host >"$tmp/ro/file"
	in_machine --share "$tmp/rw:/mnt/rw" --share "$tmp/ro:/mnt/ro:ro" -- \
		sh -c 'cat /mnt/ro/file >/mnt/rw/copy; test -x /src/tools/testing/qemu/run &&
			! touch /mnt/ro/new'
	expect 'a shared folder is written to' "$(cat "$tmp/rw/copy")" 'from the host'
	expect 'the checkout is there, a read-only folder is read-only' "$got" 0
}

# Two boots in a row: the second one must not see what the first one wrote.
fresh_root()
{
	in_machine -- sh -c 'rm /usr/bin/fio && touch /etc/new && test ! -e /usr/bin/fio'
	expect 'the root can be written' "$got" 0
	in_machine -- sh -c 'test -x /usr/bin/fio && test ! -e /etc/new'
	expect 'every boot has the same root' "$got" 0
}

arguments
output
binary_output
variables
folders
fresh_root
tap_done
