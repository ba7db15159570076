#!/bin/sh
# The demo from end to end, against the numbers committed in results/demo: the same on the processor type
# that made them, and within a few pictures on others.
. "$LP_SOURCE/tests/support/tap.sh"
committed=$LP_SOURCE/results/demo
run 0 "$LP_SOURCE/scripts/demo.sh" "$LP_PROGRAM" "$scratch/demo" "$scratch/results"
has "Linear probe, multinomial logistic regression, C = 0.316"
has "pretrained.probe=pretrained/test"
has "best C = "

accuracy() { awk -F, -v run="$1" '$1 == run { print $4 }' "$2/runs.csv"; }
for features in pixels random pretrained; do
    name=$features.probe=$features/test
    found=$(accuracy $name "$scratch/results") expected=$(accuracy $name "$committed")
    ok "$features: $found %, committed $expected %" awk "BEGIN { d = $found - $expected; exit !(d <= 0.5 && d >= -0.5) }"
done
# the pictures and the untrained numbers are the same everywhere, to the byte
ok "the drawn pictures" [ "$(sha256 "$scratch/demo/data/cifar-100-binary/test.bin")" = "$(cat "$committed/test.bin.sha256")" ]
pixels=$(accuracy pixels.probe=pixels/test "$scratch/results")
random=$(accuracy random.probe=random/test "$scratch/results")
pretrained=$(accuracy pretrained.probe=pretrained/test "$scratch/results")
ok "raw pixels are poor ($pixels %)" awk "BEGIN { exit !($pixels < 30) }"
ok "pretraining is clearly ahead of both" awk "BEGIN { exit !($pretrained > $pixels + 20 && $pretrained > $random + 20) }"
ok "every difference from it is significant" [ "$(grep -cE 'pretrained.*,(yes|true)$' "$scratch/results/pairs.csv")" = 2 ]
cut -d, -f1,2 "$scratch/results/sweep.csv" | head -8 >"$scratch/grid"
ok "the sweep starts at the paper's values" grep -qE '^(9\.99.*e-7|1e-6|1\.0000.*e-6),' "$scratch/grid"
if cmp -s "$scratch/results/blas_kernel" "$committed/blas_kernel"; then
    for file in runs.csv pairs.csv sweep.csv; do
        ok "$file is the committed one" cmp "$scratch/results/$file" "$committed/$file"
    done
else
    skip "the committed numbers to the last digit" "another processor type"
fi
done_testing
