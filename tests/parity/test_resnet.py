"""ResNet towers against torchvision, timm and open_clip on the same weights, in float32 on the CPU:
random weights, several odd sizes, and the official shapes.

Environment: as encoder_tools.py, and LP_SOURCE.
"""

import sys
import warnings

try:
    import numpy as np
    import open_clip
    import timm
    import torch
    import torchvision
    from open_clip.modified_resnet import ModifiedResNet
    from safetensors.torch import save_file
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import resnets
from encoder_tools import FOLDER, compare, images_for, refusal, run
from resnets import BasicBlock, Bottleneck, SmallResNet

warnings.simplefilter("ignore")  # PyTorch announces that TorchScript will go


def compare_model(path, model, size, count=3, **options):
    return compare(path, images_for(size, count), lambda x: resnets.stages(model, x), **options)


def compare_torchvision(model, size, seed, count=3):
    """The model under random weights, in a state dict of float32."""
    resnets.randomize(model, seed)
    path = FOLDER / "model.pth"
    torch.save(model.state_dict(), path)
    return compare_model(path, model, size, count, input_size=size)


def small_torchvision():
    good = True
    for seed, (size, block, layers, width, groups) in enumerate(
        [
            (45, BasicBlock, [2, 1, 2, 1], 3, 1),
            (33, BasicBlock, [1, 1, 1, 1], 17, 1),
            (1, Bottleneck, [1, 1, 1, 1], 4, 1),
            (97, Bottleneck, [1, 2, 1, 1], 5, 1),
            (64, Bottleneck, [2, 1, 1, 1], 3, 4),
        ]
    ):
        good &= compare_torchvision(SmallResNet(block, layers, width, groups), size, seed, 5)
    return good


def official_depths():
    """ResNet-34, 101, 152, ResNeXt-50 and Wide ResNet-50, an eighth as wide."""
    good = True
    for seed, (block, layers, groups, width) in enumerate(
        [
            (BasicBlock, [3, 4, 6, 3], 1, 64),
            (Bottleneck, [3, 4, 23, 3], 1, 64),
            (Bottleneck, [3, 8, 36, 3], 1, 64),
            (Bottleneck, [3, 4, 6, 3], 4, 32),
            (Bottleneck, [3, 4, 6, 3], 1, 128),
        ]
    ):
        good &= compare_torchvision(SmallResNet(block, layers, 8, groups, width), 64, seed)
    return good


def official_torchvision():
    """ResNet-18 and 50 at their own size, and the constants that linprobe keeps for them."""
    good = compare_torchvision(torchvision.models.resnet18(), 224, 18, 2)
    good &= compare_torchvision(torchvision.models.resnet50(), 224, 50, 2)
    _, info = run(FOLDER / "model.pth", images_for(224, 1), "penultimate")
    preset = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    model = torchvision.models.resnet50()
    expected = {
        "name": "ResNet-50",
        "parameters": str(sum(p.numel() for p in model.parameters()) - 2049 * 1000),  # no fc
        "resize": str(preset.resize_size[0]),
        "crop": str(preset.crop_size[0]),
        "mean": " ".join(f"{x:.9g}" for x in np.float32(preset.mean)),
        "std": " ".join(f"{x:.9g}" for x in np.float32(preset.std)),
    }
    for key, value in expected.items():
        if info[key] != value:
            print(f"# {key}: linprobe {info[key]}, torchvision {value}")
            good = False
    return good and preset.interpolation.value == "bilinear"


def timm_resnet():
    """timm's ResNet-26 has torchvision's names, its classifier and all."""
    model = timm.create_model("resnet26", pretrained=False)
    resnets.randomize(model, 26)
    images = images_for(96, 2)
    with torch.no_grad():
        features = model.forward_head(model.forward_features(images), pre_logits=True)
    path = FOLDER / "timm.safetensors"
    save_file(model.state_dict(), path)
    return compare(path, images, {"penultimate": features}, input_size=96)


def clip_state(model):
    return {f"visual.{key}": x.contiguous() for key, x in model.state_dict().items()}


def small_clips():
    good = True
    for seed, (size, layers, width, embedding) in enumerate(
        [(96, [1, 2, 1, 1], 6, 7), (32, [2, 1, 1, 2], 10, 33), (64, [1, 1, 2, 1], 20, 16)]
    ):
        model = ModifiedResNet(layers, embedding, width * 32 // 64, size, width)
        resnets.to_half_where_official(resnets.randomize(model, seed))
        path = FOLDER / "clip.pt"
        torch.save(clip_state(model), path)
        good &= compare_model(path, model.float(), size, 5)
        other = refusal(path, images_for(size, 1), "projected", input_size=size + 32)
        good &= f"the encoder has positions for {size} alone" in other
    return good


class WholeClip(torch.nn.Module):
    """RN50 as openai/CLIP ships it: image tower, and what stands beside it."""

    def __init__(self):
        super().__init__()
        self.visual = ModifiedResNet([3, 4, 6, 3], 1024, 32, 224, 64)
        self.token_embedding = torch.nn.Embedding(49408, 512)
        self.positional_embedding = torch.nn.Parameter(torch.zeros(77, 512))
        self.ln_final = torch.nn.LayerNorm(512)
        self.logit_scale = torch.nn.Parameter(torch.ones([]))

    def forward(self, images):
        return self.visual(images)


def official_rn50():
    """The official shape, weights in the official types in a TorchScript archive."""
    whole = WholeClip().eval()
    resnets.randomize(whole.visual, 50)
    traced = torch.jit.trace(whole, images_for(224, 1), check_trace=False)
    resnets.to_half_where_official(whole)  # shares its parameters with the traced module
    path = FOLDER / "RN50.pt"
    traced.save(str(path))
    visual = whole.visual.float()
    good = compare_model(path, visual, 224)
    images = images_for(224, 2)
    features, info = run(path, images, "projected")
    with torch.no_grad():
        single = visual(images)
        exact = visual.double()(images.double())
    print(
        f"# against float64: linprobe {encoder_tools.relative(features, exact):.2e}, "
        f"PyTorch float32 {encoder_tools.relative(single, exact):.2e}"
    )
    parameters = sum(p.numel() for p in visual.parameters())
    return good and info["name"] == "CLIP RN50" and info["parameters"] == str(parameters)


def official_large():
    """RN101, RN50x4, RN50x16 and RN50x64 in their official shapes."""
    good = True
    for name, layers, embedding, side, width in (
        ("RN101", [3, 4, 23, 3], 512, 224, 64),
        ("RN50x4", [4, 6, 10, 6], 640, 288, 80),
        ("RN50x16", [6, 8, 18, 8], 768, 384, 96),
        ("RN50x64", [3, 15, 36, 10], 1024, 448, 128),
    ):
        model = ModifiedResNet(layers, embedding, width // 2, side, width)
        resnets.randomize(model, 4)
        path = FOLDER / f"{name}.safetensors"
        save_file(clip_state(model), path)
        good &= compare_model(path, model, side, 1)
        path.unlink()
    return good


if __name__ == "__main__":
    sys.exit(
        encoder_tools.main(
            [
                small_torchvision,
                official_depths,
                official_torchvision,
                timm_resnet,
                small_clips,
                official_rn50,
                official_large,
            ],
            [torch, torchvision, timm, open_clip],
        )
    )
