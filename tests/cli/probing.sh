#!/bin/sh
# What people who probe also do: standardised features, balanced classes, several sets as one, C
# of few shots.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 3 --test 2 2>/dev/null || exit 1
data=$scratch/data/cifar-100-binary
cd "$scratch" || exit 1
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split
done

# ---- --standardize and --class-weight
run 0 "$LP_PROGRAM" fit train --out plain.probe
run 0 "$LP_PROGRAM" fit train --out scaled.probe --standardize --class-weight balanced --threads 1
run 0 "$LP_PROGRAM" fit train --out again.probe --standardize --class-weight balanced --threads 3
ok "weights do not depend on threads" sh -c "tail -c 30064 scaled.probe | head -c 30000 | cksum >a && tail -c 30064 again.probe | head -c 30000 | cksum >b && cmp a b"
ok "they are recorded" grep -aq '"standardize":true,"class_weight":"balanced"' scaled.probe
ok "what is not used is not" sh -c "! grep -aq standardize plain.probe"
run 0 "$LP_PROGRAM" eval scaled.probe test --out scaled.json
ok "an evaluation says so" sh -c "grep -q '\"standardize\": true' scaled.json"
run 0 "$LP_PROGRAM" sweep train --test test --out sweep --from -2 --to 1 --steps 1 --standardize --class-weight balanced
show -n "$LP_PROGRAM" sweep train --test test --out sweep --from -2 --to 1 --steps 1 --standardize
show "$LP_PROGRAM" fit train --out x.probe --class-weight equal
expect options

# ---- several sets side by side
for split in train test; do
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split $split --out $split.b --feature penultimate
done
run 0 "$LP_PROGRAM" fit train+train.b --out joined.probe
ok "the record names both" sh -c "grep -aq '\"parts\":\[{\"path\":\"train\"' joined.probe && grep -aq '{\"path\":\"train.b\"' joined.probe"
run 0 "$LP_PROGRAM" eval joined.probe test+test.b --out joined.json
run 0 "$LP_PROGRAM" sweep train+train.b --test test+test.b --out joined --from -2 --to 1 --steps 1
run 0 "$LP_PROGRAM" knn train+train.b test+test.b
run 0 "$LP_PROGRAM" fewshot train+train.b test+test.b --shots 1 --draws 1
show "$LP_PROGRAM" eval joined.probe test
show "$LP_PROGRAM" eval joined.probe test.b+test
show "$LP_PROGRAM" fit train+test --out x.probe
show "$LP_PROGRAM" fit train+nowhere --out x.probe
mkdir data+more
cp train/* data+more/
run 0 "$LP_PROGRAM" knn data+more test
expect joined

# ---- fewshot --sweep
few() { # THREADS
    "$LP_PROGRAM" fewshot train test --shots 1,2 --draws 1 --sweep --format json --threads "$1"
}
run 0 few 1
cp "$scratch/stdout" one.json
has '"C_chosen": true'
has '"C_chosen": false'
has '"sweep": true'
run 0 few 3
ok "any number of threads chooses the same" cmp "$scratch/stdout" one.json
done_testing
