"""The encoder against PyTorch, open_clip and timm on the same weights, in float32 on the CPU.

Environment: as encoder_tools.py; LP_REAL_VIT (a real timm ViT as .safetensors; optional).
"""

import math
import os
import sys
import warnings

try:
    import numpy as np
    import open_clip
    import timm
    import torch
    from safetensors.torch import load_file, save_file
    from timm.models.vision_transformer import VisionTransformer as TimmViT
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import clip_vision
import encoder_tools
from encoder_tools import FOLDER, LIMIT, images_for, relative, run

warnings.simplefilter("ignore")  # PyTorch announces that TorchScript will go


def compare_clip(checkpoint, images, model):
    return encoder_tools.compare(checkpoint, images, model.stages, activation="quick_gelu")


def compare_timm(checkpoint, images, model):
    return encoder_tools.compare(checkpoint, images, lambda x: clip_vision.timm_stages(model, x))


def clip_model(seed, **dimensions):
    model = clip_vision.Clip(**dimensions).eval()
    clip_vision.randomize(model, seed)
    return clip_vision.to_half_where_official(model)


def small_clips():
    """Odd dimensions: heads of 64, 80 and 65, patches that are no power of two, one layer, one
    patch; weights as state dicts."""
    good = True
    names = ("input_size", "patch", "width", "layers", "embedding", "inner")
    for i, values in enumerate(
        [
            (28, 7, 128, 3, 40, None),
            (15, 5, 160, 2, 17, 100),
            (6, 6, 130, 1, 3, 33),
            (45, 3, 64, 2, 8, 64),
        ]
    ):
        model = clip_model(i, **dict(zip(names, values)))
        path = FOLDER / "small.pt"
        torch.save(model.state_dict(), path)
        model.float()
        good &= compare_clip(path, images_for(values[0], 7), model.visual)
    return good


class WholeClip(torch.nn.Module):
    """ViT-B/32 as openai/CLIP ships it: image tower, text tower and scale."""

    def __init__(self):
        super().__init__()
        self.visual = clip_vision.VisionTransformer(224, 32, 768, 12, 512)
        self.transformer = clip_vision.Transformer(512, 12, 8, 2048)
        self.token_embedding = torch.nn.Embedding(49408, 512)
        self.positional_embedding = torch.nn.Parameter(torch.empty(77, 512))
        self.ln_final = torch.nn.LayerNorm(512)
        self.text_projection = torch.nn.Parameter(torch.empty(512, 512))
        self.logit_scale = torch.nn.Parameter(torch.ones([]))

    def forward(self, images):
        return self.visual(images)


def official_vit_b32():
    """The official shape, weights in the official types in a TorchScript archive; and open_clip's
    own model with these weights."""
    torch.manual_seed(0)
    whole = WholeClip().eval()
    clip_vision.randomize(whole.visual, 32)
    images = images_for(224, 4)
    traced = torch.jit.trace(whole, images, check_trace=False)
    clip_vision.to_half_where_official(whole)  # shares its parameters with the traced module
    path = FOLDER / "ViT-B-32.pt"
    traced.save(str(path))
    visual = whole.visual.float()
    good = compare_clip(path, images, visual)

    other = open_clip.model._build_vision_tower(
        512,
        open_clip.CLIPVisionCfg(layers=12, width=768, patch_size=32, image_size=224),
        quick_gelu=True,
    ).eval()
    other.load_state_dict(visual.state_dict())
    with torch.no_grad():
        expected = other(images)
    features, info = run(path, images, "projected", activation="quick_gelu")
    error = relative(features, expected)
    print(f"# open_clip {open_clip.__version__}'s model: relative error {error:.2e}")
    with torch.no_grad():
        exact = visual.double().stages(images.double())["projected"]
    print(
        f"# against float64: linprobe {relative(features, exact):.2e}, "
        f"PyTorch float32 {relative(expected, exact):.2e}"
    )
    path.unlink()
    return good and error <= LIMIT and info["name"] == "CLIP ViT-B/32"


def vit_l14_shape():
    model = clip_model(14, input_size=224, patch=14, width=1024, layers=3, embedding=768)
    path = FOLDER / "l14.safetensors"
    save_file({name: x.contiguous() for name, x in model.state_dict().items()}, path)
    model.float()
    good = compare_clip(path, images_for(224, 2), model.visual)
    path.unlink()
    return good


def small_timm():
    good = True
    sizes = [(40, 8, 64, 3, 4), (33, 11, 192, 2, 2.5)]
    for i, (size, patch, width, depth, ratio) in enumerate(sizes):
        model = TimmViT(
            img_size=size,
            patch_size=patch,
            embed_dim=width,
            depth=depth,
            num_heads=width // 64,
            mlp_ratio=ratio,
            num_classes=3,
        ).eval()
        clip_vision.randomize(model, 50 + i)
        path = FOLDER / "small.safetensors"
        save_file(model.state_dict(), path)
        good &= compare_timm(path, images_for(size, 5), model)
    return good


def timm_vit_tiny():
    """timm's ViT-Ti/16 with random weights, and the constants that linprobe keeps for it."""
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
    clip_vision.randomize(model, 60)
    path = FOLDER / "tiny.safetensors"
    save_file({name: x.half() for name, x in model.state_dict().items()}, path)
    model.load_state_dict(load_file(path))
    good = compare_timm(path, images_for(224, 3), model)
    _, info = run(path, images_for(224, 1), "penultimate")
    config = timm.data.resolve_model_data_config(model)
    expected = {
        "name": "ViT-Ti/16",
        "heads": str(model.blocks[0].attn.num_heads),
        "parameters": str(sum(p.numel() for p in model.parameters()) - 1000 * 193),  # no head
        "resize": str(math.floor(config["input_size"][1] / config["crop_pct"])),
        "crop": str(config["input_size"][1]),
        "mean": " ".join(f"{x:.9g}" for x in config["mean"]),
        "std": " ".join(f"{x:.9g}" for x in config["std"]),
        "norm_eps": f"{np.float32(model.norm.eps):.9g}",
    }
    for key, value in expected.items():
        if info[key] != value:
            print(f"# {key}: linprobe {info[key]}, timm {value}")
            good = False
    return good and config["interpolation"] == "bicubic"


def real_vit():
    path = os.environ.get("LP_REAL_VIT")
    if not path:
        return "LP_REAL_VIT names no file"
    model = timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
    model.load_state_dict({name: x.float() for name, x in load_file(path).items()})
    return compare_timm(path, images_for(224, 4), model)


TESTS = [small_clips, official_vit_b32, vit_l14_shape, small_timm, timm_vit_tiny, real_vit]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, timm, open_clip)))
