"""The shared library: where it is found, its structs, and calls that can be interrupted."""
import ctypes
import ctypes.util
import os
import threading
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t

from . import errors

SONAME = "liblinprobe.so.0.1"  # of the version whose structs stand here
STEP = ctypes.CFUNCTYPE(c_bool, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, c_char_p)


class lp_error(Structure):
    _fields_ = [("status", c_int), ("text", c_char * 4096)]


class lp_progress(Structure):
    _fields_ = [("step", STEP), ("context", ctypes.c_void_p)]


class lp_examples(Structure):
    _fields_ = [("count", c_size_t), ("width", c_size_t), ("classes", c_size_t), ("x", POINTER(c_float)),
                ("labels", POINTER(c_int64))]


class lp_fit_options(Structure):
    _fields_ = [("solver", c_int), ("C", c_double), ("tolerance", c_double), ("bias", c_double),
                ("max_iterations", c_size_t), ("standardize", c_bool), ("class_weight", c_int),
                ("threads", c_size_t), ("progress", lp_progress)]


class lp_fit_report(Structure):
    _fields_ = [("converged", c_bool), ("iterations", c_size_t), ("passes", c_size_t), ("not_converged", c_size_t),
                ("objective", c_double), ("gradient", c_double), ("gap", c_double), ("seconds", c_double),
                ("stopped_by", c_char * 128)]


class lp_features(Structure):
    _fields_ = [("path", c_char_p), ("count", c_size_t), ("width", c_size_t), ("classes", c_size_t),
                ("x", POINTER(c_float)), ("labels", POINTER(c_int64)), ("class_names", POINTER(c_char_p)),
                ("digest", c_char_p)]  # and what Python does not read; the library makes the struct


class lp_dataset_options(Structure):
    _fields_ = [("split", c_int), ("labels", c_int), ("per_class", c_size_t), ("limit", c_size_t),
                ("skip_broken", c_bool), ("test_share", c_double), ("split_seed", c_size_t), ("threads", c_size_t),
                ("progress", lp_progress)]


class lp_extract_options(Structure):
    _fields_ = [("out", c_char_p), ("point", c_int), ("normalize", c_bool), ("threads", c_size_t),
                ("command", c_char_p), ("progress", lp_progress), ("profile", ctypes.c_void_p)]


class lp_extract_report(Structure):
    _fields_ = [("images", c_size_t), ("width", c_size_t), ("computed", c_size_t), ("reused", c_bool),
                ("seconds", c_double)]


class lp_layers(Structure):
    _fields_ = [("first", c_size_t), ("last", c_size_t)]


class lp_resize_to(Structure):
    _fields_ = [("side", c_size_t), ("squash", c_bool)]


class lp_encoder_options(Structure):
    _fields_ = [("activation", c_int), ("pool", c_int), ("layers", lp_layers), ("input_size", c_size_t),
                ("heads", c_size_t), ("mean_std", c_int), ("resize", lp_resize_to), ("crop", c_size_t),
                ("filter", c_int), ("precision", c_int), ("threads", c_size_t), ("select", c_char_p)]


STRUCTS = (lp_error, lp_progress, lp_examples, lp_fit_options, lp_fit_report, lp_features, lp_dataset_options,
           lp_extract_options, lp_extract_report, lp_layers, lp_resize_to, lp_encoder_options)


def _load():
    """$LINPROBE_LIBRARY, else where the system looks for libraries, else the usual prefix."""
    tried = []
    named = os.environ.get("LINPROBE_LIBRARY")
    for path in [named] if named else [SONAME, "/usr/local/lib/" + SONAME]:
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            tried.append(str(error))
    raise ImportError("liblinprobe is not found (%s): install it by `make install`, or set LINPROBE_LIBRARY to the "
                      "path of %s" % ("; ".join(tried), SONAME))


lib = _load()
lib.lp_version.restype = c_char_p


def version():
    """The version of the library, "MAJOR.MINOR.PATCH"."""
    return lib.lp_version().decode()


if not version().startswith(SONAME.rpartition("so.")[2] + "."):
    raise ImportError("liblinprobe is of version %s, but this module is for %s" % (version(), SONAME))

