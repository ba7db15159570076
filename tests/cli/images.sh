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
run 0 "$LP_PROGRAM" extract --model "$model" --data pets --split train --out train
says "train: pets, 300 images of 100 classes, a folder of images"
run 0 "$LP_PROGRAM" extract --model "$model" --data pets --split test --out test
ok "class names come from the folders" grep -q "\"$first\"" train/meta.json
ok "meta.json says what was left out" grep -q '"ignored": 0' train/meta.json
run 0 "$LP_PROGRAM" extract --pixels --data pets --split train --out pixels
has "  3072  "
run 0 "$LP_PROGRAM" fit train --out p.probe
run 0 "$LP_PROGRAM" eval p.probe test --data pets --mistakes mistakes.png --report page.html
ok "the mistakes are drawn" [ -s mistakes.png ]
run 0 "$LP_PROGRAM" eval p.probe test --table classes
has "$first"
run 1 "$LP_PROGRAM" eval p.probe test --data drawn --mistakes mistakes.png
says "its records have SHA-256"
run 1 "$LP_PROGRAM" extract --model "$model" --data pets --split train --out x --test-share 0.5
says "has a split of its own"
run 1 "$LP_PROGRAM" extract --model "$model" --data drawn --split train --out x --test-share 0.5
says "CIFAR-100 has a split of its own"
run 2 "$LP_PROGRAM" extract --model "$model" --data pets --split train --out x --test-share 1
run 1 "$LP_PROGRAM" extract --model "$model" --data pets --split train --labels coarse --out x
says "no coarse labels"

# ---- broken files
cp -r pets broken
head -c 400 "$pictures/baseline-420.jpg" >"broken/train/$first/cut.jpg"
: >"broken/train/$first/empty.png"
echo text >"broken/train/$first/notes.txt"
run 1 "$LP_PROGRAM" extract --model "$model" --data broken --split train --out x
says "broken/train/$first/cut.jpg: byte 400: expected more of the image, found the end of the file"
ok "nothing is written" [ ! -e x.partial ]
run 0 "$LP_PROGRAM" extract --model "$model" --data broken --split train --out skipped --skip-broken
says "train: 2 broken images skipped"
says "cut.jpg: byte 400"
says "train: 1 files and folders are hidden or no images"
ok "the names are recorded" grep -q "\"$first/cut.jpg\"" skipped/meta.json
ok "what is left is the same set" cmp train/features.npy skipped/features.npy
run 0 "$LP_PROGRAM" eval p.probe skipped --data broken --mistakes mistakes.png
cp "$pictures/type2-depth8.png" "broken/train/$first/new.png"
run 1 "$LP_PROGRAM" extract --model "$model" --data broken --split train --out skipped --skip-broken
says "skipped was made from other inputs: data_sha256 is"

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
run 1 "$LP_PROGRAM" eval flat.probe other
says "other: split from flat with --test-share 0.2 --split-seed 6, but the training set with 0.2 and 5"
run 1 "$LP_PROGRAM" knn flat-train other
says "images of one may be in the other"
run 0 "$LP_PROGRAM" knn flat-train flat-test
mv flat/b flat/c
run 0 "$LP_PROGRAM" extract --model "$model" --data flat --split test --out renamed --split-seed 5
run 1 "$LP_PROGRAM" eval flat.probe renamed
says "renamed: its classes are not those of the training set"
run 1 "$LP_PROGRAM" extract --pixels --data flat --split test --out x
says "but the first has"

# ---- the large commands
run 0 "$LP_PROGRAM" reproduce --model "$model" --data broken --skip-broken --run folder
says "train: broken, 301 images of 100 classes, a folder of images"
has "Accuracy = "
ok "a page" [ -s results/folder/report.html ]
run 0 "$LP_PROGRAM" compare A="$model" B="$model" --data flat --test-share 0.4
has "A"

done_testing
