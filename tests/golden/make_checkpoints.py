#!/usr/bin/env python3
"""Makes tests/golden/ckpt: one small CLIP in every format and form that is read.

    python3 tests/golden/make_checkpoints.py

Both towers, with the module names, buffers and mixture of float16 and float32 of OpenAI's files;
weights from torch.manual_seed(SEED).  expected.json says which set of tensors each file holds and
lists the sets as PyTorch holds them: name, type, shape and SHA-256 of the values as little-endian
float32; and the versions that made the files.  Run again, the values are the same; the zip files
differ in nothing but PyTorch's own bookkeeping.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import platform
import sys
import types
import zipfile

import numpy
import safetensors
import safetensors.torch
import torch
from torch import nn

SEED = 20210105
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ckpt")
WIDTH, HEADS, LAYERS, PATCH, SIZE, EMBED, CONTEXT, VOCABULARY = 8, 2, 2, 4, 8, 6, 4, 7


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class LayerNorm(nn.LayerNorm):
    def forward(self, x):
        y = nn.functional.layer_norm(
            x.float(), self.normalized_shape, self.weight, self.bias, self.eps
        )
        return y.to(x.dtype)


class ResidualAttentionBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, HEADS)
        self.ln_1 = LayerNorm(WIDTH)
        self.mlp = nn.Sequential(
            collections.OrderedDict(
                c_fc=nn.Linear(WIDTH, 4 * WIDTH),
                gelu=QuickGELU(),
                c_proj=nn.Linear(4 * WIDTH, WIDTH),
            )
        )
        self.ln_2 = LayerNorm(WIDTH)

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.resblocks = nn.Sequential(*[ResidualAttentionBlock() for _ in range(LAYERS)])

    def forward(self, x):
        return self.resblocks(x)


class VisualTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn((SIZE // PATCH) ** 2 + 1, WIDTH))
        self.ln_pre = LayerNorm(WIDTH)
        self.transformer = Transformer()
        self.ln_post = LayerNorm(WIDTH)
        self.proj = nn.Parameter(torch.randn(WIDTH, EMBED))

    def forward(self, image):
        x = self.conv1(image.to(self.conv1.weight.dtype)).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(x.dtype).expand(x.shape[0], 1, WIDTH)
        x = torch.cat([first, x], 1) + self.positional_embedding.to(x.dtype)
        x = self.transformer(self.ln_pre(x).transpose(0, 1)).transpose(0, 1)
        return self.ln_post(x[:, 0]) @ self.proj


class Multimodal(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = VisualTransformer()
        self.transformer = Transformer()
        self.token_embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.positional_embedding = nn.Parameter(torch.randn(CONTEXT, WIDTH))
        self.ln_final = LayerNorm(WIDTH)
        self.text_projection = nn.Parameter(torch.randn(WIDTH, EMBED))
        self.logit_scale = nn.Parameter(torch.tensor(numpy.log(1 / 0.07), dtype=torch.float32))
        self.register_buffer("input_resolution", torch.tensor(SIZE))
        self.register_buffer("context_length", torch.tensor(CONTEXT))
        self.register_buffer("vocab_size", torch.tensor(VOCABULARY))

    def forward(self, image, text):
        x = self.token_embedding(text).to(self.text_projection.dtype)
        x = x + self.positional_embedding.to(x.dtype)
        x = self.ln_final(self.transformer(x.transpose(0, 1)).transpose(0, 1))
        return self.visual(image), x[:, -1] @ self.text_projection * self.logit_scale.exp()


# The module path that the classes of the official files carry.
KINDS = (QuickGELU, LayerNorm, ResidualAttentionBlock, Transformer, VisualTransformer, Multimodal)
for kind in KINDS:
    kind.__module__ = "multimodal.model.multimodal_transformer"
# pickle imports a class before it writes its name.
for place in ("multimodal", "multimodal.model", "multimodal.model.multimodal_transformer"):
    sys.modules[place] = types.ModuleType(place)
    vars(sys.modules[place]).update((kind.__name__, kind) for kind in KINDS)


def convert_weights(model):
    """float16 for what multiplies, float32 for norms, embeddings and the scale, as OpenAI did."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.half()
        if isinstance(module, nn.MultiheadAttention):
            module.in_proj_weight.data = module.in_proj_weight.data.half()
            module.in_proj_bias.data = module.in_proj_bias.data.half()
        for name in ("text_projection", "proj"):
            if isinstance(getattr(module, name, None), nn.Parameter):
                getattr(module, name).data = getattr(module, name).data.half()


def describe(tensors):
    """{name: [type, shape, digest of the values as float32]}"""
    found = {}
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().float().contiguous().numpy().astype("<f4").tobytes()
        kind = str(tensor.dtype).replace("torch.", "")
        found[name] = [kind, list(tensor.shape), hashlib.sha256(values).hexdigest()]
    return found


def flatten(value, name=""):
    """All tensors in a value, under the names that linprobe gives them."""
    if isinstance(value, torch.Tensor):
        parts = [part for part in name.removesuffix(".").split(".") if part != "module"]
        return {".".join(parts) or "tensor": value}
    if isinstance(value, nn.Module):
        items = value.state_dict().items()
    elif isinstance(value, argparse.Namespace):
        items = vars(value).items()
    elif isinstance(value, dict):
        items = value.items()
    else:
        items = enumerate(value) if isinstance(value, (list, tuple)) else ()
    found = {}
    for key, item in items:
        found.update(flatten(item, f"{name}{key}."))
    return found


