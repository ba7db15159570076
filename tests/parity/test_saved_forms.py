"""Files as programs leave them: libraries that name or wrap weights in their own way, folders of
training programs, weights that are not plain, and vision towers of larger models.  As
test_cases.py: equal features, or a refusal that names the cause.

Environment: as encoder_tools.py.
"""

import copy
import gzip
import json
import pickle
import shutil
import sys
import zipfile

try:
    import encoder_tools
    from encoder_tools import refusal
    from test_cases import (IMAGES, RN, RN_FEATURES, RN_IMAGES, SIZE, V, fresh, good, hf_config,
                            images_for, linear, nn, pre, randomized, refused, rn, rn2, rn_good, save,
                            save_file, small_clip, timm, timm_expected, torch, torchvision,
                            transformers, v, vit, w)
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import torch.distributed.checkpoint as distributed  # behind test_cases, which skips without torch
from torch.nn.utils import prune
from vit_models import mmpretrain_names


# ---- libraries ---------------------------------------------------------------------------------


def mmpretrain():
    """ViT, plain, with layer scale and with the norm behind the mean; ConvNeXt; ResNet.  Its Swin
    merges patches in another order, so names alone would give wrong features."""
    def saved(state):
        head = {"head.layers.head.weight": linear(5, 64), "head.layers.head.bias": linear(5)}
        return save({"meta": {"epoch": 3}, "state_dict": pre("backbone.", state) | head})

    scaled, mean = vit(3, init_values=0.1), vit(4, global_pool="avg", fc_norm=True)
    net = randomized(timm.create_model("convnext_atto", num_classes=0), 3)
    names = {}
    for key, x in net.state_dict().items():
        key = key.replace("stem.", "downsample_layers.0.").replace("conv_dw", "depthwise_conv")
        key = key.replace("mlp.fc", "pointwise_conv").replace(".blocks.", ".")
        parts = key.replace("head.norm.", "norm3.").split(".")
        if parts[0] == "stages" and parts[2] == "downsample":
            parts = ["downsample_layers", parts[1], *parts[3:]]
        names[".".join(parts)] = x
    with torch.no_grad():
        expected = net(RN_IMAGES)
    swin = {"patch_embed.projection.weight": linear(8, 3, 4, 4),
            "stages.0.blocks.0.attn.w_msa.relative_position_bias_table": linear(169, 3)}
    return all([
        good("ViT", saved(mmpretrain_names(v)), says=["mmpretrain-vit", "state_dict.head"]),
        good("layer scale", saved(mmpretrain_names(scaled.state_dict())),
             timm_expected(scaled, IMAGES)["penultimate"]),
        good("mean", saved(mmpretrain_names(mean.state_dict())),
             timm_expected(mean, IMAGES)["penultimate"]),
        good("ConvNeXt", saved(names), expected, RN_IMAGES, input_size=64,
             says=["mmpretrain-convnext"]),
        rn_good("ResNet", {"state_dict": pre("backbone.", rn) | pre("encoder_k.0.", rn2)},
                says=["state_dict.backbone.", "the others: 'state_dict.encoder_k.0.'"]),
        refused("Swin", saved(swin), "a Swin or another transformer of a kind that is not supported"),
    ])


class Learner:  # as fastai's, which learn.export pickles
    pass


def vissl_and_fastai():
    heads = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(512), nn.Linear(512, 3))
    model = nn.Sequential(nn.Sequential(*list(RN.children())[:-2]), heads)
    learner = Learner()
    learner.model, learner.loss = model, torch.zeros(1)
    timm_body = nn.Sequential(nn.ModuleDict({"model": V}), nn.Sequential(nn.Linear(64, 3)))
    trunk = {"trunk": pre("_feature_blocks.", rn), "heads": {"0.clf.0.weight": linear(8, 512)}}
    return all([
        rn_good("VISSL", {"phase_idx": 1, "classy_state_dict": {
            "base_model": {"model": trunk, "meters": {}},
            "optimizer": {"state": {0: {"momentum_buffer": linear(3)}}}}},
            says=["trunk._feature_blocks.", "model.heads"]),
        rn_good("learn.save", {"model": model.state_dict(), "opt": {"state": [{"mom": linear(4)}]}},
                says=["model.0.", "model.1"]),
        rn_good("learn.export", learner, says=["model.0.", "passed over: loss"]),
        good("fastai and timm", save({"model": timm_body.state_dict()}), says=["model.0.model."]),
    ])


