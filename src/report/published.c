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

enum { TARGET }; /* the number that this program was made to reproduce */

static const lp_published published[] = {
    [TARGET] = {"OpenAI CLIP ViT-B/32", "CIFAR-100", 79.92, &clip_example},

    {"OpenAI CLIP ViT-B/32", "CIFAR-10", 95.1, &clip_paper},
    {"OpenAI CLIP ViT-B/32", "CIFAR-100", 80.5, &clip_paper},
    {"OpenAI CLIP ViT-B/16", "CIFAR-10", 96.2, &clip_paper},
    {"OpenAI CLIP ViT-B/16", "CIFAR-100", 83.1, &clip_paper},
    {"OpenAI CLIP ViT-L/14", "CIFAR-10", 98.0, &clip_paper},
    {"OpenAI CLIP ViT-L/14", "CIFAR-100", 87.5, &clip_paper},
    {"OpenAI CLIP ViT-L/14@336px", "CIFAR-10", 97.9, &clip_paper},
    {"OpenAI CLIP ViT-L/14@336px", "CIFAR-100", 87.4, &clip_paper},
    {"OpenAI CLIP RN50", "CIFAR-10", 88.7, &clip_paper_resnet},
    {"OpenAI CLIP RN50", "CIFAR-100", 70.3, &clip_paper_resnet},
    {"OpenAI CLIP RN101", "CIFAR-10", 91.1, &clip_paper_resnet},
    {"OpenAI CLIP RN101", "CIFAR-100", 73.5, &clip_paper_resnet},
    {"OpenAI CLIP RN50x4", "CIFAR-10", 90.5, &clip_paper_resnet},
    {"OpenAI CLIP RN50x4", "CIFAR-100", 73.0, &clip_paper_resnet},
    {"OpenAI CLIP RN50x16", "CIFAR-10", 92.2, &clip_paper_resnet},
    {"OpenAI CLIP RN50x16", "CIFAR-100", 74.9, &clip_paper_resnet},
    {"OpenAI CLIP RN50x64", "CIFAR-10", 94.1, &clip_paper_resnet},
    {"OpenAI CLIP RN50x64", "CIFAR-100", 78.6, &clip_paper_resnet},

    {"OpenAI CLIP RN50", "ImageNet", 73.3, &clip_paper_resnet},
    {"OpenAI CLIP RN101", "ImageNet", 75.7, &clip_paper_resnet},
    {"OpenAI CLIP RN50x4", "ImageNet", 78.2, &clip_paper_resnet},
    {"OpenAI CLIP RN50x16", "ImageNet", 81.5, &clip_paper_resnet},
    {"OpenAI CLIP RN50x64", "ImageNet", 83.6, &clip_paper_resnet},
    {"OpenAI CLIP ViT-B/32", "ImageNet", 76.1, &clip_paper},
    {"OpenAI CLIP ViT-B/16", "ImageNet", 80.2, &clip_paper},
    {"OpenAI CLIP ViT-L/14", "ImageNet", 83.9, &clip_paper},
    {"OpenAI CLIP ViT-L/14@336px", "ImageNet", 85.4, &clip_paper},

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
