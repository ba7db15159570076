"""What the probe's parity tests share."""
import json
import os
import subprocess
import sys
import tempfile


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


try:
    import numpy as np
except ImportError:
    skip_all("no NumPy")

FIT = os.path.join(os.environ["LP_TESTS"], "..", "bench", "fit_npy")


def problem(n, f, k, seed, scale=1.0):
    """Overlapping Gaussian clouds with an offset; every class occurs."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    means = rng.normal(size=(k, f))
    x = (means[y] + rng.normal(size=(n, f)) + 0.5) * scale
    return x.astype(np.float32), y.astype(np.int64)


def save_set(path, x, y, **data):
    os.makedirs(path, exist_ok=True)
    np.save(f"{path}/features.npy", x)
    np.save(f"{path}/labels.npy", y)
    if data:
        with open(f"{path}/meta.json", "w") as out:
            json.dump({"data": data}, out)


class Xoshiro:
    """xoshiro256**, seeded by splitmix64."""
    MASK = (1 << 64) - 1

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = seed + 0x9E3779B97F4A7C15 & self.MASK
            z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & self.MASK
            z = (z ^ z >> 27) * 0x94D049BB133111EB & self.MASK
            self.s.append(z ^ z >> 31)

    def turn(self, v, by):
        return (v << by | v >> 64 - by) & self.MASK

    def below(self, bound):
        s = self.s
        value = self.turn(s[1] * 5 & self.MASK, 7) * 9 & self.MASK
        t = s[1] << 17 & self.MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = self.turn(s[3], 45)
        return value % bound


def shuffled_classes(y, k, seed):
    """The rows of each class in the order of docs/NUMERICS.md's seeded draws."""
    random, classes = Xoshiro(seed), []
    for c in range(k):
        own = np.flatnonzero(y == c).tolist()
        for i in range(len(own), 1, -1):
            j = random.below(i)
            own[i - 1], own[j] = own[j], own[i - 1]
        classes.append(own)
    return classes


class Fit:
    """A fit by the library: w [K, F], b [K], predicted [N], report."""

    def __init__(self, x, y, k, solver, C, **options):
        n, f = x.shape
        with tempfile.TemporaryDirectory() as folder:
            np.ascontiguousarray(x, "<f4").tofile(os.path.join(folder, "x.f4"))
            np.ascontiguousarray(y, "<i8").tofile(os.path.join(folder, "y.i8"))
            run = subprocess.run([FIT, folder, str(n), str(f), str(k), solver, repr(C)]
                                 + [f"{name}={value!r}" for name, value in options.items()],
                                 capture_output=True, text=True)
            if run.returncode not in (0, 3):
                raise RuntimeError(f"fit_npy: {run.returncode}: {run.stderr}")
            self.w = np.fromfile(os.path.join(folder, "w.f8"), "<f8").reshape(k, f)
            self.b = np.fromfile(os.path.join(folder, "b.f8"), "<f8")
            self.predicted = np.fromfile(os.path.join(folder, "predicted.i8"), "<i8")
        self.report = dict(line.split(" ", 1) for line in run.stdout.splitlines())
        self.converged = self.report["converged"] == "1"
        self.objective = float(self.report["objective"])
        self.gap = float(self.report["gap"])


def liblinear_train(x, y, k, C, eps, bias):
    """w [K, F] and b [K] by liblinear-train, predictions [N] by liblinear-predict."""
    with tempfile.TemporaryDirectory() as folder:
        data, model, out = (os.path.join(folder, name) for name in ("data", "model", "out"))
        with open(data, "w") as text:
            for label, row in zip(y, x.astype(np.float64)):
                print(label, *(f"{j + 1}:{v!r}" for j, v in enumerate(row.tolist())), file=text)
        subprocess.run(["liblinear-train", "-q", "-s", "0", "-c", repr(C), "-e", repr(eps),
                        "-B", repr(bias), data, model], check=True)
        subprocess.run(["liblinear-predict", data, model, out], check=True,
                       stdout=subprocess.DEVNULL)
        predicted = np.loadtxt(out, dtype=np.int64)
        with open(model) as text:
            lines = text.read().splitlines()
    labels = [int(v) for v in next(l for l in lines if l.startswith("label")).split()[1:]]
    rows = np.array([[float(v) for v in l.split()] for l in lines[lines.index("w") + 1:]])
    if k == 2:
        rows = np.hstack([rows, -rows])
    w, b = np.zeros((k, x.shape[1])), np.zeros(k)
    for column, label in enumerate(labels):
        w[label] = rows[:x.shape[1], column]
        b[label] = rows[x.shape[1], column] * bias if bias >= 0 else 0
    return w, b, predicted


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, what):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)

    def skip(self, what, reason):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {reason}")

    def end(self):
        print(f"1..{self.count}")
        sys.exit(self.failed != 0)
