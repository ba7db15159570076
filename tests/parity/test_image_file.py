#!/usr/bin/env python3
"""Image files against live Pillow: every byte of Image.open(file).convert("RGB"), and which files
are refused.  PNG of every colour type, depth and interlacing; JPEG by Pillow."""
import io
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

try:
    import numpy as np
    import PIL
    from PIL import Image

    from image_files import chunk, jpeg, pick, png, rng, with_adobe
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)

warnings.simplefilter("ignore")
folder = tempfile.TemporaryDirectory()
tool = subprocess.Popen([os.path.join(os.environ["LP_TESTS"], "decode_image")],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
tests = failures = 0


def check(name, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", tests, name))
    for line in wrong[:8]:
        print("# " + line)


def ours(data):
    """Pixels, or the message."""
    path = os.path.join(folder.name, "image")
    if os.path.exists(path):
        os.unlink(path)  # quicker than emptying it, which some file systems sync
    with open(path, "wb") as f:
        f.write(data)
    tool.stdin.write(path.encode() + b"\n")
    tool.stdin.flush()
    line = tool.stdout.readline().decode(errors="replace").rstrip("\n")
    if not line:
        print("Bail out! decode_image ended early")
        sys.exit(1)
    word, rest = line.split(" ", 1)
    if word == "no":
        return rest
    h, w = map(int, rest.split())
    return np.frombuffer(tool.stdout.read(h * w * 3), np.uint8).reshape(h, w, 3)


def pillow(data):
    try:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    except Exception as error:  # Pillow has many
        return "%s: %s" % (type(error).__name__, error)


def differs(name, data):
    want, got = pillow(data), ours(data)
    if isinstance(want, str) or isinstance(got, str):
        return ["%s: expected %s, found %s" % (name, want if isinstance(want, str) else "pixels",
                                               got if isinstance(got, str) else "pixels")]
    if want.shape != got.shape:
        return ["%s: expected %s, found %s" % (name, want.shape, got.shape)]
    if np.array_equal(want, got):
        return []
    y, x, c = np.argwhere(want != got)[0]
    return ["%s: first at row %d column %d channel %d: expected %d, found %d (%d differ, by %d)"
            % (name, y, x, c, want[y, x, c], got[y, x, c], (want != got).sum(),
               np.abs(want.astype(int) - got).max())]


# ---- PNG ---------------------------------------------------------------------------------------
kinds = [(depth, color) for color, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)),
                                              (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16)))
         for depth in depths]
sizes = [(1, 1), (1, 9), (7, 1), (5, 3), (8, 8), (13, 29), (64, 33)]
for interlaced in (0, 1):
    wrong = []
    for depth, color in kinds:
        for h, w in sizes:
            wrong += differs("depth %d colour type %d %dx%d" % (depth, color, h, w),
                             png(h, w, depth, color, interlaced, palette=1 << min(depth, 8),
                                 idats=pick.randint(1, 4)))
    check("PNG of every colour type and depth%s equals Pillow %s"
          % (", interlaced" if interlaced else "", PIL.__version__), wrong)
extras = {
    "transparent palette": (8, 3, chunk(b"tRNS", bytes(range(0, 256, 3)))),
    "transparent grey": (8, 0, chunk(b"tRNS", b"\0\x07")),
    "transparent grey of 1 bit": (1, 0, chunk(b"tRNS", b"\0\1")),
    "transparent grey of 16 bits": (16, 0, chunk(b"tRNS", b"\1\x07")),
    "transparent colour": (8, 2, chunk(b"tRNS", b"\0\1\0\2\0\3")),
    "gamma": (8, 2, chunk(b"gAMA", struct.pack(">I", 100000))),
    "sRGB, physical size and text": (8, 6, chunk(b"sRGB", b"\0") + chunk(b"pHYs", bytes(9))
                                     + chunk(b"tEXt", b"Comment\0hello")),
    "significant bits": (8, 2, chunk(b"sBIT", b"\5\6\5")),
    "significant bits of 16": (16, 2, chunk(b"sBIT", b"\x0c\x0c\x0c")),
    "background": (8, 6, chunk(b"bKGD", bytes(6))),
    "a broken colour profile": (8, 2, chunk(b"iCCP", b"x\0\0" + zlib.compress(b"nonsense"))),
    "EXIF orientation": (8, 2, chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"
                                     + bytes(4))),
    "an unknown chunk": (8, 0, chunk(b"zzZz", b"what")),
}
check("PNG chunks that change nothing",
      sum((differs(name, png(13, 29, depth, color, interlace, extra, palette=256))
           for name, (depth, color, extra) in extras.items() for interlace in (0, 1)), []))
check("a palette shorter than its indexes",
      sum((differs("%d colours" % n, png(9, 20, depth, 3, palette=n,
                                         samples=rng.integers(0, 1 << depth, (9, 20, 1))))
           for depth, n in ((8, 200), (8, 1), (4, 5), (2, 3))), []))
grey = np.arange(0, 65536, 16, dtype=int).reshape(64, 64, 1)
check("16-bit grey", differs("ramp", png(64, 64, 16, 0, samples=grey)))

# ---- JPEG --------------------------------------------------------------------------------------


