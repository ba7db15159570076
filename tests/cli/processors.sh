#!/bin/sh
# The same features, to the bit, from a processor with 256-bit registers: QEMU's Haswell (AVX2, FMA) beside this one.
. "$LP_SOURCE/tests/support/tap.sh"
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}
[ "$(uname -m)" = x86_64 ] || skip_all "not an x86-64 processor"
command -v qemu-x86_64 >/dev/null || skip_all "no qemu-x86_64 (package qemu-user)"
qemu-x86_64 -cpu Haswell "$LP_PROGRAM" --version >/dev/null 2>&1 || skip_all "this build does not run under QEMU"
golden=$LP_SOURCE/tests/golden/encoder
"$LP_PROGRAM" generate --out "$scratch/data" --seed 1 --train 1 --test 1 2>/dev/null || exit 1
head -c $((3074 * 20)) "$scratch/data/cifar-100-binary/test.bin" >"$scratch/few.bin"
cd "$scratch" || exit 1

both() { # NAME OPTIONS...
    name=$1
    shift
    set -- extract "$@" --data few.bin --split test
    run 0 "$LP_PROGRAM" "$@" --out "$name"
    run 0 qemu-x86_64 -cpu Haswell "$LP_PROGRAM" "$@" --out "$name-haswell"
    ok "$name: the same bytes" cmp "$name/features.npy" "$name-haswell/features.npy"
}
for weights in clip timm clip-resnet; do
    both "$weights" --model "$golden/$weights.safetensors"
done
for precision in bfloat16 int16; do
    both "$precision" --model "$golden/clip.safetensors" --precision "$precision"
done
done_testing
