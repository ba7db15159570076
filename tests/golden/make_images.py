#!/usr/bin/env python3
"""Makes golden/image/resize.txt and preprocess.txt with Pillow, torchvision and transformers.

usage: python3 tests/golden/make_images.py

The images are not stored: pixels(seed, n) below and in tests/unit/test_image.c make the same bytes.
A line of resize.txt:
    filter seed height width out_height out_width sha256-of-uint8[out_height, out_width, 3]
A line of preprocess.txt, with CLIP's mean and std:
    filter mode rule seed height width resize crop sha256-of-float32[3, crop, crop]
where mode is "keep" (the aspect ratio) or "squash", and rule is "round" (torchvision's transforms)
or "floor" (transformers' image processor over Pillow).
"""
import hashlib
import os
import platform

import PIL
from PIL import Image
import torch
import torchvision
from torchvision import transforms
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
# Odd numbers of lines, so that the second time round each is done with the other kind of pixels.
RESIZES = [(32, 32, n, n) for n in (224, 288, 336, 384, 448)] + [
    (1, 1, 1, 1), (1, 1, 7, 5), (1, 9, 4, 1), (9, 1, 1, 4), (2, 3, 7, 5), (7, 5, 3, 2),
    (33, 47, 224, 319), (331, 127, 61, 83), (127, 331, 83, 61), (90, 200, 131, 40),
    (40, 60, 40, 60), (40, 60, 40, 91), (40, 60, 17, 60), (500, 3, 2, 40)]
# On both sides of Pillow's rule for the order of the passes.
ORDERS = [(500, 375, 256, 256), (500, 375, 224, 224), (641, 320, 496, 248), (640, 320, 496, 248),
          (685, 320, 530, 248), (90, 60, 60, 60), (90, 60, 60, 61), (90, 60, 89, 59),
          (90, 60, 90, 61), (90, 60, 91, 63), (65, 40, 30, 23), (64, 40, 30, 23)]
TRANSFORMS = [(32, 32, n, n) for n in (224, 336)] + [
    (224, 224, 224, 224), (48, 31, 224, 224), (31, 48, 248, 224), (300, 227, 225, 224),
    (227, 301, 256, 224), (1, 1, 5, 2), (3, 64, 9, 9), (64, 3, 9, 4),
    (20, 20, 20, 17)]
# Squashed, and crops larger than the image on one axis or both.
MORE_TRANSFORMS = [("bicubic", "squash", 31, 48, 64, 64), ("bilinear", "squash", 300, 227, 224, 224),
                   ("lanczos", "squash", 48, 31, 37, 24), ("bicubic", "keep", 20, 31, 20, 27),
                   ("bicubic", "keep", 31, 20, 20, 27), ("bilinear", "keep", 40, 30, 20, 33),
                   ("lanczos", "keep", 33, 33, 19, 40), ("bilinear", "keep", 500, 375, 256, 224),
                   ("bilinear", "squash", 7, 90, 16, 21), ("lanczos", "keep", 41, 63, 40, 33),
                   ("bicubic", "squash", 500, 375, 256, 224), ("bicubic", "keep", 685, 320, 248, 224),
                   ("bilinear", "squash", 90, 60, 33, 20)]
# Surpluses of 0 to 3 mod 4 on both axes, and crops larger than the image by 1 to 4.
FLOORS = [("bicubic", "keep", 24, 24 + n, 24, 24) for n in range(8)] + [
    ("bicubic", "keep", 31 + n, 31, 31, 24) for n in range(4)] + [
    ("bilinear", "keep", 40, 30, 20, 20 + n) for n in (1, 2, 3, 4, 7, 8, 9)] + [
    ("lanczos", "squash", 48, 31, 37, 24), ("bicubic", "keep", 685, 320, 227, 224)]
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR,
           "lanczos": Image.Resampling.LANCZOS}


def pixels(seed, count):
    """The top bytes of a linear congruential sequence; odd seeds only black and white."""
    state, out = seed, bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        byte = state >> 24
        out.append((255 if byte >= 128 else 0) if seed % 2 else byte)
    return bytes(out)


def image(seed, h, w):
    return Image.frombytes("RGB", (w, h), pixels(seed, h * w * 3))


def torchvision_tensor(picture, how, mode, side, crop):
    resize = transforms.Resize((side, side) if mode == "squash" else side,
                               interpolation=transforms.InterpolationMode(how))
    return transforms.Compose([resize, transforms.CenterCrop(crop), transforms.ToTensor(),
                               transforms.Normalize(MEAN, STD)])(picture).numpy()


def transformers_tensor(picture, how, mode, side, crop):
    size = {"height": side, "width": side} if mode == "squash" else {"shortest_edge": side}
    processor = CLIPImageProcessorPil(size=size, resample=FILTERS[how], image_mean=MEAN,
                                      crop_size={"height": crop, "width": crop}, image_std=STD)
    return processor(picture, return_tensors="np")["pixel_values"][0]


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image")
    if int(PIL.__version__.split(".")[0]) < 13:
        raise SystemExit("Pillow 13 or newer is needed, for its order of the passes")
    head = "# tests/golden/make_images.py, Pillow %s, torch %s, torchvision %s, transformers %s, " \
           "Python %s, %s\n" % (PIL.__version__, torch.__version__, torchvision.__version__,
                                transformers.__version__, platform.python_version(),
                                platform.machine())
    with open(os.path.join(folder, "resize.txt"), "w") as f:
        f.write(head)
        jobs = [("bicubic",) + r for r in RESIZES * 2]
        jobs += [(name,) + r for name in ("bilinear", "lanczos") for r in RESIZES]
        jobs += [(name,) + r for name in FILTERS for r in ORDERS]
        for seed, (name, h, w, oh, ow) in enumerate(jobs):
            out = image(seed, h, w).resize((ow, oh), FILTERS[name]).tobytes()
            f.write("%s %d %d %d %d %d %s\n" % (name, seed, h, w, oh, ow,
                                               hashlib.sha256(out).hexdigest()))
    with open(os.path.join(folder, "preprocess.txt"), "w") as f:
        f.write(head)
        rounds = [("bicubic", "keep") + t for t in TRANSFORMS * 2] + MORE_TRANSFORMS
        jobs = [(torchvision_tensor, "round") + t for t in rounds]
        jobs += [(transformers_tensor, "floor") + t for t in FLOORS]
        for seed, (tensor, rule, name, mode, h, w, side, crop) in enumerate(jobs):
            out = tensor(image(seed, h, w), name, mode, side, crop).astype("<f4").tobytes()
            f.write("%s %s %s %d %d %d %d %d %s\n" % (name, mode, rule, seed, h, w, side, crop,
                                                    hashlib.sha256(out).hexdigest()))


if __name__ == "__main__":
    main()
