#!/bin/sh
# What the tests reached, after `make MODE=coverage check`: a table of lines and branches by folder,
# or for each FILE named (src/ckpt/pickle.c) the numbers of the lines that were not reached.
set -eu
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || { echo "coverage: gcovr is missing (Debian: gcovr)" >&2; exit 1; }
for file; do
    gcovr --root . --filter "$file" --txt - build/coverage/obj | grep '^src/'
done
[ $# = 0 ] || exit 0
# filename,line_total,line_covered,line_percent,branch_total,branch_covered,...
gcovr --root . --filter src/ --csv - build/coverage/obj | awk -F, '
    function add(name) {
        lines[name] += $2
        hit[name] += $3
        branches[name] += $5
        taken[name] += $6
    }
    NR > 1 {
        split($1, part, "/")
        add(part[2])
        add("all")
    }
    END {
        print "| folder | lines | reached | branches | taken |"
        print "|---|---|---|---|---|"
        count = split("base ckpt data feat image math model probe extract report fetch cli all", names, " ")
        for (i = 1; i <= count; i++) {
            n = names[i]
            printf "| %s | %d | %.1f %% | %d | %.1f %% |\n", n, lines[n], 100 * hit[n] / lines[n],
                   branches[n], 100 * taken[n] / branches[n]
        }
    }'
