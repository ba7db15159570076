"""Every family of described networks against its live reference, in float32 on the CPU: random
weights, official shapes and odd ones.

Environment: as encoder_tools.py.
"""

import json
import sys
from functools import partial
import warnings

try:
    import open_clip
    import timm
    import torch
    import transformers
    from safetensors.torch import save_file
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets
from encoder_tools import FOLDER, compare, images_for, refusal, run

warnings.simplefilter("ignore")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def write(state, config=None, name="model.safetensors"):
    folder = FOLDER / "model"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    save_file({k: x.contiguous().clone() for k, x in state.items()}, folder / name)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder / name


def check(made, size, label, config=None, file="model", **options):
    """A model at an input of `size` pixels a side."""
    model, state, features = made
    path = write(state, config, file + ".safetensors")
    return compare(path, images_for(size, 3), features, label, input_size=size, **options)


def small_one(family, made, sizes, file, **options):
    """A small model at odd sizes, recognised as one of its family."""
    good = True
    for size in sizes:
        good &= check(made, size, f"{family} at {size}", file=file, **options)
    path = write(made[1], name=file + ".safetensors")
    side = sizes[0]
    _, info = run(path, images_for(side, 1), "penultimate", input_size=side, **options)
    if info["family"] != family:
        print(f"# {family}: recognised as {info['family']}")
        good = False
    return good


def small_ones():
    """Each family, at odd sizes down to the smallest."""
    good = True
    for family, make in nets.SMALL.items():
        sizes = (64,) if "swin" in family else (45, 70, 32)
        options = nets.TRANSFORMERS.get(family, {})
        if family in nets.TRANSFORMERS:
            sizes = (15,)
        if "bit" in family:  # a group norm of one value is PyTorch's rounding error
            sizes = (45, 70)
        good &= small_one(family, make(), sizes, nets.FILES.get(family, "model"), **options)
    return good


def small_ones_of(module, usual):
    """The families of nets_classics or nets_mobile; usual: sizes of those that name none."""
    good = True
    for family, make in module.SMALL.items():
        sizes, file = module.SIZES.get(family, usual), module.FILES.get(family, "model")
        good &= small_one(family, make(), sizes, file, **module.OPTIONS.get(family, {}))
    return good


def convnext_kinds():
    good = True
    for label, kind in {
        "plain": {},
        "norm before the mean": dict(head_norm_first=True),
        "hidden layer in the head": dict(head_hidden_size=17),
        "1x1 convolutions": dict(conv_mlp=True),
        "patches of 2, kernels of 5": dict(patch_size=2, kernel_sizes=5),
        "version 2": dict(use_grn=True, ls_init_value=None),
    }.items():
        good &= check(nets.timm_convnext(2, **kind), 64, f"ConvNeXt, {label}")
    for version in ("", "V2"):
        good &= check(nets.hf_convnext(3, version), 50, f"ConvNext{version}Model")
    good &= check(nets.clip_convnext(4), 40, "open_clip, linear head")
    good &= check(nets.facebook_convnext(5), 40, "facebookresearch's names")
    return good


def convnext_official():
    """Official shapes with timm's own config, and the constants that are kept for them."""
    good = True
    for name, family in [
        ("convnext_tiny", "timm-convnext"),
        ("convnextv2_atto", "timm-convnext"),
        ("convnext_tiny_hnf", "timm-convnext"),
        ("test_convnext", "timm-convnext"),
    ]:
        model = nets.randomized(timm.create_model(name, pretrained=False), 1)
        cfg = model.pretrained_cfg
        size = cfg["input_size"][1]
        images = images_for(size, 2)
        config = {
            "architecture": name,
            "num_features": model.num_features,
            "pretrained_cfg": {
                k: cfg[k] for k in ("input_size", "crop_pct", "interpolation", "mean", "std")
            },
        }
        path = write(model.state_dict(), config)
        good &= compare(path, images, nets.pre_logits(model), name)
        _, info = run(path, images[:1], "penultimate")
        expected = {"family": family, "resize": str(int(size / cfg["crop_pct"]))}
        for key, value in expected.items():
            if info[key] != value:
                print(f"# {name}, {key}: linprobe {info[key]}, timm {value}")
                good = False
    return good


