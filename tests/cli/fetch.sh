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
run 0 "$LP_PROGRAM" models
has "clip-vit-b-32"
has "SHA-256       95.1       80.5  CLIP paper"
has "CLIP paper: scikit-learn L-BFGS"
run 0 "$LP_PROGRAM" models --format csv
has "name,alias,title,family,"
has "resnet50,resnet50-v1,torchvision ResNet-50 V1,resnet,"
run 0 "$LP_PROGRAM" models --format json dino_vitb8
has '"sha256": null'
has '"by": "DINOv2 paper"'
lacks "clip"
run 0 "$LP_PROGRAM" models vit-b/32
has "name:          clip-vit-b-32, ViT-B/32"
has "published:     79.920 on CIFAR-100"
has "file:          not here yet; \`linprobe fetch clip-vit-b-32\` downloads it"
run 1 "$LP_PROGRAM" models vit-b/33
says "no known model is called 'vit-b/33'"

# ---- what may be asked
run 2 "$LP_PROGRAM" fetch
run 1 "$LP_PROGRAM" fetch resnet51
says "'resnet51' is no known model"
run 2 "$LP_PROGRAM" fetch dino-vit-s-16
says "DINO ViT-S/16 has no published checksum: give one with --sha256 HEX"
run 2 "$LP_PROGRAM" fetch clip-vit-b-32 --sha256 "$sha"
says "--sha256 is not the published one of OpenAI CLIP ViT-B/32"
run 1 "$LP_PROGRAM" fetch stl-10 --unverified # its host has no https
says "expected https"
run 2 "$LP_PROGRAM" fetch resnet50 --sha256 0676ba6
says "--sha256: expected 8 to 64 hexadecimal digits"
run 2 "$LP_PROGRAM" fetch dino-vit-s-16 --sha256 "$sha" --unverified
says "exclude each other"
run 1 "$LP_PROGRAM" fetch clip-vit-b-32 --url http://example.com/ViT-B-32.pt
says "expected https"
ok "nothing was made for it" [ ! -e datasets/ViT-B-32.pt.part ]

# ---- downloads
: >requests
run 1 "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt"
says "OpenAI CLIP ViT-B/32 cannot be downloaded: "
says "expected SHA-256 40d365715913c9da"
run 1 "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt" --unverified
says "expected SHA-256 40d365715913c9da" # what can be verified is
ok "a wrong file leaves nothing" [ ! -e datasets/ViT-B-32.pt ]
run 0 "$LP_PROGRAM" fetch ViT-B/32 --url "$base/cut/20000/weights.pt" --sha256 "$sha"
has "clip-vit-b-32  datasets/ViT-B-32.pt  SHA-256      $sha"
ok "the broken download went on where it stood" grep -q "/cut/20000/weights.pt 206 20000 " requests
ok "the file is whole" cmp -s datasets/ViT-B-32.pt served/weights.pt
run 0 "$LP_PROGRAM" models clip-vit-b-32
has "file:          datasets/ViT-B-32.pt"
: >requests
run 0 "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt" --sha256 "$sha"
ok "nothing is fetched again" [ ! -s requests ]
run 1 "$LP_PROGRAM" fetch clip-vit-b-32 --url "$base/weights.pt"
says "datasets/ViT-B-32.pt: is there already, with SHA-256 $sha, expected 40d3"
run 0 "$LP_PROGRAM" fetch resnet50 --url "$base/weights.pt" --sha256 "$digits" --format json
has '"verified": "8 digits"'
has "\"sha256\": \"$sha\""
run 0 "$LP_PROGRAM" fetch dino-vit-s-16 --url "$base/weights.pt" --unverified --format csv
has "dino-vit-s-16,datasets/dino_deitsmall16_pretrain.pth,nothing,$sha"

# ---- where it goes
run 0 "$LP_PROGRAM" fetch mae-vit-b-16 --url "$base/weights.pt" --unverified --out elsewhere/
has "elsewhere/mae_pretrain_vit_base.pth"
run 0 "$LP_PROGRAM" fetch mae-vit-b-16 --url "$base/weights.pt" --unverified --out other/mae.pth
ok "the name that was asked for" cmp -s other/mae.pth served/weights.pt
run 0 "$LP_PROGRAM" fetch cifar-100 --url "$base/weights.pt" --sha256 "$sha" --cache other
has "CIFAR-100  other/cifar-100-binary.tar.gz"
run 1 "$LP_PROGRAM" fetch cifar-10 --url "$base/status/404/x" --cache /dev/null
says "/dev/null"

# ---- what other programs fetched
mkdir -p home/.cache/clip home/.cache/torch/hub/checkpoints
cp served/weights.pt home/.cache/clip/RN50.pt
cp served/weights.pt home/.cache/torch/hub/checkpoints/resnet18-f37072fd.pth
run 0 "$LP_PROGRAM" models RN50 resnet18
has "file:          $scratch/home/.cache/clip/RN50.pt"
has "file:          $scratch/home/.cache/torch/hub/checkpoints/resnet18-f37072fd.pth"
cp served/weights.pt home/.cache/torch/hub/checkpoints/dino_vitbase16_pretrain.pth
run 0 "$LP_PROGRAM" fetch dino-vit-b-16 --sha256 "$sha" --format csv
has "dino-vit-b-16,$scratch/home/.cache/torch/hub/checkpoints/dino_vitbase16_pretrain.pth,SHA-256,$sha"

# ---- Ctrl-C keeps what there is, and the same command goes on
head -c 300000 /dev/zero >served/large.pt
large=$(sha256 served/large.pt)
"$LP_PROGRAM" fetch clip-rn50x4 --url "$base/slow/large.pt" --sha256 "$large" 2>stopped &
pid=$!
while [ ! -s datasets/RN50x4.pt.part ]; do sleep 0.01; done
kill -TERM $pid
wait $pid
ok "SIGTERM ends with status 143" [ $? = 143 ]
ok "and says that it can go on" grep -q "interrupted: the same command goes on from here" stopped
ok "the part is kept" [ -s datasets/RN50x4.pt.part ]
: >requests
run 0 "$LP_PROGRAM" fetch clip-rn50x4 --url "$base/large.pt" --sha256 "$large"
ok "it went on where it stood" grep -q "/large.pt 206 [1-9]" requests
ok "the file is whole again" cmp -s datasets/RN50x4.pt served/large.pt
exec 3>&-
done_testing
