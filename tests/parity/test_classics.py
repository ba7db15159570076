"""The networks of nets_classics.py against their live references, as test_nets.py."""

import sys

try:
    import open_clip
    import timm
    import torch
    import torchvision
    import transformers
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
import nets
import nets_classics as classics
from encoder_tools import compare, images_for, refusal, run
from resnets import SmallResNet
from test_nets import check, official as timms, small_ones_of, write
from torchvision.models.resnet import Bottleneck


def small_ones():
    """Each family, at odd sizes down to the smallest, recognised as itself."""
    return small_ones_of(classics, (45, 70, 32))


def kinds():
    """VGGs with and without batch norms and of other depths, DenseNet's old names,
    MobileNetV3-Large, SimCLRv2 without selective kernels."""
    good = True
    deep = (8, 8, "M", 12, 12, "M", 8, 8, 8, "M", 12, 8, 8, "M", 8, 8, 12, "M")
    for size in (64, 97, 224):
        for batch_norm in (False, True):
            made = classics.vgg(2, batch_norm, deep)
            good &= check(made, size, f"VGG, batch norms {batch_norm}, at {size}")
        good &= check(classics.alexnet(3), size, f"AlexNet at {size}")
    for size in (64, 75):
        good &= check(classics.densenet(4, old_names=True), size, f"DenseNet's old names at {size}")
        made = classics.mobilenetv3(5, "large")
        good &= check(made, size, f"MobileNetV3-Large at {size}")
        good &= check(classics.mobilenetv2(6, 0.3), size, f"MobileNetV2 at {size}")
        made = classics.simclr(7, selective=False)
        good &= check(made, size, f"SimCLRv2 without selective kernels at {size}")
    return good


def hf_efficientnet_kinds():
    """Blocks that are padded as for odd sides, as B1's to B7's; other inputs are refused."""
    good = True
    for size, blocks in [(72, [3, 7]), (96, []), (80, [7])]:
        made = classics.hf_efficientnet(2, depthwise_padding=blocks, image_size=size)
        config = made[0].config.to_dict()
        good &= check(made, size, f"EfficientNetModel at {size}, {blocks}", config)
    said = refusal(write(made[1], config), images_for(50, 1), "penultimate", input_size=50)
    good &= "depthwise_padding" in said
    said = refusal(write(made[1]), images_for(45, 1), "penultimate", input_size=45)
    return "depthwise_padding" in said and good


def official():
    """Official shapes under torchvision's names, at 224 pixels."""
    good = True
    for name in ("alexnet", "vgg11_bn", "densenet121", "mobilenet_v2", "mobilenet_v3_large"):
        model, state, features = classics.headless(getattr(torchvision.models, name)(), 1)
        path = write(state, name=name + "-01234567.safetensors")
        images = images_for(224, 2)
        good &= compare(path, images, features, f"torchvision {name}")
        _, info = run(path, images, "penultimate")
        print(f"# {name}: {info['name']}, {info['resize']}, {info['filter']}")
        good &= (info["resize"], info["filter"]) == ("256", "bilinear")
    made = classics.simclr(2, layers=(3, 4, 6, 3), width=64)
    path = write(made[1])
    good &= compare(path, images_for(224, 1), made[2], "SimCLRv2 R50-1x-SK")
    _, info = run(path, images_for(224, 1), "penultimate")
    return info["name"] == "SimCLRv2 R50-1x-SK" and good


