# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Every commit builds, and the option off costs nothing. Only the folders that
# the series works in are compiled, and single files that it mends elsewhere. The
# source is a tree of its own, tree/BASE-each,
# which takes the state of one commit after the other; its untouched files are
# hard links to the pristine ones. Each configuration has its build folder.

BUILD_DIRS=(fs/fuse/ drivers/dax/)
BUILD_OPTION=FUSE_DAX_FMAP
BUILD_KCONFIG=fs/fuse/Kconfig

# The configuration of the test machine with what differs, by base and by purpose,
# which comes later and replaces what was said before.
config_fragment()
{
	local changes

	case $1 in
	on)	changes="CONFIG_$BUILD_OPTION=y" ;;
	off)	changes="CONFIG_$BUILD_OPTION=n" ;;
	module)	changes="CONFIG_$BUILD_OPTION=y CONFIG_MODULES=y CONFIG_FUSE_FS=m CONFIG_DEV_DAX=m" ;;
	esac
	{
		cat "$TOP/tools/testing/qemu/config/base.config"
		cat "$TOP/tools/testing/qemu/config/$BASE.config" 2>/dev/null || true
		tr ' ' '\n' <<<"$changes"
	} |
		awk -F= '/^CONFIG_/ { if (!($1 in value)) name[n++] = $1; value[$1] = $0 }
			END { for (i = 0; i < n; i++) print value[name[i]] }'
}

build_make()
{
	local out=$1

	shift
	KBUILD_BUILD_TIMESTAMP=1970-01-01 make -s -C "$EACH_TREE" O="$out" \
		CC='ccache gcc' HOSTCC='ccache gcc' -j "$(nproc)" "$@"
}

# Configures when the fragment or a Kconfig file changed; then looks whether the
# option is what it should be, as soon as the tree has it.
build_configure()
{
	local config=$1 out=$2 key want

	key=$(cat <(config_fragment "$config") "$EACH_TREE/fs/fuse/Kconfig" \
		"$EACH_TREE/drivers/dax/Kconfig" | sha1sum)
	[[ $(cat "$out/.config.key" 2>/dev/null) != "$key" ]] || return 0
	mkdir -p "$out"
	config_fragment "$config" >"$out/wanted.config"
	build_make "$out" KCONFIG_ALLCONFIG="$out/wanted.config" allnoconfig
	if grep -q "^config $BUILD_OPTION\$" "$EACH_TREE/$BUILD_KCONFIG"; then
		want=y
		[[ $config != off ]] || want=
		[[ $(sed -n "s/^CONFIG_$BUILD_OPTION=//p" "$out/.config") == "$want" ]] ||
			{ echo "$BUILD_OPTION is not as '$config' wants it"; return 1; }
	fi
	[[ $config != module ]] || grep -qx 'CONFIG_FUSE_FS=m' "$out/.config" ||
		{ echo "FUSE_FS is not a module"; return 1; }
	printf '%s\n' "$key" >"$out/.config.key"
}

# What each configuration was built of last, by this call
declare -A BUILT=()

