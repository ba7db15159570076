"""Google's checkpoints of SimCLR (nets_tensorflow.py), written and run by TensorFlow.

Environment: LP_SIMCLR (a clone of google-research/simclr, to compare with its own program; needs
tf_keras).
"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # of Google's program
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import numpy as np
    import tensorflow as tf
    import torch
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets_tensorflow as nets
from encoder_tools import FOLDER, compare, images_for, refuses, run

PREFIX = FOLDER / "model.ckpt-1"
PATH = FOLDER / "model.ckpt-1.index"


def saved(made):
    """Writes the checkpoint; features of images [B, 3, H, W] by TensorFlow."""
    values, features = made
    nets.save(PREFIX, values | nets.beside(values))

    def run_tensorflow(images):
        x = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        return {"penultimate": torch.from_numpy(features(x))}

    return run_tensorflow


def kinds():
    """With and without selective kernels, at even and odd sides, in each type of numbers."""
    good = True
    for selective in (True, False):
        for size in (64, 75, 90):
            expected = saved(nets.simclr(2, selective=selective, layers=(1, 2, 3, 1)))
            label = f"selective {selective} at {size}"
            good &= compare(PATH, images_for(size, 2), expected, label, input_size=size)
    for dtype in (np.float16, np.float64, tf.bfloat16.as_numpy_dtype):
        expected = saved(nets.simclr(3, dtype))
        good &= compare(PATH, images_for(64, 2), expected, np.dtype(dtype).name, input_size=64)
    return good


def deep():
    """More blocks than ten, so numbers of two and three digits."""
    expected = saved(nets.simclr(4, layers=(1, 2, 17, 1), filters=8))
    return compare(PATH, images_for(64, 2), expected, "21 blocks", input_size=64)


def official():
    """The shapes of R50-1x and R50-1x-SK."""
    good = True
    for selective, name in ((False, "SimCLR R50-1x"), (True, "SimCLR R50-1x-SK")):
        expected = saved(nets.simclr(5, selective=selective, layers=(3, 4, 6, 3), filters=64))
        good &= compare(PATH, images_for(224, 1), expected, name)
        _, info = run(PATH, images_for(224, 1), "penultimate")
        print("#", {k: info[k] for k in ("family", "name", "resize", "crop", "filter")})
        good &= info["name"] == name and info["family"] == "google-simclr"
    return good


def files():
    """Values in several files, and a second network beside the first."""
    values, _ = made = nets.simclr(6)
    average = {f"ema_model/{k}": x + 1 for k, x in nets.simclr(7)[0].items()}
    names = sorted(values)
    half = {k: values[k] for k in names[::2]}
    rest = {k: values[k] for k in names[1::2]}
    expected = saved(made)
    nets.save(PREFIX, half, rest)
    good = compare(PATH, images_for(64, 2), expected, "two files", input_size=64)
    for path in FOLDER.glob("model.ckpt-1*"):
        path.unlink()
    nets.save(PREFIX, values | average)
    good &= compare(
        PATH, images_for(64, 2), expected, "with averages", input_size=64, select="base_model."
    )
    return good


def googles_program():
    """The network by Google's resnet.py, saved by its Saver."""
    if "LP_SIMCLR" not in os.environ:
        return "LP_SIMCLR is not set"
    import tensorflow.compat.v1 as v1
    from absl import flags

    sys.path.insert(0, os.environ["LP_SIMCLR"])
    flags.DEFINE_bool("global_bn", False, "")
    flags.DEFINE_float("batch_norm_decay", 0.9, "")
    flags.DEFINE_float("sk_ratio", 0.0, "")
    flags.DEFINE_float("se_ratio", 0.0, "")
    flags.DEFINE_string("train_mode", "finetune", "")
    flags.DEFINE_integer("fine_tune_after_block", -1, "")
    flags.FLAGS(["test_tensorflow"])
    import resnet

    good = True
    for ratio in (0.0, 0.0625):
        for size in (64, 75):
            flags.FLAGS.sk_ratio = ratio
            values, _ = nets.simclr(9, selective=ratio > 0, layers=(3, 4, 6, 3), filters=64)
            with tf.Graph().as_default(), v1.Session() as session:
                images = v1.placeholder(tf.float32, (2, size, size, 3))
                with v1.variable_scope("base_model"):
                    features = resnet.resnet_v1(50, 1)(images, is_training=False)
                variables = {v.op.name: v for v in v1.global_variables()}
                assert variables.keys() == values.keys()
                session.run([v1.assign(v, values[name]) for name, v in variables.items()])
                v1.train.Saver().save(session, str(PREFIX))
                x = 3 * images_for(size, 2)
                expected = session.run(features, {images: x.permute(0, 2, 3, 1).numpy()})
            label = f"Google's program, sk_ratio {ratio}, at {size}"
            expected = {"penultimate": torch.from_numpy(expected)}
            good &= compare(PATH, x, expected, label, input_size=size)
    return good


def refused():
    """What this program does not know is named."""
    images, good = images_for(64, 1), True

    def says(what, text):
        return refuses(PATH, images, what, text, input_size=64)

    values, _ = nets.simclr(8)
    more = {"base_model/conv2d_99/kernel": np.ones((1, 1, 2, 2), np.float32)}
    nets.save(PREFIX, values | more)
    good &= says("a layer more", "base_model.conv2d_99.kernel")
    nets.save(PREFIX, {k: v for k, v in values.items() if "normalization_3/moving_v" not in k})
    good &= says("an average less", "batch_normalization_3.moving_variance")
    nets.save(PREFIX, nets.simclr(8, selective=False)[0] | {
        "base_model/conv2d/kernel": np.ones((3, 3, 3, 4), np.float32)
    })
    good &= says("a stem for CIFAR", "SimCLR's stem for CIFAR")
    return good


TESTS = [kinds, deep, official, files, googles_program, refused]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (np, torch, tf)))