def torchscript():
    def script(module, label, *how, **options):
        path = fresh() / "model.pt"
        module.save(str(path))
        return good(label, path, *how, **options)

    frozen = fresh("frozen") / "model.pt"
    torch.jit.freeze(torch.jit.trace(V, IMAGES)).save(str(frozen))
    return all([
        script(torch.jit.script(RN), "scripted", RN_FEATURES, RN_IMAGES, input_size=64),
        script(torch.jit.trace(V, IMAGES), "traced"),
        refused("frozen", frozen, "a TorchScript module without parameters", "before it is frozen"),
    ])


def averages_and_copies():
    """Of lucidrains' packages, Lightning's callbacks and others."""
    target = pre("net.", rn2) | pre("online_encoder.net.", rn2) | pre("target_encoder.net.", rn)
    attack = pre("module.model.", rn) | pre("module.attacker.model.", rn2)
    attack |= {"module.normalizer.new_mean": torch.zeros(3, 1, 1)}
    return all([
        rn_good("byol-pytorch", target | {"online_predictor.0.weight": linear(8, 8)},
                says=["target_encoder.net.", "the others: 'net.', 'online_encoder.net.'"]),
        rn_good("robustness", {"model": attack}, says=["the others: 'model.attacker.model.'",
                                                       "model.normalizer"]),
        good("ema-pytorch", save({"model": w, "ema": pre("ema_model.", v) | pre("online_model.", w)
                                  | {"step": torch.tensor(1)}}), says=["ema.ema_model."]),
        good("a callback's average", save({"state_dict": pre("model.", w), "callbacks": {
            "EMA": {"ema_weights": pre("model.", v)}}}), says=["callbacks.EMA.ema_weights."]),
        good("averages without names", save({"model": v, "ema": {
            "decay": 0.9, "shadow_params": [linear(3), linear(4)]}}), says=["passed over: ema"]),
        good("averages without dots", save({"state_dict": pre("model.", v) | {
            "model_ema." + k.replace(".", ""): x for k, x in w.items()}})),
        good("two sensors", save({"state_dict": pre("rgb.", v) | pre("depth.", w)}), select="rgb",
             says=["the others: 'state_dict.depth.'"]),
        good("its own normalisation", save({"normalize.mean": torch.zeros(3)} | pre("model.", v)),
             says=["passed over: normalize", "mean-std imagenet"]),
        good("a tuple", save((v, {"lr": 1}, 3))),
        refused("adapters", save(v | {"blocks.0.adaptmlp.down.weight": linear(4, 64)}),
                "blocks.0.adaptmlp.down.weight: no such tensor"),
        refused("prompts", save(v | {"prompt_embeddings": linear(1, 5, 64)}), "prompt_embeddings"),
    ])


# ---- weights that are not plain ----------------------------------------------------------------


def parametrized():
    """Weights that a module computes from others are refused, by what made them."""
    utils = nn.utils

    def changed(change):
        model = copy.deepcopy(V)
        change(model)
        return model

    weight_norm = changed(lambda m: utils.weight_norm(m.blocks[0].attn.qkv))
    new_norm = changed(lambda m: utils.parametrizations.weight_norm(m.blocks[0].attn.qkv))
    spectral = changed(lambda m: utils.spectral_norm(m.blocks[0].mlp.fc1))
    pruned = changed(lambda m: prune.l1_unstructured(m.blocks[0].attn.qkv, "weight", 0.5))
    removed = changed(lambda m: prune.l1_unstructured(m.blocks[0].attn.qkv, "weight", 0.5))
    prune.remove(removed.blocks[0].attn.qkv, "weight")
    dino = {"teacher": pre("backbone.", {**v, "odd": linear(3)}) | {
        "head.last_layer.weight_g": linear(8, 1)}}
    quantized = torch.ao.quantization.quantize_dynamic(copy.deepcopy(V), {nn.Linear})
    return all([
        refused("weight norm", save(weight_norm.state_dict()), "remove_weight_norm"),
        refused("of a whole module", save(weight_norm), "remove_weight_norm"),
        refused("parametrizations", save(new_norm.state_dict()), "remove_parametrizations"),
        refused("spectral norm", save(spectral.state_dict()), "remove_spectral_norm"),
        refused("pruned", save(pruned.state_dict()), "prune.remove", "weight_mask"),
        good("pruned for good", save(removed.state_dict()),
             timm_expected(removed, IMAGES)["penultimate"]),
        refused("quantised", save(quantized.state_dict()), "quantised"),
        "weight_norm" not in refusal(save(dino), IMAGES, "penultimate"),  # its head's, no part
    ])


