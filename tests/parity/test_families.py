"""Every family of vision transformers against its live reference, in float32 on the CPU: random
weights, several odd sizes, and one official shape each.

The models of facebookresearch (DINO, DINOv2) are not in a package: their weights' names are made
of timm's, their positions by the call of torch.nn.functional.interpolate that they make, and the
rest is timm's or transformers' model.

Environment: as encoder_tools.py.
"""

import json
import sys
import warnings

try:
    import numpy as np
    import open_clip
    import timm
    import torch
    import transformers
    from safetensors.torch import save_file
    from timm.models.deit import VisionTransformerDistilled
    from timm.models.vision_transformer import VisionTransformer as TimmViT
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
from encoder_tools import FOLDER, compare, images_for, refusal, run
from vit_models import GATED, dinov2_state, randomized, resized, small_vit

warnings.simplefilter("ignore")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def fresh(name="model"):
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def write(state, folder=None, name="model.safetensors"):
    path = (folder or fresh()) / name
    state = {key: x.contiguous() for key, x in state.items()}
    if name.endswith(".safetensors"):
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


# ---- transformers ------------------------------------------------------------------------------


def hf_sizes(**extra):
    for image, patch, width, layers, heads, inner in [
        (28, 7, 128, 2, 2, 100),
        (15, 5, 96, 3, 4, 33),
        (6, 6, 60, 1, 1, 64),
    ]:
        yield dict(
            image_size=image,
            patch_size=patch,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=inner,
        ) | extra


def hf_clip():
    """CLIPVisionModelWithProjection and CLIPVisionModel as they save themselves; activation, heads
    and eps from config.json."""
    good = True
    for seed, sizes in enumerate(hf_sizes(projection_dim=24)):
        for act in ("quick_gelu", "gelu"):
            config = transformers.CLIPVisionConfig(**sizes, hidden_act=act)
            model = randomized(transformers.CLIPVisionModelWithProjection(config), seed)
            images = images_for(sizes["image_size"], 3)
            with torch.no_grad():
                out = model(images)
                pooled = model.vision_model(images).pooler_output
            expected = {"penultimate": pooled, "projected": out.image_embeds}
            folder = fresh()
            model.save_pretrained(folder)
            good &= compare(folder / "model.safetensors", images, expected, f"hf-clip {act}")
        alone = fresh("alone")
        model.vision_model.save_pretrained(alone)
        del expected["projected"]
        good &= compare(alone / "model.safetensors", images, expected, "CLIPVisionModel")
    return good


def hf_clip_bin():
    """CLIPModel's old .bin: the buffer of positions, a text tower; ViT-B/32's shape; without a
    config, the activation is asked for."""
    config = transformers.CLIPConfig()
    config.text_config.num_hidden_layers = 1
    config.text_config.vocab_size = 100
    model = randomized(transformers.CLIPModel(config), 3)
    state = model.state_dict()
    state["vision_model.embeddings.position_ids"] = torch.arange(50)[None]
    path = write(state, name="pytorch_model.bin")
    images = images_for(224, 2)
    with torch.no_grad():
        pooled = model.vision_model(images).pooler_output
        expected = {"penultimate": pooled, "projected": model.visual_projection(pooled)}
    if "(option 'activation')" not in refusal(path, images, "projected"):
        print("# a missing config.json: not asked for")
        return False
    good = compare(path, images, expected, activation="quick_gelu")
    config.save_pretrained(path.parent)
    return good and compare(path, images, expected)


def hf_siglip():
    good = True
    for seed, sizes in enumerate(hf_sizes()):
        model = randomized(
            transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**sizes)), seed
        )
        images = images_for(sizes["image_size"], 3)
        folder = fresh()
        model.save_pretrained(folder)
        with torch.no_grad():
            out = model(images)
        path = folder / "model.safetensors"
        good &= compare(path, images, {"penultimate": out.pooler_output}, "hf-siglip")
        mean = {"penultimate": out.last_hidden_state.mean(1)}
        good &= compare(path, images, mean, "hf-siglip, mean", pool="mean")
    return good


