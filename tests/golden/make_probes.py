#!/usr/bin/env python3
"""Makes tests/golden/probe: a small problem and what liblinear's own tools make of it.

usage: make_probes.py FOLDER

Made with liblinear-tools 2.3.0 (Debian 12), Python 3.11, NumPy 2.x.  The values are multiples of
1/64, so text, float32 and float64 all hold them exactly.
    small.txt                 N F K, then N lines: label, F values
    liblinear-EPS-BIAS.model  liblinear-train -s 0 -c 0.316 -e EPS -B BIAS
    two-EPS-BIAS.model        the same on the examples of the first two classes
"""
import os
import random
import subprocess
import sys
import tempfile

N, F, K = 90, 6, 4
folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
rng = random.Random(20210226)
means = [[rng.gauss(0, 1) for _ in range(F)] for _ in range(K)]
rows = []
for i in range(N):
    label = rng.choice([0, 0, 1, 1, 1, 2, 3])
    x = [round(64 * (rng.gauss(m, 1) + 0.5)) / 64 for m in means[label]]
    rows.append((label, x))
with open(os.path.join(folder, "small.txt"), "w") as out:
    print(N, F, K, file=out)
    for label, x in rows:
        print(label, *(repr(v) for v in x), file=out)


def train(name, examples, eps, bias):
    with tempfile.TemporaryDirectory() as scratch:
        text = os.path.join(scratch, "train.txt")
        with open(text, "w") as out:
            for label, x in examples:
                print(label, *(f"{j + 1}:{v!r}" for j, v in enumerate(x)), file=out)
        subprocess.run(["liblinear-train", "-q", "-s", "0", "-c", "0.316", "-e", eps, "-B", bias,
                        text, os.path.join(folder, f"{name}-{eps}-{bias}.model")], check=True)


for eps, bias in (("0.01", "1"), ("1e-5", "1"), ("0.01", "-1"), ("0.01", "0.25")):
    train("liblinear", rows, eps, bias)
train("two", [r for r in rows if r[0] < 2], "0.01", "1")
