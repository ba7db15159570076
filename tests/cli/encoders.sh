#!/bin/sh
# What weights do not tell of a model: asked for, answered by options, and part of the features' inputs.
. "$LP_SOURCE/tests/support/tap.sh"
families=$LP_SOURCE/tests/golden/families
cd "$scratch" || exit 1
cp "$families/clip-vit.safetensors" clip.safetensors
cp "$families/dino.safetensors" dino.safetensors
cp "$families/timm-siglip.safetensors" siglip.safetensors
run 0 "$LP_PROGRAM" generate --out made --seed 7 --train 2 --test 1
data=made/cifar-100-binary

# ---- an open activation is a question, and everything else is shown
show "$LP_PROGRAM" inspect clip.safetensors --heads 2
show "$LP_PROGRAM" inspect clip.safetensors --heads 2 --activation gelu
show "$LP_PROGRAM" extract --model clip.safetensors --heads 2 --data $data --split test --out clip
ok "no features were made" [ ! -e clip ]
echo '{"model_cfg": {"vision_cfg": {"width": 24, "layers": 2, "head_width": 12}}}' >open_clip_config.json
show "$LP_PROGRAM" inspect clip.safetensors
run 0 "$LP_PROGRAM" inspect clip.safetensors --format json
has '"config": "open_clip_config.json"'
rm open_clip_config.json
show "$LP_PROGRAM" inspect clip.safetensors --activation relu
expect activation

# ---- what is assumed is said
show "$LP_PROGRAM" inspect dino.safetensors --heads 2
show "$LP_PROGRAM" inspect dino.safetensors --heads 2 --mean-std half
expect assumed

# ---- what the features depend on is in their inputs
features() { # OUT OPTIONS...
    out=$1
    shift
    "$LP_PROGRAM" extract --model dino.safetensors --heads 2 --data $data --split test --out "$out" "$@"
}
run 0 features cls
run 0 features mean --pool mean --input-size 20
ok "pooling and size are recorded" sh -c "grep -q '\"pool\": \"mean\"' mean/meta.json && grep -q '\"crop\": 20' mean/meta.json"
ok "and that they are not the model's own" grep -q '"changed": true' mean/meta.json
ok "they change the features" sh -c "! cmp -s cls/features.npy mean/features.npy"
show -e -n features mean --pool mean --input-size 20
show features mean --pool cls --input-size 20
show features mean --pool mean --input-size 10
expect inputs

# ---- features of several layers
run 0 features both --layers 1-2 --pool cls+mean
ok "layers and pool are recorded" sh -c "grep -q '\"layers\": \"1-2\"' both/meta.json && grep -q '\"pool\": \"cls+mean\"' both/meta.json"
ok "they are other features" grep -q '"width": 72' both/meta.json
run 0 features last --layers 2
ok "the last layer alone is the default" cmp cls/features.npy last/features.npy
ok "to the last digit of its inputs" sh -c "! grep -q '\"layers\": \"' last/meta.json"
show features both --layers 2-2 --pool cls+mean
show features no --layers 2-3
show features no --layers 2-1
show features no --layers most
show "$LP_PROGRAM" extract --model siglip.safetensors --heads 2 --layers 1-2 --data $data --split test --out no
show "$LP_PROGRAM" extract --model clip.safetensors --heads 2 --activation gelu --layers 1-2 --feature projected --data $data --split test --out no
run 0 "$LP_PROGRAM" inspect dino.safetensors --heads 2 --layers 1
has "pooling cls, layers 1"
expect layers

