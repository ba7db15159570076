"""Encoders wherever they lie: training states of self-supervised methods, what training programs
wrap round a model, whole modules, and models that look like others.  Each file is written by
torch.save or by the live library; the features are equal to those of the reference model, or the
file is refused by a message that names the cause.

Environment: as encoder_tools.py.
"""

import argparse
import json
import sys
import warnings
from collections import OrderedDict
from functools import partial

try:
    import open_clip
    import timm
    import torch
    import torchvision
    import transformers
    from safetensors.torch import save_file
    from timm.models.vision_transformer import VisionTransformer as TimmViT
    from torch import nn
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
from encoder_tools import FOLDER, LIMIT, images_for, refusal, relative, run
from test_families import fresh, timm_expected
from vit_models import dinov2_state, randomized, small_vit

warnings.simplefilter("ignore")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
SIZE = 28
IMAGES = images_for(SIZE, 2)


def vit(seed, **kind):
    return randomized(small_vit(4, **kind), seed)


V, W = vit(1), vit(2)
v, w = V.state_dict(), W.state_dict()
FEATURES = timm_expected(V, IMAGES)["penultimate"]


def resnet(seed, **kind):
    """A ResNet-18 that computes in no time."""
    block = torchvision.models.resnet.BasicBlock
    return randomized(torchvision.models.ResNet(block, [1, 1, 1, 1], **kind), seed)


RN, RN2 = resnet(3), resnet(4)
rn = {k: x for k, x in RN.state_dict().items() if not k.startswith("fc.")}
rn2 = {k: x for k, x in RN2.state_dict().items() if not k.startswith("fc.")}


def resnet_features(model, images):
    for child in list(model.children())[:-1]:
        images = child(images)
    with torch.no_grad():
        return images.flatten(1)


RN_IMAGES = images_for(64, 2)
with torch.no_grad():
    RN_FEATURES = resnet_features(RN, RN_IMAGES)


def pre(prefix, state):
    return {prefix + k: x for k, x in state.items()}


def linear(*shape):
    return torch.randn(*shape)


def save(value, name="state.pth", **how):
    path = fresh() / name
    torch.save(value, path, **how)
    return path


def good(label, path, expected=None, images=IMAGES, point="penultimate", says=(), **options):
    """Whether the features are the expected ones, and the texts of inspect have all of `says`."""
    expected = FEATURES if expected is None else expected
    found, info = run(path, images, point, **options)
    error = relative(found, expected)
    text = " | ".join(info[k] for k in ("family", "prefix", "architecture", "selection", "assumed"))
    missing = [part for part in says if part not in text]
    if error > LIMIT or missing:
        print(f"# {label}: {error:.2e}; not said: {missing} in: {text}")
    return error <= LIMIT and not missing


def refused(label, path, *parts, images=IMAGES, point="penultimate", **options):
    message = refusal(path, images, point, **options)
    missing = [part for part in parts if part not in message]
    if missing or not message:
        print(f"# {label}: refused without {missing}: {message}")
    return bool(message) and not missing


def rn_good(label, state, **how):
    how = dict(expected=RN_FEATURES, images=RN_IMAGES, input_size=64) | how
    return good(label, save(state), **how)


# ---- training states of self-supervised methods ------------------------------------------------


def moco():
    both = pre("module.encoder_q.", rn | {"fc.weight": linear(8, 512)}) | pre("module.encoder_k.", rn2)
    v3 = pre("module.base_encoder.", v | {"head.0.weight": linear(7, 64)})
    v3 |= pre("module.momentum_encoder.", w) | {"module.predictor.0.weight": linear(7, 7)}
    return all([
        rn_good("v1, v2", {"epoch": 3, "arch": "resnet18", "state_dict": both | {
            "module.queue": linear(8, 64), "module.queue_ptr": torch.zeros(1, dtype=torch.long)}},
            says=["state_dict.encoder_q.", "the others: 'state_dict.encoder_k.'"]),
        good("v3", save({"arch": "vit_base", "state_dict": v3}),
             says=["state_dict.base_encoder.", "state_dict.momentum_encoder", "predictor"]),
        good("v3, the copy", save({"state_dict": v3}), select="momentum_encoder",
             expected=timm_expected(W, IMAGES)["penultimate"]),
    ])


