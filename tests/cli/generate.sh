#!/bin/sh
# A generated data set, by the command.
. "$LP_SOURCE/tests/support/tap.sh"

run 0 "$LP_PROGRAM" generate --help
has "usage: linprobe generate --out DIR"
show "$LP_PROGRAM" generate
show "$LP_PROGRAM" generate --out "$scratch/data" --train 0
run 0 "$LP_PROGRAM" generate --out "$scratch/data" --seed 7 --train 3 --test 2 --threads 1
run 0 wc -c "$scratch/data/cifar-100-binary/train.bin"
has "922200 "
run 0 "$LP_PROGRAM" generate --out "$scratch/again" --seed 7 --train 3 --test 2 --threads 3
ok "other threads, the same bytes" diff -r "$scratch/data" "$scratch/again"
run 0 "$LP_PROGRAM" generate --out "$scratch/data" --captions 5
run 0 wc -l "$scratch/data/captioned/captions.txt"
has "5 "
show "$LP_PROGRAM" generate --out /dev/null/data
expect refused
done_testing
