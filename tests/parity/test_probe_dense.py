#!/usr/bin/env python3
"""The dense solvers against scikit-learn's Newton solver, far below its default tolerance, and
against liblinear-train: objectives within 1e-8 of the best known, coefficients to 1e-4,
predictions equal except for ties; over odd shapes and scales, and C from 1e-6 to 1e6."""
import os
import shutil
import sys
import warnings

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Fit, Tap, liblinear_train, np, problem, skip_all

try:
    from sklearn.linear_model import LogisticRegression
except ImportError:
    skip_all("no scikit-learn")
warnings.filterwarnings("ignore")
tap = Tap()


def softmax_objective(w, b, x, y, C):
    z = x @ w.T + b
    top = z.max(1)
    loss = top + np.log(np.exp(z - top[:, None]).sum(1)) - z[np.arange(len(y)), y]
    return 0.5 * (w * w).sum() + C * loss.sum()


def ovr_objective(w, b, x, y, C, bias):
    total = 0
    for k in range(len(b)):
        t = b[k] / bias if bias > 0 else 0
        margin = np.where(y == k, 1, -1) * (x @ w[k] + b[k])
        total += 0.5 * (w[k] @ w[k] + t * t) + C * np.logaddexp(0, -margin).sum()
    return total


def newton(x, y, C, intercept):
    """scikit-learn's optimum: coef [K or 1, F], intercept."""
    model = LogisticRegression(solver="newton-cholesky", C=C, tol=1e-13, max_iter=1000,
                               fit_intercept=intercept).fit(x, y)
    return model.coef_, model.intercept_


def best_softmax(x, y, k, C):
    if k == 2:  # one weight vector for two classes: a row is half of it
        w, b = newton(x, y, C, True)
        return np.vstack([-w, w]) / 2, np.array([-b[0], b[0]]) / 2
    w, b = newton(x, y, C, True)
    return w, b - b.mean()


def best_ovr(x, y, k, C, bias):
    n, f = x.shape
    wide = np.hstack([x, np.full((n, 1), bias)]) if bias > 0 else x
    rows = np.vstack([newton(wide, y == c, C, False)[0] for c in range(k)])
    return rows[:, :f], rows[:, f] * bias if bias > 0 else np.zeros(k)


def close(fit, w, b):
    """Coefficients to 1e-4 of the largest, where the largest is above 1."""
    size = max(1, np.abs(w).max(), np.abs(b).max())
    return np.abs(fit.w - w).max() < 1e-4 * size and np.abs(fit.b - b).max() < 1e-4 * size


def same_predictions(fit, w, b, x):
    z = x @ w.T + b
    rows = np.arange(len(z))
    return (z.max(1) - z[rows, fit.predicted] <= 1e-5 * np.maximum(1, np.abs(z).max(1))).all()


def compare(name, x, y, k, C, solver, bias=1.0):
    x32 = x.astype(np.float32)
    x = x32.astype(np.float64)
    fit = Fit(x32, y, k, solver, C, tolerance=1e-9, bias=bias, threads=2)
    if solver == "softmax":
        w, b = best_softmax(x, y, k, C)
        fit.b -= fit.b.mean()
        factor = 2 if k == 2 else 1  # rows of half the one weight vector
        ours = factor * softmax_objective(fit.w, fit.b, x, y, C / factor)
        best = factor * softmax_objective(w, b, x, y, C / factor)
    else:
        w, b = best_ovr(x, y, k, C, bias)
        ours = ovr_objective(fit.w, fit.b, x, y, C, bias)
        best = ovr_objective(w, b, x, y, C, bias)
    good = ours <= best * (1 + 1e-8)
    stated = abs(ours - fit.objective) <= 1e-9 * ours
    bound = fit.gap < 0 or ours - best <= fit.gap * best + 1e-12 * ours
    near = close(fit, w, b) or ours < best * (1 - 1e-12)
    same = same_predictions(fit, w, b, x)
    if not (good and stated and bound and near and same):
        print(f"# objective {ours:.17g} stated {fit.objective:.17g}, best {best:.17g}, relative "
              f"{ours / best - 1:.3g}, gap {fit.gap:.3g}, coefficients "
              f"{np.abs(fit.w - w).max():.3g} {np.abs(fit.b - b).max():.3g}, predictions {same}, "
              f"{fit.report}")
    tap.check(good and stated and bound and near and same, f"{solver}: {name}")


