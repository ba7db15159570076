"""CLIP's vision transformer in PyTorch, with the names of openai/CLIP clip/model.py.

The reference that test_encoder.py and tests/golden/make_encoders.py compare with.  Every stage is
recorded under the name of linprobe's tap, in float32 or float64.
"""

import torch
from torch import nn


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Mlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.c_fc = nn.Linear(width, inner)
        self.gelu = QuickGELU()
        self.c_proj = nn.Linear(inner, width)

    def forward(self, x):
        return self.c_proj(self.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = Mlp(width, inner)
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x):
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, inner):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, heads, inner) for _ in range(layers)])


class VisionTransformer(nn.Module):
    def __init__(self, input_size, patch, width, layers, embedding, inner=None):
        super().__init__()
        heads = width // 64
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((input_size // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads, inner or 4 * width)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, embedding))

    def forward(self, images):
        return self.stages(images)["projected"]

    def stages(self, images):
        seen = {}
        x = self.conv1(images).flatten(2).transpose(1, 2)
        seen["patches"] = x
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
        seen["tokens"] = x = x + self.positional_embedding
        seen["norm_pre"] = x = self.ln_pre(x)
        for i, block in enumerate(self.transformer.resblocks):
            x = block(x)
            seen[f"block {i}"] = x
        seen[f"block {i}"] = x[:, 0]
        seen["penultimate"] = self.ln_post(x[:, 0])
        seen["projected"] = seen["penultimate"] @ self.proj
        return seen


class Clip(nn.Module):
    """The image tower under "visual.", as in a whole CLIP model."""

    def __init__(self, **dimensions):
        super().__init__()
        self.visual = VisionTransformer(**dimensions)

    def forward(self, images):
        return self.visual(images)


def timm_stages(model, images):
    """The same stages of timm's VisionTransformer."""
    seen = {}
    x = model.patch_embed(images)
    seen["patches"] = x
    x = torch.cat([model.cls_token.expand(len(x), -1, -1), x], 1)
    seen["tokens"] = x = x + model.pos_embed
    for i, block in enumerate(model.blocks):
        x = block(x)
        seen[f"block {i}"] = x
    seen[f"block {i}"] = x[:, 0]
    # timm's own way through, so that these stages cannot drift from what it computes
    seen["penultimate"] = model.forward_head(model.forward_features(images), pre_logits=True)
    return seen


def randomize(model, seed):
    """Weights of a realistic scale: activations of order 1 in every stage, attention far from
    uniform, layer norms and biases that are not the identity."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, std, mean=0.0):
        with torch.no_grad():
            tensor.copy_(mean + std * torch.randn(tensor.shape, generator=generator))

    for name, p in model.named_parameters():
        if p.ndim == 0:  # the scale of logits
            continue
        if p.ndim == 1 and name.endswith("weight"):  # layer norms
            normal(p, 0.2, 1.0)
        elif "gamma" in name or "lambda" in name:  # layer scale
            normal(p, 0.2, 0.6)
        elif "latent" in name or "probe" in name:  # queries of attention pools
            normal(p, 1.0)
        elif any(x in name for x in ("q_proj.weight", "k_proj.weight")):
            normal(p, 1.6 * p.shape[1] ** -0.5)
        elif "in_proj_weight" in name or "qkv.weight" in name:
            normal(p, p.shape[1] ** -0.5)
            with torch.no_grad():
                p[: 2 * len(p) // 3] *= 1.6  # scores with a standard deviation of 2.5
        elif p.ndim == 4:  # patch embedding
            normal(p, p[0].numel() ** -0.5)
        elif name.endswith("bias"):
            normal(p, 0.1)
        elif "embed" in name or "token" in name:
            normal(p, 0.5)
        else:  # linear layers [out, in], and CLIP's projection [in, out]
            normal(p, p.shape[0 if name.endswith("proj") else 1] ** -0.5)


def to_half_where_official(model):
    """OpenAI's mix: convolution, linear and attention weights and the projection in float16, layer
    norms and embeddings in float32."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.MultiheadAttention)):
            module.half()
        if isinstance(module, VisionTransformer):
            module.proj.data = module.proj.data.half()
    return model
