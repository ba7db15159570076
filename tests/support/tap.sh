# shellcheck shell=sh
# Sourced by the shell tests: TAP output and checks of a program's output and exit status.
#
#   run STATUS COMMAND...   runs it; its exit status must be STATUS ("any" allows each)
#   has TEXT / lacks TEXT   standard output of the last run holds / does not hold TEXT
#   says TEXT               its standard error holds TEXT
#   show [-e] [-n] COMMAND...  runs it and writes down what a user sees: the command, its standard
#                           output, and where it fails its standard error and exit status.
#                           -e: its standard error in any case; -n: decimal fractions and what
#                           aligns them depend on the machine, and become " *"
#   expect NAME             what was shown since the last `expect` must be what
#                           tests/cli/SCRIPT/NAME.txt says.  In that file, a * in a line stands for
#                           any text, and a line ... for any lines.  With UPDATE=1 in the
#                           environment the file is written anew, but lines that still match stay
#   expect NAME [-e] [-n] COMMAND...   both at once
#   ok NAME COMMAND...      a check of its own: COMMAND must succeed
#   sha256 FILE             its digest
#   done_testing            the plan; last
# Each but `show` prints one line; a failed one shows what the last run printed, or the difference.
set -u
LC_ALL=C
LINPROBE_CACHE=datasets # in the script's own folder, never the user's
export LC_ALL LINPROBE_CACHE
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
script=${0##*/}
answers=$LP_SOURCE/tests/cli/${script%.sh} # the folder of `expect`
count=0
failed=0
skipped=0
used=

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

# What differs from run to run and from machine to machine: paths, ports, keys of the cache, the
# meter, times.  After a wrong usage, what
# usage is right (tests/cli/usage.sh looks at it).
steady() { # BLUR
    sed "s#$LP_PROGRAM#linprobe#g; s#$scratch#TMP#g; s#$LP_SOURCE#SOURCE#g
        s#127\.0\.0\.1:[0-9]*#127.0.0.1:*#g
        s#-[0-9a-f]\{16\}\([^0-9a-f]\)#-*\1#g; s#-[0-9a-f]\{16\}\$#-*#
        /^! .*[0-9]\/[0-9].*\/s  /d
        s#^\(! [a-z]*: \)[0-9.]* s, #\1* s, #
        /^! .* left\$/d; /^! [a-z]*: class [0-9]*: /d
        /^! usage: /,/explains\.\$/d
        /^\\$ /b
        $1"
}

# A command as one may type it.
typed() {
    printf '$'
    for word; do
        case $word in
        "$LP_PROGRAM") printf ' linprobe' ;;
        '' | *[!A-Za-z0-9_./:=@%+,-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
}

show() {
    errors=no blur=
    while :; do
        case $1 in
        -e) errors=yes ;;
        -n) blur='s/  *[-+]*[0-9][0-9]*\.[0-9][-+e0-9]*/ */g; s/  *[0-9.]*e-[0-9]*/ */g' ;;
        *) break ;;
        esac
        shift
    done
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    found=$?
    {
        typed "$@"
        cat "$scratch/stdout"
        [ $found$errors = 0no ] || sed 's/^/! /' "$scratch/stderr"
        [ $found = 0 ] || echo "exit status $found"
    } | steady "$blur" >>"$scratch/.shown"
}

# Prints the lines of SHOWN, each that a pattern of EXPECTED matches as that pattern: the least
# number of insertions and deletions that makes one of the other.
align() { # EXPECTED SHOWN
    awk '
    function matches(pattern, line,    part, n, i, at) {
        n = split(pattern, part, /[*]/)
        if (n <= 1) return pattern == line
        if (substr(line, 1, length(part[1])) != part[1]) return 0
        line = substr(line, length(part[1]) + 1)
        for (i = 2; i < n; i++) {
            at = index(line, part[i])
            if (at == 0) return 0
            line = substr(line, at + length(part[i]))
        }
        return length(line) >= length(part[n]) &&
            substr(line, length(line) - length(part[n]) + 1) == part[n]
    }
    FILENAME == ARGV[1] { pattern[++n] = $0; next }
    { line[++m] = $0 }
    END {
        for (i = n + 1; i >= 1; i--)
            for (j = m + 1; j >= 1; j--) {
                if (i > n) { cost[i, j] = m + 1 - j; way[i, j] = "line"; continue }
                least = cost[i + 1, j] + (pattern[i] != "..."); how = "pattern"
                if (j <= m && pattern[i] == "..." && cost[i, j + 1] <= least) {
                    least = cost[i, j + 1]; how = "any"
                } else if (j <= m && matches(pattern[i], line[j]) && cost[i + 1, j + 1] <= least) {
                    least = cost[i + 1, j + 1]; how = "both"
                } else if (j <= m && cost[i, j + 1] + 1 < least) {
                    least = cost[i, j + 1] + 1; how = "line"
                }
                cost[i, j] = least; way[i, j] = how
            }
        i = j = 1
        while (i <= n || j <= m) {
            how = way[i, j]
            if (how == "line") print line[j]
            if (how == "both" || how == "pattern" && pattern[i] == "...") print pattern[i]
            if (how == "both" || how == "pattern") i++
            if (how != "pattern") j++
        }
    }' "$1" "$2"
}

expect() {
    answer=$answers/$1.txt
    used="$used$1.txt
"
    shift
    [ $# = 0 ] || show "$@"
    known=$answer
    [ -e "$answer" ] || known=/dev/null
    align "$known" "$scratch/.shown" >"$scratch/.aligned"
    diff -u "$known" "$scratch/.aligned" >"$scratch/.difference" && [ -s "$scratch/.shown" ]
    found=$?
    if [ $found != 0 ] && [ -n "${UPDATE:-}" ]; then
        mkdir -p "$answers" && cp "$scratch/.aligned" "$answer"
        found=$?
    fi
    : >"$scratch/.shown"
    count=$((count + 1))
    if [ $found = 0 ]; then
        echo "ok $count - as in ${answer#"$LP_SOURCE"/}"
    else
        failed=$((failed + 1))
        echo "not ok $count - as in ${answer#"$LP_SOURCE"/} (- expected, + found)"
        sed '1,2d; s/^/# /' "$scratch/.difference"
    fi
}

sha256() {
    { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | cut -c1-64 # the second is macOS's
}

skip() { # NAME REASON
    count=$((count + 1))
    skipped=$((skipped + 1))
    echo "ok $count - $1 # SKIP $2"
}

done_testing() {
    if [ -s "$scratch/.shown" ]; then
        ok "everything shown is expected somewhere" false
    fi
    for file in "$answers"/*; do # a skipped part does not use its own
        [ ! -e "$file" ] || [ $skipped -gt 0 ] || case $used in
        *"${file##*/}
"*) ;;
        *) ok "${file#"$LP_SOURCE"/}: some expect uses it" false ;;
        esac
    done
    echo "1..$count"
    [ $failed = 0 ]
}

: >"$scratch/stdout"
: >"$scratch/.shown"
: >"$scratch/stderr"
