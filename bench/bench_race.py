#!/usr/bin/env python3
"""Races the dense solvers against their peers, each at its best.

usage: bench_race.py [--fit build/bench/fit_npy] [--features DIR] [--race SET=C,C...]...
                     [--rounds R] [--limit SECONDS] [--minutes M] [--out results/bench/race]

Sets: few, 16 examples a class of features that resemble CLIP's (bench_probe.py), 1,600 x 512; clip,
50,000 of them; real, the feature set --features DIR (features.npy, labels.npy), of which nothing is
copied into the results.  tiny, 1,000 x 16 and 5 classes, is for trials of this program.

Peers: scikit-learn's lbfgs and newton-cholesky, float32 and float64, one and two BLAS threads;
scikit-learn-intelex; PyTorch's L-BFGS (strong Wolfe, the whole set as one batch, as CLIP's authors
recommend it), with two tolerances; liblinear, whose objective is ovr's.  A peer whose module is
missing is left out and named, and so is newton-cholesky where its matrix of (K (F + 1))^2 numbers
has more than 4 GB.  OPENBLAS_CORETYPE is unset for peers.

Every fit is a process of its own; wall and processor seconds are those of the fit alone.  All take
turns; after the first round only the fastest peer of each objective and our fits go on.  A peer that
takes more than --limit seconds, or more than CUT times the fastest one so far and 5 s, is stopped,
and that is said.  The fastest peer's limit is --limit alone.  Objectives are computed here, in
float64.

Each measurement is appended to OUT.jsonl as it is made.  The same command goes on from there: what
is measured already, by the same program or the same versions, is not measured again.  --minutes
stops before a new measurement when the time is over.  OUT.md is written from what there is.
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata

import numpy as np

import bench_probe
from prose import wrap

SIZES = {"clip": (50000, 512, 100), "few": (1600, 512, 100), "tiny": (1000, 16, 5)}
TITLES = {"clip": "like CLIP's", "few": "like CLIP's, few rows", "tiny": "like CLIP's, a trial",
          "real": "real features"}
CUT = 1.5
OURS = ([("softmax", "softmax", t) for t in ("1e-2", "1e-3", "1e-4", "1e-6")]
        + [("ovr", "ovr", t) for t in ("1e-2", "1e-6")])

PEER = """
import sys, time, json, numpy as np
folder, n, f, k, C, kind, dtype, threads = sys.argv[1:9]
n, f, k, C, threads = int(n), int(f), int(k), float(C), int(threads)
x = np.fromfile(folder + "/x.f4", "<f4").reshape(n, f).astype(dtype)
y = np.fromfile(folder + "/y.i8", "<i8")
if kind == "intelex":
    from sklearnex import patch_sklearn
    patch_sklearn(verbose=False)
if kind.startswith("torch"):
    import torch
else:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits
print("ready", flush=True)
if kind.startswith("torch"):
    torch.set_num_threads(threads)
    X, Y = torch.from_numpy(x), torch.from_numpy(y)
    wall, cpu = time.perf_counter(), time.process_time()
    W = torch.zeros(k, f, requires_grad=True)
    b = torch.zeros(k, requires_grad=True)
    solver = torch.optim.LBFGS([W, b], max_iter=1000, history_size=10,
                               tolerance_change=1e-6 if kind == "torch-loose" else 1e-9,
                               line_search_fn="strong_wolfe")
    def closure():
        solver.zero_grad()
        loss = torch.nn.functional.cross_entropy(X @ W.T + b, Y) + 0.5 / (C * n) * (W * W).sum()
        loss.backward()
        return loss
    solver.step(closure)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    w, b = W.detach().numpy(), b.detach().numpy()
else:
    solver = "newton-cholesky" if kind == "newton-cholesky" else "lbfgs"
    with threadpool_limits(threads):
        wall, cpu = time.perf_counter(), time.process_time()
        model = LogisticRegression(C=C, solver=solver, max_iter=1000).fit(x, y)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    w, b = model.coef_, model.intercept_
