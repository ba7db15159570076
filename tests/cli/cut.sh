#!/bin/sh
# A file that another process cuts short while it is mapped: a message that names it, status 1,
# nothing half-written under a final name, and the same command goes on when the file is there again.
. "$LP_SOURCE/tests/support/tap.sh"
shim=$LP_TESTS/cut_maps.so
if [ ! -e "$shim" ]; then
    skip "files cut short" "no LD_PRELOAD on this system"
    done_testing
    exit
fi
"$LP_PROGRAM" generate --out "$scratch/made" --seed 3 --train 2 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1
mv made/cifar-100-binary data
cp "$LP_SOURCE/tests/golden/encoder/clip.safetensors" model.safetensors
extract() {
    "$LP_PROGRAM" extract --model model.safetensors --activation quick_gelu --data data --split "$@"
}
run 0 extract train --out train
run 0 extract test --out test
run 0 "$LP_PROGRAM" fit train --solver softmax --out whole.probe

# shortened FILE COMMAND...: the file is cut as soon as it is mapped, and is there again afterwards
shortened() {
    file=$1
    shift
    cp "$file" kept
    run 1 env LD_PRELOAD="$shim" CUT_FILE="$file" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0" "$@"
    says "$file: became shorter while it was read"
    ok "$file: one line is said of it" [ "$(grep -c "$file" stderr)" = 1 ]
    ok "$file: nothing but a message" sh -c '! grep -qiE "sanitizer|bus error|core" stderr'
    mv kept "$file"
}
shortened data/test.bin "$LP_PROGRAM" extract --model model.safetensors --activation quick_gelu --data data --split test --out again
ok "no features" [ ! -e again ]
shortened model.safetensors "$LP_PROGRAM" extract --model model.safetensors --activation quick_gelu --data data --split test --out again
ok "no features" [ ! -e again ]
run 0 extract test --out again
ok "the same features afterwards" cmp test/features.npy again/features.npy
shortened train/features.npy "$LP_PROGRAM" fit train --solver softmax --out cut.probe
ok "no probe" [ ! -e cut.probe ]
shortened whole.probe "$LP_PROGRAM" eval whole.probe test --out e.json
ok "no evaluation" [ ! -e e.json ]
run 0 "$LP_PROGRAM" fit train --solver softmax --out whole.probe
done_testing
