#!/bin/sh
# Help, usage errors and inspect.
. "$LP_SOURCE/tests/support/tap.sh"
golden=$LP_SOURCE/tests/golden

run 2 "$LP_PROGRAM"
says "usage: linprobe COMMAND"
run 0 "$LP_PROGRAM" --help
has "reproduce"
run 0 "$LP_PROGRAM" --version
has "linprobe "
run 0 "$LP_PROGRAM" --version --verbose
for line in linprobe commit compiler OpenBLAS liblinear libarchive libcurl libcrypto jansson zlib \
    libpng libjpeg cairo giflib libwebp libmatio system processor kernels; do
    ok "what a report needs: $line" grep -Eq "^$line +[^ ]" "$scratch/stdout"
done
ok "it fits 80 columns" awk 'length > 80 { exit 1 }' "$scratch/stdout"
run 2 "$LP_PROGRAM" --version 1
says "takes no argument but --verbose"
run 2 "$LP_PROGRAM" frobnicate
says "unknown command 'frobnicate'"
for command in reproduce models fetch inspect extract fit eval predict sweep compare fewshot knn cache generate; do
    run 0 "$LP_PROGRAM" $command --help
    has "usage: linprobe $command"
    has "--help"
done

# Every line of every help fits 80 columns; every heading has an option below it.
"$LP_PROGRAM" --help >"$scratch/stdout"
ok "the list of commands fits 80 columns" awk 'length > 80 { exit 1 }' "$scratch/stdout"
headings() { # COMMAND HEADING...
    command=$1
    shift
    run 0 "$LP_PROGRAM" "$command" --help
    ok "$command --help fits 80 columns" awk 'length > 80 { exit 1 }' "$scratch/stdout"
    # shellcheck disable=SC2016 # for the inner shell
    ok "$command --help: $*, each with options" sh -c 'found=$(awk "/^[a-z]+:\$/ { heading = \$1 }
        /^ +-/ && heading != \"\" { print heading; heading = \"\" }" "$0")
        [ "$(echo $found)" = "$*" ]' "$scratch/stdout" "$@"
    ok "$command --help: as many headings" [ "$(grep -c '^[a-z]*:$' "$scratch/stdout")" = $# ]
}
headings reproduce input: encoder: method: probe: output: general:
headings models input: output: general:
headings fetch input: output: general:
headings inspect encoder: output: general:
headings extract input: encoder: output: general:
headings fit probe: output: general:
headings eval input: method: output: general:
headings predict input: encoder: output: general:
headings sweep input: encoder: method: probe: output: general:
headings compare input: encoder: method: probe: output: general:
headings fewshot method: probe: output: general:
headings knn method: output: general:
headings cache input: method: output: general:
headings generate output: general:
run 0 "$LP_PROGRAM" predict --help
has "how the result is printed (text, csv or json;"
has "default csv)"

run 2 "$LP_PROGRAM" inspect
says "expected 1 argument, found 0"
run 2 "$LP_PROGRAM" inspect a b
says "unexpected argument 'b'"
run 2 "$LP_PROGRAM" inspect --frobnicate a
says "unknown option '--frobnicate'"
run 2 "$LP_PROGRAM" inspect a --format yaml
says "--format: expected text, csv or json, found 'yaml'"
run 2 "$LP_PROGRAM" extract --model a --data b --out c
says "--split S is missing"
run 2 "$LP_PROGRAM" fit a --out b -C 0.3x
says "-C: expected a number from 1e-12 to 1e+12, found '0.3x'"
run 2 "$LP_PROGRAM" fit a --out b -C
says "-C needs an argument"
run 2 "$LP_PROGRAM" fit a --out b --threads=0
says "--threads: expected a whole number from 1 to 1024, found '0'"
run 2 "$LP_PROGRAM" extract --normalize=yes
says "--normalize takes no argument"
run 2 "$LP_PROGRAM" reproduce --data-url http://localhost/x
says "--data-url needs --data-sha256 HEX"

run 0 "$LP_PROGRAM" inspect "$golden/encoder/clip.safetensors"
has "format:        safetensors"
has "family clip-vit"
has "visual.class_embedding"
has "official:      no known file"
run 0 "$LP_PROGRAM" inspect --format csv "$golden/encoder/timm.safetensors"
has "name,dtype,shape"
has "patch_embed.proj.weight,"
run 0 "$LP_PROGRAM" inspect --format json "$golden/encoder/timm.safetensors"
has '"family": "timm-vit"'
run 1 "$LP_PROGRAM" inspect /nowhere/model.pt
says "linprobe inspect: /nowhere/model.pt: cannot be opened: No such file or directory"
run 1 "$LP_PROGRAM" inspect "$LP_SOURCE/Makefile"
says "Makefile: "
run 1 "$LP_PROGRAM" inspect "$golden"
says "golden: a folder without weights: expected model.safetensors"
run 1 "$LP_PROGRAM" inspect "$golden/ckpt/dino.pth"
has 'format:        PyTorch state dict (zip), 52 tensors'
has 'teacher.backbone.resblocks.0.mlp.c_fc.weight'
head -c 1000 "$golden/encoder/clip.safetensors" >"$scratch/cut.safetensors"
run 1 "$LP_PROGRAM" inspect "$scratch/cut.safetensors"
says "cut.safetensors: "

# A closed pipe or a full disk under standard output is no success.
if [ -c /dev/full ]; then
    "$LP_PROGRAM" inspect "$golden/encoder/clip.safetensors" >/dev/full 2>"$scratch/stderr"
    ok "standard output on a full disk fails" [ $? = 1 ]
    says "standard output: cannot be written: No space left on device"
else
    skip "standard output on a full disk" "no /dev/full"
fi
done_testing
