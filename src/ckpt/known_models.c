/* The table of published encoders.
 *
 * Sources.  OpenAI CLIP: clip/clip.py of openai/CLIP (addresses, which hold the digests); sizes as
 * their host reports them.  open_clip: its pretrained.py; torchvision: models/resnet.py (addresses
 * and sizes); DeiT: timm's deit.py.  In these three the file name ends in the first eight digits of
 * the SHA-256, which their loaders check (torch.hub: HASH_REGEX).  DINO, DINOv2, MAE: timm's
 * vision_transformer.py and facebookresearch/dino; no checksums are published.  Parameters are
 * those of the models as torchvision, timm and open_clip build them, without a classifier.
 *
 * DINOv2 was trained at 518 pixels and is evaluated at 224. */
#include "ckpt/known_models.h"

#include <ctype.h>
#include <string.h>

#include "linprobe/checkpoint.h"

#define OPENAI "https://openaipublic.azureedge.net/clip/models/"
#define CLIP(label, slug, family, size, parameters, file, bytes, digest)                           \
    {                                                                                              \
        "clip-" slug, label, "OpenAI CLIP " label, family, "quick_gelu", size, 0, parameters,      \
            OPENAI digest "/" file, bytes, 0, digest                                               \
    }
#define LAION(label, slug, activation, size, parameters, file, digits)                             \
    {                                                                                              \
        "openclip-" slug, NULL, "open_clip " label, "clip-vit", activation, size, 0, parameters,   \
            "https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights/" file      \
            "-" digits ".pt",                                                                      \
            0, 0, digits                                                                           \
    }
#define TORCHVISION(label, name, alias, resize, parameters, file, digits, megabytes)               \
    {                                                                                              \
        name, alias, "torchvision " label, "resnet", NULL, 224, resize, parameters,                \
            "https://download.pytorch.org/models/" file "-" digits ".pth", 0, megabytes, digits    \
    }
#define META(name, alias, title, family, parameters, path)                                         \
    {                                                                                              \
        name, alias, title, family, NULL, 224, 0, parameters,                                      \
            "https://dl.fbaipublicfiles.com/" path ".pth", 0, 0, NULL                              \
    }
#define DEIT(label, slug, parameters, file, digits)                                                \
    {                                                                                              \
        "deit-vit-" slug, NULL, "DeiT ViT-" label, "timm-vit", NULL, 224, 0, parameters,           \
            "https://dl.fbaipublicfiles.com/deit/" file "-" digits ".pth", 0, 0, digits            \
    }

