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
    printf("%s %zu\n", lp_version(), lp_checkpoint_count(ckpt));
    lp_checkpoint_close(ckpt);
    return 0;
}
C
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
ok "pkg-config knows the version" [ "$(pkg-config --modversion linprobe)" = "$version" ]
# shellcheck disable=SC2046 # words
run 0 "${CC:-cc}" "$scratch/use.c" -o "$scratch/use" $(pkg-config --cflags --libs linprobe)
# the library is apart from the program: no pictures, no network
ok "its libraries are the library's" sh -c "! pkg-config --libs linprobe | grep -E 'cairo|curl|fontconfig'"
if command -v ldd >/dev/null; then
    ok "the program built with it loads no others" sh -c "! ldd '$scratch/use' | grep -E 'cairo|curl|fontconfig'"
else
    skip "what the program built with it loads" "no ldd"
fi
ok "the library asks for nothing of them" sh -c "! nm -u '$prefix/lib/liblinprobe.a' | grep -E ' _?(cairo|curl|Fc[A-Z])'"
run 0 "$scratch/use" "$LP_SOURCE/tests/golden/encoder/clip.safetensors"
has "$version 32"
run 0 make -C "$LP_SOURCE" uninstall PREFIX="$prefix" MAKEFLAGS=
ok "nothing of it is left" [ -z "$(find "$prefix" -type f)" ]

# ---- a library that is missing
run 1 env PKG_CONFIG_LIBDIR=/nowhere "$LP_SOURCE/scripts/configure.sh" "$scratch/config.mk"
says "configure: missing: "
says "jansson"
says "install"
ok "no half configuration" [ ! -e "$scratch/config.mk" ]
done_testing
