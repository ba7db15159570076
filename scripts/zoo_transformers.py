"""The models of transformers for zoo.py: the official checkpoints' configs, cut to two blocks, and
small ones with keys that the official ones do not have."""

import json
import re
import tempfile

import torch
import transformers
from safetensors.torch import load_file

from zoo_models import Built, Case

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

CLIP = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "size": 224,
}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def square(side):
    return {"height": side, "width": side}


def clip(side=224, **more):
    return {
        **CLIP,
        "size": {"shortest_edge": side},
        "crop_size": square(side),
        "image_processor_type": "CLIPImageProcessor",
        **more,
    }


def vit(size=224, resample=2, kind="ViTImageProcessor", **more):
    fields = {"do_normalize": True, "do_resize": True, "resample": resample, "size": square(size)}
    return {**fields, "image_processor_type": kind, **(HALF if not more else more)}


def siglip(size=224, resample=3):
    return vit(size, resample, "SiglipImageProcessor")


def convnext(**more):
    fields = {"do_normalize": True, "do_resize": True, "resample": 3, "size": 224}
    kind = {"feature_extractor_type": "ConvNextFeatureExtractor", "crop_pct": 0.875}
    return {**fields, **IMAGENET, **kind, **more}


DEIT = {
    **vit(256, 3, "DeiTImageProcessor", **IMAGENET),
    "do_center_crop": True,
    "crop_size": square(224),
}
DINOV2 = {
    **clip(224, **IMAGENET),
    "size": {"shortest_edge": 256},
    "image_processor_type": "BitImageProcessor",
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
}
B, L = (768, 12, 12, 3072), (1024, 24, 16, 4096)
H, BIGG = (1280, 32, 16, 5120), (1664, 48, 16, 8192)
TI, S, G = (192, 12, 3, 768), (384, 12, 6, 1536), (1408, 40, 16, 6144)
TINY = (64, 2, 4, 128)