def convnext_refusals():
    """What timm computes otherwise is refused by its name."""
    state = nets.timm_convnext()[1]
    path = write(state, {"architecture": "convnext_atto_rms", "num_features": 24})
    return '"convnext_atto_rms" is not supported' in refusal(path, images_for(32, 1), "penultimate")


def swin_kinds():
    """Windows of other sizes, a last stage that is smaller than a window, and one head."""
    good = True
    for window, size in [(3, 96), (4, 64), (5, 160)]:
        kind = dict(img_size=size, window_size=window)
        good &= check(nets.timm_swin(2, **kind), size, f"timm's Swin, windows of {window}")
    good &= check(nets.timm_swin(3, num_heads=(1, 1, 1, 1)), 64, "timm's Swin, one head")
    good &= check(nets.hf_swin(4, plain=True), 64, "SwinModel, names of its state")
    made = nets.hf_swin(5, image_size=96, window_size=3)
    return check(made, 96, "SwinModel, windows of 3") and good


def swin_official():
    """Swin-T's shape, with timm's config; torchvision's."""
    model = nets.randomized(timm.create_model("swin_tiny_patch4_window7_224", pretrained=False), 1)
    config = {"architecture": "swin_tiny_patch4_window7_224", "num_features": 768}
    path = write(model.state_dict(), config)
    good = compare(path, images_for(224, 2), nets.pre_logits(model), "swin_tiny_patch4_window7_224")
    _, info = run(path, images_for(224, 1), "penultimate")
    said = (info["name"], info["resize"], info["crop"])
    print(f"# {said}")
    return good and said == ("Swin-T/7", "248", "224")


def swin_refusals():
    """The authors' own code has windows that fill the map; a V2 file does not say its window."""
    path = write(nets.authors_swin()[1])
    said = refusal(path, images_for(60, 1), "penultimate", input_size=60)
    path = write(nets.timm_swinv2()[1])
    window = refusal(path, images_for(64, 1), "penultimate", input_size=64)
    return "windows do not fill it" in said and "how large windows are" in window


def swin_padded():
    """Maps that are no whole number of windows, as each program fills them up."""
    good = True
    for size in (60, 76, 92):
        kind = dict(img_size=size, window_size=3, depths=(2, 2, 2, 1))
        good &= check(nets.timm_swin(2, **kind), size, f"timm's Swin, windows of 3 at {size}")
        kind = dict(image_size=96, window_size=3, depths=[2, 2, 2, 1])
        if size >= 76:
            good &= check(nets.hf_swin(3, **kind), size, f"SwinModel, windows of 3 at {size}")
        for window in (3, 5):
            good &= check(nets.torchvision_swin(4, window), size, f"torchvision's Swin at {size}")
            good &= check(
                nets.torchvision_swinv2(5, window), size, f"torchvision's Swin V2 at {size}"
            )
    return good


def swinv2_kinds():
    """Windows by name, by config and by the offsets in the file; pretrained with smaller ones."""
    good = True
    for size in (64, 96):
        made = nets.timm_swinv2(2, img_size=size)
        good &= check(made, size, f"timm's Swin V2 at {size}", file="swinv2_tiny_window8_256")
        config = {"architecture": "swinv2_base_window12to16_192to256", "num_features": 32}
        made = nets.timm_swinv2(
            3, img_size=2 * size, window_size=16, pretrained_window_sizes=(12, 12, 12, 6)
        )
        good &= check(made, 2 * size, f"Swin V2, pretrained with 12, at {2 * size}", config)
    for label, kind in {
        "windows of 4": dict(window_size=4),
        "pretrained with 3": dict(window_size=4, pretrained_window_sizes=[3, 3, 2, 2]),
    }.items():
        made = nets.hf_swinv2(4, **kind)
        config = made[0].config.to_dict()
        good &= check(made, 64, f"Swinv2Model, {label}", config)
    made = nets.authors_swinv2(5, pretrained_window_sizes=(3, 3, 2, 2))
    return check(made, 64, "the authors' Swin V2") and good


def swinv2_official():
    return official([("swinv2_tiny_window8_256", "timm-swinv2")])