def moco_v3_small():
    """12 heads of 32, which base_encoder or the fixed positions tell; else 6 are assumed."""
    images = images_for(32, 2)

    def make(heads, fixed):
        m = randomized(TimmViT(img_size=32, patch_size=8, embed_dim=384, depth=2,
                               num_heads=heads, num_classes=0), 1)
        if fixed:  # vits.py, build_2d_sincos_position_embedding
            h, g = torch.meshgrid(*[torch.arange(4, dtype=torch.float32)] * 2, indexing="ij")
            omega = 1 / 10000 ** (torch.arange(96, dtype=torch.float32) / 96)
            a, b = (x.flatten()[:, None] * omega[None] for x in (h, g))
            table = torch.cat([a.sin(), a.cos(), b.sin(), b.cos()], 1)[None]
            m.pos_embed.data = torch.cat([torch.zeros(1, 1, 384), table], 1)
        return m

    twelve, six, fixed = make(12, False), make(6, False), make(12, True)
    f = lambda m: timm_expected(m, images)["penultimate"]
    return all([
        good("by name", save({"state_dict": pre("module.base_encoder.", twelve.state_dict())}),
             f(twelve), images),
        good("by positions", save(fixed.state_dict()), f(fixed), images),
        good("assumed", save(six.state_dict()), f(six), images, says=["heads 6"]),
        good("chosen", save(twelve.state_dict()), f(twelve), images, heads=12),
        good("arch", save({"arch": "vit_small", "state_dict": pre("module.", twelve.state_dict())}),
             f(twelve), images, says=['"vit_small" (arch), as of MoCo v3']),
        good("DINO's arch", save({"teacher": pre("backbone.", six.state_dict()),
                                  "args": argparse.Namespace(arch="vit_small", patch_size=8)}),
             f(six), images, says=['"vit_small" (args.arch)']),
    ])


def names_of_architectures():
    """timm's names in training states count as those of its configs do."""
    images = images_for(32, 2)
    test = randomized(timm.create_model("test_vit", img_size=32, num_classes=0), 4)
    clip = randomized(TimmViT(img_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=1,
                              pre_norm=True, num_classes=0,
                              norm_layer=partial(nn.LayerNorm, eps=1e-5)), 5)
    f = lambda m: timm_expected(m, images)["penultimate"]
    return all([
        good("heads", save({"arch": "test_vit", "state_dict": pre("module.", test.state_dict())}),
             f(test), images),
        good("eps and activation", save({"args": argparse.Namespace(model="vit_tiny_patch8_clip_32"),
                                         "state_dict": clip.state_dict()}), f(clip), images),
        good("unknown", save({"arch": "mine", "model": v}),
             says=['"mine" (arch), no known name of such a model', "heads 1"]),
        refused("rotary", save({"arch": "vit_small_patch16_rope_ape_224", "state_dict": v}),
                'arch "vit_small_patch16_rope_ape_224"'),
        refused("anti-aliased", save({"arch": "resnetblur18", "state_dict": rn}),
                'arch "resnetblur18"'),
    ])