def torchvisions_names():
    """ResNeXt-WSL's files, VirTex's and converted BYOL's have torchvision's names; the file's own
    name tells BYOL's padding."""
    good = True
    for width in (8, 16, 32, 48):  # an eighth of the channels: ig_resnext101_32x8d to 32x48d
        model = nets.randomized(SmallResNet(Bottleneck, [1, 1, 2, 1], 8, 32, width), width)
        state = model.state_dict()
        model.fc = torch.nn.Identity()
        path = write(state, name="ig_resnext101_32x8-c38310e5.safetensors")
        good &= compare(path, images_for(64, 2), lambda x: {"penultimate": model(x)},
                        f"ResNeXt-WSL, width {width}", input_size=64)
    _, info = run(path, images_for(224, 1), "penultimate")
    said = [info[k] for k in ("family", "resize", "crop", "filter")]
    good &= said == ["resnet", "256", "224", "bilinear"]
    state = {f"visual.cnn.{k}": x for k, x in state.items() if not k.startswith("fc.")}
    state["textual.embedding.words.weight"] = torch.zeros(10, 4)
    path = write(state)
    good &= compare(path, images_for(64, 2), lambda x: {"penultimate": model(x)}, "VirTex",
                    input_size=64)
    made = classics.byol(2)
    for name, family in (("res50x1_crop_only", "byol"), ("byol", "resnet")):
        path = write(made[1], name=name + ".safetensors")
        _, info = run(path, images_for(64, 1), "penultimate", input_size=64)
        print(f"# {name}: {info['family']}, {info['name']}")
        good &= info["family"] == family
    for size in (64, 75):
        good &= check(made, size, f"BYOL at {size}", file="pretrain_res200x2")
    return good


def siglip2_kinds():
    """Heads by the width and by a config, positions of other grids, no head; the preprocessing of
    squares; what is said of others."""
    good = True
    for size in (10, 15, 35):
        good &= check(classics.hf_siglip2(2, hidden_size=128, num_attention_heads=2), size,
                      f"Siglip2VisionModel at {size}")
    made = classics.hf_siglip2(3, num_attention_heads=4)
    good &= check(made, 15, "with four heads", made[0].config.to_dict())
    good &= check(made, 15, "with four heads, asked for", heads=4)
    good &= check(classics.hf_siglip2(4, vision_use_head=False), 20, "without its head")
    whole = {f"vision_model.{k}": x for k, x in made[1].items()}
    good &= check((made[0], whole, made[2]), 15, "in a whole model", heads=4)
    path = write(made[1], made[0].config.to_dict())
    for patches in (9, 30, 64):
        processor = transformers.Siglip2ImageProcessor(patch_size=5, max_num_patches=patches)
        processor.save_pretrained(path.parent)
        image = torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8)
        grid = processor(image, return_tensors="pt")["spatial_shapes"][0].tolist()
        side = str(5 * grid[0])
        _, info = run(path, images_for(int(side), 1), "penultimate")
        said = (info["resize"], info["crop"], info["squash"], info["filter"])
        if grid[0] != grid[1] or said != (side, side, "1", "bilinear"):
            print(f"# {patches} patches: {grid}, {info}")
            good = False
        if "of which transformers keeps the shape" not in info["assumed"]:
            print(f"# {info}")
            good = False
    return good


def sam_kinds():
    """Windows that fill the map and that do not, a neck that is a norm, no positions; official
    shapes at 224 pixels; another input is refused."""
    good = True
    for label, kind in {
        "windows of 3": dict(window_size=3),
        "windows of 5": dict(window_size=5),
        "a norm for a neck": dict(neck_chans=None, use_abs_pos=False, window_size=6),
    }.items():
        good &= check(classics.sam(2, **kind), 30, f"timm's SAM, {label}")
    model = classics.spread(nets.randomized(timm.create_model("samvit_base_patch16_224"), 1))
    config = {"architecture": "samvit_base_patch16_224", "num_features": 768}
    path = write(model.state_dict(), config)
    images = images_for(224, 1)
    good &= compare(path, images, nets.pre_logits(model), "samvit_base_patch16_224")
    made = classics.sam(3, img_size=256, patch_size=16, embed_dim=768, num_heads=12, depth=2,
                        window_size=14, neck_chans=256)
    good &= check(made, 256, "samvit_base_patch16, 2 blocks, 16 patches a side")
    config = {"architecture": "samvit_base_patch16", "num_features": 256}
    good &= check(made, 256, "the same with its config, which counts the neck's channels", config)
    made = classics.hf_sam(4)
    good &= check(made, 30, "SamVisionModel with its config", made[0].config.to_dict())
    said = refusal(write(classics.sam()[1]), images_for(40, 1), "penultimate", input_size=40)
    return "are for 6 patches a side alone, and the input has 8" in said and good


