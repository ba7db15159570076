/* Linear-probe accuracies that others published, and which of them belongs beside a result. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include <stddef.h>
#include "linprobe/encoder.h"
#include "linprobe/provenance.h"

/* How accuracies were measured, and where they are published. */
typedef struct lp_study {
    lp_feature_point point;
    bool normalized; /* features divided by their length */
    int decimals;    /* as published */
    const char *by;  /* whose numbers, in two words */
    const char *setting, *source;
} lp_study;

/* A linear-probe accuracy that somebody published. */
typedef struct lp_published {
    const char *model;   /* title of the model */
    const char *dataset; /* "CIFAR-100" */
    double accuracy;     /* by the set's own metric (data_sets.h), percent */
    const lp_study *study;
} lp_published;

/* Those of models whose files are known; *count is how many. */
const lp_published *lp_published_all(size_t *count);

/* Those of other models, which stand beside no result. */
const lp_published *lp_published_others(size_t *count);

/* The published number for the training and test features of a probe (NULL: not recorded), or NULL:
 * official weights, whole parts of the published data, fine labels, float32, features as the
 * encoder gives them. */
const lp_published *lp_published_of(const lp_provenance *train, const lp_provenance *test);

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
