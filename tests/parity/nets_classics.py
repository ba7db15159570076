"""Small models of torchvision's classics, of transformers' EfficientNet and of SimCLRv2, as
nets.py: for test_classics.py and tests/golden/make_families.py."""

import functools

import torch
import torchvision
import transformers
from timm.models.naflexvit import NaFlexVit, NaFlexVitCfg
from timm.models.cait import Cait
from timm.models.hiera import Hiera
from timm.models.xcit import Xcit
from timm.models.vision_transformer_sam import VisionTransformerSAM
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck
from torchvision.models.densenet import DenseNet
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf
from torchvision.models.vgg import VGG, make_layers

from nets import perception, pre_logits, randomized, renamed, saved, settled, without_counts
from resnets import SmallResNet


def headless(model, seed, last=-1):
    """torchvision's names; the features are what goes into the classifier's last layer."""
    model = settled(randomized(model, seed))
    state = {k: x.clone() for k, x in without_counts(model.state_dict()).items()}
    if isinstance(model.classifier, nn.Sequential):
        model.classifier[last] = nn.Identity()
    else:
        model.classifier = nn.Identity()
    return model, state, lambda x: {"penultimate": model(x)}


def linears(*widths):
    """A classifier of torchvision's VGG, with other widths."""
    first, second, third, classes = widths
    return nn.Sequential(
        nn.Linear(first, second), nn.ReLU(), nn.Dropout(), nn.Linear(second, third), nn.ReLU(),
        nn.Dropout(), nn.Linear(third, classes),
    )


def vgg(seed=1, batch_norm=False, layers=(8, "M", 12, "M", 8, 8, "M", 12, "M", 8, 12, "M")):
    model = VGG(make_layers(layers, batch_norm), init_weights=False)
    model.classifier = linears(12 * 49, 32, 16, 3)
    return headless(model, seed)


def alexnet(seed=1):
    model = torchvision.models.alexnet()
    channels = 3
    for i, out in zip((0, 3, 6, 8, 10), (8, 12, 16, 12, 8)):
        old = model.features[i]
        model.features[i] = nn.Conv2d(channels, out, old.kernel_size, old.stride, old.padding)
        channels = out
    for i, (wide, out) in zip((1, 4, 6), ((8 * 36, 20), (20, 16), (16, 3))):
        model.classifier[i] = nn.Linear(wide, out)
    return headless(model, seed)


def densenet(seed=1, old_names=False, **kind):
    kind = dict(growth_rate=4, block_config=(1, 2, 1, 1), num_init_features=8, bn_size=4) | kind
    model, state, features = headless(DenseNet(num_classes=3, **kind), seed)
    if old_names:
        state = renamed(state, [(r"(layer\d+)\.(norm|conv)(\d)\.", r"\1.\2.\3.")])
    return model, state, features


def mobilenetv2(seed=1, width=0.1):
    return headless(MobileNetV2(num_classes=3, width_mult=width, round_nearest=4), seed)


def mobilenetv3(seed=1, size="small", width=0.1):
    blocks, last = _mobilenet_v3_conf(f"mobilenet_v3_{size}", width_mult=width)
    return headless(MobileNetV3(blocks, last, num_classes=3), seed)


def hf_efficientnet(seed=1, **kind):
    kind = dict(
        width_coefficient=0.15, depth_coefficient=0.5, depth_divisor=1, hidden_dim=192,
        num_labels=3, image_size=64,
    ) | kind
    config = transformers.EfficientNetConfig(**kind)
    model = settled(randomized(transformers.EfficientNetModel(config), seed))
    return model, without_counts(saved(model)), lambda x: {"penultimate": model(x).pooler_output}


