"""More files as people have them, each with the features of the reference or a refusal: objects
beside weights, storages and views, prefixes, copies of weights that are no model, parts of a model,
links of the hub's cache, configs that contradict weights, and models that look like an encoder.

Environment: as encoder_tools.py.
"""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import logging
import lzma
import pathlib
import pickle
import shutil
import sys
import tempfile
import types
import uuid
import zipfile

try:
    import numpy as np

    import encoder_tools
    from test_cases import (FEATURES, FOLDER, IMAGES, V, fresh, good, hf_config, images_for, linear,
                            nn, pre, randomized, refused, rn, rn_good, save, save_file, timm,
                            timm_expected, torch, transformers, v, vit, w)
    from test_saved_forms import raw
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)


def folder(**files):
    """A folder of these: weights by their ending, texts, bytes; "__" in a name is "."."""
    path = pathlib.Path(tempfile.mkdtemp(dir=FOLDER))
    for name, value in files.items():
        target = path / name.replace("__", ".")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, (str, bytes)):
            target.write_bytes(value if isinstance(value, bytes) else value.encode())
        elif target.suffix == ".safetensors":
            save_file({k: x.contiguous().clone() for k, x in value.items()}, target)
        else:
            torch.save(value, target)
    return path


# ---- what lies beside ----------------------------------------------------------------------------


