"""Small vision transformers with random weights, and facebookresearch's names and positions."""

import timm
import torch
from timm.layers import SwiGLUPacked
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch.nn import functional as F

import clip_vision

GATED = dict(mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU)


def randomized(model, seed):
    clip_vision.randomize(model.eval(), seed)
    return model


def resized(positions, grid, **how):
    """Positions of a class token and a square, the square interpolated."""
    side = int((positions.shape[1] - 1) ** 0.5)
    square = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, mode="bicubic", **how)
    assert square.shape[-2:] == (grid, grid)
    return torch.cat([positions[:, :1], square.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def small_vit(grid, patch=7, **kind):
    kind = dict(embed_dim=64, depth=2, num_heads=1, num_classes=0) | kind
    return TimmViT(img_size=grid * patch, patch_size=patch, **kind)


def dinov2_state(model):
    """facebookresearch's names from timm's."""
    state = {}
    for name, x in model.state_dict().items():
        if isinstance(model.blocks[0].mlp, timm.layers.GluMlp):
            name = name.replace("mlp.fc1", "mlp.w12").replace("mlp.fc2", "mlp.w3")
        state[name.replace("reg_token", "register_tokens")] = x
    state["mask_token"] = torch.zeros(1, model.embed_dim)
    return state


def mmpretrain_names(state):
    """Of its VisionTransformer, from timm's."""
    names = {
        "patch_embed.proj.": "patch_embed.projection.", "blocks.": "layers.", ".norm1.": ".ln1.",
        ".norm2.": ".ln2.", "mlp.fc1.": "ffn.layers.0.0.", "mlp.fc2.": "ffn.layers.1.",
        ".ls1.gamma": ".attn.gamma1.weight", ".ls2.gamma": ".ffn.gamma2.weight",
    }
    whole = {"norm.": "ln1.", "fc_norm.": "ln2.", "norm_pre.": "pre_norm."}
    out = {}
    for key, x in state.items():
        for old, new in names.items():
            key = key.replace(old, new)
        for old, new in whole.items():
            key = new + key[len(old):] if key.startswith(old) else key
        out[key] = x
    return out
