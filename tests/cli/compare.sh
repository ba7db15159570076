#!/bin/sh
# compare of backbones: does all that is missing, reuses by content, one table in every form.
. "$LP_SOURCE/tests/support/tap.sh"
golden=$LP_SOURCE/tests/golden/encoder
for part in 1:6:3 2:2:1; do
    seed=${part%%:*} sizes=${part#*:}
    "$LP_PROGRAM" generate --out "$scratch/data$seed" --seed "$seed" --train "${sizes%:*}" --test "${sizes#*:}" 2>/dev/null || exit 1
done
cd "$scratch" || exit 1
data=data1/cifar-100-binary
cp "$golden/clip.safetensors" a.safetensors
cp "$golden/open_clip_config.json" . # says that it has QuickGELU
cp "$golden/timm.safetensors" b.safetensors
strip() { # what differs between runs by design
    sed '/"command"/d; /images_per_second/d; /"threads"/d' "$1"
}

run 0 "$LP_PROGRAM" compare a.safetensors vit=b.safetensors --data $data --cache cache --out out --profile
has "params M"
has "images/s"
has "significant"
has "vit "
says "backbone 2 of 2: vit=b.safetensors"
ok "a profile of each of four extractions" [ "$(grep -c 'share %' stderr)" = 4 ]
cp stdout first
for file in compare.json compare.csv pairs.csv compare.png compare.svg compare.html; do
    ok "$file is there" [ -s out/$file ]
done
ok "a table row each" [ "$(wc -l <out/compare.csv)" -eq 3 ]
ok "the page has the chart and both tables" sh -c "grep -q '<svg' out/compare.html && grep -q 'Every pair' out/compare.html && grep -q 'vit' out/compare.html"
ok "four feature sets" [ "$(find cache/features -name features.npy | wc -l)" -eq 4 ]

show -e "$LP_PROGRAM" compare a.safetensors vit=b.safetensors --data $data --cache cache --out out
ok "the same command prints the same bytes" cmp -s stdout first

# feature points, names, folders
run 0 "$LP_PROGRAM" compare a=a.safetensors@projected b=a.safetensors@penultimate --data $data --cache cache --out out8 --format csv
has "a,"
ok "each its own feature point" [ "$(cut -d, -f4 stdout | tail -n +2 | sort | tr '\n' ' ')" = "penultimate projected " ]
ok "the penultimate features are new" [ "$(find cache/features -name features.npy | wc -l)" -eq 6 ]
find cache/features -path '*clip*penultimate*' -name 'cifar*' -prune -exec rm -r {} +
show "$LP_PROGRAM" compare a.safetensors clip-vit-b-32 --data $data --cache cache --out out9
show "$LP_PROGRAM" compare a.safetensors clip-vit-b-33 --data $data --cache cache --out out9

# by content: another name of the same weights reuses, other weights or data do not
cp a.safetensors copy.safetensors
run 0 "$LP_PROGRAM" compare a.safetensors copy.safetensors --data $data --cache cache --out out2
ok "a copy adds no features" [ "$(find cache/features -name features.npy | wc -l)" -eq 4 ]
ok "two runs of one name are told apart" [ "$(cut -d, -f1 out2/compare.csv | sort -u | wc -l)" -eq 3 ]
has "no"
run 0 "$LP_PROGRAM" compare a.safetensors vit=b.safetensors --data data2/cifar-100-binary --cache cache --out out3
ok "other images have their own features" [ "$(find cache/features -name features.npy | wc -l)" -eq 8 ]
cp a.safetensors changed.safetensors
printf '\001' | dd of=changed.safetensors bs=1 seek=60000 conv=notrunc 2>/dev/null
ok "one byte differs" sh -c "! cmp -s a.safetensors changed.safetensors"
run 0 "$LP_PROGRAM" compare a.safetensors changed.safetensors --data $data --cache cache --out out4
ok "changed weights have their own features" [ "$(find cache/features -name features.npy | wc -l)" -eq 10 ]

# the same for any number of threads, with a sweep
for threads in 1 2; do
    run 0 "$LP_PROGRAM" compare a.safetensors b.safetensors --data $data --cache t$threads --out o$threads --sweep --seed 3 --threads $threads
    strip o$threads/compare.json >s$threads
done
says "sweep: best C = "
ok "the same comparison for 1 and 2 threads" cmp s1 s2
ok "C is each model's own" [ "$(cut -d, -f6 o1/compare.csv | sort -u | wc -l)" -ge 2 ]
run 0 "$LP_PROGRAM" compare a.safetensors b.safetensors --data $data --cache t1 --out o1 --sweep --seed 3 --format json --feature penultimate
has '"feature": "penultimate"'
has '"p_holm"'
run 0 "$LP_PROGRAM" compare a.safetensors b.safetensors --data $data --cache t1 --out o1 --format csv --table pairs
has "first,second,difference"

# all models are looked at before any work, and what is wrong is said of each
show "$LP_PROGRAM" compare a.safetensors nowhere.pt b.safetensors,pool=most --data $data --cache cache5 --out out5
ok "nothing was begun" sh -c "! ls cache5 out5 2>&1"
# one model's options
show "$LP_PROGRAM" compare "b=b.safetensors,pool=mean,heads=1" b.safetensors --data $data --cache cache --out out5 --table runs
show "$LP_PROGRAM" compare a.safetensors b.safetensors --data nowhere
show "$LP_PROGRAM" compare b.safetensors a.safetensors --data $data --cache cache --out out6 --feature projected
show "$LP_PROGRAM" compare a.safetensors --data $data
run 3 "$LP_PROGRAM" compare a.safetensors b.safetensors --data $data --cache cache --out out7 --max-iterations 1
ok "not converged, and said so in the files" grep -q '"converged": false' out7/compare.json
expect backbones
done_testing
