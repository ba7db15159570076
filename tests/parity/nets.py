"""Small convolutional and hierarchical networks with random weights, in every naming that linprobe
reads: for test_nets.py and tests/golden/make_families.py."""

import re
import tempfile
from functools import partial

import open_clip
import timm
import torch
import transformers
from safetensors.torch import load_file
from timm.models.beit import Beit
from timm.models.convnext import ConvNeXt
from timm.models.efficientnet import _gen_efficientnet, _gen_efficientnetv2_s
from timm.models.eva import Eva
from timm.models.regnet import RegNet, RegNetCfg
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from timm.models.resnetv2 import BatchNormAct2d, ResNetV2, StdConv2d, create_conv2d
from timm.models.swin_transformer import SwinTransformer
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.layers import LayerNorm, RmsNorm, SwiGLU
from timm.models.vision_transformer import (
    ParallelScalingBlock, ParallelThingsBlock, VisionTransformer,
)
from torchvision.models.convnext import CNBlockConfig, ConvNeXt as TorchvisionConvNeXt
from torchvision.models.efficientnet import EfficientNet as TorchvisionEfficientNet
from torchvision.models.efficientnet import FusedMBConvConfig, MBConvConfig
from torchvision.models.regnet import BlockParams, RegNet as TorchvisionRegNet
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2
from torchvision.models.swin_transformer import SwinTransformer as TorchvisionSwin


def randomized(model, seed):
    """Weights that a forgotten norm, bias, eps or scale would show in, and activations that do not
    run away."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, std, mean=0.0):
        tensor.copy_(mean + std * torch.randn(tensor.shape, generator=generator))

    with torch.no_grad():
        for name, x in model.named_parameters():
            if x.ndim >= 2 and x.shape.numel() > max(x.shape):
                normal(x, (1 / x[0].numel()) ** 0.5)
            elif name.endswith("weight") or "gamma" in name or "scale" in name:
                normal(x, 0.2, 0.8)
            else:
                normal(x, 0.2)
        for name, x in model.named_buffers():
            if name.endswith("running_mean"):
                normal(x, 0.2)
            elif name.endswith("running_var"):
                x.copy_(0.5 + torch.rand(x.shape, generator=generator))
    return model.eval()


def settled(model, size=64):
    """Batch norms whose statistics are about those of images: features of a deep network depend on
    the image, and not on its biases alone."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the mean of what comes
        norm.reset_running_stats()
        norm.train()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        if norms:
            model(torch.randn(8, 3, size, size, generator=generator))
        for norm in norms:
            var = norm.running_var
            norm.running_mean += 0.2 * var.sqrt() * torch.randn(var.shape, generator=generator)
            var.clamp_(min=var.mean())  # nothing is divided by nearly nothing
            var /= 0.5 + torch.rand(var.shape, generator=generator)
    return model.eval()


def renamed(state, rules):
    """New names for a state: (pattern, replacement) of re.sub, the first that fits."""
    out = {}
    for name, x in state.items():
        for pattern, to in rules:
            new, count = re.subn(pattern, to, name)
            if count:
                name = new
                break
        out[name] = x
    return out