class Select(nn.Module):
    """SimCLRv2's selective kernel."""

    def __init__(self, width, stride):
        super().__init__()
        self.main_conv = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, stride, 1, bias=False), norm(2 * width)
        )
        self.mixing_conv = nn.Sequential(
            nn.Conv2d(width, 32, 1, bias=False), norm(32), nn.Conv2d(32, 2 * width, 1, bias=False)
        )

    def forward(self, x):
        a, b = self.main_conv(x).chunk(2, 1)
        m, n = self.mixing_conv((a + b).mean((2, 3), keepdim=True)).chunk(2, 1)
        part = torch.stack((m, n)).softmax(0)
        return part[0] * a + part[1] * b


def norm(width, active=True):
    return nn.Sequential(nn.BatchNorm2d(width), nn.ReLU() if active else nn.Identity())


class Projection(nn.Module):
    def __init__(self, wide, out, stride, selective):
        super().__init__()
        self.shortcut = nn.Sequential(
            nn.ZeroPad2d((0, 1, 0, 1)), nn.AvgPool2d(2, stride), nn.Conv2d(wide, out, 1, bias=False)
        ) if selective else nn.Conv2d(wide, out, 1, stride, bias=False)
        self.bn = norm(out, False)

    def forward(self, x):
        return self.bn(self.shortcut(x))


class Block(nn.Module):
    def __init__(self, wide, width, stride, selective, first):
        super().__init__()
        self.projection = Projection(wide, 4 * width, stride, selective) if first else nn.Identity()
        middle = [Select(width, stride)] if selective else [
            nn.Conv2d(width, width, 3, stride, 1, bias=False), norm(width)
        ]
        self.net = nn.Sequential(
            nn.Conv2d(wide, width, 1, bias=False), norm(width), *middle,
            nn.Conv2d(width, 4 * width, 1, bias=False), norm(4 * width, False),
        )

    def forward(self, x):
        return F.relu(self.projection(x) + self.net(x))


class Stage(nn.Module):
    def __init__(self, blocks, wide, width, stride, selective):
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(wide if i == 0 else 4 * width, width, stride if i == 0 else 1, selective, i == 0)
            for i in range(blocks)
        )

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


class SimCLR(nn.Module):
    """SimCLRv2's ResNet under the names of its converter to PyTorch (Separius/SimCLRv2-Pytorch),
    which is in no package."""

    def __init__(self, layers, width, selective):
        super().__init__()
        half = width // 2
        stem = [
            nn.Conv2d(3, half, 3, 2, 1, bias=False), norm(half),
            nn.Conv2d(half, half, 3, 1, 1, bias=False), norm(half),
            nn.Conv2d(half, width, 3, 1, 1, bias=False),
        ] if selective else [nn.Conv2d(3, width, 7, 2, 3, bias=False)]
        stages, wide = [], width
        for s, blocks in enumerate(layers):
            stages.append(Stage(blocks, wide, width << s, 1 if s == 0 else 2, selective))
            wide = 4 * (width << s)
        stem = nn.Sequential(*stem, norm(width), nn.MaxPool2d(3, 2, 1))
        self.net = nn.Sequential(stem, *stages)
        self.fc = nn.Linear(wide, 3)

    def forward(self, x):
        return self.net(x).mean((2, 3))


def simclr(seed=1, selective=True, layers=(1, 2, 1, 1), width=8):
    """A whole converted file: the network and its contrastive head."""
    model = randomized(SimCLR(layers, width, selective), seed)
    state = {f"resnet.{k}": x for k, x in without_counts(model.state_dict()).items()}
    state["head.layers.0.weight"] = torch.zeros(4, 4)
    return model, state, lambda x: {"penultimate": model(x)}


