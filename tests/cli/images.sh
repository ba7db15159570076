#!/bin/sh
# Folders of images through the commands: extract, eval with the mistakes, compare, reproduce; broken
# files; a split by seed; interruption.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
pictures=$LP_SOURCE/tests/golden/image_file
"$LP_PROGRAM" generate --out "$scratch/drawn" --seed 2 --train 3 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1
for split in train test; do
    "$LP_TESTS/make_folder" drawn $split "pets/$split" || exit 1
done
for first in pets/train/*; do break; done
first=${first##*/}

# ---- a folder with its own split
show -e -n "$LP_PROGRAM" extract --model "$model" --data pets --split train --out train
run 0 "$LP_PROGRAM" extract --model "$model" --data pets --split test --out test
ok "class names come from the folders" grep -q "\"$first\"" train/meta.json
ok "meta.json says what was left out" grep -q '"ignored": 0' train/meta.json
show -n "$LP_PROGRAM" extract --pixels --data pets --split train --out pixels
run 0 "$LP_PROGRAM" fit train --out p.probe
run 0 "$LP_PROGRAM" eval p.probe test --data pets --mistakes mistakes.png --report page.html
ok "the mistakes are drawn" [ -s mistakes.png ]
run 0 "$LP_PROGRAM" eval p.probe test --table classes
has "$first"
show "$LP_PROGRAM" eval p.probe test --data drawn --mistakes mistakes.png
show "$LP_PROGRAM" extract --model "$model" --data pets --split train --out x --test-share 0.5
show "$LP_PROGRAM" extract --model "$model" --data drawn --split train --out x --test-share 0.5
show "$LP_PROGRAM" extract --model "$model" --data pets --split train --out x --test-share 1
show "$LP_PROGRAM" extract --model "$model" --data pets --split train --labels coarse --out x
expect folder

# ---- broken files
cp -r pets broken
head -c 400 "$pictures/baseline-420.jpg" >"broken/train/$first/cut.jpg"
: >"broken/train/$first/empty.png"
echo text >"broken/train/$first/notes.txt"
show "$LP_PROGRAM" extract --model "$model" --data broken --split train --out x
ok "nothing is written" [ ! -e x.partial ]
show -e -n "$LP_PROGRAM" extract --model "$model" --data broken --split train --out skipped --skip-broken
ok "the names are recorded" grep -q "\"$first/cut.jpg\"" skipped/meta.json
ok "what is left is the same set" cmp train/features.npy skipped/features.npy
run 0 "$LP_PROGRAM" eval p.probe skipped --data broken --mistakes mistakes.png
cp "$pictures/type2-depth8.png" "broken/train/$first/new.png"
show "$LP_PROGRAM" extract --model "$model" --data broken --split train --out skipped --skip-broken
expect broken

# ---- a split by seed, images of all sizes
mkdir -p flat/a flat/b
for class in a b; do
    i=0
    for file in "$pictures"/*.png "$pictures"/*.jpg; do
        i=$((i + 1))
        cp "$file" "flat/$class/$i.${file##*.}"
    done
done
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split $split --out flat-$split --split-seed 5 --threads 3
    run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split $split --out one-$split --split-seed 5 --threads 1
    ok "the same bytes for 1 and 3 threads" cmp flat-$split/features.npy one-$split/features.npy
done
ok "the seed is recorded" grep -q '"split_seed": 5' flat-test/meta.json
run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split test --out other --split-seed 6
ok "another seed is another set" sh -c '! cmp -s flat-test/labels.npy other/labels.npy || ! cmp -s flat-test/features.npy other/features.npy'
run 0 "$LP_PROGRAM" fit flat-train --out flat.probe
run 0 "$LP_PROGRAM" eval flat.probe flat-test --data flat --report flat.html
ok "the split by seed is found again" grep -q "data:image/png" flat.html
show "$LP_PROGRAM" eval flat.probe other
show "$LP_PROGRAM" knn flat-train other
run 0 "$LP_PROGRAM" knn flat-train flat-test
mv flat/b flat/c
run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split test --out renamed --split-seed 5
show "$LP_PROGRAM" eval flat.probe renamed
show "$LP_PROGRAM" extract --pixels --data flat --split test --out x
expect split-by-seed

# ---- the rule for the order of a resize's passes: a set made by an earlier version is another one
ok "a folder's set records it" grep -q '"resize_rule": "pillow-13",' flat-test/meta.json
run 0 "$LP_PROGRAM" extract --model "$model" --data drawn --split test --out records
ok "it changes no square record" sh -c '! grep -q resize_rule records/meta.json'
cp -r renamed earlier
sed '/"resize_rule"/d' renamed/meta.json >earlier/meta.json
show "$LP_PROGRAM" extract --model "$model" --data flat --split test --out earlier --split-seed 5
run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split train --out train-renamed --split-seed 5
run 0 "$LP_PROGRAM" knn train-renamed renamed
show "$LP_PROGRAM" knn train-renamed earlier
expect resize-rule

# ---- the large commands
show -e "$LP_PROGRAM" reproduce --model "$model" --data broken --skip-broken --run folder
ok "a page" [ -s results/folder/report.html ]
show "$LP_PROGRAM" compare A="$model" B="$model" --data flat --test-share 0.4
expect reproduce-compare

done_testing