def hf_siglip_base():
    """SiglipModel's names, google/siglip-base-patch16-224's shape, its config of defaults."""
    config = transformers.SiglipConfig()
    config.text_config.num_hidden_layers = 1
    config.text_config.vocab_size = 100
    model = transformers.SiglipModel(config).eval()
    randomized(model.vision_model, 4)
    path = write(model.state_dict())
    (path.parent / "config.json").write_text(
        json.dumps({"model_type": "siglip", "vision_config": {"model_type": "siglip_vision_model"}})
    )
    images = images_for(224, 2)
    with torch.no_grad():
        expected = {"penultimate": model.vision_model(images).pooler_output}
    return compare(path, images, expected)


def hf_dinov2():
    """Plain, gated and with registers, at the stored size and at others."""
    good = True
    for seed, sizes in enumerate(hf_sizes()):
        del sizes["intermediate_size"]
        for kind in ("Dinov2", "Dinov2WithRegisters"):
            for gated in (False, True):
                config = getattr(transformers, kind + "Config")(**sizes, use_swiglu_ffn=gated)
                model = randomized(getattr(transformers, kind + "Model")(config), seed)
                folder = fresh()
                model.save_pretrained(folder)
                for grid in (sizes["image_size"] // sizes["patch_size"], 3, 6):
                    images = images_for(grid * sizes["patch_size"], 3)
                    with torch.no_grad():
                        out = model(images)
                    good &= compare(
                        folder / "model.safetensors",
                        images,
                        {"penultimate": out.pooler_output},
                        f"{kind}, gated {gated}, grid {grid}",
                        input_size=images.shape[-1],
                    )
    return good


def hf_dinov2_small():
    """ViT-S/14, positions stored for 518 pixels, at 224 as by default; Hugging Face's names of old."""
    good = True
    for kind in ("Dinov2", "Dinov2WithRegisters"):
        config = getattr(transformers, kind + "Config")(
            image_size=518,
            patch_size=14,
            hidden_size=384,
            num_attention_heads=6,
        )
        model = randomized(getattr(transformers, kind + "Model")(config), 6)
        folder = fresh()
        model.save_pretrained(folder)
        images = images_for(224, 2)
        with torch.no_grad():
            expected = {"penultimate": model(images).pooler_output}
        good &= compare(folder / "model.safetensors", images, expected, f"{kind}, S/14 at 224")
    return good


def hf_vit():
    good = True
    base = dict(image_size=224, patch_size=16)
    for seed, sizes in enumerate([*hf_sizes(), base]):
        model = randomized(transformers.ViTModel(transformers.ViTConfig(**sizes)), seed)
        images = images_for(sizes["image_size"], 3)
        folder = fresh()
        model.save_pretrained(folder)
        with torch.no_grad():
            expected = {"penultimate": model(images).last_hidden_state[:, 0]}
        good &= compare(folder / "model.safetensors", images, expected, "hf-vit")
    return good


# ---- open_clip ---------------------------------------------------------------------------------


def open_clip_tower(quick_gelu, **cfg):
    width = cfg.pop("embed_dim")
    cfg = open_clip.CLIPVisionCfg(**cfg)
    return open_clip.model._build_vision_tower(width, cfg, quick_gelu=quick_gelu)


def open_clip_vit():
    """GELU and QuickGELU from the config beside the file, heads of other widths, ViT-H's width; the
    wrappers "module." and "state_dict"."""
    good = True
    for seed, (embed, image, patch, width, layers, head) in enumerate(
        [(24, 28, 7, 128, 2, 32), (17, 15, 5, 160, 2, 80), (33, 28, 14, 1280, 1, 80)]
    ):
        for quick in (False, True):
            cfg = dict(
                image_size=image, patch_size=patch, width=width, layers=layers, head_width=head
            )
            model = randomized(open_clip_tower(quick, embed_dim=embed, **cfg), seed)
            state = {f"module.visual.{k}": x for k, x in model.state_dict().items()}
            folder = fresh()
            path = folder / "open_clip_pytorch_model.bin"
            torch.save({"epoch": 3, "state_dict": state}, path)
            config = {"model_cfg": {"embed_dim": embed, "vision_cfg": cfg}}
            if quick:
                config["model_cfg"]["quick_gelu"] = True
            (folder / "open_clip_config.json").write_text(json.dumps(config))
            images = images_for(image, 3)
            with torch.no_grad():
                expected = {"projected": model(images)}
            good &= compare(path, images, expected, f"open_clip {width}, quick_gelu {quick}")
    return good


def open_clip_resized():
    """--input-size interpolates as open_clip's resize_pos_embed."""
    cfg = dict(image_size=28, patch_size=7, width=64, layers=2, embed_dim=16)
    model = randomized(open_clip_tower(False, **cfg), 1)
    state = {f"visual.{k}": x for k, x in model.state_dict().items()}
    path = write(state)
    good = True
    for image in (21, 63):
        other = open_clip_tower(False, **(cfg | {"image_size": image})).eval()
        holder = torch.nn.Module()
        holder.visual = other
        resized = dict(state)
        open_clip.model.resize_pos_embed(resized, holder)
        other.load_state_dict({k.removeprefix("visual."): x for k, x in resized.items()})
        images = images_for(image, 3)
        with torch.no_grad():
            expected = {"projected": other(images)}
        good &= compare(
            path, images, expected, f"open_clip at {image}", activation="gelu", input_size=image
        )
    return good


def open_clip_siglip():
    """A timm tower under visual.trunk, with a linear head."""
    tower = TimmViT(
        img_size=28,
        patch_size=7,
        embed_dim=64,
        depth=2,
        num_heads=1,
        class_token=False,
        global_pool="map",
        num_classes=0,
    )
    head = torch.nn.Linear(64, 24, bias=False)
    randomized(tower, 1), randomized(head, 2)
    state = {f"visual.trunk.{k}": x for k, x in tower.state_dict().items()}
    state["visual.head.proj.weight"] = head.weight.data
    state["text.token_embedding.weight"] = torch.zeros(3, 4)
    images = images_for(28, 3)
    with torch.no_grad():
        pooled = tower(images)
        expected = {"penultimate": pooled, "projected": head(pooled)}
    return compare(write(state), images, expected)


# ---- timm --------------------------------------------------------------------------------------

TIMM_KINDS = {
    "registers without positions": dict(reg_tokens=4, no_embed_class=True),
    "registers with positions": dict(reg_tokens=3),
    "class token without position": dict(no_embed_class=True),
    "layer scale": dict(init_values=0.1),
    "no class token, mean": dict(class_token=False, global_pool="avg"),
    "no class token, registers, mean": dict(
        class_token=False, global_pool="avg", reg_tokens=4, no_embed_class=True
    ),
    "no class token, norm before the mean": dict(
        class_token=False, global_pool="avg", fc_norm=False, qkv_bias=False
    ),
    "class token, mean": dict(global_pool="avg"),
    "attention pool": dict(class_token=False, global_pool="map"),
    "SwiGLU": GATED,
}


def timm_expected(model, images):
    with torch.no_grad():
        return {
            "penultimate": model.forward_head(model.forward_features(images), pre_logits=True)
        }


def timm_kinds():
    good = True
    for label, kind in TIMM_KINDS.items():
        for seed, (size, patch, width, depth) in enumerate([(40, 8, 64, 3), (44, 11, 128, 2)]):
            model = randomized(
                TimmViT(
                    img_size=size,
                    patch_size=patch,
                    embed_dim=width,
                    depth=depth,
                    num_heads=width // 64,
                    num_classes=3,
                    **kind,
                ),
                seed,
            )
            images = images_for(size, 3)
            expected = timm_expected(model, images)
            good &= compare(write(model.state_dict()), images, expected, f"timm, {label}")
    return good


def linear_input(model, images, first, last, with_mean):
    """What DINOv2's linear probe reads (facebookresearch/dinov2 eval/linear.py,
    create_linear_input): of each block the class token behind the final norm, then the mean of the
    last one's patches."""
    with torch.no_grad():
        blocks = model.get_intermediate_layers(
            images, list(range(first - 1, last)), return_prefix_tokens=True, norm=True
        )
    vectors = [prefix[:, 0] for _, prefix in blocks]
    vectors += [blocks[-1][0].mean(1)] if with_mean else []
    return torch.cat(vectors, -1)


def layers_as_dinov2_reads_them():
    good = True
    kinds = {
        "plain": {},
        "registers": dict(reg_tokens=4, no_embed_class=True, init_values=0.1),
        "SwiGLU": dict(init_values=0.1) | GATED,
    }
    for label, kind in kinds.items():
        model = randomized(small_vit(4, depth=6, **kind), 3)
        images = images_for(28, 3)
        path = write(model.state_dict())
        for first, last, pool in [(3, 6, "cls+mean"), (3, 6, "cls"), (2, 4, "cls+mean")]:
            expected = linear_input(model, images, first, last, pool == "cls+mean")
            good &= compare(
                path,
                images,
                {"penultimate": expected},
                f"{label}, layers {first}-{last}, {pool}",
                pool=pool,
                layers=f"{first}-{last}",
            )
        expected = linear_input(model, images, 6, 6, True)
        good &= compare(path, images, {"penultimate": expected}, f"{label}, cls+mean", pool="cls+mean")
    return good


def layers_of_dinov2():
    """facebook/dinov2-small's shape from transformers: its hidden states behind its last norm."""
    config = transformers.Dinov2Config(
        image_size=224, patch_size=14, hidden_size=384, num_attention_heads=6
    )
    model = randomized(transformers.Dinov2Model(config), 6)
    folder = fresh()
    model.save_pretrained(folder)
    images = images_for(224, 2)
    with torch.no_grad():
        hidden = model(images, output_hidden_states=True).hidden_states[-4:]
        normed = [model.layernorm(x) for x in hidden]
        expected = torch.cat([*(x[:, 0] for x in normed), normed[-1][:, 1:].mean(1)], -1)
    return compare(
        folder / "model.safetensors",
        images,
        {"penultimate": expected},
        "DINOv2 S/14, layers 9-12, cls+mean",
        pool="cls+mean",
        layers="9-12",
    )


def timm_distilled():
    """DeiT's two tokens: timm's pre_logits are their mean."""
    good = True
    for size, patch, depth in [(24, 8, 2), (15, 5, 1)]:
        model = VisionTransformerDistilled(
            img_size=size, patch_size=patch, embed_dim=64, depth=depth, num_heads=1, num_classes=3
        )
        randomized(model, depth)
        images = images_for(size, 3)
        path = FOLDER / "deit.pth"
        torch.save({"model": model.state_dict()}, path)
        good &= compare(path, images, timm_expected(model, images), "deit-distilled")
    return good


def timm_clip():
    """eps 1e-5; the activation from timm's config.json."""
    good = True
    for act, name in [
        (None, "vit_base_patch7_clip_28"),
        ("quick_gelu", "vit_base_patch7_clip_quickgelu_28"),
    ]:
        model = TimmViT(
            img_size=28,
            patch_size=7,
            embed_dim=64,
            depth=2,
            num_heads=1,
            num_classes=0,
            pre_norm=True,
            norm_layer=lambda width, **kw: torch.nn.LayerNorm(width, eps=1e-5),
            act_layer=act,
        )
        randomized(model, 1)
        images = images_for(28, 3)
        path = write(model.state_dict())
        if "(option 'activation')" not in refusal(path, images, "penultimate"):
            print("# timm-clip: the activation is not asked for")
            return False
        (path.parent / "config.json").write_text(
            json.dumps({"architecture": name, "num_features": 64, "global_pool": "token"})
        )
        good &= compare(path, images, timm_expected(model, images), f"timm-clip {name}")
    return good


def timm_official():
    """Official shapes, and the constants that linprobe keeps for them against timm's."""
    good = True
    for name, family in [
        ("deit_tiny_distilled_patch16_224", "deit-distilled"),
        ("vit_base_patch16_siglip_224", "timm-siglip"),
        ("vit_small_patch14_reg4_dinov2", "timm-vit-scaled"),
        ("vit_base_patch32_clip_quickgelu_224", "timm-clip"),
    ]:
        extra = dict(img_size=224) if "dinov2" in name else {}
        model = randomized(timm.create_model(name, pretrained=False, **extra), 1)
        path = write(model.state_dict())
        images = images_for(224, 2)
        told = {"activation": "quick_gelu"} if "clip" in name else {}
        good &= compare(path, images, timm_expected(model, images), name, **told)
        _, info = run(path, images[:1], "penultimate", **told)
        config = timm.data.resolve_model_data_config(model)
        expected = {
            "family": family,
            "heads": str(model.blocks[0].attn.num_heads),
            "resize": str(int(224 / config["crop_pct"])),
            "mean": " ".join(f"{np.float32(x):.9g}" for x in config["mean"]),
            "std": " ".join(f"{np.float32(x):.9g}" for x in config["std"]),
        }
        if "siglip" in name or "clip" in name:
            expected["resize"] = "224"  # squashed, as open_clip's and Google's
        for key, value in expected.items():
            if info[key] != value:
                print(f"# {name}, {key}: linprobe {info[key]}, timm {value}")
                good = False
    return good


def timm_resized():
    """--input-size interpolates as timm's resample_abs_pos_embed; --pool mean is the mean of the
    normed patches."""
    model = TimmViT(img_size=40, patch_size=8, embed_dim=64, depth=2, num_heads=1, num_classes=3)
    randomized(model, 1)
    path = write(model.state_dict())
    good = True
    for image in (24, 72):
        model.set_input_size(img_size=image)
        images = images_for(image, 3)
        expected = timm_expected(model, images)
        good &= compare(path, images, expected, f"timm at {image}", input_size=image)
        with torch.no_grad():
            mean = {"penultimate": model.forward_features(images)[:, 1:].mean(1)}
        good &= compare(path, images, mean, "timm, mean", input_size=image, pool="mean")
        model.set_input_size(img_size=40)
        model.load_state_dict(torch_load(path))
    return good


def torch_load(path):
    from safetensors.torch import load_file

    return load_file(path)


# ---- facebookresearch --------------------------------------------------------------------------


def at_grid(model, positions, grid, make):
    """The model for another grid, with these positions."""
    other = make(grid).eval()
    other.load_state_dict(model.state_dict() | {"pos_embed": positions})
    return other


def dino():
    """The backbone alone, and the teacher of a whole checkpoint; DINO's interpolate_pos_encoding."""
    model = randomized(small_vit(5), 1)
    state = model.state_dict()
    path = write(state, name="dino.pth")
    good = True
    for grid in (5, 3, 8):
        positions = state["pos_embed"]
        if grid != 5:
            positions = resized(positions, grid, scale_factor=((grid + 0.1) / 5,) * 2)
        images = images_for(7 * grid, 3)
        expected = timm_expected(at_grid(model, positions, grid, small_vit), images)
        good &= compare(path, images, expected, f"dino, grid {grid}", input_size=7 * grid)
    student = randomized(small_vit(5), 2).state_dict()
    training = {
        "student": {f"module.backbone.{k}": x for k, x in student.items()},
        "teacher": {f"backbone.{k}": x for k, x in state.items()},
        "epoch": 100,
    }
    training["teacher"]["head.last_layer.weight_g"] = torch.ones(3, 1)
    path = fresh() / "checkpoint.pth"
    torch.save(training, path)
    images = images_for(35, 3)
    return good and compare(path, images, timm_expected(model, images), "dino, teacher")


def dino_small():
    """ViT-S/16."""
    model = timm.create_model("vit_small_patch16_224.dino", pretrained=False, num_classes=0)
    randomized(model, 1)
    images = images_for(224, 2)
    path = write(model.state_dict(), name="dino_deitsmall16_pretrain.pth")
    _, info = run(path, images[:1], "penultimate")
    good = (info["resize"], info["crop"], info["family"]) == ("256", "224", "dino")
    return compare(path, images, timm_expected(model, images)) and good


def dinov2():
    """Plain and SwiGLU: positions by the factor (grid + 0.1) / stored grid."""
    good = True
    for gated in (False, True):
        kind = GATED if gated else {}

        def make(grid):
            return small_vit(grid, init_values=0.1, **kind)

        model = randomized(make(5), 1)
        state = dinov2_state(model)
        path = write(state, name="dinov2.pth")
        for grid in (5, 3, 8):
            positions = state["pos_embed"]
            if grid != 5:
                positions = resized(positions, grid, scale_factor=((grid + 0.1) / 5,) * 2)
            images = images_for(7 * grid, 3)
            expected = timm_expected(at_grid(model, positions, grid, make), images)
            label = f"dinov2, gated {gated}, grid {grid}"
            good &= compare(path, images, expected, label, input_size=7 * grid)
    return good


def dinov2_registers():
    """Positions by size, with antialias; the class token has one, the registers have none."""
    def make(grid):
        return small_vit(grid, init_values=0.1, reg_tokens=4, no_embed_class=True)

    model = randomized(make(5), 1)
    class_position = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(2))
    state = dinov2_state(model)
    state["cls_token"] = model.cls_token.data - class_position
    state["pos_embed"] = torch.cat([class_position, model.pos_embed.data], 1)
    path = write(state, name="dinov2_reg4.pth")
    good = True
    for grid in (5, 3, 8):
        positions = resized(state["pos_embed"], grid, size=(grid, grid), antialias=True)
        images = images_for(7 * grid, 3)
        expected = timm_expected(at_grid(model, positions[:, 1:], grid, make), images)
        good &= compare(path, images, expected, f"dinov2-reg, grid {grid}", input_size=7 * grid)
    return good


