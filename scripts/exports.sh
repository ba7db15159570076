#!/bin/sh
# The linker's list of what the shared library exports: the functions and tables that the public
# headers declare, and nothing else.
#
# usage: scripts/exports.sh HEADER... >exports.map
echo '{ global:'
# A declaration begins at the left edge; its name is followed by ( or [.
awk '/^[A-Za-z]/ && !/^(typedef|struct|enum)/ && match($0, /lp_[a-z0-9_]+[(\[]/) {
    print "    " substr($0, RSTART, RLENGTH - 1) ";"
}' "$@" | LC_ALL=C sort -u
echo 'local: *; };'
