#!/usr/bin/env python3
"""The image stage against live Pillow (every byte), and against the transforms of torchvision, timm
and open_clip and the image processors of transformers (every bit; a resize in float32 to rounding).

Since version 13.0, Pillow does the vertical pass first when the height shrinks by more than twice
what the width does.  With an older Pillow such sizes are left out, and counted as a skipped test.
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


def skip(name, why):
    global tests
    tests += 1
    print("ok %d - %s # SKIP %s" % (tests, name, why))


FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR,
           "lanczos": Image.Resampling.LANCZOS, "nearest": Image.Resampling.NEAREST}
PILLOW_IS_OLD = int(PIL.__version__.split(".")[0]) < 13


def down_first(h, w, oh, ow):
    """Pillow 13's rule for the order of the passes."""
    return h > oh and h - oh > 2 * (w - ow)


# ---- resize ------------------------------------------------------------------------------------


def resize_differs(name, h, w, oh, ow):
    image = noise(h, w)
    want = np.asarray(Image.fromarray(image).resize((ow, oh), FILTERS[name]))
    got = np.frombuffer(request("resize %s %d %d %d %d" % (name, h, w, oh, ow), image,
                                oh * ow * 3), np.uint8).reshape(oh, ow, 3)
    if np.array_equal(want, got):
        return []
    y, x, c = np.argwhere(want != got)[0]
    return ["%s %dx%d to %dx%d: first at row %d column %d channel %d: expected %d, found %d"
            % (name, h, w, oh, ow, y, x, c, want[y, x, c], got[y, x, c])]


SIDES = (1, 2, 3, 7, 16, 33, 97)
sizes = {
    "from 32x32": [(32, 32, n, n) for n in (224, 288, 336, 384, 448) for _ in range(3)],
    "of odd, one-pixel and unchanged sides": [
        (1, 1, 224, 224), (1, 1, 1, 1), (1, 50, 60, 7), (50, 1, 7, 60), (300, 200, 1, 1),
        (37, 53, 37, 53), (37, 53, 37, 80), (37, 53, 90, 53), (37, 53, 20, 53), (37, 53, 37, 20),
        (224, 224, 224, 224), (500, 333, 224, 149), (1000, 3, 5, 700), (3, 2, 5, 7),
        (65535, 1, 3, 2), (2, 1, 65535, 1), (1, 65535, 2, 3)],
    "of photographs": [
        (500, 375, 256, 256), (500, 375, 224, 224), (500, 375, 384, 384), (500, 375, 298, 224),
        (375, 500, 256, 256), (641, 320, 496, 248), (640, 320, 496, 248), (685, 320, 530, 248),
        (320, 685, 248, 530), (500, 334, 384, 256), (1024, 683, 384, 384)],
    "between all pairs of %d sides, up and down, tall and wide" % len(SIDES): [
        (h, w, oh, ow) for h in SIDES for w in SIDES for oh in SIDES for ow in SIDES],
    "between 200 random sizes": [
        tuple(pick.randint(1, pick.choice((4, 40, 400))) for _ in range(4)) for _ in range(200)]}
turned = [s for group in sizes.values() for s in group if down_first(*s)]
for filter_name in FILTERS:
    for group, members in sizes.items():
        check("%s resize %s equals Pillow %s" % (filter_name, group, PIL.__version__),
              sum((resize_differs(filter_name, *s) for s in members
                   if not (PILLOW_IS_OLD and down_first(*s))), []))
if PILLOW_IS_OLD:
    skip("%d sizes of which the height is resized first" % len(turned),
         "Pillow %s is older than the rule" % PIL.__version__)
else:
    print("# of %d of these sizes, the height is resized first" % len(turned))

# ---- the whole way -----------------------------------------------------------------------------

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5,) * 3, (0.5,) * 3
CLIP = CLIP_MEAN, CLIP_STD


