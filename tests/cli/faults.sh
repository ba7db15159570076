#!/bin/sh
# A disk that is full, or breaks, at each single call that changes a file: the message says so, the
# status is 1, no half-written file has a final name, no temporary file stays, and the same command
# run again ends with the same bytes as an undisturbed one.
. "$LP_SOURCE/tests/support/tap.sh"
shim=$LP_TESTS/fault_writes.so
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
if [ ! -e "$shim" ]; then
    skip "failing writes" "no LD_PRELOAD on this system"
    done_testing
    exit
fi
"$LP_PROGRAM" generate --out "$scratch/made" --seed 3 --train 2 --test 1 2>/dev/null || exit 1
mkdir "$scratch/in"
cd "$scratch/in" || exit 1
mv ../made/cifar-100-binary data
for split in train test; do
    "$LP_PROGRAM" extract --model "$model" --data data --split $split --out $split >/dev/null 2>&1 || exit 1
done
"$LP_PROGRAM" fit train --solver liblinear --out probe >/dev/null 2>&1 || exit 1

# Runs the command in a folder of its own, beside links to the inputs.
in_folder() { # FOLDER COMMAND...
    folder=$1
    shift
    mkdir -p "$scratch/$folder"
    for input in "$scratch"/in/*; do
        [ -e "$scratch/$folder/${input##*/}" ] || ln -s "$input" "$scratch/$folder/"
    done
    (cd "$scratch/$folder" && "$@") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
}
faulty() { # KIND AT COMMAND...
    kind=$1 at=$2 log=$scratch/log
    [ "$at" = 0 ] || log=$scratch/hit-log
    shift 2
    env LD_PRELOAD="$shim" FAULT_LOG="$log" FAULT_ERRNO="$kind" FAULT_AT="$at" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0" "$@"
}
# Outputs that tell how long something took are not compared.
same() { # FOLDER FOLDER
    diff -r -x timing.json "$scratch/$1" "$scratch/$2" >"$scratch/stdout" 2>&1
}

survives() { # NAME COMMAND...
    what=$1
    shift
    rm -rf "$scratch/whole" "$scratch/hit"
    if ! in_folder whole faulty NONE 0 "$@"; then
        ok "$what: undisturbed" false
        return
    fi
    calls=$(wc -l <"$scratch/log")
    ok "$what: $calls calls change files" [ "$calls" -gt 4 ]
    # What a power loss may leave hangs on this order.
    # shellcheck disable=SC2016 # awk's own $0
    ok "$what: what gets its final name is on the disk before, and the name afterwards" awk '
        last == "rename" && $0 != "fsync" { bad = 1 }
        $0 == "write" || $0 == "ftruncate" { dirty = 1 }
        $0 == "fsync" || $0 == "fdatasync" { dirty = 0 }
        $0 == "rename" && dirty { bad = 1 }
        { last = $0 }
        END { exit bad || last != "fsync" }' "$scratch/log"
    # At most 24 places, evenly over all, and the kinds in turn.
    step=$(((calls + 23) / 24)) bad='' k=1 kinds='ENOSPC EIO SHORT'
    while [ $k -le "$calls" ]; do
        kind=${kinds%% *}
        kinds="${kinds#* } $kind"
        reason='No space left on device'
        [ "$kind" = EIO ] && reason='Input/output error'
        place="$kind at $k ($(sed -n "${k}p" "$scratch/log"))"
        rm -rf "$scratch/hit"
        in_folder hit faulty "$kind" $k "$@"
        found=$?
        # on a slow machine the undisturbed run may have saved more often
        if [ $found = 0 ] && [ "$(wc -l <"$scratch/hit-log")" -lt $k ]; then
            break
        fi
        if [ $found != 1 ] || ! grep -q "$reason" "$scratch/stderr"; then
            bad="$bad $place: status $found, $(tail -1 "$scratch/stderr");"
        fi
        if find "$scratch/hit" -name '*.tmp.*' | grep -q .; then
            bad="$bad $place: $(find "$scratch/hit" -name '*.tmp.*') is left;"
        fi
        if ! in_folder hit "$@"; then
            bad="$bad after $place: $(tail -1 "$scratch/stderr");"
        elif ! same whole hit; then
            bad="$bad after $place: $(head -1 "$scratch/stdout");"
        fi
        k=$((k + step))
    done
    echo "$bad" | tr ';' '\n' >"$scratch/stderr"
    ok "$what: each failure is told, and the same command then ends with the same bytes" [ -z "$bad" ]
}

survives generate "$LP_PROGRAM" generate --out made --seed 1 --train 1 --test 1
survives extract "$LP_PROGRAM" extract --model "$model" --data data --split test --out set --threads 1
in_folder order faulty NONE 0 "$LP_PROGRAM" extract --model "$model" --data data --split train --out set --threads 1
# shellcheck disable=SC2016
ok "extract: a chunk is on the disk before the journal names it" awk '
    last == "write" && $0 == "write" { bad = 1 }
    $0 == "fdatasync" { syncs++ }
    { last = $0 }
    END { exit bad || syncs < 4 }' "$scratch/log"
survives fit "$LP_PROGRAM" fit train --solver liblinear --out new.probe
survives sweep "$LP_PROGRAM" sweep train --solver liblinear --out swept --from -1 --to 0 --steps 1
survives eval "$LP_PROGRAM" eval probe test --out e.json --report e.html
done_testing
