#!/bin/sh
# Models named by their id on the Hugging Face hub: found in its cache, and downloaded into it from a
# local HTTP server in the hub's place.
. "$LP_SOURCE/tests/support/tap.sh"
cd "$scratch" || exit 1
mkdir home
HOME=$scratch/home
export HOME
unset XDG_CACHE_HOME TORCH_HOME HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_ENDPOINT HF_TOKEN \
    HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HUB_OFFLINE TRANSFORMERS_OFFLINE \
    HF_HUB_DISABLE_IMPLICIT_TOKEN
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

# The first three words of FILE's lines are those of standard input.
lines_are() { # FILE
    cut -d ' ' -f 1-3 "$1" | diff - /dev/stdin
}

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
export HF_HUB_CACHE
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
show "$LP_PROGRAM" inspect org/small-clip@../../elsewhere
show env -u HOME "$LP_PROGRAM" inspect org/small-clip
keep $hub models--org--half $second open_clip_config.json
: >$hub/models--org--half/blobs/1234.incomplete
show "$LP_PROGRAM" inspect org/half
show "$LP_PROGRAM" inspect $hub/models--org--half
expect missing

# ---- the whole way
run 0 "$LP_PROGRAM" generate --out data --train 1 --test 1
run 0 "$LP_PROGRAM" extract --model org/small-clip --data data/cifar-100-binary --split test --out features
run 0 "$LP_PROGRAM" compare org/small-clip other=hf-hub:org/small-clip@main@penultimate \
    --data data/cifar-100-binary --format csv
has "other,0.211528,28,penultimate,128,"
ok "meta.json says which file it was" grep -q "snapshots/$first/open_clip_model.safetensors" features/meta.json

# ---- a hub: /api/models/ID/revision/REVISION lists what lies under /ID/resolve/COMMIT
git_digest() {
    { printf 'blob %d\0' "$(wc -c <"$1")"; cat "$1"; } >blob
    { sha1sum blob 2>/dev/null || shasum blob; } | cut -c1-40
}
list() { # ID REVISION COMMIT FILE...: files of weights lie in the large file storage
    listing=served/api/models/$1/revision/$2
    mkdir -p "${listing%/*}" "served/$1/resolve/$3"
    printf '{"id": "%s", "sha": "%s", "siblings": [' "$1" "$3" >"$listing"
    base=served/$1/resolve/$3
    separator=
    shift 3
    for file; do
        size=$(($(wc -c <"$file")))
        name=${file##*/}
        cp "$file" "$base/$name"
        lfs=
        case $name in
        *.safetensors | *.bin | *.pt)
            lfs=$(printf ', "lfs": {"sha256": "%s", "size": %d}' "$(sha256 "$file")" $size) ;;
        esac
        printf '%s{"rfilename": "%s", "size": %d, "blobId": "%s"%s}' "$separator" "$name" $size \
            "$(git_digest "$file")" "$lfs" >>"$listing"
        separator=,
    done
    echo ']}' >>"$listing"
}
rm -r home
mkdir home served
mkfifo hold
"$LP_TESTS/http_server" served <hold >port 2>requests &
exec 3>hold # the server ends when this closes
while [ ! -s port ]; do sleep 0.05; done
base_url=http://127.0.0.1:$(cat port)
HF_ENDPOINT=$base_url
export HF_ENDPOINT
echo '# readme' >README.md
list org/small-clip main $first README.md open_clip_config.json open_clip_model.safetensors
hub_folder=$hub/models--org--small-clip

# ---- downloads
show "$LP_PROGRAM" fetch org/small-clip
ok "only what is needed was asked for" lines_are requests <<END
/api/models/org/small-clip/revision/main?blobs=true 200 0
/org/small-clip/resolve/$first/open_clip_config.json 200 0
/org/small-clip/resolve/$first/open_clip_model.safetensors 200 0
END
run 0 "$LP_PROGRAM" inspect org/small-clip
has "config file:   open_clip_config.json beside it"
ok "the commit is known" [ "$(cat $hub_folder/refs/main)" = $first ]
ok "weights are a link to their blob" [ -L $hub_folder/snapshots/$first/open_clip_model.safetensors ]
ok "nothing else is there" [ "$(find $hub_folder | grep -c .)" = 10 ]
: >requests
run 0 "$LP_PROGRAM" fetch hf-hub:org/small-clip@main --format json
has "\"commit\": \"$first\""
has "\"verified\": \"git's SHA-1\""
ok "nothing is fetched again" [ "$(wc -l <requests)" -eq 1 ]
show "$LP_PROGRAM" fetch org/small-clip --out plain
ok "plain files" [ ! -L plain/open_clip_model.safetensors ]
run 0 "$LP_PROGRAM" inspect plain
run 0 "$LP_PROGRAM" fetch org/small-clip --cache other --format csv
has "open_clip_model.safetensors,other/models--org--small-clip/snapshots/$first/"
expect hub-downloads

