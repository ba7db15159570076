"""Small image files: PNG of any kind, written here; JPEG by Pillow.  For test_image_file.py and
tests/golden/make_image_files.py."""
import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

pick = random.Random(11)
rng = np.random.default_rng(11)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """[h, w, channels] -> filtered rows."""
    out = bytearray()
    previous = None
    for row in samples:
        if depth == 16:
            raw = row.astype(">u2").tobytes()
        elif depth == 8:
            raw = row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), "0%db" % depth) for v in row.ravel())
            bits += "0" * (-len(bits) % 8)
            raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
        if previous is not None and pick.random() < 0.5:  # filter "up"
            out += b"\x02" + bytes((a - b) & 255 for a, b in zip(raw, previous))
        else:
            out += b"\x00" + raw
        previous = raw
    return bytes(out)


def png(h, w, depth, color, interlace=0, extra=b"", palette=None, idats=1, samples=None):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    if samples is None:
        top = min(1 << depth, palette or 1 << depth)
        samples = rng.integers(0, top, (h, w, channels))
    if interlace:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
                  (0, 1, 2, 2), (1, 0, 2, 1)]
        raw = b"".join(pack_rows(samples[y::dy, x::dx], depth)
                       for y, x, dy, dx in passes if samples[y::dy, x::dx].size)
    else:
        raw = pack_rows(samples, depth)
    data = zlib.compress(raw)
    if color == 3:
        extra = chunk(b"PLTE", rng.bytes(3 * palette)) + extra
    step = -(-len(data) // idats)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace)) + extra
            + b"".join(chunk(b"IDAT", data[i:i + step]) for i in range(0, len(data), step))
            + chunk(b"IEND", b""))


def picture(h, w, bands):
    """Something with edges, gradients and noise."""
    y, x = np.mgrid[:h, :w]
    planes = [(x * (3 + b) + y * (5 - b) + 40 * ((x // 9 + y // 7 + b) % 2)
               + rng.integers(0, 30, (h, w))) % 256 for b in range(bands)]
    array = np.stack(planes, -1).astype(np.uint8)
    return Image.fromarray(array[..., 0] if bands == 1 else array,
                           {1: "L", 3: "RGB", 4: "CMYK"}[bands])


def jpeg(h, w, bands, **options):
    out = io.BytesIO()
    picture(h, w, bands).save(out, "JPEG", **options)
    return out.getvalue()


def with_adobe(data, transform):
    at = data.find(b"Adobe")
    out = bytearray(data)
    if at >= 0:
        out[at + 11] = transform
        return bytes(out)
    marker = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    at = data.index(b"\xff\xdb")
    return data[:at] + marker + data[at:]