def dinov2_registers_small():
    """ViT-S/14 with four registers at 224 pixels, positions stored for 518."""
    def make(grid):
        return timm.create_model("vit_small_patch14_reg4_dinov2", pretrained=False,
                                 img_size=14 * grid, num_classes=0)

    model = randomized(make(37), 1)
    class_position = torch.randn(1, 1, 384, generator=torch.Generator().manual_seed(2))
    state = dinov2_state(model)
    state["cls_token"] = model.cls_token.data - class_position
    state["pos_embed"] = torch.cat([class_position, model.pos_embed.data], 1)
    positions = resized(state["pos_embed"], 16, size=(16, 16), antialias=True)
    images = images_for(224, 2)
    expected = timm_expected(at_grid(model, positions[:, 1:], 16, make), images)
    path = write(state, name="dinov2_vits14_reg4_pretrain.pth")
    _, info = run(path, images[:1], "penultimate")
    good = (info["resize"], info["crop"], info["family"]) == ("256", "224", "dinov2-reg")
    return compare(path, images, expected) and good


def dinov2_small():
    """ViT-S/14 at 224 pixels, positions stored for 518."""
    def make(grid):
        return timm.create_model(
            "vit_small_patch14_dinov2", pretrained=False, img_size=14 * grid, num_classes=0
        )

    model = randomized(make(37), 1)
    state = dinov2_state(model)
    positions = resized(state["pos_embed"], 16, scale_factor=((16 + 0.1) / 37,) * 2)
    images = images_for(224, 2)
    expected = timm_expected(at_grid(model, positions, 16, make), images)
    path = write(state, name="dinov2_vits14_pretrain.pth")
    _, info = run(path, images[:1], "penultimate")
    good = (info["resize"], info["crop"], info["family"]) == ("256", "224", "dinov2")
    return compare(path, images, expected) and good


