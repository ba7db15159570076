"""What make_byol.py and make_simclr.py have in common.  Needs no PyTorch."""

import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).parent / "families"
SIZE = 45

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))


def save_features(name, forward, modules):
    """Writes the features of two images.  forward: of images [2, SIZE, SIZE, 3] in float64, also in
    float64."""
    images = np.random.RandomState(9).standard_normal((2, SIZE, SIZE, 3)).astype(np.float16)
    features = np.array(forward(images.astype(np.float64)))
    assert features.dtype == np.float64
    assert np.linalg.norm(features[0] - features[1]) > 2e-3 * np.linalg.norm(features[0])
    save_file(
        {
            "images": np.ascontiguousarray(images.astype(np.float32).transpose(0, 3, 1, 2)),
            "penultimate": features.astype(np.float32),
        },
        OUT / f"{name}-features.safetensors",
        {m.__name__: m.__version__ for m in modules},
    )
