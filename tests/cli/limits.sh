#!/bin/sh
# What a machine may lack: memory, disk, a second processor, a terminal, a decimal point, rights.
. "$LP_SOURCE/tests/support/tap.sh"
model=$LP_SOURCE/tests/golden/encoder/clip.safetensors
"$LP_PROGRAM" generate --out "$scratch/made" --seed 3 --train 2 --test 1 2>/dev/null || exit 1
cd "$scratch" || exit 1
data=made/cifar-100-binary
extract() {
    "$LP_PROGRAM" extract --model "$model" --data "$data" --split test "$@"
}
run 0 extract --out whole
run 0 "$LP_PROGRAM" fit whole --solver softmax --out same.probe # a probe records the command
mv same.probe whole.probe

# ---- memory: from far too little upwards, a message and status 1, or all of the work
sanitized=no
nm "$LP_PROGRAM" 2>/dev/null | grep -qE '__(asan|tsan|ubsan|gcov)_' && sanitized=yes
# shellcheck disable=SC3045
if [ $sanitized = no ] && (ulimit -v 8000000) 2>/dev/null && [ "$(uname -s)" = Linux ]; then
    bad=''
    for megabytes in 200 400 800 1600; do
        rm -rf small
        (ulimit -v $((megabytes * 1024)) && extract --out small) >stdout 2>stderr
        found=$?
        case $found in
        0) cmp -s whole/features.npy small/features.npy || bad="$bad $megabytes: other features" ;;
        1) grep -q 'out of memory' stderr || bad="$bad $megabytes: $(tail -1 stderr)" ;;
        *) bad="$bad $megabytes: status $found" ;;
        esac
    done
    ok "memory limit: out of memory is told, or the work is done$bad" [ -z "$bad" ]
    run 1 sh -c "ulimit -v 250000; '$LP_PROGRAM' inspect '$model'"
    says "does not leave the"

    # A limit that bites only when the features (120 MB, a hole in a file) are there, too: OpenBLAS
    # would ask for its buffers forever (ulimit -t ends it).
    need=$(sed -n 's/.*leave the \([0-9]*\) MiB.*/\1/p' stderr)
    mkdir zeros
    array() { # FILE TYPE SHAPE FIRST-VALUE BYTES
        printf '\223NUMPY\001\000v\000%-117s\n'"$4" \
            "{'descr': '$2', 'fortran_order': False, 'shape': ($3), }" >"$1"
        dd if=/dev/null of="$1" bs=1 seek=$((128 + $5)) 2>/dev/null
    }
    array zeros/features.npy '<f4' '60000, 512' '' 122880000
    array zeros/labels.npy '<i8' '60000,' '\001' 480000
    bad='' done=''
    for more in 60 100 140 180 220 260 300 600; do
        (ulimit -v $(((need + more) * 1024)) && ulimit -t 20 &&
            exec "$LP_PROGRAM" fit zeros --solver softmax -C 1e-3 --out zeros.probe) >stdout 2>stderr
        found=$?
        case $found in
        0) done="$done $more" ;;
        1) grep -q 'out of memory' stderr || bad="$bad $more: $(tail -1 stderr)" ;;
        *) bad="$bad $more: status $found" ;;
        esac
    done
    ok "a memory limit that bites later: out of memory is told, or the work is done$bad" [ -z "$bad" ]
    ok "it is done where there is enough (${done# } MiB more)" [ "${done##* }" = 600 ]
else
    skip "memory limit" "not with sanitizers or coverage, or no ulimit -v"
fi

# ---- one processor
if command -v taskset >/dev/null 2>&1; then
    run 0 taskset -c "$(taskset -pc $$ | sed 's/.*: *\([0-9]*\).*/\1/')" \
        "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out one
    ok "one processor: the same features" cmp whole/features.npy one/features.npy
else
    skip "one processor" "no taskset"
fi

# ---- a locale with decimal commas
comma=$(locale -a 2>/dev/null | grep -iE '^(de_DE|fr_FR)\.utf-?8$' | head -1)
if [ -z "$comma" ] && command -v localedef >/dev/null 2>&1 &&
    localedef -f UTF-8 -i de_DE "$scratch/de_DE.UTF-8" >/dev/null 2>&1; then
    comma=de_DE.UTF-8
    LOCPATH=$scratch
    ASAN_OPTIONS=detect_leaks=0 # glibc keeps what it made of LOCPATH
    export LOCPATH ASAN_OPTIONS
fi
if [ -n "$comma" ]; then
    run 0 env LC_ALL="$comma" "$LP_PROGRAM" fit whole --solver softmax -C 0.5 --out comma.probe --format csv
    has ",0.5,"
    run 0 env LC_ALL="$comma" "$LP_PROGRAM" fit whole --solver softmax --out same.probe
    ok "decimal commas: the same probe" cmp whole.probe same.probe
    run 2 env LC_ALL="$comma" "$LP_PROGRAM" fit whole -C 0,5 --out comma.probe
else
    skip "decimal commas" "no such locale, and none can be made"
fi
unset LOCPATH ASAN_OPTIONS

# ---- streams: none, full, closed
run 0 sh -c "'$LP_PROGRAM' inspect '$model' | cat"
if [ -e /dev/full ]; then
    run 1 sh -c "'$LP_PROGRAM' inspect '$model' >/dev/full"
    says "standard output: cannot be written: No space left on device"
    run 0 sh -c "'$LP_PROGRAM' extract --model '$model' --data '$data' --split test --out quiet 2>/dev/full"
fi
run 1 sh -c "'$LP_PROGRAM' extract --model '$model' --data '$data' --split test --out closed <&- >&- 2>&-"
ok "no streams at all: nothing of what they would show is written into files" sh -c '
    cmp whole/features.npy closed/features.npy && cmp whole/labels.npy closed/labels.npy &&
    sed "s/closed/whole/g" closed/meta.json | cmp - whole/meta.json'
if command -v setsid >/dev/null 2>&1; then
    run 0 setsid "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out detached
fi

# ---- rights
if [ "$(id -u)" = 0 ]; then
    skip "a folder that may not be written" "root may write everywhere"
else
    mkdir locked && chmod 555 locked
    run 1 extract --out locked/set
    says "Permission denied"
    chmod 755 locked
fi

# ---- a small disk that fills up, for real
if command -v unshare >/dev/null 2>&1 && mkdir disk && unshare -m mount -t tmpfs none disk 2>/dev/null; then
    cat >fill.sh <<'END'
mount -t tmpfs -o size=4k none disk || exit 9
for size in 12k 20k 28k 40k; do
    "$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out disk/set 2>>messages
    echo "$?" >>statuses
    mount -o "remount,size=$size" none disk || exit 9
done
mount -o remount,size=50m none disk || exit 9
"$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out disk/set 2>>messages || exit 8
cmp whole/features.npy disk/set/features.npy || exit 7
[ "$(ls disk)" = set ] || exit 6
mount -o remount,ro none disk || exit 9
"$LP_PROGRAM" extract --model "$model" --data "$data" --split test --out disk/other 2>>messages && exit 5
exit 0
END
    export model data
    run 0 unshare -m sh fill.sh
    ok "a full disk: status 1" grep -qx 1 statuses
    ok "a full disk: nothing but 0 and 1" sh -c '! grep -vx "[01]" statuses'
    ok "a full disk is told" grep -q 'No space left on device' messages
    ok "a read-only file system is told" grep -q 'Read-only file system' messages
else
    skip "a small disk" "mounting one is not allowed"
fi
done_testing