def mae():
    """The pretraining file: encoder, decoder and mask token under "model"."""
    model = randomized(small_vit(4), 1)
    state = model.state_dict()
    state["mask_token"] = torch.zeros(1, 1, 32)
    state["decoder_pos_embed"] = torch.zeros(1, 17, 32)
    state["decoder_embed.weight"] = torch.zeros(32, 64)
    state["decoder_blocks.0.norm1.weight"] = torch.zeros(32)
    path = FOLDER / "mae.pth"
    torch.save({"model": state}, path)
    images = images_for(28, 3)
    good = compare(path, images, timm_expected(model, images))
    model = randomized(
        timm.create_model("vit_base_patch16_224.mae", pretrained=False, num_classes=0), 1)
    torch.save({"model": model.state_dict()}, path)
    images = images_for(224, 2)
    return compare(path, images, timm_expected(model, images), "mae, B/16") and good


TESTS = [
    hf_clip,
    hf_clip_bin,
    hf_siglip,
    hf_siglip_base,
    hf_dinov2,
    hf_dinov2_small,
    hf_vit,
    open_clip_vit,
    open_clip_resized,
    open_clip_siglip,
    timm_kinds,
    layers_as_dinov2_reads_them,
    layers_of_dinov2,
    timm_distilled,
    timm_clip,
    timm_official,
    timm_resized,
    dino,
    dino_small,
    dinov2,
    dinov2_registers,
    dinov2_registers_small,
    dinov2_small,
    mae,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, timm, open_clip, transformers)))