class Kind(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Record:
    model: object = None


class Slots:
    __slots__ = ("model",)

    def __getstate__(self):
        return None, {"model": self.model}


def objects_beside():
    """What training states hold besides: nothing of it is executed, nor hides the weights."""
    slots = Slots()
    slots.model = v
    parameter = [nn.Parameter(linear(2))]
    beside = [
        Kind.ONE, Record(), pathlib.Path("/a"), datetime.datetime(2024, 1, 2),
        decimal.Decimal("1.5"), functools.partial(int, base=2), types.SimpleNamespace(a=1),
        {1, 2}, frozenset([1]), 1j,
        slice(1, 2), range(3), b"ab", bytearray(b"ab"), dict, torch.nn.functional.relu,
        collections.defaultdict(list, a=[1]), collections.Counter("aab"), collections.deque([1]),
        np.float32(1), np.int64(3), np.arange(4), np.array(["a"]), np.array([{}], object),
        np.random.RandomState(1), torch.Size([1]), torch.float16, torch.device("cpu"),
        torch.get_rng_state(), uuid.UUID(int=5), 2**200, -5, float("nan"), None, ..., ((1, (2,)),),
        ValueError("x"), torch.optim.Adam(parameter), nn.CrossEntropyLoss(weight=linear(3)),
        logging.getLogger("linprobe"),
    ]
    fine = True
    for thing in beside:
        fine &= good(f"beside {thing!r}"[:60], save({"state_dict": v, "thing": thing}))
    return fine & all([
        good("in a dataclass", save(Record({"state_dict": v}))),
        good("in slots", save(slots)),
        good("in a namespace", save(types.SimpleNamespace(model=v))),
        good("whole numbers as keys", save({0: {1: v}})),
        good("bytes as keys", save({b"model": v})),
        refused("a function of Python", save({"state_dict": v, "thing": len}),
                "nothing was executed"),
    ])


def prefixes():
    fine = True
    for name in ("module.module.", "_orig_mod._orig_mod.", "module._orig_mod.", "_forward_module.",
                 "model.module.model.", "base_model.model.", "_fsdp_wrapped_module._orig_mod.",
                 "model._checkpoint_wrapped_module.", "module.0.", "ddp.", "timm_model.", "x.y.z."):
        fine &= good(name, save(pre(name, v)))
    for inside in ("blocks.module.", "blocks.0.module.", "blocks.0._orig_mod.module."):
        begin = "blocks.0." if "0" in inside else "blocks."
        fine &= good(inside, save({k.replace(begin, inside): x for k, x in v.items()}))
    for key in ("params", "network", "  spaced", "a.b.c", "ключ", "model.", "", "a/b", "model:0"):
        fine &= good(f"key {key!r}", save({key: v}))
    return fine


# ---- several of one shape ------------------------------------------------------------------------


def averages_by_other_names():
    fine = True
    for name in ("avg_model", "model_avg", "average", "model_average", "averages", "polyak",
                 "shadow", "model-ema", "modelEMA", "emaModel", "ema_0.9999", "params_ema",
                 "momentum_teacher", "frozen_teacher", "target_network", "teacher_ema"):
        fine &= good(name, save({"model": w, name: v}), says=["the others: 'model.'"])
    return fine & all([
        good("keys of MoCo", save({
            "state_dict": pre("encoder_query.", v) | pre("encoder_key.", w)})),
        good("Lightning's average", save({
            "state_dict": pre("model.", v), "current_model_state": pre("model.", w),
            "averaging_state": {"n_averaged": torch.tensor(3)}})),
        good("ALBEF", save({"model": pre("visual_encoder.", v) | pre("visual_encoder_m.", w) | {
            "image_queue": linear(8, 9)}})),
    ])


def what_is_no_model():
    """Gradients, masks, moments and earlier weights have a model's names, and shorter keys."""
    fine = True
    for name in ("grad", "grads", "gradients", "accum_grad", "mask", "masks", "exp_avg",
                 "exp_avg_sq", "velocity", "momentum_buffer", "optim", "fisher", "importance",
                 "delta", "error",
                 "noise", "var", "init", "initial", "init_state", "old", "prev", "swag_var"):
        fine &= good(name, save({"state_dict": v, name: w}), says=["'state_dict.' is taken",
                                                                  f"the others: '{name}.'"])
    moments = {k: {"exp_avg": x, "exp_avg_sq": x} for k, x in w.items()}
    return fine & all([
        good("an average's gradients", save({"model": v, "ema_grad": w})),
        good("alone", save({"init": v})),
        good("by names", save({"model": v, "optim": {"state": moments}}),
             says=["passed over: optim"]),
    ])


def dilated_resnets():
    """Segmentation models whose ResNet has dilation instead of strides, which no weight shows."""
    one = {"decode_head.conv_seg.weight": linear(19, 8, 1, 1)}
    why = "a segmentation model"
    return all([
        refused("mmsegmentation", save({"state_dict": pre("backbone.", rn) | one}), why),
        refused("DeepLab of smp", save(pre("encoder.", rn) | {
            "decoder.aspp.0.convs.0.0.weight": linear(8, 512, 1, 1)}), why),
        refused("PAN of smp", save(pre("encoder.", rn) | {
            "decoder.fpa.branch1.1.conv.weight": linear(8, 512, 1, 1)}), why),
        rn_good("UPerNet", pre("backbone.", rn) | one | {
            "decode_head.lateral_convs.0.conv.weight": linear(8, 64, 1, 1)}),
        rn_good("U-Net of smp", pre("encoder.", rn) | {
            "decoder.blocks.0.conv1.0.weight": linear(8, 8, 3, 3)}),
        rn_good("Faster R-CNN", pre("backbone.body.", rn) | {
            "backbone.fpn.inner_blocks.0.0.weight": linear(8, 64, 1, 1)}, says=["backbone.fpn"]),
        good("a ViT's head", save({"state_dict": pre("backbone.", v) | one})),
    ])


# ---- storages and files --------------------------------------------------------------------------


def storages():
    flat, at, views = torch.cat([x.flatten() for x in v.values()]), 0, {}
    for k, x in v.items():
        views[k], at = flat[at : at + x.numel()].view(x.shape), at + x.numel()
    both = {k: torch.stack([x, w[k]]) for k, x in v.items()}
    noted = {k: nn.Parameter(x.clone()) for k, x in v.items()}
    for x in noted.values():
        x.note = "x"
    negative = {k: torch._neg_view(-x) for k, x in v.items()}
    wrong = "expected type F16, BF16, F32 or F64, found"
    return all([
        good("one buffer", save(views)),
        good("one buffer, before 1.6", save(views, _use_new_zipfile_serialization=False)),
        good("transposed", save({k: x.t().contiguous().t() if x.ndim == 2 else x
                                 for k, x in v.items()})),
        good("steps", save({k: torch.stack([x, x * 3], -1)[..., 0] for k, x in v.items()})),
        good("rows of stacks", save({k: x[0] for k, x in both.items()})),
        good("parameters with attributes", save(noted)),
        good("double norms", save({k: x.double() if "norm" in k else x for k, x in v.items()})),
        refused("negated", save(negative), wrong, "negated"),
        refused("negated, before 1.6", save(negative, _use_new_zipfile_serialization=False), wrong),
        refused("meta", save({k: x.to("meta") for k, x in v.items()}), wrong, "meta"),
        refused("rows of zeros and values", save({
            k: x.to_sparse_csr() if x.ndim == 2 else x for k, x in v.items()}), wrong, "sparse"),
        refused("not a number", save(v | {"norm.bias": v["norm.bias"] * float("nan")}),
                "not a number"),
        refused("infinite", save(v | {"norm.bias": v["norm.bias"] / 0}), "infinite"),
    ])


def archives():
    path = save(v)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}

    def again(members):
        out = fresh("again") / "model.pth"
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return out

    big = {n: b"big" if n.endswith("byteorder") else d for n, d in members.items()}
    with torch.serialization.skip_data():
        empty = save(v)
    fine = all([
        good("zipped again", again(members)),
        good("another member", again(members | {"README.md": b"x"})),
        refused("another byte order", again(big), 'byteorder: expected "little", found "big"'),
        refused("skip_data", empty, "CRC"),
        good("NumPy's arrays", raw("model.pkl", pickle.dumps({k: x.numpy() for k, x in v.items()}))),
        refused("Paddle", raw("model.pdparams", pickle.dumps(
            {k: x.numpy().T if x.ndim == 2 else x.numpy() for k, x in v.items()})), "expected ["),
        refused("PyTorch's tensors", raw("model.pkl", pickle.dumps(v)),
                "a pickle that torch.save did not write"),
        refused("TensorFlow's values", raw("model.ckpt-1.data-00000-of-00001", bytes(60)),
                "expected the .index file beside them"),
        refused("TensorFlow's names", raw("model.ckpt-1.index", bytes(60) + bytes.fromhex("57fb808b247547db")),
                "a block that does not lie within"),
        refused("an error of S3", raw("model.pth", b'<?xml version="1.0"?><Error/>'), "a web page"),
        refused("a pointer", raw("model.pth", b"version https://git-lfs.github.com/spec/v1\n"),
                "git lfs pull"),
    ])
    for name, data in {"xz": lzma.compress(b"x"), "bzip2": b"BZh9", "zstd": b"\x28\xb5\x2f\xfd",
                       "7z": b"7z\xbc\xaf", "RAR": b"Rar!", "NumPy": b"\x93NUMPY"}.items():
        fine &= refused(name, raw("model.pth", data + bytes(60)), name)
    return fine