# name, model class, sizes, image, patch, other keys of the (vision) config, preprocessor
# fmt: off
VITS = [
    ("openai/clip-vit-base-patch32", "CLIPModel", B, 224, 32, {}, CLIP),
    ("openai/clip-vit-base-patch16", "CLIPModel", B, 224, 16, {}, CLIP),
    ("openai/clip-vit-large-patch14", "CLIPModel", L, 224, 14, {}, CLIP),
    ("openai/clip-vit-large-patch14-336", "CLIPModel", L, 336, 14, {}, clip(336)),
    ("openai/clip-vit-large-patch14 tower", "CLIPVisionModel", L, 224, 14, {}, CLIP),
    ("openai/clip-vit-base-patch32 projected", "CLIPVisionModelWithProjection", B, 224, 32, {}, CLIP),
    ("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "CLIPModel", H, 224, 14, {"hidden_act": "gelu"}, clip()),
    ("laion/CLIP-ViT-bigG-14-laion2B-39B-b160k", "CLIPModel", BIGG, 224, 14, {"hidden_act": "gelu"}, clip()),
    ("laion/CLIP-ViT-g-14-laion2B-s12B-b42K", "CLIPModel", G, 224, 14, {"hidden_act": "gelu"}, clip()),
    ("facebook/metaclip-2-worldwide-huge-quickgelu", "MetaClip2Model", H, 224, 14, {}, clip()),
    ("facebook/metaclip-2-worldwide-huge-378", "MetaClip2Model", H, 378, 14, {"hidden_act": "gelu"}, clip(378)),
    ("OFA-Sys/chinese-clip-vit-base-patch16", "ChineseCLIPModel", B, 224, 16, {}, vit(224, 3, "ChineseCLIPImageProcessor", **{k: CLIP[k] for k in ("image_mean", "image_std")}, do_center_crop=False)),
    ("OFA-Sys/chinese-clip-vit-huge-patch14", "ChineseCLIPModel", H, 224, 14, {}, clip(224, image_processor_type="ChineseCLIPImageProcessor")),
    ("BAAI/AltCLIP", "AltCLIPModel", L, 224, 14, {}, clip()),
    ("CIDAS/clipseg-rd64-refined", "CLIPSegModel", B, 224, 16, {}, vit(352, 3, "ViTImageProcessor", **IMAGENET)),
    ("microsoft/xclip-base-patch32", "XCLIPVisionModel", B, 224, 32, {}, clip()),
    ("google/siglip-base-patch16-224", "SiglipModel", B, 224, 16, {}, siglip()),
    ("google/siglip-base-patch16-256-multilingual", "SiglipModel", B, 256, 16, {}, siglip(256)),
    ("google/siglip-base-patch16-512", "SiglipVisionModel", B, 512, 16, {}, siglip(512)),
    ("google/siglip-large-patch16-384", "SiglipModel", L, 384, 16, {}, siglip(384)),
    ("google/siglip-so400m-patch14-384", "SiglipModel", (1152, 27, 16, 4304), 384, 14, {}, siglip(384)),
    ("google/siglip2-so400m-patch14-224", "SiglipModel", (1152, 27, 16, 4304), 224, 14, {}, siglip(224, 2)),
    ("google/siglip2-giant-opt-patch16-256", "SiglipModel", (1536, 40, 16, 6144), 256, 16, {}, siglip(256, 2)),
    ("google/siglip2-base-patch16-naflex", "Siglip2Model", B, None, 16, {"num_patches": 256}, {"image_processor_type": "Siglip2ImageProcessor", **HALF}),
    ("google/vit-base-patch16-224", "ViTForImageClassification", B, 224, 16, {}, vit()),
    ("google/vit-base-patch16-224-in21k", "ViTModel", B, 224, 16, {}, vit()),
    ("google/vit-base-patch16-384", "ViTForImageClassification", B, 384, 16, {}, vit(384)),
    ("google/vit-large-patch32-384", "ViTForImageClassification", L, 384, 32, {}, vit(384)),
    ("google/vit-huge-patch14-224-in21k", "ViTModel", H, 224, 14, {}, vit()),
    ("facebook/dino-vits8", "ViTModel", S, 224, 8, {}, vit(224, 3, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/dino-vitb16", "ViTModel", B, 224, 16, {}, vit(224, 3, "ViTFeatureExtractor", **IMAGENET)),
    ("WinKawaks/vit-tiny-patch16-224", "ViTForImageClassification", TI, 224, 16, {}, vit()),
    ("facebook/deit-tiny-patch16-224", "ViTForImageClassification", TI, 224, 16, {}, DEIT),
    ("facebook/deit-base-distilled-patch16-224", "DeiTForImageClassificationWithTeacher", B, 224, 16, {}, DEIT),
    ("facebook/deit-small-distilled-patch16-224", "DeiTModel", S, 224, 16, {}, DEIT),
    ("facebook/vit-mae-base", "ViTMAEForPreTraining", B, 224, 16, {}, vit(224, 2, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/vit-mae-large", "ViTMAEModel", L, 224, 16, {}, vit(224, 2, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/vit-mae-huge", "ViTMAEModel", H, 224, 14, {}, vit(224, 2, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/vit-msn-small", "ViTMSNModel", S, 224, 16, {}, vit(224, 2, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/vit-msn-large-7", "ViTMSNModel", L, 224, 7, {}, vit(224, 2, "ViTFeatureExtractor", **IMAGENET)),
    ("facebook/ijepa_vith14_1k", "IJepaModel", H, 224, 14, {"layer_norm_eps": 1e-6}, vit(224, 2, **IMAGENET)),
    ("facebook/ijepa_vitg16_22k", "IJepaModel", G, 224, 16, {"layer_norm_eps": 1e-6}, vit(224, 2, **IMAGENET)),
    ("facebook/dinov2-small", "Dinov2Model", S, 518, 14, {}, DINOV2),
    ("facebook/dinov2-base", "Dinov2Model", B, 518, 14, {}, DINOV2),
    ("facebook/dinov2-large", "Dinov2ForImageClassification", L, 518, 14, {}, DINOV2),
    ("facebook/dinov2-giant", "Dinov2Model", (1536, 40, 24, None), 518, 14, {"use_swiglu_ffn": True}, DINOV2),
    ("facebook/dinov2-with-registers-base", "Dinov2WithRegistersModel", B, 518, 14, {}, DINOV2),
    ("facebook/dinov2-with-registers-giant", "Dinov2WithRegistersModel", (1536, 40, 24, None), 518, 14, {"use_swiglu_ffn": True}, DINOV2),
    ("facebook/dinov3-vits16-pretrain-lvd1689m", "DINOv3ViTModel", S, 224, 16, {"num_register_tokens": 4}, vit(224, 2, "DINOv3ViTImageProcessor", **IMAGENET)),
    ("facebook/data2vec-vision-base", "Data2VecVisionModel", B, 224, 16, {"use_shared_relative_position_bias": True}, vit(224, 3, "BeitImageProcessor")),
    ("microsoft/beit-base-patch16-224", "BeitModel", B, 224, 16, {"use_relative_position_bias": True}, vit(224, 3, "BeitImageProcessor")),
    ("microsoft/beit with positions, no relative ones", "BeitModel", TINY, 32, 8, {"use_absolute_position_embeddings": True}, vit(32, 3, "BeitImageProcessor")),
    ("OpenGVLab/InternVL3-1B-hf tower", "InternVLVisionModel", L, 448, 14, {"attention_bias": True}, vit(448, 3, "GotOcr2ImageProcessor", **IMAGENET)),
    ("DeepGlint-AI/mlcd-vit-bigG-patch14-336", "MLCDVisionModel", BIGG, 336, 14, {}, clip(336)),
    ("apple/aimv2-large-patch14-224", "Aimv2VisionModel", (1024, 24, 8, 2816), 224, 14, {}, clip()),
    ("Intel/dpt-large tower", "DPTModel", L, 384, 16, {}, vit(384, 3, "DPTImageProcessor")),
    ("facebook/flava-full tower", "FlavaImageModel", B, 224, 16, {}, clip()),
    ("Salesforce/blip tower", "BlipVisionModel", B, 384, 16, {}, vit(384, 3, "BlipImageProcessor")),
    ("google/owlvit-base-patch32 tower", "OwlViTVisionModel", B, 768, 32, {}, clip(768)),
    ("usyd-community/vitpose tower", "VitPoseBackbone", TINY, [32, 32], [8, 8], {}, vit(32)),
    ("facebook/pixio-vitb16", "PixioModel", B, 256, 16, {}, DINOV2),
    ("google/tipsv2-b14 tower", "Tipsv2VisionModel", B, 448, 14, {}, vit(448)),
    ("nvidia/C-RADIOv3-B", "RadioModel", (768, 12, 12, None), 224, 16, {}, vit(224)),
    # keys that change the computation
    ("clip, gelu_pytorch_tanh", "CLIPVisionModelWithProjection", TINY, 32, 8, {"hidden_act": "gelu_pytorch_tanh"}, clip(32)),
    ("clip, gelu_new", "CLIPVisionModel", TINY, 32, 8, {"hidden_act": "gelu_new"}, clip(32)),
    ("clip, gelu_fast", "CLIPVisionModel", TINY, 32, 8, {"hidden_act": "gelu_fast"}, clip(32)),
    ("clip, relu", "CLIPVisionModel", TINY, 32, 8, {"hidden_act": "relu"}, clip(32)),
    ("clip, eps 1e-6", "CLIPModel", TINY, 32, 8, {"layer_norm_eps": 1e-6}, clip(32)),
    ("clip, image 36 of patches of 8", "CLIPModel", TINY, 36, 8, {}, clip(36)),
    ("siglip, no head", "SiglipVisionModel", TINY, 32, 8, {"vision_use_head": False}, siglip(32)),
    ("siglip, gelu", "SiglipVisionModel", TINY, 32, 8, {"hidden_act": "gelu"}, siglip(32)),
    ("vit, no bias", "ViTModel", TINY, 32, 8, {"qkv_bias": False}, vit(32)),
    ("vit, relu pooler, quick_gelu", "ViTModel", TINY, 32, 8, {"pooler_act": "relu", "hidden_act": "quick_gelu"}, vit(32)),
    ("vit, masked", "ViTForMaskedImageModeling", TINY, 32, 8, {"encoder_stride": 8}, vit(32)),
    ("ijepa, default eps", "IJepaForImageClassification", TINY, 32, 8, {}, vit(32)),
    ("dinov2, no mask token", "Dinov2Model", TINY, 56, 14, {"use_mask_token": False}, DINOV2),
    ("dinov2, no bias, mlp 2, patch 8", "Dinov2Model", TINY, 32, 8, {"qkv_bias": False, "mlp_ratio": 2}, clip(32)),
    ("internvl, norm at the end", "InternVLVisionModel", TINY, 32, 8, {"use_mean_pooling": False, "attention_bias": True}, vit(32)),
    ("internvl, norms of q and k", "InternVLVisionModel", TINY, 32, 8, {"use_qk_norm": True}, vit(32)),
    # what preprocessors say
    ("clip, no center crop", "CLIPModel", TINY, 32, 8, {}, clip(32, do_center_crop=False, size=square(32))),
    ("clip, squash then crop", "CLIPModel", TINY, 32, 8, {}, clip(32, size=square(40))),
    ("clip, resize 35 crop 32", "CLIPModel", TINY, 32, 8, {}, clip(32, size={"shortest_edge": 35})),
    ("clip, crop larger than the image", "CLIPModel", TINY, 32, 8, {}, clip(32, size={"shortest_edge": 27})),
    ("clip, do_normalize false", "CLIPModel", TINY, 32, 8, {}, clip(32, do_normalize=False)),
    ("clip, do_rescale false", "CLIPModel", TINY, 32, 8, {}, clip(32, do_rescale=False)),
    ("clip, rescale_factor 1/127.5", "CLIPModel", TINY, 32, 8, {}, clip(32, rescale_factor=1 / 127.5)),
    ("clip, lanczos", "CLIPModel", TINY, 32, 8, {}, clip(32, resample=1)),
    ("clip, box", "CLIPModel", TINY, 32, 8, {}, clip(32, resample=4)),
    ("clip, nearest", "CLIPModel", TINY, 32, 8, {}, clip(32, resample=0)),
    ("clip, keys missing", "CLIPModel", TINY, 224, 32, {}, {"image_processor_type": "CLIPImageProcessor"}),
    ("clip, do_resize false", "CLIPModel", TINY, 32, 8, {}, clip(32, do_resize=False)),
    ("vit, keys missing", "ViTModel", TINY, 224, 32, {}, {"image_processor_type": "ViTImageProcessor"}),
    ("vit, size a number", "ViTModel", TINY, 32, 8, {}, {**vit(32), "size": 32}),
    ("vit, one mean", "ViTModel", TINY, 32, 8, {}, {**vit(32), "image_mean": 0.4, "image_std": 0.3}),
    ("siglip, keys missing", "SiglipVisionModel", TINY, 224, 32, {}, {"image_processor_type": "SiglipImageProcessor"}),
    ("deit, keys missing", "DeiTModel", TINY, 224, 32, {}, {"image_processor_type": "DeiTImageProcessor"}),
    ("dinov2, keys missing", "Dinov2Model", TINY, 224, 14, {}, {"image_processor_type": "BitImageProcessor"}),
]
# fmt: on
BASIC, BOTTLENECK = [64, 128, 256, 512], [256, 512, 1024, 2048]
# name, hidden sizes, depths, other keys, preprocessor
# fmt: off
RESNETS = [
    ("microsoft/resnet-18", BASIC, [2, 2, 2, 2], {"layer_type": "basic"}, convnext()),
    ("microsoft/resnet-34", BASIC, [3, 4, 6, 3], {"layer_type": "basic"}, convnext()),
    ("microsoft/resnet-26", BOTTLENECK, [2, 2, 2, 2], {}, convnext()),
    ("microsoft/resnet-50", BOTTLENECK, [3, 4, 6, 3], {}, convnext()),
    ("microsoft/resnet-101", BOTTLENECK, [3, 4, 23, 3], {}, convnext()),
    ("microsoft/resnet-152", BOTTLENECK, [3, 8, 36, 3], {}, convnext()),
    ("resnet, stride in the first convolution", BOTTLENECK, [1, 1, 1, 1], {"downsample_in_bottleneck": True}, convnext()),
    ("resnet, stride in the first stage", BOTTLENECK, [1, 1, 1, 1], {"downsample_in_first_stage": True}, convnext()),
    ("resnet, stride in the first stage, basic", BASIC, [1, 1, 1, 1], {"downsample_in_first_stage": True, "layer_type": "basic"}, convnext()),
    ("resnet, gelu", BASIC, [1, 1, 1, 1], {"hidden_act": "gelu", "layer_type": "basic"}, convnext()),
    ("resnet, crop_pct 0.95", BASIC, [1, 1, 1, 1], {"layer_type": "basic"}, convnext(crop_pct=0.95, size={"shortest_edge": 160})),
    ("resnet, 384 squashed", BASIC, [1, 1, 1, 1], {"layer_type": "basic"}, convnext(size={"shortest_edge": 384})),
    ("resnet, keys missing", BASIC, [1, 1, 1, 1], {"layer_type": "basic"}, {"image_processor_type": "ConvNextImageProcessor"}),
]
# fmt: on


class BuiltTransformers(Built):
    saved, official = None, True
    blocks = r"(?:[a-z0-9_]+\.)*(?:layers?|blocks)\."

    def forms(self):
        forms = ["hub", "hub-processor"]
        if not self.official:  # what the configs say cannot be seen in the weights
            return forms
        forms.append("bare")
        saved = set(self.state())
        return forms + (["bare-state"] if saved != set(self.model.state_dict()) else [])

    def save(self, form, folder, million):
        if form == "bare-state":
            torch.save(self.model.state_dict(), folder / "weights.pth")
            return folder / "weights.pth"
        return super().save(form, folder, million)

    def state(self):
        """The weights under the names that save_pretrained writes."""
        if self.saved is None:
            with tempfile.TemporaryDirectory() as folder:
                self.model.save_pretrained(folder, max_shard_size="99GB")
                self.saved = load_file(folder + "/model.safetensors")
        return self.saved

    def save_hub(self, form, folder):
        self.model.save_pretrained(folder)
        write_preprocessor(folder, self.fields, form == "hub-processor")

    def features(self, pixels):
        model, kind = self.model, type(self.model).__name__
        if hasattr(model, "visual_projection"):
            pooled = model.vision_model(pixels).pooler_output
            return {"penultimate": pooled, "projected": model.visual_projection(pooled)}
        whole = kind.endswith("Model")  # DINOv3's prefix is that of its blocks
        trunk = model if whole else getattr(model, model.base_model_prefix, model)
        trunk = getattr(model, "vision_model", trunk)
        given = {"pixel_values": pixels}
        if "MAE" in kind:  # all patches in their order
            trunk.config.mask_ratio = 0.0
            patches = (pixels.shape[-1] // trunk.config.patch_size) ** 2
            given["noise"] = torch.arange(float(patches)).expand(len(pixels), -1)
        found = trunk(**given)
        pooled = None
        parts = (
            "CLIP",
            "Siglip",
            "Dinov2",
            "ResNet",
            "Bit",
            "Aimv2",
            "MLCD",
            "OwlViT",
            "Beit",
            "Data2Vec",
            "DINOv3",
        )
        if any(part in kind for part in parts):
            pooled = found.pooler_output
        if pooled is None:
            tokens = found.last_hidden_state
            mean = "IJepa" in kind or "Siglip" in kind
            pooled = tokens.mean(1) if mean else tokens[:, 0]
        return {"penultimate": pooled.flatten(1)}


def write_preprocessor(folder, fields, as_processor):
    name = "processor_config.json" if as_processor else "preprocessor_config.json"
    content = fields
    if as_processor:
        content = {"image_processor": fields, "processor_class": "Processor"}
    (folder / name).write_text(json.dumps(content, indent=2))


def processor(fields):
    """The image processor over Pillow, where there is one."""
    kind = fields.get("image_processor_type", fields.get("feature_extractor_type"))
    kind = kind.replace("FeatureExtractor", "ImageProcessor")
    made = getattr(transformers, kind + "Pil", getattr(transformers, kind, None)).from_dict(fields)
    return made, lambda image: made(image, return_tensors="pt")["pixel_values"][0]


def truth_of(made):
    """What meta.json should say; nothing where the preprocessing cannot be said there."""
    if made.size is None:
        return {}
    size, crop = made.size, getattr(made, "crop_size", None)
    truth = {"filter": FILTERS.get(int(made.resample))}
    for key, value in (("mean", made.image_mean), ("std", made.image_std)):
        if value is not None:
            truth[key] = value if isinstance(value, (list, tuple)) else [value] * 3
    side = size.get("shortest_edge") or size.get("height")
    truth["squash"] = size.get("height") is not None
    if hasattr(made, "crop_pct"):
        truth["squash"] = side >= 384
        truth["crop"], truth["resize"] = side, side if side >= 384 else int(side / made.crop_pct)
    else:
        truth["resize"] = side
        truth["crop"] = crop["height"] if made.do_center_crop else side
    return truth


def build_vit(name, kind, sizes, image, patch, keys, fields):
    width, depth, heads, hidden = sizes
    config_class = getattr(transformers, kind).config_class
    vision = {"hidden_size": width, "num_hidden_layers": 2, "num_attention_heads": heads}
    vision |= {"patch_size": patch, **keys} | ({"image_size": image} if image else {})
    if hidden is not None:
        vision |= {"intermediate_size": hidden}
    if "MAE" in kind:
        vision |= {"decoder_num_hidden_layers": 1}
    if re.fullmatch(r"(\w*CLIP\w*|MetaClip2|Siglip2?)Model", kind) and "Vision" not in kind:
        text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        text |= {"vocab_size": 99, "intermediate_size": 32}
        config = config_class(text_config=text, vision_config=vision)
    else:
        config = config_class(**vision)
    model = getattr(transformers, kind)(config)
    built = built_of(model, fields)
    built.depth, built.official = depth, sizes != TINY
    own = getattr(config, "vision_config", config)
    built.truth |= {"heads": heads, "norm_eps": getattr(own, "layer_norm_eps", 1e-6)}
    known = {"gelu_pytorch_tanh": "gelu_tanh", "gelu_new": "gelu_tanh", "gelu_fast": "gelu_tanh"}
    if not keys.get("use_swiglu_ffn"):
        built.truth["activation"] = known.get(own.hidden_act, own.hidden_act)
    return built


def build_resnet(name, sizes, depths, keys, fields):
    config = transformers.ResNetConfig(hidden_sizes=sizes, depths=depths, **keys)
    head = transformers.ResNetForImageClassification if "/" in name else transformers.ResNetModel
    built = built_of(head(config), fields)
    built.official = "/" in name
    return built


def built_of(model, fields):
    made, preprocess = processor(fields)
    built = BuiltTransformers(model, preprocess, truth_of(made))
    built.fields = fields
    if hasattr(model, "visual_projection"):
        built.points = ("penultimate", "projected")
    built.names = (model.config.model_type, *model.state_dict())
    built.names += tuple(key for key in model.config.to_dict() if "_" in key)
    return built


def cases():
    for name, kind, *rest in VITS:
        family = getattr(transformers, kind).config_class.model_type
        yield Case("transformers", family, name, lambda n=name, k=kind, r=rest: build_vit(n, k, *r))
    for name, *rest in RESNETS:
        yield Case("transformers", "resnet", name, lambda n=name, r=rest: build_resnet(n, *r))
