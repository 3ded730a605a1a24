# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The pristine source of a base: described by patches/bases/BASE, fetched as a
# Debian package, or given by KSRC= as a tree or tarball.

# Reads patches/bases/BASE into the array BASE_INFO, or says which bases exist.
base_load()
{
	local base=$1 file=$TOP/patches/bases/$1 key value

	[[ -f $file ]] ||
		die "no base '$base': there are: $(cd "$TOP/patches/bases" && echo *)"
	declare -gA BASE_INFO=([name]=$base)
	while read -r key value; do
		[[ -z $key || $key == '#'* ]] || BASE_INFO[$key]=$value
	done <"$file"
	for key in package suite from before; do
		[[ ${BASE_INFO[$key]:-} ]] || die "$file does not say '$key'"
	done
}

# VERSION.PATCHLEVEL.SUBLEVEL of a kernel tree.
tree_version()
{
	awk '$2 == "=" && $1 ~ /^(VERSION|PATCHLEVEL|SUBLEVEL)$/ { v[$1] = $3 }
		/^NAME/ { exit }
		END { printf "%s.%s.%s\n", v["VERSION"], v["PATCHLEVEL"], v["SUBLEVEL"] }' \
		"$1/Makefile"
}

# True when version $1 is older than version $2.
version_before()
{
	[[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

base_verify()
{
	local dir=$1 what=$2 version

	[[ -f $dir/Makefile && -d $dir/fs/fuse ]] || die "$what is no kernel source"
	version=$(tree_version "$dir")
	if version_before "$version" "${BASE_INFO[from]}" ||
	   ! version_before "$version" "${BASE_INFO[before]}"; then
		die "$what is linux $version; base ${BASE_INFO[name]} is for" \
			"${BASE_INFO[from]} up to, not including, ${BASE_INFO[before]}"
	fi
}

# Unpacks a kernel tarball from standard input; complete or not there at all.
# $3 names the compression as tar's option does.
unpack_source()
{
	local dir=$1 stamp=$2 how=$3 part=$1.part

	rm -rf "$part"
	mkdir -p "$part"
	tar -x "$how" --strip-components=1 -C "$part" ||
		die "could not unpack $stamp"
	rm -rf "$dir"
	mv "$part" "$dir"
	printf '%s\n' "$stamp" >"$dir.stamp"
}

fetch_package()
{
	local dir=$FAMFS_CACHE/src/${BASE_INFO[name]} pkg=${BASE_INFO[package]}
	local suite=${BASE_INFO[suite]} deb

	if [[ ! -d $dir || $(cat "$dir.stamp" 2>/dev/null) != "$pkg "* ]]; then
		say "series: getting $pkg from Debian $suite"
		apt_private versions "$suite" "$pkg" >/dev/null ||
			die "Debian $suite has no package $pkg (any more, or there is" \
				"no network): get the source of linux ${BASE_INFO[from]}" \
				"elsewhere and name it with KSRC=, a tree or a tarball"
		deb=$(apt_private download "$suite" "$pkg")
		say "series: unpacking ${deb##*/}"
		dpkg-deb --fsys-tarfile "$deb" |
			tar -xO "./usr/src/$pkg.tar.xz" |
			unpack_source "$dir" "$pkg ${deb##*/}" -J
	fi
	base_verify "$dir" "$pkg"
	printf '%s\n' "$dir"
}

fetch_tarball()
{
	local file dir=$FAMFS_CACHE/src/${BASE_INFO[name]}-ksrc stamp

	file=$(realpath "$1")
	stamp="$file $(stat -c '%s %Y' "$file")"
	if [[ ! -d $dir || $(cat "$dir.stamp" 2>/dev/null) != "$stamp" ]]; then
		say "series: unpacking $file"
		# From a pipe tar cannot see the compression, but from the name.
		tar_how "$file"
		unpack_source "$dir" "$stamp" "$TAR_HOW" <"$file"
	fi
	base_verify "$dir" "KSRC=$1"
	printf '%s\n' "$dir"
}

tar_how()
{
	case $1 in
	*.tar)		TAR_HOW=--no-auto-compress ;;
	*.tar.gz|*.tgz)	TAR_HOW=-z ;;
	*.tar.xz)	TAR_HOW=-J ;;
	*.tar.bz2)	TAR_HOW=-j ;;
	*.tar.zst)	TAR_HOW=--zstd ;;
	*)		die "KSRC=$1 is neither a folder nor a .tar, .tar.gz, .tar.xz, .tar.bz2 or .tar.zst" ;;
	esac
}

# Prints the path of the pristine source, fetching it when it is not there.
base_fetch()
{
	base_load "$1"
	if [[ -z ${KSRC:-} ]]; then
		locked "$FAMFS_CACHE/src/$1.lock" fetch_package
	elif [[ -d $KSRC ]]; then
		base_verify "$KSRC" "KSRC=$KSRC"
		realpath "$KSRC"
	elif [[ -f $KSRC ]]; then
		locked "$FAMFS_CACHE/src/$1.lock" fetch_tarball "$KSRC"
	else
		die "KSRC=$KSRC does not exist"
	fi
}

# What tells one pristine source from another, for those who copy it. A tree of
# somebody else's has no stamp and may change: sizes and times stand for it.
base_identity()
{
	local path=$1 stamp

	stamp=$(cat "$path.stamp" 2>/dev/null) ||
		stamp=$(find "$path" -name .git -prune -o -type f -printf '%P %s %T@\n' |
			sort | sha1sum)
	printf '%s %s\n' "$path" "$stamp"
}
