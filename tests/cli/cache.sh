#!/bin/sh
# Where things are: the cache and its folder, what reproduce ends with, sweep --model, models --here.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
linprobe=$LP_PROGRAM
cd "$scratch" || exit 1
HOME=$scratch/home
export HOME
unset XDG_CACHE_HOME TORCH_HOME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE
"$linprobe" generate -o data --train 4 --test 1 || exit 1
data=data/cifar-100-binary

# ---- reproduce ends with where all is; a sweep finds its features
show -e -n "$linprobe" reproduce -m "$model" -d $data --sweep --run swept
expect reproduce
ok "its C was chosen" [ -s results/swept/points.json ]
run 2 "$linprobe" reproduce --sweep -C 1 -m "$model" -d $data
says "--sweep and -C exclude each other"
run 0 "$linprobe" reproduce -qm "$model" -d $data --sweep
ok "a name without C" sh -c 'ls -d results/cifar-100-*-projected-swept'
run 0 "$linprobe" sweep -m "$model" -d $data -o swept --steps 1 --from -1 --to 0
says "train: features are there already: datasets/features/"
says "test: features are there already: datasets/features/"
ok "scored on the test set" grep -q '"correct"' swept/sweep.json
run 2 "$linprobe" sweep -m "$model" -o x
says "--model needs --data PATH"
run 2 "$linprobe" sweep -o x
says "expected either TRAIN_DIR or --model FILE with --data PATH"
run 2 "$linprobe" sweep -m "$model" -d $data -o x --test data
says "--data and --test exclude each other"

# ---- the cache
printf 'weights' >datasets/ViT-B-32.pt
printf 'we' >datasets/RN50.pt.part
echo mine >datasets/notes.txt
mkdir datasets/digests
printf '%0108d\n' 0 >datasets/digests/1f-2ab
mkdir -p datasets/data/mnist/raw datasets/data/dtd.partial datasets/data/mine
printf 'images' >datasets/data/mnist/raw/train
show -e -n "$linprobe" cache
run 0 "$linprobe" cache -f csv
has data/mnist,data set,6,datasets/data/mnist
has ViT-B-32.pt,download,7,datasets/ViT-B-32.pt
show "$linprobe" cache --remove data/mnist
ok "a data set stays" [ -e datasets/data/mnist/raw/train ]
rm -r datasets/data
show "$linprobe" cache RN50.pt.part
show "$linprobe" cache RN50.pt.prt
show "$linprobe" cache --remove
show "$linprobe" cache ViT-B-32.pt notes.txt --remove
ok "nothing of this was removed" [ -e datasets/ViT-B-32.pt ]
show -e "$linprobe" cache --remove ViT-B-32.pt RN50.pt.part
echo mine >datasets/digests/notes.txt
show -e "$linprobe" cache --remove digests
rm datasets/digests/notes.txt
rmdir datasets/digests
echo mine >"$(echo datasets/features/*/*test*)/notes.txt"
show -e "$linprobe" cache --remove features/
ok "the user's file stays" [ -e "$(echo datasets/features/*/*test*)/notes.txt" ]
ok "and nothing else" [ "$(find datasets -type f | wc -l)" -eq 2 ]
show -e "$linprobe" cache
expect cache

# ---- its folder
folder() { # FOLDER VARIABLE=VALUE...
    place=$1
    shift
    run 0 env -u LINPROBE_CACHE "$@" "$linprobe" cache
    says "$place: 0.0 MB"
}
folder "$scratch/own" XDG_CACHE_HOME=/x LINPROBE_CACHE="$scratch/own"
folder /x/linprobe XDG_CACHE_HOME=/x
folder linprobe-cache HOME=
case $(uname -s) in
Darwin) folder "$HOME/Library/Caches/linprobe" XDG_CACHE_HOME= ;;
*) folder "$HOME/.cache/linprobe" XDG_CACHE_HOME= ;;
esac
folder "$HOME/here" LINPROBE_CACHE='~/here'

# ---- models on this machine
hub=home/.cache/huggingface/hub/models--org--small-clip
mkdir -p home/.cache/clip $hub/refs $hub/snapshots
printf weights >home/.cache/clip/ViT-B-16.pt
printf weights >datasets/ViT-B-32.pt
show "$linprobe" models --here
show "$linprobe" models --here small
show "$linprobe" models --here --family dino
show -e "$linprobe" models l-14 laion
show "$linprobe" models laion --family resnet
show "$linprobe" models --family convolutional
show "$linprobe" models dino-vit --family dino -f csv
show "$linprobe" models vit-q
expect models
done_testing
