"""Writes tests/golden/families: a small encoder of each family and its features.

    python3 tests/golden/make_families.py [NAME...]      (only these)

NAME.safetensors            weights, float16, named as the family's files name them
NAME-features.safetensors   float32: "images", and "penultimate" and "projected" of them

The features are the reference model's in float64, rounded to float32 at the end.  Versions and
seeds go into each file's metadata.  tests/support/family_cases.h says which options each needs.
"""

import pathlib
import sys
import tempfile

import open_clip
import timm
import torch
import torchvision
import transformers
from safetensors.torch import load_file, save_file
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer as TimmViT

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "parity"))
import nets
import nets_classics
import nets_mobile
import nets_npz
from resnets import SmallResNet
from vit_models import GATED, dinov2_state, mmpretrain_names, randomized, resized

OUT = pathlib.Path(__file__).parent / "families"
PATCH, GRID, WIDTH, HEADS = 5, 3, 24, 2
SMALL = dict(patch_size=PATCH, embed_dim=WIDTH, depth=2, num_heads=HEADS, mlp_ratio=1.5)
HF = dict(
    image_size=PATCH * GRID,
    patch_size=PATCH,
    hidden_size=WIDTH,
    num_hidden_layers=2,
    num_attention_heads=HEADS,
)


def write(name, state, features, grid=GRID, size=None, file=None):
    """features: of images, in float64, a dictionary."""
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        return
    size = size or PATCH * grid
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(9))
    images = images.half() if size > 50 else images  # a smaller file
    with torch.no_grad():
        found = features(images.double())
    for x in found.values():  # of the image, not of biases alone
        assert (x[0] - x[1]).norm() > 2e-3 * x[0].norm(), name
    meta = {m.__name__: m.__version__ for m in (torch, torchvision, timm, transformers, open_clip)}
    save_file({k: x.contiguous() for k, x in state.items()}, OUT / f"{file or name}.safetensors", meta)
    found = {k: x.float().contiguous() for k, x in found.items()}
    save_file({"images": images} | found, OUT / f"{name}-features.safetensors", meta)


def pre_logits(model):
    return lambda x: {
        "penultimate": model.forward_head(model.forward_features(x), pre_logits=True)
    }


def hf(name, model, features, grid=GRID):
    randomized(model, 1).half()
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        state = load_file(folder + "/model.safetensors")
    model.double()
    write(name, state, features, grid)


def vit(grid=GRID, **kind):
    return TimmViT(img_size=PATCH * grid, **(SMALL | dict(num_classes=0) | kind))


def plain(name, rename=lambda model: model.state_dict(), **kind):
    """A model of timm's at the size that its positions were made for."""
    model = randomized(vit(**kind), 1).half()
    state = {k: x.clone() for k, x in rename(model).items()}
    write(name, state, pre_logits(model.double()))


def interpolated(name, rename, grid, how, patches_alone=False, **kind):
    """A model whose positions are interpolated to `grid`."""
    model = randomized(vit(**kind), 1).half()
    state = {k: x.clone() for k, x in rename(model).items()}
    if patches_alone:  # the class token's position stands with it in timm's model
        first = torch.randn(1, 1, WIDTH, generator=torch.Generator().manual_seed(2)).half()
        state["pos_embed"] = torch.cat([first, state["pos_embed"]], 1)
    other = vit(grid, **kind).double().eval()
    positions = resized(state["pos_embed"].double(), grid, **how)
    mine = {k: x.double() for k, x in model.state_dict().items()}
    if patches_alone:
        mine["cls_token"] = mine["cls_token"] + positions[:, :1]
        positions = positions[:, 1:]
    other.load_state_dict(mine | {"pos_embed": positions})
    write(name, state, pre_logits(other), grid)


