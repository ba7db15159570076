"""Writes tests/golden/encoder: two small vision transformers with their activations.

    python3 tests/golden/make_encoders.py

clip.safetensors, timm.safetensors       weights, float16 and float32 mixed
*-activations.safetensors                float32: "images", and every stage under its tap's name
open_clip_config.json                    written by hand: says that clip.safetensors has QuickGELU

The activations are PyTorch's in float64, rounded to float32 at the end: what an exact computation
on these weights gives.  Versions and seeds go into each file's metadata.
"""

import pathlib
import sys

import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import clip_vision

OUT = pathlib.Path(__file__).parent / "encoder"
IMAGES = 2


def write(name, model, state, stages, size, seed):
    images = torch.randn(IMAGES, 3, size, size, generator=torch.Generator().manual_seed(seed + 1))
    with torch.no_grad():
        seen = stages(model.double(), images.double())
    tensors = {"images": images} | {
        stage: x.reshape(-1, x.shape[-1]).float().contiguous() for stage, x in seen.items()
    }
    meta = {"seed": str(seed), "torch": torch.__version__, "timm": timm.__version__}
    save_file(state, OUT / f"{name}.safetensors", meta)
    save_file(tensors, OUT / f"{name}-activations.safetensors", meta)


def main():
    OUT.mkdir(exist_ok=True)
    seed = 11
    clip = clip_vision.Clip(
        input_size=28, patch=7, width=128, layers=2, embedding=40, inner=100
    ).eval()
    clip_vision.randomize(clip, seed)
    clip_vision.to_half_where_official(clip)
    state = {name: x.clone() for name, x in clip.state_dict().items()}
    write("clip", clip, state, lambda m, x: m.visual.stages(x), 28, seed)

    seed = 21
    vit = VisionTransformer(
        img_size=40, patch_size=8, embed_dim=64, depth=3, num_heads=1, num_classes=5
    ).eval()
    clip_vision.randomize(vit, seed)
    vit.half()
    state = {name: x.clone() for name, x in vit.state_dict().items()}
    write("timm", vit, state, clip_vision.timm_stages, 40, seed)


main()