class Way:
    """One preprocessing: ours is set up by it, and a reference is made from it."""

    def __init__(self, name, filter_name, squash, resize, crop, mean_std, f=1 / 255):
        self.name, self.filter, self.squash = name, filter_name, squash
        self.resize, self.crop, self.f = resize, crop, f
        self.mean, self.std = mean_std

    def setup(self, floor, floats):
        """The factor f is folded into mean and std."""
        values = [v / (255 * self.f) for v in tuple(self.mean) + tuple(self.std)]
        request("setup %s %d %d %d %d %d %s" % (
            self.filter, self.squash, floor, floats, self.resize, self.crop,
            " ".join("%.9g" % np.float32(v) for v in values)))

    def resized(self, h, w):
        short = min(h, w)
        return (self.resize, self.resize) if self.squash else (
            self.resize * h // short, self.resize * w // short)


def shapes_of(way):
    """Odd shapes, and those that leave each surplus mod 4 on either axis."""
    n = way.resize
    shapes = [(32, 32), (n, n), (n + 3, n), (1, 1), (1, 9), (20, 1), (500, 375), (375, 501),
              (335, 500), (685, 320)]
    shapes += [(n, n + d) for d in range(1, 9)] + [(n + d, n) for d in range(1, 9)]
    shapes += [(pick.randint(1, 300), pick.randint(1, 300)) for _ in range(30)]
    return [s for s in shapes if max(s) < 40 * min(s)
            and not (PILLOW_IS_OLD and down_first(*s, *way.resized(*s)))]


def tensor_differs(reference, way, h, w, allowed=0.0):
    """allowed: a difference before the division by std; 0: none, not even in the last bit."""
    image = noise(h, w)
    want = np.asarray(reference(Image.fromarray(image)), np.float32)
    crop = way.crop
    got = np.frombuffer(request("run %d %d" % (h, w), image, 3 * crop * crop * 4),
                        np.float32).reshape(3, crop, crop)
    if want.shape != got.shape:
        return ["%dx%d: expected shape %s" % (h, w, want.shape)]
    std = np.array(way.std, np.float64).reshape(3, 1, 1) / (255 * way.f)
    wrong = np.abs(want.astype(np.float64) - got) * std > allowed if allowed else \
        want.view(np.uint32) != got.view(np.uint32)
    if not wrong.any():
        return []
    c, y, x = np.argwhere(wrong)[0]
    return ["%dx%d: first at channel %d row %d column %d: expected %a, found %a"
            % (h, w, c, y, x, float(want[c, y, x]), float(got[c, y, x]))]


def compare(library, make, ways, floor, shapes=shapes_of, allowed=0.0, floats=False):
    """make(way) gives the reference: from a Pillow image to a tensor."""
    for way in ways:
        way.setup(floor, floats)
        reference = make(way)
        check("%s (%s %d, crop %d%s) equals %s" % (way.name, way.filter, way.resize, way.crop,
                                                  ", squashed" if way.squash else "", library),
              sum((tensor_differs(reference, way, *s, allowed) for s in shapes(way)), []))


def library(name, *modules):
    """The modules, or None and a skipped test."""
    try:
        return [importlib.import_module(m) for m in modules]
    except ImportError as missing:
        skip("preprocessing equals %s" % name, missing)
        return None


found = library("torchvision", "torchvision.transforms")
if found:
    transforms, = found

    def torchvision_way(way):
        return transforms.Compose([
            transforms.Resize((way.resize, way.resize) if way.squash else way.resize,
                              interpolation=transforms.InterpolationMode(way.filter)),
            transforms.CenterCrop(way.crop), transforms.ToTensor(),
            transforms.Normalize(way.mean, way.std)])

    compare("torchvision", torchvision_way, (
        Way("CLIP", "bicubic", False, 224, 224, CLIP),
        Way("CLIP 336", "bicubic", False, 336, 336, CLIP),
        Way("timm", "bicubic", False, 248, 224, HALF),
        Way("ImageNet", "bicubic", False, 256, 224, IMAGENET),
        Way("torchvision ResNet", "bilinear", False, 256, 224, IMAGENET),
        Way("torchvision ResNet V2", "bilinear", False, 232, 224, IMAGENET),
        Way("SigLIP", "bicubic", True, 224, 224, HALF),
        Way("CLIPA", "bilinear", True, 224, 224, IMAGENET),
        Way("squash and crop", "lanczos", True, 51, 38, IMAGENET),
        Way("crop larger than the image", "lanczos", False, 40, 59, CLIP),
        Way("crop larger by one", "bicubic", True, 40, 41, CLIP),
        Way("odd crop", "bicubic", False, 31, 24, CLIP),
        Way("small odd crop", "bicubic", False, 41, 26, ((0.1, 0.9, 0.3), (0.7, 0.01, 3.0)))),
        floor=False)

found = library("timm", "timm.data")
if found:
    timm_data, = found

    def timm_way(way):
        return timm_data.create_transform(
            way.crop, crop_pct=way.crop / way.resize, crop_mode="squash" if way.squash else "center",
            interpolation=way.filter, mean=way.mean, std=way.std)

    compare("timm", timm_way, (Way("AugReg", "bicubic", False, 248, 224, HALF),
                               Way("ResNet", "bilinear", False, 235, 224, IMAGENET),
                               Way("SigLIP", "bicubic", True, 224, 224, HALF),
                               Way("squash and crop", "bicubic", True, 59, 56, IMAGENET),
                               Way("odd crop", "bicubic", False, 31, 24, CLIP)), floor=False)

found = library("open_clip", "open_clip.transform")
if found:
    open_clip, = found

    def open_clip_way(way):
        return open_clip.image_transform(
            way.crop, is_train=False, mean=way.mean, std=way.std, interpolation=way.filter,
            resize_mode="squash" if way.squash else "shortest")

    compare("open_clip", open_clip_way, (Way("CLIP", "bicubic", False, 224, 224, CLIP),
                                         Way("odd side", "bicubic", False, 37, 37, CLIP),
                                         Way("SigLIP", "bicubic", True, 56, 56, HALF),
                                         Way("CLIPA", "bilinear", True, 56, 56, IMAGENET)),
            floor=False)

found = library("transformers",
                *("transformers.models.%s.image_processing_pil_%s" % (m, m)
                  for m in ("clip", "bit", "deit", "siglip", "vit", "convnext")),
                *("transformers.models.%s.image_processing_%s" % (m, m)
                  for m in ("clip", "bit", "convnext", "dinov3_vit")))
if found:
    clip, bit, deit, siglip, vit, convnext = found[:6]
    clip_tv, bit_tv, convnext_tv, dinov3_tv = found[6:]

    def processor(kind):
        def make(way):
            size = {"height": way.resize, "width": way.resize} if way.squash else {
                "shortest_edge": way.resize}
            made = kind(size=size, crop_size={"height": way.crop, "width": way.crop},
                        resample=FILTERS[way.filter], image_mean=way.mean, image_std=way.std,
                        rescale_factor=way.f)
            return lambda image: made(image, return_tensors="np")["pixel_values"][0]
        return make

    def convnext_processor(kind):
        def make(way):
            made = kind(size={"shortest_edge": way.crop}, crop_pct=way.crop / way.resize,
                        resample=FILTERS[way.filter], image_mean=way.mean, image_std=way.std)
            return lambda image: made(image, return_tensors="np")["pixel_values"][0]
        return make

    odd = (Way("odd crop", "bicubic", False, 31, 24, CLIP),
           Way("squash and odd crop", "lanczos", True, 51, 38, IMAGENET),
           Way("crop larger than the image", "bilinear", False, 40, 59, CLIP),
           Way("crop larger by one", "bicubic", True, 40, 41, CLIP))
    compare("transformers' CLIP over Pillow", processor(clip.CLIPImageProcessorPil), (
        Way("CLIP", "bicubic", False, 224, 224, CLIP),
        Way("CLIP 336", "bicubic", False, 336, 336, CLIP)) + odd, floor=True)
    compare("transformers' BiT over Pillow", processor(bit.BitImageProcessorPil),
            (Way("DINOv2", "bicubic", False, 256, 224, IMAGENET),) + odd, floor=True)
    compare("transformers' DeiT over Pillow", processor(deit.DeiTImageProcessorPil),
            (Way("DeiT", "bicubic", True, 256, 224, IMAGENET),) + odd, floor=True)
    compare("transformers' SigLIP over Pillow", processor(siglip.SiglipImageProcessorPil),
            (Way("SigLIP", "bicubic", True, 224, 224, HALF),), floor=True)
    compare("transformers' ViT over Pillow", processor(vit.ViTImageProcessorPil),
            (Way("ViT", "bilinear", True, 224, 224, HALF),), floor=True)
    compare("transformers' ConvNeXT over Pillow",
            convnext_processor(convnext.ConvNextImageProcessorPil),
            (Way("ResNet", "bicubic", False, 256, 224, IMAGENET),
             Way("odd crop", "bilinear", False, 31, 24, IMAGENET)), floor=True)
    # The factor is applied in float64 there.  Here it is in mean and std, and v / 255 - mean rounds
    # three numbers below 1 to float32.
    ROUNDING = 1.5e-7
    compare("transformers' CLIP over Pillow to rounding", processor(clip.CLIPImageProcessorPil),
            [Way("rescale_factor %.4g" % f, "bicubic", False, 31, 24, CLIP, f)
             for f in (1.0, 1 / 127.5, 1 / 256, 0.5)], floor=True, allowed=ROUNDING)

    # The backend over tensors resizes by PyTorch, not by Pillow: other bytes.  It is compared where
    # nothing is resized, and to rounding, because it multiplies mean and std by 255.
    def unresized(way):
        return [s for s in [(way.resize, way.resize + d) for d in range(9)]
                + [(way.resize + d, way.resize) for d in range(9)]]

    for name, kind in (("CLIP", clip_tv.CLIPImageProcessor), ("BiT", bit_tv.BitImageProcessor)):
        compare("transformers' %s over tensors" % name, processor(kind),
                (Way("odd crop", "bicubic", False, 31, 24, CLIP),
                 Way("odd surplus", "bicubic", False, 25, 24, IMAGENET)), floor=True,
                shapes=unresized, allowed=ROUNDING)
    compare("transformers' ConvNeXT over tensors",
            convnext_processor(convnext_tv.ConvNextImageProcessor),
            (Way("odd crop", "bicubic", False, 31, 24, IMAGENET),), floor=True, shapes=unresized,
            allowed=ROUNDING)

    # This one rescales first and resizes float32.  Its pixels below 1 are sums of three and more
    # rounded products in each pass.
    def dinov3_processor(way):
        made = dinov3_tv.DINOv3ViTImageProcessor(
            size={"height": way.resize, "width": way.resize} if way.squash else {
                "shortest_edge": way.resize},
            do_center_crop=way.crop != way.resize, crop_size={"height": way.crop,
                                                              "width": way.crop},
            resample=FILTERS[way.filter], image_mean=way.mean, image_std=way.std)
        return lambda image: made(image, return_tensors="np")["pixel_values"][0]

    compare("transformers' DINOv3ViT", dinov3_processor,
            [Way("DINOv3", "bilinear", True, 224, 224, IMAGENET),
             Way("DINOv3", "bicubic", True, 224, 224, IMAGENET),
             Way("DINOv3", "nearest", True, 37, 37, HALF),
             Way("DINOv3", "lanczos", True, 59, 59, CLIP),
             Way("odd crop", "bilinear", False, 31, 24, CLIP),
             Way("crop larger than the image", "bilinear", True, 40, 58, CLIP)], floor=True,
            allowed=2e-6, floats=True)

tool.stdin.close()
if tool.wait() != 0:
    failures += 1
    print("# resize_image failed")
print("1..%d" % tests)
sys.exit(1 if failures else 0)
