"""Probes: fitted on arrays, or loaded from a file."""
import ctypes
import warnings
import weakref
from ctypes import POINTER, byref, c_double, c_float, c_int64

import numpy as np

from . import errors
from .library import Work, call, choice, lib, lp_examples, lp_fit_options, lp_fit_report, path_bytes


def as_features(x):
    """float32, C-contiguous, [N, F]; without a copy where it is so already."""
    x = np.asarray(x)
    if x.ndim != 2:
        raise errors.ArgumentError("features: expected an array of two dimensions, found %d" % x.ndim)
    with np.errstate(over="ignore"):  # what is too large becomes infinity, which the library refuses
        return np.ascontiguousarray(x, dtype=np.float32)


class Probe:
    """A linear classifier.  `weights` float64 [K, F] and `intercepts` float64 [K] are copies."""

    def __init__(self, handle):
        self._handle = handle
        weakref.finalize(self, lib.lp_probe_free, handle)
        classes, width = lib.lp_probe_classes(handle), lib.lp_probe_width(handle)
        self.weights = np.ctypeslib.as_array(lib.lp_probe_weights(handle), (classes, width)).copy()
        self.intercepts = np.ctypeslib.as_array(lib.lp_probe_intercepts(handle), (classes,)).copy()
        self.report = None  # of fit: a dictionary

    @classmethod
    def load(cls, path):
        handle = ctypes.c_void_p()
        call(lib.lp_probe_load, path_bytes(path), byref(handle))
        return cls(handle)

    def save(self, path):
        call(lib.lp_probe_save, self._handle, path_bytes(path))

    def logits(self, x, threads=0):
        """float64 [N, K]"""
        x = as_features(x)
        if x.shape[1] != self.weights.shape[1]:
            raise errors.ArgumentError("the features have width %d, but the probe %d" % (x.shape[1],
                                                                                         self.weights.shape[1]))
        out = np.empty((len(x), len(self.weights)))
        call(lib.lp_probe_logits, self._handle, x.ctypes.data_as(POINTER(c_float)), len(x),
             out.ctypes.data_as(POINTER(c_double)), threads)
        return out

    def predict(self, x, threads=0):
        """int64 [N]: the class of the largest logit, the lowest such class on a tie"""
        return self.logits(x, threads).argmax(axis=1)


def fit(x, labels, *, classes=None, solver="softmax", C=0.316, tol=0.0, bias=1.0, max_iter=0, standardize=False,
        class_weight="none", threads=0, progress=None):
    """Trains a probe on float32 [N, F] and int64 labels [N] in 0 .. K-1; classes: K, or 1 + the largest label.
    tol and max_iter 0: the solver's own.  Warns where the solver stopped before it converged."""
    x = as_features(x)
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    if labels.shape != (len(x),):
        raise errors.ArgumentError("labels: expected %d, found an array of shape %s" % (len(x), labels.shape))
    if classes is None:
        classes = int(labels.max()) + 1 if len(labels) else 0
    work = Work(progress)
    train = lp_examples(len(x), x.shape[1], classes, x.ctypes.data_as(POINTER(c_float)),
                        labels.ctypes.data_as(POINTER(c_int64)))
    options = lp_fit_options()
    lib.lp_fit_defaults(byref(options))
    options.solver = choice("lp_solver_names", solver)
    options.class_weight = choice("lp_class_weight_names", class_weight)
    options.C, options.tolerance, options.bias, options.max_iterations = C, tol, bias, max_iter
    options.standardize, options.threads, options.progress = standardize, threads, work.progress
    handle, report = ctypes.c_void_p(), lp_fit_report()
    work.run(lib.lp_probe_fit, byref(train), byref(options), byref(handle), byref(report))
    probe = Probe(handle)
    probe.report = {name: getattr(report, name) for name, _ in report._fields_}
    probe.report["stopped_by"] = report.stopped_by.decode()
    if not report.converged:
        warnings.warn("the solver stopped before it converged: " + probe.report["stopped_by"], _warning(), 2)
    return probe


def _warning():
    try:
        from sklearn.exceptions import ConvergenceWarning
        return ConvergenceWarning
    except ImportError:
        return RuntimeWarning
