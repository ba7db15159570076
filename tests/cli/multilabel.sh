#!/bin/sh
# Several labels an image: PASCAL VOC 2007 from its folder to the average precision, and what cannot
# handle such a set and says so.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1

# A pixel a channel is an image's feature; classes are told apart by them, but for the noise.
voc=VOCdevkit/VOC2007
mkdir -p $voc/ImageSets/Main $voc/JPEGImages $voc/Annotations
awk -v main=$voc/ImageSets/Main -v images=$voc/JPEGImages 'BEGIN {
    count = split("aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse " \
                  "motorbike person pottedplant sheep sofa train tvmonitor", class, " ")
    part[1] = "train"; part[2] = "val"; part[3] = "test"
    for (p = 1; p <= 3; p++) {
        for (i = 1; i <= 60; i++) {
            id = sprintf("%06d", 100 * p + i)
            print id >(main "/" part[p] ".txt")
            for (c = 0; c < 3; c++) value[c] = 33 + (37 * p + (11 + 4 * c) * i) % 90
            printf "P3 1 1 127\n%d %d %d\n", value[0], value[1], value[2] >(images "/" id ".jpg")
            for (k = 1; k <= count; k++) {
                score = value[k % 3] + (i * k * 7 + p) % 23 - 80
                flag = score > 8 ? 1 : score > 0 && k % 4 == 0 ? 0 : -1
                printf "%s %2d\n", id, flag >(main "/" class[k] "_" part[p] ".txt")
            }
        }
    }
}'
for split in trainval train test; do
    run 0 "$LP_PROGRAM" extract --pixels --data . --split $split --out $split
done
show -n -e "$LP_PROGRAM" extract --pixels --data voc-2007:. --split val --out val
show "$LP_PROGRAM" fit trainval --out p.probe
show "$LP_PROGRAM" fit trainval --solver ovr -C 10 --out p.probe --format csv
show "$LP_PROGRAM" eval p.probe test --out p.json
show "$LP_PROGRAM" eval p.probe test --per-class
show "$LP_PROGRAM" eval p.probe trainval --format csv
run 0 "$LP_PROGRAM" eval p.probe test --report page.html
run 0 grep -c "<caption>\(Mean of the classes\|How well\)" page.html
has 2
expect voc
run 0 cat p.json
has '"format": "linprobe evaluation of several labels"'
has '"multilabel": true'
has '"map_11": '
run 0 "$LP_PROGRAM" fit trainval --solver liblinear -C 10 --out l.probe
run 0 "$LP_PROGRAM" eval l.probe test

# ---- C by the mAP of what is held out, of a validation set, of folds
show -n "$LP_PROGRAM" sweep trainval --solver ovr --from -2 --to 2 --steps 2 --test test --out s
show -n "$LP_PROGRAM" sweep train --validation val --solver ovr --from -1 --to 1 --steps 1 --protocol grid --test test --out v
show -n "$LP_PROGRAM" sweep train --folds 3 --solver liblinear --from -1 --to 1 --steps 1 --protocol grid --out f
expect sweep
run 0 cat v/sweep.json
has '"map_11": '
has '"refit": "train+validation"'
run 0 grep -c 'mAP-11 against C' v/sweep.svg
run 0 "$LP_PROGRAM" eval v/best.probe test
# a refit on both is a fit on trainval, and is evaluated alike
run 0 "$LP_PROGRAM" fit trainval --solver ovr -C 10 --out both.probe
show -n "$LP_PROGRAM" compare both.probe=test l.probe=test
show -n "$LP_PROGRAM" compare both.probe=test l.probe=test --table runs --format csv
show "$LP_PROGRAM" compare both.probe=test l.probe=test --table pairs
show "$LP_PROGRAM" compare both.probe=test l.probe=trainval
expect compare
# interrupted, it goes on: the points that are there are not fitted again
cp s/sweep.json before.json
run 0 "$LP_PROGRAM" sweep trainval --solver ovr --from -2 --to 2 --steps 2 --test test --out s
run 0 cmp before.json s/sweep.json

