#!/usr/bin/env python3
"""Makes tests/golden/families/google-simclr.index, its values and its features, as make_families.py
does others.

    python3 tests/golden/make_simclr.py        (with tensorflow and safetensors)

Weights are in float16; features are TensorFlow's in float64.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import nets_tensorflow as nets

OUT = pathlib.Path(__file__).parent / "families"
SIZE = 45

values, forward = nets.simclr(dtype=np.float16)
nets.save(OUT / "google-simclr", values | nets.beside(values))

images = np.random.RandomState(9).standard_normal((2, SIZE, SIZE, 3)).astype(np.float16)
features = forward(images, np.float64)
assert features.dtype == np.float64
assert np.linalg.norm(features[0] - features[1]) > 2e-3 * np.linalg.norm(features[0])
save_file(
    {
        "images": np.ascontiguousarray(images.astype(np.float32).transpose(0, 3, 1, 2)),
        "penultimate": features.astype(np.float32),
    },
    OUT / "google-simclr-features.safetensors",
    {m.__name__: m.__version__ for m in (np, tf)},
)
