"""Linear probes of frozen image encoders, over the shared library liblinprobe.

    import linprobe
    train = linprobe.extract("ViT-B-32.pt", "cifar-100-binary.tar.gz", split="train")
    test = linprobe.extract("ViT-B-32.pt", "cifar-100-binary.tar.gz", split="test")
    probe = linprobe.LinearProbe(C=0.316).fit(train.x, train.labels)     # scikit-learn's interface
    print(probe.score(test.x, test.labels))

Arrays go in and out without copies where they are C-contiguous float32 and int64.  A failure is an
exception with the library's message (errors.py).  Ctrl-C stops a fit or an extraction."""
from .errors import (ArgumentError, Cancelled, DataError, Error, FormatError, InputOutputError, OutOfMemory,
                     Unsupported)
from .features import Features, extract, open_features
from .library import version
from .probe import Probe, fit

__version__ = version()
__all__ = ["ArgumentError", "Cancelled", "DataError", "Error", "Features", "FormatError", "InputOutputError",
           "LinearProbe", "OutOfMemory", "Probe", "Unsupported", "extract", "fit", "open_features", "version"]


def __getattr__(name):
    if name == "LinearProbe":  # the only part that needs scikit-learn
        from .classifier import LinearProbe
        return LinearProbe
    raise AttributeError("module 'linprobe' has no attribute %r" % name)