# ---- 8-bit integers: any number of threads; never taken for float32
run 0 features eight --precision int8 --threads 1
run 0 features more --precision int8 --threads 3
ok "any number of threads gives the same features" cmp eight/features.npy more/features.npy
ok "they are not float32's" sh -c "! cmp -s cls/features.npy eight/features.npy"
ok "the precision is recorded" sh -c "grep -q '\"precision\": \"int8\"' eight/meta.json && grep -q '\"precision\": \"float32\"' cls/meta.json"
ok "the name tells it" grep -q '"name": ".* int8"' eight/meta.json
show features eight
show features cls --precision int8
run 0 "$LP_PROGRAM" extract --model dino.safetensors --heads 2 --data $data --split train --out train
run 3 "$LP_PROGRAM" fit train --out float.probe --max-iterations 1
show "$LP_PROGRAM" eval float.probe eight
expect int8

# ---- a precision that is no faster here is said to be so
kernels=$("$LP_PROGRAM" --version --verbose | sed -n '/^kernels/,$p' | tr -s '\n ' '  ')
for fast in "int8 AVX-512 VNNI;" "bfloat16 A" "int16 A"; do
    precision=${fast%% *}
    run 0 features "noted-$precision" --precision "$precision"
    if echo "$kernels" | grep -q "$fast"; then
        ok "$precision: nothing is said, as it is faster" sh -c "! grep -q 'no faster than float32' '$scratch/stderr'"
    else
        says "this processor multiplies $precision no faster than float32"
    fi
done

# ---- bfloat16: the same
run 0 features half --precision bfloat16 --threads 1
run 0 features half-more --precision bfloat16 --threads 3
ok "any number of threads gives the same features in bfloat16" cmp half/features.npy half-more/features.npy
ok "they are neither float32's nor int8's" sh -c "! cmp -s cls/features.npy half/features.npy && ! cmp -s eight/features.npy half/features.npy"
ok "bfloat16 is recorded" grep -q '"precision": "bfloat16"' half/meta.json
ok "the name tells bfloat16" grep -q '"name": ".* bfloat16"' half/meta.json

# ---- what a config says, too
cp "$families/hf-clip.safetensors" hf.safetensors
config() { # EPS
    cat >config.json <<JSON
{"model_type": "clip_vision_model", "hidden_size": 24, "num_hidden_layers": 2, "patch_size": 5,
 "num_attention_heads": 2, "hidden_act": "quick_gelu", "layer_norm_eps": $1}
JSON
}
config 1e-5
run 0 "$LP_PROGRAM" extract --model hf.safetensors --data $data --split test --out hf
config 1e-3
show "$LP_PROGRAM" extract --model hf.safetensors --data $data --split test --out hf
rm config.json
expect config

# ---- what a family cannot do
show features no --pool attention
show features no --input-size 23
show "$LP_PROGRAM" inspect siglip.safetensors --heads 2 --pool cls
expect impossible

# ---- comparing: an option of one model, and one of all
cp "$LP_SOURCE/tests/golden/encoder/timm.safetensors" vit.safetensors
cp "$LP_SOURCE/tests/golden/encoder/clip.safetensors" open.safetensors
show "$LP_PROGRAM" compare open.safetensors vit.safetensors --data $data --cache cache --out out
run 0 "$LP_PROGRAM" compare open.safetensors,activation=gelu vit.safetensors --data $data --cache cache --out out
run 0 "$LP_PROGRAM" compare four=vit.safetensors,pool=cls+mean,layers=1-2 vit.safetensors --data $data --cache cache --out out --format csv
ok "one model's layers are its own" sh -c "grep -rl '\"layers\": \"1-2\"' cache/features | grep -c meta.json | grep -qx 2"
ok "the option answers" grep -rq '"activation": "gelu"' cache/features
config 1e-5
run 0 "$LP_PROGRAM" compare hf.safetensors vit.safetensors --data $data --cache cache --out out
ok "the config answers" grep -rq '"activation": "quick_gelu"' cache/features
run 0 "$LP_PROGRAM" compare hf.safetensors vit.safetensors --activation gelu_tanh --data $data --cache cache --out out
ok "the option comes before the config, for all models" sh -c "test \$(grep -rl '\"activation\": \"gelu_tanh\"' cache/features | grep -c meta.json) -eq 4"
expect comparing
done_testing
