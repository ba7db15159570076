#!/bin/sh
# linprobe-mpi: the same bytes for any number of ranks as of one process, and what happens when
# ranks fail.
. "$LP_SOURCE/tests/support/tap.sh"
case $LP_PROGRAM in
*/build/linprobe) ;;
*)
    echo "1..0 # SKIP a sanitizer's build has no MPI program"
    exit 0
    ;;
esac
if ! command -v mpirun >/dev/null 2>&1 || ! make -C "$LP_SOURCE" mpi MAKEFLAGS= >"$scratch/made" 2>&1; then
    skip "ranks" "no MPI here (mpirun, mpicc)"
    done_testing
    exit
fi
many=$LP_PROGRAM-mpi
# Open MPI: as root, on fewer processors than ranks, without its own advice
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
export OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_btl_base_warn_component_unused
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/drawn" --seed 5 --train 4 --test 2 2>/dev/null || exit 1
cd "$scratch" || exit 1
ln -s drawn/cifar-100-binary data
for split in train test; do
    "$LP_PROGRAM" extract --model "$model" --data data --split $split --out $split >/dev/null 2>&1 || exit 1
done

# with RANKS FOLDER COMMAND...: runs the program in a folder of its own, so that all have one command line; 0 ranks:
# the plain program.
with() {
    ranks=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    for input in data train test pets; do [ -e "$folder/$input" ] || ln -s "../$input" "$folder/$input"; done
    if [ "$ranks" = 0 ]; then
        (cd "$folder" && "$LP_PROGRAM" "$@")
    else
        (cd "$folder" && exec mpirun -n "$ranks" "$many" "$@")
    fi
}
# same NAME FILE... COMMAND after --: with 0 to 3 ranks, the files are the same.
same() {
    what=$1 files=
    shift
    while [ "$1" != -- ]; do
        files="$files $1"
        shift
    done
    shift
    for n in 0 1 2 3; do
        with $n "$what.$n" "$@" >stdout 2>stderr </dev/null
        found=$?
        ok "$what on $n ranks: exit status 0 (found $found)" [ $found = 0 ]
        for file in $files; do
            ok "$what on $n ranks: the same $file" cmp "$what.0/$file" "$what.$n/$file"
        done
        grep -v seconds stdout | sed 's/ *[0-9.]*  *probe$//; s/ *[0-9.]*$//' >"$what.$n/printed"
        ok "$what on $n ranks: prints the same, once" cmp "$what.0/printed" "$what.$n/printed"
    done
}

# ---- the same bytes
same softmax probe -- fit train --solver softmax -C 10 --threads 2 --out probe
same ovr probe -- fit train --solver ovr --standardize --threads 2 --out probe
same liblinear probe -- fit train --solver liblinear --threads 2 --out probe
same sweep out/points.json out/sweep.json out/sweep.csv out/best.probe out/sweep.html -- \
    sweep train --test test --from -2 --to 1 --steps 2 --threads 1 --out out
same knn -- knn train test -k 1,5,20
same extract set/features.npy set/labels.npy set/meta.json -- \
    extract --model "$model" --data data --split train --threads 1 --out set
same pixels set/features.npy set/labels.npy set/meta.json -- \
    extract --pixels --data data --split test --threads 1 --out set
