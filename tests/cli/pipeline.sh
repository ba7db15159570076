#!/bin/sh
# extract, fit, eval, predict: outputs, resumption, refusals, and the same bytes for any threads.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
other=$LP_SOURCE/tests/golden/encoder/timm.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 4 --test 2 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1

# ---- extract
show -e -n "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out train --threads 1
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out test --format csv
has "out,images,width,computed,seconds"
has "test,200,40,200,"
ok "no partial folder is left" [ ! -e train.partial ]
ok "meta.json records the weights" grep -q "$(sha256 "$model")" train/meta.json
ok "meta.json records the data" grep -q "$(sha256 "$data/train.bin")" train/meta.json
ok "meta.json records the feature point" grep -q '"feature": "projected"' train/meta.json
ok "meta.json records the command" grep -q '"command": "linprobe extract --model ' train/meta.json
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out again --threads 3
ok "the same bytes for 1 and 3 threads" cmp train/features.npy again/features.npy
show -e -n "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out train
# --profile: a table on standard error that any terminal holds; the features and the result stay
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out profiled --threads 2 --profile
says "train: 400 images, "
says "share %  ms/image  GFLOP/s  GB/s"
says "resize"
says "waiting"
ok "shares add up" grep -q '^all  *100\.0 ' stderr
says "GFLOP/s"
says "for reading and checking the weights"
lacks "share %"
ok "the same bytes with a profile" cmp train/features.npy profiled/features.npy
ok "at most 80 columns" awk '/on 2 threads/ { on = 1 } on && length > 80 { exit 1 }' stderr
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out profiled --profile --format csv
says "train: no profile, nothing was computed"
ok "CSV stays as it is" [ "$(head -1 stdout)" = out,images,width,computed,seconds ]
rm -r profiled
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out profiled --profile --format json
for word in '"profile": {' '"stage": "resize"' '"ms_per_image": ' '"share": '; do
    has "$word"
done
show "$LP_PROGRAM" extract --model "$other" --data "$data" --split train --out train
show "$LP_PROGRAM" extract --model "$other" --data "$data" --split train --out t2 --feature projected
show -n "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out pen --feature penultimate
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out unit --normalize
ok "normalised features are others" sh -c '! cmp -s test/features.npy unit/features.npy'
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out coarse --labels coarse
ok "coarse: 20 classes" grep -q '"classes": 20' coarse/meta.json
show "$LP_PROGRAM" extract --model /nowhere.pt --data "$data" --split train --out x
show "$LP_PROGRAM" extract --model "$model" --data /nowhere --split train --out x
show "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out "$model/x"
head -c 10000 "$data/test.bin" >partial.bin
show "$LP_PROGRAM" extract --model "$model" --data partial.bin --split test --out x
ok "a refused run leaves no folder" [ ! -e x ]

show "$LP_PROGRAM" extract --model "$model" --pixels --data "$data" --split train --out x
for option in --feature=penultimate --activation=auto --pool=cls --precision=int8 --input-size=32 --heads=2 --mean-std=half; do
    show "$LP_PROGRAM" extract --pixels $option --data "$data" --split train --out x
done
show -n "$LP_PROGRAM" extract --pixels --data "$data" --split train --out pixels
run 0 "$LP_PROGRAM" extract --pixels --data "$data" --split test --out pixels-test --format csv
has "pixels-test,200,3072,200,"
# record 0's first red byte / 255 as float32
byte=$(od -An -tu1 -j2 -N1 "$data/test.bin" | tr -d ' ')
value=$(od -An -tf4 -j128 -N4 pixels-test/features.npy | tr -d ' ')
ok "a pixel is its byte / 255" awk "BEGIN { d = $value - $byte / 255; exit !(d < 1e-7 && d > -1e-7) }"
run 0 "$LP_PROGRAM" knn pixels pixels-test
has "top-1 %"
expect extract