def save_script(module, path):
    """Saves without the tables that say from which file of this machine each line came."""
    module.save(path)
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in members:
            if not info.filename.endswith(".debug_pkl"):
                archive.writestr(info, data)
    assert torch.jit.load(path).state_dict().keys() == module.state_dict().keys()


def main():
    torch.manual_seed(SEED)
    model = Multimodal().eval()
    for parameter in model.parameters():  # biases and norms too, so that no two tensors are equal
        if parameter.dim() > 0:
            parameter.data += 0.1 * torch.randn_like(parameter)
    convert_weights(model)
    state = model.state_dict()
    os.makedirs(FOLDER, exist_ok=True)
    files, sets = {}, {"state": describe(state)}

    def save(name, tensors, write):
        """Writes a file; its set is the one already described, or a new one of its name."""
        path = os.path.join(FOLDER, name)
        write(path)
        os.chmod(path, 0o644)
        found = describe(tensors)
        known = [key for key, value in sets.items() if value == found]
        files[name] = known[0] if known else name
        sets[files[name]] = found

    example = (torch.randn(1, 3, SIZE, SIZE), torch.zeros(1, CONTEXT, dtype=torch.int64))
    traced = torch.jit.trace(model, example, check_trace=False)
    assert set(traced.state_dict()) == set(state)
    save("torchscript.pt", state, lambda path: save_script(traced, path))
    # The other way to a TorchScript archive keeps more attributes: integers, strings, lists.
    tower = model.transformer
    scripted = torch.jit.script(tower)
    save("scripted.pt", tower.state_dict(), lambda path: save_script(scripted, path))
    save("plain.pt", state, lambda path: torch.save(state, path))
    training = {"epoch": 3, "rng": torch.arange(5), "args": {"lr": 1e-3, "seed": 1 << 80}}
    for key in ("state_dict", "model"):
        whole = {**training, key: state}
        save(f"under_{key}.pth", flatten(whole), lambda path: torch.save(whole, path))
    old = {"_use_new_zipfile_serialization": False}
    # The old format has the sources of modules' classes beside them, and where they lie.
    torch.serialization.get_source_lines_and_file = lambda kind: (["class of a module\n"], 1, "x.py")
    save("legacy.pt", state, lambda path: torch.save(state, path, **old))
    # A whole training state as DINO writes it: the teacher is the model.
    student = {f"module.backbone.{name}": -t for name, t in tower.state_dict().items()}
    student["module.head.mlp.0.weight"] = torch.randn(3, WIDTH)
    teacher = {f"backbone.{name}": t for name, t in tower.state_dict().items()}
    teacher["head.mlp.0.weight"] = torch.randn(3, WIDTH)
    args = argparse.Namespace(arch="vit_small", lr=numpy.float64(5e-4), output=pathlib.Path("out"))
    moments = {0: {"step": 7, "exp_avg": torch.randn(3, 3)}}
    dino = {"student": student, "teacher": teacher, "args": args, "epoch": 100}
    dino |= {"optimizer": {"state": collections.defaultdict(dict, moments)}}
    dino |= {"dino_loss": {"center": torch.randn(1, 3)}, "device": torch.device("cpu")}
    dino |= {"shape": torch.Size([3, WIDTH]), "dtype": torch.float16, "best": numpy.ones(2)}
    save("dino.pth", flatten(dino), lambda path: torch.save(dino, path))
    # Modules instead of their weights; what is no part of state_dict() is not listed.
    tower.register_buffer("cache", torch.randn(3), persistent=False)
    tower.register_buffer("steps", torch.tensor(7))
    tower.register_buffer("none", None)
    tower.again = tower.resblocks[0].mlp
    ema = argparse.Namespace(module=tower, decay=0.9)
    whole = {"model": nn.DataParallel(tower), "ema": ema, "rng": torch.arange(5)}
    save("module.pt", flatten(whole), lambda path: torch.save(whole, path))
    save("module_legacy.pt", flatten(whole), lambda path: torch.save(whole, path, **old))
    # The other protocols of pickle; protocol 0 is one that torch.load cannot read either.
    block = tower.resblocks[0]
    block.register_buffer("cache", torch.randn(3), persistent=False)
    small = {"epoch": 1 << 40, "done": True, "best": {1: block.ln_1.weight.data, "block": block}}
    for protocol in (1, 3, 4, 5):
        zipped = {"pickle_protocol": protocol}
        name = f"protocol{protocol}.pt"
        save(name, flatten(small), lambda path: torch.save(small, path, **zipped))
        name = f"protocol{protocol}_legacy.pt"
        save(name, flatten(small), lambda path: torch.save(small, path, **zipped, **old))
    parallel = collections.OrderedDict((f"module.{name}", tensor) for name, tensor in state.items())
    save("module.bin", state, lambda path: torch.save(parallel, path))
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        cast = {name: t.to(dtype) if t.is_floating_point() else t for name, t in state.items()}
        name = str(dtype).replace("torch.", "") + ".safetensors"
        save(name, cast, lambda path: safetensors.torch.save_file(cast, path, {"format": "pt"}))

    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "safetensors": safetensors.__version__,
        "numpy": numpy.__version__,
    }
    with open(os.path.join(FOLDER, "expected.json"), "w", encoding="ascii") as out:
        out.write(f'{{\n"seed": {SEED},\n"versions": {json.dumps(versions)},\n')
        out.write(f'"files": {json.dumps(files, indent=1)},\n"sets": {{\n')
        for i, (key, tensors) in enumerate(sets.items()):
            lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in tensors.items()]
            out.write((",\n" if i else "") + f'"{key}": {{\n' + ",\n".join(lines) + "}")
        out.write("\n}}\n")


main()
