"""Weights as NumPy's arrays (nets_npz.py): written by NumPy, read here and by timm's own loader."""

import sys

try:
    import numpy as np
    import timm
    import torch
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets
import nets_npz
from encoder_tools import FOLDER, compare, images_for, refusal, run
from timm.models.resnetv2 import resnetv2_50x1_bit
from timm.models.vision_transformer import vit_tiny_patch16_224

PATH = FOLDER / "model.npz"


def small_ones():
    """Stored and deflated, in three types, recognised as themselves."""
    good = True
    for packed, dtype in ((False, np.float32), (True, np.float64)):
        made = nets_npz.bit(2, layers=(1, 2, 1, 1))
        nets_npz.save(PATH, made[1], packed, dtype)
        for size in (45, 64):
            label = f"BiT's .npz, deflated {packed}, {np.dtype(dtype)}, at {size}"
            good &= compare(PATH, images_for(size, 3), made[2], label, input_size=size)
        _, info = run(PATH, images_for(64, 1), "penultimate", input_size=64)
        good &= info["family"] == "bit-npz"
        for heads in (2, 3):
            made = nets_npz.vit(3, heads)
            nets_npz.save(PATH, made[1], packed, dtype)
            good &= compare(PATH, images_for(15, 3), made[2], f"ViT's .npz, {heads} heads", heads=heads)
        _, info = run(PATH, images_for(15, 1), "penultimate", heads=3)
        good &= info["family"] == "vit-npz"
    return good


def twelve_blocks():
    """Numbers of blocks of two digits."""
    made = nets_npz.bit(4, layers=(1, 12, 1, 1), channels=(32,) * 4)
    nets_npz.save(PATH, made[1])
    return compare(PATH, images_for(48, 2), made[2], "BiT, 12 blocks in a stage", input_size=48)


def official(name, arrays, other, act):
    """Official shapes, loaded by timm's own code."""
    nets_npz.save(PATH, arrays)
    theirs = other.eval()
    theirs.load_pretrained(str(PATH))
    images = images_for(224, 1)
    return compare(PATH, images, nets.pre_logits(theirs), name, **act)


def bit_official():
    model = nets.randomized(resnetv2_50x1_bit(pretrained=False, num_classes=3), 1)
    arrays = nets_npz.bit_arrays(model.state_dict())
    other = resnetv2_50x1_bit(pretrained=False, num_classes=3)
    return official("BiT-M-R50x1.npz", arrays, other, {})


def vit_official():
    """timm's GELU is the exact one, which can be asked for."""
    model = nets.randomized(vit_tiny_patch16_224(pretrained=False, num_classes=3), 1)
    arrays = nets_npz.vit_arrays(model, 3)
    other = vit_tiny_patch16_224(pretrained=False, num_classes=3)
    return official("ViT-Ti/16's .npz", arrays, other, dict(activation="gelu"))


def orders_and_types():
    """What NumPy may write that is no plain array: Fortran's order is read, others are refused."""
    made = nets_npz.vit(5)
    arrays = {k: x.numpy() for k, x in made[1].items()}
    name = "Transformer/posembed_input/pos_embedding"
    np.savez(PATH, **(arrays | {name: np.asfortranarray(arrays[name])}))
    good = compare(PATH, images_for(15, 2), made[2], "Fortran's order", heads=2)
    np.savez(PATH, **(arrays | {"head/bias": np.array(["a", "b", "c"])}))
    good &= compare(PATH, images_for(15, 2), made[2], "a text beside it", heads=2)
    np.savez(PATH, **(arrays | {name: arrays[name].astype(">f4")}))
    good &= "big-endian numbers" in refusal(PATH, images_for(15, 1), "penultimate", heads=2)
    return good


TESTS = [small_ones, twelve_blocks, bit_official, vit_official, orders_and_types]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (np, torch, timm)))