def efficientnet_kinds():
    """Both paddings at even and odd sides, told by a config and by the file's name."""
    good = True
    for size in (64, 75, 96):
        made = nets.efficientnet(2, tf=False)
        good &= check(made, size, f"EfficientNet at {size}", file="efficientnet_b0_ra-3dd342df")
        made = nets.efficientnet(3, depth=1.2)
        config = {"architecture": "tf_efficientnet_b4", "num_features": made[0].num_features}
        good &= check(made, size, f"tf EfficientNet at {size}", config)
        good &= check(nets.efficientnetv2(4, width=0.5), size, f"V2 at {size}",
                      file="tf_efficientnetv2_s")
    return good


def efficientnet_official():
    """B0's and V2-S's shapes, and timm's preprocessing of B4."""
    good = True
    for name, size, resize in [
        ("tf_efficientnet_b0", 224, 256),
        ("tf_efficientnetv2_s", 300, 300),
        ("tf_efficientnet_b4", 380, 412),
    ]:
        model = nets.settled(nets.randomized(timm.create_model(name, pretrained=False), 1), 128)
        path = write(model.state_dict(), name=name + "_ns-d6313a46.safetensors")
        good &= compare(path, images_for(size, 2), nets.pre_logits(model), name)
        _, info = run(path, images_for(size, 1), "penultimate")
        if (info["resize"], info["name"]) != (str(resize), name):
            print(f"# {name}: {info}")
            good = False
    return good


def efficientnet_refusals():
    """Without its architecture's name a file could be padded either way."""
    path = write(nets.efficientnet()[1])
    return "put timm's config.json beside" in refusal(path, images_for(64, 1), "penultimate")


def official(names, file=None):
    """timm's architectures with their own config: features, resize and family."""
    good = True
    for name, family in names:
        model = nets.randomized(timm.create_model(name, pretrained=False), 1)
        if not hasattr(model, "pos_embed"):  # which is for one size
            nets.settled(model, 128)
        cfg = model.pretrained_cfg
        size = cfg["input_size"][1]
        config = {
            "architecture": name,
            "num_features": model.num_features,
            "global_pool": getattr(model, "global_pool", "") if "vit" in name else "",
            "pretrained_cfg": {
                k: cfg[k] for k in ("input_size", "crop_pct", "interpolation", "mean", "std")
            },
        }
        path = write(model.state_dict(), config)
        images = images_for(size, 2)
        good &= compare(path, images, nets.pre_logits(model), name)
        _, info = run(path, images, "penultimate")
        said = (info["family"], info["resize"])
        if said != (family, str(int(size / cfg["crop_pct"]))):
            print(f"# {name}: {said}")
            good = False
    return good


def regnet_kinds():
    """With and without squeeze-and-excitation, odd sizes; what is computed otherwise."""
    good = True
    for size in (64, 75, 33):
        good &= check(nets.timm_regnet(2, se_ratio=0), size, f"RegNetX at {size}")
        good &= check(nets.torchvision_regnet(3, None), size, f"torchvision's RegNetX at {size}")
        good &= check(nets.hf_regnet(4, "x"), size, f"RegNetModel, X, at {size}")
    model = timm.create_model("regnetz_040", pretrained=False)
    path = write(nets.without_counts(model.state_dict()))
    return "head.fc" not in refusal(path, images_for(64, 1), "penultimate") and good


def regnet_official():
    return official([("regnety_004", "timm-regnet"), ("regnetx_002", "timm-regnet")])


def resnetv2_kinds():
    """BiT of several widths; batch norms with each stem, bottlenecks and basic blocks."""
    good = check(nets.timm_bit(2, width_factor=2), 64, "BiT, twice as wide")
    for size in (64, 75, 33):
        for stem, average in (("", False), ("deep", True), ("tiered", True)):
            for basic in (False, True):
                made = nets.timm_resnetv2(
                    3, stem_type=stem, avg_down=average, basic=basic,
                    bottle_ratio=1.0 if basic else 0.5,
                )
                good &= check(made, size, f"ResNetV2, stem {stem!r}, basic {basic} at {size}")
    return good


def resnetv2_official():
    return official([("resnetv2_50x1_bit", "timm-bit"), ("resnetv2_50", "timm-resnetv2")])


