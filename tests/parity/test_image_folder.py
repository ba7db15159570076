#!/usr/bin/env python3
"""Folders of images against live torchvision: classes, order, labels and pixels of ImageFolder."""
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    from PIL import Image
    from torchvision.datasets import ImageFolder
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)

warnings.simplefilter("ignore")
pick = random.Random(3)
rng = np.random.default_rng(3)
tests = failures = 0
WORDS = ("a", "b", "B", "a b", "a-b", "a.b", "é", "花", "Z", "10", "9", "ab", "á")


def check(name, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", tests, name))
    for line in wrong[:5]:
        print("# " + line)


def write_image(path):
    mode = pick.choice(("RGB", "L", "CMYK" if path.suffix.lower() != ".png" else "RGBA"))
    bands = {"RGB": 3, "L": 1, "CMYK": 4, "RGBA": 4}[mode]
    array = rng.integers(0, 256, (pick.randint(1, 40), pick.randint(1, 40), bands), np.uint8)
    image = Image.fromarray(array[..., 0] if bands == 1 else array, mode)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")


def found(root, split):
    done = subprocess.run([os.path.join(os.environ["LP_TESTS"], "dump_dataset"), root, split,
                           "fine"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()


def expected(folder):
    data = ImageFolder(str(folder))
    images, lines = hashlib.sha256(), hashlib.sha256()
    for i, (path, label) in enumerate(data.samples):
        images.update(np.asarray(data[i][0]).tobytes())
        with open(path, "rb") as f:
            lines.update(b"%s  %d %s\0" % (hashlib.sha256(f.read()).hexdigest().encode(), label,
                                           os.path.relpath(path, folder).encode()))
    return {"labels": [s[1] for s in data.samples], "classes": data.classes,
            "images": images.hexdigest(), "digest": lines.hexdigest(), "skipped": []}


with tempfile.TemporaryDirectory() as top:
    for number in range(6):
        root = pathlib.Path(top) / ("set%d" % number)
        classes = pick.sample(WORDS, pick.randint(2, 6))
        for name in classes:
            for split in ("train", "test"):
                for _ in range(pick.randint(1, 12)):
                    below = pick.sample(WORDS, pick.choice((0, 0, 1, 2)))
                    write_image(root.joinpath(split, name, *below, pick.choice(WORDS)
                                              + pick.choice((".png", ".jpg", ".jpeg", ".JPG"))))
                (root / split / name / "notes.txt").write_text("not an image")
        wrong = []
        for split in ("train", "test"):
            want, got = expected(root / split), found(str(root), split)
            if isinstance(got, str):
                wrong.append(got)
            else:
                wrong += ["%s %s: expected %s, found %s" % (split, key, value, got[key])
                          for key, value in want.items() if got[key] != value]
        check("a folder of %d classes equals ImageFolder" % len(classes), wrong)
print("1..%d" % tests)
sys.exit(1 if failures else 0)
