#!/usr/bin/env bash
# What can be said of the sources without running them.  `make lint` calls it with the build's
# compiler flags in CFLAGS.
#
# Prints one `ok` or `not ok` line a check, its findings under it, and a count.  A check whose tool
# is not installed is skipped, and says so.  Exit status 1 on any finding.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -n "${CFLAGS:-}" ] || exec make --no-print-directory lint

processors=$(getconf _NPROCESSORS_ONLN)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

read -r -a flags <<<"$CFLAGS"
for i in "${!flags[@]}"; do
    case ${flags[i]} in
    -Werror | -O[0-9s] | -D_FORTIFY_SOURCE=*) unset "flags[i]" ;;
    esac
done
# What every tool must know: macros and our folders.  Those of the libraries are the system's: what
# is wrong with their headers is no finding.
defines=() system=()
for flag in "${flags[@]}"; do
    case $flag in
    -I/*) system+=(-isystem "${flag#-I}") ;;
    -D* | -I*) defines+=("$flag") ;;
    esac
done

# For analysers.  _GNU_SOURCE, because that header comes before a source's own definition of it.
model=(-std=c11 "${defines[@]}" "${system[@]}" -D_GNU_SOURCE= -include tests/lint/analysis.h)

code() { find src include tests bench -name '*.[ch]' | LC_ALL=C sort; }
# error.c defines what the analysers' header wraps; ranks_mpi.c needs an MPI's headers.
analysed() { find src -name '*.c' ! -name error.c ! -name ranks_mpi.c | LC_ALL=C sort; }
written() {
    find src include tests bench scripts -name '*.[ch]' -o -name '*.sh' -o -name '*.py' | LC_ALL=C sort
}
have() { command -v "$1" >/dev/null 2>&1; }
skip() {
    echo "$*"
    return 77
}
# silent COMMAND...: any output is a finding.
silent() {
    "$@" >"$scratch/silent" 2>&1
    ! grep . "$scratch/silent"
}
# each COMMAND...: runs it with {} replaced by each line of standard input, on all processors.
each() {
    xargs -P "$processors" -I '{}' "$@"
}

# ---- rules of this project -------------------------------------------------------------------

# A file includes only lower layers and its own folder, so that the library never includes the
# program.  A public header belongs to a stage and counts as a file of its folder.  A library outside
# the C and POSIX ones is included by one file (zlib: by whoever checks a CRC-32), and by about.c,
# which prints its version.
check_layers() {
    local library program
    library=$(sed -n 's/^LIBRARY_FOLDERS := //p' Makefile)
    program=$(sed -n 's/^PROGRAM_FOLDERS := //p' Makefile)
    # shellcheck disable=SC2046,SC2016
    silent awk -v library="$library" -v program="$program" '
    BEGIN {
        layers = "base 0 math 1 ckpt 1 image 1 data 2 model 2 feat 3 probe 4 " \
                 "extract 4 run 5 all 6 report 7 fetch 7 draw 7 cli 8"
        for (n = split(layers, word, " "); n > 1; n -= 2) level[word[n - 1]] = word[n]
        stages = "status base version base choices base checkpoint ckpt dataset data image image " \
                 "features feat provenance feat encoder model probe probe stats probe " \
                 "sweep probe multilabel probe evaluation probe extract extract run run linprobe all"
        for (n = split(stages, word, " "); n > 1; n -= 2) stage[word[n - 1] ".h"] = word[n]
        for (n = split(library, word, " "); n > 0; n--) side[word[n]] = "library"
        for (n = split(program, word, " "); n > 0; n--) side[word[n]] = "program"
        standard = "assert complex ctype errno float inttypes limits locale math setjmp signal " \
                   "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings " \
                   "time arpa/inet dirent fcntl netdb netinet/in poll pthread sched spawn " \
                   "sys/file sys/mman sys/resource sys/socket sys/stat sys/statvfs sys/time sys/types " \
                   "sys/utsname sys/wait termios unistd"
        for (n = split(standard, word, " "); n > 0; n--) allowed[word[n] ".h"] = "."
        allowed["cblas.h"] = "^src/math/linalg[.]c$"
        allowed["archive.h"] = allowed["archive_entry.h"] = "^src/base/archive[.]c$"
        allowed["jansson.h"] = "^src/base/json[.]h$"
        allowed["openssl/evp.h"] = "^src/base/digest[.]c$"
        allowed["curl/curl.h"] = "^src/fetch/http[.]c$"
        allowed["linear.h"] = "^src/probe/solver_liblinear[.]c$"
        allowed["cairo.h"] = allowed["cairo-svg.h"] = "^src/report/chart[.]c$"
        allowed["mpi.h"] = "^src/cli/ranks_mpi[.]c$"
        allowed["png.h"] = "^src/(report/png|data/png_file)[.]c$"
        allowed["matio.h"] = "^src/data/mat_file[.]c$"
        allowed["hdf5.h"] = "^src/data/hdf5_file[.]c$"
        allowed["gif_lib.h"] = "^src/data/gif_file[.]c$"
        allowed["webp/decode.h"] = allowed["webp/demux.h"] = "^src/data/webp_file[.]c$"
        allowed["jpeglib.h"] = allowed["jerror.h"] = "^src/data/jpeg_file[.]c$"
        allowed["zlib.h"] = "."
        allowed["fnmatch.h"] = "^src/model/(config_(timm|arch)|family)[.]c$"
        allowed["sys/ioctl.h"] = "^src/report/terminal[.]c$"
        allowed["dlfcn.h"] = "^src/math/blas_memory[.]c$"
        allowed["cpuid.h"] = allowed["sys/syscall.h"] = "^src/math/amx[.]c$"
        allowed["immintrin.h"] = allowed["arm_neon.h"] = "^src/math/"
    }
    /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
        split(FILENAME, path, "/")
        split($0, part, /[<>"]/)
        target = part[2]
        where = FILENAME ":" FNR ": "
        if (index($0, "<") > 0) {
            if (!(target in allowed))
                print where "<" target "> is no header this project uses"
            else if (FILENAME !~ allowed[target] && FILENAME != "src/cli/about.c")
                print where "<" target "> belongs in " allowed[target]
            next
        }
        split(target, to, "/")
        from = path[1] == "include" ? stage[path[3]] : path[2]
        into = to[1] == "linprobe" ? stage[to[2]] : to[1]
        if (path[1] == "include" && to[1] != "linprobe")
            print where "a public header includes \"" target "\""
        else if (!(from in level) || path[1] == "src" && !(from in side))
            print where "no layer is known of it, or the Makefile does not build its folder"
        else if (!(into in level)) print where "\"" target "\": no layer is known of it"
        else if (side[from] == "library" && side[into] == "program")
            print where "the library includes \"" target "\" of the program"
        else if (into != from && level[into] >= level[from])
            print where "layer " level[from] " includes \"" target "\" of layer " level[into]
    }' $(find src include -name '*.[ch]')
}

check_unique_names() {
    silent eval "code | sed 's|.*/||' | sort | uniq -d"
}

