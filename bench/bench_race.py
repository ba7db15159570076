#!/usr/bin/env python3
"""Races the probe's softmax solver against its peers, each at its best.

usage: bench_race.py [--fit build/bench/fit_npy] [--features DIR] [--sizes few,clip] [-C 0.01,0.316,10]
                     [--rounds R] [--peers sklearn,intelex,torch,liblinear] [--out results/bench/race]

Features: clip, 50,000 x 512 that resemble CLIP's (bench_probe.py); few, 16 examples a class of
them; and a feature set of real features, --features DIR (features.npy, labels.npy), which is read
and never copied into the results.  100 classes, or as many as the set has.

Peers: scikit-learn's lbfgs and newton-cholesky, float32 and float64, one and two BLAS threads
(threadpoolctl); scikit-learn-intelex; PyTorch's L-BFGS (strong Wolfe, one batch, as CLIP's authors
recommend), float32; liblinear (its own objective, beside ovr).  A peer whose module is missing is
left out and named.  OPENBLAS_CORETYPE is unset for peers.

Every fit is a process of its own; all take turns, R rounds; medians of wall and processor seconds
of the fit alone.  Objectives are computed here in float64.  For each features and C: at which
factor of the fastest peer's wall time our fits reach the objective of that peer.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import bench_probe
from prose import wrap

PEER = """
import sys, time, json, numpy as np
folder, n, f, k, C, kind, dtype, threads = sys.argv[1:9]
n, f, k, C, threads = int(n), int(f), int(k), float(C), int(threads)
x = np.fromfile(folder + "/x.f4", "<f4").reshape(n, f).astype(dtype)
y = np.fromfile(folder + "/y.i8", "<i8")
if kind == "intelex":
    from sklearnex import patch_sklearn
    patch_sklearn(verbose=False)
if kind == "torch":
    import torch
    torch.set_num_threads(threads)
    X, Y = torch.from_numpy(x), torch.from_numpy(y)
    wall, cpu = time.perf_counter(), time.process_time()
    W = torch.zeros(k, f, requires_grad=True)
    b = torch.zeros(k, requires_grad=True)
    solver = torch.optim.LBFGS([W, b], max_iter=1000, history_size=10, tolerance_grad=1e-7,
                               tolerance_change=1e-9, line_search_fn="strong_wolfe")
    def closure():
        solver.zero_grad()
        loss = torch.nn.functional.cross_entropy(X @ W.T + b, Y) + 0.5 / (C * n) * (W * W).sum()
        loss.backward()
        return loss
    solver.step(closure)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    w, b = W.detach().numpy(), b.detach().numpy()
else:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits
    solver = "newton-cholesky" if kind == "newton-cholesky" else "lbfgs"
    with threadpool_limits(threads):
        wall, cpu = time.perf_counter(), time.process_time()
        model = LogisticRegression(C=C, solver=solver, max_iter=1000).fit(x, y)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    w, b = model.coef_, model.intercept_
