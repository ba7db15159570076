/* Linear-probe accuracies that others published, and which of them belongs beside a result. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include "base/json.h"
#include "linprobe/encoder.h"

/* A linear-probe accuracy that somebody published. */
typedef struct lp_published {
    const char *model;   /* title of the model */
    const char *dataset; /* "CIFAR-100" */
    lp_feature_point point;
    bool normalized; /* features divided by their length */
    double accuracy; /* top-1, percent */
    int decimals;    /* as published */
    const char *by;  /* whose number, in two words */
    const char *setting;
    const char *source;
} lp_published;

/* All of them; *count is how many. */
const lp_published *lp_published_all(size_t *count);

/* The published number for an official model's features as they are, or NULL (also for model =
 * NULL). */
const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point);

/* The same for two feature sets as their meta.json describes them (of the training set `inputs` and
 * `data` are enough): official weights and data, fine labels, features as the encoder gives them.
 */
const lp_published *lp_published_of(const json_t *train, const json_t *test);

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