def perception_and_aimv2():
    """The Perception Encoder's own names, other grids too; AIMv2 of transformers with and without
    its pool."""
    good = True
    for class_token in (True, False):
        made = classics.authors_perception(2, class_token)
        good &= check(made, 15, f"PE-Core's own names, class token {class_token}", heads=2)
    for use_head in (True, False):
        made = classics.hf_aimv2(3, use_head, 256)
        config = made[0].config.to_dict()
        good &= check(made, 15, f"Aimv2VisionModel, pool {use_head}", config)
    for apple in (False, True):
        made = classics.aimv2_lit(4, apple)
        config = None if apple else made[0].config.to_dict()
        good &= check(made, 15, f"AIMv2 beside texts, Apple's names {apple}", config)
    made = classics.hf_aimv2(3, False, 256)
    state = {k: x for k, x in made[1].items() if "position_embedding" not in k}
    said = refusal(write(state), images_for(15, 1), "penultimate", input_size=15)
    return "embeddings.position_embedding.weight: missing" in said and good


def naflex_kinds():
    """Other widths and grids; timm's shape at 384 pixels; what is not computed."""
    good = True
    for size in (15, 35, 10):
        for siglip in (False, True):
            made = classics.naflex(2, siglip, 128)
            good &= check(made, size, f"NaFlex, siglip {siglip}, at {size}")
    good &= check(classics.naflex(3, qkv_bias=False, reg_tokens=1), 20, "NaFlex without biases")
    model = classics.spread(nets.randomized(timm.create_model("naflexvit_base_patch16_siglip"), 1))
    config = {"architecture": "naflexvit_base_patch16_siglip", "num_features": 768}
    path = write(model.state_dict(), config)
    images = images_for(384, 1)
    good &= compare(path, images, nets.pre_logits(model), "naflexvit_base_patch16_siglip")
    said = refusal(write(classics.naflex(4, True, reg_tokens=1)[1]), images_for(15, 1),
                   "penultimate", input_size=15)
    good &= "a pool that leaves registers out" in said
    for size in (15, 10, 35):
        made = classics.naflex(5, pos_embed="factorized", pos_embed_grid_size=(3, 4))
        good &= check(made, size, f"NaFlex, rows and columns apart, at {size}")
    name = "naflexvit_base_patch16_parfac_gap"
    model = classics.spread(nets.randomized(timm.create_model(name), 1))
    path = write(model.state_dict(), {"architecture": name, "num_features": 768})
    good &= compare(path, images_for(384, 1), nets.pre_logits(model), name)
    state = {k: x for k, x in made[1].items() if "pos_embed" not in k}
    said = refusal(write(state), images_for(15, 1), "penultimate", input_size=15)
    return "embeds.pos_embed: missing" in said and good


def cait_kinds():
    """Patches, heads and blocks of other numbers, no biases, the mean, the authors' state; official
    shapes with their config; another input is refused."""
    good = True
    for label, kind in {
        "one head": dict(num_heads=1, depth_token_only=1),
        "8 heads, 49 patches": dict(img_size=35, embed_dim=64, num_heads=8),
        "no bias": dict(qkv_bias=False),
    }.items():
        good &= check(classics.cait(2, **kind), kind.get("img_size", 20), f"CaiT, {label}")
    good &= check(classics.cait(3, authors=True), 20, "CaiT, the authors' state")
    good &= check(classics.cait(4, global_pool="avg"), 20, "CaiT, the mean", pool="mean")
    for name in ("cait_xxs24_224", "cait_s24_224"):
        model = nets.randomized(timm.create_model(name, depth=3), 1)
        config = {"architecture": name, "num_features": model.num_features, "global_pool": "token"}
        path = write(model.state_dict(), config)
        good &= compare(path, images_for(224, 1), nets.pre_logits(model), f"{name}, 3 blocks")
    good &= timms([("cait_xxs24_224", "cait")])
    path = write(classics.cait()[1])
    said = refusal(path, images_for(25, 1), "penultimate", input_size=25)
    return "has positions for 20 alone" in said and good


