"""Google's SimCLR in TensorFlow, and its checkpoints: for test_tensorflow.py and
tests/golden/make_simclr.py."""

import collections
import math

import numpy as np
import tensorflow as tf

SMALL = dict(layers=(1, 2, 1, 1), filters=4, selective=True)


class Layers:
    """Variables by tf.layers' names; those that are missing are made."""

    def __init__(self, values, rng, dtype):
        self.values, self.rng, self.dtype = values, rng, dtype
        self.numbers = collections.Counter()

    def name(self, kind):
        number = self.numbers[kind]
        self.numbers[kind] += 1
        return f"base_model/{kind}" + (f"_{number}" if number else "")

    def variable(self, name, make):
        if name not in self.values:
            self.values[name] = np.asarray(make()).astype(self.dtype)
        return tf.constant(self.values[name])

    def conv(self, x, filters, taps, stride=1):
        shape = (taps, taps, x.shape[-1], filters)
        scale = math.sqrt(2 / np.prod(shape[:-1]))
        kernel = self.variable(
            self.name("conv2d") + "/kernel", lambda: scale * self.rng.standard_normal(shape)
        )
        if stride > 1:
            x = tf.pad(x, [[0, 0], *[[(taps - 1) // 2, taps // 2]] * 2, [0, 0]])
        return tf.nn.conv2d(x, kernel, stride, "VALID" if stride > 1 else "SAME")

    def norm(self, x, relu=True):
        name, width = self.name("batch_normalization"), x.shape[-1]
        gamma, beta, mean, log = (
            self.variable(f"{name}/{part}", lambda: near + away * self.rng.standard_normal(width))
            for part, near, away in (
                ("gamma", 0.6, 0.2), ("beta", 0, 0.2), ("moving_mean", 0, 0.3),
                ("moving_variance", 1, 0.2),
            )
        )  # fmt: skip
        x = tf.nn.batch_normalization(x, mean, tf.abs(log), beta, gamma, 1e-5)
        return tf.nn.relu(x) if relu else x


def selective_kernel(make, x, filters, stride):
    x = make.norm(make.conv(x, 2 * filters, 3, stride))
    halves = tf.stack(tf.split(x, 2, 3))
    m = tf.reduce_mean(tf.reduce_sum(halves, 0), (1, 2), keepdims=True)
    m = make.norm(make.conv(m, max(filters // 16, 32), 1))
    m = make.conv(m, 2 * filters, 1)
    return tf.reduce_sum(halves * tf.nn.softmax(tf.stack(tf.split(m, 2, 3)), 0), 0)


def block(make, x, filters, stride, first, selective):
    shortcut = x
    if first and selective:
        if stride > 1:
            shortcut = tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]])
        shortcut = tf.nn.avg_pool2d(shortcut, 2, stride, "VALID" if stride > 1 else "SAME")
        shortcut = make.norm(make.conv(shortcut, 4 * filters, 1), relu=False)
    elif first:
        shortcut = make.norm(make.conv(x, 4 * filters, 1, stride), relu=False)
    x = make.norm(make.conv(x, filters, 1))
    if selective:
        x = selective_kernel(make, x, filters, stride)
    else:
        x = make.norm(make.conv(x, filters, 3, stride))
    x = make.norm(make.conv(x, 4 * filters, 1), relu=False)
    return tf.nn.relu(x + shortcut)


def forward(make, x, layers, filters, selective):
    """google-research/simclr resnet.py: images [B, H, W, 3] -> features [B, 32 filters]."""
    if selective:
        x = make.norm(make.conv(x, filters // 2, 3, 2))
        x = make.norm(make.conv(x, filters // 2, 3))
        x = make.norm(make.conv(x, filters, 3))
    else:
        x = make.norm(make.conv(x, filters, 7, 2))
    x = tf.nn.max_pool2d(x, 3, 2, "SAME")
    for stage, blocks in enumerate(layers):
        for i in range(blocks):
            stride = 2 if stage > 0 and i == 0 else 1
            x = block(make, x, filters << stage, stride, i == 0, selective)
    return tf.reduce_mean(x, (1, 2))


def simclr(seed=1, dtype=np.float32, **kind):
    """Variables {name: values}, and the function of these and images [B, H, W, 3] that gives
    features."""
    kind = dict(SMALL, **kind)
    values = {}
    forward(
        Layers(values, np.random.RandomState(seed), np.float32),
        tf.zeros((1, 64, 64, 3), np.float32), **kind,
    )  # fmt: skip
    values = {name: x.astype(dtype) for name, x in values.items()}

    def features(images, wide=np.float32):
        widened = {name: x.astype(wide) for name, x in values.items()}
        return forward(Layers(widened, None, wide), tf.constant(images.astype(wide)), **kind).numpy()

    return values, features


def beside(values):
    """What a file of Google's also holds: heads, the optimizer's averages, the step."""
    first = "base_model/conv2d/kernel"
    return {
        "global_step": np.int64(250228),
        "head_contrastive/nl_0/dense/kernel": np.ones((4, 2), np.float32),
        "head_supervised/linear_layer/dense/bias": np.zeros(3, np.float32),
        first + "/Momentum": np.zeros(values[first].shape, np.float32),
    }


def save(prefix, *parts):
    """One file of values for each part."""
    prefixes = [f"{prefix}_{i}" for i in range(len(parts))] if len(parts) > 1 else [str(prefix)]
    for name, part in zip(prefixes, parts):
        tf.raw_ops.SaveV2(
            prefix=name,
            tensor_names=list(part),
            shape_and_slices=[""] * len(part),
            tensors=[tf.constant(x) for x in part.values()],
        )
    if len(parts) > 1:
        tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=prefixes, destination_prefix=str(prefix), delete_old_dirs=False
        )
