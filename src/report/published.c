/* Published accuracies beside results: only where model, data and feature are the same. */
#include "report/published.h"

#include <stdbool.h>
#include <string.h>

#include "report/data_words.h"

static const lp_study clip_example = {
    LP_FEATURE_PROJECTED,
    false,
    3,
    "CLIP example",
    "scikit-learn LogisticRegression (multinomial), C = 0.316, projected features",
    "protocol of the CLIP repository's linear-probe example"};
#define SWEPT "scikit-learn L-BFGS, lambda swept on validation data, penultimate features"
static const lp_study clip_paper = {LP_FEATURE_PENULTIMATE, false, 1,
                                    "CLIP paper",           SWEPT, "arXiv 2103.00020v1, Table 10"};
static const lp_study clip_paper_resnet = {LP_FEATURE_PENULTIMATE,
                                           false,
                                           1,
                                           "CLIP paper",
                                           SWEPT ", which the paper does not define for ResNets",
                                           "arXiv 2103.00020v1, Table 10"};
#define BEST_LAYER                                                                                 \
    "the best of linear layers trained over augmented images, on the class tokens of 1 or 4 "      \
    "blocks, with or without the mean of the patches"
static const lp_study dinov2_table4 = {
    LP_FEATURE_PENULTIMATE, false, 1, "DINOv2 paper", BEST_LAYER, "arXiv 2304.07193, Table 4"};
static const lp_study dinov2_table5 = {
    LP_FEATURE_PENULTIMATE, false, 1, "DINOv2 paper", BEST_LAYER, "arXiv 2304.07193, Table 5"};
static const lp_study dinov2_table8 = {
    LP_FEATURE_PENULTIMATE,     false, 1, "DINOv2 paper", "linear evaluation of frozen features",
    "arXiv 2304.07193, Table 8"};
static const lp_study dinov2_readme = {
    LP_FEATURE_PENULTIMATE,
    false,
    1,
    "DINOv2 README",
    "linear evaluation of frozen features, the best of several classifiers",
    "facebookresearch/dinov2, README.md"};
static const lp_study clip_benchmark = {
    LP_FEATURE_PROJECTED,
    true,
    2,
    "CLIP_benchmark",
    "AdamW, the best of several learning rates and epochs; projected features of length 1",
    "LAION-AI/CLIP_benchmark, probe_benchmark/scaling_experiment_data2.json"};

static const lp_study dinov3_card = {
    LP_FEATURE_PENULTIMATE,
    false,
    1,
    "DINOv3 card",
    "a linear layer over the class token and the mean of the patches; labels of ImageNet ReaL",
    "facebookresearch/dinov3, MODEL_CARD.md"};
static const lp_study dinov3_table7 = {
    LP_FEATURE_PENULTIMATE,
    false,
    1,
    "DINOv3 paper",
    "the best of linear layers on the class token, trained over augmented images",
    "arXiv 2508.10104, Table 7"};
static const lp_study dinov3_table22 = {
    LP_FEATURE_PENULTIMATE,      false, 1, "DINOv3 paper", "scikit-learn L-BFGS on frozen features",
    "arXiv 2508.10104, Table 22"};

#define TRAINED "a linear layer trained by gradient descent over augmented images"
static const lp_study dino_readme = {
    LP_FEATURE_PENULTIMATE, false, 1, "DINO README", TRAINED, "facebookresearch/dino, README.md"};
static const lp_study moco_readme = {
    LP_FEATURE_PENULTIMATE, false, 1, "MoCo README", TRAINED, "facebookresearch/moco, README.md"};
static const lp_study moco_v3 = {
    LP_FEATURE_PENULTIMATE, false,   1,
    "MoCo v3 page",         TRAINED, "facebookresearch/moco-v3, CONFIG.md"};
static const lp_study swav_readme = {
    LP_FEATURE_PENULTIMATE, false, 1, "SwAV README", TRAINED, "facebookresearch/swav, README.md"};
static const lp_study mae_page = {LP_FEATURE_PENULTIMATE,
                                  false,
                                  1,
                                  "MAE page",
                                  TRAINED ", behind a batch norm without weights",
                                  "facebookresearch/mae, FINETUNE.md, PyTorch"};

