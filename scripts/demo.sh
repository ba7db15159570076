#!/bin/sh
# The whole pipeline on a small scale, without a download: drawn pictures of 100 classes, and the linear
# probe of (a) their raw pixels, (b) a small CLIP with random weights, (c) the same CLIP pretrained on
# captioned pictures of other classes (docs/DEMO.md).
#
# usage: scripts/demo.sh PROGRAM WORK_FOLDER RESULTS_FOLDER
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
weights=$(cd "$(dirname "$0")/../datasets" && pwd)
mkdir -p "$2" "$3"
results=$(cd "$3" && pwd)
cd "$2"
rm -rf data pixels random pretrained sweep # of an earlier run: the demo shows everything at work
quiet() { "$@" >/dev/null; }

quiet "$program" generate --out data --seed 1 --train 40 --test 20
for split in train test; do
    quiet "$program" extract --pixels --data data/cifar-100-binary --split $split --out pixels/$split
    quiet "$program" extract --model "$weights/demo-random.pt" --data data/cifar-100-binary --split $split --out random/$split
    quiet "$program" extract --model "$weights/demo-clip.pt" --data data/cifar-100-binary --split $split --out pretrained/$split
done
for features in pixels random pretrained; do
    quiet "$program" fit $features/train --solver softmax -C 0.316 --out $features.probe
done
quiet "$program" sweep pretrained/train --test pretrained/test --out sweep

runs='pixels.probe=pixels/test random.probe=random/test pretrained.probe=pretrained/test'
# shellcheck disable=SC2086 # three words
"$program" compare $runs --table runs --format csv >"$results/runs.csv"
# shellcheck disable=SC2086
"$program" compare $runs --table pairs --format csv >"$results/pairs.csv"
cp sweep/sweep.csv sweep/sweep.png sweep/sweep.svg "$results/"
# what the numbers hang on: the pictures, and the processor's BLAS kernels
{ sha256sum data/cifar-100-binary/test.bin 2>/dev/null || shasum -a 256 data/cifar-100-binary/test.bin; } |
    cut -c1-64 >"$results/test.bin.sha256"
kernel=$(LC_ALL=C tr -cd '[:print:]' <pretrained.probe | sed -n 's/.*"blas_kernel":"\([^"]*\)".*/\1/p')
echo "$kernel" >"$results/blas_kernel"

echo "Linear probe, multinomial logistic regression, C = 0.316; 4,000 training and 2,000 test pictures, 100 classes:"
echo
# shellcheck disable=SC2086
"$program" compare $runs
echo
echo "Sweep over C on the pretrained encoder's features (picture: $3/sweep.png):"
echo
"$program" sweep pretrained/train --test pretrained/test --out sweep 2>/dev/null