jpeg_sizes = [(1, 1), (2, 3), (8, 8), (16, 17), (33, 31), (70, 95)]
for progressive in (False, True):
    wrong = []
    for h, w in jpeg_sizes:
        for quality in (30, 75, 95, 100):
            for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
                wrong += differs("%dx%d quality %d %s" % (h, w, quality, subsampling),
                                 jpeg(h, w, 3, quality=quality, subsampling=subsampling,
                                      progressive=progressive))
            wrong += differs("%dx%d grey" % (h, w), jpeg(h, w, 1, quality=quality,
                                                         progressive=progressive))
            wrong += differs("%dx%d CMYK" % (h, w), jpeg(h, w, 4, quality=quality,
                                                         progressive=progressive))
    check("%s JPEG equals Pillow" % ("progressive" if progressive else "baseline"), wrong)


def resampled(data, factors):
    """Other sampling factors in the frame header of a grey-blue-red file: the same coefficients
    read as another image, valid or not; both sides must agree."""
    at = data.index(b"\xff\xc0")
    out = bytearray(data)
    for i, factor in enumerate(factors):
        out[at + 11 + 3 * i] = factor
    return bytes(out)


base3, base4 = jpeg(40, 37, 3, quality=90), jpeg(40, 37, 4, quality=90)
variants = {"RGB by Adobe's marker": with_adobe(base3, 0), "YCbCr by Adobe's": with_adobe(base3, 1),
            "YCCK": with_adobe(base4, 2), "CMYK": with_adobe(base4, 0),
            "RGB kept": jpeg(40, 37, 3, quality=90, keep_rgb=True),
            "restart intervals": jpeg(70, 95, 3, restart_marker_blocks=2),
            "restart rows": jpeg(70, 95, 3, restart_marker_rows=1, subsampling="4:2:0"),
            "optimised": jpeg(70, 95, 3, optimize=True),
            "comment, EXIF and profile": jpeg(30, 20, 3, comment=b"hello", icc_profile=b"x" * 100,
                                              exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1"
                                              b"\0\6\0\0\0\0\0\0"),
            "bytes after the end": base3 + b"more" * 100, "two images": base3 + base4,
            "fill bytes": base3[:2] + b"\xff\xff" + base3[2:]}
check("JPEG in other colours and dresses", sum((differs(*v) for v in variants.items()), []))
wrong = []
for factors in ((0x12, 0x11, 0x11), (0x41, 0x11, 0x11), (0x14, 0x11, 0x11), (0x22, 0x12, 0x11),
                (0x22, 0x21, 0x21), (0x11, 0x22, 0x11), (0x42, 0x11, 0x11), (0x44, 0x11, 0x11)):
    want, got = pillow(resampled(base3, factors)), ours(resampled(base3, factors))
    if isinstance(want, str) != isinstance(got, str) or \
            (not isinstance(want, str) and not np.array_equal(want, got)):
        wrong.append("factors %s: %s" % ([hex(f) for f in factors],
                                         differs("", resampled(base3, factors))))
check("JPEG with unusual sampling factors", wrong)

# ---- damage ------------------------------------------------------------------------------------

good = {"baseline": jpeg(30, 45, 3, quality=80), "progressive": jpeg(30, 45, 3, progressive=True),
        "grey": jpeg(17, 19, 1), "CMYK": jpeg(17, 19, 4),
        "restarts": jpeg(30, 45, 3, restart_marker_blocks=1),
        "PNG": png(12, 17, 8, 2, idats=3), "interlaced PNG": png(12, 17, 8, 6, 1),
        "palette PNG": png(12, 17, 4, 3, palette=16)}
for name, data in good.items():
    wrong, strict = [], []
    for size in range(len(data)):
        want, got = pillow(data[:size]), ours(data[:size])
        if isinstance(want, str) and not isinstance(got, str):
            wrong.append("%d of %d bytes: Pillow refuses them: %s" % (size, len(data), want))
        elif isinstance(got, str) and not isinstance(want, str) and "PNG" not in name:
            wrong.append("%d of %d bytes: Pillow reads them: %s" % (size, len(data), got))
        elif not isinstance(got, str) and not np.array_equal(want, got):
            wrong.append("%d of %d bytes: other pixels" % (size, len(data)))
        elif isinstance(got, str) and not isinstance(want, str):
            strict.append(len(data) - size)
    if strict and max(strict) > 20:  # checksums of the last IDAT and IEND, which Pillow skips
        wrong.append("PNG without its last %d bytes: Pillow reads it" % max(strict))
    check("%s cut anywhere: refused where Pillow refuses" % name, wrong)
counts = {"both read": 0, "both refuse": 0, "only Pillow": 0, "only linprobe": 0}
wrong = []
for name, data in good.items():
    for _ in range(250):
        bad = bytearray(data)
        at = pick.randrange(len(bad))
        bad[at] ^= 1 << pick.randrange(8)
        want, got = pillow(bytes(bad)), ours(bytes(bad))
        w, g = isinstance(want, str), isinstance(got, str)
        counts["both refuse" if w and g else "only linprobe" if w else "only Pillow" if g
               else "both read"] += 1
        if not w and not g and not np.array_equal(want, got):
            wrong.append("%s byte %d: other pixels" % (name, at))
        elif g and not w and ("PNG" in name or "cannot hold them" in got):
            pass  # libpng verifies all checksums; more pixels than the bytes can stand for
        elif w != g:
            wrong.append("%s byte %d: Pillow: %s; linprobe: %s"
                         % (name, at, want if w else "reads it", got if g else "reads it"))
check("a flipped bit: refused where Pillow refuses, else the same pixels", wrong)
print("# " + ", ".join("%s %d" % c for c in counts.items()))

tool.stdin.close()
if tool.wait() != 0:
    failures += 1
    print("# decode_image failed")
print("1..%d" % tests)
sys.exit(1 if failures else 0)