_handle = ctypes.c_void_p
_error = POINTER(lp_error)
for _name, _result, _arguments in (
        ("lp_dataset_open_with", c_int, [c_char_p, POINTER(lp_dataset_options), POINTER(_handle), _error]),
        ("lp_dataset_close", None, [_handle]),
        ("lp_checkpoint_open", c_int, [c_char_p, POINTER(_handle), _error]),
        ("lp_checkpoint_close", None, [_handle]),
        ("lp_encoder_load", c_int, [_handle, POINTER(lp_encoder_options), POINTER(_handle), _error]),
        ("lp_encoder_free", None, [_handle]),
        ("lp_extract", c_int, [_handle, _handle, POINTER(lp_extract_options), POINTER(lp_extract_report), _error]),
        ("lp_features_open", c_int, [c_char_p, POINTER(POINTER(lp_features)), _error]),
        ("lp_features_close", None, [POINTER(lp_features)]),
        ("lp_fit_defaults", None, [POINTER(lp_fit_options)]),
        ("lp_probe_fit", c_int, [POINTER(lp_examples), POINTER(lp_fit_options), POINTER(_handle),
                                 POINTER(lp_fit_report), _error]),
        ("lp_probe_load", c_int, [c_char_p, POINTER(_handle), _error]),
        ("lp_probe_save", c_int, [_handle, c_char_p, _error]),
        ("lp_probe_free", None, [_handle]),
        ("lp_probe_solver", c_int, [_handle]),
        ("lp_probe_classes", c_size_t, [_handle]),
        ("lp_probe_width", c_size_t, [_handle]),
        ("lp_probe_weights", POINTER(c_double), [_handle]),
        ("lp_probe_intercepts", POINTER(c_double), [_handle]),
        ("lp_probe_logits", c_int, [_handle, POINTER(c_float), c_size_t, POINTER(c_double), c_size_t, _error])):
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _result, _arguments


def choice(table, name):
    """The number of a name in one of the library's lists, such as lp_solver_names."""
    names = []
    for i in range(64):
        each = (c_char_p * (i + 1)).in_dll(lib, table)[i]
        if each is None:
            break
        names.append(each.decode())
    if name not in names:
        raise errors.ArgumentError("expected one of %s, found %r" % (", ".join(names), name))
    return names.index(name)


def path_bytes(path):
    return os.fsencode(path)


def call(function, *arguments):
    """Calls a function of the library; its last argument, the error, is added.  Returns the status where it is
    LP_OK or LP_NOT_CONVERGED, and raises otherwise."""
    error = lp_error()
    status = function(*arguments, byref(error))
    if status in (errors.OK, errors.NOT_CONVERGED):
        return status
    raise errors.BY_STATUS.get(status, errors.Error)(error.text.decode("utf-8", "replace"))


class Work:
    """Long work of the library.  Its progress goes into the options; `run` does the work on a thread of its own, so
    that Python can take Ctrl-C meanwhile: then the library is asked to stop, and KeyboardInterrupt is raised when it
    has.  An exception in the caller's progress function stops the work, too.

    progress(done, total, line) -> None or True to go on, False to stop."""

    def __init__(self, progress=None):
        self.stopped = False
        self.raised = None
        self.caller = progress
        self.step = STEP(self._step)  # kept alive as long as the library may call it
        self.progress = lp_progress(self.step, None)

    def _step(self, _context, done, total, line):
        if self.caller is not None and not self.stopped:
            try:
                self.stopped = self.caller(done, total, line.decode("utf-8", "replace") if line else None) is False
            except BaseException as error:  # goes to the caller once the library has returned
                self.raised, self.stopped = error, True
        return not self.stopped

    def run(self, function, *arguments):
        if threading.current_thread() is not threading.main_thread():
            return self._finish(function, *arguments)  # signals go to the main thread alone
        result, done = [], threading.Event()

        def work():
            try:
                result.append((call(function, *arguments), None))
            except BaseException as error:
                result.append((None, error))
            finally:
                done.set()

        threading.Thread(target=work).start()
        interrupted = None
        while not done.is_set():  # not join(): interrupted, that may take a thread that runs for one that has ended
            try:
                done.wait()
            except KeyboardInterrupt as error:
                self.stopped, interrupted = True, error
        if interrupted is not None:
            raise interrupted
        status, error = result[0]
        if self.raised is not None:
            raise self.raised
        if error is not None:
            raise error
        return status

    def _finish(self, function, *arguments):
        try:
            return call(function, *arguments)
        except errors.Cancelled:
            if self.raised is not None:
                raise self.raised
            raise