def xcit_kinds():
    """Patches of 8 and 16, nano's class attention, no biases, the mean, both names; official shapes
    with their configs; a config whose name and width do not agree."""
    good = True
    nano = dict(embed_dim=128, num_heads=4, tokens_norm=False)
    for label, kind in {
        "patches of 8": dict(patch_size=8),
        "nano": nano,
        "one head": dict(num_heads=1),
        "no bias": dict(qkv_bias=False),
        "three class blocks": dict(cls_attn_layers=3),
        "nano, three class blocks": nano | dict(cls_attn_layers=3),
    }.items():
        for size in (64, 41):
            for authors in (False, True):
                made = classics.xcit(2, authors, **kind)
                good &= check(made, size, f"XCiT, {label} at {size}, authors' {authors}")
    for kind in ({}, nano):
        made = classics.xcit(4, global_pool="avg", **kind)
        good &= check(made, 64, f"XCiT, the mean, {kind}", pool="mean")
    good &= timms([("xcit_nano_12_p16_224", "xcit"), ("xcit_tiny_12_p8_224", "xcit")])
    model = nets.randomized(timm.create_model("xcit_small_24_p16_384", depth=2), 1)
    config = {"architecture": "xcit_small_24_p16_384", "num_features": 384}
    path = write(model.state_dict(), config)
    good &= compare(path, images_for(384, 1), nets.pre_logits(model), "xcit_small, 2 blocks")
    path = write(classics.xcit()[1], {"architecture": "xcit_nano_12_p16_224", "num_features": 48})
    said = refusal(path, images_for(64, 1), "penultimate")
    return "are of all tokens is not known" in said and good


def hiera_kinds():
    """Stages of other lengths, heads and inputs; layers or maxima and means between stages; every
    naming with its config; official shapes; heads are asked for, other windows refused."""
    good = True
    for label, kind in {
        "stages 2, 1, 3, 2": dict(stages=(2, 1, 3, 2)),
        "two heads": dict(num_heads=2, embed_dim=12),
        "96 pixels": dict(img_size=(96, 96)),
    }.items():
        size, heads = kind.get("img_size", (64,))[0], kind.get("num_heads", 1)
        for authors in (False, True):
            made = classics.hiera(2, authors, **kind)
            good &= check(made, size, f"Hiera, {label}, authors' {authors}", heads=heads)
        for expand in (True, False):
            made = classics.hiera(3, use_expand_proj=expand, **classics.ABSWIN_HIERA, **kind)
            good &= check(made, size, f"Hiera abswin, {label}, layer {expand}", heads=heads)
    for kind in ("Model", "ForImageClassification", "ForPreTraining"):
        made = classics.hf_hiera(4, kind, num_heads=[2, 4, 8, 16])
        good &= check(made, 64, f"Hiera{kind}", made[0].config.to_dict())
    good &= timms([("hiera_tiny_224", "timm-hiera"),
                   ("hiera_small_abswin_256", "timm-hiera-abswin")])
    made = classics.hiera(5, True, img_size=(224, 224), embed_dim=112, num_heads=2,
                          stages=(1, 1, 2, 1))
    good &= check(made, 224, "Hiera, 112 wide")
    said = refusal(write(classics.hiera()[1]), images_for(64, 1), "penultimate")
    good &= "nothing says the number of heads" in said
    said = refusal(write(made[1]), images_for(256, 1), "penultimate", input_size=256)
    good &= "has positions for 224 alone" in said
    said = refusal(write(timm.create_model("hieradet_small").state_dict()), images_for(64, 1),
                   "penultimate")
    good &= "the Hiera of SAM 2" in said and "not supported" in said
    made = classics.hf_hiera(6, masked_unit_size=[16, 16])
    said = refusal(write(made[1], made[0].config.to_dict()), images_for(64, 1), "penultimate")
    return "masked_unit_size" in said and good


TESTS = [
    hiera_kinds,
    cait_kinds, xcit_kinds, naflex_kinds, siglip2_kinds, sam_kinds, perception_and_aimv2, torchvisions_names,
    small_ones, kinds, hf_efficientnet_kinds, official,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, torchvision, timm, open_clip, transformers)))