# No two types share a name, not even of two files that never meet: a debugger and a search know
# them by it alone.
check_unique_types() {
    # shellcheck disable=SC2046,SC2016
    silent awk '
    /^typedef / { open = /[{]$/ }
    open && /^[}] / || /^typedef .*;/ {
        name = $0
        if (match(name, /[(][*][A-Za-z_0-9]+[)]/)) name = substr(name, RSTART + 2, RLENGTH - 3)
        else {
            sub(/( LP_[A-Z_]+([(].*[)])?)?;.*/, "", name)
            sub(/.*[ *]/, "", name)
        }
        if (name in seen) print FILENAME ":" FNR ": " name " is also a type of " seen[name]
        else seen[name] = FILENAME ":" FNR
        open = 0
    }' $(find src include -name '*.[ch]')
}

# A source of more than 600 lines says why in its first comment ("Longer than 600 lines: ..."); more
# than 800 has a table alone, which says so ("Longer than 600 lines: a table").
check_lengths() {
    # shellcheck disable=SC2046
    silent awk '
    FNR == 1 { reason = table = 0 }
    FNR <= 30 && /Longer than 600 lines:/ { reason = 1 }
    FNR <= 30 && /Longer than 600 lines: a table/ { table = 1 }
    FNR == 601 && FILENAME ~ /^(src|include)/ && !reason { print FILENAME ": more than 600 lines, and no reason" }
    FNR == 801 && !table { print FILENAME ": more than 800 lines" }' $(written)
}

# Paths of one machine, or outside the repository, in what is committed.  The links in the cache of
# the Hugging Face hub lead to ../../blobs, and hostile names of the tests to ../../elsewhere.
check_paths() {
    git rev-parse --git-dir >/dev/null 2>&1 || { skip "not a git checkout"; return; }
    silent git grep -nIE \( -e '(^|[^[:alnum:]_.~/-])/(home|root|work|Users|mnt|opt)/' \
        -e '\.\./(shared|\.\./)' \) --and --not -e '\.\./(blobs|elsewhere)'
}

