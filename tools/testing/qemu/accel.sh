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

# A clock that counts instructions, and a machine that does the same in every run:
# nothing random, no time of the host's. Where all is idle the clock jumps to the
# next timer, so time-outs in the machine say little.
count_instructions()
{
	qemu_args+=(-accel "tcg,thread=single,tb-size=512" -icount "shift=0,sleep=off"
		-seed 1 -rtc "base=2026-01-01T00:00:00,clock=vm")
	kernel_args+=(nolapic_timer norandmaps)
}

# thread=multi: guests that share memory need atomics that are the host's.
accel_args()
{
	case $1 in
	auto)	if kvm_works; then accel_args kvm; else accel_args tcg; fi ;;
	kvm)	qemu_args+=(-accel kvm) ;;
	tcg)	qemu_args+=(-accel "tcg,thread=multi,tb-size=512") ;;
	icount)	count_instructions ;;
	*)	die "--accel is auto, kvm or tcg, not '$1'" ;;
	esac
}