# ---- a known model, by its short name
show "$LP_PROGRAM" inspect convnext_tiny.fb_in22k
show "$LP_PROGRAM" inspect convnext_tini.fb_in22k
show "$LP_PROGRAM" inspect convnext_tiny.safetensors
list timm/convnext_tiny.fb_in22k main $first open_clip_config.json open_clip_model.safetensors
show "$LP_PROGRAM" fetch convnext-tiny.fb_in22k
run 0 "$LP_PROGRAM" inspect convnext_tiny.fb_in22k
has "/models--timm--convnext_tiny.fb_in22k/snapshots/$first/open_clip_model.safetensors"
show "$LP_PROGRAM" models convnext_tiny.fb_in22k
show "$LP_PROGRAM" models --here convnext
show "$LP_PROGRAM" fetch convnext_tiny.fb_in22k --unverified
expect hub-known

# ---- another commit, a branch, shards
cp "$golden/clip.safetensors" pytorch_model.bin
printf '{"weight_map": {"a": "x.safetensors", "b": "y.safetensors"}}' >model.safetensors.index.json
cp "$golden/clip.safetensors" x.safetensors
cp "$golden/timm.safetensors" y.safetensors
list org/small-clip refs%2Fpr%2F1 $second model.safetensors.index.json x.safetensors y.safetensors
: >requests
show "$LP_PROGRAM" fetch org/small-clip@refs/pr/1
ok "the branch is encoded" grep -q "/revision/refs%2Fpr%2F1?blobs=true 200 " requests
ok "it has its own ref" [ "$(cat $hub_folder/refs/refs/pr/1)" = $second ]
ok "main is what it was" [ "$(cat $hub_folder/refs/main)" = $first ]
list org/small-clip $second $second model.safetensors.index.json x.safetensors y.safetensors
run 0 "$LP_PROGRAM" fetch org/small-clip@$second
ok "a commit needs no ref" [ ! -e $hub_folder/refs/$second ]
list org/two main $first pytorch_model.bin open_clip_config.json x.safetensors
cp x.safetensors a.pt
cp x.safetensors b.pt
list org/choice main $first a.pt b.pt
show "$LP_PROGRAM" fetch org/choice
run 0 "$LP_PROGRAM" fetch org/choice --file b.pt --format csv
has "/models--org--choice/snapshots/$first/b.pt,SHA-256,"
show "$LP_PROGRAM" fetch org/choice --file c.pt
list org/none main $first README.md open_clip_config.json
show "$LP_PROGRAM" fetch org/none
expect hub-weights

# ---- broken downloads go on, and nothing that is half there is taken for whole
list org/broken main $first open_clip_config.json open_clip_model.safetensors
HF_ENDPOINT=$base_url/cut/20000
: >requests
run 0 "$LP_PROGRAM" fetch org/broken
ok "it went on where it stood" grep -q "open_clip_model.safetensors 206 20000 .* if-range" requests
rm -r $hub/models--org--broken
HF_ENDPOINT=$base_url
sed "s/\"size\": 4[0-9]*/\"size\": 999999999999999999/g" served/api/models/org/broken/revision/main >large
cp large served/api/models/org/broken/revision/main
show "$LP_PROGRAM" fetch org/broken
show "$LP_PROGRAM" inspect org/broken
list org/broken main $first open_clip_config.json open_clip_model.safetensors
cp README.md served/org/broken/resolve/$first/open_clip_config.json
rm -r $hub/models--org--broken
show "$LP_PROGRAM" fetch org/broken
list org/broken main $first open_clip_config.json open_clip_model.safetensors
{ head -c 434103 "$golden/clip.safetensors"; echo; } >served/org/broken/resolve/$first/open_clip_model.safetensors
show "$LP_PROGRAM" fetch org/broken
ok "no revision points to it" [ ! -e $hub/models--org--broken/refs/main ]
ok "no weights are there" [ ! -e $hub/models--org--broken/snapshots/$first/open_clip_model.safetensors ]
list org/broken main $first open_clip_config.json open_clip_model.safetensors
run 0 "$LP_PROGRAM" fetch org/broken
run 0 "$LP_PROGRAM" inspect org/broken
digest=$(sha256 "$golden/clip.safetensors")
echo x >$hub/models--org--broken/blobs/"$digest"
show "$LP_PROGRAM" fetch org/broken
rm $hub/models--org--broken/blobs/"$digest"
show "$LP_PROGRAM" inspect org/broken
run 0 "$LP_PROGRAM" fetch org/broken
run 0 "$LP_PROGRAM" inspect org/broken
expect hub-broken

