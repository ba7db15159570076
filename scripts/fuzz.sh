#!/bin/sh
# Runs the fuzzers that `make fuzz` built, one after the other, on the committed corpus and on what
# earlier runs found (build/fuzz/corpus).  Memory is bounded: a parser that asks for more than 64 MiB
# at once for an input of at most 64 KiB fails, as does one that takes two minutes (others may have the processor) or leaks.
#
# usage: scripts/fuzz.sh [TARGET...]    with TIME=SECONDS or RUNS=N in the environment, each
#
# Each run adds a line to build/fuzz/executions: target, executions, seconds, inputs found.  Exit
# status 1 on a finding; its input lies in build/fuzz/findings.
set -u
cd "$(dirname "$0")/.." || exit 1
programs=build/fuzz/tests
if [ $# = 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        target=${source#tests/fuzz/fuzz_}
        set -- "$@" "${target%.c}"
    done
fi
mkdir -p build/fuzz/findings

place=/dev/shm
[ -w $place ] || place=${TMPDIR:-/tmp}
TMPDIR=$(mktemp -d "$place/fuzz.XXXXXX") || exit 1
OPENBLAS_NUM_THREADS=1 # its threads wait by spinning, twenty times slower on a busy machine
export TMPDIR OPENBLAS_NUM_THREADS
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

status=0
for target; do
    mkdir -p "build/fuzz/corpus/$target"
    dictionary=tests/fuzz/$target.dict
    [ -e "$dictionary" ] || dictionary=
    echo "fuzz: $target"
    "$programs/fuzz_$target" "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" \
        ${dictionary:+-dict="$dictionary"} -artifact_prefix="build/fuzz/findings/$target-" \
        -max_total_time="${TIME:-60}" -runs="${RUNS:--1}" -max_len=65536 -timeout=120 \
        -malloc_limit_mb=64 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
        >"build/fuzz/$target.log" 2>&1 || {
        status=1
        echo "fuzz: $target FAILED:"
        grep -E 'ERROR|SUMMARY|fuzz: expected|Test unit written|runtime error' "build/fuzz/$target.log"
    }
    awk -v target="$target" '/number_of_executed_units/ { runs = $2 } /new_units_added/ { found = $2 }
        /^Done .* runs in/ { seconds = $5 } END { print target, runs + 0, seconds + 0, found + 0 }' \
        "build/fuzz/$target.log" | tee -a build/fuzz/executions
done
exit $status
