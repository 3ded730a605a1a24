# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The virtual machines of the ride. Each runs guest/agent, which carries out what
# it finds in its folder of $meet, a command a file.
#
#   boot NAME           starts a machine on the shared memory, waits until it is up
#   on NAME COMMAND     shows COMMAND, runs it there, shows what it printed
#   ask NAME COMMAND    runs COMMAND there, prints what it printed
#                       for both a status other than 0 ends the ride
#   post NAME COMMAND   has COMMAND run there and goes on; sets $job
#   await JOB           waits for its end, and has its output in JOB.out; the status
#                       is COMMAND's
#   shut_down NAME      ends the machine; the status is that of "run"
#
# shellcheck disable=SC2154 # set by ride: vm, kernel, data, memory, meet, log

WAIT=${RIDE_WAIT:-300}		# seconds that anything in a machine may take
LIFE=1800			# seconds after which a machine is ended anyway
DEVICES=(512M 256M)
declare -A machine_pid

boot()
{
	local name=$1 i nvdimms=()

	mkdir -p "$meet/$name"
	for i in "${!DEVICES[@]}"; do
		nvdimms+=(--nvdimm "${DEVICES[i]}:$memory/$i")
	done
	"$vm/run" --kernel "$kernel" --mem 1G "${nvdimms[@]}" \
		--share "$meet:/ride" --share "$data:/data:ro" --timeout "$LIFE" \
		--log "$log/$name.kernel" -- \
		/src/tools/testing/ride/guest/agent "/ride/$name" \
		>"$log/$name.machine" 2>&1 &
	machine_pid[$name]=$!
	wait_for "$name" "$meet/$name/ready"
}

# A machine that ended will never answer.
wait_for()
{
	local name=$1 file=$2 start=$SECONDS

	until [[ -e $file ]]; do
		kill -0 "${machine_pid[$name]}" 2>/dev/null ||
			fail "The $name machine has ended:" "$log/$name.machine"
		((SECONDS - start < WAIT)) ||
			fail "The $name machine has not answered for $WAIT seconds." "$log/$name.kernel"
		((SECONDS - start < 2)) || waiting $((SECONDS - start))
		sleep 0.1
	done
	waiting 0
}

# The file gets its name when it is whole.
post()
{
	local name=$1 command=$2 n=1

	while [[ -e $meet/$name/$n.run ]]; do
		n=$((n + 1))
	done
	job=$meet/$name/$n
	printf '%s\n' "$command" >"$job.new"
	mv "$job.new" "$job.run"
}

await()
{
	local job=$1 name=${1%/*}

	wait_for "${name##*/}" "$job.status"
	return "$(<"$job.status")"
}

ask()
{
	local job

	post "$1" "$2"
	await "$job" || fail "On the $1 machine this failed: $2" "$job.out"
	cat "$job.out"
}

on()
{
	shown "$1#" "$2"
	ask "$1" "$2" | result
}

shut_down()
{
	local name=$1 status=0 job

	post "$name" exit
	wait "${machine_pid[$name]}" || status=$?
	unset "machine_pid[$name]"
	return "$status"
}

# For the end of a ride that failed: "run" ends its machine when it is told to.
kill_machines()
{
	local pid

	for pid in "${machine_pid[@]}"; do
		kill "$pid" 2>/dev/null || continue
		wait "$pid" || true
	done
}
