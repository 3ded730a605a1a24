# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Packages of a Debian release other than the one that runs here, without
# touching the system's apt: each suite gets its own sources, lists and state
# in $FAMFS_CACHE/apt/SUITE, and apt checks its signatures with Debian's keyring.
# Needs no root. Source it (it sources common.sh beside it), then call
#
#   apt_private download SUITE PKG[=VERSION]...
#       downloads the packages to $FAMFS_CACHE/deb (what is there already and
#       has the right checksum is kept) and prints the path of each .deb
#   apt_private install-names SUITE PKG...
#       prints NAME=VERSION of the packages and of all they depend on, as an
#       empty system would need them (Recommends left out); these lines are
#       fit for download
#   apt_private versions SUITE PKG
#       prints the versions that the suite has, newest first; status 1: none
#   apt_private update SUITE
#       reads the package lists again; the others do so by themselves when the
#       lists are older than a day
#
# SUITE is a name such as trixie, trixie-backports, bookworm-security or forky. A
# backports or security suite takes the rest from the release it belongs to. On
# failure a line on stderr says what is wrong, and the status is not 0.
#
# The mirror is $FAMFS_MIRROR, else the one that the system's own apt uses; for
# security suites $FAMFS_SECURITY_MIRROR.

# shellcheck source=tools/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

apt_private()
{
	local verb=$1 suite=$2

	shift 2
	case $verb in
	download|install-names|versions|update)
		locked "$FAMFS_CACHE/apt/$suite.lock" \
			"_apt_${verb//-/_}" "$suite" "$@" ;;
	*)	die "apt_private: '$verb' is none of download, install-names, versions, update" ;;
	esac
}

# The system's Debian mirror, so that a local one is used where there is one. ARCHIVE
# is debian or debian-security, which is a place of its own.
_apt_mirror()
{
	local archive=$1 uri

	# shellcheck disable=SC2016 # apt expands it
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		2>/dev/null | grep -m1 -E "/$archive/?\$" || true)
	case $archive in
	debian)	uri=${FAMFS_MIRROR:-$uri} ;;
	*)	uri=${FAMFS_SECURITY_MIRROR:-$uri} ;;
	esac
	printf '%s\n' "${uri:-http://deb.debian.org/$archive}"
}

_apt_sources()
{
	local suite=$1 archive=debian release=${1%-backports}

	release=${release%-security}
	[[ $suite != *-security ]] || archive=debian-security
	{
		_apt_source debian "$release"
		_apt_source "$archive" "$suite"
	} | sort -u
}

_apt_source()
{
	printf 'deb [signed-by=%s] %s %s main\n' "$APT_KEYRING" "$(_apt_mirror "$1")" "$2"
}

# An empty dpkg status makes apt count dependencies from nothing. The sandbox
# user could not write to a cache in somebody's home, hence the current user.
_apt_config()
{
	local top=$1

	cat <<-CONF
	Dir::Etc::SourceList "$top/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "/dev/null";
	Dir::State "$top/state";
	Dir::State::status "$top/status";
	Dir::State::extended_states "$top/extended_states";
	Dir::Cache "$top/cache";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Cache::srcpkgcache "";
	APT::Sandbox::User "$(id -un)";
	APT::Get::AllowUnauthenticated "false";
	Acquire::AllowInsecureRepositories "false";
	Acquire::Languages "none";
	Acquire::Retries "3";
	APT::Update::Post-Invoke "";
	APT::Update::Post-Invoke-Success "";
	CONF
}

_apt_get()
{
	local suite=$1

	shift
	apt-get -q -c "$FAMFS_CACHE/apt/$suite/apt.conf" -t "$suite" "$@"
}

_apt_update()
{
	local suite=$1 top=$FAMFS_CACHE/apt/$1

	[[ -r $APT_KEYRING ]] ||
		die "$APT_KEYRING is missing: install debian-archive-keyring"
	mkdir -p "$top/state/lists/partial" "$top/cache/archives/partial"
	: >"$top/status"
	_apt_sources "$suite" >"$top/sources.list"
	_apt_config "$top" >"$top/apt.conf"
	say "apt: reading the package lists of $suite"
	if _apt_get "$suite" -qq update >"$top/update.log" 2>&1 &&
	   ! grep -q '^W: Failed to fetch' "$top/update.log"; then
		touch "$top/stamp"
	else
		cat "$top/update.log" >&2
		return 1
	fi
}

# Old lists are better than none: without a network what was downloaded before
# can still be found.
_apt_fresh()
{
	local suite=$1 stamp=$FAMFS_CACHE/apt/$1/stamp

	[[ -e $stamp && -z $(find "$stamp" -mmin +1440) ]] && return
	_apt_update "$suite" && return
	[[ -e $stamp ]] || die "cannot read the package lists of Debian $suite"
	say "apt: going on with the old package lists of $suite"
}

_apt_versions()
{
	local suite=$1 pkg=$2

	_apt_fresh "$suite"
	apt-cache -c "$FAMFS_CACHE/apt/$suite/apt.conf" madison "$pkg" 2>/dev/null |
		awk -F' *[|] *' -v s="$suite" '$3 ~ " " s "/" { print $2; n++ }
			END { exit !n }'
}

_apt_install_names()
{
	local suite=$1 plan

	shift
	_apt_fresh "$suite"
	plan=$(_apt_get "$suite" install --no-install-recommends -s "$@") ||
		die "Debian $suite cannot give: $*"
	sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' <<<"$plan"
}

# A list may be older than the archive it describes: one more try with a new one.
_apt_download()
{
	local suite=$1

	shift
	mkdir -p "$FAMFS_CACHE/deb"
	cd "$FAMFS_CACHE/deb" || exit
	_apt_fresh "$suite"
	_apt_get "$suite" download "$@" >&2 ||
		{ _apt_update "$suite" && _apt_get "$suite" download "$@" >&2; } ||
		die "Debian $suite cannot give: $*"
	# elsewhere: apt prints no line for a file that is in its current folder
	(cd "$FAMFS_CACHE/apt/$suite" &&
		_apt_get "$suite" download --print-uris "$@") |
		awk -v dir="$PWD" '{ print dir "/" $2 }'
}
