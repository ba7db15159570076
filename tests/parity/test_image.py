#!/usr/bin/env python3
"""The image stage against live Pillow (every byte) and torchvision (every bit).

Pillow 13.0 does the vertical pass first when the height shrinks by more than twice what the width
does; every earlier version, and this program, begins with the horizontal one.  Two resizes of one
axis each give that order with any version; the single resize is compared too where it is the same.
"""
import importlib
import os
import random
import subprocess
import sys

try:
    import numpy as np
    import PIL
    from PIL import Image
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

tool = subprocess.Popen([os.path.join(os.environ["LP_TESTS"], "resize_image")],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
rng = np.random.default_rng(20240611)
pick = random.Random(7)
tests = failures = 0


def request(line, image=None, reply=0):
    tool.stdin.write(line.encode() + b"\n" + (image.tobytes() if image is not None else b""))
    tool.stdin.flush()
    answer = tool.stdout.read(reply)
    if len(answer) != reply:
        print("Bail out! resize_image ended early")
        sys.exit(1)
    return answer


def noise(h, w):
    """Uniform bytes, or only black and white, which makes the filter overshoot everywhere."""
    image = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    return image if pick.random() < 0.7 else np.where(image < 128, 0, 255).astype(np.uint8)


def check(name, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", tests, name))
    for line in wrong[:5]:
        print("# " + line)


PILLOW_REORDERS = int(PIL.__version__.split(".")[0]) >= 13


def vertical_first(image, size):
    """Does this Pillow begin with the vertical pass?"""
    shrinks = image.height - size[1]
    return PILLOW_REORDERS and shrinks > 0 and shrinks > 2 * (image.width - size[0])


def pillow_resize(image, size):
    bicubic = Image.Resampling.BICUBIC
    return image.resize((size[0], image.height), bicubic).resize(size, bicubic)


def resize_differs(h, w, oh, ow):
    image = noise(h, w)
    source = Image.fromarray(image)
    want = np.asarray(pillow_resize(source, (ow, oh)))
    if not vertical_first(source, (ow, oh)):
        whole = np.asarray(source.resize((ow, oh), Image.Resampling.BICUBIC))
        if not np.array_equal(want, whole):
            return ["%dx%d to %dx%d: Pillow's passes are not in the known order" % (h, w, oh, ow)]
    got = np.frombuffer(request("resize %d %d %d %d" % (h, w, oh, ow), image, oh * ow * 3),
                        np.uint8).reshape(oh, ow, 3)
    if np.array_equal(want, got):
        return []
    y, x, c = np.argwhere(want != got)[0]
    return ["%dx%d to %dx%d: first at row %d column %d channel %d: expected %d, found %d"
            % (h, w, oh, ow, y, x, c, want[y, x, c], got[y, x, c])]


for size in (224, 288, 336, 384, 448):
    check("resize 32x32 to %dx%d equals Pillow %s" % (size, size, PIL.__version__),
          sum((resize_differs(32, 32, size, size) for _ in range(3)), []))
fixed = [(1, 1, 224, 224), (1, 1, 1, 1), (1, 50, 60, 7), (50, 1, 7, 60), (300, 200, 1, 1),
         (37, 53, 37, 53), (37, 53, 37, 80), (37, 53, 90, 53), (224, 224, 224, 224),
         (500, 333, 224, 149), (1000, 3, 5, 700), (3, 2, 5, 7), (65535, 1, 3, 2), (2, 1, 65535, 1)]
check("resize of odd, one-pixel and unchanged sides equals Pillow",
      sum((resize_differs(*sizes) for sizes in fixed), []))
sizes = [tuple(pick.randint(1, pick.choice((4, 40, 400))) for _ in range(4)) for _ in range(400)]
check("resize between 400 random sizes equals Pillow", sum((resize_differs(*s) for s in sizes), []))


def transform_differs(resize, rest, crop, h, w):
    image = noise(h, w)
    source = Image.fromarray(image)
    resized = resize(source)
    if vertical_first(source, resized.size):
        resized = pillow_resize(source, resized.size)
    want = rest(resized).numpy()
    got = np.frombuffer(request("run %d %d" % (h, w), image, 3 * crop * crop * 4),
                        np.float32).reshape(3, crop, crop)
    if np.array_equal(want.view(np.uint32), got.view(np.uint32)):
        return []
    c, y, x = np.argwhere(want.view(np.uint32) != got.view(np.uint32))[0]
    return ["%dx%d: first at channel %d row %d column %d: expected %a, found %a"
            % (h, w, c, y, x, float(want[c, y, x]), float(got[c, y, x]))]


try:
    transforms = importlib.import_module("torchvision.transforms")
except ImportError as missing:
    for name in ("CLIP", "ImageNet-style"):
        tests += 1
        print("ok %d - %s transform equals torchvision # SKIP %s" % (tests, name, missing))
else:
    for name, resize, crop, mean, std in (
            ("CLIP", 224, 224, CLIP_MEAN, CLIP_STD),
            ("CLIP 336", 336, 336, CLIP_MEAN, CLIP_STD),
            ("timm", 248, 224, (0.5,) * 3, (0.5,) * 3),
            ("ImageNet", 256, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ("small odd crop", 41, 26, (0.1, 0.9, 0.3), (0.7, 0.01, 3.0))):
        first = transforms.Resize(resize, interpolation=transforms.InterpolationMode.BICUBIC)
        rest = transforms.Compose([transforms.CenterCrop(crop), transforms.ToTensor(),
                                   transforms.Normalize(mean, std)])
        request("setup %d %d %s" % (resize, crop, " ".join(
            "%.9g" % np.float32(v) for v in mean + std)))
        shapes = [(32, 32)] * 3 + [(resize, resize), (resize, resize + 1), (resize + 3, resize),
                                   (1, 1), (1, 9), (20, 1), (500, 375), (375, 501)]
        shapes += [(pick.randint(1, 300), pick.randint(1, 300)) for _ in range(40)]
        shapes = [s for s in shapes if max(s) < 40 * min(s)]
        check("%s transform (resize %d, crop %d) equals torchvision" % (name, resize, crop),
              sum((transform_differs(first, rest, crop, *s) for s in shapes), []))

tool.stdin.close()
if tool.wait() != 0:
    failures += 1
    print("# resize_image failed")
print("1..%d" % tests)
sys.exit(1 if failures else 0)
