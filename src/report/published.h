/* Linear-probe accuracies that others published for official models, each with its setting. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include <stddef.h>
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

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
