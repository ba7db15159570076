/* Linear-probe accuracies that others published, and which of them belongs beside a result. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include <stddef.h>
#include "ckpt/known_models.h"
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
    const char *model;   /* title of a known model, or what the source calls another one */
    const char *dataset; /* "CIFAR-100" */
    double accuracy;     /* by the set's own metric (data_sets.h), percent */
    const lp_study *study;
} lp_published;

/* All of them, each model and set of a source once; *count is how many. */
const lp_published *lp_published_all(size_t *count);

/* The known model that a number is of, or NULL: no known file is that model for certain, or not as
 * the source used it (at another input size). */
const lp_known_model *lp_published_model(const lp_published *p);

/* The published number for the training and test features of a probe (NULL: not recorded), or NULL:
 * official weights at the known model's input size and with its own settings, whole parts of the
 * published data, fine labels, float32, features as the encoder gives them. */
const lp_published *lp_published_of(const lp_provenance *train, const lp_provenance *test);

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
