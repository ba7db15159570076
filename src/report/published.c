/* Published accuracies beside results: only where model, data and feature are the same. */
#include "report/published.h"

#include <stdbool.h>
#include <string.h>

const lp_published *lp_published_target(void) {
    size_t count;
    return &lp_published_all(&count)[0];
}

const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point) {
    size_t count;
    const lp_published *table = lp_published_all(&count);
    for (size_t i = 0; model != NULL && i < count; i++) {
        if (strcmp(table[i].model, model) == 0 && strcmp(table[i].dataset, dataset) == 0 &&
            table[i].point == point && !table[i].normalized) {
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