def parts_of_a_model():
    """Shards by themselves: whole blocks of one look like a model with fewer blocks."""
    first = {k: x for k, x in v.items() if not k.startswith(("blocks.1.", "norm."))}
    other = {k: x for k, x in v.items() if k not in first}
    names = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    index = {"weight_map": {k: names[k in other] for k in v}}
    whole = {names[0]: first, names[1]: other,
             "model.safetensors.index.json": json.dumps(index)}
    moved = json.dumps({"weight_map": index["weight_map"] | {"norm.bias": names[0]}})
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + 64 * "a" + "\n"
    return all([
        good("both", folder(**whole)),
        refused("one", folder(**whole) / names[0], "one of 2 parts", ".index.json"),
        refused("one in a folder", folder(**{names[0]: first}), "one of 2 parts"),
        good("one of one", folder(**{"model-00001-of-00001.safetensors": v})),
        refused("no index", folder(**{names[0]: first, names[1]: other}), "2 files of weights"),
        refused("one is missing", folder(**{k: x for k, x in whole.items() if k != names[1]}),
                names[1], "No such file"),
        refused("one is a pointer", folder(**whole | {names[1]: pointer}), "git lfs pull"),
        refused("a tensor elsewhere", folder(**whole | {"model.safetensors.index.json": moved}),
                "norm.bias is in " + names[1]),
        refused("a tensor twice", folder(**whole | {names[0]: first | {"norm.bias": linear(64)}}),
                "norm.bias is in " + names[0]),
        refused("beside a whole model", folder(**whole, model__safetensors=v), "both"),
        good("variants", folder(model__fp16__safetensors=w, model__safetensors=v)),
        refused("in a folder below", folder(**{"image_encoder/model.safetensors": v}),
                "a folder without weights"),
    ])


def links():
    """The hub's cache: links to blobs, some of which were never downloaded."""
    cache = folder(**{"models--a--b/refs/main": 40 * "c", "models--a--b/blobs/weights": b""})
    repository = cache / "models--a--b"
    whole = folder(model__safetensors=v) / "model.safetensors"
    shutil.copy(whole, repository / "blobs" / "weights")
    snapshot = repository / "snapshots" / (40 * "c")
    snapshot.mkdir(parents=True)
    weights, config = snapshot / "model.safetensors", snapshot / "config.json"
    weights.symlink_to("../../blobs/weights")
    fine = all([good("snapshot", snapshot), good("its file", weights), good("all", repository),
                good("the blob", repository / "blobs" / "weights")])
    config.symlink_to("../../blobs/missing")
    fine &= refused("no config behind its link", snapshot, "config.json", "No such file")
    config.unlink()
    weights.unlink()
    weights.symlink_to("../../blobs/missing")
    fine &= refused("no weights behind their link", snapshot, "No such file")
    weights.unlink()
    weights.symlink_to(weights.name)
    fine &= refused("a link to itself", snapshot, "Too many levels")
    (repository / "refs" / "main").write_text(40 * "d")
    return fine & refused("no such snapshot", repository, "has no snapshot there")


