# Judges the inner loops of multiply-adds in aarch64 machine code, `objdump -d FILE.o`: those with at
# least 48 fmla have three of them for each load and store, and keep at most one register of floats
# on the stack.  Prints what is wrong, and the number of such loops as "LOOPS N".
function value(hex,    i, n) {
    n = 0
    for (i = 1; i <= length(hex); i++) {
        n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
    }
    return n
}
function judge(    i, j, inner, sums, moves, spills) {
    for (i = 1; i <= loops; i++) {
        inner = 1
        for (j = 1; j <= loops; j++) {
            if (j != i && first[j] >= first[i] && last[j] <= last[i]) {
                inner = 0
            }
        }
        sums = moves = spills = 0
        for (j = first[i]; inner && j <= last[i]; j++) {
            sums += name[j] == "fmla"
            moves += name[j] ~ /^(ld|st)/
            spills += name[j] ~ /^(ld|st)/ && words[j] ~ /^[qdvs][0-9].*\[sp/
        }
        if (sums < 48) {
            continue
        }
        count++
        if (sums < 3 * moves || spills > 2) {
            printf "%s loop at %s: %d multiply-adds, %d loads and stores, %d of sums on the stack\n",
                   file, place[first[i]], sums, moves, spills
        }
    }
    loops = number = 0
}
/^[0-9a-f]+ <.*>:$/ { judge() }
/file format/ { file = $1 }
/^ *[0-9a-f]+:\t/ {
    split($0, column, "\t")
    number++
    place[number] = column[1]
    gsub(/[ :]/, "", place[number])
    at[place[number]] = number
    name[number] = column[3]
    words[number] = column[4]
    if (column[3] ~ /^(b|cb|tb)/ && match(column[4], /[0-9a-f]+ </)) {
        target = substr(column[4], RSTART, RLENGTH - 2)
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
