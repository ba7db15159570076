#!/usr/bin/env python3
"""Pretrains the demo's CLIP on captioned pictures that `linprobe generate --captions` draws.

    python3 scripts/train_demo.py --out datasets/demo-clip.pt --random-out datasets/demo-random.pt

Both files have the form of OpenAI's: a TorchScript archive of the model, matrices in half
precision.  The second one holds the weights before the first step.  docs/DEMO.md tells what came
of it.  The order of floating-point sums differs between machines, so a second run gives weights
that are as good, but not the same.
"""
import argparse
import collections
import math
import pathlib
import subprocess
import tempfile
import time
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
SIDE, CONTEXT = 32, 16
BUFFERS = ("input_resolution", "context_length", "vocab_size")


# ---- the model, with OpenAI's names ------------------------------------------------------------


class LayerNorm(nn.LayerNorm):
    """In single precision, whatever the input is."""

    def forward(self, x):
        y = F.layer_norm(x.float(), self.normalized_shape, self.weight, self.bias, self.eps)
        return y.to(x.dtype)


class QuickGELU(nn.Module):
    def forward(self, x):
        return F.silu(1.702 * x) / 1.702  # x * sigmoid(1.702 x), in one pass


class ResidualAttentionBlock(nn.Module):
    def __init__(self, width, causal):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64)
        self.ln_1 = LayerNorm(width)
        self.mlp = nn.Sequential(
            collections.OrderedDict(
                c_fc=nn.Linear(width, 4 * width),
                gelu=QuickGELU(),
                c_proj=nn.Linear(4 * width, width),
            )
        )
        self.ln_2 = LayerNorm(width)
        self.heads = width // 64
        self.causal = causal

    def attention(self, x):
        n, tokens, width = x.shape
        qkv = F.linear(x, self.attn.in_proj_weight, self.attn.in_proj_bias)
        q, k, v = qkv.view(n, tokens, 3, self.heads, 64).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.attn.out_proj(y.transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, causal=False):
        super().__init__()
        self.resblocks = nn.Sequential(
            *[ResidualAttentionBlock(width, causal) for _ in range(layers)]
        )
        for block in self.resblocks:
            nn.init.normal_(block.attn.in_proj_weight, std=width**-0.5)
            nn.init.normal_(block.attn.out_proj.weight, std=(2 * width * layers) ** -0.5)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * width) ** -0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=(2 * width * layers) ** -0.5)

    def forward(self, x):
        return self.resblocks(x)


class VisionTransformer(nn.Module):
    def __init__(self, patch, width, layers, embedding):
        super().__init__()
        scale = width**-0.5
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        self.positional_embedding = nn.Parameter(
            scale * torch.randn((SIDE // patch) ** 2 + 1, width)
        )
        self.ln_pre = LayerNorm(width)
        self.transformer = Transformer(width, layers)
        self.ln_post = LayerNorm(width)
        self.proj = nn.Parameter(scale * torch.randn(width, embedding))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(x.dtype).expand(x.shape[0], 1, -1)
        x = torch.cat([first, x], dim=1) + self.positional_embedding.to(x.dtype)
        x = self.transformer(self.ln_pre(x))
        return self.ln_post(x[:, 0]) @ self.proj


class CLIP(nn.Module):
    def __init__(self, words, args):
        super().__init__()
        width = args.text_width
        self.visual = VisionTransformer(args.patch, args.width, args.layers, args.embedding)
        self.transformer = Transformer(width, args.text_layers, causal=True)
        self.token_embedding = nn.Embedding(words, width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(CONTEXT, width))
        self.ln_final = LayerNorm(width)
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, args.embedding))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        for name, value in zip(BUFFERS, (SIDE, CONTEXT, words)):
            self.register_buffer(name, torch.tensor(value))

    def encode_image(self, image):
        return self.visual(image)

    def encode_text(self, text):
        x = self.token_embedding(text) + self.positional_embedding
        x = self.ln_final(self.transformer(x))
        # the end token has the largest number
        return x[torch.arange(x.shape[0]), text.argmax(dim=-1)] @ self.text_projection

    def forward(self, image, text):
        image = F.normalize(self.encode_image(image), dim=-1)
        text = F.normalize(self.encode_text(text), dim=-1)
        return self.logit_scale.exp() * image @ text.t()


# ---- data --------------------------------------------------------------------------------------


def tokenize(captions):
    """Word numbers in alphabetical order from 1; 0 fills up; the last two start and end."""
    words = sorted({word for caption in captions for word in caption.split()})
    number = {word: i + 1 for i, word in enumerate(words)}
    start, end = len(words) + 1, len(words) + 2
    tokens = np.zeros((len(captions), CONTEXT), np.int64)
    for row, caption in zip(tokens, captions):
        line = [start] + [number[word] for word in caption.split()] + [end]
        row[: len(line)] = line
    return torch.from_numpy(tokens), end + 1


