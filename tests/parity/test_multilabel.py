#!/usr/bin/env python3
"""Several labels an image through the command line: the classifiers against scikit-learn's, class by
class, and the average precision against the devkit's own loop (VOCevalcls.m)."""
import csv
import io
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Tap, np, save_set, skip_all

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
except ImportError as missing:
    skip_all(f"no {missing.name}")

tap = Tap()
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
N, F, K = 400, 24, 6


def linprobe(*words):
    run = subprocess.run([os.environ["LP_PROGRAM"], *map(str, words)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"linprobe {words}: {run.returncode}: {run.stderr}")
    return run.stdout


def marked(seed):
    """Features, and marks that follow them; some are -1."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, F)).astype(np.float32)
    truth = np.random.default_rng(1).normal(size=(F, K))
    marks = (x @ truth + 3 * rng.normal(size=(N, K)) > 2).astype(np.int8)
    marks[rng.random(size=(N, K)) < 0.1] = -1
    return x, marks


def devkit_precision(scores, gt):
    """VOCevalcls.m for the challenge of 2007, with gt 1, -1 and 0 for difficult; its comparison of
    recalls with 0, 0.1, ..., which rounding decides where they are equal, in whole numbers."""
    order = np.argsort(-scores, kind="stable")
    tp, fp = np.cumsum(gt[order] > 0), np.cumsum(gt[order] < 0)
    precision = tp / np.maximum(tp + fp, 1)
    return np.mean([np.max(precision[10 * tp >= t * np.sum(gt > 0)], initial=0) for t in range(11)])


def mean_precision(w, b, x, marks):
    """The mean of the classes' average precision."""
    scores = x.astype(np.float64) @ w.T + b
    gt = np.where(marks > 0, 1, np.where(marks < 0, 0, -1))
    return 100 * np.mean([devkit_precision(scores[:, k], gt[:, k]) for k in range(K)])


train, test = marked(2), marked(3)
for name, (x, marks) in (("train", train), ("test", test)):
    save_set(name, x, marks)

for solver in ("ovr", "liblinear"):
    linprobe("fit", "train", "--solver", solver, "-C", 0.3, "--tol", 1e-7, "--out", "p.probe")
    data = open("p.probe", "rb").read()
    size = struct.unpack("<Q", data[8:16])[0]
    header = json.loads(data[16:16 + size])
    values = np.frombuffer(data, "<f8", K * F + K, 16 + size)
    w, b = values[:K * F].reshape(K, F), values[K * F:]
    off = 0
    for k in range(K):
        rows = train[1][:, k] >= 0
        theirs = LogisticRegression(C=0.3, solver="liblinear", tol=1e-10, max_iter=10000).fit(
            train[0][rows].astype(np.float64), train[1][rows, k])
        off = max(off, np.abs(w[k] - theirs.coef_[0]).max(), abs(b[k] - theirs.intercept_[0]))
    # the penalised optimum is unique; both stop near it
    tap.check(off < 1e-4, f"{solver}: each class's weights are scikit-learn's (off by {off:.1e})")
    tap.check(header["meta"]["multilabel"] is True, f"{solver}: the file says so")

    scores = test[0].astype(np.float64) @ w.T + b
    rows = list(csv.DictReader(io.StringIO(
        linprobe("eval", "p.probe", "test", "--table", "classes", "--format", "csv"))))
    wrong = []
    precisions = []
    for k in range(K):
        gt = np.where(test[1][:, k] > 0, 1, np.where(test[1][:, k] < 0, 0, -1))
        precisions.append(100 * devkit_precision(scores[:, k], gt))
        auc = 100 * roc_auc_score(gt[gt != 0] > 0, scores[gt != 0, k])
        found = float(rows[k]["average_precision"]), float(rows[k]["roc_auc"])
        if abs(found[0] - precisions[-1]) > 1e-9 or abs(found[1] - auc) > 1e-9:
            wrong.append((k, found, precisions[-1], auc))
        if int(rows[k]["images"]) != np.sum(gt > 0) or int(rows[k]["left_out"]) != np.sum(gt == 0):
            wrong.append((k, rows[k]))
    tap.check(not wrong, f"{solver}: each class's precision is the devkit's {wrong[:2]}")
    summary = json.loads(linprobe("eval", "p.probe", "test", "--format", "json"))[0]
    tap.check(abs(summary["map_11"] - np.mean(precisions)) < 1e-9, f"{solver}: and so is the mean")

# C by the mean precision on a validation set: each point against scikit-learn's fits at that C
linprobe("sweep", "train", "--validation", "test", "--solver", "ovr", "--protocol", "grid", "--from", -3, "--to", 1,
         "--steps", 1, "--refit", "train", "--out", "swept")
with open("swept/sweep.json", encoding="utf-8") as file:
    sweep = json.load(file)
off, best = 0, (0, 0)
for point in sweep["points"]:
    w, b = np.zeros((K, F)), np.zeros(K)
    for k in range(K):
        rows = train[1][:, k] >= 0
        theirs = LogisticRegression(C=point["C"], solver="liblinear", tol=1e-10, max_iter=10000).fit(
            train[0][rows].astype(np.float64), train[1][rows, k])
        w[k], b[k] = theirs.coef_[0], theirs.intercept_[0]
    value = mean_precision(w, b, *test)
    if point["exact"]:
        off = max(off, abs(value - point["map_11"]))
    best = max(best, (value, -point["C"]))
# the order of two images may differ where their logits differ by less than the fits do
tap.check(off < 0.05, f"a sweep's points are scikit-learn's fits, by the devkit's measure (off by {off:.2e})")
tap.check(-best[1] == sweep["C"], f"and so is the choice (C = {sweep['C']})")
tap.end()