/* Two columns of several tables, and the same with ImageNet. */
#define CIFARS(name, study, cifar10, cifar100)                                                     \
    {name, "CIFAR-10", cifar10, study}, {                                                          \
        name, "CIFAR-100", cifar100, study                                                         \
    }
#define WITH_IMAGENET(name, study, cifar10, cifar100, imagenet)                                    \
    CIFARS(name, study, cifar10, cifar100), {                                                      \
        name, "ImageNet", imagenet, study                                                          \
    }

/* A row of the CLIP paper's Table 10.  A title is a known model's where A.2 leaves no doubt of the
 * file: of MoCo v1 there is one, of MoCo v2 there are two, ResNets are torchvision's by an answer
 * of the authors (openai/CLIP issue 20); else it is the table's name. */
#define TABLE_10(name, ...) WITH_IMAGENET(name, &clip_paper, __VA_ARGS__)

/* A row of CLIP's own models, the sets in this order: those whose training and test images are here
 * as many as in its Table 9 (not so Birdsnap, whose images have gone; FER2013, of which it has 8
 * classes; STL-10, of which it takes 1,000 images; UCF101; CLEVR). */
#define CLIP_ROW(name, study, cifar10, cifar100, imagenet, food101, sun397, stanfordcars,          \
                 fgvcaircraft, voc2007, dtd, oxfordpets, caltech101, flowers102, mnist, eurosat,   \
                 resisc45, gtsrb, kitti, country211, pcam, hatefulmemes, renderedsst2)             \
    WITH_IMAGENET(name, study, cifar10, cifar100, imagenet), {name, "Food-101", food101, study},   \
        {name, "SUN397", sun397, study}, {name, "Stanford Cars", stanfordcars, study},             \
        {name, "FGVC Aircraft", fgvcaircraft, study}, {name, "PASCAL VOC 2007", voc2007, study},   \
        {name, "DTD", dtd, study}, {name, "Oxford-IIIT Pets", oxfordpets, study},                  \
        {name, "Caltech-101", caltech101, study}, {name, "Oxford Flowers-102", flowers102, study}, \
        {name, "MNIST", mnist, study}, {name, "EuroSAT", eurosat, study},                          \
        {name, "RESISC45", resisc45, study}, {name, "GTSRB", gtsrb, study},                        \
        {name, "KITTI distance", kitti, study}, {name, "Country211", country211, study},           \
        {name, "PatchCamelyon", pcam, study}, {name, "Hateful Memes", hatefulmemes, study}, {      \
        name, "Rendered SST2", renderedsst2, study                                                 \
    }

enum { TARGET }; /* the number that this program was made to reproduce */