def internvit_names(state):
    names = {
        "cls_token": "embeddings.class_embedding",
        "patch_embed.proj.": "embeddings.patch_embedding.",
        "pos_embed": "embeddings.position_embedding",
        "blocks.": "encoder.layers.",
        ".gamma": "",
    }
    for old, new in names.items():
        state = {k.replace(old, new): x for k, x in state.items()}
    return state


def described():
    """Convolutional and hierarchical networks (src/model/net.h)."""
    more = (nets_classics, nets_mobile, nets_npz)
    made = nets.SMALL | nets_classics.SMALL | nets_mobile.SMALL | nets_npz.SMALL
    sizes = {k: x for module in more for k, x in module.SIZES.items()}
    files = nets.FILES | {k: x for module in more for k, x in module.FILES.items()}
    for name, make in made.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        model, state, features = make()
        state = {k: x.half().clone() for k, x in state.items()}
        for x in model.state_dict().values():  # not of what models make themselves, as offsets
            x.copy_(x.half())
        model.double()
        size = 64 if "swin" in name else 15 if name in nets.TRANSFORMERS else 45
        size = sizes.get(name, (size,))[0]
        write(name, state, features, size=size, file=files.get(name, name))


def main():
    OUT.mkdir(exist_ok=True)
    described()
    model = transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(**HF, intermediate_size=36, projection_dim=10)
    )
    hf(
        "hf-clip",
        model,
        lambda x: {
            "penultimate": model.vision_model(x).pooler_output,
            "projected": model(x).image_embeds,
        },
    )
    siglip = transformers.SiglipVisionModel(
        transformers.SiglipVisionConfig(**HF, intermediate_size=36)
    )
    hf("hf-siglip", siglip, lambda x: {"penultimate": siglip(x).pooler_output})
    hfvit = transformers.ViTModel(transformers.ViTConfig(**HF, intermediate_size=36))
    hf("hf-vit", hfvit, lambda x: {"penultimate": hfvit(x).last_hidden_state[:, 0]})
    dino = transformers.Dinov2Model(transformers.Dinov2Config(**HF, mlp_ratio=2))
    hf("hf-dinov2", dino, lambda x: {"penultimate": dino(x).pooler_output}, grid=4)
    reg = transformers.Dinov2WithRegistersModel(
        transformers.Dinov2WithRegistersConfig(**HF, mlp_ratio=2, use_swiglu_ffn=True)
    )
    hf("hf-dinov2-reg", reg, lambda x: {"penultimate": reg(x).pooler_output}, grid=2)

    tower = open_clip.model._build_vision_tower(
        10,
        open_clip.CLIPVisionCfg(
            layers=2,
            width=WIDTH,
            head_width=WIDTH // HEADS,
            mlp_ratio=1.5,
            patch_size=PATCH,
            image_size=PATCH * GRID,
        ),
        quick_gelu=False,
    )
    randomized(tower, 1).half()
    state = {f"visual.{k}": x.clone() for k, x in tower.state_dict().items()}
    tower.double()
    write("clip-vit", state, lambda x: {"projected": tower(x)})

    plain("timm-siglip", class_token=False, global_pool="map")
    plain("timm-clip", pre_norm=True, norm_layer=lambda w, **k: torch.nn.LayerNorm(w, eps=1e-5))
    plain("timm-vit-scaled", init_values=0.1, reg_tokens=3, no_embed_class=True)
    plain("timm-vit", class_token=False, global_pool="avg", num_classes=3)
    distilled = randomized(
        VisionTransformerDistilled(img_size=PATCH * GRID, **SMALL, num_classes=3), 1
    ).half()
    state = {k: x.clone() for k, x in distilled.state_dict().items()}
    write("deit-distilled", state, pre_logits(distilled.double()))

    deit = transformers.DeiTModel(transformers.DeiTConfig(**HF, intermediate_size=36))
    hf("hf-deit", deit, lambda x: {"penultimate": deit(x).last_hidden_state[:, 0]})
    ijepa = transformers.IJepaModel(
        transformers.IJepaConfig(**HF, intermediate_size=36, layer_norm_eps=1e-6)
    )
    hf("hf-ijepa", ijepa, lambda x: {"penultimate": ijepa(x).last_hidden_state.mean(1)})

    clipa = open_clip.model._build_vision_tower(
        10,
        open_clip.CLIPVisionCfg(
            layers=2,
            width=WIDTH,
            head_width=WIDTH // HEADS,
            mlp_ratio=1.5,
            patch_size=PATCH,
            image_size=PATCH * GRID,
            no_ln_pre=True,
            pool_type="avg",
            final_ln_after_pool=True,
        ),
        quick_gelu=False,
    )
    randomized(clipa, 1).half()
    state = {f"visual.{k}": x.clone() for k, x in clipa.state_dict().items()}
    clipa.double()
    write("clipa", state, lambda x: {"projected": clipa(x)})

    # InternViT: no norm behind the blocks, and the names of modeling_intern_vit.py
    model = randomized(vit(init_values=0.1, final_norm=False), 1).half()
    state = {k: x.clone() for k, x in internvit_names(model.state_dict()).items()}
    write("internvit", state, pre_logits(model.double()))

    tower = dict(image_size=[PATCH * GRID] * 2, patch_size=[PATCH] * 2, attention_bias=True)
    internvl = transformers.InternVLVisionModel(
        transformers.InternVLVisionConfig(**(HF | tower), intermediate_size=36)
    )
    hf("hf-internvl", internvl, lambda x: {"penultimate": internvl(x).last_hidden_state[:, 0]})
    blip = transformers.BlipVisionModel(
        transformers.BlipVisionConfig(**HF, intermediate_size=36)
    )
    hf("hf-blip", blip, lambda x: {"penultimate": blip(x).last_hidden_state[:, 0]})
    janus = transformers.JanusVisionModel(transformers.JanusVisionConfig(**HF, mlp_ratio=1.5))
    hf("hf-janus", janus, lambda x: {"penultimate": janus(x).last_hidden_state.mean(1)})
    plain("mmpretrain-vit", lambda m: mmpretrain_names(m.state_dict()), init_values=0.1)

    tv = torchvision.models.VisionTransformer(PATCH * GRID, PATCH, 2, HEADS, WIDTH, 36)
    tv.heads = torch.nn.Identity()
    randomized(tv, 1).half()
    state = {k: x.clone() for k, x in tv.state_dict().items()}
    write("torchvision-vit", state, lambda x: {"penultimate": tv.double()(x)})

    hf_resnet = transformers.ResNetModel(
        transformers.ResNetConfig(
            embedding_size=4, hidden_sizes=[8, 16, 32, 64], depths=[1, 2, 1, 1]
        )
    )
    hf("hf-resnet", hf_resnet, lambda x: {"penultimate": hf_resnet(x).pooler_output.flatten(1)}, 9)
    block = torchvision.models.resnet.BasicBlock
    small = randomized(SmallResNet(block, [1, 1, 2, 1], 4), 1)
    sequence = torch.nn.Sequential(*list(small.children())[:-1]).eval().half()
    state = {k: x.clone() for k, x in sequence.state_dict().items()}
    sequence.double()
    write("sequential-resnet", state, lambda x: {"penultimate": sequence(x).flatten(1)}, 9)

    def nudged(grid):
        return dict(scale_factor=((grid + 0.1) / GRID,) * 2)

    interpolated("dino", lambda m: m.state_dict(), 4, nudged(4))
    interpolated("dinov2", dinov2_state, 2, nudged(2), init_values=0.1, **GATED)
    interpolated(
        "dinov2-reg",
        dinov2_state,
        2,
        dict(size=(2, 2), antialias=True),
        patches_alone=True,
        init_values=0.1,
        reg_tokens=4,
        no_embed_class=True,
    )


main()
