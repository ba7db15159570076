/* Published accuracies beside results: only where model, data and feature are the same. */
#include "report/published.h"

#include <stdbool.h>
#include <string.h>

/* How each number was measured, and where it is published. */
#define CLIP_EXAMPLE                                                                               \
    .point = LP_FEATURE_PROJECTED, .decimals = 3, .by = "CLIP example",                            \
    .setting = "scikit-learn LogisticRegression (multinomial), C = 0.316, projected features",     \
    .source = "protocol of the CLIP repository's linear-probe example"
#define SWEPT "scikit-learn L-BFGS, lambda swept on validation data, penultimate features"
#define CLIP_PAPER                                                                                 \
    .point = LP_FEATURE_PENULTIMATE, .decimals = 1, .by = "CLIP paper", .setting = SWEPT,          \
    .source = "arXiv 2103.00020, Table 10"
#define CLIP_PAPER_RESNET                                                                          \
    .point = LP_FEATURE_PENULTIMATE, .decimals = 1, .by = "CLIP paper",                            \
    .setting = SWEPT ", which the paper does not define for ResNets",                              \
    .source = "arXiv 2103.00020, Table 10"
/* Its Table 8 has other models beside its own */
#define DINOV2_PAPER                                                                               \
    .point = LP_FEATURE_PENULTIMATE, .decimals = 1, .by = "DINOv2 paper",                          \
    .setting = "linear evaluation of frozen features", .source = "arXiv 2304.07193, Table 8"
#define CLIP_BENCHMARK                                                                             \
    .point = LP_FEATURE_PROJECTED, .normalized = true, .decimals = 2, .by = "CLIP_benchmark",      \
    .setting =                                                                                     \
        "AdamW, the best of several learning rates and epochs; projected features of length 1",    \
    .source = "LAION-AI/CLIP_benchmark, probe_benchmark/scaling_experiment_data2.json"

enum { TARGET }; /* the number that this program was made to reproduce */

