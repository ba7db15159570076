/* Published accuracies.  The paper's numbers are those of its Table 10: features before the
 * projection, lambda swept on a validation split.  The target's features are projected. */
#include "report/published.h"

#include <string.h>

#define SWEPT "scikit-learn L-BFGS, lambda swept on validation data, penultimate features"
#define PAPER "arXiv 2103.00020, Table 10"

static const lp_published table[] = {
    {"OpenAI CLIP ViT-B/32", "CIFAR-100", LP_FEATURE_PROJECTED, 79.92, 3,
     "scikit-learn LogisticRegression (multinomial), C = 0.316, projected features",
     "protocol of the CLIP repository's linear-probe example"},
    {"OpenAI CLIP ViT-B/32", "CIFAR-100", LP_FEATURE_PENULTIMATE, 80.5, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-B/16", "CIFAR-100", LP_FEATURE_PENULTIMATE, 83.1, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-L/14", "CIFAR-100", LP_FEATURE_PENULTIMATE, 87.5, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-L/14@336px", "CIFAR-100", LP_FEATURE_PENULTIMATE, 87.4, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-B/32", "CIFAR-10", LP_FEATURE_PENULTIMATE, 95.1, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-B/16", "CIFAR-10", LP_FEATURE_PENULTIMATE, 96.2, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-L/14", "CIFAR-10", LP_FEATURE_PENULTIMATE, 98.0, 1, SWEPT, PAPER},
    {"OpenAI CLIP ViT-L/14@336px", "CIFAR-10", LP_FEATURE_PENULTIMATE, 97.9, 1, SWEPT, PAPER},
};

const lp_published *lp_published_target(void) {
    return &table[0];
}

const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point) {
    for (size_t i = 0; model != NULL && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].model, model) == 0 && strcmp(table[i].dataset, dataset) == 0 &&
            table[i].point == point) {
            return &table[i];
        }
    }
    return NULL;
}