# What only GNU's tools have, in the scripts that must also run elsewhere (analysers need not).
check_portable() {
    # shellcheck disable=SC2046
    ! grep -nE -e '(^|[^a-z_])(sha256sum|md5sum|readlink|timeout|seq|tac|stat|truncate) ' \
        -e 'sed (-[a-z]+ )*-i|grep -[a-zA-Z]*P|sort -V|date -d|--transform|echo -[ne]|wc -[lc].*" = ' \
        -e "(grep|sed) (-[a-zA-DF-Z]+ )*'[^']*\\\\[|?+]" \
        $(find tests -name '*.sh') scripts/configure.sh scripts/demo.sh | grep -v '|| shasum'
}

# ---- compilers -------------------------------------------------------------------------------

check_public_headers() {
    local status=0 header strict='-Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only'
    have "${CXX:-c++}" || echo "no C++ compiler: C++11 was not tried"
    for header in include/linprobe/*.h; do
        echo "#include \"${header#include/}\"" >"$scratch/header.c"
        # shellcheck disable=SC2086
        "${CC:-cc}" -std=c11 $strict "$scratch/header.c" || status=1
        # shellcheck disable=SC2086
        ! have "${CXX:-c++}" || "${CXX:-c++}" -std=c++11 -x c++ $strict "$scratch/header.c" ||
            status=1
    done
    return $status
}

check_own_headers() {
    local status=0 header
    for header in src/*/*.h; do
        echo "#include \"${header#src/}\"" |
            "${CC:-cc}" "${flags[@]}" -Werror -x c -fsyntax-only - || status=1
    done
    return $status
}

# A program that links the library meets no name but lp_*.
check_symbols() {
    env -u CFLAGS -u MAKEFLAGS -u MFLAGS make -s build/liblinprobe.a >"$scratch/make" 2>&1 || {
        cat "$scratch/make"
        return 1
    }
    silent eval "nm -g --defined-only build/liblinprobe.a |
        awk 'NF == 3 && \$2 ~ /^[A-Z]\$/ && \$3 !~ /^_?lp_/ { print \$3 \" (\" \$2 \")\" }'"
}

# The release program: position-independent, relocations read-only and bound at the start, no
# executable stack, stack protector and checked functions of the C library.
check_hardening() {
    local status=0 program=build/linprobe
    have readelf || { skip "no readelf"; return; }
    [ "$(uname -s)" = Linux ] || { skip "not Linux"; return; }
    env -u CFLAGS -u MAKEFLAGS -u MFLAGS make -s $program >"$scratch/make" 2>&1 || {
        cat "$scratch/make"
        return 1
    }
    readelf -hldW --dyn-syms $program >"$scratch/elf"
    want() {
        grep -qE "$2" "$scratch/elf" || { echo "$program: $1 is missing"; status=1; }
    }
    want "PIE" 'Type: +DYN'
    want "RELRO" 'GNU_RELRO'
    want "immediate binding" 'FLAGS.* NOW|BIND_NOW'
    want "a stack that is not executable" 'GNU_STACK.* RW '
    want "the stack protector" '__stack_chk_fail'
    want "_FORTIFY_SOURCE" '__(snprintf|vsnprintf|memcpy|read|fprintf)_chk'
    return $status
}

# The machine code of kernels' inner loops.  usage: inner_loops PREFIX FLAG ARCH LEAST SHARE SPILLS SOURCE...
# PREFIX: of the compiler and objdump; the rest as tests/lint/inner_loops.awk has it.
inner_loops() {
    local prefix=$1 flag=$2 status=0 source
    local -a limits=(-v "arch=$3" -v "least=$4" -v "share=$5" -v "spills=$6")
    shift 6
    have "${prefix}gcc" || { skip "no ${prefix}gcc"; return; }
    for source; do
        local object=$scratch/$prefix$source.o # may be there for another ARCH
        [ -e "$object" ] ||
            "${prefix}gcc" -std=c11 "${defines[@]}" -O3 "$flag" -ffp-contract=off -fPIC \
                -c "src/math/$source.c" -o "$object" || return 1
        "${prefix}objdump" -d --no-show-raw-insn "$object" |
            awk "${limits[@]}" -f tests/lint/inner_loops.awk >"$scratch/loops"
        grep -v '^LOOPS' "$scratch/loops" && status=1
        grep -q '^LOOPS [1-9]' "$scratch/loops" || { echo "$source.c: no such loop"; status=1; }
    done
    return $status
}

