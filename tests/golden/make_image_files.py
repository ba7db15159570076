#!/usr/bin/env python3
"""Makes golden/image_file: small PNG and JPEG files, and files.txt with what Pillow makes of them.

usage: python3 tests/golden/make_image_files.py

A line of files.txt: file height width sha256-of-uint8[height, width, 3]
"""
import hashlib
import os
import sys

import PIL
from PIL import Image, features

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "parity"))
from image_files import chunk, jpeg, png, with_adobe  # noqa: E402


def files():
    for depth, color in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3),
                         (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)):
        interlaced = depth % 3 == 1
        yield ("type%d-depth%d.png" % (color, depth),
               png(7, 10, depth, color, int(interlaced), palette=1 << min(depth, 4), idats=2))
    yield ("type2-depth8-interlaced.png", png(9, 5, 8, 2, 1))
    yield ("type3-transparent.png", png(6, 6, 4, 3, palette=16,
                                        extra=chunk(b"tRNS", bytes(range(16)))))
    yield ("baseline-444.jpg", jpeg(17, 21, 3, subsampling="4:4:4"))
    yield ("baseline-422.jpg", jpeg(17, 21, 3, subsampling="4:2:2"))
    yield ("baseline-420.jpg", jpeg(17, 21, 3, subsampling="4:2:0"))
    yield ("progressive.jpg", jpeg(17, 21, 3, progressive=True))
    yield ("restarts.jpg", jpeg(17, 21, 3, restart_marker_blocks=1))
    yield ("grey.jpg", jpeg(17, 21, 1))
    yield ("cmyk.jpg", jpeg(17, 21, 4))
    yield ("ycck.jpg", with_adobe(jpeg(17, 21, 4), 2))


def main():
    folder = os.path.join(HERE, "image_file")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "files.txt"), "w") as table:
        table.write("# tests/golden/make_image_files.py, Pillow %s, libjpeg-turbo %s, zlib %s\n" % (
            PIL.__version__, features.version("libjpeg_turbo"), features.version("zlib")))
        for name, data in files():
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(data)
            image = Image.open(path).convert("RGB")
            table.write("%s %d %d %s\n" % (name, image.height, image.width,
                                           hashlib.sha256(image.tobytes()).hexdigest()))


if __name__ == "__main__":
    main()
