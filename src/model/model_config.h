/* What the JSON files beside weights say of a model: config.json of transformers or timm,
 * open_clip_config.json, preprocessor_config.json. */
#ifndef LP_MODEL_MODEL_CONFIG_H
#define LP_MODEL_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"

typedef struct lp_model_config {
    const char *file; /* the one that said something; NULL: none is there, or none of this model */
    const char *stranger;     /* one that is there, but of another model; or NULL */
    lp_activation activation; /* LP_ACTIVATION_AUTO: not said; so the zeros below */
    lp_pool pool;
    size_t heads;
    float norm_eps;
    bool has_preprocess;
    lp_preprocess preprocess; /* for the input that it names: its crop */
} lp_model_config;

/* Reads what is beside the checkpoint.  A config whose width, number of layers or patch size is
 * another is not believed.  LP_ERR_FORMAT and LP_ERR_UNSUPPORTED name the file and the key. */
LP_MUST_USE lp_status lp_model_config_read(const lp_checkpoint *ckpt, size_t width, size_t layers,
                                           size_t patch, lp_model_config *out, lp_error *err);

/* The config's preprocessing, which it has, for any input. */
void lp_model_config_preprocess(const lp_model_config *config, size_t input, lp_encoder_info *info);

#endif
