#!/bin/bash
# Runs the benchmarks of one build: run.sh [N]. A line a figure on stdout, "FIGURE name value unit";
# progress on stderr.
#
#   N            rows of the smaller size (100000); the whole way is measured with 10 N too
#   QIAO_BUILD   the build, build/release by default
#   T            only this part: intake or cycle (the whole way), flow (rules and ledger alone, in
#                one process); reconcile (two books of a million rows, in one process); year (a year of the district, bench_year.c,
#                with QIAO_PEOPLE and QIAO_SEED)
#   TIMES        10; 1 leaves out the larger size
#   BUS          kafka: intake and the whole way on a real broker, beside a bare client and a peer in Python
#   FEED         settled: the bureau's feed leaves out what the batch's answer told (bench.c)
#
# What is measured lies under $TMPDIR, or build/bench: a disk, not memory, or durability costs
# nothing. It is removed at the end, and every program that was started ends with this one.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${QIAO_BUILD:-build/release}
rows=${1:-100000}
part=${T:-}
mkdir -p "${TMPDIR:-build/bench}" || exit 1
dir=$(mktemp -d "$(cd "${TMPDIR:-build/bench}" && pwd)/run-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export TMPDIR=$dir

# In the background, so that a signal is heard at once; what it started dies with it.
run() {
	"$@" </dev/null &
	trap "kill $! 2>/dev/null; wait $!; exit 130" INT TERM
	wait $!
}

case $part in
'' | intake | cycle | flow | reconcile | year) ;;
*)
	echo "run.sh: T=$part: intake, cycle, flow, reconcile or year" >&2
	exit 2
	;;
esac
# One broker for all of it, warm and steady; its processors are ours.
if [ "${BUS:-local}" = kafka ] && [ -z "${QIAO_KAFKA:-}" ]; then
	tests/kafka/fetch.sh && tests/lib/venv.sh || exit 1
	export BUS QIAO_PYTHON="$PWD/build/venv/bin/python"
	run "$build/bin/kafka_run" -s -- "$0" "$rows"
	exit
fi
failed=0
if [ "$part" = year ]; then
	run "$build/bench/bench_year"
	exit
fi
if [ "$part" = reconcile ]; then
	run "$build/bench/bench_reconcile" $((rows * ${TIMES:-10})) >"$dir/reconcile" 2>"$dir/reconcile.stderr" || failed=1
	grep '^FIGURE' "$dir/reconcile" || cat "$dir/reconcile" "$dir/reconcile.stderr" >&2
	exit $failed
fi
if [ "${BUS:-local}" = kafka ]; then
	if [ "$part" != cycle ]; then
		run "$build/bench/bench_kafka" "$rows" || failed=1
	fi
	if [ "$part" != intake ]; then
		run "$build/bench/bench" "$rows" 1 cycle || failed=1
	fi
	exit $failed
fi
if [ "$part" != flow ]; then
	run "$build/bench/bench" "$rows" "${TIMES:-10}" ${part:+"$part"} || failed=1
fi
if [ -z "$part" ] || [ "$part" = flow ]; then
	run "$build/bench/bench_flow" "$rows" >"$dir/flow" 2>"$dir/flow.stderr" || failed=1
	grep '^FIGURE' "$dir/flow" || cat "$dir/flow" "$dir/flow.stderr" >&2
fi
exit $failed