def types():
    fine = True
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        model = copy.deepcopy(V).to(kind)
        expected = timm_expected(copy.deepcopy(model).float(), IMAGES)["penultimate"]
        path = fresh("types") / "model.safetensors"
        save_file({k: x.contiguous() for k, x in model.state_dict().items()}, path,
                  metadata={"format": "pt", "arch": "vit_tiny", "note": "\u00e9\n" + 200 * "x"})
        fine &= good(f"module, {kind}", save(model), expected)
        fine &= good(f"safetensors, {kind}", path, expected)

    def as_type(convert):
        return save({k: convert(x) for k, x in v.items()})

    flat = lambda make: lambda x: make(x) if x.ndim == 2 else x
    wrong = "expected type F16, BF16, F32 or F64, found"
    return fine & all([
        good("channels last", as_type(lambda x: x.to(
            memory_format=torch.channels_last) if x.ndim == 4 else x)),
        good("parameters", save(dict(V.named_parameters()))),
        refused("float8", as_type(lambda x: x.to(torch.float8_e4m3fn)), wrong, "float8_e4m3fn"),
        refused("int8", as_type(flat(lambda x: x.to(torch.int8))), wrong),
        refused("complex", as_type(lambda x: x.to(torch.complex64)), wrong),
        refused("sparse", as_type(flat(lambda x: x.to_sparse())), wrong),
        refused("NumPy", as_type(lambda x: x.numpy()), "NumPy arrays"),
    ])


# ---- files and folders -------------------------------------------------------------------------


def raw(name, data):
    path = fresh("raw") / name
    path.write_bytes(data)
    return path


