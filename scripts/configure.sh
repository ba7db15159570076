#!/bin/sh
# Finds the compiler's and libraries' flags and writes them for the Makefile.
#
# usage: scripts/configure.sh [--install] [--tests] OUTPUT.mk
#   --install  installs missing packages first (as root, or with sudo that asks no password)
#   --tests    what the tests need, too
# Exit status 1 when something is missing; then it names each and how to install it.
set -u

install=no tests=no output=
for argument; do
    case $argument in
    --install) install=yes ;;
    --tests) tests=yes ;;
    *) output=$argument ;;
    esac
done
[ -n "$output" ] || { echo "usage: scripts/configure.sh [--install] [--tests] OUTPUT.mk" >&2; exit 2; }
CC=${CC:-cc}

# what | pkg-config module, or how it is checked | Debian/Ubuntu | Fedora | Homebrew
table='C library headers|:libc|libc6-dev|glibc-devel|
pkg-config|:pkg-config|pkg-config|pkgconf-pkg-config|pkgconf
OpenBLAS|openblas|libopenblas-dev|openblas-devel|openblas
liblinear|:liblinear|liblinear-dev|liblinear-devel|liblinear
libarchive|libarchive|libarchive-dev|libarchive-devel|libarchive
jansson|jansson|libjansson-dev|jansson-devel|jansson
libcrypto|libcrypto|libssl-dev|openssl-devel|openssl@3
libcurl|libcurl|libcurl4-openssl-dev|libcurl-devel|curl
root certificates (HTTPS)|:certificates|ca-certificates|ca-certificates|ca-certificates
zlib|zlib|zlib1g-dev|zlib-devel|zlib
libpng|libpng|libpng-dev|libpng-devel|libpng
libjpeg-turbo|libjpeg|libjpeg-dev|libjpeg-turbo-devel|jpeg-turbo
cairo|cairo|libcairo2-dev|cairo-devel|cairo'
# Without these the program is built, but cannot read what they are for.
optional_table='giflib (GIF files)|:giflib|libgif-dev|giflib-devel|giflib
libwebp (WebP files)|libwebpdemux|libwebp-dev|libwebp-devel|webp
libmatio (.mat files)|matio|libmatio-dev|matio-devel|libmatio
HDF5 (.h5 files)|:hdf5|libhdf5-dev|hdf5-devel|hdf5'
tests_table='cmocka|cmocka|libcmocka-dev|libcmocka-devel|cmocka
prove|:prove|perl|perl-Test-Harness|perl'
# Without it, the tests of linprobe-mpi are skipped.
optional_tests_table='MPI|:mpi|libopenmpi-dev openmpi-bin|openmpi-devel|open-mpi'
[ $tests = no ] || table="$table
$tests_table"
required=$table
[ $install = no ] || table="$table
$optional_table"
[ $install$tests != yesyes ] || table="$table
$optional_tests_table"

prefix=
if command -v brew >/dev/null 2>&1; then # Homebrew keeps some packages out of the default paths
    prefix=$(brew --prefix)
    for keg in openblas libarchive openssl@3 curl zlib jpeg-turbo; do
        PKG_CONFIG_PATH="$prefix/opt/$keg/lib/pkgconfig:${PKG_CONFIG_PATH:-}"
    done
    export PKG_CONFIG_PATH
fi

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# trial HEADER LIBRARY...: does a program that includes HEADER link?
trial() {
    header=$1
    shift
    printf '#include <%s>\nint main(void) { return 0; }\n' "$header" >"$scratch/trial.c"
    # shellcheck disable=SC2086
    $CC ${prefix:+-I"$prefix/include" -L"$prefix/lib"} "$scratch/trial.c" -o "$scratch/trial" "$@" >/dev/null 2>&1
}

# What pkg-config calls HDF5's library without MPI: Debian, others.
hdf5_module() {
    for module in hdf5-serial hdf5; do
        pkg-config --exists "$module" 2>/dev/null && echo "$module" && return
    done
    return 1
}