def saved(model):
    """The state that a model of transformers saves."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(folder + "/model.safetensors")


def pre_logits(model):
    def features(x):
        return {"penultimate": model.forward_head(model.forward_features(x), pre_logits=True)}

    return features


# ---- ConvNeXt ------------------------------------------------------------------------------------

CONVNEXT = dict(depths=(1, 2, 1, 1), dims=(8, 12, 20, 24))
FACEBOOK_CONVNEXT = [
    (r"^stem\.(\d)", r"downsample_layers.0.\1"),
    (r"^stages\.(\d)\.downsample\.", r"downsample_layers.\1."),
    (r"^stages\.(\d)\.blocks\.(\d+)\.conv_dw", r"stages.\1.\2.dwconv"),
    (r"^stages\.(\d)\.blocks\.(\d+)\.mlp\.fc", r"stages.\1.\2.pwconv"),
    (r"^stages\.(\d)\.blocks\.(\d+)\.mlp\.grn\.weight", r"stages.\1.\2.grn.gamma"),
    (r"^stages\.(\d)\.blocks\.(\d+)\.mlp\.grn\.bias", r"stages.\1.\2.grn.beta"),
    (r"^stages\.(\d)\.blocks\.", r"stages.\1."),
    (r"^head\.norm\.", "norm."),
    (r"^head\.fc\.", "head."),
]


def timm_convnext(seed=1, **kind):
    model = randomized(ConvNeXt(**(CONVNEXT | dict(num_classes=3) | kind)), seed)
    return model, model.state_dict(), pre_logits(model)


def facebook_convnext(seed=1, dinov3=False, **kind):
    model, state, features = timm_convnext(seed, **kind)
    state = renamed(state, FACEBOOK_CONVNEXT)
    for name in state:
        if ".grn." in name:
            state[name] = state[name].reshape(1, 1, 1, -1)
    if dinov3:
        del state["head.weight"], state["head.bias"]
        state["norms.3.weight"], state["norms.3.bias"] = (
            state["norm.weight"].clone(), state["norm.bias"].clone())
    return model, state, features


def clip_convnext(seed=1, mlp=False, **kind):
    """open_clip's names: a trunk without a classifier, and a head."""
    model, state, features = timm_convnext(seed, num_classes=0, **kind)
    width = model.num_features
    head = torch.nn.Sequential()
    if mlp:
        head.mlp = timm.layers.Mlp(width, 20, 10, bias=(True, False))
    else:
        head.proj = torch.nn.Linear(width, 10, bias=False)
    randomized(head, seed + 1)
    state = {f"visual.trunk.{k}": x for k, x in state.items()}
    state |= {f"visual.head.{k}": x for k, x in head.state_dict().items()}
    model.clip_head = head
    return model, state, lambda x: features(x) | {"projected": head(features(x)["penultimate"])}


def hf(model, features):
    return model, saved(model), features


def hf_convnext(seed=1, version="", **kind):
    config = getattr(transformers, f"ConvNext{version}Config")(
        **(dict(depths=[1, 2, 1, 1], hidden_sizes=[8, 12, 20, 24]) | kind)
    )
    model = randomized(getattr(transformers, f"ConvNext{version}Model")(config), seed)
    return hf(model, lambda x: {"penultimate": model(x).pooler_output})


def hf_dinov3_convnext(seed=1, **kind):
    config = transformers.DINOv3ConvNextConfig(
        **(dict(depths=[1, 2, 1, 1], hidden_sizes=[8, 12, 20, 24]) | kind)
    )
    model = randomized(transformers.DINOv3ConvNextModel(config), seed)
    return hf(model, lambda x: {"penultimate": model(x).pooler_output})


def torchvision_convnext(seed=1):
    config = [
        CNBlockConfig(8, 12, 1), CNBlockConfig(12, 20, 2), CNBlockConfig(20, 24, 1),
        CNBlockConfig(24, None, 1),
    ]
    model = randomized(TorchvisionConvNeXt(config, num_classes=3), seed)
    state = model.state_dict()
    model.classifier[2] = torch.nn.Identity()
    return model, state, lambda x: {"penultimate": model(x)}


# ---- Swin ----------------------------------------------------------------------------------------


def timm_swin(seed=1, **kind):
    kind = dict(
        img_size=64, window_size=2, embed_dim=4, depths=(1, 2, 3, 1), num_heads=(1, 1, 2, 4)
    ) | kind
    model = randomized(SwinTransformer(num_classes=3, mlp_ratio=1.5, **kind), seed)
    return model, model.state_dict(), pre_logits(model)


