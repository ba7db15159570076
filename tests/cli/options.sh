#!/bin/sh
# Options in every form, config files, and what is said of words that are nearly right.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
linprobe=$LP_PROGRAM
cd "$scratch" || exit 1
"$linprobe" generate -o data --seed 1 --train 2 --test 1 || exit 1
data=data/cifar-100-binary
for split in train test; do
    "$linprobe" extract -qm "$model" -d $data --split $split -o $split || exit 1
done

# ---- commands
show "$linprobe" extrat
show "$linprobe" frobnicate
show "$linprobe" --quiet fit
show "$linprobe" help fitt
expect commands
run 0 "$linprobe" help fit
cp stdout long
run 0 "$linprobe" fit -h
ok "help COMMAND and -h print the same" cmp long stdout
run 0 "$linprobe" -V
has "linprobe "

# ---- short options, with their arguments attached or not
run 0 "$linprobe" fit -q train -C0.5 -o one.probe -j2
run 0 "$linprobe" fit train -C 0.5 --out two.probe --threads=1 -q
run 2 "$linprobe" fit train -qvC=0.5 -otwo.probe
says "--quiet and --verbose exclude each other"
same() { # PROBE PROBE: they predict the same (the files hold their command lines)
    for probe; do
        "$linprobe" predict "$probe" test >"$probe.predictions" || return
    done
    cmp -s "$1.predictions" "$2.predictions"
}
ok "the same probe" same one.probe two.probe
expect values "$linprobe" knn train test -k5 -fcsv

# ---- nearly right
for words in "--thread 2" "-threads 2" "--outt x" "--solver sofmax" "--format=jsno" "-x" "-Cx" "-C"; do
    # shellcheck disable=SC2086
    show "$linprobe" fit train -o x $words
done
show "$linprobe" knn train test -k 5 -k 6
show "$linprobe" sweep train -o x --folds 5 --hold-out 0.2
show "$linprobe" extract --pixels -m "$model" -d $data --split test -o x
show "$linprobe" inspect clip-vit-b-23
show "$linprobe" fetch cifar-1000
expect nearly

# ---- swapped, or another kind of thing
show "$linprobe" eval test one.probe
show "$linprobe" predict test one.probe
show "$linprobe" eval one.probe one.probe
show "$linprobe" fit one.probe -o x
show "$linprobe" fit $data -o x
show "$linprobe" knn train "$model"
show "$linprobe" knn train "$LP_SOURCE/tests/golden/families/byol-haiku.pkl"
show "$linprobe" sweep train --test one.probe -o x
show "$linprobe" extract -m $data -d "$model" --split test -o x
show "$linprobe" inspect test
show "$linprobe" compare train=one.probe one.probe=test
show -e -n "$linprobe" knn test train -k 1
expect swapped

# ---- labels that begin at 1
number() { # SET OUT: adds 1 to each label (below 255: the first of its 8 bytes)
    mkdir "$2" && cp "$1/features.npy" "$2" && head -c 128 "$1/labels.npy" >"$2/labels.npy"
    # shellcheck disable=SC2059 # the bytes
    printf "$(tail -c +129 "$1/labels.npy" | od -An -v -tu1 |
        awk '{ for (i = 1; i <= NF; i++) printf "\\%03o", n++ % 8 ? $i : $i + 1 }')" >>"$2/labels.npy"
}
number train one
number test two
show -e -n "$linprobe" knn one two -k 1
show -e -n "$linprobe" knn one test -k 1
run 0 "$linprobe" fit one -o one/p.probe
says "WARNING: labels of one begin at 1: "
run 0 "$linprobe" eval one/p.probe two --format csv

# ---- a class without an example: labels 0, 1, 2, ... become 0, 2, 4, ...
mkdir gaps && cp train/features.npy gaps && head -c 128 train/labels.npy >gaps/labels.npy
# shellcheck disable=SC2059 # the bytes
printf "$(tail -c +129 train/labels.npy | od -An -v -tu1 |
    awk '{ for (i = 1; i <= NF; i++) printf "\\%03o", 2 * $i }')" >>gaps/labels.npy
run 0 "$linprobe" fit gaps -o gaps/p.probe
says "classes of gaps have no example (class 1 is the first): nothing can be learnt of them"
run 0 "$linprobe" eval gaps/p.probe gaps
ok "all classes of these rows were learnt" [ "$(grep -c "could not learn" stderr)" = 0 ]
show -e -n "$linprobe" eval gaps/p.probe test
expect labels

# ---- folders that results go to are made
run 0 "$linprobe" extract -qm "$model" -d $data --split test -o made/for/extract
run 0 "$linprobe" fit train -qo made/by/fit/x.probe
run 0 "$linprobe" sweep train -qo made/by/sweep --steps 1 --from -1 --to 0
run 0 "$linprobe" generate -qo made/by/generate --train 1 --test 1
run 0 "$linprobe" eval made/by/fit/x.probe test -o made/by/eval/x.json --confusion made/too/x.png
run 0 "$linprobe" compare "$model" pixels="$model" -d $data --cache made/cache/x -qo made/by/compare
ok "all of them" ls made/for/extract/meta.json made/by/fit/x.probe made/by/sweep/best.probe \
    made/by/generate/cifar-100-binary made/by/eval/x.json made/too/x.png made/by/compare

# ---- config files
printf '%s\n' '# the options of a fit' '' '  C = 0.5' 'out=three.probe ' 'threads = 2' \
    'solver = softmax' 'quiet = true' 'verbose = false' >fit.conf
run 0 "$linprobe" fit train --config fit.conf
ok "the same probe" same three.probe one.probe
ok "how it was made is recorded" grep -q 'linprobe fit train --config fit.conf -C 0.5 --out' three.probe
cp three.probe kept.probe
run 0 "$linprobe" fit train -o four.probe --config fit.conf -C 0.1
ok "the command line wins" grep -q '"C":0.1,' four.probe
ok "and three.probe stays" cmp -s three.probe kept.probe
configure() { # LINE...
    printf '%s\n' "$@" >wrong.conf
    show "$linprobe" fit train -o x --config wrong.conf
}
configure 'C = 0.5' 'solvr = ovr'
configure 'c=1'
configure 'C 0.5'
configure '' 'C = none'
configure 'C = 1' 'C = 2'
configure 'verbose = yes'
configure 'config = other.conf'
configure '= 3'
show "$linprobe" fit train -o x --config nowhere.conf
expect config
ok "nothing was written" [ ! -e x ]

# ---- a terminal: text as wide as it is; a table that is wider becomes blocks
PATH=$LP_TESTS:$PATH
show on_terminal 44 "$linprobe" help knn
show -n on_terminal 44 "$linprobe" knn train test -k 1,2 -q
show -n on_terminal 200 "$linprobe" knn train test -k 1,2 -q
expect terminal
run 0 on_terminal 120 "$linprobe" fit --help
ok "wider lines on a wider terminal" awk 'length > 80 { wide = 1 } length > 120 { exit 1 } END { exit !wide }' stdout
done_testing