np.asarray(w, "<f8").tofile(folder + "/w.f8")
np.asarray(b, "<f8").tofile(folder + "/b.f8")
print(json.dumps({"seconds": wall, "processor": cpu}))
"""


# ---- what can be measured -----------------------------------------------------------------------


def peers_of(shape):
    """(name, objective, kind, dtype, threads), the likely fastest first, and what is left out."""
    def version(package):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return None
    wanted = [("scikit-learn", "lbfgs", "lbfgs", d, t)
              for d in ("float32", "float64") for t in (1, 2)]
    wanted += [("scikit-learn", "newton-cholesky", "newton-cholesky", d, t)
               for d in ("float32", "float64") for t in (1, 2)]
    wanted += [("scikit-learn-intelex", "lbfgs", "intelex", d, 2) for d in ("float32", "float64")]
    wanted += [("torch", label, kind, "float32", t) for t in (1, 2) for label, kind in
               (("L-BFGS, tolerance 1e-6", "torch-loose"), ("L-BFGS, its tolerance", "torch"))]
    found, left_out = [], []
    gigabytes = (shape[2] * (shape[1] + 1)) ** 2 * 8e-9
    for package, label, kind, dtype, threads in wanted:
        if version(package) is None:
            left_out.append(f"{package} (no such module)")
        elif kind == "newton-cholesky" and gigabytes > 4:
            left_out.append(f"newton-cholesky (its matrix would have {gigabytes:.0f} GB)")
        else:
            name = f"{package} {version(package)} {label}, {dtype}, {threads} thread{'s' * (threads > 1)}"
            found.append((name, "softmax", kind, dtype, threads))
    found.append(("liblinear", "ovr", "liblinear", "float64", 1))
    return found, sorted(set(left_out))


def run_peer(command, folder, shape, C, peer, limit):
    _, _, kind, dtype, threads = peer
    if kind == "liblinear":
        return run_ours(command, folder, shape, C, "liblinear", [], limit)
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", PEER, folder, *map(str, shape),
                           repr(C), kind, dtype, str(threads)],
                          stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            while process.stdout.readline() not in ("ready\n", ""):
                pass  # what a library prints while it is loaded
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if process.returncode != 0:
        sys.exit(f"{kind}: exit status {process.returncode}")
    return json.loads(out.splitlines()[-1])


def run_ours(command, folder, shape, C, solver, options, limit):
    done = subprocess.run([command, folder, *map(str, shape), solver, repr(C), *options],
                          stdout=subprocess.PIPE, text=True, check=False, timeout=limit)
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: exit status {done.returncode}")
    report = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    return {"seconds": float(report["seconds"]), "processor": float(report["processor"])}


# ---- measurements, kept as they are made --------------------------------------------------------


class Measurements:
    def __init__(self, path, minutes):
        self.path, self.end = path, time.monotonic() + 60 * minutes
        self.rows = []
        if path is not None and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.rows = [json.loads(line) for line in file if line.endswith("\n")]

    def of(self, key):
        return [r for r in self.rows if r["key"] == key]

    def measure(self, key, turn, fit, objective, limit):
        """The measurement of this round, made if it is missing; None when the time is over."""
        known = self.of(key)
        ended = [r for r in known if "seconds" in r]
        if len(ended) > turn:
            return ended[turn]
        over = [r for r in known if "over" in r and r["over"] >= 0.999 * limit]
        if over:
            return over[-1]
        if time.monotonic() > self.end:
            return None
        try:
            row = {"key": key, **fit()}
            row["value"] = ended[0]["value"] if ended else objective()
        except subprocess.TimeoutExpired:
            row = {"key": key, "over": limit}
        row.update(load=os.getloadavg()[0], date=time.strftime("%Y-%m-%d"))
        self.rows.append(row)
        if self.path is not None:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        said = f"{row['seconds']:.2f} s" if "seconds" in row else f"stopped after {row['over']:.0f} s"
        print(f"round {turn + 1}: {' | '.join(map(str, key))}: {said}", file=sys.stderr, flush=True)
        return row


def file_digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def race(a, folder, shape, data, C, measurements):
    """name -> {objective, ours, rows}; whether all was measured."""
    program = file_digest(a.fit)
    results, complete = {}, True
    peers, left_out = peers_of(shape)
    fastest = {}  # of each objective: seconds
    for turn in range(a.rounds):
        for label, solver, tolerance in OURS:
            name = f"linprobe {label}, tolerance {tolerance}"
            row = measurements.measure(
                [data, C, name, program], turn,
                lambda s=solver, t=tolerance: run_ours(a.fit, folder, shape, C, s,
                                                       [f"tolerance={t}"], None),
                lambda s=solver: bench_probe.objective(folder, *shape, C, s == "softmax"), None)
            complete = complete and row is not None
            if row is not None:
                results.setdefault(name, {"objective": solver, "ours": True, "rows": []})["rows"] += [row]
        for peer in peers:
            name, kind = peer[0], peer[1]
            first = results.get(name, {"rows": [{}]})["rows"][0].get("seconds")
            if turn > 0 and (first is None or first > fastest[kind]):
                continue
            limit = a.limit
            if turn == 0 and kind in fastest:
                limit = min(limit, max(5, CUT * fastest[kind]))
            row = measurements.measure(
                [data, C, name, program if name == "liblinear" else ""], turn,
                lambda p=peer, l=limit: run_peer(a.fit, folder, shape, C, p, l),
                lambda o=kind: bench_probe.objective(folder, *shape, C, o == "softmax"), limit)
            complete = complete and row is not None
            if row is not None:
                results.setdefault(name, {"objective": kind, "ours": False, "rows": []})["rows"] += [row]
                if turn == 0 and "seconds" in row:
                    fastest[kind] = min(fastest.get(kind, row["seconds"]), row["seconds"])
    return results, left_out, complete


# ---- the page -----------------------------------------------------------------------------------


def finish(results):
    for r in results.values():
        done = [row for row in r["rows"] if "seconds" in row]
        if done:
            r["wall"] = statistics.median(row["seconds"] for row in done)
            r["processor"] = statistics.median(row["processor"] for row in done)
            r["value"], r["rounds"] = done[0]["value"], len(done)
        else:
            r["over"] = r["rows"][-1]["over"]
    for r in results.values():
        if "value" in r:
            best = min(o["value"] for o in results.values()
                       if "value" in o and o["objective"] == r["objective"])
            r["above"] = r["value"] / best - 1


def claims(results):
    """Of each objective: how our fits compare with the peer that ended first."""
    for kind in ("softmax", "ovr"):
        alike = {n: r for n, r in results.items() if r["objective"] == kind}
        ours = {n: r for n, r in alike.items() if r["ours"] and "wall" in r}
        ended = {n: r for n, r in alike.items() if not r["ours"] and "wall" in r}
        if ended:
            peer = min(ended, key=lambda n: ended[n]["wall"])
            theirs = ended[peer]
            reached = {n: r for n, r in ours.items() if r["above"] <= theirs["above"]}
            if reached:
                best = min(reached, key=lambda n: reached[n]["wall"])
                mine = reached[best]
                yield (f"- {kind}: {peer} ends first, {theirs['above']:.1e} above the best objective; "
                       f"{best} is as low in {mine['wall']:.3g} s: "
                       f"{theirs['wall'] / mine['wall']:.1f} times as fast by the clock, "
                       f"{theirs['processor'] / max(mine['processor'], 1e-9):.1f} times in processor "
                       "time")
            else:
                yield f"- {kind}: no fit of ours reaches the objective of {peer}"
        else:
            for peer, r in alike.items():
                if "over" in r and ours:
                    slowest = max(ours, key=lambda n: ours[n]["wall"])
                    yield (f"- {kind}: {peer} had not ended after {r['over']:.0f} s; {slowest} takes "
                           f"{ours[slowest]['wall']:.2f} s")


def lines_of(title, C, results, left_out):
    yield f"## {title}, C = {C:g}"
    yield ""
    yield "| fit | rounds | wall s | processor s | above the best |"
    yield "|---|---|---|---|---|"
    for name, r in results.items():
        if "wall" in r:
            yield (f"| {name} | {r['rounds']} | {r['wall']:.3g} | {r['processor']:.3g} | "
                   f"{r['above']:.1e} |")
        else:
            yield f"| {name} | 1 | stopped after {r['over']:.0f} | | |"
    yield ""
    yield from claims(results)
    if left_out:
        yield f"- left out: {'; '.join(left_out)}"
    yield ""


def make_set(name, features, folder):
    """Writes x.f4 and y.i8; the shape and a key of the data."""
    if name == "real":
        x = np.load(os.path.join(features, "features.npy")).astype("<f4")
        y = np.load(os.path.join(features, "labels.npy")).astype("<i8")
        x.tofile(os.path.join(folder, "x.f4"))
        y.tofile(os.path.join(folder, "y.i8"))
        shape = (*x.shape, int(y.max()) + 1)
    else:
        shape = SIZES[name]
        bench_probe.write(folder, *shape)
    return shape, f"{name} {file_digest(os.path.join(folder, 'x.f4'))}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", default="build/bench/fit_npy")
    parser.add_argument("--features")
    parser.add_argument("--race", action="append", metavar="SET=C,C...")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--out")
    a = parser.parse_args()
    races = a.race or (["few=0.01,0.316,10"] + ["real=0.01,0.316,10"] * bool(a.features)
                       + ["clip=0.316,10"])
    measurements = Measurements(a.out and a.out + ".jsonl", a.minutes)
    body, whole, used = [], True, []
    for text in races:
        name, values = text.split("=")
        if name == "real" and a.features is None:
            parser.error("--race real=... needs --features DIR")
        with tempfile.TemporaryDirectory() as folder:
            shape, data = make_set(name, a.features, folder)
            title = f"{TITLES[name]}, {shape[0]:,} x {shape[1]}, {shape[2]} classes"
            for C in map(float, values.split(",")):
                results, left_out, complete = race(a, folder, shape, data, C, measurements)
                whole = whole and complete
                used += [row for r in results.values() for row in r["rows"]]
                finish(results)
                body += lines_of(title, C, results, left_out)
    dates = sorted({row["date"] for row in used})
    loads = [row["load"] for row in used]
    lines = ["# The dense solvers beside their peers", "",
             f"Medians of up to {a.rounds} rounds, in which all take turns; wall and processor "
             f"seconds of the fit alone; {len(os.sched_getaffinity(0))} cores, load "
             f"{min(loads, default=0):.1f} to {max(loads, default=0):.1f}; "
             f"{' to '.join(sorted({dates[0], dates[-1]})) if dates else 'nothing measured'}. "
             f"A peer that took more than {CUT} times the fastest one's time (5 s at least, {a.limit:.0f} s at "
             "most) was stopped. bench/bench_race.py says what each peer is.", ""]
    if not whole:
        lines += ["**Not complete: the time was over. The same command goes on.**", ""]
    lines += body
    print("\n".join(lines))
    if a.out is not None:
        with open(a.out + ".md", "w", encoding="utf-8") as file:
            file.write("\n".join(wrap(lines)).rstrip() + "\n")


if __name__ == "__main__":
    main()
