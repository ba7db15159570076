"""Small networks of mixed kinds, convolutions before attention, with random weights, in every naming
that linprobe reads: for test_mobile.py and tests/golden/make_families.py.  As nets.py."""

from functools import partial

import torch
from timm.layers import HybridEmbed, LayerNorm2d
from timm.models.fastvit import FastVit, RepConditionalPosEnc
from timm.models.tiny_vit import TinyVit
from timm.models.vision_transformer import VisionTransformer
from timm.models.vision_transformer_hybrid import ConvStem
from timm.models.vitamin import GeGluMlp, MbConvStages, VitCfg
from timm.utils.model import reparameterize_model

from nets import pre_logits, randomized, renamed, settled, without_counts

# ---- FastViT and MobileCLIP ----------------------------------------------------------------------

POSITIONS = partial(RepConditionalPosEnc, spatial_shape=(7, 7))
MCI = dict(se_downsamples=(False, False, True, True), lkc_use_act=True)
MCI5 = dict(
    layers=(1, 1, 1, 1, 1), embed_dims=(8, 16, 16, 32, 64), mlp_ratios=(2,) * 5,
    se_downsamples=(False,) * 5, downsamples=(False, True, True, True, True),
    pos_embs=(None, None, None, POSITIONS, POSITIONS),
    token_mixers=("repmixer",) * 3 + ("attention",) * 2, lkc_use_act=True,
    norm_layer=partial(LayerNorm2d, eps=1e-5), stem_use_scale_branch=False,
)
ATTENTION = dict(
    pos_embs=(None, None, None, POSITIONS), token_mixers=("repmixer",) * 3 + ("attention",)
)


def fastvit(seed=1, fused=False, num_classes=3, **kind):
    """timm's; fused: as reparameterize_model leaves it."""
    kind = dict(layers=(1, 2, 1, 1), embed_dims=(8, 16, 16, 32), mlp_ratios=(2,) * 4) | kind
    model = randomized(FastVit(num_classes=num_classes, **kind), seed)
    if fused:
        model = reparameterize_model(model)
    return model, without_counts(model.state_dict()), pre_logits(model)


def whole(model, features):
    """A CLIP's tower: its classifier is the projection."""
    return lambda x: features(x) | {"projected": model(x)}


def clip_fastvit(seed=1, **kind):
    model, state, features = fastvit(seed, num_classes=10, **kind)
    state = {f"visual.trunk.{k}": x for k, x in state.items()}
    return model, state, whole(model, features)


# timm's checkpoint_filter_fn, backwards.
APPLE = {
    "stem.": "patch_embed.", "conv_kxk": "rbr_conv", "conv_scale": "rbr_scale",
    "identity": "rbr_skip", "final_conv.": "conv_exp.", "large_conv": "lkb_origin",
    ".mlp.": ".convffn.", "layer_scale.gamma": "layer_scale", "layer_scale_1.gamma": "layer_scale_1",
    "layer_scale_2.gamma": "layer_scale_2", "head.fc.": "head.",
}


def apple_names(state, fused=False):
    stages = sorted({int(k.split(".")[1]) for k in state if k.startswith("stages.")})
    places, number = {}, 0
    for s in stages:
        for part in ("downsample.", "pos_emb.", "blocks."):
            if any(k.startswith(f"stages.{s}.{part}") for k in state):
                places[f"stages.{s}.{part}"] = f"network.{number}."
                number += 1
    out = {}
    for name, x in state.items():
        if fused:
            name = name.replace("downsample.proj.0.reparam", "downsample.proj.0.lkb_reparam")
            name = name.replace("lkb_reparam_conv", "lkb_reparam")
        for old, new in places.items():
            name = name.replace(old, new)
        name = name.replace("pos_enc.", "pe.")
        if "proj.0.se" not in name:
            name = name.replace("se.fc1", "se.reduce").replace("se.fc2", "se.expand")
        for old, new in APPLE.items():
            name = name.replace(old, new)
        out[name] = x
    return out


def apple_fastvit(seed=1, fused=False, **kind):
    model, state, features = fastvit(seed, fused, **kind)
    return model, apple_names(state, fused), features


def mobileclip(seed=1, fused=False, **kind):
    """apple/ml-mobileclip: the projection is [in, out], and there is a text tower."""
    model, state, features = fastvit(seed, fused, num_classes=10, **(MCI | ATTENTION | kind))
    with torch.no_grad():
        model.head.fc.bias.zero_()
    state = apple_names(model.state_dict(), fused)
    state["head.proj"] = state.pop("head.weight").T.contiguous()
    del state["head.bias"]
    state = {f"image_encoder.model.{k}": x for k, x in without_counts(state).items()}
    state["text_encoder.embedding_layer.weight"] = torch.zeros(3, 4)
    state["logit_scale"] = torch.tensor(1.0)
    return model, state, whole(model, features)


# ---- ViTs behind convolutions --------------------------------------------------------------------


def vitamin(seed=1, positions=True, dims=(8, 12, 24), num_classes=3, **kind):
    cfg = VitCfg(embed_dim=dims, depths=(2, 2, 1), stem_width=8)
    kind = dict(img_size=48, depth=2, num_heads=2, embed_dim=dims[2], mlp_ratio=2.0) | kind
    model = VisionTransformer(
        embed_layer=partial(HybridEmbed, backbone=MbConvStages(cfg), proj=False), patch_size=1,
        mlp_layer=GeGluMlp, class_token=False, global_pool="avg", num_classes=num_classes,
        pos_embed="learn" if positions else "none", **kind
    )
    model = randomized(model, seed)
    return model, model.state_dict(), pre_logits(model)


