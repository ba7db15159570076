#!/bin/sh
# Builds the unit tests for 64-bit Arm with Debian's cross compiler and runs them under qemu-user.
#
# usage: scripts/test_arm64.sh NAME... (of tests/unit), prove's output; `all`: every one
# ARM64_ROOT: a folder with the arm64 packages, where they are not installed in the system.
# What is missing is a counted skip: gcc-aarch64-linux-gnu, qemu-user, and of the libraries' packages
# the arm64 ones (dpkg --add-architecture arm64; apt install libopenblas-dev:arm64 and so on).
set -u
root=${ARM64_ROOT:-}
compiler=aarch64-linux-gnu-gcc
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}
command -v $compiler >/dev/null || skip_all "no $compiler (package gcc-aarch64-linux-gnu)"
command -v qemu-aarch64 >/dev/null || skip_all "no qemu-aarch64 (package qemu-user)"
# shellcheck disable=SC2046
[ "$*" = all ] && set -- $(cd tests/unit && echo test_*.c | sed 's/\.c//g')
mkdir -p build/arm64/tests
case " $* " in
*" test_fetch "* | *" test_hub "*) # the server that they talk to is a program of this processor
    make --no-print-directory build/tests/http_server &&
        cp build/tests/http_server build/arm64/tests/ || exit 1
    ;;
esac
export CC="$compiler${root:+ --sysroot=$root}"
export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
export LP_RUNNER="qemu-aarch64${root:+ -L $root}"
config=build/arm64/config.mk
scripts/configure.sh --tests $config >build/arm64/missing 2>&1 ||
    skip_all "no arm64 packages: $(grep -m 1 . build/arm64/missing)"
programs=
for name; do
    programs="$programs build/arm64/tests/$name"
done
# shellcheck disable=SC2086
make --no-print-directory -j "$(nproc)" CC="$CC" BUILD=build/arm64 CONFIG=$config $programs || exit 1
# shellcheck disable=SC2086
CMOCKA_MESSAGE_OUTPUT=TAP LP_SOURCE=$PWD LP_TESTS=$PWD/build/arm64/tests \
    prove --exec tests/run $programs
