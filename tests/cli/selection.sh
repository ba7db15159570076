#!/bin/sh
# Which encoder of a file is taken: what inspect and extract say, --select, and --resize, --crop and
# --filter of what is assumed.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1
if ! command -v "${PYTHON:-python3}" >/dev/null 2>&1; then
    echo "1..0 # SKIP no Python, which writes the files"
    exit 0
fi
"${PYTHON:-python3}" - "$LP_SOURCE/tests/golden/families/dino.safetensors" <<'PYTHON' || exit 1
import json, struct, sys

with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    data = file.read()
header.pop("__metadata__", None)


def write(name, groups, more=()):
    """Copies of the model under prefixes, without the tensors that are left out, and others."""
    tensors, body = {}, b""
    for prefix, left_out in groups:
        for key, value in header.items():
            if key not in left_out:
                begin, end = value["data_offsets"]
                tensors[prefix + key] = value | {"data_offsets": [len(body), len(body) + end - begin]}
                body += data[begin:end]
    for key, shape in more:
        size = 4
        for side in shape:
            size *= side
        tensors[key] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + size]}
        body += bytes(size)
    text = json.dumps(tensors).encode()
    with open(name, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


heads = [("teacher.dino_head.weight", [8, 24]), ("optimizer.state.0.exp_avg", [24, 24])]
write("state.safetensors", [("teacher.backbone.", ()), ("student.module.backbone.", ())], heads)
write("top.safetensors", [("", ()), ("ema.", ())])
write("partial.safetensors", [("net.", ("norm.bias", "cls_token"))], [("net.rope.freqs", [4, 4])])
write("flat.safetensors", [], [("model.teacher.backbone._fsdp_wrapped_module._flat_param", [99])])
write("other.safetensors", [], [("stages.0.dwconv.weight", [8, 1, 7, 7]), ("stages.1.dwconv.weight", [8, 1, 7, 7])])
PYTHON
run 0 "$LP_PROGRAM" generate --out made --seed 7 --train 2 --test 1
data=made/cifar-100-binary

# ---- two encoders: one is taken and the rest is named
show "$LP_PROGRAM" inspect state.safetensors --heads 2
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --select student
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --select teacher.backbone.
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --select ema
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --select
show "$LP_PROGRAM" inspect top.safetensors --heads 2
show "$LP_PROGRAM" inspect top.safetensors --heads 2 --select ''
expect several

extract() { # OUT OPTIONS...
    out=$1
    shift
    "$LP_PROGRAM" extract --model state.safetensors --heads 2 --data $data --split test --out "$out" "$@"
}
show -e -n extract features
show -e -n extract chosen --select student.backbone
show extract wrong --select ema
show extract features --select student
ok "no features were made" [ ! -e wrong ]
expect extract

# ---- how images are prepared
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --resize 40
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --resize 40x40 --crop 30 --filter lanczos --mean-std clip
show "$LP_PROGRAM" inspect state.safetensors --heads 2 --crop 15
run 0 extract plain
run 0 extract resized --resize 40
run 0 extract squashed --resize 40x40 --filter bilinear
ok "the resize is recorded" grep -q '"resize": 40' resized/meta.json
ok "the filter is recorded" grep -q '"filter": "bilinear"' squashed/meta.json
ok "the resize changes the features" sh -c "! cmp -s plain/features.npy resized/features.npy"
ok "the filter changes the features" sh -c "! cmp -s resized/features.npy squashed/features.npy"
show extract plain --resize 41
expect images

show extract wrong --resize 40x41
show extract wrong --resize 0
show extract wrong --resize x40
show extract wrong --resize 99999
show extract wrong --crop 7
show extract wrong --crop 30 --input-size 15
show extract wrong --filter box
ok "no features were made" [ ! -e wrong ]
expect wrong

# ---- none
show "$LP_PROGRAM" inspect partial.safetensors --heads 2
show "$LP_PROGRAM" inspect flat.safetensors
show "$LP_PROGRAM" inspect other.safetensors
show "$LP_PROGRAM" inspect other.safetensors --select stages
expect none
done_testing