def twins():
    """SimSiam, BYOL, Barlow Twins, VICReg, SwAV."""
    heads = {"projector.0.weight": linear(8, 512), "bn.running_mean": torch.zeros(8)}
    byol = pre("online_encoder.", w) | pre("target_encoder.", v)
    return all([
        rn_good("SimSiam", {"state_dict": pre("module.encoder.", rn | {"fc.0.weight": linear(8, 512)})
                            | {"module.predictor.0.weight": linear(8, 8)}},
                says=["predictor", "state_dict.encoder."]),
        good("BYOL", save({"model": byol | {"online_predictor.net.0.weight": linear(8, 64)}}),
             says=["model.target_encoder.", "the others: 'model.online_encoder.'"]),
        good("BYOL, online", save({"model": byol}), select="online_encoder",
             expected=timm_expected(W, IMAGES)["penultimate"]),
        rn_good("Barlow Twins", {"epoch": 1, "model": pre("module.backbone.", rn)
                                 | pre("module.", heads)}, says=["model.backbone."]),
        rn_good("VICReg", {"model": pre("module.backbone.", rn) | pre("module.projector.", {
            "0.weight": linear(8, 512)})}, says=["projector"]),
        rn_good("SwAV", pre("module.", rn | {"projection_head.0.weight": linear(8, 512),
                                             "prototypes.weight": linear(9, 8)}),
                says=["passed over: projection_head (1 tensor), prototypes (1 tensor)"]),
    ])


def dino_and_its_kin():
    """DINO, iBOT, MSN, I-JEPA, MAE, DINOv2's chunks."""
    def state(a, b):
        return {"teacher": pre("backbone.", a) | {"head.mlp.0.weight": linear(8, 64)},
                "student": pre("module.backbone.", b) | {"module.head.mlp.0.weight": linear(8, 64)},
                "optimizer": {"state": {0: {"exp_avg": linear(3, 3)}}}, "epoch": 1,
                "args": argparse.Namespace(arch="vit_small"), "dino_loss": {"center": linear(1, 8)}}

    ibot = {**v, "masked_embed": torch.zeros(1, 64)}
    mean = timm_expected(randomized(small_vit(4, class_token=False, global_pool="avg",
                                              fc_norm=False), 5), IMAGES)["penultimate"]
    j = randomized(small_vit(4, class_token=False, global_pool="avg", fc_norm=False), 5).state_dict()
    predictor = {"predictor_embed.weight": linear(32, 64), "mask_token": torch.zeros(1, 1, 32),
                 "predictor_pos_embed": torch.zeros(1, 16, 32),
                 "predictor_blocks.0.attn.qkv.weight": linear(96, 32)}
    mae = v | {"mask_token": torch.zeros(1, 1, 32), "decoder_pos_embed": torch.zeros(1, 17, 32),
               "decoder_embed.weight": linear(32, 64), "decoder_blocks.0.norm1.weight": linear(32)}
    deep = vit(7, depth=4, init_values=0.1)
    chunks = {}
    for k, x in dinov2_state(deep).items():
        parts = k.split(".")
        if parts[0] == "blocks":
            parts.insert(1, str(int(parts[1]) // 2))
        chunks[".".join(parts)] = x
    return all([
        good("DINO", save(state(v, w)), says=["teacher.backbone.", "the others: 'student.backbone.'"]),
        good("DINO, student", save(state(w, v)), select="student", says=["student.backbone."]),
        good("iBOT", save(state(ibot, w)), says=["teacher.backbone."]),
        good("MSN", save({"target_encoder": pre("module.", v), "encoder": pre("module.", w),
                          "prototypes": linear(10, 64)}), says=["target_encoder.", "prototypes"]),
        good("I-JEPA", save({"target_encoder": pre("module.", j), "encoder": pre("module.", j),
                             "predictor": pre("module.", predictor)}), mean,
             says=["target_encoder.", "predictor"]),
        good("MAE", save({"model": mae})),
        good("DINOv2", save({"teacher": pre("backbone.", chunks) | {
            "dino_head.mlp.0.weight": linear(8, 64)}}), timm_expected(deep, IMAGES)["penultimate"],
            says=["dino_head"], input_size=SIZE),
    ])


def libraries_of_methods():
    """solo-learn, lightly, Lightning."""
    sequential = nn.Sequential(*list(RN.children())[:-1]).state_dict()
    copy = nn.Sequential(*list(RN2.children())[:-1]).state_dict()
    lightly = pre("backbone.", sequential) | pre("backbone_momentum.", copy)
    lightly |= {"projection_head.layers.0.weight": linear(8, 512),
                "prediction_head.layers.0.weight": linear(8, 8)}
    return all([
        good("solo-learn", save({"state_dict": pre("backbone.", v) | pre("momentum_backbone.", w) | {
            "classifier.weight": linear(10, 64), "projector.0.weight": linear(8, 64)}}),
            says=["state_dict.backbone.", "classifier", "momentum_backbone"]),
        rn_good("lightly", {"state_dict": lightly},
                says=["sequential-resnet", "state_dict.backbone.", "backbone_momentum"]),
        good("Lightning", save({"state_dict": pre("image_encoder.net.", v) | {
            "loss_fn.weight": linear(10)}, "hyper_parameters": {"lr": 1e-3}, "loops": {},
            "optimizer_states": [{"state": {0: {"exp_avg": linear(4)}}}],
            "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": linear(1)}}},
            "last.ckpt"), says=["state_dict.image_encoder.net."]),
    ])