/* Of several numbers of a model on a set the first is the one that is shown. */
static const lp_published published[] = {
    [TARGET] = {"OpenAI CLIP ViT-B/32", "CIFAR-100", 79.92, &clip_example},

    TABLE_10("LM RN50", 82.8, 61.7, 65.2),
    CLIP_ROW("OpenAI CLIP RN50", &clip_paper_resnet, 88.7, 70.3, 73.3, 86.4, 73.3, 78.3, 49.1, 87.1,
             76.4, 88.2, 89.6, 96.1, 98.3, 95.2, 87.5, 82.4, 70.2, 25.3, 82.7, 65.7, 72.6),
    CLIP_ROW("OpenAI CLIP RN101", &clip_paper_resnet, 91.1, 73.5, 75.7, 88.9, 75.1, 84.0, 50.7,
             88.0, 76.3, 91.0, 92.0, 96.4, 98.4, 95.9, 89.3, 82.4, 73.6, 26.6, 82.8, 68.2, 73.3),
    CLIP_ROW("OpenAI CLIP RN50x4", &clip_paper_resnet, 90.5, 73.0, 78.2, 91.3, 77.0, 85.9, 57.3,
             88.4, 79.5, 91.9, 92.5, 97.8, 98.5, 96.4, 89.7, 85.5, 59.4, 30.3, 83.0, 68.0, 76.6),
    CLIP_ROW("OpenAI CLIP RN50x16", &clip_paper_resnet, 92.2, 74.9, 81.5, 93.3, 79.2, 88.7, 62.7,
             89.0, 79.1, 93.5, 93.7, 98.3, 98.9, 97.0, 91.4, 89.0, 69.2, 34.8, 83.5, 71.1, 80.0),
    CLIP_ROW("OpenAI CLIP RN50x64", &clip_paper_resnet, 94.1, 78.6, 83.6, 94.8, 81.1, 90.5, 67.7,
             88.9, 82.0, 94.5, 95.4, 98.9, 98.9, 97.1, 92.8, 90.2, 69.2, 40.7, 83.7, 75.0, 81.2),
    CLIP_ROW("OpenAI CLIP ViT-B/32", &clip_paper, 95.1, 80.5, 76.1, 88.8, 76.6, 81.8, 52.0, 87.7,
             76.5, 90.0, 93.0, 96.9, 99.0, 97.0, 90.5, 85.3, 66.2, 27.8, 83.9, 66.7, 70.8),
    CLIP_ROW("OpenAI CLIP ViT-B/16", &clip_paper, 96.2, 83.1, 80.2, 92.8, 78.4, 86.7, 59.5, 89.2,
             79.2, 93.1, 94.7, 98.1, 99.0, 97.1, 92.7, 86.6, 67.8, 33.3, 83.5, 70.3, 75.5),
    CLIP_ROW("OpenAI CLIP ViT-L/14", &clip_paper, 98.0, 87.5, 83.9, 95.2, 81.8, 90.9, 69.4, 89.6,
             82.1, 95.1, 96.5, 99.2, 99.2, 98.2, 94.1, 92.5, 64.7, 42.9, 85.8, 76.2, 80.8),
    CLIP_ROW("OpenAI CLIP ViT-L/14@336px", &clip_paper, 97.9, 87.4, 85.4, 95.9, 82.2, 91.5, 71.6,
             89.9, 83.0, 95.1, 96.0, 99.2, 99.2, 98.1, 94.9, 92.4, 69.2, 46.4, 85.6, 77.3, 80.5),
    TABLE_10("EfficientNet-B0", 92.5, 76.5, 76.9),
    TABLE_10("EfficientNet-B1", 93.2, 77.2, 78.6),
    TABLE_10("EfficientNet-B2", 93.6, 77.9, 79.7),
    TABLE_10("EfficientNet-B3", 94.0, 78.0, 81.0),
    TABLE_10("EfficientNet-B4", 94.1, 78.7, 82.9),
    TABLE_10("EfficientNet-B5", 93.6, 77.9, 83.7),
    TABLE_10("EfficientNet-B6", 94.0, 78.0, 84.0),
    TABLE_10("EfficientNet-B7", 94.9, 80.1, 84.8),
    TABLE_10("EfficientNet-B8", 95.0, 80.7, 85.3),
    TABLE_10("EfficientNet-B0 Noisy Student", 94.0, 78.6, 78.5),
    TABLE_10("EfficientNet-B1 Noisy Student", 95.1, 80.2, 81.1),
    TABLE_10("EfficientNet-B2 Noisy Student", 95.3, 81.3, 82.2),
    TABLE_10("EfficientNet-B3 Noisy Student", 95.9, 82.1, 83.8),
    TABLE_10("EfficientNet-B4 Noisy Student", 95.6, 81.0, 85.4),
    TABLE_10("EfficientNet-B5 Noisy Student", 96.3, 82.4, 85.8),
    TABLE_10("EfficientNet-B6 Noisy Student", 97.0, 83.9, 86.4),
    TABLE_10("EfficientNet-B7 Noisy Student", 96.0, 82.0, 87.0),
    TABLE_10("EfficientNet-L2 Noisy Student 475", 99.0, 91.0, 88.3),
    TABLE_10("EfficientNet-L2 Noisy Student", 98.7, 89.0, 88.4),
    TABLE_10("ResNeXt-101 32x8d WSL", 95.9, 80.9, 83.3),
    TABLE_10("ResNeXt-101 32x16d WSL", 96.5, 80.9, 84.4),
    TABLE_10("ResNeXt-101 32x32d WSL", 96.8, 82.7, 85.0),
    TABLE_10("ResNeXt-101 32x48d WSL", 96.8, 83.4, 85.2),
    TABLE_10("Instagram FixRes-v1", 95.7, 81.1, 86.0),
    TABLE_10("Instagram FixRes-v2", 95.7, 81.1, 86.0),
    TABLE_10("BiT-S R50x1", 91.7, 74.8, 75.2),
    TABLE_10("BiT-S R50x3", 93.7, 79.0, 77.2),
    TABLE_10("BiT-S R101x1", 92.8, 77.4, 76.0),
    TABLE_10("BiT-S R101x3", 93.9, 79.8, 77.4),
    TABLE_10("BiT-S R152x2", 94.3, 79.7, 77.1),
    TABLE_10("BiT-S R152x4", 94.2, 79.2, 78.5),
    TABLE_10("BiT-M R50x1", 94.9, 82.2, 76.7),
    TABLE_10("BiT-M R50x3", 96.7, 86.2, 80.7),
    TABLE_10("BiT-M R101x1", 95.7, 84.4, 79.4),
    TABLE_10("BiT-M R101x3", 97.4, 87.5, 81.2),
    TABLE_10("BiT-M R152x2", 97.5, 87.8, 81.9),
    TABLE_10("BiT-M R152x4", 97.6, 88.2, 81.5),
    TABLE_10("ViT-B/32 ImageNet-21k", 96.7, 86.3, 76.6),
    TABLE_10("ViT-B/16 ImageNet-21k", 96.9, 86.4, 80.9),
    TABLE_10("ViT-L/16 ImageNet-21k", 97.9, 89.0, 81.9),
    TABLE_10("ViT-H/14 ImageNet-21k", 95.8, 84.5, 75.9),
    TABLE_10("SimCLRv2 R50x1", 93.2, 77.9, 73.8),
    TABLE_10("SimCLRv2 R50x3", 95.6, 82.4, 77.3),
    TABLE_10("SimCLRv2 R101x1", 94.8, 79.9, 76.1),
    TABLE_10("SimCLRv2 R101x3", 96.4, 83.4, 78.8),
    TABLE_10("SimCLRv2 R152x1", 95.0, 79.9, 76.9),
    TABLE_10("SimCLRv2 R152x2", 96.7, 83.9, 79.2),
    TABLE_10("SimCLRv2 R152x3", 96.8, 84.5, 80.0),
    TABLE_10("BYOL 50x1", 93.6, 79.1, 73.3),
    TABLE_10("BYOL 200x2", 96.2, 83.3, 79.2),
    TABLE_10("MoCo v1 ResNet-50", 85.0, 63.1, 57.2),
    TABLE_10("MoCo v2", 93.4, 76.3, 69.1),
    TABLE_10("VirTex", 83.9, 57.5, 50.7),
    TABLE_10("torchvision ResNet-50 V1", 91.8, 74.5, 74.3),
    TABLE_10("torchvision ResNet-101 V1", 93.0, 77.2, 75.8),
    TABLE_10("torchvision ResNet-152 V1", 93.5, 78.0, 77.1),

    {"DINO ResNet-50", "ImageNet", 75.3, &dino_readme},
    {"DINO XCiT-S12/16", "ImageNet", 77.8, &dino_readme},
    {"DINO XCiT-S12/8", "ImageNet", 79.2, &dino_readme},
    {"DINO XCiT-M24/16", "ImageNet", 78.8, &dino_readme},
    {"DINO XCiT-M24/8", "ImageNet", 80.3, &dino_readme},
    {"MoCo v1 ResNet-50", "ImageNet", 60.6, &moco_readme},
    {"MoCo v2 ResNet-50, 200 epochs", "ImageNet", 67.7, &moco_readme},
    {"MoCo v2 ResNet-50", "ImageNet", 71.1, &moco_readme},
    {"MoCo v3 ResNet-50", "ImageNet", 74.6, &moco_v3},
    {"SwAV ResNet-50", "ImageNet", 75.3, &swav_readme},
    {"MAE ViT-B/16", "ImageNet", 67.8, &mae_page},
    {"MAE ViT-L/16", "ImageNet", 76.0, &mae_page},
    {"MAE ViT-H/14", "ImageNet", 77.2, &mae_page},

    {"OpenAI CLIP ViT-L/14", "ImageNet", 84.3, &dinov2_table4},
    {"OpenAI CLIP ViT-L/14@336px", "ImageNet", 85.3, &dinov2_table4},
    {"SWAG ViT-H/14", "ImageNet", 85.7, &dinov2_table4},
    {"OpenCLIP ViT-H/14 LAION-2B", "ImageNet", 84.4, &dinov2_table4},
    {"OpenCLIP ViT-G/14 LAION-2B", "ImageNet", 86.2, &dinov2_table4},
    {"EVA-CLIP ViT-g/14", "ImageNet", 86.4, &dinov2_table4},
    {"MAE ViT-H/14", "ImageNet", 76.6, &dinov2_table4},
    {"DINO ViT-S/8", "ImageNet", 79.2, &dinov2_table4},
    {"SEERv2 RG10B", "ImageNet", 79.8, &dinov2_table4},
    {"MSN ViT-L/7", "ImageNet", 80.7, &dinov2_table4},
    {"EsViT Swin-B, window 14", "ImageNet", 81.3, &dinov2_table4},
    {"Mugs ViT-L/16", "ImageNet", 82.1, &dinov2_table4},
    {"iBOT ViT-L/16 ImageNet-22k", "ImageNet", 82.3, &dinov2_table4},
    {"DINOv2 ViT-S/14", "ImageNet", 81.1, &dinov2_table4},
    {"DINOv2 ViT-B/14", "ImageNet", 84.5, &dinov2_table4},
    {"DINOv2 ViT-L/14", "ImageNet", 86.3, &dinov2_table4},
    {"DINOv2 ViT-g/14", "ImageNet", 86.5, &dinov2_table4},
    {"DINOv2 ViT-g/14, 448 pixels", "ImageNet", 86.7, &dinov2_table5},
    CIFARS("OpenCLIP ViT-G/14 LAION-2B", &dinov2_table8, 98.7, 91.0),
    CIFARS("MAE ViT-H/14", &dinov2_table8, 96.1, 83.9),
    CIFARS("DINO ViT-B/8", &dinov2_table8, 97.2, 86.9),
    CIFARS("iBOT ViT-L/16 ImageNet-22k", &dinov2_table8, 99.0, 92.8),
    CIFARS("DINOv2 ViT-S/14", &dinov2_table8, 97.7, 87.5),
    CIFARS("DINOv2 ViT-B/14", &dinov2_table8, 98.7, 91.3),
    CIFARS("DINOv2 ViT-L/14", &dinov2_table8, 99.3, 93.4),
    CIFARS("DINOv2 ViT-g/14", &dinov2_table8, 99.5, 94.4),
    {"DINOv2 ViT-S/14 with registers", "ImageNet", 80.9, &dinov2_readme},
    {"DINOv2 ViT-B/14 with registers", "ImageNet", 84.6, &dinov2_readme},
    {"DINOv2 ViT-L/14 with registers", "ImageNet", 86.7, &dinov2_readme},
    {"DINOv2 ViT-g/14 with registers", "ImageNet", 87.1, &dinov2_readme},

    {"AM-RADIOv2.5 g/14, 448 pixels", "ImageNet", 88.0, &dinov3_table7},
    {"PEcore G/14, 448 pixels", "ImageNet", 89.3, &dinov3_table7},
    {"SigLIP 2 g/16, 512 pixels", "ImageNet", 89.1, &dinov3_table7},
    {"AIMv2 3B/14, 448 pixels", "ImageNet", 87.9, &dinov3_table7},
    {"EVA-CLIP 18B/14, 448 pixels", "ImageNet", 87.9, &dinov3_table7},
    {"Web-DINO 7B/14, 448 pixels", "ImageNet", 85.9, &dinov3_table7},
    {"Franca g/14, 448 pixels", "ImageNet", 84.8, &dinov3_table7},
    {"DINOv2 ViT-g/14 with registers, 448 pixels", "ImageNet", 87.3, &dinov3_table7},
    {"DINOv3 ViT-7B/16, 512 pixels", "ImageNet", 88.4, &dinov3_table7},
    CIFARS("AM-RADIOv2.5 g/14, 448 pixels", &dinov3_table22, 99.5, 95.0),
    CIFARS("SigLIP 2 g/16, 512 pixels", &dinov3_table22, 99.3, 92.7),
    CIFARS("PEcore G/14, 448 pixels", &dinov3_table22, 99.5, 95.3),
    CIFARS("AIMv2 3B/14, 448 pixels", &dinov3_table22, 99.3, 93.3),
    CIFARS("EVA-CLIP 18B/14, 448 pixels", &dinov3_table22, 99.5, 95.4),
    CIFARS("Franca g/14, 448 pixels", &dinov3_table22, 98.6, 90.4),
    CIFARS("DINOv2 ViT-g/14 with registers, 448 pixels", &dinov3_table22, 99.5, 94.5),
    CIFARS("Web-DINO 7B/14, 448 pixels", &dinov3_table22, 99.5, 93.4),
    CIFARS("DINOv3 ViT-7B/16, 512 pixels", &dinov3_table22, 99.6, 96.0),
    {"DINOv3 ViT-S/16", "ImageNet ReaL", 87.0, &dinov3_card},
    {"DINOv3 ViT-S+/16", "ImageNet ReaL", 88.0, &dinov3_card},
    {"DINOv3 ViT-B/16", "ImageNet ReaL", 89.3, &dinov3_card},
    {"DINOv3 ViT-L/16", "ImageNet ReaL", 90.2, &dinov3_card},
    {"DINOv3 ViT-H+/16", "ImageNet ReaL", 90.3, &dinov3_card},
    {"DINOv3 ViT-7B/16", "ImageNet ReaL", 90.4, &dinov3_card},
    {"DINOv3 ConvNeXt-T", "ImageNet ReaL", 86.6, &dinov3_card},
    {"DINOv3 ConvNeXt-T, 512 pixels", "ImageNet ReaL", 87.7, &dinov3_card},
    {"DINOv3 ConvNeXt-S", "ImageNet ReaL", 87.9, &dinov3_card},
    {"DINOv3 ConvNeXt-S, 512 pixels", "ImageNet ReaL", 88.7, &dinov3_card},
    {"DINOv3 ConvNeXt-B", "ImageNet ReaL", 88.5, &dinov3_card},
    {"DINOv3 ConvNeXt-B, 512 pixels", "ImageNet ReaL", 89.2, &dinov3_card},
    {"DINOv3 ConvNeXt-L", "ImageNet ReaL", 88.9, &dinov3_card},
    {"DINOv3 ConvNeXt-L, 512 pixels", "ImageNet ReaL", 89.4, &dinov3_card},

    {"open_clip ViT-B/32 laion400m_e32", "CIFAR-100", 82.92, &clip_benchmark},
    {"open_clip ViT-B/16 laion400m_e32", "CIFAR-100", 84.07, &clip_benchmark},
    {"open_clip ViT-B/16-plus-240 laion400m_e32", "CIFAR-100", 85.33, &clip_benchmark},
    {"open_clip ViT-L/14 laion400m_e32", "CIFAR-100", 87.95, &clip_benchmark},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

const lp_published *lp_published_all(size_t *count) {
    *count = PUBLISHED;
    return published;
}

const lp_published *lp_published_target(void) {
    return &published[TARGET];
}

static const lp_known_model *model_titled(const char *title) {
    const lp_known_model *m;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL && strcmp(m->title, title) != 0; i++) {
    }
    return m;
}

