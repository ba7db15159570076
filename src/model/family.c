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

/* torchvision/transforms/_presets.py, ImageClassification */
#define IMAGENET_MEAN                                                                              \
    { 0.485F, 0.456F, 0.406F }
#define IMAGENET_STD                                                                               \
    { 0.229F, 0.224F, 0.225F }

/* timm/data/constants.py: IMAGENET_INCEPTION_MEAN and _STD */
#define HALF                                                                                       \
    { 0.5F, 0.5F, 0.5F }

/* Order matters where a file could belong to two. */
static const lp_family families[] = {
    {
        .name = "clip-vit", /* openai/CLIP: encode_image of a vision transformer */
        .title = "CLIP ViT",
        .prefixes = {"visual."},
        .any = {"class_embedding", "transformer.resblocks.0.attn.in_proj_weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_openai,
        .activation = LP_ACTIVATION_QUICK_GELU, /* clip/model.py: QuickGELU */
        .norm_eps = 1e-5F,                      /* torch.nn.LayerNorm's default */
        .filter = LP_FILTER_BICUBIC,
        .mean = CLIP_MEAN,
        .std = CLIP_STD,
    },
    {
        .name = "timm-vit", /* timm: VisionTransformer, vit_*_patch*_224 */
        .title = "ViT",
        .prefixes = {""},
        .any = {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight"},
        .tower = &lp_vit_kind,
        .layout = &lp_vit_timm,
        .activation = LP_ACTIVATION_GELU, /* timm VisionTransformer: nn.GELU */
        .norm_eps = 1e-6F,                /* the same: LayerNorm, eps=1e-6 */
        .filter = LP_FILTER_BICUBIC,      /* timm vision_transformer.py, _cfg */
        .mean = HALF,
        .std = HALF,
        .resize_to = 10, /* _cfg: crop_pct 0.9 */
        .resize_from = 9,
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
        .prefixes = {""},
        .any = {"layer1.0.conv1.weight", "layer4.0.conv1.weight"},
        .tower = &lp_resnet_kind,
        .layout = &lp_resnet_torchvision,
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification */
        .mean = IMAGENET_MEAN,
        .std = IMAGENET_STD,
        .resize_to = 256, /* the same: resize_size 256; IMAGENET1K_V2: resnet_tower.c */
        .resize_from = 224,
    },
};

/* Layouts that are told from ours only to say what the file is. */
static const struct {
    const char *tensor, *what;
} strangers[] = {
    {"vision_model.embeddings.class_embedding", "a CLIP model in Hugging Face's naming"},
    {"vision_model.embeddings.patch_embedding.weight", "a SigLIP model in Hugging Face's naming"},
    {"visual.trunk.pos_embed", "an open_clip model with a timm tower"},
    {"embeddings.cls_token", "a ViT in Hugging Face's naming"},
};

/* How many of `names` the file has behind a prefix; *listed counts them all. */
static size_t count_names(const lp_checkpoint *ckpt, const char *prefix,
                          const char *const names[LP_FAMILY_NAMES], size_t *listed) {
    size_t found = 0;
    for (*listed = 0; *listed < LP_FAMILY_NAMES && names[*listed] != NULL; (*listed)++) {
        char name[LP_PLAN_NAME];
        (void)snprintf(name, sizeof name, "%s%s", prefix, names[*listed]);
        found += lp_checkpoint_find(ckpt, name) != NULL;
    }
    return found;
}

static const char *belonging_prefix(const lp_checkpoint *ckpt, const lp_family *f) {
    for (size_t i = 0; i < LP_FAMILY_NAMES && f->prefixes[i] != NULL; i++) {
        size_t any, all;
        if (count_names(ckpt, f->prefixes[i], f->any, &any) > 0 &&
            count_names(ckpt, f->prefixes[i], f->all, &all) == all) {
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
    char looked_for[2048];
    size_t used = 0;
    for (size_t i = 0; i < COUNT(families) && used < sizeof looked_for; i++) {
        const lp_family *f = &families[i];
        used += (size_t)snprintf(looked_for + used, sizeof looked_for - used,
                                 "\n  %s: %s%s or %s%s", f->name, f->prefixes[0], f->any[0],
                                 f->prefixes[0], f->any[1] != NULL ? f->any[1] : "");
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

void lp_family_describe(const lp_family *family, lp_encoder_info *info) {
    *info = (lp_encoder_info){
        .family = family->name,
        .activation = lp_activation_name(family->activation),
        .norm_eps = family->norm_eps,
        .preprocess = {.filter = family->filter},
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
