"""What the probe's parity tests share."""
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

FIT = os.path.join(os.environ["LP_TESTS"], "fit_npy")


def problem(n, f, k, seed, scale=1.0):
    """Overlapping Gaussian clouds with an offset; every class occurs."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
    means = rng.normal(size=(k, f))
    x = (means[y] + rng.normal(size=(n, f)) + 0.5) * scale
    return x.astype(np.float32), y.astype(np.int64)


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