def resnetd_kinds():
    """Stems, shortcuts, gates and pooling of timm's ResNets."""
    good = True
    for label, kind in {
        "c": dict(avg_down=False),
        "d": {},
        "t": dict(stem_type="deep_tiered", stem_width=8),
        "basic d": dict(block=nets.BasicBlock),
        "SE, torchvision's stem": dict(
            stem_type="", avg_down=False, block_args=dict(attn_layer="se")
        ),
        "SE, basic": dict(block=nets.BasicBlock, block_args=dict(attn_layer="se")),
        "rs": dict(replace_stem_pool=True, block_args=dict(attn_layer="se")),
        "154": dict(down_kernel_size=3, avg_down=False, block_args=dict(attn_layer="se")),
        "grouped": dict(cardinality=4, base_width=16, channels=(16, 16, 32, 32)),
    }.items():
        for size in (64, 75):
            good &= check(nets.timm_resnetd(2, **kind), size, f"timm's ResNet, {label}, at {size}")
    return good


def resnetd_official():
    return official(
        [("resnet50d", "timm-resnetd"), ("seresnext26t_32x4d", "timm-resnetd"),
         ("resnetrs50", "timm-resnetd")]
    )


def resnetd_refusals():
    """Anti-aliasing has no weights; a name tells it."""
    state = nets.timm_resnetd()[1]
    path = write(state, {"architecture": "resnetaa50d", "num_features": 80})
    said = refusal(path, images_for(32, 1), "penultimate")
    return '"resnetaa50d" is not supported' in said


def dinov3_kinds():
    """Plain and gated MLPs, biases or none, other grids, in three namings."""
    good = True
    for size in (15, 20, 35):
        for label, kind in {"plain": {}, "gated": nets.GATED_DINOV3}.items():
            made = nets.timm_dinov3(2, **kind)
            good &= check(made, size, f"timm's DINOv3, {label}, at {size}", heads=2)
            for bias in (False, True):
                made = nets.dinov3(3, bias, **kind)
                good &= check(made, size, f"DINOv3, {label}, bias {bias}, at {size}")
            gate = dict(use_gated_mlp=True, hidden_act="silu") if kind else {}
            made = nets.hf_dinov3(4, **gate)
            good &= check(made, size, f"DINOv3ViTModel, {label}", made[0].config.to_dict())
    made = nets.timm_dinov3(5, global_pool="avg", num_heads=3)
    return check(made, 15, "timm's DINOv3, the mean", heads=3, pool="mean") and good


def blocks_side_by_side():
    """Vectors of several blocks, as eval/linear.py of facebookresearch/dinov3 reads them: class
    tokens behind the last norm, then the last one's mean."""
    model, state, _ = nets.timm_dinov3(2, depth=4)
    path, images = write(state), images_for(20, 3)
    with torch.no_grad():
        blocks = model.forward_intermediates(
            images, indices=4, norm=True, return_prefix_tokens=True, output_fmt="NLC",
            intermediates_only=True,
        )
    good = True
    for first, last, pool in [(2, 4, "cls+mean"), (1, 3, "cls"), (2, 2, "mean"), (4, 4, "cls+mean")]:
        chosen = blocks[first - 1 : last]
        vectors = [patches.mean(1) if pool == "mean" else rows[:, 0] for patches, rows in chosen]
        vectors += [chosen[-1][0].mean(1)] if pool == "cls+mean" else []
        good &= compare(
            path, images, {"penultimate": torch.cat(vectors, -1)},
            f"timm's DINOv3, blocks {first}-{last}, {pool}", input_size=20, heads=2,
            layers=f"{first}-{last}", pool=pool,
        )
    return good


def eva_kinds():
    """EVA and EVA-02, fused and apart, gated by halves, post-norms; rotary positions made for
    another grid; open_clip's and the authors' names."""
    good = True
    for label, kind in {
        "EVA": {},
        "EVA-02, halves": dict(swiglu_mlp=True, use_rot_pos_emb=True, ref_feat_shape=(16, 16)),
        "EVA-02": nets.EVA02,
        "EVA-02, class token": nets.EVA02 | dict(global_pool="token"),
        "norms behind": dict(
            use_post_norm=True, global_pool="token", embed_dim=1792, num_heads=16, depth=1,
            mlp_ratio=0.1,
        ),
    }.items():
        made = nets.timm_eva(2, **kind)
        heads = {} if "behind" in label else dict(heads=2)
        good &= check(made, 15, f"timm's {label}", **heads)
    good &= check(nets.authors_eva(3), 15, "the authors' EVA-02", heads=2)
    good &= check(nets.clip_eva(4), 15, "open_clip's EVA-02", heads=2)
    made = nets.timm_eva(5, **nets.EVA02, img_size=35)
    return check(made, 35, "timm's EVA-02 with positions for 7x7", heads=2) and good


