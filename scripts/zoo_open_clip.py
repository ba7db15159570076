"""The models of open_clip for zoo.py: the image towers of all its configs."""

import copy
import json

import open_clip
import timm
import torch
from open_clip.model import _build_vision_tower
from open_clip.pretrained import _PRETRAINED
from open_clip.transform import PreprocessCfg, image_transform_v2
from safetensors.torch import save_file

from zoo_models import Built, Case, activation_of, stated


class BuiltOpenClip(Built):
    points = ("penultimate", "projected")
    blocks = r"visual\.transformer\.resblocks\.|visual\.trunk\.blocks\."

    def features(self, pixels):
        """The projection, and what goes into it."""
        visual = self.model
        if hasattr(visual, "trunk"):
            tokens = visual.trunk.forward_features(pixels)
            pooled = visual.trunk.forward_head(tokens, pre_logits=True)
            return {"penultimate": pooled, "projected": visual(pixels)}
        if hasattr(visual, "attnpool"):
            return {"projected": visual(pixels)}
        found = visual(pixels)
        found = found[0] if isinstance(found, tuple) else found
        kept, visual.proj = visual.proj, None
        pooled = visual(pixels)
        visual.proj = kept
        pooled = pooled[0] if isinstance(pooled, tuple) else pooled
        return {"penultimate": pooled, "projected": found}

    def state(self):
        state = {f"visual.{key}": value for key, value in self.model.state_dict().items()}
        return state | {"logit_scale": torch.tensor(2.6)}

    def save_hub(self, form, folder):
        save_file(self.state(), folder / "open_clip_model.safetensors")
        (folder / "open_clip_config.json").write_text(json.dumps(self.config, indent=2))


def cut(config):
    """The config with two blocks, and how many it had."""
    config = copy.deepcopy(config)
    layers = config["vision_cfg"].get("layers", 12)
    config["vision_cfg"]["layers"] = [1, 1, 1, 1] if isinstance(layers, list) else 2
    return config, 0 if isinstance(layers, list) else layers


def tower(config):
    """The image tower; a trunk of timm with two blocks."""
    vision = config["vision_cfg"]
    create = timm.create_model

    def shallow(name, **options):
        try:
            return create(name, depth=2, **options)
        except (TypeError, ValueError, AssertionError):
            return create(name, **options)

    timm.create_model = shallow
    try:
        return _build_vision_tower(config["embed_dim"], vision, config.get("quick_gelu", False))
    finally:
        timm.create_model = create


def build(name, preprocess):
    config, depth = open_clip.get_model_config(name), 0
    trunk = config["vision_cfg"].get("timm_model_name")
    if trunk is None:
        config, depth = cut(config)
    else:
        with torch.device("meta"):
            depth = len(getattr(timm.create_model(trunk), "blocks", ()))
    model = tower(config)
    vision = config["vision_cfg"]
    size = vision["image_size"]
    truth = stated(
        size,
        size,
        preprocess["interpolation"],
        preprocess["resize_mode"] == "squash",
        preprocess["mean"],
        preprocess["std"],
    )
    if trunk is None and isinstance(vision["layers"], int):
        truth["heads"] = vision["width"] // vision.get("head_width", 64)
        truth["activation"] = "quick_gelu" if config.get("quick_gelu") else "gelu"
        truth["norm_eps"] = 1e-5
        truth["pool"] = "mean" if vision.get("pool_type") == "avg" else "cls"
    elif trunk is not None and isinstance(model.trunk, timm.models.VisionTransformer):
        block = model.trunk.blocks[0]
        truth["heads"] = block.attn.num_heads
        truth["activation"] = activation_of(block.mlp.act) if hasattr(block.mlp, "act") else None
        truth["norm_eps"] = block.norm1.eps
        pools = {"token": "cls", "avg": "mean", "map": "attention"}
        truth["pool"] = pools[model.trunk.global_pool]
        truth = {key: value for key, value in truth.items() if value is not None}
    transform = image_transform_v2(PreprocessCfg(size=size, **preprocess), False)
    built = BuiltOpenClip(model, transform, truth)
    built.config = {"model_cfg": config, "preprocess_cfg": preprocess}
    built.depth = depth
    if hasattr(model, "attnpool"):
        built.points = ("projected",)
    elif trunk is not None and vision.get("timm_proj") == "none":
        built.points = ("penultimate",)
    built.names = (name, trunk or name, *built.state())
    return built


def cases():
    keys = ("mean", "std", "interpolation", "resize_mode")
    for name in open_clip.list_models():
        vision = open_clip.get_model_config(name)["vision_cfg"]
        family = "VisionTransformer"
        if "timm_model_name" in vision:
            family = "timm " + vision["timm_model_name"].split("_")[0]
        elif isinstance(vision.get("layers"), list):
            family = "ModifiedResNet"
        default = {key: getattr(PreprocessCfg(), key) for key in keys}
        groups = {}
        for tag, made in _PRETRAINED.get(name, {"": {}}).items():
            preprocess = default | {key: made[key] for key in keys if made.get(key) is not None}
            groups.setdefault(json.dumps(preprocess), (tag, preprocess))
        for tag, preprocess in groups.values():
            title = f"{name}.{tag}" if tag else name
            yield Case("open_clip", family, title, lambda n=name, p=preprocess: build(n, p))
