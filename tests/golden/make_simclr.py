#!/usr/bin/env python3
"""Makes tests/golden/families/google-simclr.index, its values and its features, as make_families.py
does others.

    python3 tests/golden/make_simclr.py        (with tensorflow and safetensors)

Weights are in float16; features are TensorFlow's in float64.
"""

import numpy as np
import tensorflow as tf
from golden_features import OUT, save_features  # adds tests/parity to the path

import nets_tensorflow as nets

values, forward = nets.simclr(dtype=np.float16)
nets.save(OUT / "google-simclr", values | nets.beside(values))

save_features("google-simclr", lambda x: forward(x, np.float64), (np, tf))