# ---- tokens
HF_TOKEN=hf_secret
HF_ENDPOINT=$base_url/token/hf_secret/elsewhere
export HF_TOKEN
: >requests
run 0 "$LP_PROGRAM" fetch org/small-clip --out token
ok "the hub got it" grep -q '^/token/hf_secret/elsewhere/api/models/.* token$' requests
ok "where it redirects to did not" [ "$(grep -c ' token$' requests)" -eq 3 ]
ok "it is not printed" [ "$(cat stdout stderr | sed 's#/token/hf_secret/##' | grep -c hf_secret)" -eq 0 ]
unset HF_TOKEN
HF_ENDPOINT=$base_url/token/hf_secret
show "$LP_PROGRAM" fetch org/small-clip --out token
mkdir -p home/.cache/huggingface
echo hf_secret >home/.cache/huggingface/token
run 0 "$LP_PROGRAM" fetch org/small-clip --out token-file
run 1 env HF_HUB_DISABLE_IMPLICIT_TOKEN=1 "$LP_PROGRAM" fetch org/small-clip --out token
run 0 env HF_TOKEN=hf_secret HF_HOME=/nowhere "$LP_PROGRAM" fetch org/small-clip --out token
show env HF_TOKEN=hf_other "$LP_PROGRAM" fetch org/small-clip --out token
show env "HF_TOKEN=hf_a b" "$LP_PROGRAM" fetch org/small-clip --out token
rm home/.cache/huggingface/token
expect hub-tokens

# ---- refusals
for answer in 404/RepoNotFound 404/RevisionNotFound 401/RepoNotFound 403/GatedRepo 400/Other; do
    HF_ENDPOINT=$base_url/error/$answer
    show "$LP_PROGRAM" fetch org/small-clip@v1
done
HF_ENDPOINT=$base_url
list org/gated main $first open_clip_config.json open_clip_model.safetensors
rm served/org/gated/resolve/$first/open_clip_model.safetensors
show "$LP_PROGRAM" fetch org/gated
show env HF_ENDPOINT=http://example.com "$LP_PROGRAM" fetch org/gated
show env HF_ENDPOINT=https://nowhere.invalid "$LP_PROGRAM" fetch org/gated
show env HF_HUB_OFFLINE=1 "$LP_PROGRAM" fetch org/gated
show env TRANSFORMERS_OFFLINE=yes "$LP_PROGRAM" fetch org/gated
show env -u HOME "$LP_PROGRAM" fetch org/gated
show "$LP_PROGRAM" fetch org/gated --sha256 12345678
show "$LP_PROGRAM" fetch resnet18 --file x
show "$LP_PROGRAM" fetch org/gated@../main
expect hub-refused

# ---- answers that a hub does not give
listing=served/api/models/org/hostile/revision/main
mkdir -p "${listing%/*}"
: >requests
for answer in '' '[]' '{"sha": "../../elsewhere", "siblings": []}' "{\"sha\": \"$first\"}"; do
    printf %s "$answer" >$listing
    show "$LP_PROGRAM" fetch org/hostile
done
long=$(printf '%0300d' 1)
for name in ../x.pt /x.pt a/../x.pt a//x.pt a/ . 'x\n.pt' 'x\u001b[2J.pt' 'a\\b.pt' "$long.pt" ''; do
    printf '{"sha": "%s", "siblings": [{"rfilename": "%s"}]}' $first "$name" >$listing
    show "$LP_PROGRAM" fetch org/hostile
done
for file in '"size": 1' '"size": 1, "blobId": "../x"' '"size": 1, "lfs": {"size": 1, "sha256": "1234"}' \
    '"size": -1, "blobId": "1111111111111111111111111111111111111111"' \
    '"blobId": "1111111111111111111111111111111111111111"'; do
    printf '{"sha": "%s", "siblings": [{"rfilename": "x.pt", %s}]}' $first "$file" >$listing
    show "$LP_PROGRAM" fetch org/hostile
done
printf '{"weight_map": {"a": "../../elsewhere.pt"}}' >model.safetensors.index.json
list org/hostile main $first model.safetensors.index.json
show "$LP_PROGRAM" fetch org/hostile
printf '{"weight_map": {"a": "y.safetensors"}}' >model.safetensors.index.json
list org/hostile main $first model.safetensors.index.json
show "$LP_PROGRAM" fetch org/hostile
ok "no weights were made of it" [ "$(find $hub/models--org--hostile/snapshots -name '*.json' | wc -l)" -eq 0 ]
expect hub-hostile

# ---- Ctrl-C keeps what there is
head -c 300000 /dev/zero >model.safetensors
list org/slow main $first model.safetensors
HF_ENDPOINT=$base_url/slow
part=$hub/models--org--slow/blobs/$(sha256 model.safetensors).linprobe.incomplete
"$LP_PROGRAM" fetch org/slow 2>stopped &
pid=$!
while [ ! -s "$part" ]; do sleep 0.01; done
kill -TERM $pid
wait $pid
ok "SIGTERM ends with status 143" [ $? = 143 ]
ok "and says that it can go on" grep -q "interrupted: run again, it goes on from here" stopped
show "$LP_PROGRAM" inspect org/slow
HF_ENDPOINT=$base_url
: >requests
run 0 "$LP_PROGRAM" fetch org/slow
ok "it went on where it stood" grep -q "/model.safetensors 206 [1-9]" requests
expect hub-interrupted
exec 3>&-
done_testing