for C in (1e-6, 1e-3, 0.316, 10.0, 1e3, 1e6):
    x, y = problem(300, 7, 5, seed=1)
    compare(f"C={C:g}", x, y, 5, C, "softmax")
    compare(f"C={C:g}", x, y, 5, C, "ovr")
for seed in range(6):
    rng = np.random.default_rng(seed)
    n, f, k = (int(v) for v in (rng.integers(20, 600), rng.integers(1, 50), rng.integers(2, 13)))
    C = float(10 ** rng.uniform(-3, 3))
    scale = float(10 ** rng.uniform(-2, 2))
    bias = float(rng.choice([-1, 0.3, 1]))
    x, y = problem(max(n, 2 * k), f, k, seed=seed, scale=scale)
    name = f"N={len(y)} F={f} K={k} C={C:.3g} scale={scale:.3g} bias={bias:g}"
    compare(name, x, y, k, C, "softmax")
    compare(name, x, y, k, C, "ovr", bias)
x, y = problem(60, 200, 4, seed=20)
compare("F > N", x, y, 4, 1.0, "softmax")
compare("F > N", x, y, 4, 1.0, "ovr")
x, y = problem(300, 9, 2, seed=21)
compare("two classes", x, y, 2, 0.316, "softmax")
compare("two classes", x, y, 2, 0.316, "ovr")
for C in (0.01, 1.0, 100.0):
    x32 = x.astype(np.float32)
    fit = Fit(x32, y, 2, "softmax", C, tolerance=1e-9, threads=2)
    z = x32.astype(np.float64) @ fit.w.T + fit.b
    model = LogisticRegression(solver="newton-cholesky", C=C, tol=1e-13, max_iter=1000)
    theirs = model.fit(x32.astype(np.float64), y).predict_proba(x32.astype(np.float64))
    ours = 1 / (1 + np.exp(z[:, ::-1] - z))
    tap.check(np.abs(ours - theirs).max() < 1e-6, f"two classes, C={C:g}: equal probabilities")
x, y = problem(400, 8, 3, seed=22)
x *= 10.0 ** np.arange(-4, 4)
compare("features of scales 1e-4 to 1e3", x, y, 3, 1.0, "softmax")
compare("features of scales 1e-4 to 1e3", x, y, 3, 1.0, "ovr")
x, y = problem(400, 6, 3, seed=23)
x = np.hstack([x, x[:, :3], np.full((400, 1), 7.0), np.zeros((400, 1))])
compare("duplicate and constant columns", x, y, 3, 1.0, "softmax")
compare("duplicate and constant columns", x, y, 3, 1.0, "ovr")
x, y = problem(400, 6, 3, seed=24)
x += 1000
compare("means a thousand times the spread", x, y, 3, 1.0, "softmax")
x, y = problem(300, 5, 4, seed=25)
y[y == 3] = 0
y[17] = 3
compare("a class with one example", x, y, 4, 1.0, "softmax")
compare("a class with one example", x, y, 4, 1.0, "ovr")

# liblinear stops by itself where float64 has no more to give, so its objective is the measure.
if shutil.which("liblinear-train") is None:
    tap.skip("liblinear-train", "not installed")
else:
    for C in (1e-3, 0.316, 100.0):
        x, y = problem(400, 12, 5, seed=30)
        w, b, _ = liblinear_train(x, y, 5, C, 1e-10, 1.0)
        fit = Fit(x, y, 5, "ovr", C, tolerance=1e-9, threads=2)
        wide = x.astype(np.float64)
        ours = ovr_objective(fit.w, fit.b, wide, y, C, 1.0)
        best = ovr_objective(w, b, wide, y, C, 1.0)
        tap.check(abs(ours - best) <= 1e-8 * best and close(fit, w, b)
                  and same_predictions(fit, w, b, wide), f"ovr: liblinear-train -e 1e-10, C={C:g}")
tap.end()
