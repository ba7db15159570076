#!/bin/sh
# Killed without warning at any moment, and two at once: what is there is whole or goes on, and the
# files are those of an undisturbed run.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
cd "$scratch" || exit 1
"$LP_PROGRAM" generate --out made --seed 5 --train 4 --test 2 2>/dev/null || exit 1
data=made/cifar-100-binary

# killed NAME COMMAND...: starts it again and again; each is killed a little later than the one
# before, until one comes to its end.
killed() {
    what=$1
    shift
    kills=0
    for delay in 0.01 0.02 0.04 0.07 0.1 0.15 0.2 0.3 0.5 0.8 1.3 2 4 8 16 32; do
        "$@" >stdout 2>stderr &
        process=$!
        (sleep $delay && kill -KILL $process) 2>/dev/null &
        killer=$!
        wait $process 2>/dev/null
        found=$?
        kill $killer 2>/dev/null
        wait $killer 2>/dev/null
        [ $found != 137 ] && break
        kills=$((kills + 1))
    done
    ok "$what: ends well after being killed $kills times (status $found)" [ "$found" = 0 ]
}

run 0 "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out whole
killed extract "$LP_PROGRAM" extract --model "$model" --data "$data" --split train --out set
ok "extract: the same features" cmp whole/features.npy set/features.npy
ok "extract: the same labels" cmp whole/labels.npy set/labels.npy
ok "extract: no working files are left" sh -c '[ ! -e set.partial ] && [ ! -e set/journal ]'

sweep() {
    exec "$LP_PROGRAM" sweep whole --solver softmax --threads 1 --from -3 --to 0 --steps 1 --protocol grid --out swept
}
run 0 eval '(sweep)' # exec: the process that is killed is the program
mv swept undisturbed
killed sweep sweep
for file in undisturbed/*; do
    case $file in
    *.json | *.csv | *.probe) ok "sweep: the same ${file#*/}" cmp "$file" "swept/${file#*/}" ;;
    esac
done

run 0 "$LP_PROGRAM" sweep whole --solver softmax --threads 3 --from -3 --to 0 --steps 1 --protocol grid --out three
for file in sweep.csv sweep.json; do
    for folder in undisturbed three; do
        sed '/"command": /d' $folder/$file >$folder.$file
    done
    ok "sweep: the same $file on 3 threads" cmp undisturbed.$file three.$file
done

# ---- two at once: the first is stopped in the middle of its work, so that the second finds it there
# second TEXT COMMAND...: must be refused with TEXT
hold() { # FILE COMMAND...: runs the command until FILE is there and not empty, then stops it
    sign=$1
    shift
    "$@" >first.out 2>first.err &
    first=$!
    while kill -0 $first 2>/dev/null && [ ! -s "$sign" ]; do sleep 0.01; done
    kill -STOP $first 2>/dev/null
}
release() { # NAME
    kill -CONT $first 2>/dev/null
    wait $first
    found=$?
    ok "$1: the first is not disturbed (status $found)" [ "$found" = 0 ]
}

"$LP_PROGRAM" generate --out more --seed 6 --train 60 --test 1 2>/dev/null || exit 1
hold two.partial/inputs.json "$LP_PROGRAM" extract --model "$model" --data more/cifar-100-binary --split train --out two
if [ -e two.partial ]; then
    run 1 "$LP_PROGRAM" extract --model "$model" --data more/cifar-100-binary --split train --out two
    says "two.partial: another process is writing this feature set"
else
    skip "two extractions at once" "the first was too fast"
fi
release extract

hold both/points.json "$LP_PROGRAM" sweep whole --solver softmax --threads 1 --from -6 --to 6 --steps 8 --protocol grid --out both
if kill -0 $first 2>/dev/null; then
    run 1 "$LP_PROGRAM" sweep whole --solver softmax --threads 1 --from -6 --to 6 --steps 8 --protocol grid --out both
    says "both: another process is at work in this folder"
    # the lock dies with its process, however it ends
    kill -KILL $first
    wait $first 2>/dev/null
    "$LP_PROGRAM" sweep whole --solver softmax --from -6 --to 6 --steps 8 --protocol grid --out both >stdout 2>stderr &
    next=$!
    sleep 0.3
    kill -INT $next
    wait $next
    ok "sweep: the lock has gone with its process" sh -c '! grep -q "another process" stderr'
else
    skip "two sweeps at once" "the first was too fast"
fi

# ---- a download
mkdir served
dd if=more/cifar-100-binary/train.bin of=served/weights.pt bs=1024 count=600 2>/dev/null
sha=$(sha256 served/weights.pt)
mkfifo held
"$LP_TESTS/http_server" served <held >port 2>requests &
exec 3>held # the server ends when this closes
while [ ! -s port ]; do sleep 0.05; done
fetch() {
    echo "$LP_PROGRAM" fetch dino-vit-s-16 --url "http://127.0.0.1:$(cat port)/slow/weights.pt" --sha256 "$sha" --out got
}
# shellcheck disable=SC2046
killed fetch $(fetch)
ok "fetch: the same bytes" cmp served/weights.pt got
ok "fetch: no partial file is left" [ ! -e got.part ]
rm -rf got
# shellcheck disable=SC2046,SC2091
$(fetch) >first.out 2>first.err &
first=$!
while kill -0 $first 2>/dev/null && ! find . -name '*.part' -size +8k | grep -q .; do sleep 0.01; done
# shellcheck disable=SC2046
run 1 $(fetch)
says "is fetching this file"
wait $first
found=$?
ok "fetch: the first is not disturbed (status $found)" [ "$found" = 0 ]
exec 3>&-
done_testing