def preprocess(pixels):
    mean = torch.tensor(MEAN, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(STD, device=pixels.device).view(3, 1, 1)
    return (pixels.float() / 255 - mean) / std


def load(args):
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.captioned
        if folder is None:
            folder = pathlib.Path(scratch)
            command = [args.program, "generate", "--out", folder, "--seed", args.seed]
            command += ["--captions", args.images]
            subprocess.run([str(word) for word in command], check=True)
            folder = folder / "captioned"
        images = np.fromfile(folder / "images.bin", np.uint8).reshape(-1, 3, SIDE, SIDE)
        captions = (folder / "captions.txt").read_text().splitlines()
    return torch.from_numpy(images), captions


# ---- training ----------------------------------------------------------------------------------


def train(model, images, tokens, args, device):
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": args.weight_decay},
            {"params": others, "weight_decay": 0},
        ],
        lr=args.rate,
        betas=(0.9, 0.98),
        eps=1e-6,
    )
    a_pass = len(images) // args.batch
    steps = a_pass * args.passes
    target = torch.arange(args.batch, device=device)
    begin, losses, step = time.time(), [], 0
    for _ in range(args.passes):
        order = torch.randperm(len(images))
        for i in range(a_pass):
            rate = args.rate * min(
                (step + 1) / args.warmup, 0.5 * (1 + math.cos(math.pi * step / steps))
            )
            for group in optimiser.param_groups:
                group["lr"] = rate
            pick = order[i * args.batch : (i + 1) * args.batch]
            with torch.autocast(device.type, torch.bfloat16, enabled=not args.float32):
                logits = model(preprocess(images[pick].to(device)), tokens[pick].to(device)).float()
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target)) / 2
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            with torch.no_grad():
                model.logit_scale.clamp_(max=math.log(100))
            losses.append(loss.item())
            step += 1
            if step % 50 == 0 or step == steps:
                seconds = time.time() - begin
                print(
                    f"step {step}/{steps}  loss {np.mean(losses[-50:]):.4f}  {seconds:.0f} s"
                    f"  {step * args.batch / seconds:.0f} pictures/s",
                    flush=True,
                )


def save(model, path):
    """As OpenAI's: half precision but for LayerNorm, embeddings and scale."""
    model.eval()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.half()
        if isinstance(module, nn.MultiheadAttention):
            module.in_proj_weight.data = module.in_proj_weight.data.half()
            module.in_proj_bias.data = module.in_proj_bias.data.half()
    model.visual.proj.data = model.visual.proj.data.half()
    model.text_projection.data = model.text_projection.data.half()
    torch.jit.script(model).save(str(path))
    # without the tables that say from which file of this machine each line came
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in members:
            if not info.filename.endswith(".debug_pkl"):
                archive.writestr(info, data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    number = {"type": int, "metavar": "N"}
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--random-out", type=pathlib.Path)
    parser.add_argument("--start", type=pathlib.Path, help="weights to go on from")
    parser.add_argument("--program", default="build/linprobe", help="what draws the pictures")
    parser.add_argument("--captioned", type=pathlib.Path, help="folder of pictures already drawn")
    parser.add_argument("--images", default=80000, **number)
    parser.add_argument("--passes", default=3, **number)
    parser.add_argument("--batch", default=128, **number)
    parser.add_argument("--warmup", default=200, help="steps", **number)
    parser.add_argument("--rate", default=1e-3, type=float)
    parser.add_argument("--weight-decay", default=0.1, type=float)
    parser.add_argument("--patch", default=8, **number)
    parser.add_argument("--width", default=128, **number)
    parser.add_argument("--layers", default=4, **number)
    parser.add_argument("--embedding", default=128, **number)
    parser.add_argument("--text-width", default=64, **number)
    parser.add_argument("--text-layers", default=2, **number)
    parser.add_argument("--seed", default=1, **number)
    parser.add_argument("--threads", default=2, **number)
    parser.add_argument("--float32", action="store_true", help="products not in bfloat16")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images, captions = load(args)
    tokens, words = tokenize(captions)
    model = CLIP(words, args)
    if args.start:
        model.load_state_dict(torch.jit.load(str(args.start)).float().state_dict())
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(images)} pictures, {words} words, {count} parameters")
    print(f"{device}, torch {torch.__version__}", flush=True)
    if args.random_out:
        first = CLIP(words, args)
        first.load_state_dict(model.state_dict())
        save(first, args.random_out)
    train(model.to(device), images, tokens, args, device)
    save(model.to("cpu"), args.out)


if __name__ == "__main__":
    main()
