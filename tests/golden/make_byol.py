#!/usr/bin/env python3
"""Makes tests/golden/families/byol-haiku.pkl and its features, as make_families.py does others.

    python3 tests/golden/make_byol.py        (with haiku, dill and safetensors)

The file is DeepMind's in small, weights in float16; features are Haiku's in float64.  With dill
0.3.2 and a Python before 3.12, functions of NumPy are written as they are in the published files.
"""

import dill
import haiku
import jax
import numpy as np
from golden_features import OUT, save_features  # adds tests/parity to the path

import nets_haiku

jax.config.update("jax_enable_x64", True)
params, state, forward = nets_haiku.byol(dtype=np.float16)
nets_haiku.save(OUT / "byol-haiku.pkl", params, state)

wide = [nets_haiku.as_type(x, np.float64) for x in (params, state)]
save_features("byol-haiku", lambda x: forward(*wide, x), (np, jax, haiku, dill))
