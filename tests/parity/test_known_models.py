"""What `linprobe models` lists, beside torchvision, timm and open_clip.

Of a model of at most 120 million parameters a file of the official names and shapes, whose values
are a hole, is inspected, too: the family, the parameters and the size of the input are the row's.
"""

import json
import os
import struct
import subprocess
import sys

try:
    import open_clip
    import timm
    import torch
    import torchvision
except ImportError as error:
    print(f"1..0 # SKIP {error}")
    sys.exit(0)

import encoder_tools
from encoder_tools import FOLDER

LARGEST = 120e6
PROGRAM = os.environ["LP_PROGRAM"]


def listed():
    done = subprocess.run([PROGRAM, "models", "--format", "json"], check=True, capture_output=True)
    return json.loads(done.stdout)


def inspected(module, name, configs):
    """The encoder that linprobe finds in a file of the module's names and shapes."""
    header, end = {}, 0
    for key, tensor in module.state_dict().items():
        kind, size = ("I64", 8) if tensor.dtype == torch.int64 else ("F16", 2)
        offsets = [end, end + size * tensor.numel()]
        header[key] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        end = offsets[1]
    text = json.dumps(header).encode()
    path = FOLDER / name
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    for config, content in configs.items():
        (FOLDER / config).write_text(json.dumps(content, default=str))
    done = subprocess.run([PROGRAM, "inspect", path, "--format", "json"], check=False,
                          capture_output=True)
    for used in [name, *configs]:
        (FOLDER / used).unlink()
    if done.returncode != 0:
        print(f"# {name}: {done.stderr.decode()[:300]}")
        return {}
    return json.loads(done.stdout)["encoder"]


def same(row, what, found, expected):
    if found != expected:
        print(f"# {row['name']}: {what}: expected {expected}, found {found}")
    return found == expected


def fits(row, encoder):
    return all([
        same(row, "family", encoder.get("family"), row["family"]),
        same(row, "parameters", encoder.get("parameters"), row["parameters"]),
        same(row, "input", encoder.get("input_size"), row["input"]),
    ])


def torchvisions_weights():
    """All weights of the families that are read, with what they are evaluated with."""
    rows = {row["url"]: row for row in listed() if "download.pytorch.org" in row["url"]}
    begins = ("alexnet", "convnext", "densenet", "efficientnet", "mobilenet", "regnet", "resnet",
              "resnext", "swin", "vgg", "vit", "wide_resnet")
    good, left = True, {url for url in rows if "ig_resnext" not in url}
    for name in torchvision.models.list_models(module=torchvision.models):
        for weights in torchvision.models.get_model_weights(name):
            if not name.startswith(begins) or weights.name == "IMAGENET1K_FEATURES":
                continue
            row, by = rows[weights.url], weights.transforms()
            left.remove(weights.url)
            size = weights.meta["_file_size"] * 1.048576
            mean = {0.485: "imagenet", 0.5: "half"}[by.mean[0]]
            good &= same(row, "digits", row["sha256"], weights.url[-12:-4])
            good &= same(row, "input", row["input"], by.crop_size[0])
            good &= same(row, "resize", row["resize"], by.resize_size[0])
            good &= same(row, "mean", row.get("mean_std") or "imagenet", mean)
            good &= same(row, "filter", row.get("filter") or "bilinear", by.interpolation.value)
            good &= same(row, "megabytes", abs(row["megabytes"] - size) < 0.06, True)
            if row["parameters"] > LARGEST:
                continue
            sized = {"image_size": by.crop_size[0]} if name.startswith("vit") else {}
            with torch.device("cpu" if name.startswith("regnet") else "meta"):
                module = torchvision.models.get_model(name, weights=None, **sized)
            encoder = inspected(module, f"{name}.safetensors", {})
            # what the file's digest alone says
            good &= fits(row, encoder | {"input_size": row["input"]})
    return same({"name": "torchvision"}, "others", left, set()) and good


def timms_models():
    good, count = True, 0
    for row in listed():
        tag = row["name"]
        if row.get("hub") != f"timm/{tag}":
            continue
        config, count = timm.models.get_pretrained_cfg(tag), count + 1
        good &= same(row, "repository", config and config.hf_hub_id, row["hub"])
        good &= same(row, "input", config.input_size[1], row["input"])
        if row["parameters"] > LARGEST:
            continue
        with torch.device("meta"):
            module = timm.create_model(tag)
        file = {
            "architecture": config.architecture,
            "num_classes": module.num_classes,
            "num_features": module.num_features,
            "global_pool": "",
            "pretrained_cfg": {k: v for k, v in config.to_dict().items() if v is not None},
        }
        encoder = inspected(module, "model.safetensors", {"config.json": file})
        classifier = module.get_classifier() if module.num_classes > 0 else torch.nn.Identity()
        alone = sum(p.numel() for p in module.parameters())
        alone -= sum(p.numel() for p in classifier.parameters())
        good &= same(row, "timm's parameters", alone, row["parameters"])
        good &= fits(row, encoder)
    return count > 100 and good


def open_clips_models():
    rows, good, count = {row["name"]: row for row in listed()}, True, 0
    for name, tag in open_clip.list_pretrained():
        row = rows.get(f"{name}.{tag}")
        if row is None:
            continue
        known, count = open_clip.get_pretrained_cfg(name, tag), count + 1
        good &= same(row, "repository", "/".join(known["hf_hub"].split("/")[:2]), row["hub"])
        if row["parameters"] > LARGEST:
            continue
        config = open_clip.get_model_config(name)
        with torch.device("meta"):
            module = open_clip.create_model(name, device="meta")
        kept = {k: known[k] for k in ("mean", "std", "interpolation", "resize_mode") if k in known}
        kept["size"] = config["vision_cfg"]["image_size"]
        beside = {"open_clip_config.json": {"model_cfg": config, "preprocess_cfg": kept}}
        visual = sum(p.numel() for k, p in module.named_parameters() if k.startswith("visual."))
        good &= same(row, "open_clip's parameters", visual, row["parameters"])
        good &= fits(row, inspected(module, "open_clip_model.safetensors", beside))
    return count > 30 and good


TESTS = [torchvisions_weights, timms_models, open_clips_models]

if __name__ == "__main__":
    sys.exit(encoder_tools.main(TESTS, (torch, torchvision, timm, open_clip)))
