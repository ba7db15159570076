#!/bin/sh
# The example in each public header's opening comment compiles, as C and as C++.  One that begins
# with #include is a whole file; others are the body of a function.
. "$LP_SOURCE/tests/support/tap.sh"
example() { # HEADER: the indented lines of its first comment
    awk '/^ \*\//{ exit } /^ \*     /{ print substr($0, 8) }' "$1"
}
whole() { # HEADER
    if example "$1" | grep -q '^#include'; then
        example "$1"
    else
        printf '#include <stdio.h>\n#include <stdlib.h>\n#include "linprobe/linprobe.h"\nvoid example(void);\nvoid example(void) {\n'
        example "$1"
        echo '}'
    fi
}
# shellcheck disable=SC2154 # tap.sh sets scratch
compiles() { # NAME FILE COMPILER...
    what=$1 file=$2
    shift 2
    "$@" -I"$LP_SOURCE/include" -Wall -Wextra -Werror -fsyntax-only "$file" >"$scratch/stdout" 2>"$scratch/stderr"
    verdict $? "$what"
}
for header in "$LP_SOURCE"/include/linprobe/*.h; do
    topic=$(basename "$header" .h)
    if [ "$topic" = linprobe ]; then
        continue # has none of its own
    fi
    whole "$header" >"$scratch/$topic.c"
    cp "$scratch/$topic.c" "$scratch/$topic.cc"
    ok "$topic.h has an example" [ -n "$(example "$header")" ]
    compiles "$topic.h: its example is C" "$scratch/$topic.c" "${CC:-cc}" -std=c11 -Wpedantic
    if command -v "${CXX:-c++}" >/dev/null; then
        compiles "$topic.h: its example is C++" "$scratch/$topic.cc" "${CXX:-c++}" -std=c++20 -Wno-missing-field-initializers
    else
        skip "$topic.h: its example is C++" "no C++ compiler"
    fi
done
done_testing