def files_of_other_kinds():
    weights = save(v).read_bytes()
    around = fresh("raw") / "model.zip"
    with zipfile.ZipFile(around, "w") as archive:
        archive.writestr("model/checkpoint.pth", weights)
    return all([
        refused("a zip round it", around, "without data.pkl", "unpacked first"),
        refused("gzip", raw("model.pth", gzip.compress(weights)), "packed by gzip"),
        refused("Keras", raw("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(50)), "HDF5"),
        refused("GGUF", raw("model.gguf", b"GGUF\x03" + bytes(50)), "GGUF"),
        refused("an error page", raw("model.pth", b"<!DOCTYPE html>"), "a web page"),
        refused("a pickle without arrays", raw("model.pkl", pickle.dumps({"model": {"x": [1]}})),
                "no tensors found"),
        refused("cut short", raw("model.pth", weights[:len(weights) // 2]), "truncated"),
    ])


def folders():
    """Of accelerate, Lightning, the Trainer, DeepSpeed and torch.distributed."""
    def folder(**files):
        path = fresh("folder")
        for name, value in files.items():
            name = name.replace("__", ".")
            (save_file if name.endswith("safetensors") else torch.save)(value, path / name)
        return path

    parts = fresh("parts") / "dcp"
    distributed.save(v, checkpoint_id=str(parts), no_dist=True)
    fine = refused("distributed", parts, "a distributed checkpoint", "dcp_to_torch")
    shutil.rmtree(parts)
    empty = {k: torch.empty(0) for k in v}
    return fine & all([
        good("two formats", folder(model__safetensors=v, pytorch_model__bin=w)),
        good("Trainer", folder(pytorch_model__bin=v, optimizer__pt={"state": {}},
                               training_args__bin=[1], rng_state__pth=[1])),
        good("Lightning", folder(last__ckpt={"state_dict": pre("model.", v)})),
        good("of old times", folder(model_best__pth__tar={"state_dict": v})),
        refused("two of one kind", folder(last__ckpt=v, best__ckpt=w), "2 files of weights"),
        refused("two models", folder(model__safetensors=v, model_1__safetensors=w),
                "several models, model.safetensors and model_1.safetensors"),
        good("DeepSpeed", save({"module": v, "param_shapes": [], "optimizer": None},
                               "mp_rank_00_model_states.pt")),
        refused("ZeRO stage 3", save({"module": empty}), "ZeRO stage 3", "zero_to_fp32.py"),
    ])


# ---- larger models -----------------------------------------------------------------------------


def towers():
    """Vision towers inside transformers' models, as folders and as state dictionaries."""
    t = transformers
    text = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=1, intermediate_size=32,
                vocab_size=50)
    llama = dict(num_key_value_heads=1, **text)
    vision = dict(image_size=SIZE, patch_size=7, hidden_size=64, num_hidden_layers=2,
                  num_attention_heads=2, intermediate_size=100)
    bert = lambda: t.BertModel(t.BertConfig(**text))
    decoder = t.GPT2Config(n_embd=32, n_layer=1, n_head=1, vocab_size=50, add_cross_attention=True)
    first = lambda out: out.last_hidden_state[:, 0]
    mean = lambda out: out.last_hidden_state.mean(1)
    pooled = lambda out: out.pooler_output
    llava = t.LlavaConfig(vision_config=t.CLIPVisionConfig(**vision), text_config=t.LlamaConfig(
        **llama))
    gemma = dict(model_type="gemma", head_dim=32, **llama)
    pali = t.PaliGemmaConfig(vision_config=dict(model_type="siglip_vision_model", **vision),
                             text_config=gemma, projection_dim=32)
    pali.vision_config.vision_use_head = False
    models = {
        "ViT with a head": (t.ViTForImageClassification(t.ViTConfig(**vision)), "vit", first, {}),
        "VisionTextDualEncoder": (t.VisionTextDualEncoderModel(
            vision_model=t.ViTModel(t.ViTConfig(**vision)), text_model=bert()), "vision_model",
            first, {}),
        "of CLIP": (t.VisionTextDualEncoderModel(
            vision_model=t.CLIPVisionModel(t.CLIPVisionConfig(**vision)), text_model=bert()),
            "vision_model", pooled, dict(activation="quick_gelu")),
        "VisionEncoderDecoder": (t.VisionEncoderDecoderModel(
            encoder=t.ViTModel(t.ViTConfig(**vision)), decoder=t.GPT2LMHeadModel(decoder)),
            "encoder", first, {}),
        "LLaVA": (t.LlavaForConditionalGeneration(llava), "model.vision_tower", pooled,
                  dict(activation="quick_gelu")),
        "PaliGemma": (t.PaliGemmaForConditionalGeneration(pali), "model.vision_tower", mean, {}),
        "OWL-ViT": (t.OwlViTVisionModel(t.OwlViTVisionConfig(**vision)), "", pooled,
                    dict(activation="quick_gelu")),
        "Idefics 3": (t.Idefics3VisionTransformer(t.Idefics3VisionConfig(**vision)), "", mean, {}),
    }
    fine = True
    for label, (model, attribute, expected, options) in models.items():
        with torch.no_grad():
            generator = torch.Generator().manual_seed(8)
            for x in model.eval().parameters():
                x += 0.05 * torch.randn(x.shape, generator=generator)
            tower = model.get_submodule(attribute)
            features = expected(tower(IMAGES))
        folder = fresh()
        model.save_pretrained(folder)
        fine &= good(label, folder, features)
        fine &= good(label + ", state", save(model.state_dict()), features, heads=2, **options)
    return fine


def towers_of_other_kinds():
    """FLAVA, BLIP, BLIP-2, InstructBLIP and Janus: their class token, or mean of the patches, behind
    the last norm; detectors and models of poses have no such feature."""
    t = transformers
    sizes = dict(image_size=SIZE, patch_size=7, hidden_size=64, num_hidden_layers=2,
                 num_attention_heads=2)
    kinds = {
        "FlavaImage": dict(intermediate_size=100),
        "BlipVision": dict(intermediate_size=100),
        "Blip2Vision": dict(intermediate_size=100),
        "InstructBlipVision": dict(intermediate_size=100),
        "JanusVision": dict(mlp_ratio=1.5),
    }
    fine = True
    for kind, more in kinds.items():
        made = getattr(t, kind + "Config")(**sizes, **more)
        model = randomized(getattr(t, kind + "Model")(made), 4)
        with torch.no_grad():
            tokens = model(IMAGES).last_hidden_state
        expected = tokens.mean(1) if "Janus" in kind else tokens[:, 0]
        model.save_pretrained(folder := fresh())
        fine &= good(kind, folder, expected)
        if "2" not in kind and "Instruct" not in kind:  # whose eps is another one
            fine &= good(kind + ", state", save(model.state_dict()), expected, heads=2)
    normed = model.state_dict() | {"encoder.layers.0.self_attn.q_norm.weight": linear(32)}
    fine &= refused("norms of heads", save(normed), "q_norm")
    yolos = t.YolosModel(t.YolosConfig(**sizes | dict(image_size=[28, 42]), intermediate_size=100))
    pose = t.VitPoseBackbone(t.VitPoseBackboneConfig(**sizes | dict(
        image_size=[28, 21], patch_size=[7, 7])))
    for model in (yolos, pose):
        model.save_pretrained(folder := fresh())
        kind = model.config.model_type
        fine &= refused(kind, folder, f'"{kind}"', "no feature of the whole image")
        fine &= refused(kind, save(model.state_dict()), "no feature of the whole image")
    return fine


def names_of_siglip_with_another_computation():
    """PaddleOCR's tower has SigLIP's names, and rotary positions besides."""
    model = transformers.SiglipVisionModel(hf_config(transformers.SiglipVisionConfig))
    folder = fresh()
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "paddleocr_vl_vision"}))
    return refused("by its type", folder, 'model_type "paddleocr_vl_vision" is not supported')


def clip_without_a_projection():
    clip = small_clip()
    state = {k: x for k, x in clip.state_dict().items()
             if k.startswith("visual.") and k != "visual.proj"}
    with torch.no_grad():
        whole = clip.encode_image(IMAGES)
        clip.visual.proj = None
        expected = clip.visual(IMAGES)
    return all([
        good("visual.proj taken off", save(state), expected, activation="quick_gelu"),
        good("a wrapper's names", save(pre("image_encoder.model.", small_clip().state_dict()) | {
            "classification_head.weight": linear(5, 32)}), whole,
            point="projected", activation="quick_gelu"),
    ])


# ---- what files do not say ---------------------------------------------------------------------


def what_is_missing_is_said():
    headless = vit(5, final_norm=False)
    wide = timm.models.VisionTransformer(img_size=(28, 42), patch_size=7, embed_dim=64, depth=2,
                                         num_heads=1, num_classes=0)
    five = images_for(35, 2)
    square = randomized(timm.models.VisionTransformer(
        img_size=35, patch_size=7, embed_dim=64, depth=2, num_heads=1, num_classes=0,
        no_embed_class=True), 6)
    small = copy.deepcopy(RN)
    small.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    grey = copy.deepcopy(RN)
    grey.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    return all([
        good("no norm", save(headless.state_dict()),
             timm_expected(headless, IMAGES)["penultimate"], says=["no norm behind the blocks"]),
        good("5 x 5 or 4 x 6", save(square.state_dict()),
             timm_expected(square, five)["penultimate"], five,
             says=["5 x 5 patches", "4 x 6 with one look the same"]),
        len(wide.pos_embed[0]) == len(square.pos_embed[0]),  # they do
        refused("CIFAR's stem", save(small.state_dict()), "as of ResNets for CIFAR"),
        refused("grey", save(grey.state_dict()), "conv1.weight: expected [64, 3, 7, 7], found [64, 1"),
    ])


def configs():
    """A tag behind timm's architecture; a filter by its name."""
    model = randomized(timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2,
                                         num_classes=0), 1)
    images = images_for(32, 2)
    folder = fresh()
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({
        "architecture": "vit_tiny_patch16_224.augreg_in21k", "num_features": 192,
        "model_args": {"depth": 2, "img_size": 32}}))
    fine = good("tag", folder, timm_expected(model, images)["penultimate"], images)
    hf = transformers.ViTModel(hf_config(transformers.ViTConfig))
    for name, filter in (("bicubic", "bicubic"), (2, "bilinear"), ("hamming", None)):
        hf.save_pretrained(folder := fresh())
        (folder / "preprocessor_config.json").write_text(json.dumps({
            "image_processor_type": "ViTImageProcessor", "size": SIZE, "resample": name}))
        if filter is None:
            fine &= refused("filter", folder, 'interpolation "hamming" is not supported')
        else:
            fine &= encoder_tools.run(folder, IMAGES, "penultimate")[1]["filter"] == filter
    return fine


TESTS = [
    mmpretrain,
    vissl_and_fastai,
    torchscript,
    averages_and_copies,
    parametrized,
    types,
    files_of_other_kinds,
    folders,
    towers,
    towers_of_other_kinds,
    names_of_siglip_with_another_computation,
    clip_without_a_projection,
    what_is_missing_is_said,
    configs,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, torchvision, timm, transformers)))
