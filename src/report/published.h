/* Linear-probe accuracies that others published for official models, each with its setting. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include <stddef.h>
#include "base/json.h"
#include "linprobe/encoder.h"

typedef struct lp_published {
    const char *model;   /* as lp_checkpoint_official_name says it */
    const char *dataset; /* "CIFAR-100" */
    lp_feature_point point;
    double accuracy; /* top-1, percent */
    int decimals;    /* as published */
    const char *setting;
    const char *source;
} lp_published;

/* The published number for an official model, or NULL (also for model = NULL). */
const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point);

/* The same for two feature sets as their meta.json describes them (of the training set `inputs` and
 * `data` are enough): official weights and data, fine labels, features as the encoder gives them.
 */
const lp_published *lp_published_of(const json_t *train, const json_t *test);

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
