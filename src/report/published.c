/* Published accuracies.  The paper's numbers are those of its Table 10: features before the
 * projection, lambda swept on a validation split.  The target's features are projected. */
#include "report/published.h"

#include <stdbool.h>
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
