# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Debian packages of a kernel with the series, by the kernel's own bindeb-pkg: for
# those who want famfs on a machine of theirs, with the configuration that it has.

DEB_LOCALVERSION=-famfs
# What famfs needs, and the kinds of memory: as they are where they are set.
DEB_OPTIONS=(ZONE_DEVICE TRANSPARENT_HUGEPAGE DAX FS_DAX DEV_DAX DEV_DAX_PMEM
	DEV_DAX_HMEM DEV_DAX_CXL DEV_DAX_KMEM FUSE_FS FUSE_DAX_FMAP)

deb_config()
{
	sed -n "s/^CONFIG_$1=//p" "$DEB_OUT/.config"
}

deb_make()
{
	make -C "$DEB_TREE" O="$DEB_OUT" \
		LOCALVERSION=$DEB_LOCALVERSION CC='ccache gcc' HOSTCC='ccache gcc' \
		-j "$(nproc)" "$@"
}

# The distribution's keys are not ours to sign with, and debug information would take
# ten times the room.
deb_configure()
{
	local from=$1 option arguments=()

	mkdir -p "$DEB_OUT"
	cp "$from" "$DEB_OUT/.config"
	for option in "${DEB_OPTIONS[@]}"; do
		[[ $(deb_config "$option") ]] || arguments+=(-e "$option")
	done
	"$DEB_TREE/scripts/config" --file "$DEB_OUT/.config" "${arguments[@]}" \
		--set-str SYSTEM_TRUSTED_KEYS '' --set-str SYSTEM_REVOCATION_KEYS '' \
		-d DEBUG_INFO_DWARF5 -d DEBUG_INFO_DWARF4 \
		-d DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT -e DEBUG_INFO_NONE
	deb_make -s olddefconfig
	for option in FUSE_DAX_FMAP FS_DAX DEV_DAX DEV_DAX_FSDEV; do
		[[ $(deb_config "$option") ]] ||
			die "the configuration $from does not allow $option:" \
				"see its 'depends on' in $DEB_TREE"
	done
}

# deb BASE DIR: what an earlier call left in DIR is replaced.
series_deb()
{
	local base=$1 dir from=${CONFIG:-/boot/config-$(uname -r)}

	dir=$(realpath -m "$2")
	need ccache dpkg-buildpackage dh flex bison bc rsync openssl
	[[ -r $from ]] ||
		die "no configuration $from: name one by CONFIG=, such as a" \
			"/boot/config-* of the distribution"
	base_load "$base"
	gcc_is_new_enough
	DEB_TREE=$(series_assemble "$base")
	DEB_OUT=$FAMFS_CACHE/build/$base-deb/build
	deb_configure "$from"
	say "deb: building linux $(tree_version "$DEB_TREE")$DEB_LOCALVERSION as $from" \
		"says; with a distribution's configuration that takes hours"
	rm -f "$DEB_OUT"/../*.deb
	deb_make bindeb-pkg >&2
	mkdir -p "$dir"
	rm -f "$dir"/linux-{image,headers}-*.deb
	# A kernel without modules has no headers to build them with.
	find "$DEB_OUT/.." -maxdepth 1 -regex '.*/linux-\(image\|headers\)-[^/]*\.deb' \
		-exec mv -t "$dir" {} +
	say "deb: to install: apt install $dir/linux-image-*.deb"
}
