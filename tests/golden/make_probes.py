#!/usr/bin/env python3
"""Makes tests/golden/probe: a small problem and what liblinear's own tools make of it.

usage: make_probes.py FOLDER

Made with liblinear-tools 2.3.0 (Debian 12), Python 3.11, scikit-learn 1.9.1.  The values are
multiples of 1/64, so text, float32 and float64 all hold them exactly.
    small.txt                 N F K, then N lines: label, F values
    liblinear-EPS-BIAS.model  liblinear-train -s 0 -c 0.316 -e EPS -B BIAS
    two-EPS-BIAS.model        the same on the examples of the first two classes
    softmax-C.optimum         K lines: F weights, intercept (their mean taken off), by scikit-learn's
                              newton-cholesky with tol 1e-14
    ovr-C.optimum             the same one-vs-rest, with a penalised bias of 1
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


from sklearn.linear_model import LogisticRegression  # noqa: E402

x = [r[1] for r in rows]
y = [r[0] for r in rows]
for C in (0.01, 0.316, 100.0):
    def newton(x, y, intercept):
        model = LogisticRegression(solver="newton-cholesky", C=C, tol=1e-14, max_iter=1000,
                                   fit_intercept=intercept).fit(x, y)
        return model.coef_.tolist(), model.intercept_.tolist()

    w, b = newton(x, y, True)
    mean = sum(b) / K
    with open(os.path.join(folder, f"softmax-{C:g}.optimum"), "w") as out:
        for k in range(K):
            print(*map(repr, w[k]), repr(b[k] - mean), file=out)
    with open(os.path.join(folder, f"ovr-{C:g}.optimum"), "w") as out:
        for k in range(K):
            w, _ = newton([row + [1.0] for row in x], [label == k for label in y], False)
            print(*map(repr, w[0]), file=out)
