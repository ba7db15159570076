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
                                    "CLIP paper",           SWEPT, "arXiv 2103.00020, Table 10"};
static const lp_study clip_paper_resnet = {LP_FEATURE_PENULTIMATE,
                                           false,
                                           1,
                                           "CLIP paper",
                                           SWEPT ", which the paper does not define for ResNets",
                                           "arXiv 2103.00020, Table 10"};
/* Its Table 8 has other models beside its own. */
static const lp_study dinov2_paper = {
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

/* A model's row of the CLIP paper's Table 10, the sets in this order: those whose training and test
 * images are here as many as in its Table 9 (not so Birdsnap, whose images have gone; FER2013, of
 * which it has 8 classes; STL-10, of which it takes 1,000 images; UCF101; CLEVR). */
#define TABLE_10(name, study, cifar10, cifar100, imagenet, food101, sun397, stanfordcars,          \
                 fgvcaircraft, voc2007, dtd, oxfordpets, caltech101, flowers102, mnist, eurosat,   \
                 resisc45, gtsrb, kitti, country211, pcam, hatefulmemes, renderedsst2)             \
    {name, "CIFAR-10", cifar10, study}, {name, "CIFAR-100", cifar100, study},                      \
        {name, "ImageNet", imagenet, study}, {name, "Food-101", food101, study},                   \
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