# ---- what training programs save ---------------------------------------------------------------


def training_states():
    with_average = {"epoch": 1, "arch": "vit", "state_dict": w, "state_dict_ema": v,
                    "optimizer": {"state": {}}, "args": argparse.Namespace(lr=0.1),
                    "amp_scaler": {"scale": 2.0}, "metric": 1.0}
    averaged = torch.optim.swa_utils.AveragedModel(V)
    return all([
        good("PyTorch's tutorial", save({"epoch": 3, "model_state_dict": v, "loss": 1.0,
                                         "optimizer_state_dict": {}})),
        good("with a loss", save({"model_state_dict": v, "loss": torch.tensor(1.0)})),
        good("timm", save(with_average), says=["'state_dict_ema.' is taken", "'state_dict.'"]),
        good("timm, raw", save(with_average | {"state_dict": v, "state_dict_ema": w}),
             select="state_dict"),
        refused("a wrong key", save(with_average), "select 'model': no encoder lies there",
                "'state_dict.', 'state_dict_ema.'", select="model"),
        good("DeepSpeed", save({"module": v, "ds_config": {}, "optimizer": None})),
        good("torchvision's references", save({
            "model": w, "optimizer": {"state": {}}, "model_ema": averaged.state_dict()}),
            says=["model_ema."]),
        good("FSDP", save({"model": pre("_fsdp_wrapped_module.", v)})),
        good("FSDP and checkpointing, inside", save({
            k.replace("blocks.0.", "blocks.0._fsdp_wrapped_module._checkpoint_wrapped_module."): x
            for k, x in v.items()})),
        good("torch.compile and DataParallel", save({"model": pre("_orig_mod.module.", v)})),
        refused("flat shards", save({"model": {
            "teacher.backbone._fsdp_wrapped_module._flat_param": linear(1000)}}),
            "the flat shards that FSDP saves of one rank", "FULL_STATE_DICT"),
        good("protocol 4", save(v, pickle_protocol=4)),
        good("protocol 5", save(v, pickle_protocol=5)),
        good("before 1.6", save({"model": v}, _use_new_zipfile_serialization=False)),
        good("float16", save({k: x.half().float() for k, x in v.items()}),
             expected=half_features()),
    ])


def half_features():
    m = vit(1)
    m.load_state_dict({k: x.half().float() for k, x in v.items()})
    return timm_expected(m, IMAGES)["penultimate"]


