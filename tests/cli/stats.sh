#!/bin/sh
# eval's tables, compare, fewshot, knn: outputs, refusals, the same bytes for any threads.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 6 --test 3 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split
done
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out unit --normalize
run 0 "$LP_PROGRAM" fit train --out a.probe --solver liblinear -C 1
run 0 "$LP_PROGRAM" fit train --out b=1.probe --solver liblinear -C 0.0001

# ---- sweep refuses a test set that is the training or validation set, in another order too
run 1 "$LP_PROGRAM" sweep train --test train --from -1 --to 0 --steps 1 --out leaked
says 'rows are rows of the training set train, at most 5 % may be'
run 1 "$LP_PROGRAM" sweep train --validation test --test test --from -1 --to 0 --steps 1 --out leaked
says 'rows are rows of the validation set test, at most 5 % may be'

# ---- sweep refuses a test set that was not made like the training set
run 1 "$LP_PROGRAM" sweep train --test unit --solver liblinear --from -1 --to 0 --steps 1 --out swept
says "unit: its features were not made as those of train: 'normalize' differs"

# ---- a probe records what its last digits depend on
ok "the probe names its BLAS kernels" grep -qa '"blas_kernel":"[A-Za-z]' a.probe
if grep -q '^flags.* avx2 ' /proc/cpuinfo 2>/dev/null; then
    ok "they are not the slowest ones" sh -c '! grep -qa "\"blas_kernel\":\"Prescott\"" a.probe'
    OPENBLAS_CORETYPE=Nehalem run 0 "$LP_PROGRAM" fit train --out nehalem.probe --tol 0.1
    ok "OPENBLAS_CORETYPE chooses others" grep -qa '"blas_kernel":"Nehalem"' nehalem.probe
else
    skip "kernels for this processor" "it has no AVX2, or the system does not say it"
fi
ok "the features, which do not depend on them, name none" sh -c '! grep -q blas train/meta.json'

