#!/bin/sh
# ResNets through the commands: what inspect says, extract at an input of one's own, and features that
# depend neither on threads nor on what else is in a batch.
. "$LP_SOURCE/tests/support/tap.sh"
golden=$LP_SOURCE/tests/golden/encoder
"$LP_PROGRAM" generate --out "$scratch/drawn" --seed 2 --train 1 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1

run 0 "$LP_PROGRAM" inspect "$golden/clip-resnet.safetensors"
has "architecture:  CLIP RN 4x(1,2,1,1)@64 (family clip-resnet)"
has "dimensions:    width 128, 5 blocks"
has "input:         64 x 64 pixels (resize 64, bicubic, crop 64)"
has "activation:    relu, batch norm eps 1e-05, pooling attention"
has "features:      projected 6, penultimate 128"
lacks "assumed:"
run 0 "$LP_PROGRAM" inspect "$golden/resnet-grouped.safetensors"
has "architecture:  ResNeXt-17 2x2d width 2 (family resnet)"
has "input:         224 x 224 pixels (resize 256, bilinear, crop 224)"
has "assumed:       a bilinear resize to 256, as for torchvision's IMAGENET1K_V1 weights"

extract() { # OUT MODEL OPTION...
    out=$1 model=$2
    shift 2
    "$LP_PROGRAM" extract --model "$golden/$model.safetensors" --data drawn --split test --out "$out" "$@"
}
run 0 extract one clip-resnet --threads 1
run 0 extract three clip-resnet --threads 3
ok "any number of threads gives the same features" cmp one/features.npy three/features.npy
run 0 extract before clip-resnet --feature penultimate
has "  128  "
run 0 extract small resnet-basic --input-size 45
ok "meta.json has the input" grep -q '"crop": 45' small/meta.json
run 1 extract other clip-resnet --input-size 96
says "input size 96: attention pooling has positions for 64 alone"
run 1 extract other resnet-basic --activation gelu
says "a ResNet has ReLU"
run 1 extract other resnet-basic --precision int8
says "precision int8: a ResNet has float32 alone"
run 1 extract other resnet-basic --input-size 45 --feature projected
says "has no feature point 'projected'"
done_testing
