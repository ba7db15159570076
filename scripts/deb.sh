#!/bin/sh
# Debian packages of what `make install` has put into a folder: the program, the shared library, and
# what programs are built with.
#
# usage: scripts/deb.sh VERSION SOVERSION INSTALLED OUT
#   INSTALLED  the DESTDIR of `make install PREFIX=/usr LIBDIR=/usr/lib/MULTIARCH`
#   OUT        where the packages go
# DEBFULLNAME and DEBEMAIL are the maintainer, as Debian's own tools have it.
set -eu
version=$1 soversion=$2
here=$(cd "$(dirname "$0")/.." && pwd)
installed=$(cd "$3" && pwd)
mkdir -p "$4"
out=$(cd "$4" && pwd)
umask 022
library=liblinprobe$soversion
maintainer="${DEBFULLNAME:-the linprobe authors} <${DEBEMAIL:-linprobe@packages.debian.org}>"
architecture=$(dpkg-architecture -qDEB_HOST_ARCH)
lib=usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debian" # dpkg-shlibdeps looks for its file
cat >"$work/debian/control" <<CONTROL
Source: linprobe
Maintainer: $maintainer

Package: linprobe
Architecture: any
CONTROL

# take PACKAGE FILE...: files of the installation, as it has them
take() {
    package=$1
    shift
    mkdir -p "$work/$package"
    (cd "$installed" && tar -cf - "$@") | tar -C "$work/$package" -xf -
}

# needs PACKAGE FILE...: the packages of the shared libraries that the files ask for
needs() {
    package=$1
    shift
    (cd "$work" && dpkg-shlibdeps -O -l"$work/$library/$lib" --ignore-missing-info "$@" 2>"$work/said") |
        sed -n 's/^shlibs:Depends=//p' || { cat "$work/said" >&2 && exit 1; }
}

# document PACKAGE: copyright and changelog
document() {
    folder=$work/$1/usr/share/doc/$1
    mkdir -p "$folder"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
        printf 'Upstream-Name: linprobe\n\nFiles: *\nCopyright: 2026 the linprobe authors\nLicense: BSD-2-Clause\n'
        sed '1,/^Copyright/d; s/^$/./; s/^/ /' "$here/LICENSE" | sed '1{/^ [.]$/d;}'
    } >"$folder/copyright"
    printf 'linprobe (%s) unstable; urgency=medium\n\n  * Built from source by make deb.\n\n -- %s  %s\n' \
        "$version" "$maintainer" "$(date -u -R -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$here/include/linprobe/version.h")}")" |
        gzip -9n >"$folder/changelog.gz"
}

# pack PACKAGE SECTION FIELDS SUMMARY DESCRIPTION: checksums, control file, package
pack() {
    root=$work/$1
    document "$1"
    mkdir -p "$root/DEBIAN"
    (cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum) >"$root/DEBIAN/md5sums"
    {
        printf 'Package: %s\nSource: linprobe\nVersion: %s\nArchitecture: %s\nMaintainer: %s\n' \
            "$1" "$version" "$architecture" "$maintainer"
        printf 'Installed-Size: %s\nSection: %s\nPriority: optional\n' "$(du -sk "$root/usr" | cut -f1)" "$2"
        printf '%s\nDescription: %s\n %s\n' "$3" "$4" "$5"
    } | sed '/^$/d' >"$root/DEBIAN/control"
    chmod -R u+rwX,go+rX,go-w "$root"
    dpkg-deb --root-owner-group --build "$root" "$out/${1}_${version}_$architecture.deb" >/dev/null
    echo "$out/${1}_${version}_$architecture.deb"
}

take "$library" "$lib/liblinprobe.so.$soversion" "$lib/liblinprobe.so.$version"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$work/$library/$lib/liblinprobe.so.$version"
mkdir -p "$work/$library/DEBIAN"
echo "liblinprobe $soversion $library (>= $version)" >"$work/$library/DEBIAN/shlibs"
echo "activate-noawait ldconfig" >"$work/$library/DEBIAN/triggers"

take linprobe usr/bin usr/share
strip --remove-section=.comment --remove-section=.note "$work/linprobe/usr/bin/linprobe"
find "$work/linprobe/usr/share/man" -name '*.1' -exec gzip -9n {} +

take liblinprobe-dev usr/include "$lib/liblinprobe.a" "$lib/liblinprobe.so" "$lib/pkgconfig"
strip --strip-debug --enable-deterministic-archives "$work/liblinprobe-dev/$lib/liblinprobe.a"

long="linprobe runs a frozen, pretrained image encoder over labelled images, trains
 L2-regularised logistic regression on its features and scores it. It reads the
 weights of many published encoders, and needs no Python."
pack "$library" libs "Depends: $(needs "$library" "$work/$library/$lib/liblinprobe.so.$version")
Multi-Arch: same" "linear probes of frozen image encoders - shared library" "$long
 .
 This package has the shared library."
pack linprobe science "Depends: $(needs linprobe "$work/linprobe/usr/bin/linprobe"), ca-certificates" \
    "linear probes of frozen image encoders" "$long
 .
 This package has the program, its manual pages and completions for shells."
pack liblinprobe-dev libdevel "Depends: $library (= $version)
Multi-Arch: same" "linear probes of frozen image encoders - development files" "$long
 .
 This package has headers, the static library and the pkg-config file."
