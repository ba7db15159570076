#!/usr/bin/env python3
"""Times the probe's solvers beside their peers on features that resemble CLIP's.

usage: bench_probe.py [--program build/tests/fit_npy] [--folder DIR] [-n N] [-f F] [-k K] [-C C]
                      [--rounds R] [--peers sklearn,liblinear] [--passes]

The features: x = offset + Q (s * (mean of class + noise)), Q a random rotation, s_j falling as
(1 + j)^-0.7 (a low effective rank), class means drawn in groups of five (superclasses) and falling
as (1 + j)^-0.5 against the noise, the offset's norm^2 60 against a total variance of the noise of
40; seeded.  At 50,000 x 512, K = 100, C = 0.316: about 87 % right in training, 75 % on new data.

Every fit is a process of its own, and the fits take turns, R rounds of them (peers run in the first
only); medians are printed.  Objectives are computed here in float64 from each one's coefficients.
Times are of the fit alone, without reading or writing; memory is the process's peak.
  --passes  a few iterations only, and the time of one: for sizes whose whole fit takes too long
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np


def features(n, f, k, seed=0):
    rng = np.random.default_rng(seed)
    s = (1.0 + np.arange(f)) ** -0.7
    s *= np.sqrt(40 / np.sum(s ** 2))
    rotation, _ = np.linalg.qr(rng.normal(size=(f, f)))
    fall = 1.1 * (1.0 + np.arange(f)) ** -0.5
    groups = -(-k // 5)
    means = (rng.normal(size=(groups, f))[np.arange(k) // 5] + rng.normal(size=(k, f))) * fall
    offset = rng.normal(size=f) * np.sqrt(60 / f)
    y = rng.integers(0, k, n)
    y[:k] = np.arange(k)
    turn = (s[:, None] * rotation.T)
    for first in range(0, n, 50000):
        rows = y[first:first + 50000]
        yield rows, ((means[rows] + rng.normal(size=(len(rows), f))) @ turn + offset).astype("<f4")


def write(folder, n, f, k):
    with open(os.path.join(folder, "x.f4"), "wb") as xs, \
            open(os.path.join(folder, "y.i8"), "wb") as ys:
        for y, x in features(n, f, k):
            x.tofile(xs)
            y.astype("<i8").tofile(ys)


def run(command):
    """Output, exit status and peak memory in MB of a process."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return out.read(), child.returncode, usage.ru_maxrss / 1024


def objective(folder, n, f, k, C, softmax):
    x = np.fromfile(os.path.join(folder, "x.f4"), "<f4").reshape(n, f)
    y = np.fromfile(os.path.join(folder, "y.i8"), "<i8")
    w = np.fromfile(os.path.join(folder, "w.f8"), "<f8").reshape(k, f)
    b = np.fromfile(os.path.join(folder, "b.f8"), "<f8")
    total = 0.5 * (w * w).sum() + (0 if softmax else 0.5 * (b * b).sum())
    for first in range(0, n, 10000):
        rows = y[first:first + 10000]
        z = x[first:first + 10000].astype(np.float64) @ w.T + b
        own = z[np.arange(len(rows)), rows]
        if softmax:
            top = z.max(1)
            total += C * (np.log(np.exp(z - top[:, None]).sum(1)) + top - own).sum()
        else:
            total += C * (np.logaddexp(0, z).sum() - own.sum())
    return total


SKLEARN = """
import sys, time, numpy as np
from sklearn.linear_model import LogisticRegression
folder, n, f, C = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
x = np.fromfile(folder + "/x.f4", "<f4").reshape(n, f).astype(np.float64)  # as before version 1.9
y = np.fromfile(folder + "/y.i8", "<i8")
start = time.perf_counter()
model = LogisticRegression(C=C, max_iter=1000).fit(x, y)
print("seconds", time.perf_counter() - start)
print("iterations", int(model.n_iter_[0]))
model.coef_.astype("<f8").tofile(folder + "/w.f8")
model.intercept_.astype("<f8").tofile(folder + "/b.f8")
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/tests/fit_npy")
    parser.add_argument("--folder")
    parser.add_argument("-n", type=int, default=50000)
    parser.add_argument("-f", type=int, default=512)
    parser.add_argument("-k", type=int, default=100)
    parser.add_argument("-C", type=float, default=0.316)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="sklearn,liblinear")
    parser.add_argument("--passes", action="store_true")
    a = parser.parse_args()
    if a.folder is None:
        scratch = tempfile.TemporaryDirectory()
        a.folder = scratch.name
    os.makedirs(a.folder, exist_ok=True)
    write(a.folder, a.n, a.f, a.k)
    shape = [a.folder, str(a.n), str(a.f), str(a.k)]

    def ours(solver, *options):
        return [a.program, *shape, solver, repr(a.C), *options]

    if a.passes:
        for solver in ("softmax", "ovr"):
            for count in (2, 6):
                out, _, memory = run(ours(solver, f"iterations={count}"))
                report = dict(line.split(" ", 1) for line in out.splitlines())
                print(f"{solver:8} {report['passes']:>3} passes {report['seconds']:>12} s "
                      f"{memory:8.0f} MB", flush=True)
        return
    fits = [(f"softmax {t}", True, ours("softmax", f"tolerance={t}"))
            for t in ("1e-3", "1e-4", "1e-5", "1e-6")]
    fits += [(f"ovr {t}", False, ours("ovr", f"tolerance={t}"))
             for t in ("1e-2", "1e-3", "1e-4", "1e-6")]
    peers = []
    if "sklearn" in a.peers:
        peers.append(("scikit-learn lbfgs", True,
                      [sys.executable, "-W", "ignore", "-c", SKLEARN, *shape[:3], repr(a.C)]))
    if "liblinear" in a.peers:
        peers.append(("liblinear, 1 thread", False, ours("liblinear", "threads=1")))
    times, memories, values, reports = {}, {}, {}, {}
    for turn in range(a.rounds):
        for name, softmax, command in fits + (peers if turn == 0 else []):
            out, status, memory = run(command)
            if status not in (0, 3):
                sys.exit(f"{name}: exit status {status}")
            report = dict(line.split(" ", 1) for line in out.splitlines())
            times.setdefault(name, []).append(float(report["seconds"]))
            memories[name] = memory
            reports[name] = report
            if turn == 0:
                values[name] = objective(a.folder, a.n, a.f, a.k, a.C, softmax)
    print(f"N={a.n} F={a.f} K={a.k} C={a.C}, {time.strftime('%Y-%m-%d')}, medians of {a.rounds}, "
          f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':20} {'seconds':>9} {'iterations':>10} {'passes':>6} {'above best':>10} "
          f"{'gap bound':>9} {'MB':>6}")
    for name, softmax, _ in peers + fits:
        best = min(values[other] for other, kind, _ in peers + fits if kind == softmax)
        report = reports[name]
        print(f"{name:20} {statistics.median(times[name]):9.2f} {report['iterations']:>10} "
              f"{report.get('passes', ''):>6} {values[name] / best - 1:10.1e} "
              f"{report.get('gap', '')[:4] + report.get('gap', '')[-4:]:>9} {memories[name]:6.0f}")
    for name, softmax, _ in peers:
        reached = [other for other, kind, _ in fits
                   if kind == softmax and values[other] <= values[name]]
        if reached:
            ratio = statistics.median(times[name]) / statistics.median(times[reached[0]])
            print(f"{name}'s objective is reached {ratio:.0f} times faster by '{reached[0]}'")


main()
