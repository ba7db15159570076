#!/usr/bin/env python3
"""Makes tests/golden/families/byol-haiku.pkl and its features, as make_families.py does others.

    python3 tests/golden/make_byol.py        (with haiku, dill and safetensors)

The file is DeepMind's in small, weights in float16; features are Haiku's in float64.  With dill
0.3.2 and a Python before 3.12, functions of NumPy are written as they are in the published files.
"""

import pathlib
import sys

import dill
import haiku
import jax
import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import nets_haiku

OUT = pathlib.Path(__file__).parent / "families"
SIZE = 45

jax.config.update("jax_enable_x64", True)
params, state, forward = nets_haiku.byol(dtype=np.float16)
nets_haiku.save(OUT / "byol-haiku.pkl", params, state)

wide = [nets_haiku.as_type(x, np.float64) for x in (params, state)]
images = np.random.RandomState(9).standard_normal((2, SIZE, SIZE, 3)).astype(np.float16)
features = np.array(forward(*wide, images.astype(np.float64)))
assert features.dtype == np.float64
assert np.linalg.norm(features[0] - features[1]) > 2e-3 * np.linalg.norm(features[0])
save_file(
    {
        "images": np.ascontiguousarray(images.astype(np.float32).transpose(0, 3, 1, 2)),
        "penultimate": features.astype(np.float32),
    },
    OUT / "byol-haiku-features.safetensors",
    {m.__name__: m.__version__ for m in (np, jax, haiku, dill)},
)
