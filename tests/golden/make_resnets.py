"""Writes three small residual networks with their activations to tests/golden/encoder.

    python3 tests/golden/make_resnets.py

clip-resnet.safetensors     open_clip's ModifiedResNet, OpenAI's names and types
resnet-basic.safetensors    torchvision's ResNet, basic blocks, an odd input size
resnet-grouped.safetensors  the same, bottlenecks with groups
*-activations.safetensors   float32: every stage under its tap's name; float16: "images"

The activations are PyTorch's in float64, rounded to float32 at the end: what an exact computation
on these weights gives.  Versions and seeds go into each file's metadata.
"""

import pathlib
import sys

import open_clip
import torch
import torchvision
from open_clip.modified_resnet import ModifiedResNet
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import resnets
from resnets import BasicBlock, Bottleneck, SmallResNet

OUT = pathlib.Path(__file__).parent / "encoder"
IMAGES = 2


def write(name, model, prefix, size, seed):
    resnets.to_half_where_official(resnets.randomize(model, seed))
    state = {prefix + key: x.clone() for key, x in model.state_dict().items()}
    images = torch.randn(IMAGES, 3, size, size, generator=torch.Generator().manual_seed(seed + 1))
    images = images.half()
    with torch.no_grad():
        seen = resnets.stages(model.double(), images.double())
    tensors = {"images": images} | {stage: x.float().contiguous() for stage, x in seen.items()}
    meta = {
        "seed": str(seed),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "open_clip": open_clip.__version__,
    }
    save_file(state, OUT / f"{name}.safetensors", meta)
    save_file(tensors, OUT / f"{name}-activations.safetensors", meta)


def main():
    clip = ModifiedResNet(layers=[1, 2, 1, 1], output_dim=6, heads=2, image_size=64, width=4)
    write("clip-resnet", clip, "visual.", 64, 31)
    write("resnet-basic", SmallResNet(BasicBlock, [2, 1, 1, 1], 3), "", 45, 41)
    grouped = SmallResNet(Bottleneck, [1, 2, 1, 1], 2, groups=2, width_per_group=64)
    write("resnet-grouped", grouped, "", 40, 51)


main()