static const lp_published published[] = {
    [TARGET] = {"OpenAI CLIP ViT-B/32", "CIFAR-100", 79.92, &clip_example},

    TABLE_10("OpenAI CLIP RN50", &clip_paper_resnet, 88.7, 70.3, 73.3, 86.4, 73.3, 78.3, 49.1, 87.1,
             76.4, 88.2, 89.6, 96.1, 98.3, 95.2, 87.5, 82.4, 70.2, 25.3, 82.7, 65.7, 72.6),
    TABLE_10("OpenAI CLIP RN101", &clip_paper_resnet, 91.1, 73.5, 75.7, 88.9, 75.1, 84.0, 50.7,
             88.0, 76.3, 91.0, 92.0, 96.4, 98.4, 95.9, 89.3, 82.4, 73.6, 26.6, 82.8, 68.2, 73.3),
    TABLE_10("OpenAI CLIP RN50x4", &clip_paper_resnet, 90.5, 73.0, 78.2, 91.3, 77.0, 85.9, 57.3,
             88.4, 79.5, 91.9, 92.5, 97.8, 98.5, 96.4, 89.7, 85.5, 59.4, 30.3, 83.0, 68.0, 76.6),
    TABLE_10("OpenAI CLIP RN50x16", &clip_paper_resnet, 92.2, 74.9, 81.5, 93.3, 79.2, 88.7, 62.7,
             89.0, 79.1, 93.5, 93.7, 98.3, 98.9, 97.0, 91.4, 89.0, 69.2, 34.8, 83.5, 71.1, 80.0),
    TABLE_10("OpenAI CLIP RN50x64", &clip_paper_resnet, 94.1, 78.6, 83.6, 94.8, 81.1, 90.5, 67.7,
             88.9, 82.0, 94.5, 95.4, 98.9, 98.9, 97.1, 92.8, 90.2, 69.2, 40.7, 83.7, 75.0, 81.2),
    TABLE_10("OpenAI CLIP ViT-B/32", &clip_paper, 95.1, 80.5, 76.1, 88.8, 76.6, 81.8, 52.0, 87.7,
             76.5, 90.0, 93.0, 96.9, 99.0, 97.0, 90.5, 85.3, 66.2, 27.8, 83.9, 66.7, 70.8),
    TABLE_10("OpenAI CLIP ViT-B/16", &clip_paper, 96.2, 83.1, 80.2, 92.8, 78.4, 86.7, 59.5, 89.2,
             79.2, 93.1, 94.7, 98.1, 99.0, 97.1, 92.7, 86.6, 67.8, 33.3, 83.5, 70.3, 75.5),
    TABLE_10("OpenAI CLIP ViT-L/14", &clip_paper, 98.0, 87.5, 83.9, 95.2, 81.8, 90.9, 69.4, 89.6,
             82.1, 95.1, 96.5, 99.2, 99.2, 98.2, 94.1, 92.5, 64.7, 42.9, 85.8, 76.2, 80.8),
    TABLE_10("OpenAI CLIP ViT-L/14@336px", &clip_paper, 97.9, 87.4, 85.4, 95.9, 82.2, 91.5, 71.6,
             89.9, 83.0, 95.1, 96.0, 99.2, 99.2, 98.1, 94.9, 92.4, 69.2, 46.4, 85.6, 77.3, 80.5),

    {"EfficientNet-B0 Noisy Student", "CIFAR-10", 94.0, &clip_paper},
    {"EfficientNet-B0 Noisy Student", "CIFAR-100", 78.6, &clip_paper},
    {"EfficientNet-B0 Noisy Student", "ImageNet", 78.5, &clip_paper},
    {"EfficientNet-B1 Noisy Student", "CIFAR-10", 95.1, &clip_paper},
    {"EfficientNet-B1 Noisy Student", "CIFAR-100", 80.2, &clip_paper},
    {"EfficientNet-B1 Noisy Student", "ImageNet", 81.1, &clip_paper},
    {"EfficientNet-B2 Noisy Student", "CIFAR-10", 95.3, &clip_paper},
    {"EfficientNet-B2 Noisy Student", "CIFAR-100", 81.3, &clip_paper},
    {"EfficientNet-B2 Noisy Student", "ImageNet", 82.2, &clip_paper},
    {"EfficientNet-B3 Noisy Student", "CIFAR-10", 95.9, &clip_paper},
    {"EfficientNet-B3 Noisy Student", "CIFAR-100", 82.1, &clip_paper},
    {"EfficientNet-B3 Noisy Student", "ImageNet", 83.8, &clip_paper},
    {"EfficientNet-B4 Noisy Student", "CIFAR-10", 95.6, &clip_paper},
    {"EfficientNet-B4 Noisy Student", "CIFAR-100", 81.0, &clip_paper},
    {"EfficientNet-B4 Noisy Student", "ImageNet", 85.4, &clip_paper},
    {"EfficientNet-B5 Noisy Student", "CIFAR-10", 96.3, &clip_paper},
    {"EfficientNet-B5 Noisy Student", "CIFAR-100", 82.4, &clip_paper},
    {"EfficientNet-B5 Noisy Student", "ImageNet", 85.8, &clip_paper},
    {"EfficientNet-B6 Noisy Student", "CIFAR-10", 97.0, &clip_paper},
    {"EfficientNet-B6 Noisy Student", "CIFAR-100", 83.9, &clip_paper},
    {"EfficientNet-B6 Noisy Student", "ImageNet", 86.4, &clip_paper},
    {"EfficientNet-B7 Noisy Student", "CIFAR-10", 96.0, &clip_paper},
    {"EfficientNet-B7 Noisy Student", "CIFAR-100", 82.0, &clip_paper},
    {"EfficientNet-B7 Noisy Student", "ImageNet", 87.0, &clip_paper},
    {"EfficientNet-L2 Noisy Student 475", "CIFAR-10", 99.0, &clip_paper},
    {"EfficientNet-L2 Noisy Student 475", "CIFAR-100", 91.0, &clip_paper},
    {"EfficientNet-L2 Noisy Student 475", "ImageNet", 88.3, &clip_paper},
    {"EfficientNet-L2 Noisy Student", "CIFAR-10", 98.7, &clip_paper},
    {"EfficientNet-L2 Noisy Student", "CIFAR-100", 89.0, &clip_paper},
    {"EfficientNet-L2 Noisy Student", "ImageNet", 88.4, &clip_paper},
    {"ResNeXt-101 32x8d WSL", "CIFAR-10", 95.9, &clip_paper},
    {"ResNeXt-101 32x8d WSL", "CIFAR-100", 80.9, &clip_paper},
    {"ResNeXt-101 32x8d WSL", "ImageNet", 83.3, &clip_paper},
    {"ResNeXt-101 32x16d WSL", "CIFAR-10", 96.5, &clip_paper},
    {"ResNeXt-101 32x16d WSL", "CIFAR-100", 80.9, &clip_paper},
    {"ResNeXt-101 32x16d WSL", "ImageNet", 84.4, &clip_paper},
    {"ResNeXt-101 32x32d WSL", "CIFAR-10", 96.8, &clip_paper},
    {"ResNeXt-101 32x32d WSL", "CIFAR-100", 82.7, &clip_paper},
    {"ResNeXt-101 32x32d WSL", "ImageNet", 85.0, &clip_paper},
    {"ResNeXt-101 32x48d WSL", "CIFAR-10", 96.8, &clip_paper},
    {"ResNeXt-101 32x48d WSL", "CIFAR-100", 83.4, &clip_paper},
    {"ResNeXt-101 32x48d WSL", "ImageNet", 85.2, &clip_paper},
    {"torchvision ResNet-50 V1", "CIFAR-10", 91.8, &clip_paper},
    {"torchvision ResNet-50 V1", "CIFAR-100", 74.5, &clip_paper},
    {"torchvision ResNet-50 V1", "ImageNet", 74.3, &clip_paper},
    {"torchvision ResNet-101 V1", "CIFAR-10", 93.0, &clip_paper},
    {"torchvision ResNet-101 V1", "CIFAR-100", 77.2, &clip_paper},
    {"torchvision ResNet-101 V1", "ImageNet", 75.8, &clip_paper},
    {"torchvision ResNet-152 V1", "CIFAR-10", 93.5, &clip_paper},
    {"torchvision ResNet-152 V1", "CIFAR-100", 78.0, &clip_paper},
    {"torchvision ResNet-152 V1", "ImageNet", 77.1, &clip_paper},

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

    {"DINOv2 ViT-S/14", "ImageNet", 81.1, &dinov2_readme},
    {"DINOv2 ViT-B/14", "ImageNet", 84.5, &dinov2_readme},
    {"DINOv2 ViT-L/14", "ImageNet", 86.3, &dinov2_readme},
    {"DINOv2 ViT-g/14", "ImageNet", 86.5, &dinov2_readme},
    {"DINOv2 ViT-S/14 with registers", "ImageNet", 80.9, &dinov2_readme},
    {"DINOv2 ViT-B/14 with registers", "ImageNet", 84.6, &dinov2_readme},
    {"DINOv2 ViT-L/14 with registers", "ImageNet", 86.7, &dinov2_readme},
    {"DINOv2 ViT-g/14 with registers", "ImageNet", 87.1, &dinov2_readme},

    {"DINOv2 ViT-S/14", "CIFAR-10", 97.7, &dinov2_paper},
    {"DINOv2 ViT-S/14", "CIFAR-100", 87.5, &dinov2_paper},
    {"DINOv2 ViT-B/14", "CIFAR-10", 98.7, &dinov2_paper},
    {"DINOv2 ViT-B/14", "CIFAR-100", 91.3, &dinov2_paper},
    {"DINOv2 ViT-L/14", "CIFAR-10", 99.3, &dinov2_paper},
    {"DINOv2 ViT-L/14", "CIFAR-100", 93.4, &dinov2_paper},
    {"DINOv2 ViT-g/14", "CIFAR-10", 99.5, &dinov2_paper},
    {"DINOv2 ViT-g/14", "CIFAR-100", 94.4, &dinov2_paper},
    {"DINO ViT-B/8", "CIFAR-10", 97.2, &dinov2_paper},
    {"DINO ViT-B/8", "CIFAR-100", 86.9, &dinov2_paper},
    {"MAE ViT-H/14", "CIFAR-10", 96.1, &dinov2_paper},
    {"MAE ViT-H/14", "CIFAR-100", 83.9, &dinov2_paper},

    {"open_clip ViT-B/32 laion400m_e32", "CIFAR-100", 82.92, &clip_benchmark},
    {"open_clip ViT-B/16 laion400m_e32", "CIFAR-100", 84.07, &clip_benchmark},
    {"open_clip ViT-B/16-plus-240 laion400m_e32", "CIFAR-100", 85.33, &clip_benchmark},
    {"open_clip ViT-L/14 laion400m_e32", "CIFAR-100", 87.95, &clip_benchmark},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

/* Of models that no known file is of, or by labels that no data set here has.  ViT-L/16's and
 * SimCLRv2's are Table 10's as Florence's paper repeats them. */
static const lp_published others[] = {
    {"ViT-L/16 ImageNet-21k, 384 pixels", "CIFAR-10", 97.9, &clip_paper},
    {"ViT-L/16 ImageNet-21k, 384 pixels", "CIFAR-100", 89.0, &clip_paper},
    {"SimCLRv2 R152-3x", "CIFAR-10", 96.8, &clip_paper},
    {"SimCLRv2 R152-3x", "CIFAR-100", 84.5, &clip_paper},
    {"VirTex ResNet-50", "CIFAR-10", 83.9, &clip_paper},
    {"VirTex ResNet-50", "CIFAR-100", 57.5, &clip_paper},
    {"open_clip ViT-G/14", "CIFAR-10", 98.7, &dinov2_paper},
    {"open_clip ViT-G/14", "CIFAR-100", 91.0, &dinov2_paper},
    {"iBOT ViT-L/16", "CIFAR-10", 99.0, &dinov2_paper},
    {"iBOT ViT-L/16", "CIFAR-100", 92.8, &dinov2_paper},
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
};

const lp_published *lp_published_others(size_t *count) {
    *count = sizeof others / sizeof others[0];
    return others;
}

const lp_published *lp_published_all(size_t *count) {
    *count = PUBLISHED;
    return published;
}

const lp_published *lp_published_target(void) {
    return &published[TARGET];
}

/* Whether a feature set is of a whole published part with its own labels, and not normalised. */
static bool is_plain(const lp_provenance *p) {
    return p != NULL && p->recorded && lp_data_is_whole(&p->data) &&
           p->data.labels == LP_LABELS_FINE && !p->encoder.normalize;
}

const lp_published *lp_published_of(const lp_provenance *train, const lp_provenance *test) {
    if (!is_plain(train) || !is_plain(test) || test->data.name == NULL ||
        test->encoder.feature == NULL || train->data.name == NULL ||
        strcmp(train->data.name, test->data.name) != 0 || test->encoder.precision == NULL ||
        strcmp(test->encoder.precision, lp_precision_name(LP_PRECISION_FLOAT32)) != 0) {
        return NULL;
    }
    const char *model = test->encoder.weights.official;
    for (size_t i = 0; model != NULL && i < PUBLISHED; i++) {
        const lp_published *p = &published[i];
        if (strcmp(p->model, model) == 0 && strcmp(p->dataset, test->data.name) == 0 &&
            strcmp(lp_feature_point_name(p->study->point), test->encoder.feature) == 0 &&
            !p->study->normalized) {
            return p;
        }
    }
    return NULL;
}
