"""The models of timm for zoo.py."""

import math

import timm
import torch
from timm.data import create_transform, resolve_data_config
from timm.models import _registry as registry
from timm.models._hub import save_for_hf
from timm.models._input import get_model_input_config

from zoo_models import Built, Case, activation_of, stated

MODULES = (  # those with names of a ViT or a ResNet; of the other modules one model each
    "vision_transformer deit resnet eva vision_transformer_hybrid vision_transformer_relpos beit "
    "vision_transformer_sam naflexvit cait deepseek_vit gemma4_vit qwen3_vit vitamin "
    "res2net resnest sknet senet resnetv2"
).split()
SMALL = 40e6  # parameters: up to here a residual network stays whole
HIDDEN = (  # modules of timm that leave nothing in the weights
    ("BlurPool2d AvgPool2dAa AvgPool2d", "anti-aliasing", r"alias"),
    ("RotaryEmbeddingCat RotaryEmbedding RotaryEmbeddingDinoV3", "rotary positions", r"rotary"),
)


class BuiltTimm(Built):
    """tags: of the architecture's pretrained weights, one for each preprocessing that they have.
    The first is the one that is built; the others are forms "hub TAG" of the same weights."""

    blocks = r"blocks\."

    def forms(self):
        return ("hub", "bare", *(f"hub {tag}" for tag in self.tags[1:]))

    def features(self, pixels):
        tokens = self.model.forward_features(pixels)
        return {"penultimate": self.model.forward_head(tokens, pre_logits=True)}

    def save_hub(self, form, folder):
        tag = form.partition(" ")[2]
        if tag:
            cfg = registry.get_pretrained_cfg(f"{self.architecture}.{tag}").to_dict()
            cfg["num_classes"] = self.model.num_classes
            self.model.pretrained_cfg = self.model.default_cfg = cfg
            self.prepare()
        try:
            save_for_hf(self.model, folder, safe_serialization=True)
        except RuntimeError:  # safetensors refuses weights that are shared between modules
            save_for_hf(self.model, folder, safe_serialization=False)

    def prepare(self):
        """The preprocessing of the tag that the model has now."""
        config = resolve_data_config({}, model=self.model)
        current = get_model_input_config(self.model)
        if current.get("fixed_input_size"):  # as save_for_hf writes it
            config["input_size"] = current["input_size"]
        self.truth |= stated(
            math.floor(config["input_size"][1] / config["crop_pct"]),
            config["input_size"][1],
            config["interpolation"],
            config["crop_mode"] == "squash",
            config["mean"],
            config["std"],
        )
        self.set_preprocess(create_transform(**config))


def create(name):
    """Cut to two blocks a ViT, or to one block a stage a large residual network."""
    module = registry._model_to_module[name.split(".")[0]]
    if module in ("resnet", "res2net", "resnest", "sknet", "senet", "resnetv2"):
        with torch.device("meta"):
            whole = timm.create_model(name)
        if sum(p.numel() for p in whole.parameters()) <= SMALL:
            return timm.create_model(name), 0
        return timm.create_model(name, layers=[1, 1, 1, 1]), 0
    with torch.device("meta"):
        whole = timm.create_model(name)
    depth = len(whole.blocks) if hasattr(whole, "blocks") else 0
    for cut in (
        {"depth": 2},
        {"depth": 2, "num_kv_heads": 16},
    ):  # a list of heads is for all blocks
        try:
            return timm.create_model(name, **cut), depth
        except (TypeError, ValueError, AssertionError):
            pass
    return timm.create_model(name), depth


def build(architecture, tags):
    name = architecture + ("." + tags[0] if tags[0] else "")
    model, depth = create(name)
    truth = {}
    if isinstance(model, (timm.models.vision_transformer.VisionTransformer, timm.models.eva.Eva)):
        block = model.blocks[0]
        truth["heads"] = getattr(getattr(block, "attn", None), "num_heads", None)
        truth["activation"] = activation_of(getattr(getattr(block, "mlp", None), "act", None))
        truth["norm_eps"] = getattr(getattr(block, "norm1", None), "eps", None)
        pools = {"token": "cls", "avg": "mean", "map": "attention"}
        truth["pool"] = pools.get(model.global_pool)
        truth = {key: value for key, value in truth.items() if value is not None}
    built = BuiltTimm(model, None, truth)
    built.architecture, built.tags, built.depth = architecture, tags, depth
    built.prepare()
    built.names = (architecture, *model.state_dict())
    kinds = {type(module).__name__ for module in model.modules()}
    built.hidden = {name: said for own, name, said in HIDDEN if kinds & set(own.split())}
    if getattr(model, "pool_include_prefix", False):
        built.hidden["registers in the pool"] = r"register"
    return built


def cases():
    seen_modules = set()
    listed = {name: registry._model_to_module[name] for name in timm.list_models()}
    rank = {module: i for i, module in enumerate(MODULES)}
    for architecture, module in sorted(listed.items(), key=lambda item: rank.get(item[1], 99)):
        if module not in MODULES:
            if module in seen_modules:
                continue
            seen_modules.add(module)
        configs = registry._model_default_cfgs.get(architecture)
        tags = {}  # the first of those that agree in the preprocessing
        for tag, config in (configs.cfgs if configs else {"": None}).items():
            keys = ("input_size", "crop_pct", "crop_mode", "interpolation", "mean", "std")
            tags.setdefault(config and tuple(getattr(config, key) for key in keys), tag)
        yield Case(
            "timm", module, architecture, lambda a=architecture, t=[*tags.values()]: build(a, t)
        )
