#!/bin/sh
# models and fetch, the real hosts replaced by a local HTTP server.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1
mkdir served home
HOME=$scratch/home
export HOME
unset XDG_CACHE_HOME TORCH_HOME
cp "$LP_SOURCE/tests/golden/encoder/clip.safetensors" served/weights.pt
sha=$(sha256 served/weights.pt)
digits=$(echo "$sha" | cut -c1-8)
mkfifo hold
"$LP_TESTS/http_server" served <hold >port 2>requests &
exec 3>hold # the server ends when this closes
while [ ! -s port ]; do sleep 0.05; done
base=http://127.0.0.1:$(cat port)

# ---- models
show "$LP_PROGRAM" models
run 0 "$LP_PROGRAM" models --format csv
has "name,alias,title,family,"
has "resnet50,resnet50-v1,torchvision ResNet-50 V1,resnet,"
run 0 "$LP_PROGRAM" models --format json dino_vitb8
has '"sha256": null'
has '"by": "DINOv2 paper"'
lacks "clip"
show "$LP_PROGRAM" models vit-b/32
show "$LP_PROGRAM" models vit-b/33
expect models
show "$LP_PROGRAM" models --probes virtex dinov3 vit-s/14
show "$LP_PROGRAM" models --probes --long moco
show "$LP_PROGRAM" models --probes --format csv virtex
show "$LP_PROGRAM" models --probes nothing
show "$LP_PROGRAM" models --probes --here
expect probes
run 0 "$LP_PROGRAM" models --probes --format json
ok "every published probe has its source" "${PYTHON:-python3}" -c '
import json, sys
rows = json.load(open("stdout"))
known = [r for r in rows if "name" in r]
sys.exit(not (all(r["source"] and r["top1"] > 0 for r in rows) and 0 < len(known) < len(rows)))'

# ---- what may be asked
show "$LP_PROGRAM" fetch
show "$LP_PROGRAM" fetch resnet51
show "$LP_PROGRAM" fetch dino-vit-s-16
show "$LP_PROGRAM" fetch clip-vit-b-32 --sha256 "$sha"
show "$LP_PROGRAM" fetch stl-10 --unverified # its host has no https
show "$LP_PROGRAM" fetch resnet50 --sha256 0676ba6
show "$LP_PROGRAM" fetch dino-vit-s-16 --sha256 "$sha" --unverified
show "$LP_PROGRAM" fetch clip-vit-b-32 --url http://example.com/ViT-B-32.pt
ok "nothing was made for it" [ ! -e datasets/ViT-B-32.pt.part ]
expect refused

# ---- downloads
: >requests
show "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt"
show "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt" --unverified
ok "a wrong file leaves nothing" [ ! -e datasets/ViT-B-32.pt ]
show "$LP_PROGRAM" fetch ViT-B/32 --url "$base/cut/20000/weights.pt" --sha256 "$sha"
ok "the broken download went on where it stood" grep -q "/cut/20000/weights.pt 206 20000 " requests
ok "the file is whole" cmp -s datasets/ViT-B-32.pt served/weights.pt
show "$LP_PROGRAM" models clip-vit-b-32
: >requests
run 0 "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt" --sha256 "$sha"
ok "nothing is fetched again" [ ! -s requests ]
show "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt"
run 0 "$LP_PROGRAM" fetch resnet50 --url "$base/weights.pt" --sha256 "$digits" --format json
has '"verified": "8 digits"'
has "\"sha256\": \"$sha\""
run 0 "$LP_PROGRAM" fetch dino-vit-s-16 --url "$base/weights.pt" --unverified --format csv
has "dino-vit-s-16,datasets/dino_deitsmall16_pretrain.pth,nothing,$sha"
expect downloads

# ---- where it goes
show "$LP_PROGRAM" fetch mae-vit-b-16 --url "$base/weights.pt" --unverified --out elsewhere/
run 0 "$LP_PROGRAM" fetch mae-vit-b-16 --url "$base/weights.pt" --unverified --out other/mae.pth
ok "the name that was asked for" cmp -s other/mae.pth served/weights.pt
show "$LP_PROGRAM" fetch cifar-100 --url "$base/weights.pt" --sha256 "$sha" --cache other
show "$LP_PROGRAM" fetch cifar-10 --url "$base/status/404/x" --cache /dev/null
expect places

# ---- a checkpoint of TensorFlow is two files in a folder
families=$LP_SOURCE/tests/golden/families
cp "$families/google-simclr.index" served/model.ckpt-250228.index
cp "$families/google-simclr.data-00000-of-00001" served/model.ckpt-250228.data-00000-of-00001
simclr() { # OPTIONS...
    "$LP_PROGRAM" fetch simclrv2-r50-1x --unverified "$@"
}
index=$base/model.ckpt-250228.index
show simclr --url "$index"
run 0 "$LP_PROGRAM" inspect simclrv2-r50-1x
has "family google-simclr"
run 0 "$LP_PROGRAM" cache --format csv
has "r50_1x_sk0/model.ckpt-250228.data-00000-of-00001,download,"
has "r50_1x_sk0/model.ckpt-250228.index,download,"
run 0 "$LP_PROGRAM" cache --remove r50_1x_sk0
ok "the folder is gone with its files" [ ! -e datasets/r50_1x_sk0 ]
run 0 simclr --url "$index" --out there.index
ok "beside the index that was named" cmp -s there.data-00000-of-00001 "$families/google-simclr.data-00000-of-00001"
show simclr --url "$index" --out there
show simclr --url "$base/status/404/x.index" --out none/
show simclr --url "$base/weights.pt"
head -c 9 "$families/google-simclr.data-00000-of-00001" >served/short.data-00000-of-00001
cp "$families/google-simclr.index" served/short.index
show simclr --url "$base/short.index" --out short/
expect tensorflow

# ---- what other programs fetched
mkdir -p home/.cache/clip home/.cache/torch/hub/checkpoints
cp served/weights.pt home/.cache/clip/RN50.pt
cp served/weights.pt home/.cache/torch/hub/checkpoints/resnet18-f37072fd.pth
show "$LP_PROGRAM" models RN50 resnet18
cp served/weights.pt home/.cache/torch/hub/checkpoints/dino_vitbase16_pretrain.pth
run 0 "$LP_PROGRAM" fetch dino-vit-b-16 --sha256 "$sha" --format csv
has "dino-vit-b-16,$scratch/home/.cache/torch/hub/checkpoints/dino_vitbase16_pretrain.pth,SHA-256,$sha"
expect found-elsewhere

# ---- Ctrl-C keeps what there is, and the same command goes on
head -c 300000 /dev/zero >served/large.pt
large=$(sha256 served/large.pt)
"$LP_PROGRAM" fetch clip-rn50x4 --url "$base/slow/large.pt" --sha256 "$large" 2>stopped &
pid=$!
while [ ! -s datasets/RN50x4.pt.part ]; do sleep 0.01; done
kill -TERM $pid
wait $pid
ok "SIGTERM ends with status 143" [ $? = 143 ]
ok "and says that it can go on" grep -q "interrupted: run again, it goes on from here" stopped
ok "the part is kept" [ -s datasets/RN50x4.pt.part ]
: >requests
run 0 "$LP_PROGRAM" fetch clip-rn50x4 --url "$base/large.pt" --sha256 "$large"
ok "it went on where it stood" grep -q "/large.pt 206 [1-9]" requests
ok "the file is whole again" cmp -s datasets/RN50x4.pt served/large.pt
exec 3>&-
done_testing
