#!/bin/bash
# Runs the tests of one build and tells how each went: run-tests.sh [NAME]
#
#   QIAO_BUILD   the build, build/release by default: its test/{unit,fault,scenario,kafka} hold the executables
#   NAME         only this one, with or without "test_" in front
#   QIAO_KINDS   of these only, in this order: kafka scenario unit fault, the longest first
#   QIAO_JOBS    so many at a time: one more than there are processors, for they wait most of the time
#   QIAO_SKIP    names or patterns of tests to leave out, with blanks between
#
# Each test has a TMPDIR of its own, removed afterwards, and ten minutes. tests/scenario/test_*.py are tests too: they get the
# build as their argument and run in build/venv. What a test prints is shown only when it fails. One that failed beside others is run
# once more by itself. The last line is
# "N passed, N failed"; the exit status is 1 when any failed, or none ran.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${QIAO_BUILD:-build/release}
wanted=${1:-}
limit_s=600
jobs=${QIAO_JOBS:-$(($(nproc) + 1))}

# Executables whose source is gone are left over from another state of the tree.
tests=()
for kind in ${QIAO_KINDS:-kafka scenario unit fault}; do
	for source in tests/"$kind"/test_*.c; do
		[ -x "$build/test/$kind/$(basename "$source" .c)" ] && tests+=("$source")
	done
done
[[ " ${QIAO_KINDS:-scenario} " == *" scenario "* ]] && for source in tests/scenario/test_*.py; do
	[ -f "$source" ] && tests+=("$source")
done

read -ra skipped <<<"${QIAO_SKIP:-}"
selected=()
for source in "${tests[@]}"; do
	name=$(basename "${source%.*}")
	[ -n "$wanted" ] && [ "$name" != "$wanted" ] && [ "$name" != "test_$wanted" ] && continue
	skip=
	for pattern in "${skipped[@]}"; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $name == $pattern ]] && skip=yes
	done
	[ -n "$skip" ] && continue
	selected+=("$source")
done

# Whatever a test finds wrong with the virtual environment it tells itself.
if [ ${#selected[@]} -gt 0 ] && grep -lqE 'QIAO_PYTHON|^#!.*python' "${selected[@]}" 2>/dev/null; then
	tests/lib/venv.sh || echo "run-tests: no virtual environment: tests that need it will fail" >&2
fi
# The broker and the registry, likewise: without them each of these tests fails, and says why.
if [[ " ${selected[*]} " == *" tests/kafka/"* ]]; then
	tests/kafka/fetch.sh || echo "run-tests: no Kafka: tests that need it will fail" >&2
fi
export QIAO_BUILD="$build" QIAO_PYTHON="$PWD/build/venv/bin/python"

# One test: what it is to say goes to stdout at its end, in one piece.
run_one() {
	local source=$1 name kind command dir output start status took result=ok
	name=$(basename "${source%.*}")
	kind=$(basename "$(dirname "$source")")
	command=("$build/test/$kind/$name")
	[ "${source##*.}" = py ] && command=("$QIAO_PYTHON" "$source" "$build")
	dir=$(mktemp -d "$all/XXXXXX")
	output=$dir.output
	start=${EPOCHREALTIME/[.,]/}
	TMPDIR=$dir timeout --kill-after=10 "$limit_s" "${command[@]}" >"$output" 2>&1 </dev/null &
	trap "kill $! 2>/dev/null; wait $!; exit 1" TERM
	wait $!
	status=$?
	took=$(((${EPOCHREALTIME/[.,]/} - start) / 10000))
	# What a program under test locked away from us is no reason to stop.
	chmod -R u+rwX "$dir" 2>/dev/null
	rm -rf "$dir"
	{
		if [ $status -ne 0 ]; then
			result=FAILED
			sed 's/^/    /' "$output"
			[ $status -eq 124 ] || [ $status -eq 137 ] && echo "    $name: ended after $limit_s s"
		fi
		printf '%-7s %-50s %3d.%02d s\n' "$result" "$kind/$name" $((took / 100)) $((took % 100))
	} >"$output.told"
	(
		flock 9
		cat "$output.told"
	) 9>"$all/turn"
	echo "$result $source" >>"$all/results"
}

all=$(mktemp -d)
trap 'trap - TERM; kill -- $(jobs -p) 2>/dev/null; wait; rm -rf "$all"' EXIT
trap 'exit 130' INT TERM
: >"$all/results"
for source in "${selected[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	run_one "$source" &
done
wait
# What failed beside others is run once more by itself, and both are told: patience that was too short on a busy machine is not what
# these tests look for. Alone there is nothing to be beside.
mapfile -t again < <(sed -n 's/^FAILED //p' "$all/results")
if [ ${#again[@]} -gt 0 ] && [ ${#selected[@]} -gt 1 ]; then
	sed -i '/^FAILED /d' "$all/results"
	for source in "${again[@]}"; do
		echo "once more, alone: $(basename "${source%.*}")"
		run_one "$source" &
		wait
	done
fi
passed=$(grep -c '^ok ' "$all/results")
failed=$((${#selected[@]} - passed))
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ "$passed" -gt 0 ]
