"""The models of zoo.py: what each source offers, cut to two blocks, with seeded random weights.

A case is a name that can be built.  What is built knows its features, its preprocessing, what is
true of it (the keys of meta.json), and how it is saved in each form.
"""

import contextlib
import math
import re
import zlib

import torch
from timm.layers import weight_init
from torch import nn

RESIDUAL = re.compile(
    r"(attn\.proj|out_proj|o_proj|output\.dense|fc2|c_proj|mlp\.3|down_proj|projection_layer|"
    r"weights_out|\.w3|mlp_out_proj|attn_out_proj|attention\.projection)\.weight$"
)
SCALES = re.compile(r"(gamma|lambda_?1|lambda_?2|ls_?[12]|layer_?scale)")
TOKENS = re.compile(r"(token|pos_embed|position|class_embedding|pos_emb)")
QUERIES = re.compile(r"(latent|probe|\.query$)")


def fill(model, name):
    """Weights by which every part of a model can be told from a wrong one.  Nothing is 0 or 1.  The
    residual stream of a ViT is small beside 1, so that a wrong eps of a norm shows."""
    random = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    pool = torch.randn(1_000_003, generator=random)  # large tensors repeat it, to save time

    def normal(like, deviation, mean=0.0):
        start = int(torch.randint(len(pool), (1,), generator=random))
        values = torch.cat((pool[start:], pool[:start])) if like.numel() > 1000 else None
        if values is None:
            values = torch.randn(like.numel(), generator=random)
        values = values.repeat(like.numel() // len(values) + 1)[: like.numel()]
        return values.reshape(like.shape).mul_(deviation).add_(mean)

    norms = set()
    for prefix, module in model.named_modules():
        if "norm" in type(module).__name__.lower() or isinstance(module, nn.LayerNorm):
            norms |= {f"{prefix}.{key}" for key, _ in module.named_parameters(recurse=False)}
    convolutional = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    with torch.no_grad():
        for key, p in model.named_parameters():
            if p.dim() == 0 or not p.is_floating_point():
                continue
            fan = max(p[0].numel(), 1)
            if key in norms:
                p.copy_(normal(p, 0.2, 1.0 if key.endswith("weight") else 0.0))
            elif SCALES.search(key):  # of convolutional blocks few: their sums would run away
                part = 0.02 if p.dim() == 3 else 1
                p.copy_((torch.rand(p.shape, generator=random) + 0.5) * part)
            elif TOKENS.search(key):
                p.copy_(normal(p, 0.05))
            elif QUERIES.search(key):
                p.copy_(normal(p, 1.0))
            elif p.dim() == 1:
                p.copy_(normal(p, 0.02))
            elif p.dim() == 4 and not convolutional:
                p.copy_(normal(p, 0.05 / math.sqrt(fan)))
            elif p.dim() == 4:
                p.copy_(normal(p, math.sqrt(1.4 / fan)))
            elif p.dim() == 2:
                p.copy_(normal(p, (0.07 if RESIDUAL.search(key) else 1.0) / math.sqrt(fan)))
            else:
                p.copy_(normal(p, 0.05))
        for key, buffer in model.named_buffers():
            if key.endswith("running_mean"):
                buffer.copy_(normal(buffer, 0.2))
            elif key.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=random) + 0.5)
    return model.eval().requires_grad_(False)


@contextlib.contextmanager
def uninitialised():
    """Models made here have no random weights, which would take most of the time."""
    methods = [(torch.Tensor, name) for name in ("uniform_", "normal_", "erfinv_")]
    methods += [(weight_init, "_trunc_normal_"), (nn.init, "_no_grad_trunc_normal_")]
    kept = [(owner, name, getattr(owner, name)) for owner, name in methods]
    for owner, name in methods:
        setattr(owner, name, lambda tensor, *args, **options: tensor)
    try:
        yield
    finally:
        for owner, name, method in kept:
            setattr(owner, name, method)


def deepen(state, blocks, depth, million):
    """The state with as many blocks as the model really has: the others are 0, which adds nothing
    to the residual stream.  Three at a time share memory and the space in a file of torch.save."""
    found = {}
    for key, value in state.items():
        match = re.match(rf"({blocks})(\d+)\.(.*)", key)
        if match and int(match[2]) == 1:
            found[match[1], match[3]] = value
    size = sum(value.numel() for value in state.values())
    size += sum(value.numel() for value in found.values()) * (depth - 2)
    if not found or size > million * 1e6:
        return state
    state = dict(state)
    for i in range(2, depth):
        if i % 3 == 2:  # more of them with one memory are refused: a bound by the file's size
            zeros = {part: torch.zeros_like(value) for part, value in found.items()}
        for (prefix, rest), value in zeros.items():
            state[f"{prefix}{i}.{rest}"] = value
    return state


class Case:
    def __init__(self, source, family, name, build):
        self.source, self.family, self.name, self.build = source, family, name, build


class Built:
    """points: the feature points that the reference has.  names: words, one of which a refusal must
    hold.  blocks, depth: a regular expression for what stands before a block's number, and how many
    blocks the whole model has."""

    points, blocks, depth = ("penultimate",), None, 0
    names = ()
    hidden = {}  # what neither weights nor meta.json show: name, and how a message speaks of it

    def __init__(self, model, preprocess, truth):
        self.model, self.truth = model, truth
        self.set_preprocess(preprocess)

    def set_preprocess(self, preprocess):
        self.preprocess, self.expected = preprocess, {}

    def forms(self):
        return ("hub", "bare")

    def save(self, form, folder, million):
        if form == "bare":
            state = self.state()
            if self.blocks is not None and self.depth > 2:
                state = deepen(state, self.blocks, self.depth, million)
            torch.save(state, folder / "weights.pth")
            return folder / "weights.pth"
        self.save_hub(form, folder)
        return folder

    def state(self):
        return self.model.state_dict()

    @contextlib.contextmanager
    def norm_eps(self, eps):
        """The model with another eps of its layer norms; those with another eps than the first
        one's (a neck's) keep it."""
        norms = [m for m in self.model.modules() if isinstance(m, nn.LayerNorm)]
        norms = [m for m in norms if m.eps == norms[0].eps]
        before = [m.eps for m in norms]
        for m in norms:
            m.eps = eps
        yield
        for m, value in zip(norms, before):
            m.eps = value


def stated(size, crop, interpolation, squash, mean, std):
    return {
        "resize": size,
        "crop": crop,
        "filter": interpolation,
        "squash": squash,
        "mean": tuple(mean),
        "std": tuple(std),
    }


def activation_of(module):
    kind = type(module).__name__
    if kind == "GELU":
        return "gelu_tanh" if module.approximate == "tanh" else "gelu"
    known = {"QuickGELU": "quick_gelu", "GELUTanh": "gelu_tanh", "GELUActivation": "gelu"}
    return known.get(kind)
