#!/usr/bin/env python3
"""Measures linprobe's solvers against scikit-learn and liblinear, interleaved in one run.

usage: bench_probe.py --linprobe PROGRAM --out FOLDER [--rounds 3] [--count 50000] [--width 512] [--classes 100]
                      [--skip-sweep]

The features are made, from a seed, to resemble those of an image encoder: a common offset, a covariance whose
eigenvalues fall as 1/i^1.4, and classes that overlap, five to a superclass.  Each objective is computed here in float64 from the weights
that each program returned.  A peer that is not installed is said to be missing.  FOLDER gets bench.json and
bench.md; times are medians over the rounds.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

C = 0.316


def make_features(n, f, k, seed):
    """Superclasses of five classes; falling spectrum; a common offset."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, f + 1) ** -0.7
    scale *= np.sqrt(40 / (scale**2).sum())
    spread = 1.1 * np.arange(1, f + 1) ** -0.5
    rotation = np.linalg.qr(rng.normal(size=(f, f)))[0]
    means = (rng.normal(size=(-(-k // 5), f))[np.arange(k) // 5] + rng.normal(size=(k, f))) * spread
    offset = rng.normal(size=f) * np.sqrt(60 / f)
    y = rng.integers(0, k, n)
    y[:k] = np.arange(k)
    x = np.empty((n, f), np.float32)
    for i in range(0, n, 10000):
        part = y[i : i + 10000]
        x[i : i + 10000] = ((means[part] + rng.normal(size=(len(part), f))) * scale) @ rotation.T + offset
    return x, y.astype(np.int64)


def softmax_objective(x, y, w, b):
    value = 0.5 * (w**2).sum()
    for i in range(0, len(x), 5000):
        z = x[i : i + 5000].astype(np.float64) @ w.T + b
        top = z.max(1, keepdims=True)
        value += C * (np.log(np.exp(z - top).sum(1)) + top[:, 0] - z[np.arange(len(z)), y[i : i + 5000]]).sum()
    return float(value)


def ovr_objective(x, y, w, b):
    value = 0.5 * ((w**2).sum() + (b**2).sum())
    for i in range(0, len(x), 5000):
        z = x[i : i + 5000].astype(np.float64) @ w.T + b
        signs = np.where(np.arange(w.shape[0])[None] == y[i : i + 5000, None], 1.0, -1.0)
        value += C * np.logaddexp(0, -signs * z).sum()
    return float(value)


def read_probe(path):
    data = open(path, "rb").read()
    size = int.from_bytes(data[8:16], "little")
    header = json.loads(data[16 : 16 + size])
    k, f = header["classes"], header["width"]
    values = np.frombuffer(data, "<f8", k * f + k, 16 + size)
    return values[: k * f].reshape(k, f), values[k * f :]


def measured(command):
    """Output and peak memory (MiB) of a command.  The kernel's own maximum (wait4) would count this process, from
    which it is forked, so the peak is read while it runs."""
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak = 0
    while run.poll() is None:
        try:
            status = open(f"/proc/{run.pid}/status").read()
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]))
        except (OSError, IndexError):
            pass
        time.sleep(0.02)
    if run.returncode not in (0, 3):
        raise RuntimeError(f"{command}: exit status {run.returncode}")
    return run.stdout.read(), peak // 1024


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.x, self.y = make_features(args.count, args.width, args.classes, 1)
        os.makedirs(folder + "/set")
        np.save(folder + "/set/features.npy", self.x)
        np.save(folder + "/set/labels.npy", self.y)
        self.runs = {}  # name -> list of {seconds, objective, peak_mib, ...}

    def add(self, name, seconds, objective, peak, **more):
        self.runs.setdefault(name, []).append(dict(seconds=seconds, objective=objective, peak_mib=peak, **more))
        print(f"{name}: {seconds:.2f} s, objective {objective:.8g}, {peak} MiB", flush=True)

    def ours(self, solver, tolerance):
        path = self.folder + "/a.probe"
        text, peak = measured([self.args.linprobe, "fit", self.folder + "/set", "--solver", solver, "-C", repr(C),
                               "--tol", repr(tolerance), "--out", path, "--format", "json"])
        report = json.loads(text)[0]
        objective = (softmax_objective if solver == "softmax" else ovr_objective)(self.x, self.y, *read_probe(path))
        self.add(f"linprobe {solver}, tol {tolerance:g}", report["seconds"], objective, peak,
                 iterations=report["iterations"], passes=report["passes"], gap=report["gap"])

    def sklearn(self):
        code = f"""
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from sklearn.linear_model import LogisticRegression
x, y = np.load(sys.argv[1] + "/set/features.npy"), np.load(sys.argv[1] + "/set/labels.npy")
start = time.time()
model = LogisticRegression(C={C}, max_iter=1000).fit(x, y)
seconds = time.time() - start
np.savez(sys.argv[1] + "/sklearn.npz", w=model.coef_.astype(float), b=model.intercept_.astype(float))
print(json.dumps([seconds, int(model.n_iter_[0])]))
"""
        text, peak = measured([sys.executable, "-c", code, self.folder])
        seconds, iterations = json.loads(text)
        saved = np.load(self.folder + "/sklearn.npz")
        self.add("scikit-learn LogisticRegression(C=0.316, max_iter=1000)", seconds,
                 softmax_objective(self.x, self.y, saved["w"], saved["b"]), peak, iterations=iterations)

    def liblinear(self):
        path = self.folder + "/b.probe"
        text, peak = measured([self.args.linprobe, "fit", self.folder + "/set", "--solver", "liblinear", "-C", repr(C),
                               "--out", path, "--format", "json"])
        report = json.loads(text)[0]
        self.add("liblinear (its library, classes over all cores, eps 0.01)", report["seconds"],
                 ovr_objective(self.x, self.y, *read_probe(path)), peak)

    def sweep(self):
        start = time.time()
        subprocess.run([self.args.linprobe, "sweep", self.folder + "/set", "--protocol", "grid", "--out", self.folder + "/sweep"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.add("linprobe sweep, 97 points, 10 % held out, refit", time.time() - start, float("nan"), 0)


def median(runs, key="seconds"):
    return statistics.median(run[key] for run in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--linprobe", required=True)
    parser.add_argument("--out", required=True)
    for option, default in (("--rounds", 3), ("--count", 50000), ("--width", 512), ("--classes", 100)):
        parser.add_argument(option, type=int, default=default)
    parser.add_argument("--skip-sweep", action="store_true")
    args = parser.parse_args()
    args.linprobe = os.path.abspath(args.linprobe)
    try:
        import sklearn

        versions = {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
    except ImportError:
        sklearn, versions = None, {"scikit-learn": "missing: not compared", "numpy": np.__version__}
    versions["linprobe"] = subprocess.run([args.linprobe, "--version"], capture_output=True, text=True).stdout.split()[-1]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        tolerances = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5)
        for _ in range(args.rounds):
            for tolerance in tolerances:
                bench.ours("softmax", tolerance)
            if sklearn:
                bench.sklearn()
            for tolerance in tolerances:
                bench.ours("ovr", tolerance)
            bench.liblinear()
            if not args.skip_sweep:
                bench.sweep()
    runs = bench.runs
    optimum = {s: min(r["objective"] for name in runs if name.startswith("linprobe " + s) or peer and peer in name for r in runs[name])
               for s, peer in (("softmax", "scikit-learn"), ("ovr", "liblinear"))}
    ratios = {}
    for solver, peer in (("softmax", "scikit-learn"), ("ovr", "liblinear (")):
        mine = [name for name in runs if name.startswith("linprobe " + solver)]
        theirs = [name for name in runs if name.startswith(peer)]
        best = optimum[solver]
        for name in theirs:
            target = median(runs[name], "objective")
            reached = [m for m in mine if median(runs[m], "objective") <= target]
            if reached:
                fastest = min(reached, key=lambda m: median(runs[m]))
                ratios[f"{solver}: to {peer.strip(' (')}'s objective"] = dict(
                    ours=median(runs[fastest]), theirs=median(runs[name]), ratio=median(runs[name]) / median(runs[fastest]), run=fastest)
            close = [m for m in mine if median(runs[m], "objective") <= best * (1 + 1e-8)]
            if close:
                fastest = min(close, key=lambda m: median(runs[m]))
                ratios[f"{solver}: to a relative gap of 1e-8"] = dict(
                    ours=median(runs[fastest]), theirs=median(runs[name]), ratio=median(runs[name]) / median(runs[fastest]), run=fastest)
    result = dict(
        size=[args.count, args.width, args.classes], C=C, rounds=args.rounds, processor=platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)), versions=versions, optimum=optimum, ratios=ratios,
        command=" ".join(["scripts/bench_probe.py"] + [a for a in sys.argv[1:] if "/" not in a]),
        runs={name: dict(median_seconds=median(r), objective=median(r, "objective"), peak_mib=max(x["peak_mib"] for x in r),
                         seconds=[round(x["seconds"], 3) for x in r]) for name, r in runs.items()})
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "probe.json"), "w") as f:
        json.dump(result, f, indent=2)
        f.write("\n")
    lines = [f"# Solvers: {args.count:,} x {args.width} features, {args.classes} classes, C = {C}", "",
             f"{args.rounds} interleaved rounds on {result['cores']} cores; medians. " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".", "",
             "| | seconds | gap to the best objective | peak MiB |", "|---|---:|---:|---:|"]
    for name, r in result["runs"].items():
        solver = "softmax" if "softmax" in name or "scikit" in name else "ovr"
        gap = "" if name.startswith("linprobe sweep") else f"{r['objective'] / optimum[solver] - 1:.1e}"
        lines.append(f"| {name} | {r['median_seconds']:.2f} | {gap} | {r['peak_mib'] or ''} |")
    lines += ["", "| | linprobe s | peer s | ratio |", "|---|---:|---:|---:|"]
    lines += [f"| {what} | {r['ours']:.2f} | {r['theirs']:.1f} | {r['ratio']:.0f} |" for what, r in ratios.items()]
    text = "\n".join(lines) + "\n"
    with open(os.path.join(args.out, "probe.md"), "w") as f:
        f.write(text)
    print(text)


if __name__ == "__main__":
    main()