# ---- configs -------------------------------------------------------------------------------------


def contradictions():
    model = randomized(transformers.ViTModel(hf_config(transformers.ViTConfig)), 4)
    with torch.no_grad():
        expected = model(IMAGES).last_hidden_state[:, 0]
    model.save_pretrained(base := fresh())
    own = json.loads((base / "config.json").read_text())
    weights = (base / "model.safetensors").read_bytes()

    def beside(label, *parts, text=None, says=(), **change):
        text = json.dumps(own | change) if text is None else text
        path = folder(model__safetensors=weights, config__json=text)
        return refused(label, path, *parts) if parts else good(label, path, expected, says=says)

    text = json.dumps(own)

    def disbelieved(label, **change):
        path = folder(model__safetensors=weights, config__json=json.dumps(own | change))
        return good(label, path, expected, heads=2,
                    says=["config.json beside it is another model's"])

    return all([
        beside("as it is"), beside("lists", image_size=[28, 28], patch_size=[7, 7]),
        beside("a type", dtype="float16"), beside("a head", pooler_act="relu"),
        beside("nested", model_type="mine", vision_config=own),
        beside("3 heads", "not divisible among 3 heads", num_attention_heads=3),
        beside("no heads", "not divisible", num_attention_heads=0),
        beside("ReLU", 'hidden_act "relu" is not supported', hidden_act="relu"),
        beside("another name", 'hidden_act "swish" is not supported', hidden_act="swish"),
        beside("a text model", 'model_type "bert" is not supported', model_type="bert"),
        disbelieved("width", hidden_size=128),
        disbelieved("layers", num_hidden_layers=12),
        disbelieved("patch", patch_size=14),
        beside("a mark of order", "not valid JSON", text="\ufeff" + text),
        beside("UTF-16", "not valid JSON", text=text.encode("utf-16")),
        beside("no number", "not valid JSON", text=json.dumps(own | {"x": float("nan")})),
        beside("empty", "not valid JSON", text=""),
        beside("a list", "expected a JSON object", text="[]"),
        beside("a comma", "not valid JSON", text=text[:-1] + ",}"),
        beside("a key twice", "duplicate object key", text=text[:-1] + ',"hidden_size": 64}'),
        beside("cut", "not valid JSON", text=text[:50]),
        beside("a pointer", "not valid JSON", text="version https://git-lfs.github.com/spec/v1\n"),
    ])


def wrapped_by_transformers():
    """timm's models in transformers, and towers deep inside larger models."""
    config = transformers.TimmWrapperConfig.from_dict({
        "architecture": "vit_tiny_patch16_224", "model_args": {"depth": 2, "img_size": 32},
        "num_classes": 0, "do_pooling": True})
    images = images_for(32, 2)
    model = randomized(transformers.TimmWrapperModel(config), 3)
    expected = timm_expected(model.timm_model, images)["penultimate"]
    model.save_pretrained(path := fresh())
    clip = randomized(transformers.CLIPVisionModel(hf_config(transformers.CLIPVisionConfig)), 3)
    with torch.no_grad():
        pooled = clip(IMAGES).pooler_output
    state = {k if k.startswith("vision_model.") else "vision_model." + k: x
             for k, x in clip.state_dict().items()}
    fine = all([good("timm", path, expected, images),
                good("timm, state", save(model.state_dict()), expected, images)])
    for place in ("model.vision_tower.vision_tower.", "model.vision_embed_tokens.img_processor."):
        fine &= good(place, save(pre(place, state) | {"lm_head.weight": linear(9, 9)}), pooled,
                     heads=2, activation="quick_gelu", says=["passed over: lm_head"])
    siglip = timm.models.VisionTransformer(img_size=28, patch_size=7, embed_dim=64, depth=2,
                                           num_heads=1, class_token=False, global_pool="map",
                                           num_classes=0)
    expected = timm_expected(randomized(siglip, 4), IMAGES)["penultimate"]
    return fine & all([
        good("Janus's own file", save(pre("vision_model.vision_tower.", siglip.state_dict()) | {
            "gen_vision_model.encoder.conv_in.weight": linear(8, 3, 3, 3)}), expected),
        good("SLIP", save({"state_dict": pre("module.visual.", v) | {
            "module.image_projection": linear(64, 32), "module.logit_scale": linear(1)[0],
            "module.transformer.resblocks.0.ln_1.weight": linear(32)}}), FEATURES),
    ])


