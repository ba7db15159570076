#!/bin/sh
# Test rows that a probe was trained on are counted, whatever the set's name, order and neighbours.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 3 --test 3 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split
done

# another 300 rows without meta.json: of the training set the last 50, of the test set the first 250
row=$((($(wc -c <test/features.npy) - 128) / 300))
mkdir mixed
{
    head -c 128 test/features.npy
    tail -c $((50 * row)) train/features.npy
    tail -c +129 test/features.npy | head -c $((250 * row))
} >mixed/features.npy
{
    head -c 128 test/labels.npy
    tail -c $((50 * 8)) train/labels.npy
    tail -c +129 test/labels.npy | head -c $((250 * 8))
} >mixed/labels.npy
# rows of one value, whatever the label
mkdir constant
{
    head -c 128 test/features.npy
    head -c $((300 * row)) /dev/zero
} >constant/features.npy
cp test/labels.npy constant/

# ---- eval
run 0 "$LP_PROGRAM" fit train --out a.probe --solver liblinear -C 1
show -e "$LP_PROGRAM" eval a.probe test
show -e "$LP_PROGRAM" eval a.probe mixed
show -e "$LP_PROGRAM" eval a.probe train
run 0 "$LP_PROGRAM" eval a.probe mixed --format json --threads 1 --out one.json --report page.html
has '"shared_rows": 50'
ok "the document counts them" grep -q '"shared_rows": 50' one.json
ok "the page warns" grep -q 'the probe was trained on 50 of these 300 images' page.html
run 0 "$LP_PROGRAM" eval a.probe test --format json --threads 3
has '"shared_rows": 0'
run 0 "$LP_PROGRAM" fit constant --out constant.probe --solver liblinear
run 0 "$LP_PROGRAM" eval constant.probe constant --format json
has '"shared_rows": 0'

# a file as earlier versions wrote it: without digests
{
    head -c $(($(wc -c <a.probe) - 64 - 300 * 8)) a.probe |
        LC_ALL=C sed 's/"rows":300,"rows_left_out":0,/                             /'
} >old.probe
printf %s "$(sha256 old.probe)" >>old.probe
show -e "$LP_PROGRAM" eval old.probe mixed
run 0 "$LP_PROGRAM" eval old.probe mixed --format json
lacks shared_rows
run 0 "$LP_PROGRAM" eval old.probe train --format json
has '"shared_rows": 300'

# ---- a sweep's probe knows the rows of both sets
show -e "$LP_PROGRAM" sweep mixed --validation mixed --solver liblinear --from -1 --to 0 --steps 1 --out both
run 0 "$LP_PROGRAM" sweep test --validation train --solver liblinear --from -1 --to 0 --steps 1 --out both2
run 0 "$LP_PROGRAM" eval both2/best.probe mixed --format json
has '"shared_rows": 300'
run 0 "$LP_PROGRAM" sweep test --validation train --refit train --solver liblinear --from -1 --to 0 --steps 1 --out one
run 0 "$LP_PROGRAM" eval one/best.probe mixed --format json
has '"shared_rows": 250'
show "$LP_PROGRAM" sweep train --refit train --out one
expect eval

# ---- compare, knn, fewshot
run 0 "$LP_PROGRAM" fit mixed --out b.probe --solver liblinear -C 1
show -e "$LP_PROGRAM" compare a.probe=mixed b.probe=mixed --table runs
run 0 "$LP_PROGRAM" compare a.probe=mixed b.probe=mixed --format json
has '"shared_rows": 50'
has '"shared_rows": 300'
show -e "$LP_PROGRAM" knn train mixed
run 0 "$LP_PROGRAM" knn train mixed --format json
has '"shared_rows": 50'
show -e "$LP_PROGRAM" fewshot train mixed --solver liblinear --shots 1 --draws 1
run 0 "$LP_PROGRAM" fewshot train mixed --solver liblinear --shots 1 --draws 1 --format json
has '"shared_rows": 50'
expect others

# ---- compare of encoders: train and test images are the same ones
cp -r data/cifar-100-binary same
cp same/train.bin same/test.bin
run 0 "$LP_PROGRAM" compare "$model" "$model@penultimate" --data same --cache cache --out compared --solver liblinear --format json
says "rows of cache/features/"
has '"shared_rows": 300'
done_testing
