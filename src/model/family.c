/* Families of image encoders: one table of what tells a file's family and of the constants that no
 * weight tells, each with its source. */
#include "model/family.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/resnet.h"
#include "model/vit.h"
#include "model/vit_layout.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* openai/CLIP clip/clip.py, _transform: Resize(n_px, bicubic), CenterCrop(n_px), Normalize */
#define CLIP_MEAN                                                                                  \
    { 0.48145466F, 0.4578275F, 0.40821073F }
#define CLIP_STD                                                                                   \
    { 0.26862954F, 0.26130258F, 0.27577711F }

/* timm/data/constants.py: IMAGENET_DEFAULT_MEAN and _STD, IMAGENET_INCEPTION_MEAN and _STD */
#define IMAGENET_MEAN                                                                              \
    { 0.485F, 0.456F, 0.406F }
#define IMAGENET_STD                                                                               \
    { 0.229F, 0.224F, 0.225F }
#define HALF                                                                                       \
    { 0.5F, 0.5F, 0.5F }

/* Names of a ViT in timm's naming. */
#define TIMM_NAMES                                                                                 \
    { "patch_embed.proj.weight", "blocks.0.attn.qkv.weight" }
#define TIMM_SCALED                                                                                \
    { "blocks.0.ls1.gamma", "blocks.0.ls2.gamma" }

/* Where a training run keeps the model that is to be used (facebookresearch/dino main_dino.py,
 * dinov2/train/ssl_meta_arch.py). */
#define BACKBONES                                                                                  \
    { "", "backbone.", "teacher.backbone." }

