/* One backbone of a comparison: from its weights to a probe and the test set's features. */
#ifndef LP_CLI_BACKBONE_H
#define LP_CLI_BACKBONE_H

#include "cli/settings.h"
#include "cli/steps.h"

/* What is the same for all backbones. */
typedef struct backbone_setting {
    const char *cache;          /* features are kept here */
    const char *out;            /* probes go to OUT/<backbone>/ */
    lp_dataset *data[2];        /* train, test */
    cli_model_settings encoder; /* its point: each model's own, or one for all */
    cli_output_settings output;
    bool sweep; /* choose C for each, by sweep_options; else fit.C */
    lp_sweep_options sweep_options;
    cli_fit_settings fit_asked;
    lp_fit_options fit; /* as fit_asked says it */
} backbone_setting;

typedef struct backbone {
    char name[96];  /* "CLIP ViT-B/32", or as the user called it */
    char label[16]; /* the first digits of its features' digest, to tell apart what has one name */
    lp_encoder_info info;
    int asked; /* as cli_model_settings.point, for this one */
    lp_feature_point point;
    char sha256[65]; /* of the weights */
    bool official;
    lp_features *train, *test;
    lp_probe *probe;
    json_t *fit;    /* step_fit_row */
    bool at_edge;   /* the sweep's best C is the smallest or largest of its range */
    double rate;    /* images a second of the extraction, NaN where it is not known */
    size_t threads; /* of that extraction */
} backbone;

/* Does what is missing: extracts both splits into the cache, sweeps, fits.  word is
 * [NAME=]MODEL[@POINT]: what to call it, a file, folder or known model, and its feature point.
 * Cleared by backbone_clear in any case. */
LP_MUST_USE lp_status backbone_run(const backbone_setting *setting, const char *word, backbone *b,
                                   lp_error *err);
void backbone_clear(backbone *b);

#endif