build_config()
{
	local config=$1 out=$FAMFS_CACHE/build/$BASE-each-$1 objects=()

	build_configure "$config" "$out"
	# W=1: more warnings; e: each is an error. Not all of the kernel is so clean.
	if only_fuse_changed "${BUILT[$config]:-}"; then
		build_make "$out" W=1e fs/fuse/
	else
		build_make "$out" W=1e "${BUILD_DIRS[@]}"
		mapfile -t objects < <(mended_objects)
		[[ ${#objects[@]} -eq 0 ]] || build_make "$out" "${objects[@]}"
	fi
}

# Then make, which takes seconds to find out, would find nothing to do elsewhere.
only_fuse_changed()
{
	[[ $1 ]] && git_plain -C "$SCRATCH/git" diff --quiet "$1" HEAD \
		-- . ':!fs/fuse' ':!Documentation' ':!tools'
}

# The objects of the source files outside of $BUILD_DIRS that the series changes.
mended_objects()
{
	local not=("${BUILD_DIRS[@]/#/:!}")

	git_plain -C "$SCRATCH/git" diff --name-only --diff-filter=M pristine \
		"entry/$(build_entries | tail -n 1)" \
		-- '*.c' "${not[@]}" | sed 's/c$/o/'
}

# Puts a commit of $SCRATCH/git into the tree.
build_checkout()
{
	git_plain -C "$SCRATCH/git" checkout -q "$1"
	FORCE=1 tree_sync "$PRISTINE" "$EACH_TREE" "$SCRATCH/git"
}

build_prepare()
{
	BASE=$1
	EACH_TREE=$FAMFS_CACHE/tree/$BASE-each
	need ccache flex bison bc
	base_load "$BASE"
	gcc_is_new_enough
	mkdir -p "${EACH_TREE%/*}"
	exec {EACH_LOCK}>"$EACH_TREE.lock"
	flock -n "$EACH_LOCK" || {
		say "series: waiting for another build of the commits to end"
		flock "$EACH_LOCK"
	}
	scratch_git "$BASE"
	FORCE=1 tree_copy "$PRISTINE" "$EACH_TREE" "$([[ ${KSRC:-} ]] && echo --reflink=auto || echo -l)"
}

gcc_is_new_enough()
{
	local have

	have=$(gcc -dumpfullversion)
	! version_before "$have" "${BASE_INFO[gcc]}" ||
		die "gcc $have is too old for linux ${BASE_INFO[name]}: ${BASE_INFO[gcc]} is needed"
}

# The entries that have a commit on this base, in order.
build_entries()
{
	local entry

	for entry in $(entries); do
		! git_plain -C "$SCRATCH/git" rev-parse -q --verify "entry/$entry" >/dev/null ||
			printf '%s\n' "$entry"
	done
}

# How to configure commit $1 of $2, that of entry $3. Before the option is there it is
# neither on nor off; then it is off where that can make a difference. As modules only
# the last one: what matters there, what is exported, is held against the state
# without the series.
build_configs()
{
	if ! grep -q "^config $BUILD_OPTION\$" "$EACH_TREE/$BUILD_KCONFIG"; then
		echo off
	elif [[ $1 -eq $2 ]] || changes_the_kernels_files "$3"; then
		echo on off
	else
		echo on
	fi
	[[ $1 -lt $2 ]] || echo module
}

# With the option off only such files are compiled.
changes_the_kernels_files()
{
	local path

	while read -r path; do
		! git_plain -C "$SCRATCH/git" cat-file -e "pristine:$path" 2>/dev/null || return 0
	done < <(git_plain -C "$SCRATCH/git" diff --name-only "entry/$1^" "entry/$1" \
		-- '*.[chS]' '*Kconfig')
	return 1
}

# build-each BASE
series_build_each()
{
	local list entry config done=0 count

	build_prepare "$1"
	list=$(build_entries)
	count=$(wc -w <<<"$list")
	say "build-each: linux $(tree_version "$PRISTINE") as it is, module"
	build_checkout pristine
	tap_is "builds: without the series, module" build_config module
	modules_need >"$SCRATCH/needed"
	for entry in $list; do
		done=$((done + 1))
		build_checkout "entry/$entry"
		for config in $(build_configs "$done" "$count" "$entry"); do
			say "build-each: $done of $count, $entry, $config"
			tap_is "builds: $entry, $config" build_config "$config"
			BUILT[$config]=entry/$entry
		done
	done
	tap_is "module: what the series calls is exported" module_symbols_exported
	tap_done
}

# Symbols that the modules of the folders need from elsewhere.
modules_need()
{
	local out=$FAMFS_CACHE/build/$BASE-each-module object objects=()

	mapfile -t objects < <(cat "$out"/{fs/fuse,drivers/dax}/modules.order)
	for object in "${objects[@]}"; do
		nm -u "$out/${object%.*}.o"
	done | sed 's/^ *U //' | sort -u
}

# modpost cannot tell without a whole kernel, but the source can: what is needed
# since the series must be exported somewhere: functions, data and tracepoints.
# $SCRATCH/needed is from before.
module_symbols_exported()
{
	local new exported

	new=$(modules_need | comm -23 - "$SCRATCH/needed")
	[[ $new ]] || { echo "the series calls nothing new: was it built?"; return 1; }
	exported=$(cd "$EACH_TREE" && grep -rhoP --include='*.[cS]' \
		'^EXPORT_(TRACEPOINT_)?SYMBOL(_GPL)?\(\w+' arch/x86 block drivers/base \
		drivers/dax drivers/nvdimm fs kernel lib mm |
		sed -E 's/^EXPORT_TRACEPOINT_/__tracepoint_/; s/(EXPORT_)?SYMBOL(_GPL)?\(//' | sort -u)
	comm -23 <(echo "$new") <(echo "$exported") | sed 's/^/not exported: /' |
		not_a_line
}

# Passes its input on and succeeds when there is none.
not_a_line()
{
	! grep .
}

# off-is-off BASE: with the option off, each object of fs/fuse is what it is without
# the series: no function or variable comes, goes, grows or shrinks, and there is no
# object more. What may differ: line numbers, the order of functions, and whether
# another file of fs/fuse may call one.
series_off_is_off()
{
	local commit out object name

	build_prepare "$1"
	out=$FAMFS_CACHE/build/$BASE-each-off
	for commit in pristine series; do
		say "off-is-off: $commit"
		build_checkout "$commit"
		tap_is "builds: $commit, off" build_config off
		mkdir "$SCRATCH/$commit"
		cp "$out"/fs/fuse/*.o "$SCRATCH/$commit"
	done
	tap_is "off: the objects of fs/fuse are the same ones" \
		diff <(ls "$SCRATCH/pristine") <(ls "$SCRATCH/series")
	for object in "$SCRATCH"/pristine/*.o; do
		name=${object##*/}
		tap_is "off: $name is as without the series" \
			same_symbols "$object" "$SCRATCH/series/$name"
	done
	tap_done
}

same_symbols()
{
	diff -U 0 <(symbol_sizes "$1") <(symbol_sizes "$2")
}

# Names and sizes, as bloat-o-meter takes them: without the numbers that the
# compiler gives.
symbol_sizes()
{
	nm -S "$1" | awk 'NF == 4 { sub(/\.[0-9]+/, "", $4)
		if ($4 ~ /^__UNIQUE_ID/) sub(/_?[0-9]+$/, "", $4)
		print $4, $2 }' | sort
}