def pad_same(layer, inputs):
    """TensorFlow's zeros before a layer of its own padding 0."""
    x, taps = inputs[0], layer.kernel_size
    taps, stride = (t if isinstance(t, int) else t[0] for t in (taps, layer.stride))
    zeros = max((-(-x.shape[-1] // stride) - 1) * stride + taps - x.shape[-1], 0)
    return (F.pad(x, (zeros // 2, zeros - zeros // 2) * 2),)


def byol(seed=1, width=4):
    """torchvision's names, TensorFlow's padding."""
    model = randomized(SmallResNet(Bottleneck, [1, 2, 1, 1], width), seed)
    state = {k: x.clone() for k, x in without_counts(model.state_dict()).items()}
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            layer.padding = 0
            layer.register_forward_pre_hook(pad_same)
    model.fc = nn.Identity()
    return model, state, lambda x: {"penultimate": model(x)}


SAM = [(r"^blocks\.(\d+)\.mlp\.fc", r"blocks.\1.mlp.lin")]


def spread(model):
    """Relative and absolute positions that matter."""
    with torch.no_grad():
        for name, x in model.named_parameters():
            if "rel_pos" in name or "pos_embed" in name or "position_embed" in name:
                x.mul_(3)
    return model


def sam(seed=1, authors=False, **kind):
    """timm's, or the authors' file, with a decoder beside the encoder."""
    kind = dict(
        img_size=30, patch_size=5, embed_dim=24, depth=3, num_heads=2, mlp_ratio=1.5,
        global_attn_indexes=(1,), window_size=4, use_rel_pos=True, neck_chans=12, num_classes=0,
        norm_layer=functools.partial(nn.LayerNorm, eps=1e-6 if authors else 1e-5),
    ) | kind
    model = spread(randomized(VisionTransformerSAM(**kind), seed))
    state = model.state_dict()
    if authors:
        state = {f"image_encoder.{k}": x for k, x in renamed(state, SAM).items()}
        state["mask_decoder.iou_token.weight"] = torch.zeros(1, 12)
    return model, state, pre_logits(model)


def hf_sam(seed=1):
    config = transformers.SamVisionConfig(
        image_size=30, patch_size=5, hidden_size=24, num_hidden_layers=3, num_attention_heads=2,
        mlp_dim=36, global_attn_indexes=[1], window_size=4, output_channels=12,
    )
    model = spread(randomized(transformers.SamVisionModel(config), seed))
    return model, saved(model), lambda x: {
        "penultimate": model(x).last_hidden_state.mean((2, 3))
    }


def naflex(seed=1, siglip=False, width=64, **kind):
    """timm's NaFlex ViTs, whose positions are for 3x3 patches."""
    kind = dict(
        patch_size=5, embed_dim=width, depth=2, num_heads=width // 64, mlp_ratio=1.5,
        pos_embed_grid_size=(3, 3),
    ) | (dict(global_pool="map", act_layer="gelu_tanh", pos_embed_interp_mode="bilinear")
         if siglip else dict(init_values=0.1, global_pool="avg", reg_tokens=4, fc_norm=True)) | kind
    model = spread(randomized(NaFlexVit(NaFlexVitCfg(**kind), num_classes=0), seed))
    return model, model.state_dict(), pre_logits(model)


def patches_of(images, size):
    """image_processing_siglip2.py, convert_image_to_patches, of squares; with what goes beside."""
    count, grid = len(images), images.shape[-1] // size
    x = images.reshape(count, 3, grid, size, grid, size).permute(0, 2, 4, 3, 5, 1)
    shapes = torch.tensor([[grid, grid]] * count)
    return dict(
        pixel_values=x.reshape(count, grid * grid, -1), spatial_shapes=shapes,
        pixel_attention_mask=torch.ones(count, grid * grid, dtype=torch.int32),
    )


def hf_siglip2(seed=1, **kind):
    """transformers' NaFlex SigLIP 2, with the vision model's head or the mean."""
    kind = dict(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=96,
        patch_size=5, num_patches=9,
    ) | kind
    model = transformers.Siglip2VisionModel(transformers.Siglip2VisionConfig(**kind))
    model = spread(randomized(model, seed))

    def features(x):
        out = model(**patches_of(x, kind["patch_size"]))
        return {"penultimate": out.pooler_output if model.use_head else out[0].mean(1)}

    return model, saved(model), features


PERCEPTION = [
    (r"^patch_embed\.proj", "conv1"), ("^cls_token", "class_embedding"),
    ("^pos_embed", "positional_embedding"), ("^norm_pre", "ln_pre"), (r"^norm\.", "ln_post."),
    (r"^blocks\.(\d+)\.norm(\d)", r"transformer.resblocks.\1.ln_\2"),
    (r"^blocks\.(\d+)\.attn\.qkv\.", r"transformer.resblocks.\1.attn.in_proj_"),
    (r"^blocks\.(\d+)\.attn\.proj", r"transformer.resblocks.\1.attn.out_proj"),
    (r"^blocks\.(\d+)\.mlp\.fc1", r"transformer.resblocks.\1.mlp.c_fc"),
    (r"^blocks\.(\d+)\.mlp\.fc2", r"transformer.resblocks.\1.mlp.c_proj"),
    (r"^attn_pool\.latent", "attn_pool.probe"), (r"^attn_pool\.proj", "attn_pool.attn.out_proj"),
    (r"^attn_pool\.norm", "attn_pool.layernorm"), (r"^attn_pool\.mlp\.fc1", "attn_pool.mlp.c_fc"),
    (r"^attn_pool\.mlp\.fc2", "attn_pool.mlp.c_proj"),
]


def authors_perception(seed=1, class_token=True):
    """facebookresearch/perception_models' names, made from timm's."""
    model, state, features = perception(seed, class_token)
    with torch.no_grad():
        model.head.bias.zero_()  # the authors' projection has none
    state = {k.removeprefix("visual.trunk."): x.clone() for k, x in state.items()}
    for end in ("weight", "bias"):
        parts = [state.pop(f"attn_pool.{x}.{end}") for x in ("q", "kv")]
        state[f"attn_pool.attn.in_proj_{end}"] = torch.cat(parts)
        for i in range(2):
            name, out = f"blocks.{i}.attn", f"transformer.resblocks.{i}.attn.in_proj_{end}"
            if f"{name}.q_proj.{end}" in state:
                state[out] = torch.cat([state.pop(f"{name}.{x}_proj.{end}") for x in "qkv"])
    state["proj"] = state.pop("head.weight").T.contiguous()
    del state["head.bias"]
    for name in ("cls_token", "pos_embed"):
        if name in state:
            state[name] = state[name].squeeze(0)
    if class_token:
        state["cls_token"] = state["cls_token"].squeeze(0)
    return model, {f"visual.{k}": x for k, x in renamed(state, PERCEPTION).items()}, features


def hf_aimv2(seed=1, use_head=True, width=32):
    config = transformers.Aimv2VisionConfig(
        hidden_size=width, intermediate_size=36, num_hidden_layers=2, image_size=15, patch_size=5,
        num_attention_heads=max(width // 128, 1), use_head=use_head,
    )
    model = randomized(transformers.Aimv2VisionModel(config), seed)
    if use_head:
        with torch.no_grad():
            model.head.cls_token.mul_(4)
        return model, saved(model), lambda x: {"penultimate": model(x).pooler_output}
    return model, saved(model), lambda x: {"penultimate": model(x).last_hidden_state.mean(1)}


def cait(seed=1, authors=False, **kind):
    """timm's; the authors' training state has the same names behind "module."."""
    kind = dict(
        img_size=20, patch_size=5, embed_dim=24, depth=2, num_heads=3, mlp_ratio=1.5,
        depth_token_only=2, num_classes=3,
    ) | kind
    model = randomized(Cait(**kind), seed)
    state = model.state_dict()
    if authors:
        state = {f"module.{k}": x for k, x in state.items()}
    return model, state, pre_logits(model)


def xcit(seed=1, authors=False, **kind):
    """timm's, or the authors' names: class attention's queries, keys and values in one layer."""
    kind = dict(
        img_size=64, patch_size=16, embed_dim=48, depth=2, num_heads=3, mlp_ratio=1.5,
        num_classes=3, tokens_norm=True,
    ) | kind
    model = randomized(Xcit(**kind), seed)
    with torch.no_grad():
        for name, x in model.named_parameters():
            if name.endswith("temperature"):
                x.mul_(20)
    state = without_counts(model.state_dict())
    if authors:
        for name in [k for k in state if ".attn.q." in k]:
            parts = [state.pop(name.replace(".q.", f".{x}.")) for x in "qkv"]
            state[name.replace(".q.", ".qkv.")] = torch.cat(parts)
        state = renamed(state, [(r"^pos_embed\.", "pos_embeder.")])
    return model, state, pre_logits(model)


HIERA = dict(
    img_size=(64, 64), embed_dim=8, num_heads=1, stages=(1, 2, 2, 1), mlp_ratio=1.5, num_classes=3
)
AUTHORS_HIERA = [(r"^head\.norm\.", "norm."), (r"^head\.fc\.", "head.projection.")]
ABSWIN_HIERA = dict(abs_win_pos_embed=True, global_pos_size=(3, 3), init_values=0.1)


def hiera(seed=1, authors=False, mae=False, **kind):
    """timm's, or the authors' names of a classifier or a masked autoencoder."""
    model = spread(randomized(Hiera(**(HIERA | kind)), seed))
    state = model.state_dict()
    if mae:
        state = {k: x for k, x in state.items() if not k.startswith("head.fc.")}
        state = renamed(state, [(r"^head\.norm\.", "encoder_norm.")])
        state["decoder_blocks.0.norm1.weight"] = state["mask_token"] = torch.zeros(1, 1, 4)
        state["multi_scale_fusion_heads.0.weight"] = torch.zeros(8, 8, 2, 2)
    elif authors:
        state = renamed(state, AUTHORS_HIERA)
    return model, state, pre_logits(model)


def hf_hiera(seed=1, kind="Model", **more):
    """HieraModel, a classifier, or a masked autoencoder with the norm that timm takes."""
    config = transformers.HieraConfig(
        **(dict(image_size=[64, 64], embed_dim=8, depths=[1, 2, 2, 1], mlp_ratio=1.5) | more),
        decoder_hidden_size=8, decoder_depth=1, decoder_num_heads=2,
    )
    model = spread(randomized(getattr(transformers, f"Hiera{kind}")(config), seed))
    whole = model if kind == "Model" else model.hiera
    if kind == "ForPreTraining":
        plain = transformers.HieraModel(config).eval()
        plain.load_state_dict(whole.state_dict(), strict=False)
        plain.pooler.layernorm = model.encoder_norm
        whole = plain.to(next(model.parameters()).dtype)
    return model, saved(model), lambda x: {"penultimate": whole(x).pooler_output}


HF_LAYER, APPLE_BLOCK = r"^vision_model\.encoder\.layers\.(\d)\.", r"image_encoder.trunk.blocks.\1."
APPLE_LIT = [
    (r"^vision_model\.embeddings\.patch_embed", "image_encoder.preprocessor.patchifier.proj"),
    (r"^vision_model\.embeddings\.rms_norm", "image_encoder.preprocessor.patchifier.norm"),
    (r"^vision_model\.embeddings\.position_embedding\.weight",
     "image_encoder.preprocessor.pos_embed"),
    (HF_LAYER + r"rms_norm(\d)", APPLE_BLOCK + r"norm_\2"),
    (HF_LAYER + r"attention\.out_proj", APPLE_BLOCK + "attn.proj"),
    (HF_LAYER + r"attention\.qkv", APPLE_BLOCK + "attn.qkv"),
    (HF_LAYER + r"ffn\.gate_proj", APPLE_BLOCK + "mlp.fc1"),
    (HF_LAYER + r"ffn\.up_proj", APPLE_BLOCK + "mlp.fc3"),
    (HF_LAYER + r"ffn\.down_proj", APPLE_BLOCK + "mlp.fc2"),
    (r"^vision_model\.rms_norm", "image_encoder.trunk.post_trunk_norm"),
    (r"^vision_model\.head\.(k|v)_proj", r"image_encoder.head.\1"),
    (r"^vision_model\.head\.output_proj", "image_encoder.head.linear"),
    (r"^vision_model\.", "image_encoder."), ("^visual_projection", "image_projector"),
    ("^text_model", "text_encoder"),
]


def aimv2_lit(seed=1, apple=False):
    """transformers' AIMv2 with a text tower, or Apple's names of it."""
    config = transformers.Aimv2Config(
        vision_config=dict(
            hidden_size=256, intermediate_size=36, num_hidden_layers=2, image_size=15, patch_size=5,
            num_attention_heads=2,
        ),
        text_config=dict(
            hidden_size=32, intermediate_size=36, num_hidden_layers=1, num_attention_heads=2,
            vocab_size=20,
        ),
        projection_dim=10,
    )
    model = randomized(transformers.Aimv2Model(config), seed)
    with torch.no_grad():
        model.vision_model.head.cls_token.mul_(4)
    state = saved(model)
    if apple:
        for i in range(2):
            name = f"vision_model.encoder.layers.{i}.attention."
            parts = [state.pop(f"{name}{x}_proj.weight") for x in "qkv"]
            state[name + "qkv.weight"] = torch.cat(parts)
        state["vision_model.embeddings.position_embedding.weight"] = state[
            "vision_model.embeddings.position_embedding.weight"][None]
        state = renamed(state, APPLE_LIT)
    return model, state, lambda x: {
        "penultimate": model.vision_model(x).pooler_output,
        "projected": model.get_image_features(x).pooler_output,
    }


# What files are called, where that says something.
FILES = {"byol": "pretrain_res50x1"}

# The input's side of each golden file, and sizes to compare at.
SIZES = {"hf-efficientnet": (64, 128), "alexnet": (63, 75, 96), "sam": (30,)}
SIZES |= {"timm-sam": (30,), "hf-sam": (30,)}
SIZES |= {"naflex": (20, 15, 10), "naflex-siglip": (20, 15, 10), "hf-siglip2": (20, 15, 10)}
SIZES |= {"perception": (15,), "hf-aimv2": (15,)}
SIZES |= {"cait": (20,), "xcit": (32, 48, 75, 5), "dino-xcit": (32,)}
SIZES |= {"timm-hiera": (64,), "hiera": (64,), "hf-hiera": (64,), "timm-hiera-abswin": (64,)}

# What weights do not say.
OPTIONS = {"perception": dict(heads=2), "hf-aimv2": dict(heads=1)}
OPTIONS |= {x: dict(heads=1) for x in ("timm-hiera", "hiera", "hf-hiera", "timm-hiera-abswin")}

SMALL = {
    "hf-efficientnet": hf_efficientnet,
    "vgg": lambda: vgg(batch_norm=True),
    "alexnet": alexnet,
    "densenet": densenet,
    "mobilenetv2": mobilenetv2,
    "mobilenetv3": mobilenetv3,
    "simclrv2": lambda: simclr(width=4),
    "byol": byol,
    "cait": cait,
    "xcit": lambda: xcit(authors=True, embed_dim=24, patch_size=8),
    "dino-xcit": lambda: xcit(authors=True, embed_dim=24, patch_size=8, depth=1, num_classes=0),
    "timm-hiera": hiera,
    "timm-hiera-abswin": lambda: hiera(use_expand_proj=False, **ABSWIN_HIERA),
    "hiera": lambda: hiera(mae=True),
    "hf-hiera": lambda: hf_hiera(kind="ForImageClassification"),
    "sam": lambda: sam(authors=True),
    "timm-sam": sam,
    "hf-sam": hf_sam,
    "perception": authors_perception,
    "naflex": lambda: naflex(pos_embed="factorized", pos_embed_grid_size=(3, 4)),
    "naflex-siglip": lambda: naflex(siglip=True),
    "hf-siglip2": hf_siglip2,
    "hf-aimv2": hf_aimv2,
}