def clip_vitamin(seed=1, **kind):
    """open_clip's names: a trunk without a classifier, and a linear layer."""
    model, state, features = vitamin(seed, num_classes=0, **kind)
    head = randomized(torch.nn.Linear(model.num_features, 10, bias=False), seed + 1)
    state = {f"visual.trunk.{k}": x for k, x in state.items()}
    state["visual.head.proj.weight"] = head.weight.data
    model.clip_head = head
    return model, state, lambda x: features(x) | {"projected": head(features(x)["penultimate"])}


def mci_vit(seed=1, num_classes=10, **kind):
    stem = ConvStem(
        channels=(8, 8, 24), stride=(4, 2, 2), kernel_size=(4, 2, 2), padding=0,
        act_layer=torch.nn.GELU,
    )
    kind = dict(img_size=48, embed_dim=24, depth=2, num_heads=2, no_embed_class=True) | kind
    model = VisionTransformer(
        embed_layer=partial(HybridEmbed, backbone=stem, proj=False), patch_size=1, mlp_ratio=1.5,
        num_classes=num_classes, **kind
    )
    model = randomized(model, seed)
    return model, without_counts(model.state_dict()), pre_logits(model)


def clip_mci_vit(seed=1):
    model, state, features = mci_vit(seed)
    return model, {f"visual.trunk.{k}": x for k, x in state.items()}, whole(model, features)


APPLE_VIT = {
    "patch_embed.backbone.": "patch_emb.", ".conv.": ".block.conv.", ".bn.": ".block.norm.",
    "blocks.": "transformer.", ".norm1.": ".pre_norm_mha.0.", ".attn.qkv.": ".pre_norm_mha.1.qkv_proj.",
    ".attn.proj.": ".pre_norm_mha.1.out_proj.", ".norm2.": ".pre_norm_ffn.0.",
    ".mlp.fc1.": ".pre_norm_ffn.1.", ".mlp.fc2.": ".pre_norm_ffn.4.",
}


def mobileclip_vit(seed=1):
    """apple/ml-mobileclip: norms with torch's eps."""
    norm = partial(torch.nn.LayerNorm, eps=1e-5)
    model, state, features = mci_vit(seed, norm_layer=norm)
    with torch.no_grad():
        model.head.bias.zero_()
    out = {}
    for name, x in state.items():
        for old, new in APPLE_VIT.items():
            name = name.replace(old, new)
        name = "post_transformer_" + name if name.startswith("norm.") else name
        out[f"image_encoder.model.{name}"] = x
    prefix = "image_encoder.model."
    out[prefix + "pos_embed.pos_embed.pos_embed"] = out.pop(prefix + "pos_embed")[None]
    out[prefix + "classifier.proj"] = out.pop(prefix + "head.weight").T.contiguous()
    del out[prefix + "head.bias"]
    return model, out, whole(model, features)


# ---- TinyViT -------------------------------------------------------------------------------------

CREAM = [
    (r"^patch_embed\.conv(\d)\.", lambda m: f"patch_embed.seq.{2 * int(m[1]) - 2}."),
    (r"^stages\.(\d)\.downsample\.", lambda m: f"layers.{int(m[1]) - 1}.downsample."),
    (r"^stages\.", "layers."),
    (r"^head\.norm\.", "norm_head."),
    (r"^head\.fc\.", "head."),
]


def tinyvit(seed=1, **kind):
    kind = dict(
        embed_dims=(8, 12, 16, 24), depths=(1, 2, 1, 1), num_heads=(1, 2, 2, 3),
        window_sizes=(2, 2, 3, 2), mlp_ratio=1.5,
    ) | kind
    model = settled(randomized(TinyVit(num_classes=3, **kind), seed))
    return model, without_counts(model.state_dict()), pre_logits(model)


def cream_tinyvit(seed=1):
    """microsoft/Cream's names; a buffer is kept."""
    model, state, features = tinyvit(seed)
    state = {k.replace(".conv.weight", ".c.weight"): x for k, x in renamed(state, CREAM).items()}
    state["layers.1.blocks.0.attn.attention_bias_idxs"] = torch.zeros(4, 4)
    return model, state, features


# The input's side of each golden file, and sizes to compare at; the file's name and options.
SIZES = dict.fromkeys(
    ("timm-vitamin", "clip-vitamin", "timm-mci-vit", "clip-mci-vit", "mobileclip-vit"), (48,)
)
FILES = {}
OPTIONS = {name: dict(heads=2) for name in SIZES}

SMALL = {
    "timm-fastvit": lambda: fastvit(2, **ATTENTION),
    "timm-mci": lambda: fastvit(**MCI, **ATTENTION, fused=True),
    "timm-mci5": lambda: fastvit(**MCI5),
    "clip-fastvit": lambda: clip_fastvit(**MCI, **ATTENTION),
    "clip-mci5": lambda: clip_fastvit(**MCI5, fused=True),
    "fastvit": apple_fastvit,
    "mobileclip": mobileclip,
    "timm-vitamin": vitamin,
    "clip-vitamin": clip_vitamin,
    "timm-mci-vit": mci_vit,
    "clip-mci-vit": clip_mci_vit,
    "mobileclip-vit": mobileclip_vit,
    "timm-tinyvit": tinyvit,
    "tinyvit": cream_tinyvit,
}
