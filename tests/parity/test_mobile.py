"""The networks of nets_mobile.py against their live references, as test_nets.py."""

import json
import sys

try:
    import open_clip
    import timm
    import torch
    import transformers
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets
import nets_mobile as mobile
from encoder_tools import compare, images_for, run
from test_nets import check, official, small_ones_of, write


def small_ones():
    """Each family, at odd sizes, recognised as itself."""
    return small_ones_of(mobile, (45, 70, 64))


def fastvit_kinds():
    """Branches and one convolution of them, with and without attention, of both programs."""
    good = True
    for fused in (False, True):
        made = mobile.fastvit(2, fused)
        good &= check(made, 65, f"FastViT without attention, fused {fused}")
        made = mobile.fastvit(3, fused, **mobile.ATTENTION)
        good &= check(made, 96, f"FastViT, fused {fused}")
        made = mobile.apple_fastvit(4, fused, **mobile.ATTENTION)
        good &= check(made, 64, f"Apple's FastViT, fused {fused}")
        good &= check(mobile.mobileclip(5, fused), 64, f"MobileCLIP, fused {fused}")
        made = mobile.mobileclip(6, fused, **mobile.MCI5)
        good &= check(made, 64, f"MobileCLIP of five stages, fused {fused}")
        made = mobile.clip_fastvit(7, fused=fused, **mobile.MCI, **mobile.ATTENTION)
        good &= check(made, 70, f"open_clip's MobileCLIP, fused {fused}")
    return good


def fastvit_official():
    return official(
        [("fastvit_t8", "timm-fastvit"), ("fastvit_ma36", "timm-fastvit")]
        + [("fastvit_mci0", "timm-mci"), ("fastvit_mci3", "timm-mci5")]
    )


def clips(names):
    """Whole files of open_clip, with its config: features, projection, preprocessing."""
    good = True
    for name, family in names:
        model = nets.randomized(open_clip.create_model(name), 1)
        cfg = open_clip.get_model_config(name)
        preprocess = open_clip.get_pretrained_cfg(name, open_clip.list_pretrained_tags_by_model(name)[0])
        keys = ("mean", "std", "interpolation", "resize_mode")
        config = {"model_cfg": cfg, "preprocess_cfg": {k: preprocess[k] for k in keys}}
        path = write(nets.without_counts(model.state_dict()))
        (path.parent / "open_clip_config.json").write_text(json.dumps(config))
        trunk = model.visual.trunk
        images = images_for(cfg["vision_cfg"]["image_size"], 1)
        features = mobile.whole(model.visual, nets.pre_logits(trunk))
        good &= compare(path, images, features, name)
        _, with_config = run(path, images, "projected")
        (path.parent / "open_clip_config.json").unlink()
        _, alone = run(path, images, "projected")
        for info in (with_config, alone):
            said = (info["family"], info["resize"], info["filter"])
            if said != (family, str(cfg["vision_cfg"]["image_size"]), preprocess["interpolation"]):
                print(f"# {name}: {said}")
                good = False
    return good


def mobileclip_official():
    return clips([("MobileCLIP-S1", "clip-fastvit"), ("MobileCLIP2-S3", "clip-mci5")])


def hybrid_kinds():
    """ViTamins with positions and without, at other inputs; positions that are resized."""
    good = True
    for size in (48, 80, 67):
        made = mobile.vitamin(2, positions=False, img_size=size)
        good &= check(made, size, f"ViTamin without positions at {size}", heads=2)
    for make, label in ((mobile.vitamin, "ViTamin"), (mobile.mci_vit, "MobileCLIP-B")):
        state = make(3)[1]
        path = write(state)
        other, _, features = make(3, img_size=80)
        own = other.state_dict() | {k: x for k, x in state.items() if k != "pos_embed"}
        positions = timm.layers.resample_abs_pos_embed(state["pos_embed"], [5, 5], num_prefix_tokens=0)
        other.load_state_dict(own | {"pos_embed": positions})
        good &= compare(path, images_for(80, 2), features, f"{label} at 80", heads=2, input_size=80)
    return good


def hybrids_official():
    good = official([("vitamin_small_224", "timm-vitamin")])
    return good & official([("vit_base_mci_224", "timm-mci-vit")])


def hybrid_clips_official():
    return clips([("ViTamin-S", "clip-vitamin"), ("MobileCLIP-B", "clip-mci-vit")])


def tinyvit_kinds():
    """Windows that fill the map, that do not, and that are larger."""
    good = True
    for size, windows in ((64, (2, 2, 4, 2)), (96, (3, 3, 5, 3)), (72, (7, 7, 14, 7)), (33, (2,) * 4)):
        made = mobile.tinyvit(2, window_sizes=windows)
        good &= check(made, size, f"TinyViT, windows of {windows} at {size}")
    return good


def tinyvit_official():
    names = ("tiny_vit_5m_224", "tiny_vit_21m_384")
    return official([(name, "timm-tinyvit") for name in names])


TESTS = [
    small_ones,
    fastvit_kinds,
    fastvit_official,
    mobileclip_official,
    hybrid_kinds,
    hybrids_official,
    hybrid_clips_official,
    tinyvit_kinds,
    tinyvit_official,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, timm, open_clip, transformers)))