# ---- whole models; a set of one label beside it
for i in 0 1 2 3 4 5 6 7; do
    for part in train test; do
        printf 'P3 1 1 9\n%d %d %d\n' $((i % 2 * 8)) $i $((9 - i)) >$part-$i.ppm
        echo "$part-$i.ppm,$((i % 2)),$part" >>two.csv
    done
done
model=$LP_SOURCE/tests/golden/encoder/timm.safetensors
other=$LP_SOURCE/tests/golden/encoder/clip.safetensors
show -n "$LP_PROGRAM" reproduce --model "$model" --data voc-2007:. --cache cache --results results --run r
show -n "$LP_PROGRAM" compare a="$model" b="$other" --data .,two.csv --sweep --cache cache --out compared --into board.json
show -n "$LP_PROGRAM" compare c="$model" --data voc-2007:. --cache cache --out compared --into board.json
expect models
run 0 cat results/r/results.json
has '"map_11": '
lacks '"top1": '
run 0 test -f results/r/report.html
run 1 test -f results/r/confusion.png
run 0 cat results/r/ovr-evaluation.json
has '"format": "linprobe evaluation of several labels"'
run 0 cat compared/voc-2007-*/compare.json
has '"pairs": []'
has 'significance is not computed'

# the set's own validation part chooses C, as its features by themselves do
for split in train val test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data . --split $split --out own-$split
done
run 0 "$LP_PROGRAM" sweep own-train --validation own-val --solver ovr --steps 2 --test own-test --out by-hand
run 0 "$LP_PROGRAM" sweep --model "$model" --data . --cache cache --solver ovr --steps 2 --out by-name
says "C is chosen on the validation part of PASCAL VOC 2007"
run 0 cmp by-hand/sweep.csv by-name/sweep.csv
run 0 "$LP_PROGRAM" sweep --model "$model" --data . --cache cache --solver ovr --steps 2 --folds 2 --out by-folds
run 1 cmp by-hand/sweep.csv by-folds/sweep.csv
# and its features by themselves beside the set's name: nothing is trained on them
run 0 "$LP_PROGRAM" sweep --model "$model" --data . --validation own-val --cache cache --solver ovr --steps 2 --out both-ways
ok "the set's own part is not said to choose C" [ "$(grep -c "C is chosen" stderr)" = 0 ]
run 0 cmp by-hand/sweep.csv both-ways/sweep.csv

# ---- a choice of some images
show -n "$LP_PROGRAM" extract --pixels --data . --split test --limit 40 --out some
show "$LP_PROGRAM" extract --pixels --data . --split test --per-class 20 --out x
expect some

# ---- refused by name
printf 'P5\n1 1\n255\na' >a.pgm
printf 'P5\n1 1\n255\nb' >b.pgm
printf 'a.pgm,0,train\nb.pgm,1,train\na.pgm,0,test\n' >list.csv
run 0 "$LP_PROGRAM" extract --pixels --data list.csv --split train --out one
run 0 "$LP_PROGRAM" fit one --out one.probe
show "$LP_PROGRAM" sweep trainval --out s
show "$LP_PROGRAM" sweep trainval --validation val --out s
show "$LP_PROGRAM" knn trainval test
show "$LP_PROGRAM" fewshot trainval test --shots 1
show "$LP_PROGRAM" predict p.probe test
show "$LP_PROGRAM" predict p.probe --data $voc/JPEGImages --model "$LP_SOURCE/tests/golden/encoder/clip.safetensors"
show "$LP_PROGRAM" compare p.probe=test one.probe=one
show "$LP_PROGRAM" eval one.probe test
show "$LP_PROGRAM" eval p.probe one
show "$LP_PROGRAM" eval p.probe test --report r.html --data .
show "$LP_PROGRAM" eval p.probe test --table confused
show "$LP_PROGRAM" sweep trainval --solver ovr --test one --out s
show "$LP_PROGRAM" sweep --model "$model" --data . --cache never --out s
expect refused
done_testing
