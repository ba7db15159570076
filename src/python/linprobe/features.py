"""Feature sets: opened from a folder, or made by an encoder."""
import ctypes
import os
import tempfile
import weakref

import numpy as np

from .library import (Work, call, choice, lib, lp_dataset_options, lp_encoder_options, lp_extract_options,
                      lp_extract_report, lp_features, lp_layers, lp_resize_to, path_bytes)


class Features:
    """A feature set.  `x` float32 [N, F] and `labels` int64 [N] are views of the library's memory, read-only and
    valid as long as any array over them lives; `classes` is K, `class_names` a list or None."""

    def __init__(self, handle):
        struct = handle.contents
        self.path = os.fsdecode(struct.path)
        self.classes = struct.classes
        self.digest = struct.digest.decode()
        names = struct.class_names
        self.class_names = [names[k].decode("utf-8", "replace") for k in range(self.classes)] if names else None
        self.x = _view(struct.x, (struct.count, struct.width), np.float32, handle)
        self.labels = _view(struct.labels, (struct.count,), np.int64, handle)

    def __repr__(self):
        return "<linprobe.Features %d x %d, %d classes, of %s>" % (*self.x.shape, self.classes, self.path)


class _Set:
    """Closes a feature set when the last array over it is gone."""

    def __init__(self, handle):
        address = ctypes.cast(handle, ctypes.c_void_p).value  # nothing of the finalizer's leads back to here
        weakref.finalize(self, lib.lp_features_close, ctypes.cast(address, ctypes.POINTER(lp_features)))


def _view(pointer, shape, dtype, owner):
    """A read-only array over memory of `owner`, which lives as long as it."""
    count = int(np.prod(shape))
    buffer = (ctypes.c_char * (count * np.dtype(dtype).itemsize)).from_address(
        ctypes.cast(pointer, ctypes.c_void_p).value)
    buffer.owner = owner
    array = np.frombuffer(buffer, dtype).reshape(shape)
    array.flags.writeable = False
    return array


def open_features(path):
    """Opens a folder with features.npy and labels.npy, or an .npz file with both."""
    handle = ctypes.POINTER(lp_features)()
    call(lib.lp_features_open, path_bytes(path), ctypes.byref(handle))
    keeper = _Set(handle)
    handle.keeper = keeper
    return Features(handle)


def extract(model, data, out=None, *, split="train", labels="fine", feature="auto", normalize=False, threads=0,
            activation="auto", pool="auto", precision="float32", mean_std="auto", input_size=0, heads=0, layers=None,
            resize=0, squash=False, crop=0, filter="auto", select=None, skip_broken=False, test_share=0.0, split_seed=0,
            limit=0, per_class=0, progress=None):
    """Runs an encoder over a data set and returns its feature set.

    model   a file or folder of weights; None: the features are the pixels
    data    CIFAR or STL-10 binaries, their archive, or a folder of images, one folder a class
    out     the folder of the feature set; what is there already is used, and interrupted work goes on.  None: the
            set is in memory alone
    activation, pool, precision, mean_std, input_size, heads, resize, crop, filter and select are what a file of
    weights does not say, as the options of `linprobe extract`; squash resizes both sides to `resize`.
    layers  (first, last), counted from 1: the vectors of these blocks side by side; None: the last block's
    skip_broken, test_share and split_seed are for folders of images.
    limit, per_class  at most so many images, and of each class, chosen by split_seed; 0: all
    progress(done, total, line) is called in images; it returns False to stop."""
    work = Work(progress)
    data_options = lp_dataset_options(choice("lp_split_names", split), choice("lp_label_kind_names", labels),
                                      per_class, limit, skip_broken, test_share, split_seed, threads, work.progress)
    handles = {}

    def opened(key):
        handles[key] = ctypes.c_void_p()
        return ctypes.byref(handles[key])

    scratch = tempfile.TemporaryDirectory(prefix="linprobe-") if out is None else None
    folder = os.path.join(scratch.name, "features") if scratch else out
    try:
        if model is not None:
            call(lib.lp_checkpoint_open, path_bytes(model), opened("checkpoint"))
            encoder = lp_encoder_options(
                activation=choice("lp_activation_names", activation), pool=choice("lp_pool_names", pool),
                precision=choice("lp_precision_names", precision), mean_std=choice("lp_mean_std_names", mean_std),
                input_size=input_size, heads=heads, layers=lp_layers(*(layers or (0, 0))),
                resize=lp_resize_to(resize, squash), crop=crop, filter=choice("lp_filter_choice_names", filter),
                threads=threads, select=os.fsencode(select) if select else None)
            work.run(lib.lp_encoder_load, handles["checkpoint"], ctypes.byref(encoder), opened("encoder"))
        work.run(lib.lp_dataset_open_with, path_bytes(data), ctypes.byref(data_options), opened("data"))
        options = lp_extract_options(path_bytes(folder), choice("lp_feature_point_names", feature), normalize, threads,
                                     None, work.progress, None)
        report = lp_extract_report()
        work.run(lib.lp_extract, handles.get("encoder"), handles["data"], ctypes.byref(options), ctypes.byref(report))
        return open_features(folder)  # what is mapped stays when the folder is removed
    finally:
        lib.lp_encoder_free(handles.get("encoder"))
        lib.lp_checkpoint_close(handles.get("checkpoint"))
        lib.lp_dataset_close(handles.get("data"))
        if scratch:
            scratch.cleanup()
