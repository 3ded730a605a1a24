# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Debian packages unpacked into a private folder, with all they depend on. No
# maintainer script runs and no root is needed: what is wanted of a package here
# is its files. Source it, then call
#
#   unpack_packages SUITE DIR PKG...
#       fills DIR with PKG... of SUITE and everything they need, down to libc
#   foreign_command DIR PATH
#       prints the command line that runs PATH of DIR with the libraries of DIR,
#       whatever libc the system has

# shellcheck source=tools/lib/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/apt.sh"

LIB_TRIPLET=x86_64-linux-gnu

# A merged /usr, made first: packages of bookworm still carry files in /lib.
_merge_usr()
{
	local dir=$1 name

	for name in bin sbin lib lib64; do
		mkdir -p "$dir/usr/$name"
		ln -sfn "usr/$name" "$dir/$name"
	done
}

_unpack_deb()
{
	local deb=$1 dir=$2

	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$dir" --keep-directory-symlink --no-same-owner \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' \
			--exclude='./usr/share/lintian/*'
}

unpack_packages()
{
	local suite=$1 dir=$2 names debs deb

	shift 2
	names=$(apt_private install-names "$suite" "$@")
	mapfile -t names <<<"$names"
	say "packages: ${#names[@]} of $suite for: $*"
	debs=$(apt_private download "$suite" "${names[@]}")
	_merge_usr "$dir"
	while read -r deb; do
		_unpack_deb "$deb" "$dir" || die "cannot unpack $deb"
	done <<<"$debs"
}

foreign_command()
{
	local dir=$1 path=$2

	printf '%q --library-path %q %q' "$dir/lib64/ld-linux-x86-64.so.2" \
		"$dir/usr/lib/$LIB_TRIPLET" "$dir$path"
}