"$LP_TESTS/make_folder" drawn train pets/train || exit 1
"$LP_TESTS/make_folder" drawn test pets/test || exit 1
for first in pets/train/*; do break; done
: >"$first/empty.png"
same folder set/features.npy set/labels.npy set/meta.json -- \
    extract --model "$model" --data pets --split train --skip-broken --threads 1 --out set
same reproduce results/run/results.json results/run/results.csv results/run/README.md results/run/softmax.probe -- \
    reproduce --model "$model" --data data --cache cache --results results --run run --threads 1
run 0 mpirun -n 2 "$many" extract --model "$model" --data data --split test --out rates --profile
says "rank 0 ("
says "rank 1 ("

# ---- other commands
run 0 mpirun -n 2 "$many" eval softmax.0/probe test
says "eval works on one rank: the other 1 of the job wait for it"
run 0 mpirun -n 2 "$many" --version
ok "rank 0 alone speaks" [ "$(wc -l <stdout)" -eq 1 ]
run 2 mpirun -n 2 "$many" fit train
says "--out FILE is missing"

# ---- failures: one message, which names rank and host, and the exit status of one process
told_once() { # TEXT
    ok "said once, with rank and host: $1" sh -c "
        [ \"\$(grep -c '^linprobe' stderr)\" = 1 ] && grep -q '^linprobe.*rank [0-9] ([^)]*)' stderr && grep -q '^linprobe.*$1' stderr"
}
run 1 mpirun -n 3 "$many" fit nowhere --out lost.probe
told_once "nowhere"

# Rank 1 sees something else under the same name: odd RANK-1 OTHERS COMMAND... with @ for it.
cat >odd <<'END'
#!/bin/sh
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-}}
one=$1 others=$2 program=$3
shift 3
[ "$rank" = 1 ] && seen=$one || seen=$others
for word; do
    shift
    [ "$word" = @ ] && word=$seen
    set -- "$@" "$word"
done
[ -z "${PIDS:-}" ] || echo $$ >"$PIDS.$rank"
exec "$program" "$@"
END
chmod +x odd
cp "$model" other.safetensors
cp -r train changed
for file in other.safetensors changed/features.npy; do # the last byte
    size=$(wc -c <"$file")
    printf '\101' | dd of="$file" bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
done
rm changed/meta.json
cp -r changed plain && cp train/features.npy plain/
run 1 mpirun -n 3 ./odd changed plain "$many" fit @ --out odd.probe
told_once "sees other bytes than rank 0"
run 1 mpirun -n 3 ./odd other.safetensors "$model" "$many" extract --model @ --data data --split test --out odd.set
told_once "sees other bytes than rank 0"
"$LP_PROGRAM" generate --out more --seed 6 --train 60 --test 2 2>/dev/null || exit 1
run 1 mpirun -n 3 ./odd more/cifar-100-binary data "$many" extract --model "$model" --data @ --split test --out odd.set
told_once "differ in the data.s SHA-256: rank 1"
run 1 mpirun -n 3 ./odd 0.5 0.7 "$many" fit train -C @ --out odd.probe
told_once "sums of different models"
ok "nothing is written" [ ! -e odd.probe ]

# ---- a rank that is killed, then mpirun, then the end with another number of ranks
alive() { # of the ranks
    for file in pid.*; do
        [ -e "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null && return 0
    done
    return 1
}
size() {
    if [ -e "$1" ]; then wc -c <"$1"; else echo 0; fi
}
# struck WHO RANKS FILE COMMAND...: once FILE has grown, kill -9 of a rank, or of mpirun
struck() {
    who=$1 ranks=$2 file=$3 before=$(size "$3")
    shift 3
    rm -f pid.*
    PIDS=pid mpirun -n "$ranks" ./odd x x "$many" "$@" >stdout 2>stderr </dev/null &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(size "$file")" -le "$before" ]; do sleep 0.01; done
    if [ "$who" = mpirun ]; then kill -KILL $job; else kill -KILL "$(cat pid."$who")"; fi 2>/dev/null
    wait $job 2>/dev/null
    found=$?
    while alive; do sleep 0.05; done
    echo "$who of $ranks: status $found" >>struck.log
    [ $found != 0 ]
}
big=more/cifar-100-binary
run 0 "$LP_PROGRAM" extract --model "$model" --data $big --split train --out undisturbed
extract() { # STRUCK WHO RANKS
    "$1" "$2" "$3" set.partial/journal extract --model "$model" --data $big --split train --threads 1 --out set
}
if extract struck 1 3; then
    ok "extract: what was done is kept" [ -s set.partial/journal ]
    extract struck mpirun 2 || :
    extract struck 0 2 || :
    run 0 mpirun -n 3 "$many" extract --model "$model" --data $big --split train --threads 1 --out set
    ok "extract: the same features after kills" cmp undisturbed/features.npy set/features.npy
    ok "extract: no working files are left" sh -c '[ ! -e set.partial ] && [ ! -e set/journal ]'
else
    skip "a rank is killed" "the extraction was too fast"
fi

sweep() {
    "$@" sweep train --test test --from -3 --to 2 --steps 4 --threads 1 --protocol grid --out swept
}
run 0 sweep "$LP_PROGRAM"
mv swept undisturbed.sweep
if sweep struck 1 3 swept/points.json; then
    sweep struck mpirun 2 swept/points.json || :
    run 0 sweep mpirun -n 3 "$many"
    for file in points.json sweep.json sweep.csv best.probe; do
        ok "sweep: the same $file after kills" cmp undisturbed.sweep/$file swept/$file
    done
else
    skip "a rank of a sweep is killed" "the sweep was too fast"
fi

# ---- rank 0's disk is full
if command -v unshare >/dev/null 2>&1 && mkdir disk && unshare -m mount -t tmpfs none disk 2>/dev/null; then
    cat >fill.sh <<'END'
mount -t tmpfs -o size=100k none disk || exit 9
mpirun -n 3 "$many" extract --model "$model" --data "$big" --split train --out disk/set
found=$?
mount -o remount,size=50m none disk || exit 9
mpirun -n 2 "$many" extract --model "$model" --data "$big" --split train --out disk/set >again 2>&1 || exit 8
cmp undisturbed/features.npy disk/set/features.npy || exit 7
exit $found
END
    export many model big
    run 1 unshare -m sh fill.sh
    told_once "disk/set.partial.*: No space left on device"
else
    skip "a full disk" "no right to mount one"
fi
done_testing
