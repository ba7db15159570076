#!/bin/sh
# predict over pictures in any folder: the same classes as over their features, what is named, and
# the forms of the output.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
cp "$LP_SOURCE/tests/golden/encoder/timm.safetensors" "$scratch/other.safetensors"
linprobe=$LP_PROGRAM
cd "$scratch" || exit 1
{
    "$linprobe" generate -o drawn --seed 1 --train 4 --test 1 &&
        "$linprobe" extract -qm "$model" -d drawn/cifar-100-binary --split train -o train &&
        "$linprobe" extract -qm "$model" -d drawn/cifar-100-binary --split test -o test &&
        "$linprobe" fit -q train -C 10 -o clip.probe
} >/dev/null || exit 1
"$LP_TESTS/make_folder" drawn/cifar-100-binary test made || exit 1

# ---- as over features
mkdir flat
for picture in made/*/*.png; do cp "$picture" "flat/${picture##*/}"; done # by their number in the set
run 0 "$linprobe" predict clip.probe -d flat -m "$model" -j 1
cut -d, -f3,4 stdout >pictures
cp stdout one
run 0 "$linprobe" predict clip.probe -d flat/ -m "$model" -j 3
ok "the same bytes for 1 and 3 threads" cmp one stdout
run 0 "$linprobe" predict clip.probe test
cut -d, -f3,4 stdout >rows
ok "the same classes as over the features" cmp pictures rows
ok "of 100 pictures" [ "$(wc -l <rows)" -eq 101 ]

# ---- nested folders, labels by their names, and what is no picture
class=$(sed -n 's/^[0-9]*,[0-9]*,[0-9]*,//p' stdout | sed -n 1p)
mkdir -p "photos/2024/$class" photos/2025
set -- flat/*.png
cp "$1" "photos/2024/$class/a.png"
cp "$2" photos/b
cp "$3" "photos/2025/c, d.png"
head -c 300 "$4" >photos/2025/broken.png
echo "no picture" >photos/notes.txt
: >photos/empty.jpg
cp "$4" photos/.hidden.png
show -e -n "$linprobe" predict clip.probe --data photos --model "$model" --top 2 -f text
expect pictures
run 0 "$linprobe" predict clip.probe --data photos --model "$model" --top 2
has file,label,prediction,name,probability,prediction_2,name_2,probability_2
has '"photos/2025/c, d.png",,'
run 0 "$linprobe" predict clip.probe --data photos/b --model "$model" -f json
ok "five likely classes" [ "$(grep -c '"probability": 0\.' stdout)" -eq 6 ]
has '"file": "photos/b"'
has '"label": null'
has '"top": ['
run 0 "$linprobe" predict clip.probe test --top 1
has row,label,prediction,name,probability

# ---- the options of the training features are taken from the probe's record
as="--layers 1-2 --pool cls+mean --resize 40x40 --crop 28 --filter bilinear --mean-std half --precision bfloat16 --normalize"
# shellcheck disable=SC2086
{
    "$linprobe" extract -qm "$model" -d drawn/cifar-100-binary --split train -o train-2 $as &&
        "$linprobe" extract -qm "$model" -d drawn/cifar-100-binary --split test -o test-2 $as &&
        "$linprobe" fit -q train-2 -C 10 -o second.probe
} >/dev/null || exit 1
run 0 "$linprobe" predict second.probe -d flat -m "$model"
cut -d, -f3,4 stdout >pictures
run 0 "$linprobe" predict second.probe test-2
cut -d, -f3,4 stdout >rows
ok "the same classes, without the options" cmp pictures rows
ok "of 100 pictures, again" [ "$(wc -l <rows)" -eq 101 ]
run 0 "$linprobe" extract -qm "$model" -d drawn/cifar-100-binary --split test -o test-3 --input-size 42
run 0 "$linprobe" fit -q test-3 -o third.probe
run 0 "$linprobe" predict third.probe -qd flat -m "$model" --top 1
run 1 "$linprobe" predict third.probe -qd flat -m "$model" --input-size 35

# ---- into files
run 0 "$linprobe" predict clip.probe -qd flat -m "$model" -o made/by/table.csv
ok "the table" cmp one made/by/table.csv
lacks file
run 0 "$linprobe" predict clip.probe -qd flat -m "$model" -o table.json --top 1
ok "JSON" grep -q '"file": "flat/00099.png"' table.json
run 0 "$linprobe" predict clip.probe -qd flat -m "$model" -o p.npy
ok "the table is printed beside an array" cmp one stdout
ok "128 bytes and 100 x 100 float64" [ "$(wc -c <p.npy)" -eq 80128 ]
run 0 "$linprobe" predict clip.probe test -o z.npy --values logits
ok "its shape" grep -aq "'<f8', 'fortran_order': False, 'shape': (100, 100)" z.npy
ok "logits are no probabilities" sh -c '! cmp -s p.npy z.npy'

# ---- refused
show "$linprobe" predict clip.probe
show "$linprobe" predict clip.probe test --data photos --model "$model"
show "$linprobe" predict clip.probe --data photos
show "$linprobe" predict clip.probe test --model "$model"
show "$linprobe" predict clip.probe --data test --model "$model"
show "$linprobe" predict clip.probe --data photos --model clip.probe
show "$linprobe" predict clip.probe --data photos --model other.safetensors
show "$linprobe" predict clip.probe --data photos --model "$model" --normalize
show "$linprobe" predict clip.probe --data photos --model "$model" -o table.txt
show "$linprobe" predict clip.probe --data nowhere --model "$model"
show "$linprobe" predict clip.probe --data photos/notes.txt --model "$model"
mkdir nothing
show "$linprobe" predict clip.probe --data nothing --model "$model"
expect refused
done_testing