have() {
    case $1 in
    :hdf5) hdf5_module >/dev/null ;;
    :libc) trial stdio.h ;;
    :pkg-config) command -v pkg-config >/dev/null 2>&1 ;;
    :liblinear) trial linear.h -llinear ;;
    :mpi) command -v mpicc >/dev/null 2>&1 && command -v mpirun >/dev/null 2>&1 ;;
    :giflib) trial gif_lib.h -lgif ;;
    :certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ -e /etc/ssl/cert.pem ] ;;
    :prove) command -v prove >/dev/null 2>&1 ;;
    *) pkg-config --exists "$1" 2>/dev/null ;;
    esac
}

find_missing() {
    missing='' debian='' fedora='' brew=''
    while IFS='|' read -r what check deb rpm keg; do
        have "$check" && continue
        missing="$missing $what,"
        debian="$debian $deb"
        fedora="$fedora $rpm"
        brew="$brew $keg"
    done <<EOF
$table
EOF
    [ -z "$missing" ]
}

if ! command -v "${CC%% *}" >/dev/null 2>&1; then
    echo "configure: no C compiler '$CC'; install gcc or clang, or set CC" >&2
    exit 1
fi

if ! find_missing && [ $install = yes ]; then
    if command -v apt-get >/dev/null 2>&1; then
        update='apt-get update -qq' command="apt-get install -y --no-install-recommends$debian"
    elif command -v dnf >/dev/null 2>&1; then
        update=true command="dnf install -y$fedora"
    elif [ -n "$prefix" ]; then
        update=true command="brew install$brew"
    else
        update=true command=
    fi
    sudo=no # not possible
    if [ "$(id -u)" = 0 ] || [ -n "$prefix" ]; then
        sudo=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo='sudo -n'
    fi
    if [ -n "$command" ] && [ "$sudo" != no ]; then
        echo "configure: missing:${missing%,}; running: $sudo $command" >&2
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive $sudo $update && DEBIAN_FRONTEND=noninteractive $sudo $command >&2 ||
            echo "configure: the packages could not be installed" >&2
    fi
fi
table=$required # the rest is built without what is optional
find_missing

if [ -n "$missing" ]; then
    echo "configure: missing:${missing%,}" >&2
    echo "  Debian, Ubuntu:  sudo apt-get install$debian" >&2
    echo "  Fedora:          sudo dnf install$fedora" >&2
    echo "  macOS:           brew install$brew" >&2
    exit 1
fi

library='openblas libarchive jansson libcrypto zlib libpng libjpeg'
program='libcurl cairo' # which the program needs beside the library's
optional='' optional_flags='' optional_libs='' without=''
have libwebpdemux && optional="$optional libwebp libwebpdemux" optional_flags="$optional_flags -DLP_HAS_WEBP=1" ||
    without="$without WebP (libwebp-dev),"
have :giflib && optional_libs="$optional_libs -lgif" optional_flags="$optional_flags -DLP_HAS_GIFLIB=1" ||
    without="$without GIF (libgif-dev),"
have matio && optional="$optional matio" optional_flags="$optional_flags -DLP_HAS_MATIO=1" ||
    without="$without .mat (libmatio-dev),"
module=$(hdf5_module) && optional="$optional $module" optional_flags="$optional_flags -DLP_HAS_HDF5=1" ||
    without="$without .h5 (libhdf5-dev),"
[ -z "$without" ] || echo "configure: built without the readers of:${without%,}" >&2
library="$library$optional"
mkdir -p "$(dirname "$output")"
{
    echo "# written by scripts/configure.sh"
    # shellcheck disable=SC2086
    echo "DEP_CFLAGS := $(pkg-config --cflags $library $program)$optional_flags ${prefix:+-I$prefix/include}"
    # shellcheck disable=SC2086
    echo "LIBRARY_LIBS := ${prefix:+-L$prefix/lib }$(pkg-config --libs $library)$optional_libs -llinear -lm -ldl"
    # shellcheck disable=SC2086
    echo "PROGRAM_LIBS := $(pkg-config --libs $program)"
    if pkg-config --exists cmocka; then
        echo "CMOCKA_CFLAGS := $(pkg-config --cflags cmocka)"
        echo "CMOCKA_LIBS := $(pkg-config --libs cmocka)"
    fi
} >"$output.tmp" && mv "$output.tmp" "$output"
