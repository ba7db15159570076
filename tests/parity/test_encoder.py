"""The encoder against PyTorch, open_clip and timm on the same weights, in float32 on the CPU.

Environment: LP_TESTS (folder of run_encoder), LP_REAL_VIT (a real timm ViT as .safetensors;
optional).  LP_VERBOSE=1 prints every stage's error.
"""

import math
import os
import pathlib
import subprocess
import sys
import tempfile
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

LIMIT = 1e-5  # relative Frobenius error of a feature matrix
CLIP_POINTS = ["penultimate", "projected"]
RUN = os.path.join(os.environ["LP_TESTS"], "run_encoder")
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="linprobe-parity-"))
torch.set_num_threads(1)
warnings.simplefilter("ignore")  # PyTorch announces that TorchScript will go


def relative(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def run(checkpoint, images, point, batch=4, taps=None):
    images.numpy().tofile(FOLDER / "images.f32")
    command = [RUN, checkpoint, point, batch, FOLDER / "images.f32", FOLDER / "out.f32"]
    command += [taps] if taps else []
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    info = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    features = np.fromfile(FOLDER / "out.f32", np.float32)
    return features.reshape(len(images), -1), info


def compare(checkpoint, images, stages, points):
    """stages(images) -> {tap: values}, PyTorch float32.  True where every feature matrix agrees;
    the errors of all stages are shown where one does not."""
    with torch.no_grad():
        expected = stages(images)
    good = True
    for point in points:
        features, info = run(checkpoint, images, point)
        error = relative(features, expected[point])
        print(f"# {info['name']}, {len(images)} images, {point}: relative error {error:.2e}")
        good = good and error <= LIMIT
    if not good or os.environ.get("LP_VERBOSE"):
        taps = FOLDER / "taps"
        taps.mkdir(exist_ok=True)
        run(checkpoint, images, points[-1], batch=len(images), taps=taps)
        for stage, values in expected.items():
            path = taps / f"{stage}.f32"
            if path.exists():
                found = np.fromfile(path, np.float32)
                print(f"#   {stage}: {relative(found, values.numpy().ravel()):.2e}")
                path.unlink()
    return good


def compare_timm(checkpoint, images, model):
    return compare(
        checkpoint, images, lambda x: clip_vision.timm_stages(model, x), ["penultimate"]
    )


def images_for(size, count):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(5))


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
        good &= compare(path, images_for(values[0], 7), model.visual.stages, CLIP_POINTS)
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
    good = compare(path, images, visual.stages, CLIP_POINTS)

    other = open_clip.model._build_vision_tower(
        512,
        open_clip.CLIPVisionCfg(layers=12, width=768, patch_size=32, image_size=224),
        quick_gelu=True,
    ).eval()
    other.load_state_dict(visual.state_dict())
    with torch.no_grad():
        expected = other(images)
    features, info = run(path, images, "projected")
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
    good = compare(path, images_for(224, 2), model.visual.stages, CLIP_POINTS)
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


def main():
    tests = [small_clips, official_vit_b32, vit_l14_shape, small_timm, timm_vit_tiny, real_vit]
    print(f"1..{len(tests)}")
    for module in (torch, timm, open_clip):
        print(f"# {module.__name__} {module.__version__}")
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            result = test()
        except Exception as error:
            print(f"# {type(error).__name__}: {error}")
            result = False
        skipped = isinstance(result, str)
        print(
            f"{'ok' if result else 'not ok'} {number} - {test.__name__}"
            f"{' # SKIP ' + result if skipped else ''}",
            flush=True,
        )
        failed += not result
    for path in sorted(FOLDER.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    FOLDER.rmdir()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