const lp_known_model *lp_published_model(const lp_published *p) {
    return model_titled(p->model);
}

/* Whether a feature set is of a whole published part with its own labels, and its vectors are those
 * of the encoder as it was trained. */
static bool is_plain(const lp_provenance *p) {
    return p != NULL && p->recorded && lp_data_is_whole(&p->data) &&
           p->data.labels == LP_LABELS_FINE && !p->encoder.normalize && !p->encoder.changed &&
           p->encoder.blocks == NULL;
}

const lp_published *lp_published_of(const lp_provenance *train, const lp_provenance *test) {
    if (!is_plain(train) || !is_plain(test) || test->data.name == NULL ||
        test->encoder.feature == NULL || train->data.name == NULL ||
        strcmp(train->data.name, test->data.name) != 0 || test->encoder.precision == NULL ||
        strcmp(test->encoder.precision, lp_precision_name(LP_PRECISION_FLOAT32)) != 0) {
        return NULL;
    }
    const char *model = test->encoder.weights.official;
    const lp_known_model *known = model != NULL ? model_titled(model) : NULL;
    if (known == NULL || known->input_size != test->encoder.input_size) {
        return NULL;
    }
    for (size_t i = 0; i < PUBLISHED; i++) {
        const lp_published *p = &published[i];
        if (strcmp(p->model, model) == 0 && strcmp(p->dataset, test->data.name) == 0 &&
            strcmp(lp_feature_point_name(p->study->point), test->encoder.feature) == 0 &&
            !p->study->normalized) {
            return p;
        }
    }
    return NULL;
}