# ---- eval
show "$LP_PROGRAM" eval a.probe test
run 0 "$LP_PROGRAM" eval a.probe test --format json
has '"probabilities": "ovr"'
run 0 "$LP_PROGRAM" eval a.probe test --format json --probabilities softmax
has '"probabilities": "softmax"'
show "$LP_PROGRAM" eval a.probe test --table classes
cp stdout classes
run 0 "$LP_PROGRAM" eval a.probe test --per-class
ok "--per-class is --table classes" cmp stdout classes
show "$LP_PROGRAM" eval a.probe test --table confused
ok "the 20 pairs that are confused most" [ "$(wc -l <stdout)" -eq 21 ]
show "$LP_PROGRAM" eval a.probe test --table calibration
show "$LP_PROGRAM" eval a.probe test --table superclasses
run 0 "$LP_PROGRAM" eval a.probe test --table confusion --format csv
has "label,name,predicted,predicted_name,count,share"
ok "the cells add up to the test set" sh -c "tail -n +2 stdout | awk -F, '{ n += \$5 } END { exit n != 300 }'"
run 0 "$LP_PROGRAM" eval a.probe test --table calibration --format csv
ok "15 bins add up to the test set" sh -c "tail -n +2 stdout | awk -F, '{ n += \$3 } END { exit n != 300 || NR != 15 }'"
run 0 "$LP_PROGRAM" eval a.probe test --table superclasses --format csv
has "0,circle,15,"
mkdir bare
cp test/*.npy bare/
show "$LP_PROGRAM" eval a.probe bare --table superclasses
show "$LP_PROGRAM" eval a.probe test --table colours
run 0 "$LP_PROGRAM" eval a.probe test --out one.json --threads 1
run 0 "$LP_PROGRAM" eval a.probe test --out three.json --threads 3
ok "the same document for 1 and 3 threads" sh -c "grep -v '\"command\": \"linprobe eval' one.json >1; grep -v '\"command\": \"linprobe eval' three.json | cmp - 1"
show "$LP_PROGRAM" eval a.probe test --out a.probe/x.json

# other superclasses: the class's number is odd or even
cp -r test named
of=$(awk 'BEGIN { for (k = 0; k < 100; k++) printf "%s%d", k ? "," : "", k % 2 }')
sed "s/\"superclass_/\"own_/
    s/\"class_names\"/\"superclass_of\": [$of], \"superclass_names\": [\"even\", \"odd\"], &/" test/meta.json >named/meta.json
run 0 "$LP_PROGRAM" eval a.probe named --table superclasses --format csv
ok "even: the cells between even classes" sh -c "
    '$LP_PROGRAM' eval a.probe test --table confusion --format csv |
        awk -F, 'NR > 1 && \$1 % 2 == 0 && \$3 % 2 == 0 { n += \$5 } END { print \"0,even,150,\" n \",\" }' >expected
    grep -qFf expected stdout"
run 0 "$LP_PROGRAM" eval a.probe named --out named.json
ok "superclasses are in the document" grep -q '"superclasses": {' named.json
sed 's/"superclass_of": \[0,1/"superclass_of": [0,2/' named/meta.json >broken && cp broken named/meta.json
show "$LP_PROGRAM" eval a.probe named --table superclasses
expect eval

# ---- compare
show "$LP_PROGRAM" compare a.probe=test b=1.probe=test
run 0 "$LP_PROGRAM" compare a.probe=test b=1.probe=test --format csv
has "first,second,difference,low,high,first_only,second_only,p,p_holm,significant"
ok "one pair" [ "$(wc -l <stdout)" -eq 2 ]
run 0 "$LP_PROGRAM" compare a.probe=test a.probe=test --format csv
has "a.probe=test,a.probe=test,0,"
has ",0,0,1,1,no"
run 0 "$LP_PROGRAM" compare a.probe=test b=1.probe=test a.probe=test --format csv --table runs
ok "three runs" [ "$(wc -l <stdout)" -eq 4 ]
correct=$("$LP_PROGRAM" eval a.probe test --format csv | tail -1 | cut -d, -f2)
has "a.probe=test,300,$correct,"
run 0 "$LP_PROGRAM" compare a.probe=test b=1.probe=test --format json
has '"runs": ['
has '"p_holm"'
# predictions from elsewhere: here the labels themselves, and those of another set
run 0 "$LP_PROGRAM" compare a.probe=test test/labels.npy=test --format csv --table runs
has "a.probe=test,300,$correct,"
has "test/labels.npy=test,300,300,100,"
run 0 "$LP_PROGRAM" compare a.probe=test test/labels.npy=test --format json
has '"predictions": "test/labels.npy"'
show "$LP_PROGRAM" compare a.probe=test train/labels.npy=test
show "$LP_PROGRAM" compare a.probe=test test/features.npy=test
cp a.probe a.npy
show "$LP_PROGRAM" compare a.probe=test a.npy=test
show "$LP_PROGRAM" compare a.probe=test
for option in --pool=cls --sweep --solver=ovr -C=1 --tol=1 --max-iterations=9 --skip-broken --split-seed=1 --profile; do # of models
    show "$LP_PROGRAM" compare a.probe=test b=1.probe=test $option
done
show "$LP_PROGRAM" compare a.probe test
show "$LP_PROGRAM" compare a.probe=test a.probe=/nowhere
show "$LP_PROGRAM" compare a.probe=test a.probe=train
show "$LP_PROGRAM" compare a.probe=test a.probe=unit
# the same set with two rows' labels swapped
mkdir swapped
cp test/features.npy swapped/
{
    head -c 128 test/labels.npy
    tail -c +137 test/labels.npy | head -c 8
    tail -c +129 test/labels.npy | head -c 8
    tail -c +145 test/labels.npy
} >swapped/labels.npy
show "$LP_PROGRAM" compare a.probe=test a.probe=swapped
expect compare

# ---- fewshot
show "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1,3 --draws 2
run 0 "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1,3 --draws 2 --format csv --threads 1
has "shots,examples,draws,top1,half,top1_low,top1_high,deviation,converged"
has "1,100,2,"
has "3,300,2,"
cp stdout one
run 0 "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1,3 --draws 2 --format csv --threads 3
ok "the same for 1 and 3 threads" cmp stdout one
run 0 "$LP_PROGRAM" fewshot train test --solver liblinear --shots 2 --draws 1 --seed 1 --format csv --table draws
tail -1 stdout >alone
run 0 "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1,2 --draws 2 --format csv --table draws
ok "a draw can be made again by itself" sh -c "tail -1 stdout | cmp - alone"
show "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1 --draws 1
run 0 "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1 --draws 2 --format json
has '"means": ['
has '"draws": ['
show "$LP_PROGRAM" fewshot train test --solver liblinear --shots 1,7
show "$LP_PROGRAM" fewshot train unit --solver liblinear --shots 1
show "$LP_PROGRAM" fewshot train test --shots 1,x
show "$LP_PROGRAM" fewshot train test --shots 1,,2
show "$LP_PROGRAM" fewshot train test --shots "$(awk 'BEGIN { for (k = 1; k < 65; k++) printf "%d,", k; print 65 }')"
expect fewshot

# ---- sweep
show "$LP_PROGRAM" sweep train --validation unit --out swept
expect sweep

# ---- knn
show "$LP_PROGRAM" knn train test -k 1,20
run 0 "$LP_PROGRAM" knn train test -k 1,20 --threads 1 --format csv
has "k,temperature,images,correct,top1,top1_low,top1_high,top5,mean_per_class"
cp stdout one
run 0 "$LP_PROGRAM" knn train test -k 1,20 --threads 3 --format csv
ok "the same for 1 and 3 threads" cmp stdout one
run 0 "$LP_PROGRAM" knn train train -k 1 --format csv
has "1,0.07"
ok "the nearest neighbour of a training example is itself" grep -q ',600,600,100,' stdout
show "$LP_PROGRAM" knn train test -k 601
show "$LP_PROGRAM" knn train unit
show "$LP_PROGRAM" knn train test --temperature 0
for command in compare fewshot knn; do
    run 0 "$LP_PROGRAM" $command --help
    has "usage: linprobe $command"
    run 2 "$LP_PROGRAM" $command
done
expect knn
done_testing