def authors_swin(seed=1, **kind):
    """microsoft/Swin-Transformer: the step between stages belongs to the stage before it; buffers
    are kept."""
    model, state, features = timm_swin(seed, **kind)
    state = {
        re.sub(r"layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", k): x
        for k, x in state.items()
    }
    state = renamed(state, [(r"^head\.fc\.", "head.")])
    state["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(4, 4)
    return model, state, features


def hf_swin(seed=1, plain=False, **kind):
    """As save_pretrained writes it, or the names of the state (plain)."""
    config = transformers.SwinConfig(
        **(
            dict(image_size=64, window_size=2, embed_dim=4, depths=[1, 2, 3, 1], mlp_ratio=2)
            | dict(num_heads=[1, 1, 2, 4])
            | kind
        )
    )
    model = randomized(transformers.SwinModel(config), seed)
    state = model.state_dict() if plain else saved(model)
    return model, state, lambda x: {"penultimate": model(x).pooler_output}


def torchvision_swin(seed=1, window=2, **kind):
    model = TorchvisionSwin(
        [4, 4], 4, [1, 2, 3, 1], [1, 1, 2, 4], [window] * 2, 1.5, num_classes=3, **kind
    )
    randomized(model, seed)
    head, model.head = model.head, torch.nn.Identity()
    state = model.state_dict() | {"head.weight": head.weight.data, "head.bias": head.bias.data}
    return model, state, lambda x: {"penultimate": model(x)}


def torchvision_swinv2(seed=1, window=2):
    return torchvision_swin(
        seed, window, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2
    )


def timm_swinv2(seed=1, **kind):
    kind = dict(
        img_size=64, window_size=8, embed_dim=4, depths=(1, 2, 3, 1), num_heads=(1, 1, 2, 4)
    ) | kind
    model = randomized(SwinTransformerV2(num_classes=3, mlp_ratio=1.5, **kind), seed)
    return model, model.state_dict(), pre_logits(model)


def authors_swinv2(seed=1, **kind):
    """microsoft/Swin-Transformer: as V1; the offsets are kept."""
    model, state, features = timm_swinv2(seed, **(dict(window_size=4) | kind))
    state = {
        re.sub(r"layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", k): x
        for k, x in state.items()
    }
    state = renamed(state, [(r"^head\.fc\.", "head.")])
    for name, x in model.named_buffers():
        if name.endswith("relative_coords_table"):
            state[name] = x.copy_(x.half())  # golden files have float16
    state["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(4, 4)
    return model, state, features


def hf_swinv2(seed=1, **kind):
    config = transformers.Swinv2Config(
        **(
            dict(image_size=64, window_size=8, embed_dim=4, depths=[1, 2, 3, 1], mlp_ratio=2.0)
            | dict(num_heads=[1, 1, 2, 4])
            | kind
        )
    )
    model = randomized(transformers.Swinv2Model(config), seed)
    return model, saved(model), lambda x: {"penultimate": model(x).pooler_output}


# ---- EfficientNet --------------------------------------------------------------------------------


def efficientnet(seed=1, generate=_gen_efficientnet, width=0.3, depth=0.5, tf=True):
    """timm's tf_ models, or those without it, with fewer channels and blocks."""
    extra = dict(pad_type="same", bn_eps=1e-3) if tf else {}
    model = generate("efficientnet_b0", width, depth, num_classes=3, **extra)
    model = settled(randomized(model, seed))
    state = {k: x for k, x in model.state_dict().items() if "tracked" not in k}
    return model, state, pre_logits(model)


def efficientnetv2(seed=1, **kind):
    return efficientnet(seed, _gen_efficientnetv2_s, **(dict(width=0.3, depth=0.2) | kind))


def torchvision_efficientnet(seed=1, second=False):
    """Few channels and blocks; with the eps of B0, and that of V2."""
    if second:
        config = [
            FusedMBConvConfig(1, 3, 1, 8, 8, 2),
            FusedMBConvConfig(4, 3, 2, 8, 16, 2),
            MBConvConfig(4, 3, 2, 16, 16, 1),
            MBConvConfig(6, 3, 2, 16, 24, 2),
        ]
        kind = dict(last_channel=40, norm_layer=partial(torch.nn.BatchNorm2d, eps=1e-3))
    else:
        config = [
            MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(6, 3, 2, 8, 12, 2),
            MBConvConfig(6, 5, 2, 12, 16, 1), MBConvConfig(6, 3, 2, 16, 24, 2),
        ]
        kind = {}
    model = TorchvisionEfficientNet(config, dropout=0, num_classes=3, **kind)
    model = settled(randomized(model, seed))
    state = {k: x for k, x in model.state_dict().items() if "tracked" not in k}
    model.classifier = torch.nn.Identity()
    return model, state, lambda x: {"penultimate": model(x)}


# ---- RegNet --------------------------------------------------------------------------------------


def without_counts(state):
    return {k: x for k, x in state.items() if "tracked" not in k}


def timm_regnet(seed=1, se_ratio=0.25, **kind):
    cfg = RegNetCfg(
        **(dict(depth=6, w0=8, wa=4, wm=1.6, group_size=4, stem_width=6) | kind), se_ratio=se_ratio
    )
    model = randomized(RegNet(cfg, num_classes=3), seed)
    return model, without_counts(model.state_dict()), pre_logits(model)


def torchvision_regnet(seed=1, se_ratio=0.25):
    params = BlockParams.from_init_params(6, 8, 4, 1.6, 4, se_ratio=se_ratio)
    model = randomized(TorchvisionRegNet(params, num_classes=3, stem_width=6), seed)
    state = without_counts(model.state_dict())
    model.fc = torch.nn.Identity()
    return model, state, lambda x: {"penultimate": model(x)}


SEER = [
    (r"^stem\.", "_feature_blocks.conv1.stem."),
    (r"^trunk_output\.block(\d)\.", lambda m: f"_feature_blocks.res{int(m[1]) + 1}."),
    (r"^fc\.", "clf."),
]


def seer(seed=1):
    """VISSL's names, made from torchvision's: a whole training state with heads beside the trunk."""
    model, state, features = torchvision_regnet(seed)
    out = {}
    for name, x in renamed(state, SEER).items():
        name = re.sub(r"\.f\.se\.fc(\d)", lambda m: f".f.se.excitation.{2 * int(m[1]) - 2}", name)
        name = name.replace(".f.c.0.", ".f.c.").replace(".f.c.1.", ".f.final_bn.")
        name = name.replace(".proj.0.", ".proj.").replace(".proj.1.", ".bn.")
        head = name.startswith("clf.")
        place = "classy_state_dict.base_model.model." + ("heads.0." if head else "trunk.")
        out[place + name] = x
    return model, out, features


def hf_regnet(seed=1, layer_type="y"):
    config = transformers.RegNetConfig(
        embedding_size=6, hidden_sizes=[8, 16, 24, 48], depths=[1, 2, 3, 1], groups_width=4,
        layer_type=layer_type,
    )
    model = randomized(transformers.RegNetModel(config), seed)
    state = without_counts(saved(model))
    return model, state, lambda x: {"penultimate": model(x).pooler_output.flatten(1)}


# ---- residual networks of other kinds ------------------------------------------------------------


def timm_bit(seed=1, **kind):
    model = ResNetV2(
        **(dict(layers=(1, 2, 1, 1), channels=(32, 64, 64, 96), stem_chs=32) | kind),
        num_classes=3, stem_type="fixed", conv_layer=partial(StdConv2d, eps=1e-8), bottle_ratio=1.0,
    )
    model = randomized(model, seed)
    return model, model.state_dict(), pre_logits(model)


def timm_resnetv2(seed=1, **kind):
    model = ResNetV2(
        **(dict(layers=(1, 2, 1, 1), channels=(16, 24, 32, 40), stem_chs=8) | kind), num_classes=3,
        conv_layer=create_conv2d, norm_layer=BatchNormAct2d,
    )
    model = settled(randomized(model, seed))
    return model, without_counts(model.state_dict()), pre_logits(model)


def hf_bit(seed=1):
    config = transformers.BitConfig(
        embedding_size=32, hidden_sizes=[128, 128, 128, 128], depths=[1, 1, 1, 1]
    )
    model = randomized(transformers.BitModel(config), seed)
    return model, saved(model), lambda x: {"penultimate": model(x).pooler_output.flatten(1)}


def timm_resnetd(seed=1, block=Bottleneck, **kind):
    kind = dict(
        layers=(1, 2, 1, 1), channels=(8, 12, 16, 20), stem_width=6, stem_type="deep", avg_down=True
    ) | kind
    model = settled(randomized(ResNet(block, num_classes=3, **kind), seed))
    return model, without_counts(model.state_dict()), pre_logits(model)


# ---- transformers with rotary and relative positions ----------------------------------------------

TRANSFORMER = dict(patch_size=5, embed_dim=24, depth=2, num_heads=2, num_classes=0)
HF_TRANSFORMER = dict(
    patch_size=5, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=15
)


def timm_eva(seed=1, **kind):
    model = randomized(Eva(**(TRANSFORMER | dict(img_size=15, mlp_ratio=1.5) | kind)), seed)
    return model, model.state_dict(), pre_logits(model)


def timm_dinov3(seed=1, **kind):
    """With the class token, as DINOv3's own probes."""
    kind = dict(
        init_values=1.0, rope_type="dinov3", rope_temperature=100, rope_rotate_half=True,
        use_rot_pos_emb=True, use_abs_pos_emb=False, num_reg_tokens=4, use_fc_norm=False,
        norm_layer=partial(LayerNorm, eps=1e-5), dynamic_img_size=True, qkv_bias=False,
        global_pool="token",
    ) | kind
    return timm_eva(seed, **kind)


GATED_DINOV3 = dict(swiglu_mlp=True, swiglu_align_to=4, mlp_ratio=1.0)
DINOV3 = [
    ("^reg_token", "storage_tokens"),
    (r"gamma_(\d)", r"ls\1.gamma"),
    (r"mlp\.fc1_g", "mlp.w1"),
    (r"mlp\.fc1_x", "mlp.w2"),
    (r"mlp\.fc2", "mlp.w3"),
]


def dinov3(seed=1, bias=True, **kind):
    """facebookresearch's names, made from timm's: a bias of keys that a mask takes away, periods of
    the rotary positions as bfloat16 has them."""
    model, state, features = timm_dinov3(seed, qkv_bias=bias, **kind)
    gated = any("fc1_g" in name for name in state)
    state = renamed(state, DINOV3 if gated else DINOV3[:2])
    periods = model.rope.periods.bfloat16()
    model.rope.periods.copy_(periods)
    state |= {"rope_embed.periods": periods, "mask_token": torch.zeros(1, 24)}
    for i in range(2 if bias else 0):
        q, v = (state.pop(f"blocks.{i}.attn.{x}_bias") for x in "qv")
        state[f"blocks.{i}.attn.qkv.bias"] = torch.cat([q, torch.ones(24), v])
        state[f"blocks.{i}.attn.qkv.bias_mask"] = torch.zeros(72)
    return model, state, features


def hf_dinov3(seed=1, **kind):
    config = transformers.DINOv3ViTConfig(
        **(HF_TRANSFORMER | dict(intermediate_size=36, num_register_tokens=4) | kind)
    )
    model = randomized(transformers.DINOv3ViTModel(config), seed)
    return hf(model, lambda x: {"penultimate": model(x).pooler_output})


EVA02 = dict(
    swiglu_mlp=True, scale_mlp=True, qkv_fused=False, use_rot_pos_emb=True, ref_feat_shape=(16, 16)
)


def clip_eva(seed=1, **kind):
    """open_clip's names: the whole model in its trunk, projection too."""
    kind = EVA02 | dict(global_pool="token", scale_attn_inner=True, num_classes=10) | kind
    model, state, features = timm_eva(seed, **kind)
    state = {f"visual.trunk.{k}": x for k, x in state.items()}
    return model, state, lambda x: features(x) | {"projected": model(x)}


def authors_eva(seed=1):
    """baaivision/EVA: w1, w2, w3; biases of queries and values beside the attention."""
    model, state, features = timm_eva(seed, **EVA02, scale_attn_inner=True)
    rules = [
        (r"mlp\.fc1_g", "mlp.w1"), (r"mlp\.fc1_x", "mlp.w2"), (r"mlp\.fc2", "mlp.w3"),
        (r"mlp\.norm", "mlp.ffn_ln"), (r"attn\.norm", "attn.inner_attn_ln"),
        (r"q_proj\.bias", "q_bias"), (r"v_proj\.bias", "v_bias"),
    ]
    state = renamed(state, rules) | {"rope.freqs_cos": torch.zeros(9, 12)}
    return model, state, features


def perception(seed=1, class_token=True, **kind):
    kind = dict(
        global_pool="map", attn_type="rope", use_pre_transformer_norm=True, use_rot_pos_emb=True,
        ref_feat_shape=(3, 3), rope_grid_offset=1.0 if class_token else 0.0,
        rope_grid_indexing="xy", attn_pool_num_heads=8, attn_pool_mlp_ratio=2.0,
        norm_layer=partial(LayerNorm, eps=1e-5), class_token=class_token, num_classes=10,
    ) | kind
    model, state, features = timm_eva(seed, **kind)
    state = {f"visual.trunk.{k}": x for k, x in state.items()}
    return model, state, lambda x: features(x) | {"projected": model(x)}


def coca(seed=1, layer_scale=None):
    """open_clip's names: the tower of a CoCa under "visual."."""
    model = open_clip.transformer.VisionTransformer(
        image_size=15, patch_size=5, width=24, layers=2, heads=2, mlp_ratio=1.5, output_dim=16,
        attentional_pool=True, attn_pooler_queries=5, ls_init_value=layer_scale,
    )
    model = randomized(model, seed)
    with torch.no_grad():
        for part in (model.attn_pool.query, model.proj, model.positional_embedding):
            part.mul_(4)  # so that the queries differ
    state = {f"visual.{k}": x.clone() for k, x in model.state_dict().items()}

    def features(x):
        projection, model.proj = model.proj, None
        vector = model(x)
        model.proj = projection
        return {"penultimate": vector, "projected": vector @ projection}

    return model, state, features


def timm_beit(seed=1, **kind):
    kind = TRANSFORMER | dict(
        img_size=15, mlp_ratio=1.5, use_rel_pos_bias=True, use_abs_pos_emb=False, init_values=0.1
    ) | kind
    model = randomized(Beit(**kind), seed)
    return model, model.state_dict(), pre_logits(model)


def hf_beit(seed=1, name="Beit", pooler=True, **kind):
    config = getattr(transformers, f"{name}Config")(
        **(HF_TRANSFORMER | dict(intermediate_size=36, use_relative_position_bias=True) | kind)
    )
    model = getattr(transformers, f"{name}Model")(config, add_pooling_layer=pooler)
    model = randomized(model, seed)

    def features(x):
        out = model(x)
        return {"penultimate": out.pooler_output if pooler else out[0][:, 1:].mean(1)}

    return hf(model, features)


def timm_aimv2(seed=1, **kind):
    kind = TRANSFORMER | dict(
        img_size=15, mlp_ratio=1.5, class_token=False, fc_norm=False, qkv_bias=False,
        proj_bias=False, global_pool="avg", norm_layer=partial(RmsNorm, eps=1e-5),
        embed_norm_layer=partial(RmsNorm, eps=1e-5), mlp_layer=SwiGLU, act_layer="silu",
    ) | kind
    model = randomized(VisionTransformer(**kind), seed)
    return model, model.state_dict(), pre_logits(model)


def aimv2(seed=1):
    """Apple's names, made from timm's."""
    model, state, features = timm_aimv2(seed)
    rules = [
        (r"^patch_embed\.", "preprocessor.patchifier."),
        (r"^pos_embed", "preprocessor.pos_embed"),
        (r"^norm\.", "trunk.post_trunk_norm."),
        (r"^blocks\.(\d)\.norm(\d)", r"trunk.blocks.\1.norm_\2"),
        (r"^blocks\.(\d)\.mlp\.fc1_g", r"trunk.blocks.\1.mlp.fc1"),
        (r"^blocks\.(\d)\.mlp\.fc1_x", r"trunk.blocks.\1.mlp.fc3"),
        (r"^blocks\.", "trunk.blocks."),
    ]
    return model, renamed(state, rules), features


def hf_ovis2(seed=1, **kind):
    """The mean of the rows, which Ovis itself keeps apart."""
    config = transformers.Ovis2VisionConfig(
        **(HF_TRANSFORMER | dict(intermediate_size=36, vocab_size=20) | kind)
    )
    model = randomized(transformers.models.ovis2.modeling_ovis2.Ovis2VisionModel(config), seed)
    return hf(model, lambda x: {"penultimate": model.transformer(x).last_hidden_state.mean(1)})


def hf_mlcd(seed=1, **kind):
    config = transformers.MLCDVisionConfig(**(HF_TRANSFORMER | dict(intermediate_size=36) | kind))
    model = randomized(transformers.MLCDVisionModel(config), seed)
    return hf(model, lambda x: {"penultimate": model(x).pooler_output})


def parallel(seed=1, block=ParallelScalingBlock, **kind):
    kind = TRANSFORMER | dict(img_size=15, mlp_ratio=1.5, block_fn=block) | kind
    model = randomized(VisionTransformer(**kind), seed)
    return model, model.state_dict(), pre_logits(model)


XP = dict(pre_norm=True, no_embed_class=True, norm_layer=RmsNorm, qkv_bias=False, qk_norm=True)
PWEE = dict(
    init_values=0.1, class_token=False, no_embed_class=True, reg_tokens=1, global_pool="avg"
)

# Where weights do not say enough, the file's name does.
FILES = {
    "timm-efficientnet": "tf_efficientnet_b0",
    "timm-efficientnetv2": "tf_efficientnetv2_s",
    "torchvision-efficientnet": "efficientnet_b0",
    "torchvision-efficientnetv2": "efficientnet_v2_s",
    "timm-swinv2": "swinv2_tiny_window8_256",
    "hf-swinv2": "swinv2_tiny_patch4_window8_256",
}

# Sizes of the transformers, and what their weights do not say.
TRANSFORMERS = {
    name: dict(heads=2)
    for name in ("dinov3", "timm-dinov3", "hf-dinov3", "eva", "timm-aimv2", "aimv2")
} | {"pe-core": dict(heads=2), "beit": {}, "hf-beit": {}}
TRANSFORMERS["coca"] = TRANSFORMERS["hf-ovis2"] = TRANSFORMERS["timm-parallel"] = dict(heads=2)
TRANSFORMERS["hf-mlcd"] = {}  # by the angles of the class token
TRANSFORMERS["dinov3"] = {}  # by the periods in the file

# One model of each family; each function gives a model, its state and its features.
SMALL = {
    "timm-convnext": lambda: timm_convnext(use_grn=True, ls_init_value=None, conv_mlp=True),
    "clip-convnext": lambda: clip_convnext(mlp=True),
    "convnext": lambda: facebook_convnext(use_grn=True, ls_init_value=None),
    "dinov3-convnext": lambda: facebook_convnext(dinov3=True),
    "hf-convnext": hf_convnext,
    "hf-dinov3-convnext": hf_dinov3_convnext,
    "timm-swin": timm_swin,
    "swin": authors_swin,
    "hf-swin": hf_swin,
    "torchvision-swin": torchvision_swin,
    "swinv2": authors_swinv2,
    "timm-swinv2": timm_swinv2,
    "hf-swinv2": hf_swinv2,
    "torchvision-swinv2": torchvision_swinv2,
    "timm-efficientnet": lambda: efficientnet(width=0.1, depth=0.3),
    "timm-efficientnetv2": lambda: efficientnetv2(width=0.1, depth=0.1),
    "torchvision-convnext": torchvision_convnext,
    "torchvision-efficientnet": torchvision_efficientnet,
    "torchvision-efficientnetv2": lambda: torchvision_efficientnet(second=True),
    "coca": coca,
    "timm-regnet": timm_regnet,
    "torchvision-regnet": torchvision_regnet,
    "seer": seer,
    "hf-regnet": hf_regnet,
    "timm-bit": lambda: timm_bit(layers=(1, 1, 1, 1), channels=(32, 32, 32, 32)),
    "timm-resnetv2": timm_resnetv2,
    "hf-bit": hf_bit,
    "timm-resnetd": lambda: timm_resnetd(block_args=dict(attn_layer="se")),
    "dinov3": lambda: dinov3(**GATED_DINOV3),
    "timm-dinov3": timm_dinov3,
    "hf-dinov3": hf_dinov3,
    "eva": clip_eva,
    "pe-core": perception,
    "beit": timm_beit,
    "hf-beit": hf_beit,
    "timm-aimv2": timm_aimv2,
    "aimv2": aimv2,
    "hf-ovis2": hf_ovis2,
    "hf-mlcd": hf_mlcd,
    "timm-parallel": lambda: parallel(**PWEE),
}
