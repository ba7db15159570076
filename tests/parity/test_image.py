#!/usr/bin/env python3
"""The image stage against live Pillow (every byte) and torchvision (every bit).

Pillow 13.0 does the vertical pass first when the height shrinks by more than twice what the width
does; every earlier version, and this program, begins with the horizontal one.  Where both orders
are the same, the bytes must be those of Pillow's single resize.  Where Pillow 13 turns the order
round, they must be those of two resizes of one axis each, horizontal first; and so that this is no
excuse, the single resize must be the other order's, and it is told how far the two are apart.
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
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR,
           "lanczos": Image.Resampling.LANCZOS}
turned = []  # for each image that Pillow 13 resizes in the other order: largest difference


def vertical_first(image, size):
    """Does this Pillow begin with the vertical pass?"""
    shrinks = image.height - size[1]
    return PILLOW_REORDERS and shrinks > 0 and shrinks > 2 * (image.width - size[0])


def pillow_resize(name, image, size):
    """The horizontal pass first, and what is wrong with the premise of this comparison."""
    how = FILTERS[name]
    ours = image.resize((size[0], image.height), how).resize(size, how)
    other = image.resize((image.width, size[1]), how).resize(size, how)
    whole = image.resize(size, how)
    expected = other if vertical_first(image, size) else ours
    if np.array_equal(np.asarray(whole), np.asarray(expected)):
        if vertical_first(image, size):
            turned.append(np.abs(np.asarray(ours, int) - np.asarray(other, int)).max())
        return ours, []
    return ours, ["%s %dx%d to %dx%d: Pillow's passes are not in the known order"
                  % (name, image.height, image.width, size[1], size[0])]


def resize_differs(name, h, w, oh, ow):
    image = noise(h, w)
    want, wrong = pillow_resize(name, Image.fromarray(image), (ow, oh))
    if wrong:
        return wrong
    want = np.asarray(want)
    got = np.frombuffer(request("resize %s %d %d %d %d" % (name, h, w, oh, ow), image,
                                oh * ow * 3), np.uint8).reshape(oh, ow, 3)
    if np.array_equal(want, got):
        return []
    y, x, c = np.argwhere(want != got)[0]
    return ["%s %dx%d to %dx%d: first at row %d column %d channel %d: expected %d, found %d"
            % (name, h, w, oh, ow, y, x, c, want[y, x, c], got[y, x, c])]


fixed = [(1, 1, 224, 224), (1, 1, 1, 1), (1, 50, 60, 7), (50, 1, 7, 60), (300, 200, 1, 1),
         (37, 53, 37, 53), (37, 53, 37, 80), (37, 53, 90, 53), (224, 224, 224, 224),
         (500, 333, 224, 149), (1000, 3, 5, 700), (3, 2, 5, 7), (65535, 1, 3, 2), (2, 1, 65535, 1)]
for filter_name in FILTERS:
    check("%s resize from 32x32 equals Pillow %s" % (filter_name, PIL.__version__),
          sum((resize_differs(filter_name, 32, 32, size, size)
               for size in (224, 288, 336, 384, 448) for _ in range(3)), []))
    check("%s resize of odd, one-pixel and unchanged sides equals Pillow" % filter_name,
          sum((resize_differs(filter_name, *sizes) for sizes in fixed), []))
    sizes = [tuple(pick.randint(1, pick.choice((4, 40, 400))) for _ in range(4))
             for _ in range(200)]
    check("%s resize between 200 random sizes equals Pillow" % filter_name,
          sum((resize_differs(filter_name, *s) for s in sizes), []))
if PILLOW_REORDERS:
    check("Pillow 13 turns the order round for some sizes, and only by its rule",
          [] if turned else ["no size of these tests"])
    print("# %d images, of which %d have other bytes in the other order, by at most %d of 255"
          % (len(turned), sum(t > 0 for t in turned), max(turned, default=0)))


def transform_differs(name, resize, rest, crop, h, w):
    image = noise(h, w)
    source = Image.fromarray(image)
    resized = resize(source)
    resized, wrong = pillow_resize(name, source, resized.size)
    if wrong:
        return wrong
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
    IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for name, filter_name, squash, resize, crop, (mean, std) in (
            ("CLIP", "bicubic", False, 224, 224, (CLIP_MEAN, CLIP_STD)),
            ("CLIP 336", "bicubic", False, 336, 336, (CLIP_MEAN, CLIP_STD)),
            ("timm", "bicubic", False, 248, 224, ((0.5,) * 3, (0.5,) * 3)),
            ("ImageNet", "bicubic", False, 256, 224, IMAGENET),
            ("torchvision ResNet", "bilinear", False, 256, 224, IMAGENET),
            ("torchvision ResNet V2", "bilinear", False, 232, 224, IMAGENET),
            ("SigLIP", "bicubic", True, 224, 224, ((0.5,) * 3, (0.5,) * 3)),
            ("CLIPA", "bilinear", True, 224, 224, IMAGENET),
            ("squash and crop", "lanczos", True, 51, 38, IMAGENET),
            ("crop larger than the image", "lanczos", False, 40, 59, (CLIP_MEAN, CLIP_STD)),
            ("crop larger by one", "bicubic", True, 40, 41, (CLIP_MEAN, CLIP_STD)),
            ("small odd crop", "bicubic", False, 41, 26, ((0.1, 0.9, 0.3), (0.7, 0.01, 3.0)))):
        first = transforms.Resize((resize, resize) if squash else resize,
                                  interpolation=transforms.InterpolationMode(filter_name))
        rest = transforms.Compose([transforms.CenterCrop(crop), transforms.ToTensor(),
                                   transforms.Normalize(mean, std)])
        request("setup %s %d %d %d %s" % (filter_name, squash, resize, crop, " ".join(
            "%.9g" % np.float32(v) for v in mean + std)))
        shapes = [(32, 32)] * 3 + [(resize, resize), (resize, resize + 1), (resize + 3, resize),
                                   (1, 1), (1, 9), (20, 1), (500, 375), (375, 501), (335, 500)]
        shapes += [(pick.randint(1, 300), pick.randint(1, 300)) for _ in range(30)]
        shapes = [s for s in shapes if max(s) < 40 * min(s)]
        check("%s transform (%s %d, crop %d) equals torchvision"
              % (name, filter_name, resize, crop),
              sum((transform_differs(filter_name, first, rest, crop, *s) for s in shapes), []))

tool.stdin.close()
if tool.wait() != 0:
    failures += 1
    print("# resize_image failed")
print("1..%d" % tests)
sys.exit(1 if failures else 0)
