/* Families of image encoders: the one place of all that weights do not say, each with its source.
 * families.h says what each table is for.  The names of the weights are in vit_layout.c and
 * resnet_load.c.  docs/MODEL.md has the first table for readers, and
 * tests/unit/test_family_table.c compares the two. */
#include "model/families.h"

#include "model/resnet.h"
#include "model/vit.h"
#include "model/vit_layout.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The kind of tower, and the names of its weights. */
#define VIT(names) .tower = &lp_vit_kind, .layout = &(names)
#define RESNET(names) .tower = &lp_resnet_kind, .layout = &(names)

/* Names of a ViT in timm's naming. */
#define TIMM_NAMES                                                                                 \
    { "patch_embed.proj.weight", "blocks.0.attn.qkv.weight" }
#define TIMM_SCALED                                                                                \
    { "blocks.0.ls1.gamma", "blocks.0.ls2.gamma" }

/* Where a training run keeps the model that is to be used (facebookresearch/dino main_dino.py,
 * dinov2/train/ssl_meta_arch.py). */
#define BACKBONES                                                                                  \
    { "", "backbone.", "teacher.backbone." }

/* timm's act_layer of vit_*_siglip_*: the dimensions whose models have gelu_tanh. */
static const lp_activation_exception siglip_exceptions[] = {
    {.width = 768, .patch = 32, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1024, .grid = 32, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1152, .patch = 16, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1536, .activation = LP_ACTIVATION_GELU_TANH},
    {0},
};