# Speed on 64-bit Arm is not timed.
check_arm_loops() {
    inner_loops aarch64-linux-gnu- -fno-schedule-insns arm 48 3 2 \
        linear linear_bfloat16 linear_int16 attention conv &&
        inner_loops aarch64-linux-gnu- -fno-schedule-insns arm-sums 24 1 18 winograd &&
        inner_loops aarch64-linux-gnu- -fno-schedule-insns arm-sums 16 2 0 rows logistic &&
        inner_loops aarch64-linux-gnu- -fno-schedule-insns arm-sums 8 4 0 heads &&
        inner_loops aarch64-linux-gnu- -fno-schedule-insns arm 32 3 0 logistic
}

# A compiler may keep sums on the stack, at a third of the speed, and every test passes.
check_x86_loops() {
    [ "$(uname -m)" = x86_64 ] || { skip "not an x86-64 processor"; return; }
    inner_loops "" -fno-trapping-math x86 20 0 0 linear linear_bfloat16 linear_int16 linear_int8 attention &&
        inner_loops "" -fno-trapping-math avx2 8 0 0 linear linear_bfloat16 linear_int16 linear_int8 conv
}

check_gcc_analyzer() {
    have gcc || { skip "no gcc"; return; }
    if ! gcc --version | grep -q "Free Software" ||
        [ "$(gcc -dumpversion | cut -d. -f1)" -lt 12 ]; then
        skip "gcc is older than 12, or not GCC"
        return
    fi
    analysed | each gcc "${model[@]}" -O1 -fanalyzer -Werror -c '{}' -o /dev/null
}

# ---- tools -----------------------------------------------------------------------------------

check_format() {
    have clang-format || { skip "no clang-format"; return; }
    case $(clang-format --version) in
    *'version 14.'*) ;;
    *)
        skip "$(clang-format --version) lays out differently from 14"
        return
        ;;
    esac
    code | xargs clang-format --dry-run -Werror 2>&1 | sed -n 's/:[0-9].*error: .*//p' | uniq -c |
        awk '{ print $2 ": " $1 " places; clang-format -i puts them right" } END { exit (NR > 0) }'
}

check_clang_tidy() {
    have clang-tidy || { skip "no clang-tidy"; return; }
    # Standard error counts the warnings of the system's headers.
    analysed | each clang-tidy --quiet '{}' -- "${model[@]}" 2>"$scratch/counts"
}

check_cppcheck() {
    have cppcheck || { skip "no cppcheck"; return; }
    # arrayIndexThenCheck takes any comparison of an index for its bounds check.
    cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
        --inline-suppr --suppress=arrayIndexThenCheck --std=c11 -j "$processors" \
        "${defines[@]}" src
}

check_shellcheck() {
    have shellcheck || { skip "no shellcheck"; return; }
    # shellcheck disable=SC2046
    shellcheck tests/run .ci/run $(find scripts tests -name '*.sh')
}

# ---- all of them -----------------------------------------------------------------------------

count=0 failed=0 skipped=0
check() {
    count=$((count + 1))
    "check_$1" >"$scratch/findings" 2>&1 </dev/null
    case $? in
    0) echo "ok $count - $2" ;;
    77)
        skipped=$((skipped + 1))
        echo "ok $count - $2 # SKIP $(cat "$scratch/findings")"
        ;;
    *)
        failed=$((failed + 1))
        echo "not ok $count - $2"
        sed 's/^/# /' "$scratch/findings"
        ;;
    esac
}

check layers "a file includes only lower layers, the library nothing of the program, a foreign library only its own file"
check unique_names "file names are unique"
check unique_types "no two types share a name"
check lengths "files have at most 600 lines, or say why"
check paths "no path of one machine in a committed file"
check portable "tests use no command that only GNU has"
check public_headers "public headers compile alone as C11 and C++11"
check own_headers "the other headers compile alone"
check symbols "external symbols of the library start with lp_"
check format "clang-format"
check shellcheck "shellcheck"
check cppcheck "cppcheck"
check hardening "the program is hardened"
check arm_loops "inner loops of 64-bit Arm: three multiply-adds for each load and store"
check x86_loops "inner loops of 512-bit and 256-bit registers: no sums on the stack"
check gcc_analyzer "gcc -fanalyzer"
check clang_tidy "clang-tidy"
echo "1..$count"
echo "# $count checks, $failed with findings, $skipped skipped"
[ $failed = 0 ]
