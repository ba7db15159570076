# Judges the inner loops of multiply-adds in machine code, `objdump -d --no-show-raw-insn FILE.o`, of
# which there are at least `least`: they have `share` of them for each load and store, and keep at
# most `spills` registers of sums on the stack.  Prints what is wrong, and the number of such loops
# as "LOOPS N".
#   arch=arm: fmla, smlal; arch=x86: multiply-adds in 512-bit registers; arch=avx2: in 256-bit ones,
#   those of products alone (an activation's loop has other forms, and its numbers on the stack)
#   arch=arm-sums: additions and subtractions of Arm's vectors, in the place of multiply-adds
function value(hex,    i, n) {
    n = 0
    for (i = 1; i <= length(hex); i++) {
        n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
    }
    return n
}
function is_sum(j) {
    if (arch == "arm") {
        return name[j] ~ /^(fmla|smlal2?)$/
    }
    if (arch == "arm-sums") {
        return name[j] ~ /^f(add|sub)$/ && words[j] ~ /^v/
    }
    if (arch == "avx2") {
        return name[j] ~ /^(vfmadd231ps|vpmaddwd)$/ && words[j] ~ /%ymm/
    }
    return name[j] ~ /^(vfmadd|vdpbf16ps|vpdpwssd|vpdpbusd)/ && words[j] ~ /%zmm/
}
function is_move(j) {
    return arch ~ /^arm/ && name[j] ~ /^(ld|st)/ && (arch == "arm" || words[j] ~ /^[qv]/)
}
function is_spill(j) {
    if (arch ~ /^arm/) {
        return name[j] ~ /^(ld|st)/ && words[j] ~ /^[qdvs][0-9].*\[sp/
    }
    return words[j] ~ /%r[bs]p/ && words[j] ~ (arch == "avx2" ? "%ymm" : "%zmm")
}
function judge(    i, j, inner, sums, moves, kept) {
    for (i = 1; i <= loops; i++) {
        inner = 1
        for (j = 1; j <= loops; j++) {
            if (j != i && first[j] >= first[i] && last[j] <= last[i]) {
                inner = 0
            }
        }
        sums = moves = kept = 0
        for (j = first[i]; inner && j <= last[i]; j++) {
            sums += is_sum(j)
            moves += is_move(j)
            kept += is_spill(j)
        }
        if (sums < least) {
            continue
        }
        count++
        if (sums < share * moves || kept > spills) {
            printf "%s loop at %s: %d sums, %d loads and stores, %d of sums on the stack\n",
                   file, place[first[i]], sums, moves, kept
        }
    }
    loops = number = 0
}
/^[0-9a-f]+ <.*>:$/ { judge() }
/file format/ { file = $1 }
/^ *[0-9a-f]+:\t/ {
    number++
    place[number] = $1
    sub(/:$/, "", place[number])
    at[place[number]] = number
    name[number] = $2
    words[number] = $0
    sub(/^[^\t]*\t[^ \t]+[ \t]*/, "", words[number])
    if ($2 ~ /^(b|cb|tb|j)/ && match(words[number], /[0-9a-f]+ </)) {
        target = substr(words[number], RSTART, RLENGTH - 2)
        if (value(target) <= value(place[number]) && (target in at)) {
            first[++loops] = at[target]
            last[loops] = number
        }
    }
}
END {
    judge()
    print "LOOPS", count + 0
}
