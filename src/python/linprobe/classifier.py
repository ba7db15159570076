"""scikit-learn's interface."""
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from . import probe


class LinearProbe(ClassifierMixin, BaseEstimator):
    """L2-regularised logistic regression by linprobe's solvers.

    solver   "softmax", scikit-learn's multinomial objective; "ovr", liblinear's objective, one-vs-rest, dense;
             "liblinear", the same by liblinear's own code
    C        weight of the data's term, > 0
    tol      of the solver; 0: its default
    max_iter of the solver; 0: its default
    standardize  whether features are brought to mean 0 and deviation 1 of the training rows first; coef_ and
             intercept_ are of the features as they come
    class_weight  None, or "balanced": a row counts N / (K n), n the rows of its class; scikit-learn's dictionaries
             are refused
    threads  0: all processors; never changes the result

    Features are float32 inside: other types are converted.  Fitted: classes_, coef_ and intercept_ (one row for two
    classes), n_iter_, n_features_in_."""

    def __init__(self, solver="softmax", C=0.316, tol=0.0, max_iter=0, standardize=False,
                 class_weight=None, threads=0):
        self.solver = solver
        self.C = C
        self.tol = tol
        self.max_iter = max_iter
        self.standardize = standardize
        self.class_weight = class_weight
        self.threads = threads

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("expected at least 2 classes, found one class: %r" % (self.classes_[0],))
        if self.class_weight not in (None, "balanced"):
            raise ValueError("class_weight: expected None or 'balanced', found %r" % (self.class_weight,))
        fitted = probe.fit(X, labels, classes=len(self.classes_), solver=self.solver, C=self.C, tol=self.tol,
                           max_iter=self.max_iter, standardize=self.standardize,
                           class_weight=self.class_weight or "none", threads=self.threads)
        weights, intercepts = fitted.weights, fitted.intercepts
        if len(self.classes_) == 2:  # softmax: -w/2 and w/2; one-vs-rest: -w and w
            weights, intercepts = weights[1:], intercepts[1:]
            if self.solver == "softmax":
                weights, intercepts = 2 * weights, 2 * intercepts
        self.coef_, self.intercept_ = weights, intercepts
        self.n_iter_ = fitted.report["iterations"]
        return self

    def decision_function(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        logits = X.astype(np.float64) @ self.coef_.T + self.intercept_
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def predict(self, X):
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def predict_proba(self, X):
        """softmax: of the logits; one-vs-rest: sigmoids, made to add up to 1."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            positive = _sigmoid(scores)
            return np.column_stack([_sigmoid(-scores), positive])
        if self.solver == "softmax":
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        else:
            shares = _sigmoid(scores)
        return shares / shares.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X):
        return np.log(self.predict_proba(X))


def _sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))
