#!/bin/sh
# What surrounds the commands: odd paths, odd bytes, signals in each phase, terminals that are none.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/made" --seed 3 --train 2 --test 1 2>/dev/null || exit 1
"$LP_PROGRAM" generate --out "$scratch/large" --seed 3 --train 60 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1
data=made/cifar-100-binary

# ---- folders
extract() {
    "$LP_PROGRAM" extract --model "$model" --data "$data" --split test "$@"
}
run 0 extract --out plain/
ok "a slash at the end is no part of the name" [ -e plain/features.npy ]
show -e -n extract --out plain
show extract --out .
show extract --out nowhere/..
show extract --out ""
show extract --out=
run 0 extract --out "two words/it's"
ok "the command is quoted for a shell" grep -qF "'two words/it'\\\\''s'" "two words/it's/meta.json"
long=$(awk 'BEGIN { for (i = 0; i < 4100; i++) printf "x" }')
run 1 extract --out "$long"
says "expected at most 4095"
run 1 "$LP_PROGRAM" inspect "$long"
says "expected at most 4095"
run 1 "$LP_PROGRAM" reproduce --model "$model" --data "$data" --cache "$long"
says "expected at most 4095"
expect folders

# ---- bytes that are not UTF-8, which JSON cannot hold
odd=$(printf 'odd\377')
cp -r "$data" "$odd" 2>/dev/null
if [ -d "$odd" ]; then
    run 0 "$LP_PROGRAM" extract --model "$model" --data "$odd" --split train --out "set$odd"
    ok "meta.json shows them as ?" grep -q '"source": "odd?"' "set$odd/meta.json"
    run 0 "$LP_PROGRAM" fit "set$odd" --solver liblinear --out "$odd.probe" --format csv
    has ",odd?.probe"
    run 0 "$LP_PROGRAM" eval "$odd.probe" "set$odd" --out e.json --report e.html
    ok "eval's document, too" grep -q '"path": "setodd?"' e.json
    run 0 "$LP_PROGRAM" compare "$odd.probe=set$odd" "$odd.probe=set$odd" --format csv
    has "odd?.probe=setodd?,odd?.probe=setodd?,0"
else
    skip "paths that are not UTF-8" "the file system has none"
fi

# ---- output into a pipe that closes; no terminal
run 0 sh -c "'$LP_PROGRAM' inspect '$model' | head -1"
has "file:"
run 0 env NO_COLOR=1 TERM=dumb "$LP_PROGRAM" inspect "$model"
ok "no escape sequence" sh -c "! grep -q \"\$(printf '\\033')\" '$scratch/stdout' '$scratch/stderr'"

# ---- a small and lopsided data set
dd if="$data/train.bin" of=few.bin bs=3074 count=3 2>/dev/null
dd if="$data/train.bin" of=one.bin bs=3074 count=1 2>/dev/null
: >none.bin
show "$LP_PROGRAM" extract --model "$model" --data none.bin --split test --out none
run 0 "$LP_PROGRAM" extract --model "$model" --data few.bin --split train --out few
run 0 "$LP_PROGRAM" extract --model "$model" --data one.bin --split test --out one
run 0 "$LP_PROGRAM" fit few --solver liblinear --out few.probe
run 0 "$LP_PROGRAM" eval few.probe one --format csv
has "1,"
show "$LP_PROGRAM" fit one --solver liblinear --out one.probe
expect small-sets

# ---- a sweep never takes over the points of other features, even where no meta.json tells them apart
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out a
run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --normalize --out b
rm a/meta.json b/meta.json
run 0 "$LP_PROGRAM" sweep a --solver liblinear --out swept --from -1 --to 1
show "$LP_PROGRAM" sweep b --solver liblinear --out swept --from -1 --to 1
expect sweep-of-others

# ---- Ctrl-C in each phase of reproduce
mkdir served
cp "$model" served/weights.safetensors
(cd large && tar -czf ../served/cifar-100-binary.tar.gz cifar-100-binary)
mkfifo hold
"$LP_TESTS/http_server" served <hold >port 2>requests &
exec 3>hold # the server ends when this closes
while [ ! -s port ]; do sleep 0.05; done
base=http://127.0.0.1:$(cat port)


exec=
reproduce() { # PATH OPTIONS...
    path=$1
    shift
    $exec "$LP_PROGRAM" reproduce --data-url "$base$path/cifar-100-binary.tar.gz" --model "$model" --threads 1 \
        --data-sha256 "$(sha256 served/cifar-100-binary.tar.gz)" --run run "$@"
}
# interrupted PHASE CONDITION PATH OPTIONS...: runs reproduce until CONDITION holds, then interrupts it.
interrupted() {
    phase=$1 condition=$2
    shift 2
    { exec='exec' && reproduce "$@"; } >stdout 2>stderr & # exec: the process is the program
    process=$!
    while kill -0 $process 2>/dev/null && ! sh -c "$condition" 2>/dev/null; do sleep 0.01; done
    kill -INT $process 2>/dev/null
    wait $process
    found=$?
    ok "Ctrl-C in the $phase: status 130 (found $found)" [ "$found" = 130 ]
    says "linprobe reproduce: interrupted: run again, "
}
interrupted download "[ -s datasets/cifar-100-binary.tar.gz.part ]" /slow
interrupted extraction "grep -q . datasets/features/*/*.partial/journal" ""
interrupted training "grep -q 'training on' stderr" "" -C 1e6 --eps 1e-15
ok "no half-written probe" [ ! -e results/run/liblinear.probe ]
show -e reproduce "" -C 1e-6

# Opening 3 GB of records (all holes, all zeros) stands for any long work without a safe point in it:
# one signal waits for it, two do not.  The first may come before the program listens (a shell starts
# it deaf to SIGINT), so there are several.
dd if=/dev/zero of=sparse.bin bs=3074 count=0 seek=1000000 2>/dev/null
(
    "$LP_PROGRAM" extract --pixels --data sparse.bin --split test --out sparse >stdout 2>stderr &
    echo $! >process
    wait $!
    echo $? >ended
) &
tries=0
while [ ! -s ended ] && [ $tries -lt 300 ]; do
    sleep 0.1
    kill -INT "$(cat process)" 2>/dev/null
    tries=$((tries + 1))
done
found=$(cat ended)
ok "a second Ctrl-C ends it at once: status 130 (found $found)" [ "$found" = 130 ]
expect resumed

# ---- a pipe that nobody writes to is refused, not waited for
mkfifo never
show "$LP_PROGRAM" inspect never
show "$LP_PROGRAM" extract --pixels --data never --split test --out x
show "$LP_PROGRAM" fit never --out x
expect pipes

# ---- a file in the cache that is not the one asked for
echo other >>datasets/cifar-100-binary.tar.gz
show reproduce "" -C 1e-6
show "$LP_PROGRAM" reproduce --model "$model" --data-url "$base/" --data-sha256 "$(sha256 stdout)"
exec 3>&-
expect wrong-file
done_testing