# ---- interrupted: killed without warning while it works, then run again
"$LP_PROGRAM" generate --out "$scratch/more" --seed 2 --train 40 --test 1 2>/dev/null || exit 1
more=$scratch/more/cifar-100-binary
run 0 "$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out whole
"$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out killed >stdout 2>stderr &
process=$!
# until the first chunk is on the disk
while kill -0 $process 2>/dev/null && ! grep -q . killed.partial/journal 2>/dev/null; do :; done
kill -KILL $process 2>/dev/null
wait $process 2>/dev/null
if [ -e killed.partial ]; then
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out killed --format csv
    ok "only the rest was computed" sh -c "! grep -q 'killed,4000,40,4000,' stdout"
else
    skip "killed run" "it was too fast to be killed"
fi
ok "the same bytes after kill -9" cmp whole/features.npy killed/features.npy
ok "the same labels after kill -9" cmp whole/labels.npy killed/labels.npy

"$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out stopped >stdout 2>stderr &
process=$!
while kill -0 $process 2>/dev/null && ! grep -q . stopped.partial/journal 2>/dev/null; do :; done
kill -TERM $process 2>/dev/null
wait $process
found=$?
if [ -e stopped.partial ]; then
    ok "SIGTERM ends it with status 143 (found $found)" [ $found = 143 ]
    says "interrupted: run again, it goes on from here: stopped: stopped after"
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out stopped
else
    skip "SIGTERM" "it was too fast to be stopped"
fi
ok "the same bytes after SIGTERM" cmp whole/features.npy stopped/features.npy

# ---- fit, eval, predict
show -e -n "$LP_PROGRAM" fit train --solver liblinear -C 0.316 --out a.probe --threads 1 --verbose
says "class 99: "
run 0 "$LP_PROGRAM" fit train --solver liblinear -C 0.316 --out b.probe --threads 3
run 0 "$LP_PROGRAM" eval a.probe test --format csv
cp "$scratch/stdout" eval.csv
has "images,correct,top1,top1_low,top1_high,top5,mean_per_class"
show "$LP_PROGRAM" eval a.probe test
run 0 "$LP_PROGRAM" eval b.probe test --format csv
ok "the same score for 1 and 3 threads" cmp "$scratch/stdout" eval.csv
run 0 "$LP_PROGRAM" eval a.probe test --per-class
has "accuracy %"
run 0 "$LP_PROGRAM" predict a.probe test
has "row,label,prediction,name"
cp "$scratch/stdout" predictions.csv
correct=$(awk -F, 'NR > 1 && $2 == $3' predictions.csv | wc -l | tr -d ' ')
ok "predictions and score agree ($correct correct)" grep -q "^200,$correct," eval.csv
show "$LP_PROGRAM" eval a.probe pen
show "$LP_PROGRAM" eval a.probe unit
show "$LP_PROGRAM" eval a.probe /nowhere
show "$LP_PROGRAM" eval "$model" test
head -c 1000 a.probe >cut.probe
show "$LP_PROGRAM" eval cut.probe test
show "$LP_PROGRAM" fit "$LP_SOURCE/README.md" --out x.probe
show "$LP_PROGRAM" fit train --solver liblinear --out train/labels.npy/x.probe
# a value that is no number
cp -r train nan && chmod u+w nan/features.npy && rm nan/meta.json
printf '\000\000\300\177' | dd of=nan/features.npy bs=1 seek=288 conv=notrunc 2>/dev/null
show "$LP_PROGRAM" fit nan --solver liblinear --out x.probe
cp -r train torn && chmod u+w torn/features.npy
printf '\001' | dd of=torn/features.npy bs=1 seek=300 conv=notrunc 2>/dev/null
show "$LP_PROGRAM" fit torn --solver liblinear --out x.probe
expect fit-eval

# ---- a full disk, where one can be made
if mkdir full && mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
    show "$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out full/set
    ok "nothing under the final name" [ ! -e full/set ]
    mount -o remount,size=16m full
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$more" --split train --out full/set
    ok "with room it goes on and ends with the same bytes" cmp whole/features.npy full/set/features.npy
    dd if=/dev/zero of=full/fill bs=1k 2>/dev/null
    show "$LP_PROGRAM" fit train --solver liblinear --out full/set/a.probe
    umount full
else
    skip "full disk" "no tmpfs can be mounted"
fi
expect full-disk
done_testing
