#!/bin/sh
# ResNets through the commands: what inspect says, extract at an input of one's own, and features that
# depend neither on threads nor on what else is in a batch.
. "$LP_SOURCE/tests/support/tap.sh"
golden=$LP_SOURCE/tests/golden/encoder
"$LP_PROGRAM" generate --out "$scratch/drawn" --seed 2 --train 1 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1

show "$LP_PROGRAM" inspect "$golden/clip-resnet.safetensors"
show "$LP_PROGRAM" inspect "$golden/resnet-grouped.safetensors"

extract() { # OUT MODEL OPTION...
    out=$1 model=$2
    shift 2
    "$LP_PROGRAM" extract --model "$golden/$model.safetensors" --data drawn --split test --out "$out" "$@"
}
run 0 extract one clip-resnet --threads 1
run 0 extract three clip-resnet --threads 3
ok "any number of threads gives the same features" cmp one/features.npy three/features.npy
show -n extract before clip-resnet --feature penultimate
run 0 extract small resnet-basic --input-size 45
ok "meta.json has the input" grep -q '"crop": 45' small/meta.json
show extract other clip-resnet --input-size 96
show extract other resnet-basic --activation gelu
show extract other resnet-basic --precision int8
show extract other resnet-basic --layers 1-2
show extract other resnet-basic --pool cls+mean
show extract other resnet-basic --input-size 45 --feature projected
expect resnets
done_testing
