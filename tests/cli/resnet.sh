#!/bin/sh
# ResNets through the commands: inspect, extract with another input size, threads.
. "$LP_SOURCE/tests/support/tap.sh"
golden=$LP_SOURCE/tests/golden/encoder
"$LP_PROGRAM" generate --out "$scratch/drawn" --seed 2 --train 1 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1
