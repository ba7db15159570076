#!/usr/bin/env python3
"""Times the probe's solvers beside their peers on features that resemble CLIP's.

usage: bench_probe.py [--program build/linprobe] [--fit build/bench/fit_npy] [--folder DIR]
                      [-n N] [-f F] [-k K] [-C C] [--rounds R] [--peers sklearn,liblinear]
                      [--sweep] [--out results/bench/probe] [--passes]

The features: x = offset + Q (s * (mean of class + noise)), Q a random rotation, s_j falling as
(1 + j)^-0.7 (a low effective rank), class means drawn in groups of five (superclasses) and falling
as (1 + j)^-0.5 against the noise, the offset's norm^2 60 against a total variance of the noise of
40; seeded.  At 50,000 x 512, K = 100, C = 0.316: about 87 % right in training, 75 % on new data.

Every fit is a process of its own, and all take turns, R rounds of them (the peers that take minutes,
liblinear and scikit-learn with a tolerance of 1e-6, run in the first only); medians are printed.  Objectives are computed here in float64 from
each one's coefficients.  Times are of the fit alone, without reading or writing; a sweep's is the
whole command's.  Memory is the process's peak.
  --sweep   also the 97 points of linprobe sweep --protocol grid, 1e-6 to 1e6, a tenth held out
  --out     writes OUT.json and OUT.md as well
  --passes  a few iterations only, and the time of a pass: for sizes whose whole fit takes too long
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from prose import wrap


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
    """Raw arrays for fit_npy, and the same again as a feature set for linprobe."""
    with open(os.path.join(folder, "x.f4"), "wb") as xs, \
            open(os.path.join(folder, "y.i8"), "wb") as ys:
        for y, x in features(n, f, k):
            x.tofile(xs)
            y.astype("<i8").tofile(ys)
    np.save(os.path.join(folder, "labels.npy"), np.fromfile(ys.name, "<i8"))
    np.save(os.path.join(folder, "features.npy"), np.memmap(xs.name, "<f4", shape=(n, f)))


def run(command):
    """What a process printed, "name value" a line, and its exit status."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: exit status {done.returncode}")
    report = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    return {name: value for name, value in report.items() if (name, value) != ("passes", "0")}


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
model = LogisticRegression(C=C, tol=float(sys.argv[5]), max_iter=1000).fit(x, y)
print("seconds", time.perf_counter() - start)
print("iterations", int(model.n_iter_[0]))
print("peak_mb", int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024)
model.coef_.astype("<f8").tofile(folder + "/w.f8")
model.intercept_.astype("<f8").tofile(folder + "/b.f8")
"""


def sweep(program, folder, tolerance):
    """A whole sweep, as run() would report a fit."""
    out = os.path.join(folder, "sweep")
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run([program, "sweep", folder, "--protocol", "grid", "--tol", tolerance, "--out", out],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - start
    with open(os.path.join(out, "sweep.json"), encoding="utf-8") as file:
        points = json.load(file)["points"]
    return {"seconds": seconds, "iterations": f"{len(points)} points",
            "passes": sum(p["passes"] for p in points)}


def time_passes(a, shape):
    """Seconds of one pass from fits of a few iterations, and of what comes before the first."""
    for solver in ("softmax", "ovr"):
        reports = [run([a.fit, *shape, solver, repr(a.C), f"iterations={count}"])
                   for count in (2, 8)]
        passes, seconds = ([float(r[name]) for r in reports] for name in ("passes", "seconds"))
        each = (seconds[1] - seconds[0]) / (passes[1] - passes[0])
        print(f"{solver:8} {each:7.2f} s a pass, {seconds[0] - passes[0] * each:6.1f} s before, "
              f"{float(reports[1]['peak_mb']):7.0f} MB at most, of them "
              f"{a.n * a.f * 4 / 2**20:.0f} MB features", flush=True)


def table(results, peers, a):
    """The results as Markdown, and what follows from them in words."""
    lines = ["| fit | seconds | iterations | passes | above the best | bound on the gap | peak MB |",
             "|---|---|---|---|---|---|---|"]
    for name, r in results.items():
        above = f"{r['above']:.1e}" if "above" in r else ""
        gap = f"{float(r['gap']):.1e}" if "gap" in r and "liblinear" not in name else ""
        peak = f"{float(r['peak_mb']):.0f}" if "peak_mb" in r else ""
        lines.append(f"| {name} | {r['seconds']:.2f} | {r['iterations']} | {r.get('passes') or ''} | "
                     f"{above} | {gap} | {peak} |")
    lines.append("")
    for peer in peers:
        theirs = results[peer]
        alike = [r for r in results if results[r].get("kind") == theirs["kind"] and r not in peers]
        for what, limit in ((f"{peer}'s objective", theirs["above"]), ("1e-8 above the best", 1e-8)):
            reached = [r for r in alike if results[r]["above"] <= limit]
            if reached:
                first = min(reached, key=lambda r: results[r]["seconds"])
                lines.append(f"- {what} is reached {theirs['seconds'] / results[first]['seconds']:.0f}"
                             f" times faster than {peer} ends, by {first}")
    for name in results:
        if name.startswith("sweep") and "scikit-learn" in results:
            share = results[name]["seconds"] / results["scikit-learn"]["seconds"]
            lines.append(f"- {name}: {share:.2f} of the time of scikit-learn's one fit")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/linprobe")
    parser.add_argument("--fit", default="build/bench/fit_npy")
    parser.add_argument("--folder")
    parser.add_argument("-n", type=int, default=50000)
    parser.add_argument("-f", type=int, default=512)
    parser.add_argument("-k", type=int, default=100)
    parser.add_argument("-C", type=float, default=0.316)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="sklearn,liblinear")
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("--passes", action="store_true")
    a = parser.parse_args()
    if a.folder is None:
        scratch = tempfile.TemporaryDirectory()
        a.folder = scratch.name
    os.makedirs(a.folder, exist_ok=True)
    write(a.folder, a.n, a.f, a.k)
    shape = [a.folder, str(a.n), str(a.f), str(a.k)]
    if a.passes:
        time_passes(a, shape)
        return

    def fit(solver, *options):
        return lambda: run([a.fit, *shape, solver, repr(a.C), *options])

    tasks = {}
    peers = []
    versions = {"numpy": np.__version__}
    if "sklearn" in a.peers:
        import sklearn
        versions["scikit-learn"] = sklearn.__version__
        for name, t in ("scikit-learn", "1e-4"), ("scikit-learn, tol 1e-6", "1e-6"):
            peers.append(name)
            tasks[name] = ("softmax", lambda t=t: run(
                [sys.executable, "-W", "ignore", "-c", SKLEARN, *shape[:3], repr(a.C), t]))
    for t in ("1e-2", "1e-3", "1e-4", "5e-5", "1e-6"):
        tasks[f"softmax, tol {t}"] = ("softmax", fit("softmax", f"tolerance={t}"))
    for t in ("1e-2", "1e-3", "1e-6"):
        tasks[f"ovr, tol {t}"] = ("ovr", fit("ovr", f"tolerance={t}"))
    if "liblinear" in a.peers:
        peers.append("liblinear")
        tasks["liblinear"] = ("ovr", fit("liblinear"))
    if a.sweep:
        for t in ("1e-2", "1e-3"):
            tasks[f"sweep, tol {t}"] = (None, lambda t=t: sweep(a.program, a.folder, t))
    results, seconds = {}, {}
    for turn in range(a.rounds):
        for name, (kind, task) in tasks.items():
            if turn > 0 and name in peers and name != "scikit-learn":
                continue
            report = task()
            seconds.setdefault(name, []).append(float(report["seconds"]))
            print(f"round {turn + 1}: {name} {seconds[name][-1]:.2f} s", file=sys.stderr, flush=True)
            if turn == 0:
                results[name] = {**report, "kind": kind}
                if kind is not None:
                    results[name]["value"] = objective(a.folder, a.n, a.f, a.k, a.C,
                                                       kind == "softmax")
    for name, r in results.items():
        r["seconds"] = statistics.median(seconds[name])
        r["all_seconds"] = seconds[name]
        if "value" in r:
            r["above"] = r["value"] / min(o["value"] for o in results.values()
                                          if o["kind"] == r["kind"]) - 1
    head = {"n": a.n, "f": a.f, "k": a.k, "C": a.C, "rounds": a.rounds, "versions": versions,
            "date": time.strftime("%Y-%m-%d"), "cores": len(os.sched_getaffinity(0)),
            "machine": platform.machine(), "load": os.getloadavg()[0]}
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [f"{a.n} x {a.f}, {a.k} classes, C = {a.C}; medians of {a.rounds} rounds; "
             f"{head['cores']} cores, load {head['load']:.1f} at the end; {said}; {head['date']}", "",
             *table(results, peers, a)]
    print("\n".join(lines))
    if a.out is not None:
        os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
        with open(a.out + ".json", "w", encoding="utf-8") as file:
            json.dump({**head, "results": results}, file, indent=1)
            file.write("\n")
        with open(a.out + ".md", "w", encoding="utf-8") as file:
            file.write("\n".join(wrap(lines)) + "\n")


if __name__ == "__main__":
    main()