/* Order matters where a file could belong to two. */
static const lp_family families[] = {
    {
        .name =
            "hf-clip", /* transformers: CLIPVisionModel, CLIPVisionModelWithProjection, CLIPModel */
        .title = "CLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"embeddings.class_embedding", "pre_layrnorm.weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_hf_clip,
        .activation = LP_ACTIVATION_AUTO, /* config.json: quick_gelu or gelu */
        .norm_eps = 1e-5F,                /* configuration_clip.py: layer_norm_eps */
        .mean = CLIP_MEAN,                /* image_processing_clip.py, as all of these */
        .std = CLIP_STD,
        .resize = LP_RESIZE_PLAIN, /* modeling_clip.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-siglip", /* transformers: SiglipVisionModel, SiglipModel */
        .title = "SigLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"head.probe", "embeddings.patch_embedding.bias"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_hf_clip,
        .activation = LP_ACTIVATION_GELU_TANH, /* configuration_siglip.py: gelu_pytorch_tanh */
        .norm_eps = 1e-6F,                     /* the same: layer_norm_eps */
        .mean = HALF,                          /* image_processing_siglip.py, as all of these */
        .std = HALF,
        .squash = true,
        .resize = LP_RESIZE_PLAIN, /* modeling_siglip.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-dinov2-reg", /* transformers: Dinov2WithRegistersModel */
        .title = "DINOv2 ViT",
        .prefixes = {"", "dinov2_with_registers."},
        .any = {"embeddings.register_tokens"},
        .with = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_hf_dinov2,
        .activation = LP_ACTIVATION_GELU, /* configuration_dinov2_with_registers.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean = IMAGENET_MEAN,            /* facebook/dinov2-*: preprocessor_config.json */
        .std = IMAGENET_STD,
        .resize_to = 256, /* the same: shortest_edge 256, crop_size 224 */
        .resize_from = 224,
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* modeling_dinov2_with_registers.py */
    },
    {
        .name = "hf-dinov2", /* transformers: Dinov2Model; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = {"", "dinov2."},
        .any = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_hf_dinov2,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean = IMAGENET_MEAN,
        .std = IMAGENET_STD,
        .resize_to = 256,
        .resize_from = 224,
        .input = 224,
        .resize = LP_RESIZE_PLAIN, /* modeling_dinov2.py */
    },
    {
        .name = "hf-vit", /* transformers: ViTModel, and what its names serve: google/vit-*,
                             facebook/dino-* */
        .title = "ViT",
        .prefixes = {"", "vit."},
        .any = {"encoder.layer.0.layernorm_before.weight",
                "encoder.layer.0.layernorm_after.weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_hf,
        .activation = LP_ACTIVATION_GELU, /* configuration_vit.py: hidden_act */
        .norm_eps = 1e-12F,               /* the same: layer_norm_eps */
        .mean = HALF,                     /* image_processing_vit.py: IMAGENET_STANDARD_MEAN */
        .std = HALF,
        .squash = true, /* the same: size {height, width} */
        .resize = LP_RESIZE_PLAIN,
        .note =
            "mean and standard deviation 0.5, squashed: google/vit-* has these; facebook/dino-* "
            "and vit-mae-* have ImageNet's",
    },
    {
        .name = "clip-vit", /* openai/CLIP: encode_image of a vision transformer; open_clip */
        .title = "CLIP ViT",
        .prefixes = {"visual."},
        .any = {"class_embedding", "transformer.resblocks.0.attn.in_proj_weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_openai,
        .activation = LP_ACTIVATION_AUTO, /* clip/model.py: QuickGELU; open_clip: GELU, unless
                                             quick_gelu */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean = CLIP_MEAN,
        .std = CLIP_STD,
        .resize = LP_RESIZE_ANTIALIAS, /* open_clip model.py, resize_pos_embed */
    },
    {
        .name = "timm-siglip", /* timm: vit_*_siglip_*; open_clip: ViT-*-SigLIP* */
        .title = "SigLIP ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"attn_pool.latent", "attn_pool.kv.weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py; gelu_tanh by dimensions, see
                                             vit_tower.c */
        .norm_eps = 1e-6F,                /* the same: LayerNorm */
        .mean = HALF,                     /* vision_transformer.py, default_cfgs, siglip */
        .std = HALF,
        .squash = true, /* open_clip model_configs/ViT-*-SigLIP*: resize_mode */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "dinov2-reg", /* facebookresearch/dinov2 with registers */
        .title = "DINOv2 ViT",
        .prefixes = BACKBONES,
        .any = {"register_tokens"},
        .with = TIMM_SCALED,
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU, /* dinov2/layers/mlp.py: nn.GELU */
        .norm_eps = 1e-6F,                /* dinov2/models/vision_transformer.py */
        .mean = IMAGENET_MEAN,            /* dinov2/data/transforms.py */
        .std = IMAGENET_STD,
        .resize_to = 256, /* the same: make_classification_eval_transform */
        .resize_from = 224,
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* hub/backbones.py: interpolate_antialias, offset 0 */
    },
    {
        .name = "dinov2", /* facebookresearch/dinov2; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = BACKBONES,
        .any = {"mask_token"},
        .with = TIMM_SCALED,
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean = IMAGENET_MEAN,
        .std = IMAGENET_STD,
        .resize_to = 256,
        .resize_from = 224,
        .input = 224,
        .resize = LP_RESIZE_NUDGED, /* vision_transformer.py: interpolate_offset 0.1 */
    },
    {
        .name = "deit-distilled", /* timm: deit_*_distilled_patch* */
        .title = "DeiT ViT",
        .prefixes = {""},
        .any = {"dist_token"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean = IMAGENET_MEAN, /* timm deit.py, _cfg */
        .std = IMAGENET_STD,
        .resize_to = 10, /* the same: crop_pct 0.9 */
        .resize_from = 9,
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "timm-clip", /* timm: vit_*_clip_* */
        .title = "CLIP ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"norm_pre.weight", "norm_pre.bias"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_AUTO, /* vision_transformer.py: vit_*_clip_quickgelu_* */
        .norm_eps = 1e-5F,                /* the same: vit_*_clip_* */
        .mean = CLIP_MEAN,                /* the same, default_cfgs; some have 0.5 */
        .std = CLIP_STD,
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "CLIP's mean and standard deviation and no margin: LAION-2B's ViT-L/14 has 0.5",
    },
    {
        .name = "timm-vit-scaled", /* timm: vit_*_dinov2, deit3_*: with layer scale */
        .title = "ViT",
        .prefixes = {"", "visual.trunk."},
        .any = {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.0.gamma_1", "blocks.0.gamma_2"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean = IMAGENET_MEAN, /* vision_transformer.py and deit.py, default_cfgs */
        .std = IMAGENET_STD,
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
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,     /* dino vision_transformer.py, vit_*; mae models_vit.py */
        .mean = IMAGENET_MEAN, /* dino eval_linear.py; mae main_linprobe.py */
        .std = IMAGENET_STD,
        .resize_to = 256, /* the same: Resize(256, bicubic), CenterCrop(224) */
        .resize_from = 224,
        .resize = LP_RESIZE_NUDGED, /* dino vision_transformer.py, interpolate_pos_encoding */
        .note = "ImageNet's mean and standard deviation: DINO, MAE and others without a classifier "
                "have these; AugReg has 0.5",
    },
    {
        .name = "timm-vit", /* timm: VisionTransformer, vit_*_patch*_224; DeiT */
        .title = "ViT",
        .prefixes = {"", "visual.trunk."},
        .any = TIMM_NAMES,
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU, /* VisionTransformer: nn.GELU */
        .norm_eps = 1e-6F,                /* the same: LayerNorm, eps=1e-6 */
        .mean = HALF,                     /* vision_transformer.py, _cfg */
        .std = HALF,
        .resize_to = 10, /* the same: crop_pct 0.9 */
        .resize_from = 9,
        .resize = LP_RESIZE_ANTIALIAS, /* resample_abs_pos_embed */
        .note =
            "mean and standard deviation 0.5 and a margin of 10 %: AugReg and the first ViT have "
            "these; DeiT and fine-tuned MAE have ImageNet's",
    },
    {
        .name = "clip-resnet", /* openai/CLIP: encode_image of a ModifiedResNet */
        .title = "CLIP RN",
        .prefixes = {"visual.", ""},
        .any = {"attnpool.positional_embedding", "attnpool.q_proj.weight"},
        .tower = &lp_resnet_kind,
        .layout = &lp_resnet_openai,
        .norm_eps = 1e-5F, /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BICUBIC,
        .mean = CLIP_MEAN,
        .std = CLIP_STD,
    },
    {
        .name = "resnet", /* torchvision: ResNet; timm's resnet18 .. 152 and DINO's ResNet-50 */
        .title = "ResNet",
        /* alone; DINO's and others' training states; MoCo v1 and v2; MoCo v3 */
        .prefixes = {"", "backbone.", "teacher.backbone.", "encoder_q.", "base_encoder."},
        .any = {"layer1.0.conv1.weight", "layer4.0.conv1.weight"},
        .tower = &lp_resnet_kind,
        .layout = &lp_resnet_torchvision,
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification */
        .mean = IMAGENET_MEAN,
        .std = IMAGENET_STD,
        .resize_to = 256, /* the same: resize_size 256; known files: resnet_tower.c */
        .resize_from = 224,
        .input = 224,
        .note =
            "a bilinear resize to 256, as for torchvision's IMAGENET1K_V1 weights; other weights "
            "were made with others (bicubic: DINO, timm)",
    },
};

/* Layouts that are told from ours only to say what the file is. */
static const struct {
    const char *tensor, *what;
} strangers[] = {
    {"visual.trunk.stem.0.weight", "an open_clip model with a convolutional timm tower"},
};

/* Whether the file has one of `names` behind a prefix. */
static bool has_one(const lp_checkpoint *ckpt, const char *prefix,
                    const char *const names[LP_FAMILY_NAMES]) {
    for (size_t i = 0; i < LP_FAMILY_NAMES && names[i] != NULL; i++) {
        char name[LP_PLAN_NAME];
        (void)snprintf(name, sizeof name, "%s%s", prefix, names[i]);
        if (lp_checkpoint_find(ckpt, name) != NULL) {
            return true;
        }
    }
    return false;
}

static const char *belonging_prefix(const lp_checkpoint *ckpt, const lp_family *f) {
    for (size_t i = 0; i < LP_FAMILY_NAMES && f->prefixes[i] != NULL; i++) {
        if (has_one(ckpt, f->prefixes[i], f->any) &&
            (f->with[0] == NULL || has_one(ckpt, f->prefixes[i], f->with)) &&
            !has_one(ckpt, f->prefixes[i], f->without)) {
            return f->prefixes[i];
        }
    }
    return NULL;
}

lp_status lp_family_find(const lp_checkpoint *ckpt, const lp_family **family, const char **prefix,
                         lp_error *err) {
    for (size_t i = 0; i < COUNT(families); i++) {
        *prefix = belonging_prefix(ckpt, &families[i]);
        if (*prefix != NULL) {
            *family = &families[i];
            return LP_OK;
        }
    }
    char looked_for[3000];
    size_t used = 0;
    for (size_t i = 0; i < COUNT(families) && used < sizeof looked_for; i++) {
        const lp_family *f = &families[i];
        used += (size_t)snprintf(
            looked_for + used, sizeof looked_for - used, "\n  %s: %s%s%s%s%s", f->name,
            f->prefixes[0], f->any[0], f->any[1] != NULL ? " or " : "",
            f->any[1] != NULL ? f->prefixes[0] : "", f->any[1] != NULL ? f->any[1] : "");
    }
    const char *stranger = NULL;
    for (size_t i = 0; i < COUNT(strangers) && stranger == NULL; i++) {
        if (lp_checkpoint_find(ckpt, strangers[i].tensor) != NULL) {
            stranger = strangers[i].what;
        }
    }
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "%s: no supported image encoder among its %zu tensors%s%s; looked for%s",
                   lp_checkpoint_path(ckpt), lp_checkpoint_count(ckpt),
                   stranger != NULL ? ", it looks like " : "", stranger != NULL ? stranger : "",
                   looked_for);
}

const char *lp_family_activation_name(lp_activation activation) {
    return activation != LP_ACTIVATION_AUTO ? lp_activation_name(activation) : "unknown";
}

void lp_family_describe(const lp_family *family, lp_encoder_info *info) {
    *info = (lp_encoder_info){
        .family = family->name,
        .activation = lp_family_activation_name(family->activation),
        .norm_eps = family->norm_eps,
        .preprocess = {.filter = family->filter, .squash = family->squash},
        .note = family->note,
    };
    memcpy(info->preprocess.mean, family->mean, sizeof family->mean);
    memcpy(info->preprocess.std, family->std, sizeof family->std);
}

void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info) {
    info->input_size = input;
    info->preprocess.crop = input;
    info->preprocess.resize =
        family->resize_from > 0 ? input * family->resize_to / family->resize_from : input;
}

void lp_family_mean_std(lp_mean_std mean_std, lp_encoder_info *info) {
    static const float means[][3] = {{0}, HALF, IMAGENET_MEAN, CLIP_MEAN};
    static const float stds[][3] = {{0}, HALF, IMAGENET_STD, CLIP_STD};
    if (mean_std != LP_MEAN_STD_AUTO) {
        memcpy(info->preprocess.mean, means[mean_std], sizeof means[0]);
        memcpy(info->preprocess.std, stds[mean_std], sizeof stds[0]);
        info->note = NULL;
    }
}
