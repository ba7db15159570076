#!/usr/bin/env python3
"""--standardize and --class-weight balanced against scikit-learn: Pipeline(StandardScaler,
LogisticRegression), class_weight="balanced", and OneVsRestClassifier of such models; objectives
within 1e-8 of scikit-learn's optimum (its Newton solver, far below its default tolerance) and
coefficients to 1e-4, on classes of very different sizes, features of very different scales, and
constant ones."""
import os
import sys
import warnings

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Fit, Tap, np, skip_all

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.class_weight import compute_sample_weight
except ImportError:
    skip_all("no scikit-learn")
warnings.filterwarnings("ignore")
tap = Tap()


def uneven(n, f, k, seed):
    """Class k is about half as frequent as class k - 1; columns of scales 1e-2 to 1e2 and other
    means; the last one is constant."""
    rng = np.random.default_rng(seed)
    share = 0.5 ** np.arange(k)
    y = np.concatenate([np.repeat(np.arange(k), 3), rng.choice(k, n - 3 * k, p=share / share.sum())])
    x = rng.normal(size=(k, f))[y] + rng.normal(size=(n, f))
    x = x * 10 ** rng.uniform(-2, 2, f) + rng.normal(size=f) * 3
    x[:, -1] = 0.7
    return x.astype(np.float32), y.astype(np.int64)


def newton(x, y, C, weights, intercept):
    model = LogisticRegression(
        solver="newton-cholesky", C=C, tol=1e-13, max_iter=1000, fit_intercept=intercept
    ).fit(x, y, weights)
    return model.coef_, model.intercept_


def balanced(y):
    return compute_sample_weight("balanced", y)


def softmax(x, y, k, C, weigh):
    """scikit-learn's optimum, and the objective of any w and b."""
    weights = balanced(y) if weigh else np.ones(len(y))
    w, b = newton(x, y, C, weights, True)
    if k == 2:
        w, b = np.vstack([-w, w]) / 2, np.array([-b[0], b[0]]) / 2
    factor = 2 if k == 2 else 1  # rows of half the one weight vector

    def objective(w, b):
        z = x @ w.T + b
        top = z.max(1)
        loss = top + np.log(np.exp(z - top[:, None]).sum(1)) - z[np.arange(len(y)), y]
        return factor * 0.5 * (w * w).sum() + C * (weights * loss).sum()

    return w, b - b.mean(), objective


def ovr(x, y, k, C, weigh):
    wide = np.hstack([x, np.ones((len(x), 1))])
    weights = [balanced(y == c) if weigh else np.ones(len(y)) for c in range(k)]
    rows = np.vstack([newton(wide, y == c, C, weights[c], False)[0] for c in range(k)])

    def objective(w, b):
        total = 0
        for c in range(k):
            margin = np.where(y == c, 1, -1) * (x @ w[c] + b[c])
            total += 0.5 * (w[c] @ w[c] + b[c] * b[c])
            total += C * (weights[c] * np.logaddexp(0, -margin)).sum()
        return total

    return rows[:, :-1], rows[:, -1], objective


def compare(x, y, k, C, solver, standardize, weigh):
    options = dict(threads=2, tolerance=1e-6 if solver == "liblinear" else 1e-9)
    options |= dict(standardize=1) if standardize else {}
    options |= dict(weight=1) if weigh else {}
    fit = Fit(x, y, k, solver, C, **options)
    x = x.astype(np.float64)
    scaler = StandardScaler(with_mean=standardize, with_std=standardize).fit(x)
    z = scaler.transform(x)
    w, b, objective = (softmax if solver == "softmax" else ovr)(z, y, k, C, weigh)
    # to the standardised features and back
    scale = scaler.scale_ if standardize else 1
    mean = scaler.mean_ if standardize else np.zeros(x.shape[1])
    found_w, found_b = fit.w * scale, fit.b + fit.w @ mean
    found_b -= found_b.mean() if solver == "softmax" else 0
    ours, best = objective(found_w, found_b), objective(w, b)
    size = max(1, np.abs(w).max(), np.abs(b).max())
    off = max(np.abs(found_w - w).max(), np.abs(found_b - b).max()) / size
    stated = fit.objective * (2 if solver == "liblinear" and k == 2 else 1)  # one problem of two
    stated = abs(ours - stated) / ours
    bound = fit.gap < 0 or ours - best <= fit.gap * best + 1e-12 * ours
    slack = 1e-6 if solver == "liblinear" else 1e-8
    good = ours <= best * (1 + slack) and off < (1e-2 if solver == "liblinear" else 1e-4)
    good = good and stated < 1e-6 and bound
    if not good:
        print(f"# relative objective {ours / best - 1:.3g}, stated {stated:.3g}, off {off:.3g}, "
              f"{fit.report}")
    name = f"{solver}, K={k}, C={C:g}" + ", standardize" * standardize + ", balanced" * weigh
    tap.check(good, name)


for seed, (n, f, k) in enumerate([(400, 6, 4), (300, 40, 2), (900, 12, 7)]):
    x, y = uneven(n, f, k, seed)
    for solver in ("softmax", "ovr", "liblinear"):
        for C in (0.01, 1.0, 30.0) if solver != "liblinear" else (0.3,):
            compare(x, y, k, C, solver, True, False)
            if solver != "liblinear":
                compare(x, y, k, C, solver, True, True)
        scaled = StandardScaler().fit_transform(x.astype(np.float64)).astype(np.float32)
        compare(scaled, y, k, 0.3, solver, False, True)

# many rows and classes: the solver's sparse products and class blocks
x, y = uneven(6000, 24, 12, 9)
for solver in ("softmax", "ovr"):
    compare(x, y, 12, 100.0, solver, True, True)
tap.end()