def whole_modules():
    class Holder(nn.Module):  # pickled by name; the class is not needed to read it
        def __init__(self):
            super().__init__()
            self.encoder, self.head = V, nn.Linear(64, 3)

    globals()["Holder"] = Holder
    Holder.__qualname__ = "Holder"
    hf = randomized(transformers.ViTModel(hf_config(transformers.ViTConfig)), 1)
    clip = small_clip()
    with torch.no_grad():
        expected = hf(IMAGES).last_hidden_state[:, 0]
        image = clip.encode_image(IMAGES)
    return all([
        good("timm", save(V)),
        good("DataParallel", save(nn.DataParallel(V))),
        good("an own module", save(Holder()), says=["encoder."]),
        good("a list of modules", save({"models": [W, V]}), select="models.1"),
        rn_good("torchvision", RN),
        good("transformers", save(hf), expected, heads=2),
        good("open_clip", save(clip), image, point="projected", activation="quick_gelu"),
    ])


# ---- models of the libraries -------------------------------------------------------------------


def hf_config(kind, **more):
    return kind(**(dict(image_size=SIZE, patch_size=7, hidden_size=64, num_hidden_layers=2,
                        num_attention_heads=2, intermediate_size=100) | more))


def small_clip(quick=True, **vision):
    cfg = dict(image_size=SIZE, layers=2, width=64, patch_size=7, head_width=64) | vision
    text = dict(context_length=8, vocab_size=50, width=32, heads=1, layers=1)
    return randomized(open_clip.model.CLIP(32, cfg, text, quick_gelu=quick), 6)


def clip_towers():
    clip = small_clip()
    with torch.no_grad():
        expected = clip.encode_image(IMAGES)
    state = clip.state_dict()
    how = dict(expected=expected, point="projected", activation="quick_gelu")
    visual = {k[7:]: x for k, x in state.items() if k.startswith("visual.")}
    return all([
        good("Lightning", save({"state_dict": pre("clipmodel.", state) | {
            "ff_head.weight": linear(5, 32)}}), says=["clipmodel.visual.", "ff_head"], **how),
        good("visual alone", save(visual), **how),
        good("visual under a name", save({"model": pre("image_tower.", visual)}), **how),
        refused("no activation", save(visual), "(option 'activation')"),
    ])


def clipa():
    clip = small_clip(False, no_ln_pre=True, pool_type="avg", final_ln_after_pool=True)
    with torch.no_grad():
        expected = clip.encode_image(IMAGES)
    return good("CLIPA", save(clip.state_dict()), expected, point="projected",
                says=["clipa", "pool mean"])


def transformers_models():
    def saved(model, label, expected, images=IMAGES, state=True, **how):
        randomized(model, 8)
        with torch.no_grad():
            features = expected(model(images))
        folder = fresh()
        model.save_pretrained(folder)
        fine = good(label, folder / "model.safetensors", features, images, **how)
        if state:
            torch.save(model.state_dict(), folder / "model.safetensors")
            fine &= good(label + ", state_dict", folder / "model.safetensors", features, images, **how)
        return fine

    t = transformers
    first = lambda out: out.last_hidden_state[:, 0]
    return all([
        saved(t.DeiTModel(hf_config(t.DeiTConfig)), "DeiT", first, says=["hf-deit"]),
        saved(t.IJepaModel(hf_config(t.IJepaConfig)), "I-JEPA",
              lambda out: out.last_hidden_state.mean(1), says=["hf-ijepa"]),
        saved(t.ViTMSNModel(hf_config(t.ViTMSNConfig)), "MSN", first),
        saved(t.ViTMAEModel(hf_config(t.ViTMAEConfig, mask_ratio=0.0)), "MAE",
              lambda out: out.last_hidden_state[:, 0]),
        saved(t.ResNetModel(t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 32, 64],
                                           depths=[1, 2, 1, 1], layer_type="basic")), "ResNet, basic",
              lambda out: out.pooler_output.flatten(1), RN_IMAGES, input_size=64, says=["hf-resnet"]),
        saved(t.ResNetModel(t.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32, 64, 128],
                                           depths=[1, 1, 2, 1])), "ResNet, bottleneck",
              lambda out: out.pooler_output.flatten(1), RN_IMAGES, input_size=64),
        saved(t.ChineseCLIPVisionModel(hf_config(t.ChineseCLIPVisionConfig)), "ChineseCLIP",
              lambda out: out.pooler_output),
        saved(t.MetaClip2VisionModel(hf_config(t.MetaClip2VisionConfig)), "MetaCLIP 2",
              lambda out: out.pooler_output),
        saved(t.AltCLIPVisionModel(hf_config(t.AltCLIPVisionConfig)), "AltCLIP",
              lambda out: out.pooler_output),
    ])