def perception_kinds():
    """With and without a class token."""
    good = True
    for class_token in (True, False):
        made = nets.perception(2, class_token)
        good &= check(made, 15, f"PE-Core, class token {class_token}", heads=2)
    return good


def beit_kinds():
    """Relative positions of each block and of all, absolute ones, class token or mean."""
    good = True
    for label, kind in {
        "each block": {},
        "absolute": dict(use_rel_pos_bias=True, use_abs_pos_emb=True),
        "shared": dict(use_rel_pos_bias=False, use_shared_rel_pos_bias=True),
        "class token": dict(global_pool="token"),
    }.items():
        good &= check(nets.timm_beit(2, **kind), 15, f"timm's BEiT, {label}")
    for name in ("Beit", "Data2VecVision"):
        for label, kind in {
            "each block": {},
            "shared": dict(
                use_relative_position_bias=False, use_shared_relative_position_bias=True
            ),
            "class token": dict(use_mean_pooling=False),
            "without its pooler": dict(pooler=False),
        }.items():
            made = nets.hf_beit(3, name, **kind)
            good &= check(made, 15, f"{name}Model, {label}", made[0].config.to_dict())
    _, info = run(write(nets.hf_beit(3, pooler=False)[1]), images_for(15, 1), "penultimate")
    good &= "rows without a norm, as the file has no pooler" in info["assumed"]
    _, info = run(write(nets.hf_beit(3)[1]), images_for(15, 1), "penultimate")
    good &= "without a norm" not in info["assumed"]
    state = {k: x for k, x in nets.timm_beit()[1].items() if not k.startswith("fc_norm.")}
    said = refusal(write(state), images_for(15, 1), "penultimate", input_size=15)
    good &= "fc_norm.weight: missing" in said
    path = write(nets.timm_beit()[1])
    said = refusal(path, images_for(20, 1), "penultimate", input_size=20)
    return "is for another one" in said and good


def ovis2_and_mlcd():
    """With their configs, whose defaults are not written, and without."""
    good = True
    big = dict(patch_size=14, image_size=28, hidden_size=64, num_attention_heads=4)
    for made, kind in ((nets.hf_ovis2, big), (nets.hf_mlcd, big), (nets.hf_mlcd, {})):
        made = made(2, **kind)
        side = kind.get("image_size", 15)
        good &= check(made, side, type(made[0]).__name__, heads=kind and 4 or 2)
        config = made[0].config.to_diff_dict() | {"num_hidden_layers": 2}
        good &= check(made, side, "with its config", config)
    good &= check(nets.hf_mlcd(4), 25, "MLCD of another input")
    _, state, _ = nets.hf_mlcd(5, hidden_size=48)  # heads of 24 values, but angles for 20
    path = write(state | {"class_pos_emb": torch.zeros(1, 10)})
    good &= "for heads of another width than 24" in refusal(path, images_for(15, 1), "penultimate")
    made = nets.hf_mlcd(3, rope_parameters={"rope_type": "axial", "rope_theta": 500.0})
    path = write(made[1], made[0].config.to_diff_dict())
    said = refusal(path, images_for(15, 1), "penultimate")
    return good and 'rope_theta "which is not 10000"' in said


