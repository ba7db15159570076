#!/bin/sh
# make install into a folder of its own, and a program built against what it put there.
. "$LP_SOURCE/tests/support/tap.sh"
case $LP_PROGRAM in
*/build/linprobe) ;;
*)
    echo "1..0 # SKIP a sanitizer's build is not installed"
    exit 0
    ;;
esac
prefix=$scratch/prefix
run 0 make -C "$LP_SOURCE" install PREFIX="$prefix" MAKEFLAGS=
run 0 "$prefix/bin/linprobe" --version
version=$(cut -d' ' -f2 "$scratch/stdout")
cat >"$scratch/use.c" <<'C'
#include <linprobe/linprobe.h>
#include <stdio.h>
int main(int argc, char **argv) {
    lp_error err;
    lp_checkpoint *ckpt;
    if (argc != 2 || lp_checkpoint_open(argv[1], &ckpt, &err) != LP_OK) {
        return 1;
    }
    printf("%s %s %d %zu\n", lp_version(), LP_VERSION, LP_VERSION_NUMBER, lp_checkpoint_count(ckpt));
    lp_checkpoint_close(ckpt);
    return 0;
}
C
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
ok "pkg-config knows the version" [ "$(pkg-config --modversion linprobe)" = "$version" ]
# shellcheck disable=SC2046 # words
run 0 "${CC:-cc}" "$scratch/use.c" -o "$scratch/use" $(pkg-config --cflags --libs linprobe)
weights=$LP_SOURCE/tests/golden/encoder/clip.safetensors
numbered=$(echo "$version" | awk -F. '{ print $1 * 10000 + $2 * 100 + $3 }')
run 0 env LD_LIBRARY_PATH="$prefix/lib" "$scratch/use" "$weights"
has "$version $version $numbered 32"
# shellcheck disable=SC2046 # words
run 0 "${CC:-cc}" "$scratch/use.c" -o "$scratch/use-static" $(pkg-config --cflags linprobe) \
    "$prefix/lib/liblinprobe.a" $(pkg-config --static --libs linprobe | sed 's/-llinprobe//')
run 0 "$scratch/use-static" "$weights"
has "$version $version $numbered 32"

# ---- the shared library exports what the public headers declare, and nothing else
shared=$prefix/lib/liblinprobe.so
if [ -e "$shared" ]; then
    soname=$(readelf -d "$shared" | sed -n 's/.*SONAME.*\[\(.*\)\].*/\1/p')
    ok "its links lead to the library of this version" cmp "$prefix/lib/$soname" "$prefix/lib/liblinprobe.so.$version"
    ok "as does the name for the linker" cmp "$shared" "$prefix/lib/liblinprobe.so.$version"
    ok "the program that uses it asks for its soname" sh -c "readelf -d '$scratch/use' | grep -qF 'Shared library: [$soname]'"
    nm -D --defined-only "$shared" | awk '{ print $NF }' | sort >"$scratch/exported"
    ok "it exports lp_ symbols" grep -qx lp_version "$scratch/exported"
    ok "and no others" sh -c "! grep -v '^lp_' '$scratch/exported'"
    ok "none from inside" sh -c "! grep -qxE 'lp_alloc|lp_fail|lp_json_write' '$scratch/exported'"
    # every function of the headers can be linked: the compiler's own list of them
    echo '#include <linprobe/linprobe.h>' | "${CC:-cc}" -I"$prefix/include" -E -P - |
        tr '\n' ' ' | grep -oE 'lp_[a-z0-9_]+\([^*]|extern const char \*const lp_[a-z_]+' |
        grep -oE 'lp_[a-z0-9_]+' | sort -u >"$scratch/declared"
    ok "it exports all that the headers declare" sh -c "! comm -13 '$scratch/exported' '$scratch/declared' | grep ."
else
    skip "the shared library" "it is built where libraries have sonames"
fi

# the library is apart from the program: no pictures, no network
ok "its libraries are the library's" sh -c "! pkg-config --static --libs linprobe | grep -E 'cairo|curl|fontconfig'"
if command -v ldd >/dev/null; then
    ok "the program built with it loads no others" sh -c "! ldd '$scratch/use-static' | grep -E 'cairo|curl|fontconfig'"
else
    skip "what the program built with it loads" "no ldd"
fi
ok "the library asks for nothing of them" sh -c "! nm -u '$prefix/lib/liblinprobe.a' | grep -E ' _?(cairo|curl|Fc[A-Z])'"
run 0 make -C "$LP_SOURCE" uninstall PREFIX="$prefix" MAKEFLAGS=
ok "nothing of it is left" [ -z "$(find "$prefix" -type f -o -type l)" ]

# ---- a library that is missing
run 1 env PKG_CONFIG_LIBDIR=/nowhere "$LP_SOURCE/scripts/configure.sh" "$scratch/config.mk"
says "configure: missing: "
says "jansson"
says "install"
ok "no half configuration" [ ! -e "$scratch/config.mk" ]
done_testing
