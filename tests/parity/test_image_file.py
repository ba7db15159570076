#!/usr/bin/env python3
"""Image files against live Pillow: every byte of Image.open(file).convert("RGB"), and which files
are refused.  PNG of every colour type, depth and interlacing; JPEG, GIF and WebP by Pillow; PPM and
BMP of every kind that Pillow reads, but for run-length coding."""
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


def cut(name, data, sizes):
    """A file that ends early: refused where Pillow refuses it."""
    return sum((differs("%s cut at %d" % (name, n), data[:n]) for n in sizes
                if not isinstance(pillow(data[:n]), str) or not isinstance(ours(data[:n]), str)),
               [])


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

# ---- PPM, BMP, GIF, WebP -----------------------------------------------------------------------


def netpbm(kind, h, w, maxval):
    """P1 to P6 with comments and odd blanks."""
    bands = 3 if kind in "36" else 1
    values = rng.integers(0, (1 if kind in "14" else maxval) + 1, (h, w * bands))
    head = "P%s # a comment\n%d\t%d%s" % (kind, w, h, "\n" if kind in "14" else " %d\n" % maxval)
    if kind in "123":
        body = ("" if kind == "1" else " # inside\n ").join(
            " ".join(map(str, row)) + "\n" for row in values).encode()
    elif kind == "4":
        body = np.packbits(values.astype(np.uint8), axis=1).tobytes()
    else:
        body = values.astype(">u2" if maxval > 255 else np.uint8).tobytes()
    return head.encode() + body


wrong = []
for kind in "123456":
    for maxval in (1, 3, 100, 255, 256, 1000, 65535):
        for h, w in ((1, 1), (3, 5), (7, 16), (9, 33)):
            wrong += differs("P%s %dx%d maxval %d" % (kind, h, w, maxval),
                             netpbm(kind, h, w, maxval))
    wrong += cut("P" + kind, netpbm(kind, 9, 33, 255), (12, 20, 60))
check("PBM, PGM and PPM, plain and binary, equal Pillow", wrong)


def bmp(h, w, bits, colors=0, masks=None, down=False, grey=False, core=False):
    row = (w * bits + 31) // 32 * 4
    palette = b""
    if bits <= 8:
        count = colors or 1 << bits
        palette = (bytes(x for i in range(count) for x in ([i] * 3 + [0])) if grey else
                   rng.integers(0, 256, count * 4, np.uint8).tobytes())
        if core:
            palette = b"".join(palette[4 * i:4 * i + 3] for i in range(count))
    extra = struct.pack("<3I", *masks) if masks else b""
    head = (struct.pack("<IHHHH", 12, w, h, 1, bits) if core else
            struct.pack("<IiiHHIIiiII", 40, w, -h if down else h, 1, bits, 3 if masks else 0,
                        row * h, 2835, 2835, colors, 0))
    body = rng.integers(0, 256, row * h, np.uint8).tobytes()
    offset = 14 + len(head) + len(extra) + len(palette)
    return (b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + head + extra + palette
            + body)


wrong = []
for h, w in ((1, 1), (3, 5), (7, 16), (9, 33)):
    for down in (False, True):
        for bits in (1, 4, 8, 16, 24, 32):
            wrong += differs("BMP %d bits %dx%d" % (bits, h, w), bmp(h, w, bits, down=down))
        for bits, masks in ((16, (0xf800, 0x7e0, 0x1f)), (16, (0x7c00, 0x3e0, 0x1f)),
                            (32, (0xff0000, 0xff00, 0xff)), (32, (0xff000000, 0xff0000, 0xff00)),
                            (32, (0xff000000, 0xff00, 0xff)), (32, (0, 0, 0)),
                            (24, (0xff0000, 0xff00, 0xff))):
            wrong += differs("BMP %d bits, masks %x" % (bits, masks[0]),
                             bmp(h, w, bits, masks=masks, down=down))
    wrong += differs("BMP 8 bits, 100 colours", bmp(h, w, 8, colors=100))
    wrong += differs("BMP 8 bits, greys", bmp(h, w, 8, grey=True))
    wrong += differs("BMP of OS/2", bmp(h, w, 8, core=True))
    wrong += differs("BMP of OS/2, 24 bits", bmp(h, w, 24, core=True))
    wrong += cut("BMP", bmp(h, w, 24), (20, 56, len(bmp(h, w, 24)) - 1))
check("BMP of every depth equals Pillow", wrong)


def saved(array, mode, kind, **how):
    out = io.BytesIO()
    image = Image.fromarray(array, mode)
    if mode == "P":
        image.putpalette(rng.integers(0, 256, 3 * how.pop("colors", 256), np.uint8).tobytes())
    image.save(out, kind, **how)
    return out.getvalue()


def optional(word):
    """Whether the build reads this format; else a check is left out and said."""
    probe = ours(saved(np.zeros((2, 2), np.uint8), "L", word))
    if isinstance(probe, str) and "built without" in probe:
        print("# not checked: " + probe)
        return False
    return True


def framed(gif, left, top, screen=None):
    """The same GIF with its frame elsewhere, perhaps on another screen."""
    out = bytearray(gif)
    at = 13 + (3 << (out[10] & 7) + 1 if out[10] & 128 else 0)
    while out[at] == 0x21:  # extensions
        at += 2
        while out[at]:
            at += out[at] + 1
        at += 1
    out[at + 1:at + 5] = struct.pack("<HH", left, top)
    if screen:
        out[6:10] = struct.pack("<HH", *screen)
    return bytes(out)


if optional("GIF"):
    wrong = []
    for h, w in ((1, 1), (3, 5), (8, 8), (37, 70)):
        for interlace in (0, 1):
            for colors in (2, 7, 200, 256):
                data = saved(rng.integers(0, colors, (h, w), np.uint8), "P", "GIF", colors=colors,
                             interlace=interlace)
                wrong += differs("GIF %dx%d, %d colours" % (h, w, colors), data)
                wrong += differs("GIF, frame moved", framed(data, 3, 2))
                wrong += differs("GIF, larger screen", framed(data, 3, 2, (w + 9, h + 9)))
            data = saved(rng.integers(0, 256, (h, w), np.uint8), "P", "GIF", transparency=3,
                         interlace=interlace)
            wrong += differs("GIF, transparent", framed(data, 1, 1, (w + 4, h + 4)))
            wrong += differs("GIF, grey", framed(saved(rng.integers(0, 256, (h, w), np.uint8), "L",
                                                       "GIF", interlace=interlace), 1, 1,
                                                 (w + 4, h + 4)))
        frames = [Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)) for _ in range(3)]
        out = io.BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
        wrong += differs("GIF, animated", out.getvalue())
    wrong += cut("GIF", saved(rng.integers(0, 256, (37, 70), np.uint8), "P", "GIF"),
                 (5, 12, 500, 900, 1500))
    check("GIF equals Pillow", wrong)
if optional("WEBP"):
    wrong = []
    for h, w in ((1, 1), (3, 5), (16, 16), (37, 70)):
        for lossless in (False, True):
            for bands, mode in ((3, "RGB"), (4, "RGBA")):
                data = saved(rng.integers(0, 256, (h, w, bands), np.uint8), mode, "WEBP",
                             lossless=lossless)
                wrong += differs("WebP %s %dx%d" % (mode, h, w), data)
                wrong += cut("WebP", data, (len(data) // 2,))
        frames = [Image.fromarray(rng.integers(0, 256, (h, w, 4), np.uint8)) for _ in range(3)]
        out = io.BytesIO()
        frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
        wrong += differs("WebP, animated", out.getvalue())
    check("WebP equals Pillow", wrong)

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
