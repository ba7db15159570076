#!/usr/bin/env python3
"""The liblinear solver against liblinear's own tools and scikit-learn's copy of liblinear."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Fit, Tap, liblinear_train, np, problem, skip_all

have_tools = shutil.which("liblinear-train") is not None
try:
    from sklearn.linear_model import LogisticRegression
except ImportError:
    LogisticRegression = None
if not have_tools and LogisticRegression is None:
    skip_all("neither liblinear-train nor scikit-learn")

tap = Tap()


for n, f, k, C, eps, bias, scale in [(400, 16, 10, 0.316, 0.01, 1.0, 1.0),
                                     (150, 200, 4, 1.0, 0.001, -1.0, 1.0),
                                     (300, 8, 2, 0.316, 0.01, 1.0, 3.0),
                                     (500, 30, 7, 1e-3, 0.01, 2.0, 0.1)]:
    x, y = problem(n, f, k, seed=n + f, scale=scale)
    name = f"N={n} F={f} K={k} C={C} eps={eps} bias={bias}"
    fit = Fit(x, y, k, "liblinear", C, tolerance=eps, bias=bias, threads=2)
    if have_tools:
        w, b, predicted = liblinear_train(x, y, k, C, eps, bias)
        tap.check(np.abs(fit.w - w).max() < 1e-6 and np.abs(fit.b - b).max() < 1e-6,
                  f"liblinear-train: weights, {name}")
        tap.check((fit.predicted == predicted).all(), f"liblinear-predict: predictions, {name}")
    else:
        tap.skip(f"liblinear-train: {name}", "no liblinear-train")

# scikit-learn's copy is another version, so both go near the optimum; two classes do for it.
if LogisticRegression is None:
    tap.skip("scikit-learn", "not installed")
else:
    x, y = problem(300, 10, 2, seed=3)
    fit = Fit(x, y, 2, "liblinear", 0.316, tolerance=1e-5)
    peer = LogisticRegression(solver="liblinear", C=0.316, tol=1e-10, intercept_scaling=1.0,
                              max_iter=1000).fit(x.astype(np.float64), y)
    tap.check(np.abs(fit.w[1] - peer.coef_[0]).max() < 1e-4
              and abs(fit.b[1] - peer.intercept_[0]) < 1e-4, "scikit-learn: optimum of two classes")
    tap.check((fit.predicted == peer.predict(x)).all(), "scikit-learn: predictions")
tap.end()
