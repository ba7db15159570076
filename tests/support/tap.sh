# shellcheck shell=sh
# Sourced by the shell tests: TAP output and checks of a program's output and exit status.
#
#   run STATUS COMMAND...   runs it; its exit status must be STATUS ("any" allows each)
#   has TEXT / lacks TEXT   standard output of the last run holds / does not hold TEXT
#   says TEXT               its standard error holds TEXT
#   ok NAME COMMAND...      a check of its own: COMMAND must succeed
#   sha256 FILE             its digest
#   done_testing            the plan; last
# Each prints one line; a failed one shows what the last run printed.
set -u
LC_ALL=C
export LC_ALL
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
count=0
failed=0

verdict() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $2"
        sed 's/^/# stdout: /' "$scratch/stdout" | head -20
        sed 's/^/# stderr: /' "$scratch/stderr" | head -20
    fi
}

run() {
    expected=$1
    shift
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    found=$?
    [ "$expected" = any ] || [ $found = "$expected" ]
    verdict $? "exit status $expected (found $found): $(echo "$*" | sed "s#$LP_PROGRAM#linprobe#; s#$scratch#TMP#g; s#$LP_SOURCE/##g" | cut -c1-120)"
}

has() {
    grep -qF -e "$1" "$scratch/stdout"
    verdict $? "prints: $1"
}

lacks() {
    ! grep -qF -e "$1" "$scratch/stdout"
    verdict $? "does not print: $1"
}

says() {
    grep -qF -e "$1" "$scratch/stderr"
    verdict $? "says: $1"
}

ok() {
    name=$1
    shift
    "$@" >/dev/null 2>&1
    verdict $? "$name"
}

sha256() {
    { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | cut -c1-64 # the second is macOS's
}

skip() { # NAME REASON
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

done_testing() {
    echo "1..$count"
    [ $failed = 0 ]
}

: >"$scratch/stdout"
: >"$scratch/stderr"