def parallel_kinds():
    """Both blocks of timm; its own architectures of them, with their configs."""
    good = True
    things = nets.ParallelThingsBlock
    for label, made in {
        "18x2": nets.parallel(2, things, init_values=0.1),
        "18x2, plain": nets.parallel(3, things),
        "18x2, norms of heads, three": nets.parallel(
            4, partial(things, num_parallel=3), qk_norm=True),
        "xp": nets.parallel(5, **nets.XP),
        "xp, layer norms": nets.parallel(6, **(nets.XP | dict(norm_layer=None))),
        "pwee": nets.parallel(7, **nets.PWEE),
    }.items():
        good &= check(made, 15, label, heads=2)
    good &= check(nets.parallel(8, **nets.XP, dynamic_img_size=True), 25, "xp, 25 pixels", heads=2)
    for name in ("vit_small_patch16_18x2_224", "vit_base_patch16_xp_224",
                 "vit_pwee_patch16_reg1_gap_256"):
        model = nets.randomized(timm.create_model(name, depth=2), 1)
        size = model.pretrained_cfg["input_size"][1]
        path = write(model.state_dict(), {"architecture": name})
        good &= compare(path, images_for(size, 2), nets.pre_logits(model), name)
    other = write(nets.parallel(9)[1], {"architecture": "vit_dpwee_patch16_reg1_gap_256"})
    return "is not supported" in refusal(other, images_for(15, 1), "penultimate") and good


def aimv2_kinds():
    good = check(nets.timm_aimv2(2), 15, "timm's AIMv2", heads=2)
    return check(nets.aimv2(3), 15, "Apple's AIMv2", heads=2) and good


def transformers_official():
    good = official(
        [("vit_small_patch16_dinov3", "timm-dinov3"), ("eva02_tiny_patch14_224", "eva"),
         ("beit_base_patch16_224", "beit")]
    )
    model = nets.randomized(timm.create_model("aimv2_large_patch14_224", depth=3), 1)
    path = write(model.state_dict(), {"architecture": "aimv2_large_patch14_224"})
    images = images_for(224, 2)
    return compare(path, images, nets.pre_logits(model), "aimv2_large, 3 blocks") and good


def torchvision_kinds():
    """torchvision's names of ConvNeXts and EfficientNets, at odd sizes; the eps by the name."""
    good = True
    for size in (64, 75, 33):
        good &= check(nets.torchvision_convnext(2), size, f"torchvision's ConvNeXt at {size}")
        good &= check(nets.torchvision_efficientnet(3), size, f"torchvision's EfficientNet at {size}",
                      file="efficientnet_b0_rwightman-7f5810bc")
        good &= check(nets.torchvision_efficientnet(4, True), size,
                      f"torchvision's EfficientNetV2 at {size}", file="efficientnet_v2_s-dd5fe13b")
    path = write(nets.torchvision_efficientnet()[1])
    return "give it its program's name" in refusal(path, images_for(64, 1), "penultimate") and good


def coca_kinds():
    good = check(nets.coca(2), 15, "CoCa", heads=2)
    return check(nets.coca(3, layer_scale=0.5), 15, "CoCa with layer scale", heads=2) and good


def torchvision_official():
    import torchvision

    good = True
    for name, file, size in [
        ("convnext_tiny", "convnext_tiny-983f1562", 224),
        ("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc", 224),
        ("efficientnet_v2_s", "efficientnet_v2_s-dd5fe13b", 384),
    ]:
        model = nets.settled(nets.randomized(getattr(torchvision.models, name)(), 1), 128)
        path = write(nets.without_counts(model.state_dict()), name=file + ".safetensors")
        model.classifier[-1] = torch.nn.Identity()
        images = images_for(size, 2)
        good &= compare(path, images, lambda x: {"penultimate": model(x)}, f"torchvision {name}")
    return good


TESTS = [
    torchvision_kinds,
    torchvision_official,
    coca_kinds,
    dinov3_kinds,
    blocks_side_by_side,
    eva_kinds,
    perception_kinds,
    beit_kinds,
    aimv2_kinds,
    ovis2_and_mlcd,
    parallel_kinds,
    transformers_official,
    regnet_kinds,
    regnet_official,
    resnetv2_kinds,
    resnetv2_official,
    resnetd_kinds,
    resnetd_official,
    resnetd_refusals,
    efficientnet_kinds,
    efficientnet_official,
    efficientnet_refusals,
    small_ones,
    convnext_kinds,
    convnext_official,
    convnext_refusals,
    swin_kinds,
    swin_official,
    swin_refusals,
    swin_padded,
    swinv2_kinds,
    swinv2_official,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, timm, open_clip, transformers)))
