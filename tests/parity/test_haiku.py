"""DeepMind's files of BYOL (nets_haiku.py), written by dill and run by Haiku itself."""

import pickle
import sys
import types

try:
    import dill
    import haiku
    import jax
    import numpy as np
    import torch
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets_haiku
from encoder_tools import FOLDER, compare, images_for, refuses, run

PATH = FOLDER / "model.pkl"


def saved(made, **form):
    """Writes the file; features of images [B, 3, H, W] by Haiku, in float32."""
    params, state, features = made
    nets_haiku.save(PATH, params, state, **form)
    wide = [nets_haiku.as_type(x, np.float32) for x in (params, state)]

    def run_haiku(images):
        x = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        return {"penultimate": torch.from_numpy(np.array(features(*wide, x)))}

    return run_haiku


def forms():
    """Dictionaries of each version of Haiku, protocols, and another network beside this one."""
    good = True
    made, other = nets_haiku.byol(2), nets_haiku.byol(3)
    for wrap in (nets_haiku.flat, nets_haiku.frozen, dict):
        for protocol in (2, 3, 4, 5):
            expected = saved(made, wrap=wrap, protocol=protocol, other=other)
            label = f"{wrap.__name__}, protocol {protocol}"
            good &= compare(PATH, images_for(64, 2), expected, label, input_size=64)
    _, info = run(PATH, images_for(64, 1), "penultimate", input_size=64)
    print("#", {k: info[k] for k in ("family", "name", "resize", "crop", "filter")})
    return good and info["family"] == "byol-haiku"


def kinds():
    """Odd sides, wider ones, numbers of two digits, and the first convolution's other name."""
    good = True
    for size in (64, 75):
        made = nets_haiku.byol(4, depth=200, blocks=(1, 12, 1, 2), width=2, conv="initial_conv_1")
        label = f"13 blocks, twice as wide, at {size}"
        good &= compare(PATH, images_for(size, 2), saved(made), label, input_size=size)
    for dtype in (np.float16, np.float64):
        expected = saved(nets_haiku.byol(5, dtype, depth=101))
        good &= compare(PATH, images_for(64, 2), expected, str(np.dtype(dtype)), input_size=64)
    return good


def official():
    """ResNet-50's shapes."""
    channels = (256, 512, 1024, 2048)
    made = nets_haiku.byol(6, blocks=(3, 4, 6, 3), channels=channels, stem=64)
    good = compare(PATH, images_for(224, 1), saved(made), "BYOL R50x1")
    _, info = run(PATH, images_for(224, 1), "penultimate")
    return good and info["name"] == "BYOL R50x1"


def refused():
    """What this program does not know is named."""
    images, good = images_for(64, 1), True

    def says(what, text):
        return refuses(PATH, images, what, text, input_size=64)

    params, state, _ = nets_haiku.byol(7)
    more = {"res_net50/~/extra": {"w": np.ones((1, 1, 2, 2), np.float32)}}
    nets_haiku.save(PATH, params | more, state)
    good &= says("a module more", "online_params.res_net50/~/extra.w: no such tensor")
    less = {k: v for k, v in state.items() if "group_1/~/block_1/~/batchnorm_2/~/var" not in k}
    nets_haiku.save(PATH, params, less)
    good &= says("an average less", "block_group_1/~/block_1/~/batchnorm_2/~/var_ema.average")
    for name in ("byol", "byol.utils", "byol.utils.optimizers", "byol.byol_experiment"):
        sys.modules[name] = types.ModuleType(name)
    for kind in (nets_haiku._ByolExperimentState, nets_haiku.LarsState):  # pickle imports them
        setattr(sys.modules[kind.__module__], kind.__name__, kind)
    nets_haiku.save(PATH, params, state, pickler=pickle)
    good &= says("a class that is not known", "as dill writes their file")
    nets_haiku.save(PATH, *nets_haiku.byol(7, depth=18)[:2])
    good &= says("a ResNet-18", "depends on Haiku's version")
    with open(PATH, "wb") as file:
        pickle.dump({"conv1.weight": torch.ones(2)}, file)
    good &= says("PyTorch's tensors", "torch.storage._load_from_bytes runs code")
    return good


TESTS = [forms, kinds, official, refused]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (np, torch, jax, haiku, dill)))