def internvl():
    """The tower by itself and inside the whole model, with its config and without.  That of 6B has
    norms of queries and keys, which are refused."""
    vision = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
                  image_size=[32, 32], patch_size=[8, 8], attention_bias=True)
    text = dict(model_type="qwen2", hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                num_key_value_heads=2, intermediate_size=32, vocab_size=99)

    def made(**more):
        config = transformers.InternVLConfig(vision_config=vision | more, text_config=text)
        return transformers.InternVLForConditionalGeneration(config).eval()

    model, folder, images = made(), fresh(), images_for(32, 2)
    tower = randomized(model.model.vision_tower, 3)
    with torch.no_grad():
        expected = tower(images).last_hidden_state[:, 0]
    model.save_pretrained(folder)
    return all([good("whole", folder, expected, images, says=["hf-internvl", "language_model"]),
                good("state", save(model.state_dict()), expected, images, heads=2),
                good("tower", save(tower.state_dict()), expected, images, heads=2),
                refused("norms", save(made(use_qk_norm=True).state_dict()), "attention.k_norm",
                        images=images)])


def strides_of_resnets_are_refused():
    fine = True
    for key in ("downsample_in_bottleneck", "downsample_in_first_stage"):
        config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32, 64, 128],
                                           depths=[1, 1, 1, 1], **{key: True})
        folder = fresh()
        transformers.ResNetModel(config).save_pretrained(folder)
        fine &= refused(key, folder / "model.safetensors", f'{key} "true" is not supported',
                        images=RN_IMAGES)
    return fine


def torchvision_vit():
    model = randomized(torchvision.models.VisionTransformer(SIZE, 7, 2, 2, 64, 100), 1)
    model.heads = nn.Identity()
    with torch.no_grad():
        expected = model(IMAGES)
    state = model.state_dict() | {"heads.head.weight": linear(10, 64),
                                  "heads.head.bias": linear(10)}
    old = {k.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): x
           for k, x in state.items()}
    return all([good("new names", save(state), expected, heads=2, says=["torchvision-vit"]),
                good("old names", save(old), expected, heads=2)])


def siglip_384():
    """so400m/14 at 384: the patch convolution leaves out the last six pixels."""
    t = transformers
    model = randomized(t.SiglipVisionModel(hf_config(t.SiglipVisionConfig, image_size=30)), 2)
    images = images_for(30, 2)
    folder = fresh()
    model.save_pretrained(folder)
    with torch.no_grad():
        expected = model(images).pooler_output
    fine = good("at 30 with patches of 7", folder / "model.safetensors", expected, images)
    (folder / "config.json").unlink()
    return fine and good("chosen", folder / "model.safetensors", expected, images, input_size=30,
                         heads=2)


def with_config(name, says=(), seed=1, **args):
    """timm's architecture cut to two blocks, as a hub folder."""
    model = randomized(timm.create_model(name, pretrained=False, depth=2, num_classes=0, **args), seed)
    size = model.pretrained_cfg["input_size"][1]
    folder = fresh()
    save_file(model.state_dict(), folder / "model.safetensors")
    config = {"architecture": name, "num_features": model.num_features,
              "model_args": {"depth": 2},
              "pretrained_cfg": {"input_size": [3, size, size], "crop_pct": 0.9,
                                 "interpolation": "bicubic"}}
    (folder / "config.json").write_text(json.dumps(config))
    images = images_for(size, 1)
    expected = timm_expected(model, images)["penultimate"]
    return good(name, folder / "model.safetensors", expected, images, says=says)