# ---- what is no encoder of ours ------------------------------------------------------------------


def inside_the_encoder():
    """One tensor more means another computation."""
    fine = True
    for name in ("blocks.0.attn.rope.freqs", "freqs_cos", "blocks.0.attn.q_norm.weight", "prompt",
                 "blocks.0.attn.rel_pos_h", "blocks.0.gamma", "patch_embed.norm.weight", "mask",
                 "norm_mid.weight", "blocks.0.mlp.gate.weight", "temporal_embed", "channel_embed",
                 "pos_embed_cls", "scale", "blocks.0.attn.scale", "patch_embed.proj2.weight",
                 "blocks.0.norm3.weight", "blocks.2.norm1.weight", "adapter.down.weight",
                 "blocks.0.attn.temperature", "blocks_token_only.0.norm1.weight", "neck.0.weight",
                 "blocks.1.mlp.experts.0.fc1.weight", "fc_norm.weight", "norm_pre.weight"):
        fine &= refused(name, save(v | {name: linear(64)}), "model")
    return fine


def quantised():
    name = "blocks.0.attn.qkv."
    less = {k: x for k, x in v.items() if k != name + "weight"}
    whole = lambda kind, *shape: torch.zeros(*shape, dtype=kind)
    return all([
        refused("GPTQ", save(less | {name + "qweight": whole(torch.int32, 8, 192)}), "GPTQ"),
        refused("8 bits", save(v | {name + "weight": whole(torch.int8, 192, 64),
                                    name + "SCB": linear(192)}), "bitsandbytes"),
        refused("4 bits", save(v | {name + "weight": whole(torch.uint8, 6144, 1),
                                    name + "weight.absmax": linear(96)}), "bitsandbytes"),
        refused("scales", save(v | {name + "weight_scale": linear(192)}), "quantised, with scales"),
        refused("training", save(v | {name + "weight_fake_quant.scale": linear(1)}),
                "quantisation"),
    ])


def other_networks():
    """Shapes and names of networks that are near: refused, not run."""
    patch = "patch_embed.proj.weight"
    fine = True
    for label, state in {
        "VideoMAE": v | {patch: linear(64, 3, 2, 7, 7)},
        "V-JEPA": {"target_encoder": pre("module.backbone.", v | {patch: linear(64, 3, 2, 7, 7)})},
        "10 channels": v | {patch: linear(64, 10, 7, 7)},
        "rectangles": v | {patch: linear(64, 3, 7, 14)},
        "AIM": {"preprocessor.patchifier.proj.weight": linear(64, 3, 7, 7),
                "trunk.blocks.0.norm_1.weight": linear(64)},
        "SAM": pre("image_encoder.", v | {"neck.0.weight": linear(8, 64, 1, 1)}),
        "SatMAE": v | {"patch_embed.0.proj.weight": linear(64, 4, 7, 7)},
        "lucidrains": {"to_patch_embedding.1.weight": linear(64, 147),
                       "transformer.layers.0.0.to_qkv.weight": linear(192, 64)},
        "SlowFast": {k: x[:, :, None] if x.ndim == 4 else x for k, x in rn.items()},
        "group norms": {k: x for k, x in rn.items() if "running" not in k},
        "CBAM": rn | {"layer1.0.ca.fc1.weight": linear(4, 64, 1, 1)},
        "IBN": {k.replace("bn1.weight", "bn1.IN.weight"): x for k, x in rn.items()},
        "PSPNet": rn | {"ppm.features.0.1.weight": linear(8, 512, 1, 1)},
        "DenseNet": {"features.conv0.weight": linear(64, 3, 7, 7)},
        "MobileNetV2": {"features.0.0.weight": linear(32, 3, 3, 3),
                        "features.1.conv.0.0.weight": linear(32, 1, 3, 3)},
        "a text model": {"embeddings.word_embeddings.weight": linear(9, 9)},
        "a classifier": {"weight": linear(10, 64), "bias": linear(10)},
    }.items():
        fine &= refused(label, save(state), "model" if "patch" in str(list(state)) else "encoder")
    return fine


TESTS = [
    objects_beside,
    prefixes,
    averages_by_other_names,
    what_is_no_model,
    dilated_resnets,
    storages,
    archives,
    parts_of_a_model,
    links,
    contradictions,
    wrapped_by_transformers,
    inside_the_encoder,
    quantised,
    other_networks,
]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, timm, transformers)))