/* Order matters where a file could belong to two. */
const lp_family lp_families[] = {
    {
        .name = "hf-clip", /* transformers: CLIPVisionModel, with projection or not, CLIPModel */
        .title = "CLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"embeddings.class_embedding", "pre_layrnorm.weight"},
        VIT(lp_vit_hf_clip),
        .activation = LP_ACTIVATION_AUTO, /* config.json: quick_gelu or gelu */
        .norm_eps = 1e-5F,                /* configuration_clip.py: layer_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP,     /* image_processing_clip.py, as all of these */
        .resize = LP_RESIZE_PLAIN,        /* modeling_clip.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-siglip", /* transformers: SiglipVisionModel, SiglipModel */
        .title = "SigLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"head.probe", "embeddings.patch_embedding.bias"},
        VIT(lp_vit_hf_clip),
        .activation = LP_ACTIVATION_GELU_TANH, /* configuration_siglip.py: gelu_pytorch_tanh */
        .norm_eps = 1e-6F,                     /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,          /* image_processing_siglip.py, as all of these */
        .squash = true,
        .resize = LP_RESIZE_PLAIN, /* modeling_siglip.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-dinov2-reg", /* transformers: Dinov2WithRegistersModel */
        .title = "DINOv2 ViT",
        .prefixes = {"", "dinov2_with_registers."},
        .any = {"embeddings.register_tokens"},
        .with = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        VIT(lp_vit_hf_dinov2),
        .activation = LP_ACTIVATION_GELU, /* configuration_dinov2_with_registers.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/dinov2-*: preprocessor_config.json */
        .shorter_side = {256, 224},       /* the same: shortest_edge 256, crop_size 224 */
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* modeling_dinov2_with_registers.py */
    },
    {
        .name = "hf-dinov2", /* transformers: Dinov2Model; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = {"", "dinov2."},
        .any = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        VIT(lp_vit_hf_dinov2),
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .resize = LP_RESIZE_PLAIN, /* modeling_dinov2.py */
    },
    {
        .name = "hf-vit", /* transformers: ViTModel; google/vit-*, facebook/dino-* */
        .title = "ViT",
        .prefixes = {"", "vit."},
        .any = {"encoder.layer.0.layernorm_before.weight",
                "encoder.layer.0.layernorm_after.weight"},
        VIT(lp_vit_hf),
        .activation = LP_ACTIVATION_GELU, /* configuration_vit.py: hidden_act */
        .norm_eps = 1e-12F,               /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,     /* image_processing_vit.py: IMAGENET_STANDARD_MEAN */
        .squash = true,                   /* the same: size {height, width} */
        .resize = LP_RESIZE_PLAIN,
        .note = "mean and standard deviation 0.5, squashed: google/vit-* has these; "
                "facebook/dino-* and vit-mae-* have ImageNet's",
    },
    {
        .name = "clip-vit", /* openai/CLIP: encode_image of a vision transformer; open_clip */
        .title = "CLIP ViT",
        .prefixes = {"visual."},
        .any = {"class_embedding", "transformer.resblocks.0.attn.in_proj_weight"},
        VIT(lp_vit_openai),
        .activation = LP_ACTIVATION_AUTO, /* clip/model.py: QuickGELU; open_clip: GELU, unless
                                             quick_gelu */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_CLIP,
        .resize = LP_RESIZE_ANTIALIAS, /* open_clip model.py, resize_pos_embed */
    },
    {
        .name = "timm-siglip", /* timm: vit_*_siglip_*; open_clip: ViT-*-SigLIP* */
        .title = "SigLIP ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"attn_pool.latent", "attn_pool.kv.weight"},
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py, act_layer */
        .exceptions = siglip_exceptions,
        .norm_eps = 1e-6F,            /* the same: LayerNorm */
        .mean_std = LP_MEAN_STD_HALF, /* vision_transformer.py, default_cfgs, siglip */
        .squash = true,               /* open_clip model_configs/ViT-*-SigLIP*: resize_mode */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "dinov2-reg", /* facebookresearch/dinov2 with registers */
        .title = "DINOv2 ViT",
        .prefixes = BACKBONES,
        .any = {"register_tokens"},
        .with = TIMM_SCALED,
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU, /* dinov2/layers/mlp.py: nn.GELU */
        .norm_eps = 1e-6F,                /* dinov2/models/vision_transformer.py */
        .mean_std = LP_MEAN_STD_IMAGENET, /* dinov2/data/transforms.py */
        .shorter_side = {256, 224},       /* the same: make_classification_eval_transform */
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* hub/backbones.py: interpolate_antialias, offset 0 */
    },
    {
        .name = "dinov2", /* facebookresearch/dinov2; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = BACKBONES,
        .any = {"mask_token"},
        .with = TIMM_SCALED,
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .resize = LP_RESIZE_NUDGED, /* vision_transformer.py: interpolate_offset 0.1 */
    },
    {
        .name = "deit-distilled", /* timm: deit_*_distilled_patch* */
        .title = "DeiT ViT",
        .prefixes = {""},
        .any = {"dist_token"},
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm deit.py, _cfg */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "timm-clip", /* timm: vit_*_clip_* */
        .title = "CLIP ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"norm_pre.weight", "norm_pre.bias"},
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_AUTO, /* vision_transformer.py: vit_*_clip_quickgelu_* */
        .norm_eps = 1e-5F,                /* the same: vit_*_clip_* */
        .mean_std = LP_MEAN_STD_CLIP,     /* the same, default_cfgs; some have 0.5 */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "CLIP's mean and standard deviation and no margin: LAION-2B's ViT-L/14 has 0.5",
    },
    {
        .name = "timm-vit-scaled", /* timm: vit_*_dinov2, deit3_*: with layer scale */
        .title = "ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.0.gamma_1", "blocks.0.gamma_2"},
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* vision_transformer.py and deit.py, default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "ImageNet's mean and standard deviation and no margin: DINOv2 and DeiT III in timm "
                "have these; others with layer scale may not",
    },
    {
        .name = "dino", /* facebookresearch/dino, mae: timm's names, no classifier */
        .title = "ViT",
        .prefixes = BACKBONES,
        .any = TIMM_NAMES,
        .without = {"head.weight", "fc_norm.weight", "reg_token"},
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,                /* dino vision_transformer.py, vit_*; mae models_vit.py */
        .mean_std = LP_MEAN_STD_IMAGENET, /* dino eval_linear.py; mae main_linprobe.py */
        .shorter_side = {256, 224},       /* the same: Resize(256, bicubic), CenterCrop(224) */
        .resize = LP_RESIZE_NUDGED,       /* dino vision_transformer.py, interpolate_pos_encoding */
        .note = "ImageNet's mean and standard deviation: DINO, MAE and others without a classifier "
                "have these; AugReg has 0.5",
    },
    {
        .name = "timm-vit", /* timm: VisionTransformer, vit_*_patch*_224; DeiT */
        .title = "ViT",
        .prefixes = {"", "visual.trunk."},
        .any = TIMM_NAMES,
        VIT(lp_vit_timm),
        .activation = LP_ACTIVATION_GELU, /* VisionTransformer: nn.GELU */
        .norm_eps = 1e-6F,                /* the same: LayerNorm, eps=1e-6 */
        .mean_std = LP_MEAN_STD_HALF,     /* vision_transformer.py, _cfg */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
        .resize = LP_RESIZE_ANTIALIAS,    /* resample_abs_pos_embed */
        .note = "mean and standard deviation 0.5 and a margin of 10 %: AugReg and the first ViT "
                "have these; DeiT and fine-tuned MAE have ImageNet's",
    },
    {
        .name = "clip-resnet", /* openai/CLIP: encode_image of a ModifiedResNet */
        .title = "CLIP RN",
        .prefixes = {"visual.", ""},
        .any = {"attnpool.positional_embedding", "attnpool.q_proj.weight"},
        RESNET(lp_resnet_openai),
        .norm_eps = 1e-5F, /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BICUBIC,
        .mean_std = LP_MEAN_STD_CLIP,
    },
    {
        .name = "resnet", /* torchvision: ResNet; timm's resnet18 .. 152 and DINO's ResNet-50 */
        .title = "ResNet",
        /* alone; DINO's and others' training states; MoCo v1 and v2; MoCo v3 */
        .prefixes = {"", "backbone.", "teacher.backbone.", "encoder_q.", "base_encoder."},
        .any = {"layer1.0.conv1.weight", "layer4.0.conv1.weight"},
        RESNET(lp_resnet_torchvision),
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224}, /* the same: resize_size 256; known files: their own resize */
        .input = 224,
        .note = "a bilinear resize to 256, as for torchvision's IMAGENET1K_V1 weights; other "
                "weights were made with others (bicubic: DINO, timm)",
    },
};
const size_t lp_family_count = COUNT(lp_families);

