#!/usr/bin/env python3
"""The sweep's choice against the protocol written again, with scikit-learn's fits on the same split."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Tap, np, problem, save_set, shuffled_classes, skip_all

try:
    import sklearn
    from sklearn.linear_model import LogisticRegression
except ImportError as missing:
    skip_all(f"no {missing.name}")

N, F, K, SEED = 900, 12, 5, 3
tap = Tap()
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
x, y = problem(N, F, K, 11)
x *= 0.2  # so that the best C lies inside the range
save_set("train", x[:600], y[:600])
save_set("validation", x[600:], y[600:])


def linprobe(*words):
    run = subprocess.run([os.environ["LP_PROGRAM"], "sweep", "train", "--tol", "1e-9", *words],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"linprobe sweep {words}: {run.returncode}: {run.stderr}")
    with open(f"{words[words.index('--out') + 1]}/sweep.json") as file:
        return json.load(file)


class Counter:
    """Correct validation predictions at point i of the grid, each fitted once."""

    def __init__(self, splits, low, steps):
        self.splits, self.low, self.steps, self.known = splits, low, steps, {}

    def __call__(self, i):
        if i not in self.known:
            self.known[i] = 0
            for fit, check in self.splits:
                model = LogisticRegression(C=10 ** (self.low + i / self.steps), tol=1e-13,
                                           solver="newton-cholesky", max_iter=1000)
                model.fit(fit[0].astype(float), fit[1])
                self.known[i] += int((model.predict(check[0].astype(float)) == check[1]).sum())
        return self.known[i]


def search(counter, low, high):
    """arXiv 2103.00020, A.3: every second decade, then half the step round the best so far."""
    last, step = (high - low) * counter.steps, 2 * counter.steps
    for i in range(0, last + 1, step):
        counter(i)
    while step > 1:
        step //= 2
        best = min(counter.known, key=lambda i: (-counter.known[i], i))
        for i in (best - step, best + step):
            if 0 <= i <= last:
                counter(i)


def compare(name, found, counter):
    expected = sorted(counter.known)
    indices = [round((np.log10(p["C"]) - counter.low) * counter.steps) for p in found["points"]]
    tap.check(indices == expected, f"{name}: the same {len(expected)} points")
    known = [(p, counter.known[i]) for p, i in zip(found["points"], expected)]
    tap.check(all(p["correct"] == n for p, n in known if p["exact"]),
              f"{name}: as many correct at each exact point")
    most = max(n for p, n in known)
    tap.check(all(n < most for p, n in known if not p["exact"]),
              f"{name}: no other is the best ({sum(not p['exact'] for p, n in known)} of them)")
    best = min(expected, key=lambda i: (-counter.known[i], i))
    chosen = [i for i, p in zip(indices, found["points"]) if p["chosen"]]
    tap.check(chosen == [best], f"{name}: the same C chosen, {10 ** (counter.low + best / counter.steps):.3g}")


train = x[:600], y[:600]
given = [(train, (x[600:], y[600:]))]
counter = Counter(given, -6, 8)
search(counter, -6, 6)
compare("search, validation given", linprobe("--validation", "validation", "--out", "a"), counter)

held = np.zeros(600, bool)
for rows in shuffled_classes(y[:600], K, SEED):
    held[rows[:min(max(1, int(np.floor(0.2 * len(rows) + 0.5))), len(rows) - 1)]] = True
own = [((x[:600][~held], y[:600][~held]), (x[:600][held], y[:600][held]))]
counter = Counter(own, -4, 4)
search(counter, -4, 4)
compare("search, a fifth held out",
        linprobe("--hold-out", "0.2", "--seed", str(SEED), "--from", "-4", "--to", "4", "--steps", "4",
                 "--out", "b"), counter)

order = np.concatenate(shuffled_classes(y[:600], K, SEED))
fold = np.empty(600, int)
fold[order] = np.arange(600) % 3
folds = [((x[:600][fold != f], y[:600][fold != f]), (x[:600][fold == f], y[:600][fold == f]))
         for f in range(3)]
counter = Counter(folds, -2, 2)
for i in range(9):
    counter(i)
compare("grid, three folds",
        linprobe("--protocol", "grid", "--folds", "3", "--seed", str(SEED), "--from", "-2", "--to", "2",
                 "--steps", "2", "--out", "c"), counter)
# Few-shot: each draw is a training set of its own, with folds of its own.
found = json.loads(subprocess.run(
    [os.environ["LP_PROGRAM"], "fewshot", "train", "validation", "--sweep", "--shots", "4,12", "--draws", "3", "--seed",
     str(SEED), "--tol", "1e-9", "--format", "json"], capture_output=True, text=True, check=True).stdout)
for draw in found["draws"]:
    m, seed = draw["shots"], draw["seed"]
    rows = np.sort(np.concatenate([each[:m] for each in shuffled_classes(y[:600], K, seed)]))
    few, labels = x[rows], y[rows]
    fold = np.empty(len(rows), int)
    fold[np.concatenate(shuffled_classes(labels, K, seed))] = np.arange(len(rows)) % 4
    counter = Counter([((few[fold != f], labels[fold != f]), (few[fold == f], labels[fold == f]))
                       for f in range(4)], -6, 8)
    search(counter, -6, 6)
    C = 10 ** (-6 + min(counter.known, key=lambda i: (-counter.known[i], i)) / 8)
    model = LogisticRegression(C=C, tol=1e-13, solver="newton-cholesky", max_iter=1000)
    right = int((model.fit(few.astype(float), labels).predict(x[600:].astype(float)) == y[600:]).sum())
    tap.check(abs(draw["C"] / C - 1) < 1e-9 and draw["correct"] == right,
              f"few-shot, {m} a class, seed {seed}: C = {C:.3g}, {right} correct")
print(f"# scikit-learn {sklearn.__version__}, NumPy {np.__version__}")
tap.end()
