#!/bin/sh
# Models named by their id on the Hugging Face hub: found in its cache.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1
mkdir home
HOME=$scratch/home
export HOME
unset XDG_CACHE_HOME TORCH_HOME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE
golden=$LP_SOURCE/tests/golden/encoder
first=1111111111111111111111111111111111111111
second=2222222222222222222222222222222222222222

# A model's folder in the cache $1, as the hub's library makes it: files of one commit.
keep() { # CACHE FOLDER COMMIT FILE...
    kept=$1/$2
    commit=$3
    shift 3
    mkdir -p "$kept/blobs" "$kept/refs" "$kept/snapshots/$commit"
    for file; do
        digest=$(sha256 "$file")
        cp "$file" "$kept/blobs/$digest"
        ln -s "../../blobs/$digest" "$kept/snapshots/$commit/${file##*/}"
    done
}
cp "$golden/clip.safetensors" open_clip_model.safetensors
cp "$golden/open_clip_config.json" .
hub=home/.cache/huggingface/hub
keep $hub models--org--small-clip $first open_clip_model.safetensors open_clip_config.json
printf %s $first >$hub/models--org--small-clip/refs/main

# ---- names
show "$LP_PROGRAM" inspect org/small-clip
run 0 "$LP_PROGRAM" inspect hf-hub:org/small-clip
run 0 "$LP_PROGRAM" inspect hf_hub:org/small-clip@main
run 0 "$LP_PROGRAM" inspect org/small-clip@11111
has "config file:   open_clip_config.json beside it"
run 0 "$LP_PROGRAM" inspect $hub/models--org--small-clip
has "/snapshots/$first/open_clip_model.safetensors"
mkdir -p org/small-clip
show "$LP_PROGRAM" inspect org/small-clip # a folder of that name comes first
run 0 "$LP_PROGRAM" inspect hf-hub:org/small-clip
rm -r org
expect names

# ---- where it is looked for: each before those that were tried until then
for variable in XDG_CACHE_HOME=x HF_HOME=h HUGGINGFACE_HUB_CACHE=old "HF_HUB_CACHE=~/new"; do
    case $variable in
    XDG*) place=x/huggingface/hub ;;
    HF_HOME*) place=h/hub ;;
    HUGGING*) place=old ;;
    *) place=home/new ;;
    esac
    # shellcheck disable=SC2163
    export "$variable"
    show "$LP_PROGRAM" inspect org/small-clip
    keep $place models--org--small-clip $second open_clip_model.safetensors open_clip_config.json
    run 0 "$LP_PROGRAM" inspect org/small-clip
    has "$place/models--org--small-clip/snapshots/$second/open_clip_model.safetensors"
done
HF_HUB_CACHE=
run 0 "$LP_PROGRAM" inspect org/small-clip
has "old/models--org--small-clip" # a variable that is set to nothing is not set
unset XDG_CACHE_HOME HF_HOME HUGGINGFACE_HUB_CACHE HF_HUB_CACHE
keep datasets models--org--small-clip $second open_clip_model.safetensors
run 0 "$LP_PROGRAM" inspect --activation gelu org/small-clip
has "datasets/models--org--small-clip/snapshots/$second/open_clip_model.safetensors"
rm -r datasets
expect places

# ---- what is not there
show "$LP_PROGRAM" inspect org/small-clop
show "$LP_PROGRAM" inspect hf-hub:small-clip
show "$LP_PROGRAM" inspect vits/small.pt # a missing file
show "$LP_PROGRAM" inspect org/small-clip@v2
show "$LP_PROGRAM" inspect org/small-clip@../../main
show env -u HOME "$LP_PROGRAM" inspect org/small-clip
keep $hub models--org--half $second open_clip_config.json
: >$hub/models--org--half/blobs/1234.incomplete
show "$LP_PROGRAM" inspect org/half
show "$LP_PROGRAM" inspect $hub/models--org--half
expect missing

# ---- the whole way
run 0 "$LP_PROGRAM" generate --out data --train 1 --test 1
run 0 "$LP_PROGRAM" extract --model org/small-clip --data data/cifar-100-binary --split test --out features
ok "meta.json says which file it was" grep -q "snapshots/$first/open_clip_model.safetensors" features/meta.json
done_testing