static const lp_published published[] = {
    [TARGET] = {.model = "OpenAI CLIP ViT-B/32",
                .dataset = "CIFAR-100",
                .accuracy = 79.92,
                CLIP_EXAMPLE},

    {.model = "OpenAI CLIP ViT-B/32", .dataset = "CIFAR-10", .accuracy = 95.1, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-B/32", .dataset = "CIFAR-100", .accuracy = 80.5, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-B/16", .dataset = "CIFAR-10", .accuracy = 96.2, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-B/16", .dataset = "CIFAR-100", .accuracy = 83.1, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-L/14", .dataset = "CIFAR-10", .accuracy = 98.0, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-L/14", .dataset = "CIFAR-100", .accuracy = 87.5, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-L/14@336px", .dataset = "CIFAR-10", .accuracy = 97.9, CLIP_PAPER},
    {.model = "OpenAI CLIP ViT-L/14@336px", .dataset = "CIFAR-100", .accuracy = 87.4, CLIP_PAPER},
    {.model = "OpenAI CLIP RN50", .dataset = "CIFAR-10", .accuracy = 88.7, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50", .dataset = "CIFAR-100", .accuracy = 70.3, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN101", .dataset = "CIFAR-10", .accuracy = 91.1, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN101", .dataset = "CIFAR-100", .accuracy = 73.5, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x4", .dataset = "CIFAR-10", .accuracy = 90.5, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x4", .dataset = "CIFAR-100", .accuracy = 73.0, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x16", .dataset = "CIFAR-10", .accuracy = 92.2, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x16", .dataset = "CIFAR-100", .accuracy = 74.9, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x64", .dataset = "CIFAR-10", .accuracy = 94.1, CLIP_PAPER_RESNET},
    {.model = "OpenAI CLIP RN50x64", .dataset = "CIFAR-100", .accuracy = 78.6, CLIP_PAPER_RESNET},

    {.model = "DINOv2 ViT-S/14", .dataset = "CIFAR-10", .accuracy = 97.7, DINOV2_PAPER},
    {.model = "DINOv2 ViT-S/14", .dataset = "CIFAR-100", .accuracy = 87.5, DINOV2_PAPER},
    {.model = "DINOv2 ViT-B/14", .dataset = "CIFAR-10", .accuracy = 98.7, DINOV2_PAPER},
    {.model = "DINOv2 ViT-B/14", .dataset = "CIFAR-100", .accuracy = 91.3, DINOV2_PAPER},
    {.model = "DINOv2 ViT-L/14", .dataset = "CIFAR-10", .accuracy = 99.3, DINOV2_PAPER},
    {.model = "DINOv2 ViT-L/14", .dataset = "CIFAR-100", .accuracy = 93.4, DINOV2_PAPER},
    {.model = "DINOv2 ViT-g/14", .dataset = "CIFAR-10", .accuracy = 99.5, DINOV2_PAPER},
    {.model = "DINOv2 ViT-g/14", .dataset = "CIFAR-100", .accuracy = 94.4, DINOV2_PAPER},
    {.model = "DINO ViT-B/8", .dataset = "CIFAR-10", .accuracy = 97.2, DINOV2_PAPER},
    {.model = "DINO ViT-B/8", .dataset = "CIFAR-100", .accuracy = 86.9, DINOV2_PAPER},
    {.model = "MAE ViT-H/14", .dataset = "CIFAR-10", .accuracy = 96.1, DINOV2_PAPER},
    {.model = "MAE ViT-H/14", .dataset = "CIFAR-100", .accuracy = 83.9, DINOV2_PAPER},

    {.model = "open_clip ViT-B/32 laion400m_e32",
     .dataset = "CIFAR-100",
     .accuracy = 82.92,
     CLIP_BENCHMARK},
    {.model = "open_clip ViT-B/16 laion400m_e32",
     .dataset = "CIFAR-100",
     .accuracy = 84.07,
     CLIP_BENCHMARK},
    {.model = "open_clip ViT-B/16-plus-240 laion400m_e32",
     .dataset = "CIFAR-100",
     .accuracy = 85.33,
     CLIP_BENCHMARK},
    {.model = "open_clip ViT-L/14 laion400m_e32",
     .dataset = "CIFAR-100",
     .accuracy = 87.95,
     CLIP_BENCHMARK},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

const lp_published *lp_published_all(size_t *count) {
    *count = PUBLISHED;
    return published;
}

const lp_published *lp_published_target(void) {
    return &published[TARGET];
}

const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point) {
    for (size_t i = 0; model != NULL && i < PUBLISHED; i++) {
        const lp_published *p = &published[i];
        if (strcmp(p->model, model) == 0 && strcmp(p->dataset, dataset) == 0 && p->point == point &&
            !p->normalized) {
            return p;
        }
    }
    return NULL;
}

/* Whether a feature set is of an official file's own labels, and not normalised. */
static bool is_plain(const json_t *set) {
    const json_t *inputs = json_object_get(set, "inputs");
    return lp_json_text(json_object_get(set, "data"), "official", NULL) != NULL &&
           strcmp(lp_json_text(inputs, "labels", ""), "fine") == 0 &&
           json_is_false(json_object_get(inputs, "normalize"));
}

const lp_published *lp_published_of(const json_t *train, const json_t *test) {
    const json_t *inputs = json_object_get(test, "inputs");
    const char *feature = lp_json_text(inputs, "feature", "");
    const char *model = lp_json_text(json_object_get(test, "weights"), "official", NULL);
    const char *data = lp_json_text(json_object_get(test, "data"), "name", "");
    bool same = is_plain(train) && is_plain(test) &&
                strcmp(lp_json_text(json_object_get(train, "data"), "name", ""), data) == 0;
    for (int p = LP_FEATURE_PROJECTED; same && p <= LP_FEATURE_PENULTIMATE; p++) {
        if (strcmp(feature, lp_feature_point_name((lp_feature_point)p)) == 0) {
            return lp_published_find(model, data, (lp_feature_point)p);
        }
    }
    return NULL;
}
