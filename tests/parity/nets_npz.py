"""Small networks with random weights as the .npz files of their authors have them, for JAX and
TensorFlow: for test_npz.py and tests/golden/make_families.py.  Arrays are in their order; shown()
gives them as linprobe lists them."""

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer

import nets


def as_kernel(weight):
    """PyTorch's weight in TensorFlow's order."""
    return weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.T


def bit_arrays(state):
    arrays = {
        "resnet/root_block/standardized_conv2d/kernel": as_kernel(state["stem.conv.weight"]),
        "resnet/group_norm/gamma": state["norm.weight"],
        "resnet/group_norm/beta": state["norm.bias"],
        "resnet/head/conv2d/kernel": as_kernel(state["head.fc.weight"]),
        "resnet/head/conv2d/bias": state["head.fc.bias"],
    }
    for name, x in state.items():
        parts = name.split(".")
        if parts[0] != "stages":
            continue
        place = f"resnet/block{int(parts[1]) + 1}/unit{int(parts[3]) + 1:02d}/"
        if parts[4] == "downsample":
            arrays[place + "a/proj/standardized_conv2d/kernel"] = as_kernel(x)
        else:
            place += "abc"[int(parts[4][-1]) - 1]
            norm = {"weight": "gamma", "bias": "beta"}[parts[5]]
            end = "/standardized_conv2d/kernel" if "conv" in parts[4] else f"/group_norm/{norm}"
            arrays[place + end] = as_kernel(x) if "conv" in parts[4] else x
    return arrays


def bit(seed=1, **kind):
    """google-research/big_transfer."""
    model, state, features = nets.timm_bit(seed, **kind)
    return model, bit_arrays(state), features


def vit_arrays(model, heads):
    state, width = model.state_dict(), model.embed_dim
    shape = (heads, width // heads)
    arrays = {
        "embedding/kernel": as_kernel(state["patch_embed.proj.weight"]),
        "embedding/bias": state["patch_embed.proj.bias"],
        "cls": state["cls_token"],
        "Transformer/posembed_input/pos_embedding": state["pos_embed"],
        "Transformer/encoder_norm/scale": state["norm.weight"],
        "Transformer/encoder_norm/bias": state["norm.bias"],
        "head/kernel": as_kernel(state["head.weight"]),
        "head/bias": state["head.bias"],
        "pre_logits/kernel": torch.ones(width, width),
        "pre_logits/bias": torch.ones(width),
    }
    for i in range(len(model.blocks)):
        place, block = f"Transformer/encoderblock_{i}/", f"blocks.{i}."
        for norm, number in (("norm1", 0), ("norm2", 2)):
            arrays[place + f"LayerNorm_{number}/scale"] = state[block + norm + ".weight"]
            arrays[place + f"LayerNorm_{number}/bias"] = state[block + norm + ".bias"]
        attention = place + "MultiHeadDotProductAttention_1/"
        parts = zip(
            ("query", "key", "value"), state[block + "attn.qkv.weight"].chunk(3),
            state[block + "attn.qkv.bias"].chunk(3),
        )
        for name, weight, bias in parts:
            arrays[attention + name + "/kernel"] = weight.T.reshape(width, *shape)
            arrays[attention + name + "/bias"] = bias.reshape(shape)
        out = state[block + "attn.proj.weight"].T.reshape(*shape, width)
        arrays[attention + "out/kernel"] = out
        arrays[attention + "out/bias"] = state[block + "attn.proj.bias"]
        for j in (0, 1):
            dense = place + f"MlpBlock_3/Dense_{j}/"
            arrays[dense + "kernel"] = state[block + f"mlp.fc{j + 1}.weight"].T
            arrays[dense + "bias"] = state[block + f"mlp.fc{j + 1}.bias"]
    return arrays


def vit(seed=1, heads=2, **kind):
    """google-research/vision_transformer, whose GELU is the approximate one."""
    kind = dict(img_size=15, patch_size=5, embed_dim=24, depth=2, mlp_ratio=1.5) | kind
    model = VisionTransformer(num_heads=heads, act_layer="gelu_tanh", num_classes=3, **kind)
    model = nets.randomized(model, seed)
    return model, vit_arrays(model, heads), nets.pre_logits(model)


def shown(arrays):
    """The names and shapes under which linprobe lists arrays."""
    out = {}
    for name, x in arrays.items():
        if name.endswith("/kernel") and x.ndim == 4:
            x = x.permute(3, 2, 0, 1)
        elif name.endswith("/kernel") and x.ndim == 3:
            x = x.reshape(-1, x.shape[2]).T if "/out/" in name else x.reshape(x.shape[0], -1).T
        elif name.endswith("/kernel"):
            x = x.T
        elif name.endswith("/bias"):
            x = x.flatten()
        out[name.replace("/", ".")] = x.contiguous()
    return out


def as_shown(made):
    model, arrays, features = made
    return model, shown(arrays), features


def save(path, arrays, packed=False, dtype=np.float32):
    write = np.savez_compressed if packed else np.savez
    write(path, **{k: np.ascontiguousarray(x.detach().numpy(), dtype) for k, x in arrays.items()})


# As nets_mobile.py's; for the golden files.
SIZES = {"vit-npz": (15,), "bit-npz": (45,)}
FILES = {}
SMALL = {
    "bit-npz": lambda: as_shown(bit(layers=(1, 1, 1, 1), channels=(32, 32, 32, 32))),
    "vit-npz": lambda: as_shown(vit()),
}