def timm_architectures():
    fine = True
    for name in ("test_vit", "vit_base_patch16_gap_224", "vit_so150m_patch16_reg4_gap_256", "vit_so150m_patch16_reg4_map_256",
                 "vit_intern300m_patch14_448", "vit_base_patch16_radio_v3",
                 "vit_so400m_patch14_siglip_384", "vit_base_patch16_clip_quickgelu_224"):
        fine &= with_config(name)
    return fine


def timm_architectures_that_are_refused():
    fine = True
    for name, args in [("vit_small_patch16_rope_ape_224", dict(depth=1)),
                       ("vit_pe_lang_large_patch14_448", dict(depth=1)),
                       ("vit_base_patch16_rpn_224", dict(depth=1)),
                       ("resnetblur18", {}), ("resnetaa50", {})]:
        if not timm.is_model(name):
            print(f"# timm has no {name}")
            continue
        model = timm.create_model(name, pretrained=False, num_classes=0, **args)
        folder = fresh()
        save_file(model.state_dict(), folder / "model.safetensors")
        config = {"architecture": name, "num_features": model.num_features}
        (folder / "config.json").write_text(json.dumps(config))
        fine &= refused(name, folder / "model.safetensors", name, images=RN_IMAGES)
        if "pe_lang" in name:  # other norms than PE-Core's, and no pool
            (folder / "config.json").unlink()
            fine &= refused(name + ", bare", folder / "model.safetensors", "", images=RN_IMAGES)
    return fine


def what_looks_like_another():
    """A ResNet inside a hybrid is no encoder of its own; timm's DINOv3 says what it takes."""
    hybrid = timm.create_model("vit_small_resnet26d_224", pretrained=False, num_classes=0, depth=1)
    dinov3 = randomized(timm.create_model("vit_small_patch16_dinov3", pretrained=False, num_classes=0,
                                          depth=2), 9)
    images = images_for(64, 2)
    with torch.no_grad():
        small = timm.create_model("vit_small_patch16_dinov3", pretrained=False, num_classes=0, depth=2,
                                  img_size=64).eval()
        small.load_state_dict(dinov3.state_dict())
        tokens = small.forward_features(images)
        mean, first = (small.forward_head(tokens, pre_logits=True), tokens[:, 0])
    return all([
        refused("a hybrid", save(hybrid.state_dict()), "a hybrid", "patch_embed.backbone.", images=RN_IMAGES),
        good("DINOv3, class token", save(dinov3.state_dict()), first, images, says=["pool cls"], input_size=64),
        good("DINOv3, mean", save(dinov3.state_dict()), mean, images, pool="mean", input_size=64),
    ])


def lora():
    """PEFT's adapters, alone and in a model, without PEFT."""
    inside = {k.replace("attn.qkv.", "attn.qkv.base_layer."): x for k, x in v.items()}
    inside |= {f"blocks.{b}.attn.qkv.lora_A.default.weight": linear(4, 64) for b in (0, 1)}
    alone = {f"base_model.model.blocks.{b}.attn.qkv.lora_A.weight": linear(4, 64) for b in (0, 1)}
    return all([refused("in a model", save(pre("base_model.model.", inside)), "LoRA adapters"),
                refused("alone", save(alone), "LoRA adapters")])


TESTS = [
    moco,
    moco_v3_small,
    names_of_architectures,
    twins,
    dino_and_its_kin,
    libraries_of_methods,
    training_states,
    whole_modules,
    clip_towers,
    clipa,
    transformers_models,
    internvl,
    strides_of_resnets_are_refused,
    torchvision_vit,
    siglip_384,
    timm_architectures,
    timm_architectures_that_are_refused,
    what_looks_like_another,
    lora,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, torchvision, timm, open_clip, transformers)))
