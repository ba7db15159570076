"""DeepMind's BYOL on Haiku, and its files: for test_haiku.py and tests/golden/make_byol.py.  Needs
neither PyTorch nor a new Python, so that it also runs beside the versions of 2020."""

import functools
import math
import typing

import dill
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from haiku._src import data_structures

NORM = dict(decay_rate=0.9, eps=1e-5, create_scale=True, create_offset=True)


class LarsState(typing.NamedTuple):
    mu: typing.Any


class _ByolExperimentState(typing.NamedTuple):
    online_params: typing.Any
    target_params: typing.Any
    online_state: typing.Any
    target_state: typing.Any
    opt_state: typing.Any


LarsState.__module__ = "byol.utils.optimizers"
_ByolExperimentState.__module__ = "byol.byol_experiment"


class Encoder(hk.Module):
    """byol/utils/networks.py: a ResNet whose widths are all multiplied."""

    def __init__(self, name, blocks, channels, width, stem, conv):
        super().__init__(name=name)
        self.conv = hk.Conv2D(stem * width, 7, 2, with_bias=False, padding="SAME", name=conv)
        self.norm = hk.BatchNorm(name="initial_batchnorm", **NORM)
        self.groups = [
            hk.nets.ResNet.BlockGroup(
                channels=width * channels[i], num_blocks=blocks[i], stride=(1, 2, 2, 2)[i],
                bn_config=NORM, resnet_v2=False, bottleneck=True, use_projection=True,
                name=f"block_group_{i}",
            )
            for i in range(4)
        ]  # fmt: skip

    def __call__(self, x, training):
        x = jax.nn.relu(self.norm(self.conv(x), training))
        x = hk.max_pool(x, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
        for group in self.groups:
            x = group(x, training, False)
        return x.mean((1, 2))


class Head(hk.Module):
    def __call__(self, x, training):
        x = jax.nn.relu(hk.BatchNorm(**NORM)(hk.Linear(12)(x), training))
        return hk.Linear(8, with_bias=False)(x)


def networks(depth, blocks, channels, width, stem, conv):
    """Features, and what stands on them: a function of images [B, H, W, 3]."""

    def forward(images, training=False):
        name = f"res_net{depth}"
        features = Encoder(name, blocks, channels, width, stem, conv)(images, training)
        Head("predictor")(Head("projector")(features, training), training)
        hk.Linear(10, name="classifier")(features)
        return features

    return hk.without_apply_rng(hk.transform_with_state(forward))


def randomized(rng, name, shape):
    """Weights that keep the size of what they multiply; norms that matter."""
    x = rng.standard_normal(shape)
    if name == "w":
        return x * math.sqrt(2 / np.prod(shape[:-1]))
    if name == "average":
        return 0.3 * x
    return 0.2 * x + (0.6 if name == "scale" else 0)


SMALL = dict(
    depth=50, blocks=(1, 2, 1, 1), channels=(16, 32, 64, 128), width=1, stem=4, conv="initial_conv"
)  # fmt: skip


def byol(seed=1, dtype=np.float32, **kind):
    """Parameters, moving averages, and the function of these two and images [B, H, W, 3] that gives
    features."""
    rng = np.random.RandomState(seed)
    forward = networks(**dict(SMALL, **kind))
    key, images = jax.random.PRNGKey(0), jnp.zeros((1, 64, 64, 3))
    shapes = jax.eval_shape(functools.partial(forward.init, training=True), key, images)
    params, state = (
        {
            m: {k: randomized(rng, k, x.shape).astype(dtype) for k, x in tree[m].items()}
            for m in tree
        }
        for tree in shapes
    )
    for module, averages in state.items():
        if module.endswith("var_ema"):
            averages["average"] = np.exp(averages["average"]).astype(dtype)
        averages["counter"] = np.zeros((), np.int32) + 3
        averages["hidden"] = (averages["average"] * (1 - 0.9**3)).astype(dtype)
    return params, state, lambda p, s, x: forward.apply(p, s, x)[0]


def as_type(tree, dtype):
    return {m: {k: x.astype(dtype) for k, x in v.items()} for m, v in tree.items()}


def frozen(tree):
    """Haiku 0.0.1 and 0.0.2."""
    return data_structures.frozendict({k: data_structures.frozendict(v) for k, v in tree.items()})


def flat(tree):
    """Haiku 0.0.3 to 0.0.5."""
    return data_structures.to_immutable_dict(tree)


def save(path, params, state, wrap=flat, protocol=2, other=None, pickler=dill):
    """byol/utils/checkpointing.py.  other: the target network's; None: the same arrays."""
    params, state = wrap(params), wrap(state)
    target = (wrap(other[0]), wrap(other[1])) if other else (params, state)
    made = dict(
        experiment_state=_ByolExperimentState(
            params, target[0], state, target[1], LarsState(target[0])
        ),
        step=1000,
        rng=jax.random.PRNGKey(0),
    )
    with open(path, "wb") as file:
        pickler.dump(made, file, protocol=protocol)