/* Files that are recognised only to say what they are. */
const lp_stranger lp_strangers[] = {
    {"visual.trunk.stem.0.weight", "an open_clip model with a convolutional timm tower"},
    {NULL, NULL},
};

/* openai/CLIP clip/clip.py, _transform; timm/data/constants.py: IMAGENET_DEFAULT_MEAN and _STD,
 * IMAGENET_INCEPTION_MEAN and _STD */
const lp_mean_std_values lp_mean_stds[] = {
    [LP_MEAN_STD_HALF] = {{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}},
    [LP_MEAN_STD_IMAGENET] = {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}},
    [LP_MEAN_STD_CLIP] = {{0.48145466F, 0.4578275F, 0.40821073F},
                          {0.26862954F, 0.26130258F, 0.27577711F}},
};

/* Heads that are not 64 wide: ViT-H, -g, -G of open_clip, timm and MAE; SigLIP so400m and g-opt
 * (open_clip model_configs/ViT-*.json head_width; timm vision_transformer.py num_heads). */
const lp_vit_size lp_vit_sizes[] = {
    {.width = 192, .layers = 12, .letter = "Ti"},
    {.width = 384, .layers = 12, .letter = "S"},
    {.width = 768, .layers = 12, .letter = "B"},
    {.width = 1024, .layers = 24, .letter = "L"},
    {1280, 32, "H", .mlp_width = 5120, .heads = 16, .heads_vary = true},
    {1408, 40, "g", .mlp_width = 6144, .heads = 16, .heads_vary = true},
    {1152, 27, "so400m", .mlp_width = 4304, .heads = 16, .heads_vary = true},
    {1536, 40, "g", .mlp_width = 6144, .heads = 16},
    {1664, 48, "bigG", .mlp_width = 8192, .heads = 16, .heads_vary = true},
};
const size_t lp_vit_size_count = COUNT(lp_vit_sizes);

/* clip/clip.py: _MODELS; their configurations are open_clip's model_configs/RN*.json */
const lp_resnet_size lp_resnet_sizes[] = {
    {{3, 4, 6, 3}, 64, 224, "RN50"},        {{3, 4, 23, 3}, 64, 224, "RN101"},
    {{4, 6, 10, 6}, 80, 288, "RN50x4"},     {{6, 8, 18, 8}, 96, 384, "RN50x16"},
    {{3, 15, 36, 10}, 128, 448, "RN50x64"},
};
const size_t lp_resnet_size_count = COUNT(lp_resnet_sizes);

const lp_file_exception lp_file_exceptions[] = {
    {"deit-", LP_MEAN_STD_IMAGENET}, /* facebookresearch/deit datasets.py, build_transform */
    {NULL, LP_MEAN_STD_AUTO},
};

/* configuration_*.py.  Width 768 and 12 layers and heads are the same in all of them. */
const lp_hf_default lp_hf_defaults[] = {
    {"clip", "quick_gelu", 32, 1e-5F}, {"siglip", "gelu_pytorch_tanh", 16, 1e-6F},
    {"dinov2", "gelu", 14, 1e-6F},     {"vit", "gelu", 16, 1e-12F},
    {"deit", "gelu", 16, 1e-12F},      {NULL, NULL, 0, 0},
};