np.asarray(w, "<f8").tofile(folder + "/w.f8")
np.asarray(b, "<f8").tofile(folder + "/b.f8")
print(json.dumps({"seconds": wall, "cpu": cpu}))
"""


def peers_of(names, width, classes):
    """(name, kind, dtype, threads, needed module)"""
    found = []
    for kind in ("lbfgs", "newton-cholesky"):
        if "sklearn" in names and (kind == "lbfgs" or width * classes <= 4000):
            # newton-cholesky builds the whole Hessian: (F K)^2 numbers
            found += [(f"scikit-learn {kind}, {d}, {t} thread{'s' * (t > 1)}", kind, d, t, "sklearn")
                      for d in ("float32", "float64") for t in (1, 2)]
    if "intelex" in names:
        found.append(("scikit-learn-intelex, float32, 2 threads", "intelex", "float32", 2, "sklearnex"))
    if "torch" in names:
        found += [(f"PyTorch L-BFGS, float32, {t} thread{'s' * (t > 1)}", "torch", "float32", t, "torch")
                  for t in (1, 2)]
    return found


def has(module):
    return subprocess.run([sys.executable, "-c", f"import {module}"], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def run_peer(folder, shape, C, kind, dtype, threads):
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PEER, folder, *map(str, shape),
                           repr(C), kind, dtype, str(threads)],
                          stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def run_ours(fit, folder, shape, C, solver, options):
    before = os.times()
    report = bench_probe.run([fit, folder, *map(str, shape), solver, repr(C), *options])
    after = os.times()
    return {"seconds": float(report["seconds"]),
            "cpu": after.children_user + after.children_system
            - before.children_user - before.children_system}


def race(fit, folder, shape, C, names, rounds):
    tasks = {}
    for tolerance in ("1e-2", "1e-3", "1e-4", "1e-6"):
        tasks[f"softmax, tol {tolerance}"] = ("softmax", True, lambda t=tolerance: run_ours(
            fit, folder, shape, C, "softmax", [f"tolerance={t}"]))
    for name, kind, dtype, threads, module in peers_of(names, shape[1], shape[2]):
        if has(module):
            tasks[name] = ("softmax", False, lambda a=(kind, dtype, threads): run_peer(
                folder, shape, C, *a))
        else:
            print(f"left out: {name}: no module {module}", file=sys.stderr)
    if "liblinear" in names:
        for tolerance in ("1e-2", "1e-6"):
            tasks[f"ovr, tol {tolerance}"] = ("ovr", True, lambda t=tolerance: run_ours(
                fit, folder, shape, C, "ovr", [f"tolerance={t}"]))
        tasks["liblinear"] = ("ovr", False, lambda: run_ours(fit, folder, shape, C, "liblinear", []))
    results = {}
    for turn in range(rounds):
        for name, (kind, ours, task) in tasks.items():
            report = task()
            r = results.setdefault(name, {"kind": kind, "ours": ours, "seconds": [], "cpu": []})
            r["seconds"].append(report["seconds"])
            r["cpu"].append(report["cpu"])
            print(f"round {turn + 1}: {name} {report['seconds']:.2f} s", file=sys.stderr, flush=True)
            if turn == 0:
                r["value"] = bench_probe.objective(folder, *shape, C, kind == "softmax")
    for r in results.values():
        best = min(o["value"] for o in results.values() if o["kind"] == r["kind"])
        r["above"] = r["value"] / best - 1
        r["wall"], r["processor"] = statistics.median(r["seconds"]), statistics.median(r["cpu"])
    return results


def lines_of(title, C, results):
    yield f"### {title}, C = {C:g}"
    yield ""
    yield "| fit | wall s | processor s | above the best |"
    yield "|---|---|---|---|"
    for name, r in results.items():
        yield f"| {name} | {r['wall']:.2f} | {r['processor']:.2f} | {r['above']:.1e} |"
    yield ""
    for kind in ("softmax", "ovr"):
        peers = [n for n, r in results.items() if r["kind"] == kind and not r["ours"]]
        if not peers:
            continue
        peer = min(peers, key=lambda n: results[n]["wall"])
        theirs = results[peer]
        reached = [r for r in results.values()
                   if r["kind"] == kind and r["ours"] and r["above"] <= theirs["above"]]
        if reached:
            ours = min(reached, key=lambda r: r["wall"])
            yield (f"- the objective of {peer}, the fastest of its kind ({theirs['above']:.1e} above "
                   f"the best): {theirs['wall'] / ours['wall']:.1f} times its wall time, "
                   f"{theirs['processor'] / max(ours['processor'], 1e-9):.1f} times its processor time")
    yield ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", default="build/bench/fit_npy")
    parser.add_argument("--features")
    parser.add_argument("--sizes", default="few,clip")
    parser.add_argument("-C", default="0.01,0.316,10")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="sklearn,intelex,torch,liblinear")
    parser.add_argument("--out")
    a = parser.parse_args()
    sets = []
    for size in filter(None, a.sizes.split(",")):
        sets.append({"clip": ("like CLIP's, 50,000 x 512", 50000, 512, 100),
                     "few": ("like CLIP's, 1,600 x 512", 1600, 512, 100)}[size])
    lines, everything = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for title, n, f, k in sets + ([("real", 0, 0, 0)] if a.features else []):
            if n > 0:
                bench_probe.write(folder, n, f, k)
            else:
                x = np.load(os.path.join(a.features, "features.npy")).astype("<f4")
                y = np.load(os.path.join(a.features, "labels.npy")).astype("<i8")
                x.tofile(os.path.join(folder, "x.f4"))
                y.tofile(os.path.join(folder, "y.i8"))
                (n, f), k = x.shape, int(y.max()) + 1
                title = f"real features, {n:,} x {f}"
            for C in map(float, a.C.split(",")):
                results = race(a.fit, folder, (n, f, k), C, a.peers.split(","), a.rounds)
                everything[f"{title}, C = {C:g}"] = results
                lines += lines_of(title, C, results)
    head = (f"Medians of {a.rounds} rounds; {len(os.sched_getaffinity(0))} cores, load "
            f"{os.getloadavg()[0]:.1f} at the end; {time.strftime('%Y-%m-%d')}")
    lines = [head, "", *lines]
    print("\n".join(lines))
    if a.out is not None:
        os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
        with open(a.out + ".json", "w", encoding="utf-8") as file:
            json.dump(everything, file, indent=1)
            file.write("\n")
        with open(a.out + ".md", "w", encoding="utf-8") as file:
            file.write("\n".join(wrap(lines)) + "\n")


if __name__ == "__main__":
    main()
