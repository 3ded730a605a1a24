# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # here and kernel are set by run
#
# KVM where it works, TCG elsewhere. That /dev/kvm opens says little: there are
# machines on which a guest then hangs. So a real guest is booted under KVM once
# a boot of the host, and what came of it is remembered.

kvm_works()
{
	local boot memory

	[[ -r /dev/kvm && -w /dev/kvm ]] || return
	boot=$(</proc/sys/kernel/random/boot_id)
	memory=$FAMFS_CACHE/qemu/kvm-$boot
	[[ -e $memory ]] || locked "$FAMFS_CACHE/qemu/kvm.lock" probe_kvm "$memory"
	[[ $(<"$memory") == works ]]
}

probe_kvm()
{
	local memory=$1 answer=hangs

	[[ -e $memory ]] && return
	say "qemu: trying KVM, for 20 seconds at most"
	if "$here/run" --accel kvm --kernel "$kernel" --timeout 20 -- \
			true >/dev/null 2>&1; then
		answer=works
	fi
	rm -f "$FAMFS_CACHE"/qemu/kvm-*-*
	printf '%s\n' "$answer" >"$memory"
	say "qemu: KVM $answer here"
}

# thread=multi: guests that share memory need atomics that are the host's.
accel_args()
{
	case $1 in
	auto)	if kvm_works; then accel_args kvm; else accel_args tcg; fi ;;
	kvm)	qemu_args+=(-accel kvm) ;;
	tcg)	qemu_args+=(-accel "tcg,thread=multi,tb-size=512") ;;
	*)	die "--accel is auto, kvm or tcg, not '$1'" ;;
	esac
}