static const lp_known_model models[] = {
    CLIP("RN50", "rn50", "clip-resnet", 224, 38316896, "RN50.pt", 255827503,
         "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"),
    CLIP("RN101", "rn101", "clip-resnet", 224, 56259936, "RN101.pt", 291791292,
         "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599"),
    CLIP("RN50x4", "rn50x4", "clip-resnet", 288, 87137080, "RN50x4.pt", 421854225,
         "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd"),
    CLIP("RN50x16", "rn50x16", "clip-resnet", 384, 167328912, "RN50x16.pt", 661125706,
         "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa"),
    CLIP("RN50x64", "rn50x64", "clip-resnet", 448, 420380352, "RN50x64.pt", 1353500174,
         "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c"),
    CLIP("ViT-B/32", "vit-b-32", "clip-vit", 224, 87849216, "ViT-B-32.pt", 353976522,
         "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
    CLIP("ViT-B/16", "vit-b-16", "clip-vit", 224, 86192640, "ViT-B-16.pt", 350837078,
         "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
    CLIP("ViT-L/14", "vit-l-14", "clip-vit", 224, 303966208, "ViT-L-14.pt", 932768134,
         "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"),
    CLIP("ViT-L/14@336px", "vit-l-14-336px", "clip-vit", 336, 304293888, "ViT-L-14-336px.pt",
         934088680, "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"),

    LAION("ViT-B/32 laion400m_e32", "vit-b-32-laion400m", "quick_gelu", 224, 87849216,
          "vit_b_32-quickgelu-laion400m_e32", "46683a32"),
    LAION("ViT-B/16 laion400m_e32", "vit-b-16-laion400m", "gelu", 224, 86192640,
          "vit_b_16-laion400m_e32", "55e67d44"),
    LAION("ViT-B/16-plus-240 laion400m_e32", "vit-b-16-plus-240-laion400m", "gelu", 240, 117213824,
          "vit_b_16_plus_240-laion400m_e32", "699c4b84"),
    LAION("ViT-L/14 laion400m_e32", "vit-l-14-laion400m", "gelu", 224, 303966208,
          "vit_l_14-laion400m_e32", "3d133497"),

    TORCHVISION("ResNet-18 V1", "resnet18", "resnet18-v1", 256, 11176512, "resnet18", "f37072fd",
                46.8),
    TORCHVISION("ResNet-34 V1", "resnet34", "resnet34-v1", 256, 21284672, "resnet34", "b627a593",
                87.3),
    TORCHVISION("ResNet-50 V1", "resnet50", "resnet50-v1", 256, 23508032, "resnet50", "0676ba61",
                102.5),
    TORCHVISION("ResNet-50 V2", "resnet50-v2", NULL, 232, 23508032, "resnet50", "11ad3fa6", 102.5),
    TORCHVISION("ResNet-101 V1", "resnet101", "resnet101-v1", 256, 42500160, "resnet101",
                "63fe2227", 178.8),
    TORCHVISION("ResNet-101 V2", "resnet101-v2", NULL, 232, 42500160, "resnet101", "cd907fc2",
                178.8),
    TORCHVISION("ResNet-152 V1", "resnet152", "resnet152-v1", 256, 58143808, "resnet152",
                "394f9c45", 241.6),
    TORCHVISION("ResNet-152 V2", "resnet152-v2", NULL, 232, 58143808, "resnet152", "f82ba261",
                241.7),
    TORCHVISION("ResNeXt-50 32x4d V1", "resnext50-32x4d", "resnext50-32x4d-v1", 256, 22979904,
                "resnext50_32x4d", "7cdf4587", 100.4),
    TORCHVISION("ResNeXt-50 32x4d V2", "resnext50-32x4d-v2", NULL, 232, 22979904, "resnext50_32x4d",
                "1a0047aa", 100.5),
    TORCHVISION("ResNeXt-101 32x8d V1", "resnext101-32x8d", "resnext101-32x8d-v1", 256, 86742336,
                "resnext101_32x8d", "8ba56ff5", 356.1),
    TORCHVISION("ResNeXt-101 32x8d V2", "resnext101-32x8d-v2", NULL, 232, 86742336,
                "resnext101_32x8d", "110c445d", 356.2),
    TORCHVISION("ResNeXt-101 64x4d", "resnext101-64x4d", NULL, 232, 81406272, "resnext101_64x4d",
                "173b62eb", 334.8),
    TORCHVISION("Wide ResNet-50-2 V1", "wide-resnet50-2", "wide-resnet50-2-v1", 256, 66834240,
                "wide_resnet50_2", "95faca4d", 138.2),
    TORCHVISION("Wide ResNet-50-2 V2", "wide-resnet50-2-v2", NULL, 232, 66834240, "wide_resnet50_2",
                "9ba9bcbe", 275.9),
    TORCHVISION("Wide ResNet-101-2 V1", "wide-resnet101-2", "wide-resnet101-2-v1", 256, 124837696,
                "wide_resnet101_2", "32ee1156", 254.7),
    TORCHVISION("Wide ResNet-101-2 V2", "wide-resnet101-2-v2", NULL, 232, 124837696,
                "wide_resnet101_2", "d733dc28", 508.3),

    META("dino-vit-s-16", NULL, "DINO ViT-S/16", "dino", 21665664,
         "dino/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain"),
    META("dino-vit-s-8", NULL, "DINO ViT-S/8", "dino", 21670272,
         "dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain"),
    META("dino-vit-b-16", NULL, "DINO ViT-B/16", "dino", 85798656,
         "dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain"),
    META("dino-vit-b-8", NULL, "DINO ViT-B/8", "dino", 85807872,
         "dino/dino_vitbase8_pretrain/dino_vitbase8_pretrain"),
    META("dino-resnet50", NULL, "DINO ResNet-50", "resnet", 23508032,
         "dino/dino_resnet50_pretrain/dino_resnet50_pretrain"),

    META("dinov2-vit-s-14", NULL, "DINOv2 ViT-S/14", "dinov2", 22056192,
         "dinov2/dinov2_vits14/dinov2_vits14_pretrain"),
    META("dinov2-vit-b-14", NULL, "DINOv2 ViT-B/14", "dinov2", 86579712,
         "dinov2/dinov2_vitb14/dinov2_vitb14_pretrain"),
    META("dinov2-vit-l-14", NULL, "DINOv2 ViT-L/14", "dinov2", 304367616,
         "dinov2/dinov2_vitl14/dinov2_vitl14_pretrain"),
    META("dinov2-vit-g-14", NULL, "DINOv2 ViT-g/14", "dinov2", 1136479232,
         "dinov2/dinov2_vitg14/dinov2_vitg14_pretrain"),
    META("dinov2-vit-s-14-reg", "dinov2-vit-s-14-reg4", "DINOv2 ViT-S/14 with registers",
         "dinov2-reg", 22057344, "dinov2/dinov2_vits14/dinov2_vits14_reg4_pretrain"),
    META("dinov2-vit-b-14-reg", "dinov2-vit-b-14-reg4", "DINOv2 ViT-B/14 with registers",
         "dinov2-reg", 86582016, "dinov2/dinov2_vitb14/dinov2_vitb14_reg4_pretrain"),
    META("dinov2-vit-l-14-reg", "dinov2-vit-l-14-reg4", "DINOv2 ViT-L/14 with registers",
         "dinov2-reg", 304370688, "dinov2/dinov2_vitl14/dinov2_vitl14_reg4_pretrain"),
    META("dinov2-vit-g-14-reg", "dinov2-vit-g-14-reg4", "DINOv2 ViT-g/14 with registers",
         "dinov2-reg", 1136483840, "dinov2/dinov2_vitg14/dinov2_vitg14_reg4_pretrain"),

    META("mae-vit-b-16", NULL, "MAE ViT-B/16", "dino", 85798656,
         "mae/pretrain/mae_pretrain_vit_base"),
    META("mae-vit-l-16", NULL, "MAE ViT-L/16", "dino", 303301632,
         "mae/pretrain/mae_pretrain_vit_large"),
    META("mae-vit-h-14", NULL, "MAE ViT-H/14", "dino", 630764800,
         "mae/pretrain/mae_pretrain_vit_huge"),

    DEIT("Ti/16", "ti-16", 5524416, "deit_tiny_patch16_224", "a1311bcf"),
    DEIT("S/16", "s-16", 21665664, "deit_small_patch16_224", "cd65a155"),
    DEIT("B/16", "b-16", 85798656, "deit_base_patch16_224", "b5f2ef4d"),
};

enum { MODELS = sizeof models / sizeof models[0] };

/* The number that this program was made to reproduce comes first.  The CLIP paper's are those of
 * its Table 10, the DINOv2 paper's those of its Table 8, which has other models beside its own. */
#define PAPER(model, c10, c100, setting)                                                           \
    {"OpenAI CLIP " model, "CIFAR-10", LP_FEATURE_PENULTIMATE,      false, c10, 1,                 \
     "CLIP paper",         setting,    "arXiv 2103.00020, Table 10"},                              \
    {                                                                                              \
        "OpenAI CLIP " model, "CIFAR-100", LP_FEATURE_PENULTIMATE, false, c100, 1, "CLIP paper",   \
            setting, "arXiv 2103.00020, Table 10"                                                  \
    }
#define SWEPT "scikit-learn L-BFGS, lambda swept on validation data, penultimate features"
#define SWEPT_RN SWEPT ", which the paper does not define for ResNets"
#define DINOV2(model, c10, c100)                                                                   \
    {model,                                                                                        \
     "CIFAR-10",                                                                                   \
     LP_FEATURE_PENULTIMATE,                                                                       \
     false,                                                                                        \
     c10,                                                                                          \
     1,                                                                                            \
     "DINOv2 paper",                                                                               \
     "linear evaluation of frozen features",                                                       \
     "arXiv 2304.07193, Table 8"},                                                                 \
    {                                                                                              \
        model, "CIFAR-100", LP_FEATURE_PENULTIMATE, false, c100, 1, "DINOv2 paper",                \
            "linear evaluation of frozen features", "arXiv 2304.07193, Table 8"                    \
    }
#define BENCHMARK(model, c100)                                                                     \
    {                                                                                              \
        "open_clip " model, "CIFAR-100", LP_FEATURE_PROJECTED, true, c100, 2, "CLIP_benchmark",    \
            "AdamW, the best of several learning rates and epochs; projected features of length "  \
            "1",                                                                                   \
            "LAION-AI/CLIP_benchmark, probe_benchmark/scaling_experiment_data2.json"               \
    }

static const lp_published published[] = {
    {"OpenAI CLIP ViT-B/32", "CIFAR-100", LP_FEATURE_PROJECTED, false, 79.92, 3, "CLIP example",
     "scikit-learn LogisticRegression (multinomial), C = 0.316, projected features",
     "protocol of the CLIP repository's linear-probe example"},
    PAPER("ViT-B/32", 95.1, 80.5, SWEPT),
    PAPER("ViT-B/16", 96.2, 83.1, SWEPT),
    PAPER("ViT-L/14", 98.0, 87.5, SWEPT),
    PAPER("ViT-L/14@336px", 97.9, 87.4, SWEPT),
    PAPER("RN50", 88.7, 70.3, SWEPT_RN),
    PAPER("RN101", 91.1, 73.5, SWEPT_RN),
    PAPER("RN50x4", 90.5, 73.0, SWEPT_RN),
    PAPER("RN50x16", 92.2, 74.9, SWEPT_RN),
    PAPER("RN50x64", 94.1, 78.6, SWEPT_RN),
    DINOV2("DINOv2 ViT-S/14", 97.7, 87.5),
    DINOV2("DINOv2 ViT-B/14", 98.7, 91.3),
    DINOV2("DINOv2 ViT-L/14", 99.3, 93.4),
    DINOV2("DINOv2 ViT-g/14", 99.5, 94.4),
    DINOV2("DINO ViT-B/8", 97.2, 86.9),
    DINOV2("MAE ViT-H/14", 96.1, 83.9),
    BENCHMARK("ViT-B/32 laion400m_e32", 82.92),
    BENCHMARK("ViT-B/16 laion400m_e32", 84.07),
    BENCHMARK("ViT-B/16-plus-240 laion400m_e32", 85.33),
    BENCHMARK("ViT-L/14 laion400m_e32", 87.95),
};

const lp_known_model *lp_known_models(size_t *count) {
    *count = MODELS;
    return models;
}

const lp_published *lp_published_all(size_t *count) {
    *count = sizeof published / sizeof published[0];
    return published;
}

/* The next letter or digit, in lower case, or 0 at the end. */
static int next_letter(const char **text) {
    while (**text != '\0' && !isalnum((unsigned char)**text)) {
        (*text)++;
    }
    return **text != '\0' ? tolower((unsigned char)*(*text)++) : 0;
}

static bool is_same(const char *a, const char *b) {
    int letter;
    if (a == NULL) {
        return false;
    }
    do {
        letter = next_letter(&a);
        if (letter != next_letter(&b)) {
            return false;
        }
    } while (letter != 0);
    return true;
}

const lp_known_model *lp_known_model_named(const char *name) {
    for (size_t i = 0; i < MODELS; i++) {
        if (is_same(models[i].name, name) || is_same(models[i].alias, name) ||
            is_same(models[i].title, name) || is_same(lp_known_model_file(&models[i]), name)) {
            return &models[i];
        }
    }
    return NULL;
}

const lp_known_model *lp_known_model_with_sha256(const char *sha256) {
    for (size_t i = 0; i < MODELS; i++) {
        if (models[i].sha256 != NULL &&
            strncmp(models[i].sha256, sha256, strlen(models[i].sha256)) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

const char *lp_known_model_file(const lp_known_model *model) {
    return strrchr(model->url, '/') + 1;
}

const char *lp_checkpoint_official_name(const char *sha256) {
    const lp_known_model *model = lp_known_model_with_sha256(sha256);
    return model != NULL ? model->title : NULL;
}
